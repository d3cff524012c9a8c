"""What ``udfs.html.page_kind`` computes of a page, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from math import log2

from udfs.html.class_words import hints_of, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.page_kinds import HINTS, LINE_WORDS
from udfs.html.page_lines import Lines


def plain_page_features(lines: Lines, facts: LineFacts, title: str) -> list[float]:
    """PAGE_FEATURES of a page with lines."""
    unlinked = lines.chars - lines.link_chars
    is_prose = (lines.punctuation > 0) & (unlinked * 2 > lines.chars)
    prose_chars = int(unlinked[is_prose].sum())
    prose = facts.prose.tolist()
    total = sum(prose) or 1.0
    groups: dict[int, float] = defaultdict(float)
    for group, value in zip(facts.groups.tolist(), prose, strict=True):
        groups[group] += value
    count, repeated = _repeated(lines, prose)
    hints = hints_of(lines.blocks.values).tolist()
    words = (facts.words.words >> 1).tolist()
    in_title = [any(word in title for word in LINE_WORDS[hint].split()) for hint in HINTS]
    return [
        1.0,
        lines.link_chars.sum() / lines.chars.sum(),
        _share(len(lines)),
        min(log2(1 + prose_chars), 14) / 14,
        min(max([0, *unlinked[is_prose].tolist()]), 500) / 500,
        _share(is_prose.sum()),
        min(prose_chars / max(is_prose.sum(), 1), 200) / 200,
        lines.item.mean(),
        lines.paragraph.mean(),
        (facts.words.digits * 3 > lines.chars).mean(),
        (facts.words.copies > 0).mean(),
        max(groups.values()) / total,
        _share(count),
        repeated / total,
        *(_share(sum(bits >> place & 1 for bits in hints)) for place in range(len(HINTS))),
        *(_share(sum(bits >> place & 1 for bits in words)) for place in range(len(HINTS))),
        *map(float, in_title),
    ]


def _share(count: int) -> float:
    return min(log2(1 + count), 8) / 8


def _repeated(lines: Lines, prose: list[float]) -> tuple[int, float]:
    """Number and prose of the like siblings, at least three, that have the most prose."""
    parents = lines.blocks.parents.tolist()
    signatures = signatures_of(lines.blocks.values).tolist()
    inside = [0.0] * len(parents)
    for block, value in zip(lines.block.tolist(), prose, strict=True):
        inside[block] += value
    for block in range(len(parents) - 1, 0, -1):
        inside[parents[block]] += inside[block]
    siblings: dict[tuple[int, int], list[float]] = defaultdict(list)
    for block in range(1, len(parents)):
        if inside[block] > 0:
            siblings[parents[block], signatures[block]].append(inside[block])
    found = [(sum(values), len(values)) for values in siblings.values() if len(values) >= 3]
    most, count = max(found, default=(0.0, 0))
    return count, most
