"""Running an encoder over segments of any lengths: batches with little padding, memory or none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

MAX_WASTE = 0.05
"""Largest share of padding in a batch."""
BUDGET = {"cpu": 2048, "cuda": 65536}
"""Tokens of a batch: on a CPU what its cache holds is fastest, on a GPU what keeps it busy."""

Numbers = npt.NDArray[np.int64]
Segment = Sequence[int]
"""Token numbers, special tokens included."""


class Scores(Protocol):
    """What runs a padded batch: `udfs.encoder.model.Encoder`."""

    device: torch.device
    pad_id: int

    def scores(self, ids: Numbers, lengths: Numbers) -> torch.Tensor: ...


def token_batches(lengths: Numbers, budget: int, pad_to: int | None = None) -> Iterator[Numbers]:
    """Numbers of the segments of each batch, longest ones first.

    A batch has at most ``budget`` tokens with its padding, or is a single segment; at most
    `MAX_WASTE` of them are padding.

    Args:
        pad_to: Length of every row, whatever is wasted; None for that of the longest one.
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
            stop = start + int(np.count_nonzero(filled >= (1.0 - MAX_WASTE) * width * counts))
        yield order[start:stop]
        start = stop


class BatchRunner:
    """Scores segments, and remembers how many tokens the device can hold."""

    def __init__(self, encoder: Scores, budget: int | None = None, pad_to: int | None = None):
        """A budget of None is that of the kind of device; ``pad_to`` as in `token_batches`."""
        self.encoder = encoder
        self.budget = budget or BUDGET[encoder.device.type]
        self.pad_to = pad_to
        self.tokens = 0
        """Tokens of segments that were scored so far."""
        self.padded_tokens = 0
        """The same with the padding of their batches."""

    def scores(self, segments: Sequence[Segment]) -> npt.NDArray[np.float32]:
        """What the encoder says of each segment, in their order: a score, or a row of numbers.

        Where the device is out of memory, the budget is half of what it failed on from then on.

        Raises:
            torch.OutOfMemoryError: not even a single segment fits.
        """
        lengths = np.fromiter(map(len, segments), np.int64, len(segments))
        found: list[tuple[Numbers, Any]] = []
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
        shape = found[0][1].shape[1:] if found else ()
        result = np.zeros((len(segments), *shape), np.float32)
        for chosen, scores in found:
            result[chosen] = scores.cpu().numpy()  # the first one waits for the device
        return result

    def _score_batch(self, segments: Sequence[Segment], lengths: Numbers, chosen: Numbers) -> Any:
        """Scores on the device; None where it was out of memory, and the budget is now less."""
        width = int(self.pad_to or lengths[chosen].max())
        ids = np.full((len(chosen), width), self.encoder.pad_id, np.int64)
        for row, number in zip(ids, chosen, strict=True):
            row[: lengths[number]] = segments[number]
        try:
            scores = self.encoder.scores(ids, lengths[chosen])
        except torch.OutOfMemoryError:
            if len(chosen) == 1:
                raise
            scores = None  # what the failed call holds is free once this block is left
        if scores is None:
            self._halve(ids.size)
            return None
        self.tokens += int(lengths[chosen].sum())
        self.padded_tokens += ids.size
        return scores

    def _halve(self, tokens: int) -> None:
        """Make do with half of what did not fit."""
        self.budget = tokens // 2
        torch.cuda.empty_cache()  # does nothing where there is no GPU
        print(
            f"{self.encoder.device} is out of memory with {tokens:,} tokens: from now on batches "
            f"have {self.budget:,}",
            file=sys.stderr,
        )
