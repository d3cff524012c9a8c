"""Tokens: how many tokens of a language model a text has, estimated or counted exactly.

The estimate is a linear function of the characters of each class, fitted to a tokenizer
(``python -m tests.bench.token_estimate``; the artifact's card has its error by source). With
``select.tokenizer`` the tokens are counted by that tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pyspark.sql.types import LongType, StructField, StructType

from udfs.base.code_points import batch_of
from udfs.base.settings import ArtifactKey, ConfigError
from udfs.scorers.declaration import (
    CorpusColumn,
    KnownFiles,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.tokens.token_counts import TokenCounter

NAME = "tokens"


@dataclass(frozen=True)
class TokensSettings:
    """Number of tokens of a text, estimated from the kinds of its characters.

    ``select.tokenizer`` counts them exactly.
    """

    artifact: Annotated[str, ArtifactKey("tokenizer")] = "token_estimate"
    """Artifact name of an estimate, or a path to one: a JSON object with a coefficient for each
    class of characters, as ``python -m tests.bench.token_estimate`` fits it to a tokenizer."""


@dataclass(frozen=True)
class TokensLimits:
    """Keys of [select] that say how tokens are counted."""

    tokenizer: Annotated[str, ArtifactKey("tokenizer")] | None = None
    """A ``tokenizer.json`` of the library tokenizers that counts tokens exactly: an artifact's
    name, or a path. Texts are tokenized once, when they are scored; another tokenizer repeats
    scorer ``tokens`` alone. Off: an estimate, ``tokens.artifact``."""


RESULT_TYPE = StructType(
    [
        StructField("tokens", LongType()),
        StructField("chars", LongType()),  # code points
        StructField("bytes", LongType()),  # of the text as UTF-8
    ]
)
"""All of the text as it was scored."""


def score_tokens(texts: Sequence[str], counter: TokenCounter) -> list[Record]:
    """Tokens, characters and bytes of every text; 0 for an empty one."""
    from udfs.tokens.token_counts import TokenEstimate, count_features

    encoded = batch_of(texts).encoded
    counts = count_features(encoded)
    if isinstance(counter, TokenEstimate):
        tokens = counter.of_features(counts.features)
    else:
        tokens = counter.count(texts)
    rows = zip(tokens.tolist(), encoded.lengths.tolist(), counts.utf8_bytes.tolist(), strict=True)
    return [{"tokens": n, "chars": chars, "bytes": size} for n, chars, size in rows]


def tokens_scorer(artifact: ArtifactFile) -> Scorer:
    """The scorer over an estimate, or over a tokenizer."""
    from udfs.tokens.token_counts import load_token_counter

    return Scorer(NAME, artifact, RESULT_TYPE, score_tokens, None, load_token_counter)


def _make(settings: TokensSettings, files: ScorerFiles) -> Scorer:
    return tokens_scorer(files.shipped("artifact"))


def _check(settings: TokensSettings, limits: TokensLimits, files: KnownFiles) -> None:
    from udfs.tokens.token_files import EXTRA, TokenFileError, check_token_file, has_tokenizers

    key = "tokens.artifact"
    if limits.tokenizer is not None:
        key = f"select.tokenizer = {limits.tokenizer!r}"
        if not has_tokenizers():
            raise ConfigError(f"{key}: counting tokens exactly needs {EXTRA}")
    read_known(key, files["artifact"], check_token_file, TokenFileError)


TOKENS = ScorerDeclaration(
    name=NAME,
    settings=TokensSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    is_default=True,
    corpus=(CorpusColumn("tokens", "tokens", chars="chars"),),
    limits=TokensLimits,
    artifact_limit="tokenizer",
    curves=(
        ScoreCurve("tokens", "tokens", is_log=True),
        ScoreCurve("chars", "chars", is_log=True),
    ),
)
