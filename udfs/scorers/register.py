"""Register: which kinds of writing a text is, by the labels of the CORE corpora.

A text may be of several registers. The table has the probability of every label, and beside it the
labels that follow from them.

Source:
    Laippala et al. 2022, Register identification from the unrestricted open Web using the Corpus of
    Online Registers of English; the labels of TurkuNLP's multilingual CORE and of HPLT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql.types import ArrayType, DoubleType, StringType, StructField, StructType

from udfs.base.settings import ConfigError, Model, PositiveCount, Share, StopWords
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ReportShares,
    ScorerDeclaration,
    ScorerFiles,
)
from udfs.scorers.fasttext_settings import (
    FastTextSettings,
    TokenChars,
    check_tokenizer,
    labels_of_model,
    tokenizer_settings,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from pyspark.sql import Column

    from udfs.files.artifacts import ArtifactFile
    from udfs.models.fasttext_model import FastTextModel
    from udfs.tokens.tokenizer import TokenizerSettings
    from udfs.tokens.tokens import Tokens

NAME = "register"

REGISTERS: Final = {
    "HI": "how-to or instructions",
    "ID": "interactive discussion",
    "IN": "informational description",
    "IP": "informational persuasion",
    "LY": "lyrical",
    "MT": "machine-translated or generated",
    "NA": "narrative",
    "OP": "opinion",
    "SP": "spoken",
}
"""Main labels and what they are."""

SUBREGISTERS: Final = {
    "av": ("OP", "advice"),
    "ds": ("IP", "description with intent to sell"),
    "dtp": ("IN", "description of a thing or a person"),
    "ed": ("IP", "news and opinion blog or editorial"),
    "en": ("IN", "encyclopedia article"),
    "fi": ("IN", "frequently asked questions"),
    "it": ("SP", "interview"),
    "lt": ("IN", "legal terms and conditions"),
    "nb": ("NA", "narrative blog"),
    "ne": ("NA", "news report"),
    "ob": ("OP", "opinion blog"),
    "ra": ("IN", "research article"),
    "re": ("HI", "recipe"),
    "rs": ("OP", "denominational religious blog or sermon"),
    "rv": ("OP", "review"),
    "sr": ("NA", "sports report"),
}
"""Sub-labels: the main label that each implies, and what it is."""

MIN_PROBABILITY = 0.4


@dataclass(frozen=True)
class RegisterSettings(FastTextSettings):
    """Registers of a text by a linear model in fastText's format, one-vs-rest."""

    artifact: Model = "register"
    """Artifact name of the model, or a path. Its labels are main labels (HI, ID, IN, IP, LY, MT,
    NA, OP, SP) and sub-labels of CORE (ds, ne, ...), whichever it knows."""
    min_token_chars: TokenChars = 1
    """Tokens of fewer characters are dropped."""
    stopwords: StopWords | None = None
    """Tokens that are dropped too, as in the other sections."""
    max_chars: PositiveCount | None = 3_000
    """Leading characters of a text that are read; off for all."""
    distinct: bool = True
    """Count each token once in a text, however often it occurs."""
    min_probability: Share = MIN_PROBABILITY
    """Least probability of a label in ``multi_label`` and ``sub_labels``; the likeliest main label
    is always in ``multi_label``."""
    min_probabilities: dict[str, Share] = field(default_factory=dict)
    """Label -> its own least probability, where that differs."""


@dataclass(frozen=True)
class RegisterLimits:
    """Keys of [select] that look at registers."""

    registers: tuple[str, ...] = ()
    """Registers kept: documents with one of these main labels or sub-labels, of HI, ID, IN, IP, LY,
    MT, NA, OP, SP and av, ds, dtp, ed, en, fi, it, lt, nb, ne, ob, ra, re, rs, rv, sr; a document
    without a label is left out (reason ``unwanted_register``). Empty keeps all."""


PROBABILITY_TYPE = StructType(
    [StructField("label", StringType()), StructField("probability", DoubleType())]
)
RESULT_TYPE = StructType(
    [
        StructField("single_label", StringType()),  # the likeliest main label; null: no token
        StructField("multi_label", ArrayType(StringType())),  # main labels, the likeliest first
        StructField("sub_labels", ArrayType(StringType())),  # of labels in multi_label
        StructField("probabilities", ArrayType(PROBABILITY_TYPE)),  # of all labels of the model
    ]
)


@dataclass(frozen=True)
class RegisterRules:
    """How probabilities become labels."""

    min_probability: float = MIN_PROBABILITY
    min_probabilities: Mapping[str, float] = field(default_factory=dict)

    def has(self, label: str, probability: float) -> bool:
        """Whether a label with this probability is given."""
        return probability >= self.min_probabilities.get(label, self.min_probability)


