"""Documents with near duplicates whose Jaccard similarity is known, as Parquet files.

    python -m tests.bench.dedup_corpus --data DIR --documents 50000 OUTPUT_FOLDER

Part of them are the texts of DIR, among which there are real near duplicates; the others are
made: single documents, pairs, clusters and chains, whose copies resemble their original by 0.5 to
1.0, evenly. Texts are normalised already, so that every program sees the same shingles of 5
characters. With ``--truth`` all pairs of Jaccard similarity 0.8 or more are written too, found by
an exact search over all documents. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tests.builders.near_duplicates import Pairs, exact_pairs
from tests.udfs.dedup.plain_normalise import normalise_text

LEAST_SIMILARITY = 0.8
SHINGLE_CHARS = 5
SOURCES = (
    "domain/train.jsonl.gz",
    "domain/web_pages.jsonl.gz",
    "quality/hplt_web_read.jsonl.gz",
    "quality/hplt_web_labelled.jsonl.gz",
    "quality/cwt1_clean_dirty.jsonl.gz",
    "quality/cwt1_cleared1_unlabelled.jsonl.gz",
)
FILES = 8

_REAL_SHARE = 0.35  # at most, of all documents
_CHARS = (300, 2100)
_FIRST_HAN, _ALPHABET = 0x4E00, 3000
_FRESH_HAN, _FRESH_ALPHABET = 0x9000, 0x500  # of edits: never in an original
_ROW_GROUP = 2_000
_SEED = 11

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Corpus:
    """Where a corpus lies."""

    folder: Path

    @property
    def documents(self) -> Path:
        """Folder of Parquet files: doc_id, text."""
        return self.folder / "documents"

    @property
    def facts(self) -> dict[str, int]:
        """Counts: documents, real, chars, and how many documents each kind of family has."""
        loaded: dict[str, int] = json.loads((self.folder / "facts.json").read_text("utf-8"))
        return loaded

    def doc_ids(self) -> list[str]:
        """All ids, in the order that ``truth`` counts in."""
        table = pq.read_table(self.documents, columns=["doc_id"])
        return table.column("doc_id").to_pylist()  # type: ignore[no-any-return]

    def truth(self) -> Pairs:
        """Every pair of similarity 0.8 or more."""
        with np.load(self.folder / "truth.npz") as arrays:
            return Pairs(arrays["left"], arrays["right"], arrays["similarity"])


def real_texts(data: Path, most: int) -> list[str]:
    """Normalised texts of the data folder that have a shingle, at most `most`."""
    found: list[str] = []
    for name in SOURCES:
        with gzip.open(data / name, "rt", encoding="utf-8") as lines:
            found += (normalise_text(json.loads(line)["text"] or "") for line in lines)
    found = [text for text in found if len(text) >= SHINGLE_CHARS]
    # Near duplicates stand close to one another in their sources: a stretch, not a sample.
    return found[:most]


class Families:
    """Made documents, a family at a time."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)

    def original(self) -> Codes:
        """A document of some 1,200 characters; common ones are as frequent as in real text."""
        chars = int(self._dice.integers(*_CHARS))
        return self._han(chars)

    def _han(self, chars: int) -> Codes:
        spread = self._dice.random(chars) ** 2
        return (_FIRST_HAN + (_ALPHABET * spread)).astype(np.uint32)

    def copy(self, text: Codes, similarity: float) -> Codes:
        """A copy of about the similarity: characters or a paragraph replaced, or one added.

        Replacing spoils n (1 - s) / (1 + s) of n shingles on each side; adding n (1 - s) / s to
        one side comes to the same.
        """
        shingles = len(text) - SHINGLE_CHARS + 1
        spoiled = shingles * (1 - similarity) / (1 + similarity)
        kind = self._dice.integers(3)
        if kind == 0:
            return self._scattered(text, round(spoiled / SHINGLE_CHARS))
        if kind == 1:
            return self._paragraph(text, round(spoiled) - SHINGLE_CHARS + 1)
        added = self._han(round(shingles * (1 - similarity) / similarity))
        at = 0 if self._dice.integers(2) else len(text)
        return np.concatenate((text[:at], added, text[at:]))

    def _scattered(self, text: Codes, places: int) -> Codes:
        """Single characters replaced, far enough apart that each changes other shingles."""
        changed = text.copy()
        at = self._dice.permutation(len(text) // SHINGLE_CHARS)[:places] * SHINGLE_CHARS + 2
        changed[at] = _FRESH_HAN + self._dice.integers(_FRESH_ALPHABET, size=len(at))
        return changed

    def _paragraph(self, text: Codes, chars: int) -> Codes:
        changed = text.copy()
        if chars > 0:
            at = int(self._dice.integers(len(text) - chars + 1))
            changed[at : at + chars] = self._han(chars)
        return changed

    def single(self) -> list[Codes]:
        return [self.original()]

    def pair(self) -> list[Codes]:
        original = self.original()
        return [original, self.copy(original, self._dice.uniform(0.5, 1.0))]

    def cluster(self) -> list[Codes]:
        original = self.original()
        copies = int(self._dice.integers(2, 12))
        return [
            original,
            *(self.copy(original, self._dice.uniform(0.5, 1.0)) for _ in range(copies)),
        ]

    def chain(self) -> list[Codes]:
        """Each resembles the one before; the ends hardly resemble each other."""
        links = [self.original()]
        for _ in range(9):
            links.append(self._scattered(links[-1], max(len(links[-1]) // 100, 1)))
        return links

    def of_share(self, documents: int) -> Iterator[tuple[str, list[Codes]]]:
        """Families of all kinds until there are enough documents."""
        kinds = {
            "single": (self.single, 0.50),
            "pair": (self.pair, 0.30),
            "cluster": (self.cluster, 0.15),
            "chain": (self.chain, 0.05),
        }
        made = dict.fromkeys(kinds, 0)
        while (total := sum(made.values())) < documents:
            # The kind that is furthest behind its share.
            name = min(kinds, key=lambda kind: made[kind] - kinds[kind][1] * total)
            family = kinds[name][0]()[: documents - total]
            made[name] += len(family)
            yield name, family


def build(data: Path | None, documents: int, folder: Path, seed: int = _SEED) -> Corpus:
    """Write a corpus unless it is there."""
    corpus = Corpus(folder)
    if (folder / "facts.json").exists():
        return corpus
    real = [] if data is None else real_texts(data, int(documents * _REAL_SHARE))
    facts = {"documents": documents, "real": len(real), "chars": sum(map(len, real))}
    texts = list(real)
    for kind, family in Families(seed).of_share(documents - len(real)):
        facts[kind] = facts.get(kind, 0) + len(family)
        for codes in family:
            texts.append(codes.astype("<u4").tobytes().decode("utf-32-le"))
            facts["chars"] += len(codes)
    order = np.random.default_rng(seed + 1).permutation(len(texts))
    corpus.documents.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(np.array_split(order, FILES)):
        rows = {
            "doc_id": [doc_id_of(seed, index) for index in part.tolist()],
            "text": [texts[index] for index in part.tolist()],
        }
        path = corpus.documents / f"part-{number:05d}.parquet"
        pq.write_table(pa.table(rows), path, compression="zstd", row_group_size=_ROW_GROUP)
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    return corpus


def doc_id_of(seed: int, index: int) -> str:
    """An id as the pipeline has them: 32 digits that say nothing of the family."""
    return hashlib.blake2b(f"{seed} {index}".encode(), digest_size=16).hexdigest()


def write_truth(corpus: Corpus) -> Pairs:
    """Find and write every pair of the corpus that is similar enough, unless it is there."""
    path = corpus.folder / "truth.npz"
    if not path.exists():
        texts = pq.read_table(corpus.documents, columns=["text"]).column("text").to_pylist()
        pairs = exact_pairs(texts, LEAST_SIMILARITY, SHINGLE_CHARS)
        np.savez(path, left=pairs.left, right=pairs.right, similarity=pairs.similarity)
    return corpus.truth()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--truth", action="store_true", help="also find all similar pairs")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args(argv)
    corpus = build(arguments.data, arguments.documents, arguments.folder, arguments.seed)
    print(json.dumps(corpus.facts))
    if arguments.truth:
        print(f"{len(write_truth(corpus).left):,} pairs of similarity {LEAST_SIMILARITY} or more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
