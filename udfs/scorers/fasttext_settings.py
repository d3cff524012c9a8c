"""What the fastText scorers share: settings of the tokenizer, and checks of model and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from udfs.base.model_constants import LABEL_PREFIX
from udfs.base.settings import OWN, Bounds, ConfigError, Model, PositiveCount, StopWords
from udfs.scorers.declaration import KnownFiles, ScorerFiles, read_known

if TYPE_CHECKING:
    from udfs.tokens.tokenizer import TokenizerSettings

_TOKENIZER_KEYS = (
    "segmentation", "min_token_chars", "stopwords", "max_chars", "join_lines", "distinct",
    "extra_tokens",
)  # fmt: skip
"""Keys that say how a model's texts are tokenized."""


TokenChars = Annotated[int, Bounds(least=1, at_most_key="max_chars")]


@dataclass(frozen=True)
class FastTextSettings:
    """Settings of a fastText scorer: a model, and how its texts are tokenized.

    The defaults of the tokenizer are what ``segmentation`` 1 means. A model of the catalogue that
    needs that takes no others; for a model of your own they say how it was trained.
    """

    artifact: Model = ""
    """Artifact name of the model, or a path to a fastText ``.bin`` or ``.ftz`` file, relative to
    the configuration file or to where the run is started."""
    segmentation: Literal["rjieba", "jieba", "characters", "words"] = "rjieba"
    """``jieba`` is that library; ``rjieba`` gives the same words in a thirtieth of the time;
    ``characters`` cuts the lower-cased text into single characters, but keeps runs of the letters
    a to z, and of digits, whole (with ``min_token_chars = 1`` and ``stopwords = "off"`` it keeps
    them all); ``words`` into runs of letters and digits of any script, for languages that separate
    words by blanks. A language pack's ``language.tokenizer`` is the default."""
    min_token_chars: TokenChars = 2
    """Tokens of fewer characters are dropped."""
    stopwords: StopWords | None = OWN
    """Tokens that are dropped too: ``own`` for the list in udfs/tokens/segment.py, off for no list,
    or an artifact name or a path to a list, one a line."""
    max_chars: PositiveCount | None = 20_000
    """Leading characters of a text that are read; off for all."""
    join_lines: bool = False
    """Remove line breaks from a text before it is cut into words."""
    distinct: bool = False
    """Count each token once in a text, however often it occurs."""
    extra_tokens: Literal["forms", "shape"] | None = None
    """Tokens beside the words, for a model that was trained with them: ``forms`` (see
    udfs/tokens/forms.py) are turns of speakers, exam options, articles of law and the like;
    ``shape`` (udfs/tokens/shape_tokens.py) are lines, signs, repetition and title of a text."""


def tokenizer_settings(
    settings: FastTextSettings,
    files: ScorerFiles | None = None,
    *,
    exempt_formulas: bool = False,
    folding: bool = False,
) -> TokenizerSettings:
    """How the texts of a scorer's model are tokenized.

    Args:
        files: Ships the list of stop words; None where the settings name none.
        exempt_formulas: As `TokenizerSettings` has it, as is folding.
    """
    from udfs.tokens.forms import form_tokens
    from udfs.tokens.shape_tokens import shape_tokens
    from udfs.tokens.tokenizer import OWN as OWN_WORDS
    from udfs.tokens.tokenizer import TokenizerSettings

    extra: dict[str | None, Any] = {None: None, "forms": form_tokens, "shape": shape_tokens}
    stop_words: Any = None
    if settings.stopwords == OWN:
        stop_words = OWN_WORDS
    elif settings.stopwords is not None and files is not None:
        stop_words = files.shipped("stopwords")
    return TokenizerSettings(
        segmenter=settings.segmentation,
        min_token_chars=settings.min_token_chars,
        stop_words=stop_words,
        max_chars=settings.max_chars,
        join_lines=settings.join_lines,
        exempt_formulas=exempt_formulas,
        distinct=settings.distinct,
        extra=extra[settings.extra_tokens],
        folding=folding,
    )


def check_tokenizer(
    name: str, settings: FastTextSettings, files: KnownFiles, further: Sequence[str] = ()
) -> None:
    """Check that a model of the catalogue has the tokenizer keys that it needs.

    Args:
        name: The scorer's.
        further: Other keys that such a model needs as they are by default.
    Raises:
        ConfigError: naming key and value.
    """
    model = files["artifact"]
    if "segmentation" in model.needs:
        defaults = type(settings)()
        for key in (*_TOKENIZER_KEYS, *further):
            value, default = getattr(settings, key), getattr(defaults, key)
            # jieba and rjieba give the same words, so either may be set.
            if value != default and {value, default} != {"jieba", "rjieba"}:
                raise ConfigError(
                    f"{name}.{key} = {value!r}: {model.artifact} needs segmentation "
                    f"{model.needs['segmentation']}, where it is {default!r}"
                )
    if "stopwords" in files:
        from udfs.tokens.tokenizer import StopWordsError, read_stop_words

        read_known(f"{name}.stopwords", files["stopwords"], read_stop_words, StopWordsError)


def labels_of_model(name: str, files: KnownFiles) -> list[str] | None:
    """The labels of a scorer's model; None where it is not on this machine.

    Raises:
        ConfigError: the file is no fastText model.
    """
    from udfs.models.fasttext_file import ModelFileError, read_fasttext_header

    header = read_known(f"{name}.artifact", files["artifact"], read_fasttext_header, ModelFileError)
    return None if header is None else list(header.labels)


def check_label(name: str, label: str, files: KnownFiles) -> None:
    """Check that the model has the label whose probability is the score.

    Raises:
        ConfigError: naming the model's labels.
    """
    labels = labels_of_model(name, files)
    if labels is not None and plain_label(label) not in labels:
        raise ConfigError(
            f"{name}.label = {plain_label(label)!r}: the model's labels are "
            f"{', '.join(sorted(labels))}"
        )


def plain_label(label: str) -> str:
    """A label without fastText's prefix, which may be written or left out."""
    return label.removeprefix(LABEL_PREFIX)
