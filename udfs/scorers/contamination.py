"""Contamination: questions of benchmarks that stand in a text, by their n-grams of characters.

The benchmarks are files of the user: none is bundled. They become an index of keys on the driver
(`udfs.models.benchmark_index`), which takes the place of a model: scores of two sets of benchmarks
have different artifacts, and never mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from udfs.base.settings import Bounds, ConfigError, PositiveCount
from udfs.scorers.declaration import (
    KEEP,
    CorpusColumn,
    PassageCut,
    Rejection,
    ReportCount,
    ScorerDeclaration,
    ScorerFiles,
)
from udfs.scorers.scorer import Record, Scorer

if TYPE_CHECKING:
    from udfs.files.artifacts import ArtifactFile
    from udfs.models.benchmark_index import BenchmarkIndex

NAME = "contamination"

MIN_SHARE = 0.3
"""See tests/bench/README.md for what other shares find."""
MAX_MATCHES = 20
"""Questions that a record names."""


@dataclass(frozen=True)
class ContaminationSettings:
    """Questions of benchmarks in texts, by their n-grams of characters.

    Runs where ``benchmarks`` names files: ``--set contamination.benchmarks='["ceval.jsonl"]'``.
    """

    benchmarks: tuple[str, ...] = ()
    """Files of questions, folders of them, or patterns; local, relative to the configuration file
    or to where the run is started, or in a store. By their endings: JSON (an array, or an object
    that holds one), JSON lines, CSV, TSV, Parquet, or text (``.txt``); also behind ``.gz`` and
    ``.zst``. Scorer ``contamination`` runs where this is not empty."""
    columns: tuple[str, ...] = ()
    """Columns of a row that are searched for; empty: all text in it."""
    text_files: Literal["lines", "whole"] = "lines"
    """A question of a text file: each of its ``lines``, or the ``whole`` of it."""
    ngram: Annotated[int, Bounds(least=5, most=100)] = 13
    """Characters of an n-gram, of texts without all but letters and digits."""
    min_chars: PositiveCount = 13
    """Fewest letters and digits of a question; shorter ones are left out. A question below
    ``ngram`` is searched for as a whole."""
    min_share: Annotated[float, Bounds(above=0, most=1)] = MIN_SHARE
    """Least share of a question's n-grams that a text must have, and eight of them; a question
    with fewer must be there whole."""


@dataclass(frozen=True)
class ContaminationLimits:
    """Keys of [select] that look at questions of benchmarks."""

    contamination: Literal["keep", "cut", "reject"] = KEEP
    """What becomes of a document with questions of ``contamination.benchmarks``: ``keep`` it as it
    is, with what was found in column ``contamination``; ``cut`` the passages from its text, unless
    fewer than ``min_clean_chars`` are left; or ``reject`` it as ``contaminated``."""
    min_clean_chars: PositiveCount = 200
    """With ``contamination = "cut"``: fewest code points that must be left of a document that is
    cut; one with fewer is rejected as ``contaminated``."""


SPAN_TYPE = StructType([StructField("start", IntegerType()), StructField("length", IntegerType())])

RESULT_TYPE = StructType(
    [
        StructField("matched", BooleanType()),  # whether a question is in the text
        StructField("matched_chars", LongType()),  # code points of the passages
        StructField("share", DoubleType()),  # of the text's code points
        StructField("chars_left", LongType()),  # code points outside the passages
        StructField("questions", LongType()),  # that are in the text
        StructField(
            "matches",  # the questions that most is found of, MAX_MATCHES at most
            ArrayType(
                StructType(
                    [
                        StructField("benchmark", StringType()),  # its file
                        StructField("question", StringType()),  # its id, or number of row from 1
                        StructField("share", DoubleType()),  # of the question's n-grams
                    ]
                )
            ),
        ),
        # Passages, in code points of the text that was scored; ascending, disjoint.
        StructField("spans", ArrayType(SPAN_TYPE)),
    ]
)


def score_contamination(
    texts: Sequence[str], index: BenchmarkIndex, min_share: float = MIN_SHARE
) -> list[Record]:
    """Find the questions of an index in every text.

    Source:
        Brown et al. 2020, Language Models are Few-Shot Learners, appendix C: 13-grams, and n-grams
        of many documents left out; here of characters, and by the share of a question as in later
        reports.
    """
    from udfs.models.benchmark_matches import find_matches

    records: list[Record] = []
    for text, found in zip(texts, find_matches(texts, index, min_share), strict=True):
        chars = sum(stop - start for start, stop in found.spans.tolist())
        best = zip(found.questions.tolist(), found.found.tolist(), strict=True)
        records.append(
            {
                "matched": len(found.questions) > 0,
                "matched_chars": chars,
                "share": chars / len(text) if text else 0.0,
                "chars_left": len(text) - chars,
                "questions": len(found.questions),
                "matches": [
                    dict(
                        zip(
                            ("benchmark", "question", "share"),
                            (*index.question(question), count / int(index.totals[question])),
                            strict=True,
                        )
                    )
                    for question, count in list(best)[:MAX_MATCHES]
                ],
                "spans": [
                    {"start": start, "length": stop - start} for start, stop in found.spans.tolist()
                ],
            }
        )
    return records


def contamination_scorer(artifact: ArtifactFile, min_share: float = MIN_SHARE) -> Scorer:
    """The contamination scorer over an index of questions."""
    from udfs.models.benchmark_index import load_index

    score = partial(score_contamination, min_share=min_share)
    return Scorer(NAME, artifact, RESULT_TYPE, score, None, load_index)


def _make(settings: ContaminationSettings, files: ScorerFiles) -> Scorer:
    return contamination_scorer(files.shipped("artifact"), settings.min_share)


def _make_file(settings: ContaminationSettings, config_file: Path | None, cache: Path) -> Path:
    """The index of the files that the settings name, made once and cached."""
    if not settings.benchmarks:
        raise ConfigError(
            f"score.scorers has {NAME}, but contamination.benchmarks = [] names no files of "
            "questions"
        )
    from udfs.scorers.benchmark_files import cached_index

    return cached_index(settings, config_file, cache)


CONTAMINATION = ScorerDeclaration(
    name=NAME,
    settings=ContaminationSettings,
    result_type=RESULT_TYPE,
    make=_make,
    make_file=_make_file,
    runs_with="benchmarks",
    corpus=(
        CorpusColumn(
            "contamination", ("matched", "matched_chars", "share", "questions", "matches", "spans")
        ),
    ),
    limits=ContaminationLimits,
    rejections=(
        Rejection(
            "contaminated",
            "contamination",
            lambda scores, _: scores["matched"],
            when="reject",
        ),
    ),
    passages=PassageCut(
        *("contamination", "cut", "spans", "chars_left", "min_clean_chars"),
        reason="contaminated",
        edit="benchmark",
    ),
    counts=(
        ReportCount("contaminated_rows", "contamination.matched", "with questions of a benchmark"),
    ),
)
