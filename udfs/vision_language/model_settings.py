"""Settings of scorers that ask a generative model, and the checks of its file before Spark starts.

The file holds a folder that transformers saved, as ``python -m jobs.pairs.import_model`` packs it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from udfs.base.settings import ConfigError, Model, PositiveCount
from udfs.encoder.encoder_file import Dtype
from udfs.encoder.quality_bert import Device
from udfs.scorers.declaration import KnownFiles
from udfs.vision_language.questions import AnswerSettings, Engine

_TEMPLATES = ("chat_template.jinja", "chat_template.json")
_TEMPLATE_KEYS = ("tokenizer_config.json", "processor_config.json")
_VISION_LANGUAGE = (
    "ForConditionalGeneration",
    "ForVision2Seq",
    "ForVisionText2Text",
    "ForImageTextToText",
    "VisionEncoderDecoderModel",
    "ForCausalLM",
)
_CAUSAL = ("ForCausalLM", "LMHeadModel")


@dataclass(frozen=True)
class GenerativeSettings:
    """Settings of a scorer that asks a generative model; answers are greedy.

    It runs on CPUs where no GPU is declared to Spark (conf/spark-gpu.conf).
    """

    artifact: Model | None = None
    """Artifact name of a model, or a path to its file, as ``python -m jobs.pairs.import_model``
    makes one of a folder of transformers. There is none by default, and none runs without."""
    device: Device = "auto"
    """``auto``: the GPU that Spark gives a task, else the CPU; ``cuda``: that GPU, else the
    machine's first, for a run on one machine."""
    dtype: Dtype = "auto"
    """The model's number type; ``auto``: the fastest of the device. With ``float32`` an answer
    never depends on the other rows; in half precision it may, where two tokens are about equally
    probable: ``batch_tokens = 1`` excludes that."""
    engine: Engine = "auto"
    """``vllm``, ``transformers``, or ``auto``: vLLM where it is installed and a GPU is used, else
    transformers. Answers differ by rounding."""
    batch_tokens: PositiveCount | None = None
    """Tokens of a batch, answers included; off: 4,096 on a CPU, 65,536 on a GPU, halved when it is
    out of memory. vLLM forms batches itself."""

    def answered(
        self, max_tokens: int, reads_images: bool, pixels: tuple[int | None, int | None]
    ) -> AnswerSettings:
        """How the model answers.

        Args:
            pixels: Least and most of an image; None for the processor's own limits.
        """
        return AnswerSettings(
            max_tokens=max_tokens,
            reads_images=reads_images,
            min_pixels=pixels[0],
            max_pixels=pixels[1],
            device=self.device,
            dtype=self.dtype,
            engine=self.engine,
            batch_tokens=self.batch_tokens,
        )


def check_model(
    scorer: str, files: KnownFiles, *, reads_images: bool, needs_template: bool, max_tokens: int
) -> None:
    """Check that a scorer's file holds a model that answers such questions; nothing is loaded.

    Args:
        needs_template: Whether its tokenizer or processor must have a chat template.
    Raises:
        ConfigError: no model is named; another architecture; no weights as safetensors, tokenizer,
            image processor or chat template; a context without room for an answer.
    """
    key = f"{scorer}.artifact"
    if "artifact" not in files:
        raise ConfigError(
            f"{key} is off: expected a model, as python -m jobs.pairs.import_model makes its file"
        )
    path = files["artifact"].path
    if path is None:  # it is not on this machine yet
        return
    # They import pyarrow, which the configuration does without.
    from udfs.pair_scorers.model_folders import ModelFolderError, packed_config, read_json

    where = f"{key} = {str(path)!r}"
    try:
        config = packed_config(path, images=reads_images)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            stated = [read_json(archive, name) for name in _TEMPLATE_KEYS if name in names]
    except (ModelFolderError, ValueError, OSError) as error:
        raise ConfigError(f"{key}: {error}") from error
    _check_architecture(where, config, reads_images)
    has_template = any(of.get("chat_template") for of in stated) or set(names) & set(_TEMPLATES)
    if needs_template and not has_template:
        raise ConfigError(f"{where}: has no chat template: expected a model that was tuned to chat")
    context = _context(config)
    if context is not None and context <= max_tokens:
        raise ConfigError(
            f"{where}: reads at most {context:,} tokens, and an answer may have {max_tokens:,}: "
            "expected fewer of an answer"
        )


def _check_architecture(where: str, config: Mapping[str, Any], reads_images: bool) -> None:
    """Check that a configuration is of a model that writes."""
    architectures = [str(name) for name in config.get("architectures") or []]
    sees = any("vision" in str(key) for key in config) or "encoder" in config
    wanted = _VISION_LANGUAGE if reads_images else _CAUSAL
    fits = any(name.endswith(wanted) for name in architectures)
    if not fits or (reads_images and not sees) or (not reads_images and "vision_config" in config):
        kind = "a vision-language model" if reads_images else "a causal language model"
        raise ConfigError(
            f"{where}: architectures = {architectures}, model_type = "
            f"{config.get('model_type')!r}: expected {kind}"
        )


def _context(config: Mapping[str, Any]) -> int | None:
    """The most tokens that a model reads and writes; None where its configuration does not say."""
    parts = (config, config.get("text_config"), config.get("decoder"), config.get("llm_config"))
    for part in parts:
        if isinstance(part, dict):
            for key in ("max_position_embeddings", "n_positions"):
                if isinstance(part.get(key), int):
                    return int(part[key])
    return None
