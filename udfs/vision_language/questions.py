"""What is asked of a generative model, what it answers, and the settings of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from udfs.encoder.encoder_file import Dtype
from udfs.encoder.quality_bert import Device

if TYPE_CHECKING:
    from udfs.vision_language.pictures import Picture

Engine = Literal["auto", "transformers", "vllm"]

UNDECODABLE = "undecodable"
"""Failure of an image that cannot be decoded after all."""
TOO_LONG = "too_long"
"""Failure of a question that leaves no room for an answer in the model's context."""
UNPROCESSABLE = "unprocessable_image"
"""Failure of an image that the model's processor refuses, as one of a very long side."""
EMPTY_ANSWER = "empty_answer"
"""Failure of a question that the model answers with no text."""

TEXT = "{text}"
"""Where a prompt has the text that it asks about."""


@dataclass(frozen=True)
class Query:
    """A turn of a user, and the system's message before it."""

    text: str
    image: Picture | None = None
    """None for a question without an image."""
    system: str | None = None
    """None for no message of the system."""


@dataclass(frozen=True)
class Answer:
    """What the model wrote."""

    text: str | None
    """Without special tokens, surrounding space removed; None where there is a failure."""
    failure: str | None = None


@dataclass(frozen=True)
class AnswerSettings:
    """How a model answers: always greedily, the likeliest token at each step."""

    max_tokens: int
    """Most tokens of an answer; a longer one is cut."""
    reads_images: bool
    """Whether questions have images: a vision-language model, else a causal language model."""
    min_pixels: int | None = None
    """Least pixels that an image is scaled to, by a processor that takes such a limit."""
    max_pixels: int | None = None
    """Most pixels, likewise."""
    device: Device = "auto"
    dtype: Dtype = "auto"
    engine: Engine = "auto"
    batch_tokens: int | None = None
    """Tokens of a batch, answers included; None for the device's default."""


def filled(prompt: str, text: str) -> str:
    """A prompt with a text in it. One replacement: a text may contain ``{text}`` itself."""
    return prompt.replace(TEXT, text, 1)


class SpecialTokens:
    """The special tokens of a tokenizer, which a text must not contain.

    A text of the web that ends its own turn, or opens one of the assistant, would answer itself;
    one with a placeholder of an image would have none.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        longest_first = sorted({t for t in tokens if len(t) > 1}, key=lambda t: (-len(t), t))
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def broken(self, text: str) -> str:
        """The text with a space behind the first character of each special token in it.

        >>> SpecialTokens(["<|im_end|>", "</s>"]).broken("完。<|im_end|></s>")
        '完。< |im_end|>< /s>'
        """
        return self._pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
