"""Questions of benchmarks in texts, by sets of strings: the plain twin of the compiled search."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from udfs.models.benchmark_index import MAX_QUESTIONS, Question
from udfs.models.benchmark_matches import MIN_FOUND

LETTERS = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x20000, 0x2F7FF))
LETTERS = (*LETTERS, (0x30000, 0x323AF))
OPENING = "“‘「『（《〈【〔([{<«"


def folded_char(char: str) -> str:
    """Letters and digits of a character's compatibility form, without accents, in lower case."""
    if any(first <= ord(char) <= last for first, last in LETTERS):
        return char
    if unicodedata.category(char) in ("Cn", "Co"):
        return ""
    decomposed = unicodedata.normalize("NFKD", char)
    plain = "".join(part for part in decomposed if unicodedata.category(part)[0] != "M")
    lower = unicodedata.normalize("NFKC", plain).lower()
    return "".join(part for part in lower if unicodedata.category(part)[0] in ("L", "N"))


def folded(text: str) -> tuple[str, list[int]]:
    """A folded text, and the place in the text of each of its characters."""
    parts = [(part, place) for place, char in enumerate(text) for part in folded_char(char)]
    return "".join(part for part, _ in parts), [place for _, place in parts]


def windows(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(len(text) - size + 1)]


def grams_of(texts: Sequence[str], size: int, min_chars: int) -> set[str]:
    """The n-grams of one question; none of one that is too short."""
    plain = [folded(text)[0] for text in texts]
    whole = "".join(plain)
    if len(whole) < min_chars:
        return set()
    grams = {gram for text in plain for gram in windows(text, size)}
    return grams or set(windows(whole, min(size, len(whole))))


@dataclass(frozen=True)
class PlainQuestion:
    benchmark: int
    name: str
    grams: frozenset[str]


def plain_index(questions: Sequence[Question], size: int, min_chars: int) -> list[PlainQuestion]:
    """Every question that is searched for, with its n-grams."""
    seen: set[str] = set()
    found = []
    for question in questions:
        whole = "".join(folded(text)[0] for text in question.texts)
        grams = grams_of(question.texts, size, min_chars) if whole not in seen else set()
        seen.add(whole)
        found.append((question, grams))
    holders = Counter(gram for _, grams in found for gram in grams)
    rare = [(q, {g for g in grams if holders[g] <= MAX_QUESTIONS}) for q, grams in found]
    return [PlainQuestion(q.benchmark, q.name, frozenset(g)) for q, g in rare if g]


def plain_matches(
    text: str, index: Sequence[PlainQuestion], size: int, min_share: float
) -> tuple[list[tuple[int, str, int]], list[tuple[int, int]]]:
    """Benchmark, name and n-grams of each question that is found; start and end of the passages."""
    plain, places = folded(text)
    sizes = {len(gram) for question in index for gram in question.grams}
    in_text = {gram for own in sizes for gram in windows(plain, own)}
    matched = []
    for number, question in enumerate(index):
        found, total = len(question.grams & in_text), len(question.grams)
        if found >= max(math.ceil(min_share * total - 1e-9), min(total, MIN_FOUND)):
            matched.append((-found, number, question))
    matched.sort(key=lambda one: one[:2])
    theirs = {gram for _, _, question in matched for gram in question.grams}
    covered = set()
    for own in sizes:
        for at, gram in enumerate(windows(plain, own)):
            if gram in theirs:
                covered.update(range(at, at + own))
    spans: list[list[int]] = []
    last = -1
    for at in sorted(covered):
        if not spans or (at - last - 1 > size and places[at] >= spans[-1][1]):
            spans.append([places[at], 0])
        spans[-1][1] = places[at] + 1
        last = at
    for number, span in enumerate(spans):
        limit = spans[number + 1][0] if number + 1 < len(spans) else len(text)
        while span[1] < limit and _follows(text[span[1]]):
            span[1] += 1
    return (
        [(question.benchmark, question.name, -found) for found, _, question in matched],
        [(start, stop) for start, stop in spans],
    )


def _follows(char: str) -> bool:
    """Whether a character belongs to the passage before it: a sign that opens nothing."""
    is_space = char.isspace() or "\u2028" <= char <= "\u202f" or char < " "
    return not folded_char(char) and not is_space and char not in OPENING
