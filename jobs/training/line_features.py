"""The features that fastText sees in token lines, as sparse rows. No I/O, no Spark.

Source: fastText v0.9.2, dictionary.cc (Dictionary::getLine, addWordNgrams).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.training.linear import Columns, Numbers, SparseRows
from udfs.compiled import compiled
from udfs.token_hashes import ABSENT, Hashes, Keys, Rows, find_row, hash_bytes, table_of
from udfs.tokens import Tokens

_NGRAM_FACTOR = 116049371
_END_OF_LINE = b"</s>"


@dataclass(frozen=True)
class FeatureSpace:
    """Which tokens and n-grams a model knows, and the column of each."""

    words: tuple[str, ...]
    """Tokens with a column of their own, the first columns."""
    word_ngrams: int
    """Tokens of the longest n-gram, 1 at least."""
    bucket: int
    """Columns behind the words' that n-grams are hashed to."""

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.words) + (self.bucket if self.word_ngrams > 1 else 0)

    def rows(self, tokens: Tokens, spans: Numbers | None = None) -> SparseRows:
        """The features of texts, or of parts of them, each with the value 1 once an occurrence.

        Args:
            tokens: Of some texts.
            spans: First token of each part and the one behind its last, shape (parts, 2); None for
                the whole texts.
        Returns:
            One row a text or part. n-grams reach to the end of the line, which fastText takes for a
            token; a row times 1 / its number of values is what fastText averages.
        """
        if spans is None:
            spans = np.stack([tokens.bounds[:-1], tokens.bounds[1:]], axis=1)
        _, keys = hash_bytes([word.encode() for word in self.words])
        end_hash, end_key = hash_bytes([_END_OF_LINE])
        word_keys, word_rows = table_of(keys, np.arange(len(keys), dtype=np.int32))
        bounds, columns = _columns(
            tokens.hashes, tokens.keys, spans, word_keys, word_rows, self.word_ngrams,
            np.uint64(self.bucket or 1), len(self.words), end_hash[0], end_key[0],
        )  # fmt: skip
        return SparseRows(bounds, columns, np.ones(len(columns), dtype=np.float32), self.width)


def frequent_words(lines: Sequence[str], least: int) -> tuple[str, ...]:
    """Tokens that occur in so many lines at least, the commonest first, level ones by letters."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in set(line.split()):
            counts[word] = counts.get(word, 0) + 1
    kept = [word for word, count in counts.items() if count >= least]
    return tuple(sorted(kept, key=lambda word: (-counts[word], word)))


@compiled
def _columns(
    hashes: Hashes,
    keys: Keys,
    spans: Numbers,
    word_keys: Keys,
    word_rows: Rows,
    orders: int,
    bucket: np.uint64,
    first_ngram: int,
    end_hash: np.uint32,
    end_key: np.uint64,
) -> tuple[Numbers, Columns]:
    most = 0
    for span in range(len(spans)):
        most += (spans[span, 1] - spans[span, 0] + 1) * orders
    columns = np.empty(most, dtype=np.int32)
    bounds = np.zeros(len(spans) + 1, dtype=np.int64)
    count = 0
    for span in range(len(spans)):
        first, last = spans[span]
        for token in range(first, last + 1):  # the line's end is the last one
            key = end_key if token == last else keys[token]
            row = find_row(word_keys, word_rows, key)
            if row != ABSENT:
                columns[count] = row
                count += 1
            if token == last:
                break
            mixed = _signed(hashes[token])
            for order in range(1, min(orders, last + 1 - token)):
                at = token + order
                short = end_hash if at == last else hashes[at]
                mixed = mixed * np.uint64(_NGRAM_FACTOR) + _signed(short)
                columns[count] = first_ngram + np.int64(mixed % bucket)
                count += 1
        bounds[span + 1] = count
    return bounds, columns[:count].copy()


@compiled
def _signed(short: np.uint32) -> np.uint64:
    """A hash as fastText keeps it, a number with a sign, widened to 64 bits."""
    wide = np.uint64(short)
    if wide >> np.uint64(31):
        return wide | np.uint64(0xFFFFFFFF00000000)
    return wide
