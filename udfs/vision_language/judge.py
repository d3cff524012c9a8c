"""Judgements of image-text pairs by a vision-language model that says how good a pair is.

An answer belongs to its pair by its place in the batch, from the question to the record, and a pair
without a readable answer keeps its row, with the reason.

Source:
    Trust the Model: Compact VLMs as In-Context Judges for Image-Text Data Quality; prompt, scale,
    pixels and length of an answer are the published ones (Qwen2-VL-2B, tuned by its authors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pyspark.sql.types import IntegerType, StringType, StructField

from udfs.base.settings import Bounds, ConfigError, PositiveCount
from udfs.pair_scorers.declaration import PairScorerDeclaration
from udfs.pair_scorers.scorer import Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles
from udfs.vision_language.answers import Scale
from udfs.vision_language.model_settings import GenerativeSettings, check_model
from udfs.vision_language.questions import TEXT, Query, filled

if TYPE_CHECKING:
    from udfs.pair_scorers.scorer import Loaded
    from udfs.scorers.scorer import Record
    from udfs.vision_language.model import GenerativeModel
    from udfs.vision_language.questions import Answer

NAME = "judge"
SCORE, ANSWER = "judge_score", "judge_text"

LEAST, MOST = 1, 10
"""The published scale. The lowest that holds counts: 1 an unsafe image, 2 a text that states what
the image does not show, 3 a blurry image or a generic text, 4 a text that omits the main thing, 5
noise; pairs of 9 and 10 are kept."""

Points = Annotated[int, Bounds(least=0)]


@dataclass(frozen=True)
class JudgeSettings(GenerativeSettings):
    """Judgements of pairs by a vision-language model, table ``pair_scores/judge``.

    The defaults are those of Trust the Model, for a Qwen2-VL that was tuned to this prompt; a model
    that was not gets a prompt that states scale and form of the answer.
    """

    system: str | None = "You are helpful AI assistant"
    """Message of the system; off for none."""
    prompt: str = f"Analyze and assess the quality of following image-caption pair:\n{TEXT}"
    """What is asked of each pair, with ``{text}`` where its text goes; the image is before it."""
    answer: str = r"score:\s*\{(\d+)\}"
    """Regular expression with one group, the score in the answer; its first match counts. An answer
    without one is ``unreadable_answer``."""
    min_score: Points = LEAST
    """The lowest score that counts; others are ``score_out_of_scale``."""
    max_score: Points = MOST
    """The highest one."""
    max_tokens: PositiveCount = 512
    """Most tokens of an answer; a longer one is cut."""
    min_pixels: PositiveCount | None = 256 * 28 * 28
    """Least pixels that an image is scaled to, for a processor that takes such a limit
    (Qwen2-VL's); off: its own."""
    max_pixels: PositiveCount | None = 1280 * 28 * 28
    """Most pixels, likewise; larger images are reduced when they are decoded, for all models."""


@dataclass(frozen=True)
class JudgeLimits:
    """Keys of [select_pairs] that look at judgements."""

    min_judge_score: Points | None = None
    """Least score of scorer ``judge`` (reason ``low_judge_score``); Trust the Model keeps 9 of 10
    or more."""


RESULT_TYPE = result_type(
    StructField(SCORE, IntegerType()),
    # What the model wrote; null without an answer, but not for an unreadable one.
    StructField(ANSWER, StringType()),
)


def score_pairs(pairs: Pairs, model: tuple[JudgeSettings, GenerativeModel]) -> list[Record]:
    """Ask the model of every pair and read its scores."""
    from udfs.vision_language.pictures import Picture

    settings, judge = model
    scale = scale_of(settings)
    questions = [
        Query(filled(settings.prompt, text or ""), Picture(body or b""), settings.system)
        for text, body in zip(pairs.texts, pairs.bodies, strict=True)
    ]
    return [record_of(answer, scale) for answer in judge.answers(questions)]


def record_of(answer: Answer, scale: Scale) -> Record:
    """The record of a pair whose question got this answer."""
    if answer.text is None:
        return failed(RESULT_TYPE, str(answer.failure))
    found = scale.read(answer.text)
    if isinstance(found, str):
        return failed(RESULT_TYPE, found, judge_text=answer.text)
    return {SCORE: found, ANSWER: answer.text, "failure": None}


def scale_of(settings: JudgeSettings) -> Scale:
    """The scale and how its scores are found."""
    return Scale(settings.answer, settings.min_score, settings.max_score)


def load(files: Loaded, settings: JudgeSettings) -> tuple[JudgeSettings, GenerativeModel]:
    """The model of a packed folder."""
    from udfs.pair_scorers.model_folders import unpacked
    from udfs.vision_language.model import GenerativeModel

    pixels = (settings.min_pixels, settings.max_pixels)
    answered = settings.answered(settings.max_tokens, True, pixels)
    return settings, GenerativeModel(unpacked(files["artifact"]), answered, NAME)


def _make(settings: JudgeSettings, files: ScorerFiles, fitted: Any) -> PairScorer:
    own = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, load, score_pairs, own, settings)


def _check(settings: JudgeSettings, limits: JudgeLimits, files: KnownFiles) -> None:
    if TEXT not in settings.prompt:
        raise ConfigError(f"{NAME}.prompt = {settings.prompt!r}: expected {TEXT} in it")
    scale_of(settings).check(f"{NAME}.answer")
    least = limits.min_judge_score
    if least is not None and least > settings.max_score:
        raise ConfigError(
            f"select_pairs.min_judge_score = {least}: no pair has more than {NAME}.max_score = "
            f"{settings.max_score}"
        )
    low, high = settings.min_pixels, settings.max_pixels
    if low is not None and high is not None and low > high:
        raise ConfigError(f"{NAME}.min_pixels = {low}: expected at most max_pixels, {high}")
    check_model(
        NAME,
        files,
        reads_images=True,
        needs_template=True,
        max_tokens=settings.max_tokens,
    )


JUDGE = PairScorerDeclaration(
    name=NAME,
    settings=JudgeSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    limits=JudgeLimits,
    rejections=(
        Rejection(
            "low_judge_score", "min_judge_score", lambda scores, least: scores[SCORE] < least
        ),
    ),
    wants_gpu=lambda settings: settings.device == "auto",
)
