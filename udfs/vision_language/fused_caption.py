"""Captions fused of a text and a synthetic caption by a language model (VeCLIP).

A text of the web knows names that no image shows, a synthetic caption says what is there. A
language model puts both into one sentence. The prompt is ours.

Source: VeCLIP (arXiv 2310.07699), which mixes texts and fused captions in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql.types import StringType, StructField

from udfs.base.settings import ConfigError, PositiveCount
from udfs.pair_scorers.declaration import TEXT, Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import KnownFiles
from udfs.vision_language.captioner import CAPTION
from udfs.vision_language.captioner import NAME as CAPTIONER
from udfs.vision_language.model_settings import GenerativeSettings, check_model

if TYPE_CHECKING:
    from udfs.pair_scorers.scorer import Loaded
    from udfs.scorers.scorer import Record
    from udfs.vision_language.model import GenerativeModel

NAME = "fused_caption"
FUSED = "caption_fused"
TEXT_MARK, CAPTION_MARK = "{text}", "{caption}"


@dataclass(frozen=True)
class FusedCaptionSettings(GenerativeSettings):
    """Captions that a language model makes of a text and the caption of its image, table
    ``pair_scores/fused_caption``; needs scorer ``captioner``."""

    prompt: str = (
        "把下面两句话合成一句描述图片的话：保留第一句中的名称和事件，补充第二句中的画面内容，"
        "不要添加两句都没有的信息，只写这一句话。\n第一句：{text}\n第二句：{caption}"
    )
    """What the model is asked; the text and the caption take the places of ``{text}`` and
    ``{caption}``."""
    max_tokens: PositiveCount = 96
    """Most tokens of a caption; a longer one is cut."""

    def __post_init__(self) -> None:
        for mark in (TEXT_MARK, CAPTION_MARK):
            if self.prompt.count(mark) != 1:
                raise ConfigError(f"{NAME}.prompt = {self.prompt!r}: expected one {mark}")


RESULT_TYPE = result_type(StructField(FUSED, StringType()))

Loadable = tuple[FusedCaptionSettings, "GenerativeModel"]


def question_of(prompt: str, text: str, caption: str) -> str:
    """The prompt with a text and a caption in it, whatever marks they have themselves.

    >>> question_of("{text}/{caption}", "{caption}", "b")
    '{caption}/b'
    """
    before, _, after = prompt.partition(TEXT_MARK)
    parts = (part.replace(CAPTION_MARK, caption, 1) for part in (before, after))
    return text.join(parts)


def score_pairs(pairs: Pairs, model: Loadable) -> list[Record]:
    """Fuse the text and the caption of every pair; a failure is ``too_long`` or
    ``empty_answer``."""
    from udfs.vision_language.questions import Query

    settings, generator = model
    asked = [
        Query(question_of(settings.prompt, text or "", record[CAPTION]))
        for text, record in zip(pairs.texts, pairs.others[CAPTIONER], strict=True)
    ]
    return [
        failed(RESULT_TYPE, answer.failure)
        if answer.failure is not None
        else {FUSED: answer.text, "failure": None}
        for answer in generator.answers(asked)
    ]


def load(files: Loaded, settings: FusedCaptionSettings) -> Loadable:
    """The model of a packed folder."""
    from udfs.pair_scorers.model_folders import unpacked
    from udfs.vision_language.model import GenerativeModel

    answered = settings.answered(settings.max_tokens, False, (None, None))
    return settings, GenerativeModel(unpacked(files["artifact"]), answered, NAME)


def _make(settings: FusedCaptionSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    own = (("artifact", files.shipped("artifact")),)
    return PairScorer(NAME, RESULT_TYPE, load, score_pairs, own, settings)


def _check(settings: FusedCaptionSettings, limits: object, files: KnownFiles) -> None:
    check_model(
        NAME, files, reads_images=False, needs_template=False, max_tokens=settings.max_tokens
    )


FUSED_CAPTION = PairScorerDeclaration(
    name=NAME,
    settings=FusedCaptionSettings,
    result_type=RESULT_TYPE,
    make=_make,
    reads=(TEXT,),
    needs=lambda settings: (CAPTIONER,),
    check=_check,
    wants_gpu=lambda settings: settings.device == "auto",
)
