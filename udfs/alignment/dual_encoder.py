"""Models of the CLIP family with transformers: vectors of images and texts in one space."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoConfig, AutoTokenizer

from udfs.alignment.image_processor import ARCHITECTURES, folder_processor
from udfs.base.array_types import Float32Array
from udfs.encoder.batches import token_batches
from udfs.encoder.model import fastest_dtype

if TYPE_CHECKING:
    from PIL import Image

    from udfs.encoder.encoder_file import Dtype

IMAGES = {"cpu": 8, "cuda": 256}
"""Images of a batch."""
TOKENS = {"cpu": 1024, "cuda": 65536}
"""Tokens of a batch, padding included."""
_WASTE = 0.2
"""Largest share of padding in a batch of texts, which are short."""


class DualEncoder:
    """A model of the CLIP family on a device, with its tokenizer and image processor.

    Vectors have a length of one, so that their product is the cosine.
    """

    def __init__(self, folder: Path, device: str, dtype: Dtype, batch_images: int | None) -> None:
        """Load an unpacked folder; weights are safetensors alone, and no code of it runs."""
        import transformers

        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        [architecture] = [name for name in config.architectures if name in ARCHITECTURES]
        self.device = torch.device(device)
        kind = fastest_dtype(self.device) if dtype == "auto" else getattr(torch, dtype)
        model = getattr(transformers, architecture).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        # On a CPU products of matrices alone are of half precision, and sums over layers stay
        # float32: as fast, with less than half of the difference. On a GPU casts would cost more.
        is_mixed = self.device.type == "cpu" and kind != torch.float32
        self.dtype = torch.float32 if is_mixed else kind
        self.model = model.to(self.device, self.dtype).eval()
        self.half = kind if is_mixed else None
        self.pads_to_end = architecture == "SiglipModel"
        """Whether every text is padded to the context length: SigLIP reads the last place."""
        self.context = int(config.text_config.max_position_embeddings)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.pad_id = int(self.tokenizer.pad_token_id or 0)
        self.processor = folder_processor(folder)
        self.batch_images = batch_images or IMAGES[self.device.type]
        print(
            f"alignment: {architecture}, {kind} on {device}, {torch.get_num_threads()} threads",
            file=sys.stderr,
        )

    def prepare(self, image: Image.Image) -> Float32Array:
        """What the model takes of an image, shape (3, height, width)."""
        return self.processor.pixels(image)

    def image_vectors(self, images: Sequence[Float32Array]) -> Float32Array:
        """Vectors of prepared images, shape (images, size)."""
        with torch.inference_mode(), self._products():
            pixels = torch.from_numpy(np.stack(images)).to(self.device, self.dtype)
            return _unit(self.model.get_image_features(pixel_values=pixels))

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]:
        """Vectors of texts, shape (texts, size), and the tokens of each before it is cut.

        A text over the context length is cut at it, its last special token kept.
        """
        encoded = [self.tokenizer(text)["input_ids"] for text in texts]
        tokens = [len(ids) for ids in encoded]
        kept = [ids if len(ids) <= self.context else self._cut(ids) for ids in encoded]
        lengths = np.fromiter(map(len, kept), np.int64, len(kept))
        pad_to = self.context if self.pads_to_end else None
        found: list[tuple[Any, Float32Array]] = []
        for chosen in token_batches(lengths, TOKENS[self.device.type], pad_to, _WASTE):
            found.append((chosen, self._texts([kept[number] for number in chosen], pad_to)))
        vectors = np.empty((len(texts), found[0][1].shape[1] if found else 0), np.float32)
        for chosen, of_batch in found:
            vectors[chosen] = of_batch
        return vectors, tokens

    def _texts(self, batch: Sequence[Sequence[int]], pad_to: int | None) -> Float32Array:
        width = pad_to or max(map(len, batch))
        ids = np.full((len(batch), width), self.pad_id, np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for number, text in enumerate(batch):
            ids[number, : len(text)] = text
            mask[number, : len(text)] = 1
        given = {"input_ids": torch.from_numpy(ids).to(self.device)}
        if not self.pads_to_end:
            given["attention_mask"] = torch.from_numpy(mask).to(self.device)
        with torch.inference_mode(), self._products():
            return _unit(self.model.get_text_features(**given))

    def _products(self) -> torch.autocast:
        return torch.autocast("cpu", dtype=self.half, enabled=self.half is not None)

    def _cut(self, ids: Sequence[int]) -> list[int]:
        return [*ids[: self.context - 1], ids[-1]]


def _unit(features: Any) -> Float32Array:
    """Features of a model as float32 of length one; transformers 5 gives them inside an output."""
    tensor = features if isinstance(features, torch.Tensor) else features.pooler_output
    unit = torch.nn.functional.normalize(tensor.float(), dim=-1)
    found: Float32Array = unit.cpu().numpy()
    return found
