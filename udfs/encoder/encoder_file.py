"""A scorer's encoder as one file: weights, configuration, tokenizer and head.

Safetensors with all but the weights in its header, so that one digest stands for the whole model
and nothing in it is ever executed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

FORMAT = "taojin-encoder-1"

_HEADER_LIMIT = 100_000_000  # bytes; safetensors refuses a longer one too

Head = Literal["pooled", "mean", "sequence", "page"]
Activation = Literal["sigmoid", "softmax", "none"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class EncoderFileError(ValueError):
    """A file is no encoder of this format; the message names the file."""


@dataclass(frozen=True)
class EncoderSettings:
    """From hidden states to a score."""

    head: Head
    """``pooled``: one regression over the maximum of all tokens and the pooled first one, as
    BERTEval has it; ``mean``: over the mean of all tokens and a hidden layer; ``sequence``: that of
    AutoModelForSequenceClassification; ``page``: `udfs.encoder.page_head`, which sees a page
    whole."""
    activation: Activation
    """What is made of the head's outputs: ``none`` for a regression on a scale of its own."""
    output: int
    """Number of the output that is the score."""
    max_tokens: int
    """Longest input, the special tokens included."""
    width: int = 0
    """Of the hidden layer of ``mean``."""


@dataclass(frozen=True)
class EncoderHeader:
    """All of an encoder but its weights."""

    settings: EncoderSettings
    config: Mapping[str, Any]
    """Of transformers, as ``to_dict`` gives it."""
    tokenizer: str
    """JSON of the tokenizers library."""

    def metadata(self) -> dict[str, str]:
        """The strings that the file's header has."""
        return {
            "format": FORMAT,
            "settings": json.dumps(asdict(self.settings)),
            "config": json.dumps(self.config, ensure_ascii=False),
            "tokenizer": self.tokenizer,
        }


def read_encoder_header(path: Path) -> EncoderHeader:
    """Read a file as far as its settings, which takes none of the libraries that run it.

    Raises:
        EncoderFileError: it is no such file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_HEADER_LIMIT, path.stat().st_size):
            raise EncoderFileError(f"{path}: is no safetensors file")
        content = file.read(length)
    try:
        metadata = json.loads(content).get("__metadata__", {})
        if metadata.get("format") != FORMAT:
            raise EncoderFileError(
                f"{path}: is no encoder of format {FORMAT}; python -m jobs.import_encoder makes one"
            )
        return EncoderHeader(
            EncoderSettings(**json.loads(metadata["settings"])),
            json.loads(metadata["config"]),
            metadata["tokenizer"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, EncoderFileError):
            raise
        raise EncoderFileError(f"{path}: its header cannot be read: {error!r}") from error
