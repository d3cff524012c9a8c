"""Put the tokens of folded texts in the place of those of the texts as they are stored."""

from __future__ import annotations

from functools import cache

import numpy as np

from udfs.base.array_types import Int64Array, UInt32Array, UInt64Array
from udfs.base.jit import compiled
from udfs.folding.fold import FoldedBatch
from udfs.tokens.tokens import Numbers, Places, Tokens


def with_folded(tokens: Tokens, of_folded: Tokens, folded: FoldedBatch) -> Tokens:
    """Tokens of all texts, those of the folded ones in the place of their own.

    Their places are those in the texts before folding; a word that was replaced stands where all of
    its disguise does.

    Args:
        tokens: Of all texts, not folded.
        of_folded: Of the folded texts alone.
    """
    numbers, hashes, keys, bounds = _replaced(
        tokens.hashes, tokens.keys, tokens.bounds,
        of_folded.hashes, of_folded.keys, of_folded.bounds, folded.numbers,
    )  # fmt: skip
    own = len(tokens.keys)

    @cache
    def codes() -> tuple[UInt32Array, int]:
        first, second = (part.places_of(slice(0, 0)).codes for part in (tokens, of_folded))
        return np.concatenate([first, second]), len(first)

    def places_of(wanted: Numbers) -> Places:
        chosen = numbers[wanted]
        is_folded = chosen >= own
        kept = tokens.places_of(chosen[~is_folded])
        changed = _stored_places(of_folded, chosen[is_folded] - own, folded)
        both, size = codes()
        order = np.empty(len(chosen), dtype=np.int64)
        order[~is_folded] = np.arange(len(kept.begins))
        order[is_folded] = len(kept.begins) + np.arange(len(changed.begins))
        return Places(
            both,
            np.concatenate([kept.begins, size + changed.begins])[order],
            np.concatenate([kept.lengths, changed.lengths])[order],
            np.concatenate([kept.starts, changed.starts])[order],
            np.concatenate([kept.stops, changed.stops])[order],
        )

    return Tokens(places_of, hashes, keys, bounds)


def _stored_places(of_folded: Tokens, wanted: Int64Array, folded: FoldedBatch) -> Places:
    """Where tokens of folded texts stand in their texts before folding."""
    places = of_folded.places_of(wanted)
    lengths = folded.texts.encoded.lengths + 1  # each has an entry for its end
    firsts = np.cumsum(lengths) - lengths
    texts = np.searchsorted(of_folded.bounds, wanted, side="right") - 1
    starts = folded.starts[firsts[texts] + places.starts]
    # What stands nowhere begins and ends at its text's end.
    lasts = np.maximum(places.starts, places.stops - 1)
    stops = np.where(
        places.stops > places.starts, folded.stops[firsts[texts] + lasts], starts
    ).astype(np.int32)
    return Places(places.codes, places.begins, places.lengths, starts, stops)


@compiled
def _replaced(
    hashes: UInt32Array,
    keys: UInt64Array,
    bounds: Int64Array,
    folded_hashes: UInt32Array,
    folded_keys: UInt64Array,
    folded_bounds: Int64Array,
    texts: Int64Array,
) -> tuple[Int64Array, UInt32Array, UInt64Array, Int64Array]:
    """The tokens of each text, or of its folded form, whose numbers follow those of all."""
    most = len(keys) + len(folded_keys)
    numbers = np.empty(most, np.int64)
    of_hashes, of_keys = np.empty(most, np.uint32), np.empty(most, np.uint64)
    of_bounds = np.zeros(len(bounds), np.int64)
    count = 0
    following = 0
    for text in range(len(bounds) - 1):
        if following < len(texts) and texts[following] == text:
            for token in range(folded_bounds[following], folded_bounds[following + 1]):
                numbers[count] = len(keys) + token
                of_hashes[count] = folded_hashes[token]
                of_keys[count] = folded_keys[token]
                count += 1
            following += 1
        else:
            for token in range(bounds[text], bounds[text + 1]):
                numbers[count] = token
                of_hashes[count] = hashes[token]
                of_keys[count] = keys[token]
                count += 1
        of_bounds[text + 1] = count
    return numbers[:count], of_hashes[:count], of_keys[:count], of_bounds
