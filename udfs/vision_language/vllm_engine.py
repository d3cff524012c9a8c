"""A generative model run by vLLM, where that is installed: the same questions, the same answers
within rounding. vLLM forms its own batches."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from udfs.vision_language.inputs import load_inputs, takes_pixel_limits
from udfs.vision_language.pictures import Undecodable
from udfs.vision_language.questions import (
    EMPTY_ANSWER,
    TOO_LONG,
    UNDECODABLE,
    UNPROCESSABLE,
    Answer,
    AnswerSettings,
    Query,
)

_QUEUE = 256
"""Questions whose images are held decoded."""


def is_installed() -> bool:
    """Whether vLLM can be imported."""
    return find_spec("vllm") is not None


class VllmGenerator:
    """A model with its processor, on the GPU that vLLM takes.

    An answer follows from its question within rounding: vLLM computes in batches of its own, and
    two tokens of nearly equal probability may change places.
    """

    def __init__(self, folder: Path, settings: AnswerSettings) -> None:
        """Load a folder that transformers saved.

        Raises:
            ModuleNotFoundError: vLLM is not installed.
            ValueError: vLLM refuses the folder.
        """
        from vllm import LLM, SamplingParams

        self.settings = settings
        self.inputs = load_inputs(folder, settings)
        options: dict[str, Any] = {}
        if settings.reads_images:
            options["limit_mm_per_prompt"] = {"image": 1}
            limits = {"min_pixels": settings.min_pixels, "max_pixels": settings.max_pixels}
            given = {key: value for key, value in limits.items() if value is not None}
            if given and takes_pixel_limits(self.inputs.processor.image_processor):
                options["mm_processor_kwargs"] = given
        self.model = LLM(
            model=str(folder), dtype=settings.dtype, seed=0, trust_remote_code=False, **options
        )
        self._sampling = SamplingParams(temperature=0.0, max_tokens=settings.max_tokens)

    def answers(self, questions: Sequence[Query]) -> list[Answer]:
        """Return the answer to each question, in their order."""
        found: list[Answer | None] = [None] * len(questions)
        for start in range(0, len(questions), _QUEUE):
            asked = {}
            for n, question in enumerate(questions[start : start + _QUEUE], start):
                try:
                    asked[n] = self._input(question)
                except Undecodable:
                    found[n] = Answer(None, UNDECODABLE)
            answers = self._answers(list(asked.values())) if asked else []
            for n, answer in zip(asked, answers, strict=True):
                found[n] = answer
        return [answer for answer in found if answer is not None]

    def _input(self, question: Query) -> dict[str, Any]:
        found: dict[str, Any] = {"prompt": self.inputs.prompt(question)}
        if question.image is not None:
            pixels = question.image.decoded(self.settings.max_pixels)
            found["multi_modal_data"] = {"image": Image.fromarray(pixels)}
        return found

    def _answers(self, asked: Sequence[dict[str, Any]]) -> list[Answer]:
        try:
            outputs = self.model.generate(list(asked), self._sampling, use_tqdm=False)
        except ValueError as error:
            # Of one question in the batch: its prompt is too long, or its image was refused.
            if len(asked) > 1:
                return [answer for one in asked for answer in self._answers([one])]
            return [Answer(None, TOO_LONG if "long" in str(error) else UNPROCESSABLE)]
        if len(outputs) != len(asked):
            raise RuntimeError(f"vLLM gave {len(outputs):,} answers to {len(asked):,} questions")
        texts = [output.outputs[0].text.strip() for output in outputs]
        return [Answer(text) if text else Answer(None, EMPTY_ANSWER) for text in texts]
