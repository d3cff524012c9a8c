"""Paragraph deduplication as one reads it in the README: documents one by one, one dictionary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.udfs.dedup.plain_normalise import normalise_text
from udfs.dedup.paragraphs import Span


class Line(NamedTuple):
    """A line that has text, with the blank lines after it."""

    start: int
    stop: int
    """Where the next line begins, the end of the text for the last one."""
    folded: str


class Rest(NamedTuple):
    """What becomes of a document."""

    text: str
    repeated_chars: int


def lines_of(text: str) -> list[Line]:
    """All lines that have text."""
    lines: list[Line] = []
    place = 0
    for line in text.split("\n"):
        folded = normalise_text(line)
        stop = min(place + len(line) + 1, len(text))
        if folded:
            lines.append(Line(place, stop, folded))
        elif lines:
            lines[-1] = lines[-1]._replace(stop=stop)
        place += len(line) + 1
    return lines


def without(text: str, lines: Sequence[Line]) -> str:
    """A text without some of its lines."""
    kept = list(text)
    for line in lines:
        kept[line.start : line.stop] = [""] * (line.stop - line.start)
    rest = "".join(kept)
    cut_at_the_end = bool(lines) and lines[-1].stop == len(text) and not text.endswith("\n")
    return rest[:-1] if cut_at_the_end and rest else rest


def span_after_cuts(span: Span, cuts: Sequence[Span]) -> Span | None:
    """Where a span lies in a text after cuts; None where one of them took a part of it."""
    before = 0
    for cut in cuts:
        if cut.start >= span.start + span.length:
            break
        if cut.start + cut.length > span.start:
            return None
        before += cut.length
    return Span(span.start - before, span.length)


def first_kept(
    texts: Mapping[str, str], order: Sequence[str], min_paragraph: int, min_chars: int | None
) -> tuple[dict[str, str], set[str]]:
    """Policy "first": what is left of each document, and the documents that go.

    Args:
        order: The documents, the preferred first.
    """
    seen: set[str] = set()
    rests: dict[str, str] = {}
    gone: set[str] = set()
    for doc_id in order:
        text = texts[doc_id]
        mine: set[str] = set()
        cut = []
        for line in lines_of(text):
            if len(line.folded) < min_paragraph:
                continue
            if line.folded in seen or line.folded in mine:
                cut.append(line)
            mine.add(line.folded)
        rests[doc_id] = without(text, cut)
        if min_chars is not None and cut and len(rests[doc_id]) < min_chars:
            gone.add(doc_id)
        else:
            seen |= mine
    return rests, gone


def frequent_cut(texts: Mapping[str, str], min_paragraph: int, limit: int) -> dict[str, str]:
    """Policy "frequent": what is left of each document."""
    counts = document_counts(texts)
    return {
        doc_id: without(
            text,
            [
                line
                for line in lines_of(text)
                if len(line.folded) >= min_paragraph and counts[line.folded] > limit
            ],
        )
        for doc_id, text in texts.items()
    }


def repeated_chars(texts: Mapping[str, str], min_paragraph: int) -> dict[str, int]:
    """Characters of lines that occur more than once, of the documents that have some."""
    counts = document_counts(texts)
    repeated = {}
    for doc_id, text in texts.items():
        lines = [line for line in lines_of(text) if len(line.folded) >= min_paragraph]
        own = Counter(line.folded for line in lines)
        chars = [
            line.stop - line.start
            for line in lines
            if counts[line.folded] > 1 or own[line.folded] > 1
        ]
        if chars:
            repeated[doc_id] = sum(chars)
    return repeated


def document_counts(texts: Mapping[str, str]) -> Counter[str]:
    """In how many documents a line stands."""
    counts: Counter[str] = Counter()
    for text in texts.values():
        counts.update({line.folded for line in lines_of(text)})
    return counts
