"""Run an encoder over segments of any lengths, in batches with little padding that fit memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from udfs.base.array_types import Float32Array, Int64Array

MAX_WASTE = 0.05
"""Largest share of padding in a batch."""
BUDGET = {"cpu": 2048, "cuda": 65536}
"""Tokens of a batch: on a CPU as many as its cache holds, on a GPU enough to keep it busy."""

Segment = Sequence[int]
"""Token numbers, special tokens included."""


class Scores(Protocol):
    """An encoder that scores a padded batch: `udfs.encoder.model.Encoder`."""

    device: torch.device
    pad_id: int

    def scores(self, ids: Int64Array, lengths: Int64Array) -> torch.Tensor: ...


def token_batches(
    lengths: Int64Array, budget: int, pad_to: int | None = None, waste: float = MAX_WASTE
) -> Iterator[Int64Array]:
    """Yield the numbers of the segments of each batch, longest ones first.

    A batch has at most ``budget`` tokens with its padding, or is a single segment; at most a share
    ``waste`` of them is padding.

    Args:
        lengths: Tokens of each segment, shape (segments,).
        pad_to: Length of every row, however much padding that takes; None for the longest one's.
    """
    order = np.argsort(-lengths, kind="stable")
    sums = np.concatenate([[0], np.cumsum(lengths[order])])
    start = 0
    while start < len(order):
        width = pad_to or int(lengths[order[start]])
        stop = min(len(order), start + max(1, budget // width))
        if pad_to is None:
            # The share of padding grows with every row that joins: shorter ones come later.
            counts = np.arange(1, stop - start + 1)
            filled = sums[start + 1 : stop + 1] - sums[start]
            stop = start + int(np.count_nonzero(filled >= (1.0 - waste) * width * counts))
        yield order[start:stop]
        start = stop


class BatchRunner:
    """Scores segments in batches that fit the device."""

    def __init__(self, encoder: Scores, budget: int | None = None, pad_to: int | None = None):
        """Take the device's default for a budget of None; ``pad_to`` as in `token_batches`."""
        self.encoder = encoder
        self.budget = budget or BUDGET[encoder.device.type]
        self.pad_to = pad_to
        self.tokens = 0
        """Tokens of the segments scored so far, without padding."""
        self.padded_tokens = 0
        """The same with padding."""

    def scores(self, segments: Sequence[Segment]) -> Float32Array:
        """Return the score of each segment, shape (segments,).

        When the device is out of memory, the budget becomes half of the batch that failed.

        Raises:
            torch.OutOfMemoryError: a single segment does not fit.
        """
        lengths = np.fromiter(map(len, segments), np.int64, len(segments))
        found: list[tuple[Int64Array, Any]] = []
        is_left = np.ones(len(segments), np.bool_)
        while is_left.any():
            left = np.flatnonzero(is_left)
            for batch in token_batches(lengths[left], self.budget, self.pad_to):
                chosen = left[batch]
                scores = self._score_batch(segments, lengths, chosen)
                if scores is None:
                    break
                found.append((chosen, scores))
                is_left[chosen] = False
        result = np.zeros(len(segments), np.float32)
        for chosen, scores in found:
            result[chosen] = scores.cpu().numpy()  # the first one waits for the device
        return result

    def _score_batch(
        self, segments: Sequence[Segment], lengths: Int64Array, chosen: Int64Array
    ) -> Any:
        """Scores on the device; None when it ran out of memory, after lowering the budget."""
        width = int(self.pad_to or lengths[chosen].max())
        ids = np.full((len(chosen), width), self.encoder.pad_id, np.int64)
        for row, number in zip(ids, chosen, strict=True):
            row[: lengths[number]] = segments[number]
        try:
            scores = self.encoder.scores(ids, lengths[chosen])
        except torch.OutOfMemoryError:
            if len(chosen) == 1:
                raise
            scores = None  # memory of the failed call is freed when this block ends
        if scores is None:
            self._halve(ids.size)
            return None
        self.tokens += int(lengths[chosen].sum())
        self.padded_tokens += ids.size
        return scores

    def _halve(self, tokens: int) -> None:
        """Set the budget to half of the tokens that did not fit."""
        self.budget = tokens // 2
        torch.cuda.empty_cache()  # does nothing where there is no GPU
        print(
            f"{self.encoder.device} is out of memory with {tokens:,} tokens: from now on batches "
            f"have {self.budget:,}",
            file=sys.stderr,
        )
