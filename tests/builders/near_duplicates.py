"""Documents with planted near duplicates, and the slow truth to hold a fast answer against."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

_FIRST_HAN = 0x4E00
_KEY_BITS = 63


def random_text(rng: random.Random, chars: int) -> str:
    """Text of common-first characters: its 5-grams are hardly ever seen elsewhere."""
    return "".join(chr(_FIRST_HAN + int(3000 * rng.random() ** 2)) for _ in range(chars))


def edited_text(rng: random.Random, text: str, similarity: float, width: int = 5) -> str:
    """A copy that shares about ``similarity`` (Jaccard) of its shingles with ``text``.

    Single characters are replaced far enough apart that each spoils ``width`` shingles.
    """
    shingles = len(text) - width + 1
    spoiled = shingles * (1 - similarity) / (1 + similarity)
    places = rng.sample(range(len(text) // width), round(spoiled / width))
    characters = list(text)
    for place in places:
        characters[place * width + width // 2] = chr(0x9000 + rng.randrange(0x500))
    return "".join(characters)


def planted_documents(
    seed: int, families: int, singles: int, chars: tuple[int, int] = (300, 2100)
) -> dict[str, str]:
    """doc_id -> text: ``families`` originals with one to three edited copies, and others.

    Copies resemble the original by 0.5 to 1.0, evenly. Ids say nothing about families.
    """
    rng = random.Random(seed)
    texts = [random_text(rng, rng.randint(*chars)) for _ in range(singles)]
    for _ in range(families):
        original = random_text(rng, rng.randint(*chars))
        texts.append(original)
        for _ in range(rng.randint(1, 3)):
            texts.append(edited_text(rng, original, rng.uniform(0.5, 1.0)))
    rng.shuffle(texts)
    return {f"doc-{index:07d}": text for index, text in enumerate(texts)}


def shingles(text: str, width: int = 5) -> frozenset[str]:
    return frozenset(text[start : start + width] for start in range(len(text) - width + 1))


def similar_pairs(
    texts: Mapping[str, str], least: float, width: int = 5
) -> dict[tuple[str, str], float]:
    """Every pair of Jaccard similarity ``least`` or more, by an inverted index; no hashing."""
    sets = {doc_id: shingles(text, width) for doc_id, text in texts.items()}
    holders: dict[str, list[str]] = {}
    shared: dict[tuple[str, str], int] = {}
    for doc_id in sorted(sets):
        for shingle in sets[doc_id]:
            for earlier in holders.setdefault(shingle, []):
                shared[earlier, doc_id] = shared.get((earlier, doc_id), 0) + 1
            holders[shingle].append(doc_id)
    similarities = {
        (a, b): count / (len(sets[a]) + len(sets[b]) - count) for (a, b), count in shared.items()
    }
    return {pair: value for pair, value in similarities.items() if value >= least}


class Pairs(NamedTuple):
    """Pairs of documents by their places in a list, shape (pairs,) each; left < right."""

    left: Numbers
    right: Numbers
    similarity: npt.NDArray[np.float64]


def exact_pairs(texts: Sequence[str], least: float, width: int = 5) -> Pairs:
    """What ``similar_pairs`` finds, for 100,000 documents: exact, without hashing or sampling.

    Of two sets with Jaccard similarity t or more, each has a share t of its shingles in the
    other. So among any n - ceil(t n) + 1 of its n shingles one is shared, and where the rarest
    ones are taken few other documents have it.

    Source:
        Bayardo, Ma, Srikant, Scaling Up All Pairs Similarity Search, WWW 2007 (prefix filter).
    """
    documents, ranks = _shingles_by_rarity(texts, width)
    sizes = np.bincount(documents, minlength=len(texts))
    starts = np.concatenate(([0], np.cumsum(sizes)))
    prefix = sizes - np.ceil(least * sizes - 1e-9).astype(np.int64) + 1
    in_prefix = np.arange(len(documents)) - starts[documents] < prefix[documents]
    by_shingle = np.sort(ranks[in_prefix] * len(texts) + documents[in_prefix])
    keys, holders = np.divmod(by_shingle, max(len(texts), 1))
    left, right = _candidates(holders, keys, len(texts))
    similarity = np.empty(len(left))
    bounds = starts.tolist()
    for number, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        both = np.concatenate(
            (ranks[bounds[one] : bounds[one + 1]], ranks[bounds[other] : bounds[other + 1]])
        )
        both.sort()
        shared = np.count_nonzero(both[1:] == both[:-1])
        similarity[number] = shared / (len(both) - shared)
    similar = similarity >= least
    return Pairs(left[similar], right[similar], similarity[similar])


def _candidates(holders: Numbers, keys: Numbers, documents: int) -> tuple[Numbers, Numbers]:
    """Pairs of holders of one key; keys are sorted, and so are the holders of each."""
    found = [np.empty(0, dtype=np.int64)]
    same = keys[1:] == keys[:-1]
    reach = 1
    while same.any():  # the reach-th neighbour has the same key
        at = np.flatnonzero(same)
        found.append(np.unique(holders[at] * documents + holders[at + reach]))
        reach += 1
        same = same[:-1] & (keys[reach:] == keys[:-reach])
    return np.divmod(np.unique(np.concatenate(found)), max(documents, 1))


def _shingles_by_rarity(texts: Sequence[str], width: int) -> tuple[Numbers, Numbers]:
    """(document, shingle) of all distinct shingles of each document, in this order.

    Shingles are numbered from the rarest to the most frequent.
    """
    raw = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    alphabet, letters = np.unique(raw, return_inverse=True)
    windows = max(len(raw) - width + 1, 0)
    keys = letters[:windows].astype(np.int64)
    bits = letter_bits = max(len(alphabet) - 1, 1).bit_length()
    for position in range(1, width):
        if bits + letter_bits > _KEY_BITS:  # renumbered, keys need fewer bits
            distinct, keys = np.unique(keys, return_inverse=True)
            bits = max(len(distinct) - 1, 1).bit_length()
        keys = (keys << letter_bits) | letters[position : position + windows]
        bits += letter_bits
    owner = np.repeat(np.arange(len(texts)), lengths)
    inside = owner[:windows] == owner[width - 1 :] if windows else np.zeros(0, dtype=bool)
    _, shingle = np.unique(keys[inside], return_inverse=True)
    count = int(shingle.max(initial=0)) + 1
    held = np.unique(owner[:windows][inside] * count + shingle)
    documents, shingle = np.divmod(held, count)
    frequency = np.bincount(shingle, minlength=count)
    rank = np.empty(count, dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(count)
    documents, ranks = np.divmod(np.sort(documents * count + rank[shingle]), count)
    return documents, ranks


def clusters_of(documents: int, left: Sequence[int], right: Sequence[int]) -> Numbers:
    """The smallest document of each one's component, shape (documents,)."""
    parents = list(range(documents))
    for one, other in zip(left, right, strict=True):
        while parents[one] != one:
            parents[one] = one = parents[parents[one]]
        while parents[other] != other:
            parents[other] = other = parents[parents[other]]
        parents[max(one, other)] = min(one, other)
    for document, parent in enumerate(parents):  # a parent is smaller, so its root is known
        parents[document] = parents[parent]
    return np.array(parents, dtype=np.int64)


def union_find(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """node -> smallest node of its component, for the nodes that occur in a pair."""
    parents: dict[str, str] = {}

    def root(node: str) -> str:
        parents.setdefault(node, node)
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for a, b in pairs:
        first, second = sorted((root(a), root(b)))
        parents[second] = first
    return {node: root(node) for node in list(parents)}
