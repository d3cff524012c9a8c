"""What ``udfs.html.page_kind`` computes of a page, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from math import log2

import numpy as np
import numpy.typing as npt

from udfs.html.class_words import hints_of, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.line_words import MOMENT, PAIR
from udfs.html.page_kinds import HINTS, LINE_WORDS
from udfs.html.page_lines import Lines

_TITLE_CHARS = 8


def plain_page_features(lines: Lines, facts: LineFacts, title: str) -> list[float]:
    """PAGE_FEATURES of a page with lines."""
    unlinked = lines.chars - lines.link_chars
    is_prose = (lines.punctuation > 0) & (unlinked * 2 > lines.chars)
    is_linked = lines.link_chars * 5 >= lines.chars * 4
    is_short = (lines.chars <= 40) & ~is_linked
    is_title = is_linked & (lines.chars >= _TITLE_CHARS)
    words = facts.words.words
    prose_chars = int(unlinked[is_prose].sum())
    longest = max([0, *unlinked[is_prose].tolist()])
    prose = facts.prose.tolist()
    total = sum(prose) or 1.0
    groups: dict[int, float] = defaultdict(float)
    for group, value in zip(facts.groups.tolist(), prose, strict=True):
        groups[group] += value
    hints = hints_of(lines.blocks.values).tolist()
    in_title = [any(word in title for word in LINE_WORDS[hint].split()) for hint in HINTS]
    is_moment = plain_moments(lines, facts)
    return [
        1.0,
        lines.link_chars.sum() / lines.chars.sum(),
        _share(len(lines)),
        min(log2(1 + prose_chars), 14) / 14,
        min(longest, 500) / 500,
        _share(is_prose.sum()),
        min(prose_chars / max(is_prose.sum(), 1), 200) / 200,
        lines.item.mean(),
        lines.paragraph.mean(),
        (facts.words.digits * 3 > lines.chars).mean(),
        (facts.words.copies > 0).mean(),
        max(groups.values()) / total,
        *_repeated(lines, facts, is_moment, is_title),
        _share(sum(is_moment)),
        _share((is_short & (words & PAIR != 0)).sum()),
        (is_short & ~is_prose).mean(),
        _share(is_title.sum()),
        is_title.mean(),
        lines.chars[is_title].sum() / lines.chars.sum(),
        _share(sum(value > 0 for value in groups.values())),
        longest / max(prose_chars, 1),
        *(_share(sum(bits >> place & 1 for bits in hints)) for place in range(len(HINTS))),
        *(_share((words >> 1 + place & 1).sum()) for place in range(len(HINTS))),
        *map(float, in_title),
    ]


def plain_moments(lines: Lines, facts: LineFacts) -> list[bool]:
    """Whether each line is short and has a time, or a number of several digits."""
    found = (facts.words.digits >= 4) | (facts.words.words & MOMENT != 0)
    return [bool(value) for value in found & (lines.chars <= 40)]


def _share(count: int) -> float:
    return min(log2(1 + count), 8) / 8


def _repeated(
    lines: Lines, facts: LineFacts, is_moment: list[bool], is_title: npt.NDArray[np.bool_]
) -> list[float]:
    """Features of the like siblings, at least three with prose, that have the most prose."""
    parents = lines.blocks.parents.tolist()
    signatures = signatures_of(lines.blocks.values).tolist()
    titles = lines.chars * is_title
    inside = np.zeros((4, len(parents)))
    for row, block in enumerate(lines.block.tolist()):
        inside[:, block] += facts.prose[row], lines.chars[row], titles[row], is_moment[row]
    for block in range(len(parents) - 1, 0, -1):
        inside[:, parents[block]] += inside[:, block]
    siblings: dict[tuple[int, int], list[int]] = defaultdict(list)
    for block in range(1, len(parents)):
        if inside[0, block] > 0:
            siblings[parents[block], signatures[block]].append(block)
    found = [
        (sum(inside[0, blocks].tolist()), len(blocks), blocks)
        for blocks in siblings.values()
        if len(blocks) >= 3
    ]
    if not found:
        return [0.0] * 7
    most, count = max(found)[:2]
    blocks = next(blocks for prose, size, blocks in found if (prose, size) == (most, count))
    prose, chars, in_titles, moments = inside[:, blocks]
    return [
        _share(count),
        most / sum(facts.prose.tolist()),
        chars.sum() / lines.chars.sum(),
        in_titles.sum() / chars.sum(),
        (moments > 0).mean(),
        (prose < 0.3).mean(),
        min(most / count, 1.5) / 1.5,
    ]
