"""Cut texts into jieba's words in compiled code, without a string for each word.

Source: jieba 0.42.1, Tokenizer.cut with its HMM: get_DAG, calc, __cut_DAG; finalseg.cut, viterbi.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float64Array, Int32Array, Int64Array, UInt32Array, UInt64Array
from udfs.base.hash_table import ABSENT
from udfs.base.jit import compiled, uncounted
from udfs.tokens.jieba_data import FIRST_HAN, LAST_HAN, DictionaryTrie, Markov, child_of

_BMP = 0x10000
_B, _M, _E, _S = range(4)


def cut_words(
    codes: UInt32Array, bounds: Int64Array, trie: DictionaryTrie, markov: Markov
) -> tuple[Int32Array, Int64Array]:
    """Cut texts into words.

    Args:
        codes: Code points of texts end to end.
        bounds: Where each text begins, and where the last one ends, shape (texts + 1,).
        trie: The dictionary.
        markov: The model of words that are not in the dictionary.
    Returns:
        The length of each word in code points, shape (words,); and the first word of each text, and
        the number of all words last, shape (texts + 1,).
    """
    return _cut(
        codes, bounds, trie.roots, trie.edges, trie.weights, trie.rare, markov.start,
        markov.moves, markov.emits,
    )  # fmt: skip


@compiled
def _cut(
    codes: UInt32Array,
    bounds: Int64Array,
    roots: Int32Array,
    edges: UInt64Array,
    weights: Float64Array,
    rare: float,
    start: Float64Array,
    moves: Float64Array,
    emits: Float64Array,
) -> tuple[Int32Array, Int64Array]:
    codes, roots, edges = uncounted(codes), uncounted(roots), uncounted(edges)
    weights, emits = uncounted(weights), uncounted(emits)
    words = np.empty(len(codes), dtype=np.int32)
    word_bounds = np.zeros(len(bounds), dtype=np.int64)
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    best = np.zeros(longest + 1, dtype=np.float64)
    ends = np.zeros(longest + 1, dtype=np.int64)
    came_from = np.zeros((longest + 1, 4), dtype=np.uint8)
    count = 0
    for text in range(len(bounds) - 1):
        at, stop = bounds[text], bounds[text + 1]
        while at < stop:
            if not _in_block(codes[at]):
                is_break = codes[at] == 0x0D and at + 1 < stop and codes[at + 1] == 0x0A
                words[count] = 2 if is_break else 1
                at += words[count]
                count += 1
                continue
            end = at + 1
            while end < stop and _in_block(codes[end]):
                end += 1
            _best_route(codes, at, end, best, ends, roots, edges, weights, rare)
            left = at  # first of the single characters that are not yet cut into words
            place = at
            while place <= end:
                length = ends[place - at] - (place - at) if place < end else 0
                if length == 1:
                    place += 1
                    continue
                # Most often it is one character, which takes less time than the call below.
                if place - left == 1:
                    words[count] = 1
                    count += 1
                elif place > left:
                    count = _cut_rest(
                        codes, left, place, words, count, roots, edges, weights, start, moves,
                        emits, came_from,
                    )  # fmt: skip
                if place == end:
                    break
                words[count] = length
                count += 1
                place += length
                left = place
            at = end
        word_bounds[text + 1] = count
    return words[:count].copy(), word_bounds


@compiled
def _in_block(code: np.uint32) -> bool:
    """Whether a character may be part of a word of several characters."""
    if code >= 0x80:
        return bool((code >= FIRST_HAN) & (code <= LAST_HAN))
    return _is_alnum(code) or code in (0x2B, 0x23, 0x26, 0x2E, 0x5F, 0x25, 0x2D)  # +#&._%-


@compiled
def _best_route(
    codes: UInt32Array,
    begin: int,
    end: int,
    best: Float64Array,
    ends: Int64Array,
    roots: Int32Array,
    edges: UInt64Array,
    weights: Float64Array,
    rare: float,
) -> None:
    """Find the end of the word at each place of a block, on the likeliest route to its end."""
    size = end - begin
    best[size] = 0.0
    for place in range(size - 1, -1, -1):
        value = -np.inf
        chosen = place + 1
        code = codes[begin + place]
        node = roots[code] if code < _BMP else ABSENT
        stop = place + 1
        while node != ABSENT:
            # NaN, of a prefix that is no word, is never taken; of equally likely routes the one
            # with the longest word is.
            candidate = weights[node] + best[stop]
            is_taken = candidate >= value
            value = candidate if is_taken else value
            chosen = stop if is_taken else chosen
            if stop == size:
                break
            node = child_of(node, codes[begin + stop], edges)
            stop += 1
        if value == -np.inf:
            value = rare + best[place + 1]
        best[place] = value
        ends[place] = chosen


@compiled
def _cut_rest(
    codes: UInt32Array,
    begin: int,
    end: int,
    words: Int32Array,
    count: int,
    roots: Int32Array,
    edges: UInt64Array,
    weights: Float64Array,
    start: Float64Array,
    moves: Float64Array,
    emits: Float64Array,
    came_from: npt.NDArray[np.uint8],
) -> int:
    """Cut single characters that the dictionary left, by the model; return the number of words."""
    node = roots[codes[begin]] if codes[begin] < _BMP else ABSENT
    for place in range(begin + 1, end):
        if node != ABSENT:
            node = child_of(node, codes[place], edges)
    if node != ABSENT and weights[node] == weights[node]:  # a word, less likely than its characters
        for _ in range(end - begin):
            words[count] = 1
            count += 1
        return count
    at = begin
    while at < end:
        stop = at + 1
        if codes[at] >= 0x80:
            while stop < end and codes[stop] >= 0x80:
                stop += 1
            count = _viterbi(codes, at, stop, words, count, start, moves, emits, came_from)
        else:
            if _is_alnum(codes[at]):
                while stop < end and _is_alnum(codes[stop]):
                    stop += 1
                stop = fraction_end(codes, stop, end)
            else:
                while stop < end and codes[stop] < 0x80 and not _is_alnum(codes[stop]):
                    stop += 1
            words[count] = stop - at
            count += 1
        at = stop
    return count


@compiled
def fraction_end(codes: UInt32Array, stop: int, end: int) -> int:
    """Return the end of a run of letters and digits, with the fraction or ``%`` that jieba joins.

    Args:
        stop: End of the letters and digits, exclusive.
        end: End of the text.
    """
    if stop + 1 < end and codes[stop] == 0x2E and 0x30 <= codes[stop + 1] <= 0x39:
        stop += 2
        while stop < end and 0x30 <= codes[stop] <= 0x39:
            stop += 1
    if stop < end and codes[stop] == 0x25:
        stop += 1
    return stop


@compiled
def _is_alnum(code: np.uint32) -> bool:
    return bool((0x30 <= code <= 0x39) | (0x61 <= (code | 0x20) <= 0x7A))


@compiled
def _viterbi(
    codes: UInt32Array,
    begin: int,
    end: int,
    words: Int32Array,
    count: int,
    start: Float64Array,
    moves: Float64Array,
    emits: Float64Array,
    came_from: npt.NDArray[np.uint8],
) -> int:
    """Cut ideographs by the model; return the number of words.

    Of equally likely states the one whose letter sorts last is taken, as jieba compares them.
    """
    row = codes[begin] - FIRST_HAN
    b, m = start[_B] + emits[row, _B], start[_M] + emits[row, _M]
    e, s = start[_E] + emits[row, _E], start[_S] + emits[row, _S]
    size = end - begin
    for step in range(1, size):
        row = codes[begin + step] - FIRST_HAN
        to_b, from_s = e + moves[_E, _B] + emits[row, _B], s + moves[_S, _B] + emits[row, _B]
        came_from[step, _B] = _E
        if from_s >= to_b:
            to_b = from_s
            came_from[step, _B] = _S
        to_m, from_m = b + moves[_B, _M] + emits[row, _M], m + moves[_M, _M] + emits[row, _M]
        came_from[step, _M] = _B
        if from_m >= to_m:
            to_m = from_m
            came_from[step, _M] = _M
        to_e, from_m = b + moves[_B, _E] + emits[row, _E], m + moves[_M, _E] + emits[row, _E]
        came_from[step, _E] = _B
        if from_m >= to_e:
            to_e = from_m
            came_from[step, _E] = _M
        to_s, from_s = e + moves[_E, _S] + emits[row, _S], s + moves[_S, _S] + emits[row, _S]
        came_from[step, _S] = _E
        if from_s >= to_s:
            to_s = from_s
            came_from[step, _S] = _S
        b, m, e, s = to_b, to_m, to_e, to_s
    state = _S if s >= e else _E
    # Collect the words from the last to the first, then reverse them.
    first = count
    length = 0
    for step in range(size - 1, -1, -1):
        length += 1
        previous = came_from[step, state]
        if state in (_B, _S) or step == 0:
            words[count] = length
            count += 1
            length = 0
        state = previous
    low, high = first, count - 1
    while low < high:
        words[low], words[high] = words[high], words[low]
        low += 1
        high -= 1
    return count
