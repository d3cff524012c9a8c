"""Grams of texts: their different characters, and each with its neighbour.

Models of short texts and of kinds of harm know texts by them. They are given as token lines, for
training, and as the same tokens without a string made of any.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from udfs.base.array_types import Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.jit import compiled
from udfs.tokens.token_hashes import with_characters
from udfs.tokens.tokenizer import TokenizerSettings, token_lines, tokenize_texts
from udfs.tokens.tokens import Numbers, Places, Tokens, drop_repeated, tokens_of_lines

_CHARACTERS = TokenizerSettings("characters", 1, None, None, folding=True)
"""How the characters of grams are read."""


def gram_lines(texts: Sequence[str]) -> list[str]:
    """Return the different grams of each text, separated by blanks: its characters in lower case,
    runs of a to z and of digits whole, and behind them each with its neighbour. Disguised writing
    is folded first (udfs/folding).

    >>> gram_lines(["加V信88"])
    ['加 微 信 88 加微 微信 信88']
    """
    lines = []
    for line in token_lines(texts, [_CHARACTERS])[0]:
        signs = line.split()
        pairs = (first + second for first, second in pairwise(signs))
        lines.append(" ".join(dict.fromkeys([*signs, *pairs])))
    return lines


def gram_tokens(texts: Sequence[str]) -> Tokens:
    """The grams of `gram_lines` as tokens, of which no string is made unless a model needs it."""
    (signs,) = tokenize_texts(texts, [_CHARACTERS])
    places = signs.places
    hashes, keys, bounds = _with_pairs(
        signs.hashes, signs.keys, signs.bounds, places.codes, places.begins, places.lengths
    )
    is_repeated = np.zeros(len(keys), dtype=np.bool_)
    drop_repeated(keys, bounds, is_repeated)
    kept = ~is_repeated
    counts = np.concatenate([[0], np.cumsum(kept)])

    def places_of(wanted: Numbers) -> Places:
        return tokens_of_lines(gram_lines(texts)).places_of(wanted)

    return Tokens(places_of, hashes[kept], keys[kept], counts[bounds])


@compiled
def _with_pairs(
    hashes: UInt32Array,
    keys: UInt64Array,
    bounds: Int64Array,
    codes: UInt32Array,
    begins: Int64Array,
    lengths: Int32Array,
) -> tuple[UInt32Array, UInt64Array, Int64Array]:
    """Hashes, keys and bounds of the characters of each text, and behind them of pairs."""
    of_hashes = np.empty(2 * len(keys), dtype=np.uint32)
    of_keys = np.empty(2 * len(keys), dtype=np.uint64)
    of_bounds = np.zeros(len(bounds), dtype=np.int64)
    count = 0
    for text in range(len(bounds) - 1):
        first, last = bounds[text], bounds[text + 1]
        for sign in range(first, last):
            of_hashes[count], of_keys[count] = hashes[sign], keys[sign]
            count += 1
        for sign in range(first + 1, last):
            of_hashes[count], of_keys[count] = with_characters(
                hashes[sign - 1], keys[sign - 1], codes, begins[sign], lengths[sign]
            )
            count += 1
        of_bounds[text + 1] = count
    return of_hashes[:count], of_keys[:count], of_bounds
