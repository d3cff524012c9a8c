"""Token lines as sparse rows over the words that a fastText model knows.

Source: fastText v0.9.2, dictionary.cc (Dictionary::getLine).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.training.common.linear import SparseRows
from udfs.base.array_types import Int32Array, Int64Array, UInt64Array
from udfs.base.hash_table import ABSENT, find_value, hash_map
from udfs.base.jit import compiled
from udfs.tokens.token_hashes import hash_bytes
from udfs.tokens.tokens import END_OF_LINE, Tokens


@dataclass(frozen=True)
class WordSpace:
    """The tokens that a model knows, a column each.

    The last column is the end of the line, which fastText adds to every line as a token.
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[str], least: int) -> WordSpace:
        """Return the space of tokens in at least `least` lines, by falling count, then by token."""
        counts: dict[str, int] = {}
        for line in lines:
            for word in set(line.split()):
                counts[word] = counts.get(word, 0) + 1
        kept = [word for word, count in counts.items() if count >= least]
        return cls((*sorted(kept, key=lambda word: (-counts[word], word)), END_OF_LINE))

    def rows(self, tokens: Tokens, spans: Int64Array | None = None) -> SparseRows:
        """Return the known tokens of texts, or of parts of them, each occurrence with value 1.

        Args:
            tokens: Tokens of texts.
            spans: First token of each part and the one after its last, shape (parts, 2); None for
                whole texts.
        Returns:
            One row a text or part; fastText averages over the row's values.
        """
        if spans is None:
            spans = np.stack([tokens.bounds[:-1], tokens.bounds[1:]], axis=1)
        _, keys = hash_bytes([word.encode() for word in self.words])
        table = hash_map(keys, np.arange(len(keys), dtype=np.int32))
        bounds, columns = _columns(tokens.keys, spans, *table, len(self.words) - 1)
        values = np.ones(len(columns), dtype=np.float32)
        return SparseRows(bounds, columns, values, len(self.words))


@compiled
def _columns(
    keys: UInt64Array,
    spans: Int64Array,
    word_keys: UInt64Array,
    word_rows: Int32Array,
    end_row: int,
) -> tuple[Int64Array, Int32Array]:
    most = 0
    for span in range(len(spans)):
        most += spans[span, 1] - spans[span, 0] + 1
    columns = np.empty(most, dtype=np.int32)
    bounds = np.zeros(len(spans) + 1, dtype=np.int64)
    count = 0
    for span in range(len(spans)):
        for token in range(spans[span, 0], spans[span, 1]):
            row = find_value(word_keys, word_rows, keys[token])
            if row != ABSENT:
                columns[count] = row
                count += 1
        columns[count] = end_row
        count += 1
        bounds[span + 1] = count
    return bounds, columns[:count].copy()
