"""Means of the hidden states of segments behind a frozen encoder, cached across folds and runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from jobs.training.encoder.network import FrozenLayers
from jobs.training.encoder.start import Start, start_of
from udfs.encoder.batches import Segment
from udfs.encoder.inputs import InputMaker

Means = npt.NDArray[np.float16]

_KEPT_EVERY = 2_000
"""Segments after which the cache file is rewritten."""


class SegmentMeans:
    """Computes and caches the mean of the hidden states of each segment's tokens."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.inputs = InputMaker(start.header)
        self._frozen = FrozenLayers(start, int(start.header.config["num_hidden_layers"]), "cpu")
        self._means: dict[bytes, Means] = {}
        self._file: Path | None = None

    def keep_in(self, folder: Path) -> None:
        """Load the means that a folder has for this encoder, and write new ones there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"means-{digest_of_start(self.start)[:16]}.safetensors"
        if self._file.exists():
            kept = load_file(self._file)
            self._means |= {
                key.tobytes(): means for key, means in zip(kept["keys"], kept["means"], strict=True)
            }

    def of(self, segments: Sequence[Segment]) -> Means:
        """Return the means, (segments, size), float16.

        A segment without a cached mean is computed alone, not in a batch.
        """
        keys = [hashlib.sha256(np.array(segment, "<i4").tobytes()).digest() for segment in segments]
        is_new = False
        for number, (key, segment) in enumerate(zip(keys, segments, strict=True)):
            if key not in self._means:
                (means,) = self._frozen.features([segment])
                self._means[key] = means.cpu().numpy().astype(np.float16)
                is_new = True
            if is_new and number % _KEPT_EVERY == _KEPT_EVERY - 1:
                self._save()
                is_new = False
        if is_new:
            self._save()
        size = int(self.start.header.config["hidden_size"])
        found: Means = np.array([self._means[key] for key in keys], np.float16)
        return found.reshape(len(keys), size)

    def _save(self) -> None:
        if self._file is None:
            return
        keys = np.array([list(key) for key in self._means], np.uint8)
        new = self._file.with_suffix(".new")
        save_file({"keys": keys, "means": np.stack(list(self._means.values()))}, new)
        os.replace(new, self._file)


@lru_cache(maxsize=1)
def segment_means(start: str, layers: tuple[int, ...], max_tokens: int) -> SegmentMeans:
    """Return the means of a recipe's encoder; all folds share one cache."""
    return SegmentMeans(start_of(start, layers, max_tokens))


def digest_of_start(start: Start) -> str:
    """Compute the digest of an encoder's weights and tokenizer."""
    digest = hashlib.sha256(start.header.tokenizer.encode())
    for name in sorted(start.weights):
        digest.update(name.encode())
        digest.update(start.weights[name].numpy().tobytes())
    return digest.hexdigest()
