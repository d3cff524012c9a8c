"""Harmful-text perplexity: how unlikely a text is to a model of gambling and pornography pages.

A text is cut into pieces at line breaks and signs. With a second model of plain text a piece
counts only as far as the harmful model predicts it better than the plain one, so that menus and
prose, which harmful pages contain too, change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql.types import BooleanType, DoubleType, StructField, StructType

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.code_points import CODE_POINTS, batch_of, encode_texts
from udfs.base.settings import Amount, Model, PositiveAmount, PositiveCount
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    Rejection,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.scorers.scorer import Documents, Record, Scorer, model_of

if TYPE_CHECKING:
    from pathlib import Path

    from udfs.files.artifacts import ArtifactFile
    from udfs.models.char_lm import CharLanguageModel

NAME = "perplexity"

MAX_CHARS = 20_000
BREAKS = "\n\r，。！？；、|｜_-,!?;:：·»>【】（）()[]"
"""Signs between the pieces of a text; spam pages separate their words with them."""

HARMFUL_SHARE = 0.1
"""Prior probability that a piece is harmful, with a plain model."""
HEAD_PIECES = 3
HEAD_WEIGHT = 0.2
"""The first pieces, a page's title, count again, as a fifth of the text."""

MAX_PERPLEXITY = 0.9629
"""Below it a text is harmful, by the bundled models; see their card."""


@dataclass(frozen=True)
class PerplexitySettings:
    """Harmful-text perplexity: how unlikely a text is to a model of gambling and pornography."""

    artifact: Model = "perplexity"
    """Artifact name of the language model of harmful text, or a path to an ARPA file whose words
    are characters."""
    plain: Model | None = "perplexity_plain"
    """The language model of plain text, which the perplexity is divided by: at 1 nothing in the
    text is likelier in harmful text. Off: the perplexity of the model above alone, as published;
    ``max_perplexity`` is then of another order."""
    max_perplexity: PositiveAmount = MAX_PERPLEXITY
    """Perplexity below which a text is flagged; the default finds nine in ten harmful pages."""
    max_chars: PositiveCount | None = MAX_CHARS
    """Leading characters of a text that are read; off for all."""


@dataclass(frozen=True)
class PerplexityLimits:
    """Keys of [select] that look at perplexity."""

    min_perplexity: Amount | None = None
    """Least harmful-text perplexity; off keeps flagged texts too."""
    min_perplexity_by_domain: dict[str, Amount | None] = field(default_factory=dict)
    """Domain label -> least harmful-text perplexity of documents with this main label."""


RESULT_TYPE = StructType(
    [
        StructField("perplexity", DoubleType()),  # above 0
        StructField("flagged", BooleanType()),  # whether it is below max_perplexity
    ]
)


def perplexities(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: CharLanguageModel | None = None,
    max_chars: int | None = MAX_CHARS,
) -> Float64Array:
    """The perplexity of each text by a language model of harmful text.

    Without a plain model it is 10 to the power of the mean of -log10 P over the text's characters
    and the ends of its pieces; a text without pieces has that of an empty line. With a plain model
    it is relative: the perplexity where each piece may be harmful, divided by that where each is
    plain. At 1 nothing in the text is likelier in harmful text; it falls with the share of the
    text that is, and most with its head.

    Returns:
        Shape (texts,), above 0.
    """
    from udfs.scorers.spans import pieces_between

    encoded = batch_of(texts).limited(max_chars).encoded
    begins, stops, owners = pieces_between(
        encoded.codes, encoded.starts, encoded.stops, _is_break()
    )
    scores, counts = harmful.line_scores(encoded.codes, begins, stops)
    has_words = counts > 0  # white space alone is no piece
    begins, stops, owners = begins[has_words], stops[has_words], owners[has_words]
    scores, sizes = scores[has_words], counts[has_words] + 1
    if plain is None:
        empty = -harmful.encoded_scores(encode_texts([""]))[0]
        means = _means(-scores, sizes, owners, len(texts))
        return _power(np.where(np.isnan(means), empty, means))
    gains = scores - plain.line_scores(encoded.codes, begins, stops)[0]
    mixed = np.logaddexp(
        np.log(1 - HARMFUL_SHARE), np.log(HARMFUL_SHARE) + gains * np.log(10)
    ) / np.log(10)
    surprise = -np.maximum(mixed, 0.0)
    is_head = np.arange(len(owners)) - np.searchsorted(owners, owners) < HEAD_PIECES
    whole = _means(surprise, sizes, owners, len(texts))
    head = _means(surprise[is_head], sizes[is_head], owners[is_head], len(texts))
    return _power(np.nan_to_num(whole + HEAD_WEIGHT * head))


