"""The bundled model of alignment: labels of an image classifier against a text encoder.

An image is the mean of the vectors of the class names that it may show, a text the vector of its
own; both have the mean of all class names subtracted. So both are vectors of one space, which no
pair was needed for: a picture of what ImageNet has no name for says little.

Source: the idea is CC3M's (labels of classifiers against the words of a text); the measure is ours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModel

from udfs.alignment.efficientnet import CLASSES, SIDE, EfficientNetLite0, read_weights
from udfs.alignment.image_processor import ImageProcessor
from udfs.base.array_types import Float32Array
from udfs.encoder.batches import token_batches
from udfs.encoder.e5_file import kept_pieces, read_e5, tokenizer_of
from udfs.encoder.model import fastest_dtype, mean_of_tokens

if TYPE_CHECKING:
    from PIL import Image

    from udfs.encoder.encoder_file import Dtype

PREFIX = "query: "
"""What e5 expects before a text that is compared with others of its kind."""
TEMPERATURE = 2.0
"""Of the probabilities of labels: their square roots, normalised. A photograph shows several
things, of which a classifier names one with too much certainty."""
_SHORTEST = 256
_PAD = 1
IMAGES = {"cpu": 1, "cuda": 256}
"""Images of a batch: a core computes them faster one by one, as their activations fit its cache."""
TOKENS = {"cpu": 1024, "cuda": 65536}
_WASTE = 0.2


class LabelsError(ValueError):
    """A file of labels has another number of them."""


def read_labels(path: Path) -> list[str]:
    """Read the names of the classes, one a line, in ImageNet's order. Raises LabelsError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    labels = [line.strip() for line in lines if line.strip()]
    if len(labels) != CLASSES:
        raise LabelsError(f"{path}: has {len(labels):,} labels: expected {CLASSES:,}")
    return labels


class LabelEncoder:
    """The classifier and the text encoder on a device."""

    def __init__(
        self,
        files: dict[str, Path],
        device: str,
        dtype: Dtype,
        batch_images: int | None,
    ) -> None:
        self.device = torch.device(device)
        self.dtype = fastest_dtype(self.device) if dtype == "auto" else getattr(torch, dtype)
        self.network = EfficientNetLite0(read_weights(files["image_artifact"])).to(self.device)
        whole = read_e5(files["text_artifact"], keep=kept_pieces)
        self.tokenizer = tokenizer_of(
            [(piece, float(score)) for piece, score in zip(whole.pieces, whole.scores, strict=True)]
        )
        self.context = int(whole.sizes["max_position_embeddings"])
        config = AutoConfig.for_model(
            "bert",
            **whole.sizes,
            vocab_size=len(whole.pieces),
            layer_norm_eps=whole.epsilon,
            pad_token_id=_PAD,
        )
        self.model = AutoModel.from_config(config, add_pooling_layer=False).float().eval()
        weights = {name: torch.from_numpy(np.array(w)) for name, w in whole.weights.items()}
        self.model.load_state_dict(weights)
        self.model.to(self.device, self.dtype)
        self.batch_images = batch_images or IMAGES[self.device.type]
        self.processor = ImageProcessor(
            _SHORTEST, None, (SIDE, SIDE), 3, 1.0, (127.0,) * 3, (128.0,) * 3
        )
        named, _ = self._encoded(read_labels(files["labels"]))
        self._middle = named.mean(axis=0)
        self._labels = _unit(named - self._middle)
        print(
            f"alignment: bundled labels, {self.dtype} on {device}, {torch.get_num_threads()} "
            "threads",
            file=sys.stderr,
        )

    def prepare(self, image: Image.Image) -> Float32Array:
        """What the classifier takes of an image, shape (3, 224, 224)."""
        return self.processor.pixels(image)

    def image_vectors(self, images: Sequence[Float32Array]) -> Float32Array:
        """Vectors of prepared images, shape (images, size), of length one."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack(images)).to(self.device)
            shares = torch.softmax(self.network(pixels) / TEMPERATURE, dim=1).cpu().numpy()
        return _unit(shares @ self._labels)

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]:
        """As that of `udfs.alignment.dual_encoder.DualEncoder`."""
        vectors, tokens = self._encoded(texts)
        return _unit(vectors - self._middle), tokens

    def _encoded(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]:
        """Means of the hidden states of texts, (texts, size), and the tokens of each."""
        encoded = [of.ids for of in self.tokenizer.encode_batch([PREFIX + t for t in texts])]
        tokens = [len(ids) for ids in encoded]
        kept = [
            ids if len(ids) <= self.context else [*ids[: self.context - 1], ids[-1]]
            for ids in encoded
        ]
        lengths = np.fromiter(map(len, kept), np.int64, len(kept))
        vectors = np.empty((len(texts), self.model.config.hidden_size), np.float32)
        for chosen in token_batches(lengths, TOKENS[self.device.type], None, _WASTE):
            vectors[chosen] = self._batch([kept[number] for number in chosen])
        return vectors, tokens

    def _batch(self, batch: Sequence[Sequence[int]]) -> Any:
        width = max(map(len, batch))
        ids = np.full((len(batch), width), _PAD, np.int64)
        mask = np.zeros((len(batch), width), np.bool_)
        for number, text in enumerate(batch):
            ids[number, : len(text)] = text
            mask[number, : len(text)] = True
        there = torch.from_numpy(mask).to(self.device)
        with torch.inference_mode():
            given = torch.from_numpy(ids).to(self.device)
            found = self.model(input_ids=given, attention_mask=there.long()).last_hidden_state
            return mean_of_tokens(found.float(), there).cpu().numpy()


def _unit(vectors: Float32Array) -> Float32Array:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Float32Array = (vectors / np.maximum(length, 1e-12)).astype(np.float32)
    return found
