"""An encoder's file: weights, configuration, tokenizer and head in one.

It is a safetensors file with everything but the weights in its header, so that one digest covers
the whole model and loading executes no code from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

FORMAT = "taojin-encoder-1"

_HEADER_LIMIT = 100_000_000  # bytes; safetensors refuses a longer one too

Head = Literal["pooled", "mean", "multi-scale", "sequence"]
Activation = Literal["sigmoid", "softmax", "none"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


class EncoderFileError(ValueError):
    """A file is not an encoder of this format; the message names the file."""


@dataclass(frozen=True)
class EncoderSettings:
    """How hidden states become a score."""

    head: Head
    """``pooled``: a regression over the maximum of all tokens and the pooled first one, as in
    BERTEval; ``mean``: over the mean of all tokens and a hidden layer; ``multi-scale``: over the
    maximum and the mean of all tokens and the first one, and a hidden layer; ``sequence``: the head
    of AutoModelForSequenceClassification."""
    activation: Activation
    """Function of the head's outputs: ``none`` for a regression on another scale."""
    output: int
    """Number of the output that is the score."""
    max_tokens: int
    """Tokens of the longest input, special tokens included."""
    width: int = 0
    """Size of the hidden layer of the heads ``mean`` and ``multi-scale``."""


@dataclass(frozen=True)
class EncoderHeader:
    """An encoder without its weights."""

    settings: EncoderSettings
    config: Mapping[str, Any]
    """Configuration of transformers, as its ``to_dict`` gives it."""
    tokenizer: str
    """JSON of the tokenizers library."""

    def metadata(self) -> dict[str, str]:
        """The strings of the file's header."""
        return {
            "format": FORMAT,
            "settings": json.dumps(asdict(self.settings)),
            "config": json.dumps(self.config, ensure_ascii=False),
            "tokenizer": self.tokenizer,
        }


def read_encoder_header(path: Path) -> EncoderHeader:
    """Read the header of a file; needs none of the libraries that run the encoder.

    Raises:
        EncoderFileError: it is not such a file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_HEADER_LIMIT, path.stat().st_size):
            raise EncoderFileError(f"{path}: is not a safetensors file")
        content = file.read(length)
    try:
        metadata = json.loads(content).get("__metadata__", {})
        if metadata.get("format") != FORMAT:
            raise EncoderFileError(
                f"{path}: is not an encoder of format {FORMAT}; make one with "
                "python -m jobs.import_encoder"
            )
        settings = EncoderSettings(**json.loads(metadata["settings"]))
        if settings.head not in get_args(Head):
            raise EncoderFileError(
                f"{path}: head {settings.head!r}: expected one of {', '.join(get_args(Head))}"
            )
        return EncoderHeader(
            settings,
            json.loads(metadata["config"]),
            metadata["tokenizer"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, EncoderFileError):
            raise
        raise EncoderFileError(f"{path}: its header cannot be read: {error!r}") from error
