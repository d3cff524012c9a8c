"""Arrays of jieba 0.42.1: its dictionary as a trie, and its hidden Markov model.

The files of the installed package are read without importing it: an import takes longer, and jieba
would write a cache to a folder that every user may write to.

Source: jieba 0.42.1 (MIT): dict.txt, finalseg/prob_start.py, prob_trans.py, prob_emit.py.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import Float64Array, Int32Array
from udfs.base.hash_table import ABSENT, FREE, find_slot, table_size
from udfs.base.jit import compiled

FIRST_HAN, LAST_HAN = 0x4E00, 0x9FD5
"""First and last of the ideographs that jieba joins to words."""

MIN_FLOAT = -3.14e100
"""jieba's logarithm of a probability of 0."""

STATES = "BMES"
"""Begin, middle and end of a word, and a single character."""

_BMP = 0x10000
_NODE_BITS, _CODE_BITS = 24, 16


@dataclass(frozen=True)
class DictionaryTrie:
    """Words and their prefixes; each prefix is a node."""

    roots: Int32Array
    """Code point -> node of the prefix of that one character, or ABSENT, shape (65,536,)."""
    edges: npt.NDArray[np.uint64]
    """Hash table for `child_of`: a power of two of entries. An entry is a node, the next code point
    (16 bits) and the child node (24 bits), or 0 where it is free."""
    weights: Float64Array
    """Log of a word's share of all words, shape (nodes,); NaN for a prefix that is no word."""
    rare: float
    """Log of the share of a word that is counted once."""


@dataclass(frozen=True)
class Markov:
    """The model of words that are not in the dictionary: logarithms, states as in STATES."""

    start: Float64Array
    """In a state at the first ideograph, shape (states,)."""
    moves: Float64Array
    """From a state (row) to a state (column), shape (states, states)."""
    emits: Float64Array
    """Of an ideograph, FIRST_HAN first (row), in a state (column), shape (ideographs, states)."""


@lru_cache(maxsize=1)
def jieba_folder() -> Path:
    """Return the folder of the installed jieba."""
    spec = importlib.util.find_spec("jieba")
    assert spec is not None and spec.origin is not None, (
        "jieba is not installed: expected jieba 0.42.1"
    )
    return Path(spec.origin).parent


@lru_cache(maxsize=1)
def jieba_data() -> tuple[DictionaryTrie, Markov]:
    """Read the dictionary and the model, once a process, in about a second."""
    folder = jieba_folder()
    counts: dict[str, int] = {}
    total = 0
    for line in (folder / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, count = line.split(" ", 2)[:2]
        counts[word] = int(count)
        total += int(count)
    return trie_of(counts, total), _markov(folder / "finalseg")


def trie_of(counts: dict[str, int], total: int) -> DictionaryTrie:
    """Build the trie of words of the Basic Multilingual Plane.

    Args:
        counts: Word -> its occurrences; 0 for a prefix that is no word.
        total: Occurrences of all words, of which shares are taken.
    Raises:
        ValueError: the words have more prefixes than nodes can be numbered.
    """
    words = sorted(counts)
    lengths = np.array([len(word) for word in words])
    places = np.cumsum(lengths) - lengths
    letters = np.frombuffer("".join(words).encode("utf-16-le"), dtype=np.uint16)
    # math.log: numpy's logarithm may differ in the last bit, which would break ties differently.
    log_total = math.log(total)
    known = {count: math.log(count) - log_total for count in set(counts.values()) if count > 0}
    values = np.array([known.get(counts[word], math.nan) for word in words])
    parents = np.zeros(len(words), dtype=np.int64)  # node of each word's prefix so far
    roots = np.full(_BMP, ABSENT, dtype=np.int32)
    edges = [np.zeros(0, dtype=np.uint64)]
    weights = [np.zeros(0)]
    nodes = 0
    alive = np.arange(len(words))
    for depth in range(int(lengths.max(initial=0))):
        alive = alive[lengths[alive] > depth]
        letter, parent = letters[places[alive] + depth], parents[alive]
        # Words are sorted, so those with a common prefix are neighbours.
        is_new = np.ones(len(alive), dtype=np.bool_)
        is_new[1:] = (parent[1:] != parent[:-1]) | (letter[1:] != letter[:-1])
        number = np.cumsum(is_new) - 1
        weight = np.full(int(is_new.sum()), math.nan)
        ends = lengths[alive] == depth + 1
        weight[number[ends]] = values[alive[ends]]
        weights.append(weight)
        new = np.arange(nodes, nodes + len(weight))
        if depth == 0:
            roots[letter[is_new]] = new
        else:
            keys = parent[is_new] << _CODE_BITS | letter[is_new]
            edges.append((keys << _NODE_BITS | new).astype(np.uint64))
        parents[alive] = nodes + number
        nodes += len(weight)
    if nodes >= 1 << _NODE_BITS:
        raise ValueError(
            f"the words have {nodes:,} prefixes: expected fewer than {1 << _NODE_BITS:,}, the "
            "nodes that a trie can have"
        )
    return DictionaryTrie(
        roots,
        _table_of(np.concatenate(edges)),
        np.concatenate(weights),
        math.log(1) - log_total,
    )


@compiled
def _table_of(edges: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    table = np.full(table_size(len(edges)), FREE, dtype=np.uint64)
    for edge in edges:
        table[find_slot(table, edge >> np.uint64(_NODE_BITS), _NODE_BITS)] = edge
    return table


@compiled
def child_of(node: int, code: np.uint32, table: npt.NDArray[np.uint64]) -> np.int64:
    """Return the node of a prefix with one more character; ABSENT where no word begins so."""
    if code >= _BMP:
        return np.int64(ABSENT)
    key = np.uint64(node) << np.uint64(_CODE_BITS) | np.uint64(code)
    edge = table[find_slot(table, key, _NODE_BITS)]
    if edge == FREE:
        return np.int64(ABSENT)
    return np.int64(edge & np.uint64((1 << _NODE_BITS) - 1))


def _markov(folder: Path) -> Markov:
    names = ("start", "trans", "emit")
    start, moves, emits = (_table(folder / f"prob_{name}.py") for name in names)
    emitted = np.full((LAST_HAN - FIRST_HAN + 1, len(STATES)), MIN_FLOAT)
    for column, state in enumerate(STATES):
        for character, value in emits[state].items():
            if FIRST_HAN <= ord(character) <= LAST_HAN:
                emitted[ord(character) - FIRST_HAN, column] = value
    return Markov(
        np.array([start[state] for state in STATES]),
        np.array([[moves[one].get(other, MIN_FLOAT) for other in STATES] for one in STATES]),
        emitted,
    )


def _table(path: Path) -> Any:
    """Load the table ``P`` of a jieba module."""
    spec = importlib.util.spec_from_file_location(f"_taojin_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.P
