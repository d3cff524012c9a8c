"""Captions that a vision-language model writes of images: the synthetic captions of ALIP, VeCLIP
and TIPS.

Source: PAIRS of ALIP (OFA), VeCLIP (LLaVA) and DanQing (GLM-4.1); the prompt is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import StringType, StructField

from udfs.base.settings import PositiveCount
from udfs.pair_scorers.declaration import IMAGE, PairScorerDeclaration
from udfs.pair_scorers.scorer import Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import KnownFiles, ScorerFiles
from udfs.vision_language.model_settings import GenerativeSettings, check_model

if TYPE_CHECKING:
    from udfs.pair_scorers.scorer import Loaded
    from udfs.scorers.scorer import Record
    from udfs.vision_language.model import GenerativeModel

NAME = "captioner"
CAPTION = "caption_syn"


@dataclass(frozen=True)
class CaptionerSettings(GenerativeSettings):
    """Captions by a vision-language model, table ``pair_scores/captioner``.

    It reads images alone: equal images get one caption, whatever their texts.
    """

    prompt: str | None = "用一句话客观地描述这张图片的内容，不要猜测图中没有的东西。"
    """What the model is asked. A model without a chat template continues it, so that it must be in
    the form that it was trained on, or off for one that captions without a prompt, as BLIP."""
    max_tokens: PositiveCount = 64
    """Most tokens of a caption; a longer one is cut."""
    min_pixels: PositiveCount | None = None
    """Least pixels that an image is scaled to, for a processor that takes such a limit
    (Qwen2-VL's); off: its own."""
    max_pixels: PositiveCount | None = 1280 * 28 * 28
    """Most pixels, likewise; larger images are reduced when they are decoded, for all models."""


RESULT_TYPE = result_type(StructField(CAPTION, StringType()))


def score_pairs(pairs: Pairs, model: tuple[CaptionerSettings, GenerativeModel]) -> list[Record]:
    """Caption every image; a failure is ``undecodable``, ``unprocessable_image``, ``too_long`` or
    ``empty_answer``."""
    from udfs.vision_language.pictures import Picture
    from udfs.vision_language.questions import Query

    settings, captioner = model
    questions = [Query(settings.prompt or "", Picture(body or b"")) for body in pairs.bodies]
    return [
        failed(RESULT_TYPE, answer.failure)
        if answer.failure is not None
        else {CAPTION: answer.text, "failure": None}
        for answer in captioner.answers(questions)
    ]


def load(files: Loaded, settings: CaptionerSettings) -> tuple[CaptionerSettings, GenerativeModel]:
    """The model of a packed folder."""
    from udfs.pair_scorers.model_folders import unpacked
    from udfs.vision_language.model import GenerativeModel

    pixels = (settings.min_pixels, settings.max_pixels)
    answered = settings.answered(settings.max_tokens, True, pixels)
    return settings, GenerativeModel(unpacked(files["artifact"]), answered, NAME)


def _make(settings: CaptionerSettings, files: ScorerFiles, fitted: Any) -> PairScorer:
    own = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, load, score_pairs, own, settings)


def _check(settings: CaptionerSettings, limits: object, files: KnownFiles) -> None:
    check_model(
        NAME,
        files,
        reads_images=True,
        needs_template=False,
        max_tokens=settings.max_tokens,
    )


CAPTIONER = PairScorerDeclaration(
    name=NAME,
    settings=CaptionerSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(IMAGE,),
    check=_check,
    wants_gpu=lambda settings: settings.device == "auto",
)
