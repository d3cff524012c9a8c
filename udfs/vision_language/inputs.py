"""Questions as inputs of a model: by the chat template, tokenizer and processor of its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from udfs.base.array_types import Int64Array, UInt8Array
from udfs.vision_language.pictures import Picture
from udfs.vision_language.questions import AnswerSettings, Query, SpecialTokens

Asked = tuple[str, UInt8Array | None]
"""A prompt and its image, shape (height, width, 3)."""

_TOKEN_PIXELS = 28 * 28
"""Pixels of an image for each of its tokens, as Qwen2-VL has them: an estimate for other models,
by which batches are formed."""


class ModelInputs:
    """The processor of a model's folder.

    Attributes:
        tokenizer: Of transformers; pads on the left.
        has_prompt: Whether questions have a text for this model.
    """

    has_prompt = True

    def __init__(self, processor: Any, settings: AnswerSettings) -> None:
        self.processor = processor
        self.settings = settings
        self.tokenizer = getattr(processor, "tokenizer", processor)
        self.tokenizer.padding_side = "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self._template = next(
            (of for of in (processor, self.tokenizer) if getattr(of, "chat_template", None)), None
        )
        self.image_token: str | None = getattr(processor, "image_token", None)
        added = [str(t) for t in self.tokenizer.added_tokens_decoder.values() if t.special]
        self._special = SpecialTokens([*self.tokenizer.all_special_tokens, *added])
        self._takes_system = True
        self._takes_system = self._accepts_system()

    def prompt(self, question: Query) -> str:
        """A question as the model reads it, the beginning of its answer included."""
        text = self._special.broken(question.text)
        system = question.system
        if self._template is None:
            joined = text if system is None else f"{system}\n{text}"
            is_missing = question.image is not None and self.image_token is not None
            return f"{self.image_token}\n{joined}" if is_missing else joined
        if system is not None and not self._takes_system:
            system, text = None, f"{system}\n{text}"
        messages = [] if system is None else [self._message("system", system, None)]
        messages.append(self._message("user", text, question.image))
        found: str = self._template.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return found

    def _message(self, role: str, text: str, image: Picture | None) -> dict[str, Any]:
        if not self.settings.reads_images:
            return {"role": role, "content": text}
        parts = [] if image is None else [{"type": "image"}]
        return {"role": role, "content": [*parts, {"type": "text", "text": text}]}

    def _accepts_system(self) -> bool:
        """Whether the template takes a message of the system; some raise an error."""
        from jinja2 import TemplateError

        try:
            self.prompt(Query("一", system="一"))
        except TemplateError:
            return False
        return True

    def lengths(self, prompts: Sequence[str], images: Sequence[Picture | None]) -> Int64Array:
        """Tokens of each question; those of images are estimated from their pixels."""
        ids = self.tokenizer(list(prompts), add_special_tokens=self._template is None)["input_ids"]
        least, most = self.settings.min_pixels or 0, self.settings.max_pixels or 0
        found = np.fromiter(map(len, ids), np.int64, len(ids))
        for number, image in enumerate(images):
            if image is not None and most:
                found[number] += min(max(image.pixels, least), most) // _TOKEN_PIXELS
        return found

    def tensors(self, asked: Sequence[Asked]) -> Any:
        """Inputs of the model for prompts and their images, padded to one length.

        Raises:
            ValueError: the processor refuses an image.
        """
        prompts = [prompt for prompt, _ in asked]
        options = {"padding": True, "return_tensors": "pt"}
        # A template has already added the special tokens.
        if self._template is not None:
            options["add_special_tokens"] = False
        if not self.settings.reads_images:
            found = self.tokenizer(prompts, **options)
            found.pop("token_type_ids", None)
            return found
        return self.processor(images=[image for _, image in asked], text=prompts, **options)

    def widths(self, inputs: Any) -> Int64Array:
        """Tokens of each question, without padding."""
        found: Int64Array = inputs["attention_mask"].sum(dim=1).numpy()
        return found

    def texts(self, written: Any) -> list[str]:
        """The texts of token numbers (rows, steps)."""
        found = self.tokenizer.batch_decode(written, skip_special_tokens=True)
        return [text.strip() for text in found]


class ImageInputs(ModelInputs):
    """Of an encoder of images with a decoder of texts, which reads no question."""

    has_prompt = False

    def __init__(self, tokenizer: Any, image_processor: Any, settings: AnswerSettings) -> None:
        super().__init__(tokenizer, settings)
        self.image_processor = image_processor

    def prompt(self, question: Query) -> str:
        return ""

    def lengths(self, prompts: Sequence[str], images: Sequence[Picture | None]) -> Int64Array:
        return np.ones(len(images), np.int64)

    def tensors(self, asked: Sequence[Asked]) -> Any:
        return self.image_processor([image for _, image in asked], return_tensors="pt")

    def widths(self, inputs: Any) -> Int64Array:
        return np.ones(len(inputs["pixel_values"]), np.int64)


def load_inputs(folder: Path, settings: AnswerSettings) -> ModelInputs:
    """The processor or tokenizer of a folder.

    Raises:
        OSError, ValueError: transformers refuses the folder.
    """
    if not settings.reads_images:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return ModelInputs(tokenizer, settings)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    if config.model_type == "vision-encoder-decoder":
        return ImageInputs(
            transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True),
            transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True),
            settings,
        )
    processor = transformers.AutoProcessor.from_pretrained(folder, local_files_only=True)
    _limit_pixels(processor.image_processor, settings)
    return ModelInputs(processor, settings)


def takes_pixel_limits(image_processor: Any) -> bool:
    """Whether a processor scales images to a number of pixels between two limits."""
    keys = getattr(getattr(image_processor, "valid_kwargs", None), "__annotations__", {})
    return "max_pixels" in keys or hasattr(image_processor, "max_pixels")


def _limit_pixels(image_processor: Any, settings: AnswerSettings) -> None:
    """Set the limits of a processor that takes some."""
    if not takes_pixel_limits(image_processor):
        return
    size = dict(image_processor.size)
    for edge, key in (("shortest_edge", "min_pixels"), ("longest_edge", "max_pixels")):
        value = getattr(settings, key)
        if value is not None:
            size[edge] = value
            if hasattr(image_processor, key):  # before transformers 5
                setattr(image_processor, key, value)
    image_processor.size = size
