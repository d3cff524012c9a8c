"""The head that reads a page whole: its words and shape beside the encoder's view of its text.

It sums three parts: a logistic regression on the page's words, title and shape tokens, which is the
fastText model; a kernel over measures of its shape; and a kernel over the mean of all its tokens'
hidden states. The kernels compare the page with the training pages. A segment's score is that of a
page with the segment's tokens and the words and shape of its page. NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.scorers.quality import bundled_tokenizer
from udfs.tokens.segment import MAX_CHARS
from udfs.tokens.shape_measures import shape_measures
from udfs.tokens.tokenizer import tokenize_texts
from udfs.tokens.tokens import Tokens

Floats = npt.NDArray[np.float64]

PREFIX = "page."
"""Prefix of the names of its tensors in an encoder's file."""


@dataclass(frozen=True)
class PageHead:
    """The arrays of the file; pages are the training pages."""

    word_keys: npt.NDArray[np.int64]
    """Keys of tokens (`udfs.tokens.token_hashes`, as signed), ascending, shape (tokens,)."""
    word_weights: npt.NDArray[np.float32]
    """Weight of each token in the mean that is a line's logit; the last one is the logit of a line
    without known tokens, shape (tokens + 1,)."""
    shape_steps: npt.NDArray[np.float32]
    """The measures of the pages, each ascending, shape (measures, pages)."""
    shapes: npt.NDArray[np.float32]
    """Ranks of the pages' measures among those (`places_among`), shape (pages, measures)."""
    center: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    """Mean and standard deviation of the pages' means, shape (size,)."""
    means: npt.NDArray[np.float16]
    """The pages' means, standardised by center and spread, shape (pages, size)."""
    widths: npt.NDArray[np.float32]
    """Widths of the kernels over shapes and over means, shape (2,)."""
    alphas: npt.NDArray[np.float32]
    """Weight of each page in both kernels, shape (pages,)."""
    joint: npt.NDArray[np.float32]
    """Weight of the words' logit, weight of the kernels' sum, and the constant, shape (3,)."""

    def whole(self, texts: Sequence[str]) -> Floats:
        """The part of the logit that needs no encoder, shape (texts,)."""
        heads = [readable(text) for text in texts]
        words = self.word_logits(tokenize_texts(heads, [bundled_tokenizer()])[0])
        near = kernel(self.shape_places(heads), self.shapes, float(self.widths[0]))
        of_words, of_kernels, constant = self.joint.tolist()
        logits: Floats = of_words * words + of_kernels * (near @ self.alphas) + constant
        return logits

    def logits(self, whole: Floats, means: npt.NDArray[np.floating[Any]]) -> Floats:
        """The logit of pages or of segments of them, shape (rows,).

        Args:
            whole: Result of `whole` for each row's page, shape (rows,).
            means: Mean of the tokens' hidden states, shape (rows, size).
        """
        own = (means - self.center) / self.spread
        near = kernel(own, self.means, float(self.widths[1]))
        found: Floats = whole + float(self.joint[1]) * (near @ self.alphas)
        return found

    def word_logits(self, tokens: Tokens) -> Floats:
        """The fastText model's logit of each text, without its calibration, shape (texts,)."""
        keys = tokens.keys.view(np.int64)
        places = np.searchsorted(self.word_keys, keys)
        places[places == len(self.word_keys)] = 0
        is_known = self.word_keys[places] == keys
        weights = np.where(is_known, self.word_weights[:-1][places], 0.0)
        # A text may have no tokens, so sums are differences of cumulative sums.
        sums = np.concatenate([[0.0], np.cumsum(weights)])[tokens.bounds]
        counts = np.concatenate([[0], np.cumsum(is_known)])[tokens.bounds]
        sums, counts = np.diff(sums), np.diff(counts)
        found: Floats = np.where(
            counts > 0, sums / np.maximum(counts, 1), float(self.word_weights[-1])
        )
        return found

    def shape_places(self, texts: Sequence[str]) -> Floats:
        """The ranks of texts' measures among the pages', shape (texts, measures)."""
        return places_among(self.shape_steps, shape_measures(texts))


def readable(text: str) -> str:
    """The part of a text that the fastText model reads, without lone surrogates."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode()


def places_among(steps: npt.NDArray[np.float32], measures: Floats) -> Floats:
    """Shares of ascending steps (measures, pages) below each value (texts, measures), equal ones
    counting half, scaled to a mean of about 0 and a standard deviation of about 1."""
    count = steps.shape[1]
    values = measures.astype(np.float32)
    places = np.empty(measures.shape)
    for column, own in enumerate(steps):
        below = np.searchsorted(own, values[:, column], side="left")
        up_to = np.searchsorted(own, values[:, column], side="right")
        places[:, column] = (below + up_to) / (2 * count) - 0.5
    found: Floats = places * np.sqrt(12)
    return found


def kernel(rows: npt.NDArray[np.floating], pages: npt.NDArray[np.floating], width: float) -> Floats:
    """Similarity of rows (rows, size) to pages (pages, size): from 1 for equal ones down to 0.

    Source:
        The Gaussian kernel; the width is in standard deviations of a column.
    """
    one, other = rows.astype(np.float64), pages.astype(np.float64)
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    near: Floats = np.exp(np.maximum(squares, 0.0) / (-2 * width**2 * one.shape[1]))
    return near


def read_page_head(path: Path) -> PageHead:
    """The head in an encoder's file.

    Raises:
        SafetensorError: the file has no head of this kind.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return PageHead(**{f.name: file.get_tensor(PREFIX + f.name) for f in fields(PageHead)})


def page_tensors(head: PageHead) -> dict[str, npt.NDArray[np.generic]]:
    """Name in the file -> array of a head."""
    return {PREFIX + f.name: getattr(head, f.name) for f in fields(head)}
