"""Labelled documents of varieties: eight lines of one source, joined."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from pathlib import Path, PurePath
from typing import Any

from jobs.training.common.examples import Document
from jobs.training.common.task import FIGURES_ONLY, TRAINED, DataFile, Rows
from udfs.scorers.specific_words import SpecificWords, read_specific_words

WORDS = Path(__file__).resolve().parents[3] / "conf/artifacts/variety_words/variety_words.tsv"
LINES = 8
"""Lines of a document."""
PARTS = 5
"""Parts that the documents of a source without a wanted variety are spread over: each is held out
together."""
LEAST = 20
"""Fewest documents of a source, variety and script; smaller groups are left out."""
WANTED = ("aeb_Arab", "aeb_Latn")
FREE, UNSEEN, WEAK = "free", "unseen", "weak"
"""Kinds of documents: of sources with a free licence, of sources that nothing is learnt from, and
of lines whose variety nobody stated."""
SCRIPTS = ("Arab", "Latn")

_NEEDS = ("text", "variety")
_FOLDER = "languages/tunisian"
_FREE = {
    "tsac": "LGPL-3.0",
    "ta_seg": "GPL-3.0",
    "tunizi": "MIT",
    "barcha_yt": "MIT",
    "astd": "GPL-2.0",
    "mac": "free and open, as its authors say; no licence file",
    "twifil": "Apache-2.0",
    "frcore": "CC BY 4.0 (annotations)",
}
_UNSEEN = {
    "thsab": "none stated",
    "barcha_fb": "MIT",
    "aoc": "none stated",
    "fassila": "none stated",
    "lhsab": "none stated",
    "algerian": "none stated",
}
"""File -> licence. barcha_fb is not labelled: posts of Tunisians, some in standard Arabic."""
_UNLABELLED = ("barcha_yt",)
_MIXED = "mixed"

_CANTONESE = {"ctcpc": "CC0-1.0", "hkcancor": "CC BY 4.0"}
_THREADS = {"lihkg": "CC BY 4.0", "drcd": "CC BY-SA 3.0"}
"""Files of sentences, and of whole threads and paragraphs, which are documents by themselves."""

FILES = (
    *(
        DataFile(f"{_FOLDER}/{name}.jsonl.xz", (*_NEEDS, "script"), licence, use)
        for licences, use in ((_FREE, TRAINED), (_UNSEEN, FIGURES_ONLY))
        for name, licence in licences.items()
    ),
    *(
        DataFile(f"languages/chinese_varieties/{name}.jsonl.xz", _NEEDS, licence, FIGURES_ONLY)
        for name, licence in (_CANTONESE | _THREADS).items()
    ),
)


def variety_documents(rows: Rows) -> list[Document]:
    """Return documents of eight lines, with the words that the scorer reads of them.

    The label is variety and script; the unit a source, of one without a wanted variety a fifth of
    it; the note is the source. Lines that are mixed of two scripts are in the documents of both.
    """
    words = read_specific_words(WORDS)
    documents: list[Document] = []
    for path, lines in rows.items():
        name = PurePath(path).name.partition(".")[0]
        if name in _CANTONESE or name in _THREADS:
            documents += _chinese(name, lines)
            continue
        for script in SCRIPTS:
            documents += _of_script(name, script, lines, words)
    return documents


def _of_script(
    name: str, script: str, lines: list[dict[str, Any]], words: SpecificWords
) -> Iterator[Document]:
    kind = WEAK if name in _UNLABELLED else FREE if name in _FREE else UNSEEN
    by_variety: dict[str, list[str]] = {}
    for row in lines:
        if row["script"] in (script, _MIXED):
            variety = row["variety"].rstrip("?")
            by_variety.setdefault(variety, []).append(row["text"])
    for variety, texts in sorted(by_variety.items()):
        label = f"{variety}_{script}"
        if kind == WEAK:
            own = words.words[label]
            texts = [text for text in texts if not own.isdisjoint(words.words_of(text)[script])]
        if len(texts) < LEAST * LINES:
            continue
        for number, text in enumerate(_joined(f"{name} {label}", texts)):
            line = " ".join(words.words_of(text)[script])
            part = "" if label in WANTED else f" {number % PARTS}"
            if line:
                yield Document(line, (label,), f"{name} {script}{part}", kind, text=text, note=name)


def _chinese(name: str, lines: list[dict[str, Any]]) -> Iterator[Document]:
    texts = [row["text"] for row in lines]
    for text in _joined(name, texts) if name in _CANTONESE else texts:
        label = "yue_Hani" if name != "drcd" else "cmn_Hani"
        yield Document(text, (label,), name, UNSEEN, text=text, note=name)


def _joined(seed: str, texts: list[str]) -> Iterator[str]:
    """Join LINES texts each, in an order that the seed gives; what is left over is dropped."""
    drawn = random.Random(seed).sample(texts, len(texts))
    for at in range(0, len(drawn) - LINES + 1, LINES):
        yield "\n".join(drawn[at : at + LINES])


def script_of_document(document: Document) -> str:
    """Return the script of a document's label."""
    return document.labels[0].rpartition("_")[2]


def word_share(line: str, specific: Collection[str]) -> float:
    """Return the share of specific words in the words of a document's line."""
    words = line.split(" ")
    return sum(word in specific for word in words) / len(words)
