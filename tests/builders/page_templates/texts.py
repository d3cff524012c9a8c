"""The texts that made pages are filled with, and how they are cut into titles, posts and lines."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SOURCES = {
    "prose": ("cnews", "sogouc", "xwlb", "cedcc_essay", "laws", "classical_modern", "goldminer"),
    "talk": ("cmedqa", "hotel_reviews", "kdconv", "cmdd"),
    "entries": ("cmrc2018", "drcd"),
    "novels": ("chinese_novel",),
    "items": ("iflytek", "hotel_reviews"),
}
_SENTENCES = re.compile(r"[^。！？!?；;]*[。！？!?；;]+[”’」』）)\"]*|[^。！？!?；;]+$")
_SPEAKER = re.compile(r"^(?:[AB]|医生|患者)[：:]\s*")
_MARKUP = re.compile(r"^[#>*|`\-]|```|!\[|\]\(|\$\$")
_MAX_LINE_CHARS = 320
_TITLE_CHARS = (6, 30)


@dataclass(frozen=True)
class PageTexts:
    """Documents by what they are good for; a document's paragraphs are its lines.

    Attributes:
        prose: News, essays, laws.
        talk: What people write to each other: questions, answers, opinions.
        entries: Articles of an encyclopedia; the first line may be the title.
        novels: Pieces of novels.
        items: Descriptions of goods and applications.
    """

    prose: Sequence[str]
    talk: Sequence[str]
    entries: Sequence[str]
    novels: Sequence[str]
    items: Sequence[str]

    @classmethod
    def of_one_kind(cls, texts: Sequence[str]) -> PageTexts:
        """The same documents for all purposes."""
        return cls(texts, texts, texts, texts, texts)


def read_page_texts(data: Path) -> PageTexts:
    """Read the texts of DATA/domain/train.jsonl.gz.

    Raises:
        FileNotFoundError: the folder lacks the file.
    """
    by_source: dict[str, list[str]] = {}
    with gzip.open(data / "domain/train.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            by_source.setdefault(row["source"], []).append(row["text"])
    return PageTexts(
        **{
            kind: [text for source in sources for text in by_source.get(source, ())]
            for kind, sources in _SOURCES.items()
        }
    )


def lines_of(text: str) -> list[str]:
    """The lines of a document: spaces normalised, no markup, long ones cut between sentences."""
    found = []
    for raw in text.split("\n"):
        line = _SPEAKER.sub("", " ".join(raw.split()))
        if len(line) < 2 or _MARKUP.search(line):
            continue
        while len(line) > _MAX_LINE_CHARS:
            size, parts = 0, sentences_of(line)
            for part in parts:
                if size and size + len(part) > _MAX_LINE_CHARS:
                    break
                size += len(part)
            if size >= len(line):
                break
            found.append(line[:size].strip())
            line = line[size:].strip()
        if line:
            found.append(line)
    return found


def sentences_of(line: str) -> list[str]:
    """The sentences of a line with their marks; together they are the line."""
    return _SENTENCES.findall(line) or [line]


def some_lines(texts: Sequence[str], dice: random.Random, chars: int) -> list[str]:
    """Lines of one document of about this many characters, or of several where one is too short."""
    found: list[str] = []
    size = 0
    for _ in range(40):
        for line in lines_of(dice.choice(texts)):
            found.append(line)
            size += len(line)
            if size >= chars:
                return found
    return found


def one_sentence(texts: Sequence[str], dice: random.Random, least: int, most: int) -> str:
    """A sentence of a length between two limits, cut where none of them fits."""
    longest = ""
    for _ in range(12):
        lines = lines_of(dice.choice(texts))
        if not lines:
            continue
        fitting = [part.strip() for part in sentences_of(dice.choice(lines))]
        for part in fitting:
            if least <= len(part) <= most:
                return part
        longest = max([longest, *fitting], key=len)
    return longest[:most]


def a_title(texts: Sequence[str], dice: random.Random) -> str:
    """A title: the first clause of a line."""
    least, most = _TITLE_CHARS
    for _ in range(12):
        lines = lines_of(dice.choice(texts))
        if lines:
            title = re.split(r"[，。！？；：,!?;:（(]", dice.choice(lines[:3]))[0].strip()
            if least <= len(title) <= most:
                return title
    return one_sentence(texts, dice, least, most).rstrip("，。！？；")[:most]
