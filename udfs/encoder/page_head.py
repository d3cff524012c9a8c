"""The head that sees a page whole: its words and shape beside what an encoder makes of its text.

Three things are said of a page. A logistic regression on its words, title and shape tokens, which
is the fastText student's model; a kernel over the measures of its shape; and a kernel over the mean
of all its tokens' hidden states. The kernels compare the page with the ones that were learnt from.
A score of a segment is that of a page with the segment's tokens, and the words and shape of its own
page. NumPy only.
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
"""What the names of its tensors in an encoder's file begin with."""


@dataclass(frozen=True)
class PageHead:
    """Arrays as the file has them; pages are the ones that were learnt from."""

    word_keys: npt.NDArray[np.int64]
    """Keys of tokens (`udfs.tokens.token_hashes`, as signed), ascending, shape (tokens,)."""
    word_weights: npt.NDArray[np.float32]
    """What each token adds to the mean that is the logit of a line; the last one is the logit of a
    line without any, shape (tokens + 1,)."""
    shape_steps: npt.NDArray[np.float32]
    """The measures of the pages, each ascending, shape (measures, pages)."""
    shapes: npt.NDArray[np.float32]
    """Places of the pages' measures among those, shape (pages, measures)."""
    center: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    """Mean and deviation of the pages' means, shape (size,)."""
    means: npt.NDArray[np.float16]
    """The pages' means, less the center and by the spread, shape (pages, size)."""
    widths: npt.NDArray[np.float32]
    """Of the kernels over shapes and over means, shape (2,)."""
    alphas: npt.NDArray[np.float32]
    """Weight of each page in both kernels, shape (pages,)."""
    joint: npt.NDArray[np.float32]
    """Weight of the words' logit, weight of the kernels' sum, and what is added, shape (3,)."""

    def whole(self, texts: Sequence[str]) -> Floats:
        """What is said of texts but by the encoder, as a logit, shape (texts,)."""
        heads = [readable(text) for text in texts]
        words = self.word_logits(tokenize_texts(heads, [bundled_tokenizer()])[0])
        near = kernel(self.shape_places(heads), self.shapes, float(self.widths[0]))
        of_words, of_kernels, constant = self.joint.tolist()
        logits: Floats = of_words * words + of_kernels * (near @ self.alphas) + constant
        return logits

    def logits(self, whole: Floats, means: npt.NDArray[np.floating[Any]]) -> Floats:
        """The logit of pages of which `whole` is known too, or of segments of them.

        Args:
            whole: That of each row's page, shape (rows,).
            means: Hidden states, the mean over the tokens, shape (rows, size).
        """
        own = (means - self.center) / self.spread
        near = kernel(own, self.means, float(self.widths[1]))
        found: Floats = whole + float(self.joint[1]) * (near @ self.alphas)
        return found

    def word_logits(self, tokens: Tokens) -> Floats:
        """The student's logit of each text, but for its calibration."""
        keys = tokens.keys.view(np.int64)
        places = np.searchsorted(self.word_keys, keys)
        places[places == len(self.word_keys)] = 0
        is_known = self.word_keys[places] == keys
        weights = np.where(is_known, self.word_weights[:-1][places], 0.0)
        # A text may have no tokens, so sums are taken as differences.
        sums = np.concatenate([[0.0], np.cumsum(weights)])[tokens.bounds]
        counts = np.concatenate([[0], np.cumsum(is_known)])[tokens.bounds]
        sums, counts = np.diff(sums), np.diff(counts)
        found: Floats = np.where(
            counts > 0, sums / np.maximum(counts, 1), float(self.word_weights[-1])
        )
        return found

    def shape_places(self, texts: Sequence[str]) -> Floats:
        """Where the measures of texts lie among those of the pages, shape (texts, measures)."""
        return places_among(self.shape_steps, shape_measures(texts))


def readable(text: str) -> str:
    """A text as far as the student reads it, without lone surrogates."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode()


def places_among(steps: npt.NDArray[np.float32], measures: Floats) -> Floats:
    """Shares of ascending steps (measures, pages) that are below each value (texts, measures),
    level ones counting half, as numbers with a mean of about 0 and a deviation of about 1."""
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
    """How near rows (rows, size) are to pages (pages, size): 1 for the same, down to 0.

    Source:
        The Gaussian kernel; the width counts in deviations of a column.
    """
    one, other = rows.astype(np.float64), pages.astype(np.float64)
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    near: Floats = np.exp(np.maximum(squares, 0.0) / (-2 * width**2 * one.shape[1]))
    return near


def read_page_head(path: Path) -> PageHead:
    """The head in an encoder's file.

    Raises:
        SafetensorError: the file has no such head.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return PageHead(**{f.name: file.get_tensor(PREFIX + f.name) for f in fields(PageHead)})


def page_tensors(head: PageHead) -> dict[str, npt.NDArray[np.generic]]:
    """A head's arrays by their names in the file."""
    return {PREFIX + f.name: getattr(head, f.name) for f in fields(head)}