def score_registers(
    lines: Sequence[str] | Tokens, model: FastTextModel, rules: RegisterRules | None = None
) -> list[Record]:
    """The registers of every token line, or of the tokens of every text.

    ``multi_label`` starts with ``single_label``, the likeliest main label, and continues with every
    other that reaches its least probability; ``sub_labels`` are those of these main labels that
    reach theirs. Both are in the order of falling probability, then of their names. A sub-label is
    never likelier than the main label that it implies.

    Returns:
        Records of `RESULT_TYPE`. A text without any token has no single_label, no other label, and
        probability 0 of each.
    """
    chosen = rules or RegisterRules()
    rows = model.probabilities(lines).tolist()
    return [
        _record(_capped(dict(zip(model.labels, row, strict=True))), chosen)
        if line
        else _NOTHING | {"probabilities": _pairs(dict.fromkeys(model.labels, 0.0))}
        for line, row in zip(lines, rows, strict=True)
    ]


def register_scorer(
    artifact: ArtifactFile,
    rules: RegisterRules | None = None,
    tokenizer: TokenizerSettings | None = None,
) -> Scorer:
    """The register scorer over one model."""
    from udfs.models.fasttext_model import load_fasttext

    score = partial(score_registers, rules=rules)
    return Scorer(
        NAME, artifact, RESULT_TYPE, score, tokenizer or bundled_tokenizer(), load_fasttext
    )


def bundled_tokenizer() -> TokenizerSettings:
    """How the texts of the bundled model are tokenized."""
    return tokenizer_settings(RegisterSettings())


def _make(settings: RegisterSettings, files: ScorerFiles) -> Scorer:
    rules = RegisterRules(settings.min_probability, settings.min_probabilities)
    return register_scorer(files.shipped("artifact"), rules, tokenizer_settings(settings, files))


def _check(settings: RegisterSettings, limits: RegisterLimits, files: KnownFiles) -> None:
    check_tokenizer(NAME, settings, files)
    known = (*REGISTERS, *SUBREGISTERS)
    labels = labels_of_model(NAME, files)
    for label in labels or ():
        if label not in known:
            raise ConfigError(
                f"register.artifact: the model's label {label!r} is no register; known registers: "
                f"{', '.join(known)}"
            )
    if labels is not None and not set(labels) & REGISTERS.keys():
        raise ConfigError("register.artifact: the model has no main label")
    given = {
        "register.min_probabilities": settings.min_probabilities,
        "select.registers": limits.registers,
    }
    for key, names in given.items():
        for label in sorted(set(names)):
            if label not in (known if labels is None else labels):
                raise ConfigError(
                    f"{key}: no register {label!r}; known registers: "
                    f"{', '.join(known if labels is None else sorted(labels))}"
                )


def _has_none_of(scores: Column, labels: Sequence[str]) -> Column:
    """Whether a document has none of these main labels and sub-labels."""
    from pyspark.sql import functions as F

    given = F.concat(scores["multi_label"], scores["sub_labels"])
    return ~F.arrays_overlap(given, F.array(*(F.lit(label) for label in labels)))


REGISTER = ScorerDeclaration(
    name=NAME,
    settings=RegisterSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    corpus=(CorpusColumn("register", tuple(RESULT_TYPE.fieldNames())),),
    limits=RegisterLimits,
    rejections=(
        Rejection(
            "unwanted_register",
            "registers",
            _has_none_of,
            rank=1,
        ),
    ),
    shares=(
        ReportShares(
            *("registers", "register.single_label", "register", "Registers of the corpus"),
            labels="register.multi_label",
        ),
    ),
)


_NOTHING: Final[Record] = {"single_label": None, "multi_label": [], "sub_labels": []}
"""Labels of a text without any token."""


def _capped(probabilities: dict[str, float]) -> dict[str, float]:
    """Probabilities in which no sub-label exceeds its main label."""
    return {
        label: min(probability, probabilities.get(SUBREGISTERS[label][0], 1.0))
        if label in SUBREGISTERS
        else probability
        for label, probability in probabilities.items()
    }


def _record(probabilities: Mapping[str, float], rules: RegisterRules) -> Record:
    falling = sorted(probabilities, key=lambda label: (-probabilities[label], label))
    given = [label for label in falling if rules.has(label, probabilities[label])]
    top = next(label for label in falling if label in REGISTERS)
    main = [top, *(label for label in given if label in REGISTERS and label != top)]
    return {
        "single_label": top,
        "multi_label": main,
        "sub_labels": [s for s in given if s in SUBREGISTERS and SUBREGISTERS[s][0] in main],
        "probabilities": _pairs(probabilities),
    }


def _pairs(probabilities: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"label": label, "probability": probability} for label, probability in probabilities.items()
    ]