def score_perplexity(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: ArtifactFile | None = None,
    max_perplexity: float = MAX_PERPLEXITY,
    max_chars: int | None = MAX_CHARS,
) -> list[Record]:
    """The perplexity of every text, and whether it is below the limit.

    Source:
        Jansen et al. 2022, Perplexed by Quality (arXiv 2212.10440): a model of harmful text alone,
        and a limit under which texts are dropped. The plain model beside it is ours.
    """
    found = document_perplexities(texts, harmful, plain, max_chars)
    return [{"perplexity": value, "flagged": value < max_perplexity} for value in found.tolist()]


def document_perplexities(
    texts: Sequence[str],
    harmful: CharLanguageModel,
    plain: ArtifactFile | None = None,
    max_chars: int | None = MAX_CHARS,
) -> Float64Array:
    """`perplexities` with the plain model of a file; computed once for all scorers of a batch of
    `Documents` that use the same models."""
    from udfs.models.char_lm_file import load_language_model

    model = None if plain is None else model_of(plain, load_language_model)
    if not isinstance(texts, Documents):
        return perplexities(texts, harmful, model, max_chars)
    return texts.once(
        (harmful, model, max_chars), lambda: perplexities(texts, harmful, model, max_chars)
    )


def perplexity_scorer(
    harmful: ArtifactFile,
    plain: ArtifactFile | None = None,
    max_perplexity: float = MAX_PERPLEXITY,
    max_chars: int | None = MAX_CHARS,
) -> Scorer:
    """The perplexity scorer over language models of characters."""
    from udfs.models.char_lm_file import load_language_model

    score = partial(
        score_perplexity, plain=plain, max_perplexity=max_perplexity, max_chars=max_chars
    )
    return Scorer(NAME, harmful, RESULT_TYPE, score, None, load_language_model)


def check_language_models(name: str, keys: Sequence[str], files: KnownFiles) -> None:
    """Read the language models that keys of a scorer name, as far as they are on this machine.

    Raises:
        ConfigError: a file is no language model of characters.
    """
    if any(key in files for key in keys):
        from udfs.models.fasttext_file import ModelFileError

        for key in keys:
            read_known(f"{name}.{key}", files.get(key), _check_language_model, ModelFileError)


def _check_language_model(path: Path) -> None:
    _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read_once(path: Path, _: int) -> None:
    """Read a file, once for all scorers that use it, unless it changes."""
    from udfs.models.char_lm_file import read_language_model

    read_language_model(path)


def _make(settings: PerplexitySettings, files: ScorerFiles) -> Scorer:
    plain = None if settings.plain is None else files.shipped("plain")
    return perplexity_scorer(
        files.shipped("artifact"), plain, settings.max_perplexity, settings.max_chars
    )


def _check(settings: PerplexitySettings, limits: object, files: KnownFiles) -> None:
    check_language_models(NAME, ("artifact", "plain"), files)


PERPLEXITY = ScorerDeclaration(
    name=NAME,
    settings=PerplexitySettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    is_default=True,
    corpus=(CorpusColumn("harmful", ("perplexity", "flagged")),),
    limits=PerplexityLimits,
    rejections=(
        Rejection(
            "low_perplexity",
            "min_perplexity",
            lambda scores, least: scores["perplexity"] < least,
        ),
    ),
    curves=(ScoreCurve(NAME, "perplexity", "low_perplexity", "min_perplexity", is_log=True),),
)


def _means(values: Float64Array, sizes: Int64Array, owners: Int64Array, texts: int) -> Float64Array:
    """For each text the sum of its pieces' values divided by that of their sizes; NaN without a
    piece."""
    totals, whole = np.bincount(owners, values, texts), np.bincount(owners, sizes, texts)
    with np.errstate(invalid="ignore"):
        means: Float64Array = totals / whole
    return means


def _power(exponents: Float64Array) -> Float64Array:
    powers: Float64Array = 10.0**exponents
    return powers


@lru_cache(maxsize=1)
def _is_break() -> BoolArray:
    flags = np.zeros(CODE_POINTS, dtype=np.bool_)
    flags[[ord(sign) for sign in BREAKS]] = True
    return flags
