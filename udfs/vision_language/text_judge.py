"""Scores of documents by a language model and a rubric, such as educational value from 0 to 5.

Source: FineWeb-Edu, which asks a language model for points by an additive scale and teaches a small
classifier its answers; here scores feed ``select.quality_from``, and ``train_models --teacher``
teaches them to the fastText model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pyspark.sql.types import DoubleType, IntegerType, StringType, StructField, StructType

from udfs.base.settings import ArtifactKey
from udfs.scorers.declaration import (
    KnownFiles,
    ScoreCurve,
    ScorerDeclaration,
    ScorerFiles,
    read_known,
)
from udfs.vision_language.model_settings import GenerativeSettings, check_model
from udfs.vision_language.questions import Query, filled
from udfs.vision_language.rubric import Rubric, RubricError, read_rubric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udfs.scorers.scorer import Record, Scorer
    from udfs.vision_language.model import GenerativeModel

NAME = "text_judge"


@dataclass(frozen=True)
class TextJudgeSettings(GenerativeSettings):
    """Quality by a language model that answers a rubric; in a table beside the corpus."""

    rubric: Annotated[str, ArtifactKey("rubric")] = "educational_rubric"
    """Artifact name of a rubric, or a path to one: a file like conf/rubrics/educational.toml, with
    the question, the points and how they are found in the answer."""


RESULT_TYPE = StructType(
    [
        StructField("score", DoubleType()),  # points as a share of the scale; null without points
        StructField("points", IntegerType()),
        StructField("answer", StringType()),  # what the model wrote; null where it did not
        # Why there is no score: too_long, empty_answer, unreadable_answer, score_out_of_scale.
        StructField("failure", StringType()),
    ]
)


class TextJudge:
    """A rubric and the model that answers it."""

    def __init__(self, rubric: Rubric, model: GenerativeModel) -> None:
        self.rubric = rubric
        self.model = model

    def question(self, text: str) -> Query:
        """What is asked of a document."""
        rubric = self.rubric
        return Query(filled(rubric.prompt, text[: rubric.max_chars]), None, rubric.system)


@dataclass(frozen=True)
class _JudgeLoader:
    """Loads the model, once a worker: equal objects are one key of its cache."""

    settings: TextJudgeSettings
    rubric: Rubric

    def __call__(self, path: Path) -> TextJudge:
        from udfs.pair_scorers.model_folders import unpacked
        from udfs.vision_language.model import GenerativeModel

        answered = self.settings.answered(self.rubric.max_tokens, False, (None, None))
        return TextJudge(self.rubric, GenerativeModel(unpacked(path), answered, NAME))


def score_documents(texts: Sequence[str], judge: TextJudge) -> list[Record]:
    """Ask the model of every document and read its points.

    Batch:
        All documents together, sorted by length.
    """
    answers = judge.model.answers([judge.question(text) for text in texts])
    records: list[Record] = []
    for answer in answers:
        record: Record = {**dict.fromkeys(RESULT_TYPE.fieldNames()), "answer": answer.text}
        found = judge.rubric.scale.read(answer.text) if answer.text is not None else answer.failure
        if isinstance(found, int):
            record |= {"points": found, "score": judge.rubric.score(found)}
        records.append(record if isinstance(found, int) else record | {"failure": found})
    return records


def _make(settings: TextJudgeSettings, files: ScorerFiles) -> Scorer:
    from udfs.scorers.scorer import Scorer

    load = _JudgeLoader(settings, read_rubric(files.local("rubric")))
    return Scorer(NAME, files.shipped("artifact"), RESULT_TYPE, score_documents, None, load)


def _check(settings: TextJudgeSettings, limits: object, files: KnownFiles) -> None:
    rubric = read_known(f"{NAME}.rubric", files.get("rubric"), read_rubric, RubricError)
    check_model(
        NAME,
        files,
        reads_images=False,
        needs_template=rubric is not None and rubric.system is not None,
        max_tokens=1 if rubric is None else rubric.max_tokens,
    )


TEXT_JUDGE = ScorerDeclaration(
    name=NAME,
    settings=TextJudgeSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    score="score",
    curves=(ScoreCurve(NAME, "score", "low_quality", "min_quality"),),
    wants_gpu=lambda settings: settings.device == "auto",
)
