"""Documents with planted near duplicates, and the slow truth to hold a fast answer against."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

_FIRST_HAN = 0x4E00


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
