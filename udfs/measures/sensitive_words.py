"""The measures of sensitive words: how many of a lexicon's words a text has, by category too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Int64Array
from udfs.base.code_points import EncodedTexts
from udfs.lists.lexicon import Lexicon
from udfs.lists.word_counts import WordCounts, count_words
from udfs.measures.schema import COUNT_ARROW_TYPE

MAX_SENSITIVE_WORDS = 50
"""Most matched words that are stored for a text."""


def sensitive_columns(chunks: Sequence[EncodedTexts], lexicon: Lexicon) -> dict[str, Any]:
    """Compute the columns of the measures that begin with sensitive_, as long as all texts."""
    columns = _columns_of(lexicon)
    found, texts_count = _found_in(chunks, lexicon)
    texts = np.arange(texts_count + 1)
    bounds = np.searchsorted(found.texts, texts)
    up_to = np.concatenate(([0], np.cumsum(found.times)))
    # By text and category; categories are sorted, and so are their numbers.
    categories = max(1, len(columns.names))
    pairs, which = np.unique(
        found.texts * categories + columns.categories[found.words], return_inverse=True
    )
    names = columns.names.take(pa.array(pairs % categories))
    by_category = pa.array(np.searchsorted(pairs, texts * categories), pa.int32())
    totals = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(totals, which, found.times)
    is_stored = np.arange(len(found.texts)) - bounds[found.texts] < MAX_SENSITIVE_WORDS
    stored = np.concatenate(([0], np.cumsum(np.minimum(np.diff(bounds), MAX_SENSITIVE_WORDS))))
    return {
        "sensitive_distinct": np.diff(bounds),
        "sensitive_total": np.diff(up_to[bounds]),
        "sensitive_distinct_by_category": _counts(
            by_category, names, np.bincount(which, minlength=len(pairs))
        ),
        "sensitive_total_by_category": _counts(by_category, names, totals),
        "sensitive_words": pa.ListArray.from_arrays(
            pa.array(stored, pa.int32()), columns.words.take(pa.array(found.words[is_stored]))
        ),
    }


def _counts(ends: pa.Array, names: pa.Array, counts: Int64Array) -> pa.ListArray:
    """Make a list of names and counts for each text; ``ends`` are the bounds of the lists."""
    columns = [names, pa.array(counts, pa.int64())]
    pairs = pa.StructArray.from_arrays(columns, fields=list(COUNT_ARROW_TYPE))
    return pa.ListArray.from_arrays(ends, pairs)


def _found_in(chunks: Sequence[EncodedTexts], lexicon: Lexicon) -> tuple[WordCounts, int]:
    """The words in the texts of all chunks, and the number of texts."""
    parts = []
    texts = 0
    for encoded in chunks:
        found = count_words(lexicon, encoded)
        parts.append(found._replace(texts=found.texts + texts))
        texts += len(encoded.lengths)
    return WordCounts(*map(np.concatenate, zip(*parts, strict=True))), texts


class _LexiconColumns(NamedTuple):
    """A lexicon's words as arrays."""

    words: pa.StringArray
    names: pa.StringArray
    """Categories, sorted."""
    categories: Int64Array
    """Index into names of each word."""


@lru_cache(maxsize=4)
def _columns_of(lexicon: Lexicon) -> _LexiconColumns:
    names = sorted(set(lexicon.categories.values()))
    numbers = {name: number for number, name in enumerate(names)}
    categories = [numbers[lexicon.categories[word]] for word in lexicon.words]
    return _LexiconColumns(
        pa.array(lexicon.words, pa.string()),
        pa.array(names, pa.string()),
        np.array(categories, dtype=np.int64),
    )
