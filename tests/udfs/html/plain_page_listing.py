"""What ``udfs.html.page_listing`` computes of a page, in numpy and plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log2

import numpy as np

from tests.udfs.html.plain_main_text import block_features
from udfs.html.class_words import KINDS, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.line_words import FRAME_WORD
from udfs.html.page_lines import Lines

_TITLE_CHARS, _TEASER_REACH = 8, 2


def plain_listing_features(lines: Lines, facts: LineFacts) -> list[float]:
    """LISTING_FEATURES of a page with lines."""
    chars = lines.chars
    unlinked = chars - lines.link_chars
    is_prose = (lines.punctuation > 0) & (unlinked * 2 > chars)
    prose_chars = int(unlinked[is_prose].sum())
    texts = [lines.page[:end].rstrip() for end in lines.ends[is_prose]]
    cut = sum(text.endswith((b"...", "…".encode())) for text in texts)
    runs: list[list[int]] = [[]]
    for size, linked in zip(chars.tolist(), lines.link_chars.tolist(), strict=True):
        if linked * 5 < size:
            runs[-1].append(size)
        else:
            runs.append([])
    run = max(runs, key=sum)
    frequent = {group for group, count in Counter(facts.groups.tolist()).items() if count >= 5}
    blocks = np.minimum(block_features(lines), 1.0)
    inside = (facts.prose @ blocks) / (facts.prose.sum() or 1.0)
    return [
        1.0,
        lines.link_chars.sum() / chars.sum(),
        _share(prose_chars, 14),
        min(max([0, *unlinked[is_prose].tolist()]), 500) / 500,
        _share(plain_own_prose(lines, facts), 14),
        *(inside[KINDS.index(kind)] for kind in ("content", "frame", "related")),
        cut / max(len(texts), 1),
        _share(cut, 8),
        sum(run) / chars.sum(),
        min(sum(run) / max(len(run), 1), 100) / 100,
        chars[[group in frequent for group in facts.groups.tolist()]].sum() / chars.sum(),
        *_repeated(lines),
    ]


def plain_own_prose(lines: Lines, facts: LineFacts) -> int:
    """Characters of prose that follows no title of another page."""
    own = 0
    title = -9  # the row of the last title that has no prose yet
    for row, (chars, linked) in enumerate(zip(lines.chars, lines.link_chars, strict=True)):
        is_time = facts.words.digits[row] * 4 >= chars
        if chars >= _TITLE_CHARS and linked * 5 >= chars * 4 and not is_time:
            title = row
        elif (
            lines.punctuation[row]
            and (chars - linked) * 2 > chars
            and (chars > 40 or not facts.words.words[row] & FRAME_WORD)
        ):
            if title < 0 or row - title > _TEASER_REACH:
                own += int(chars - linked)
            title = -9
    return own


def _share(count: int, most: int) -> float:
    return min(log2(1 + count), most) / most


def _repeated(lines: Lines) -> list[float]:
    """Share of the like siblings, at least three, that have the most characters; their spread."""
    parents = lines.blocks.parents.tolist()
    signatures = signatures_of(lines.blocks.values).tolist()
    inside = np.zeros(len(parents))
    np.add.at(inside, lines.block, lines.chars)
    for block in range(len(parents) - 1, 0, -1):
        inside[parents[block]] += inside[block]
    siblings: dict[tuple[int, int], list[float]] = defaultdict(list)
    for block in range(1, len(parents)):
        if inside[block] > 0:
            siblings[parents[block], signatures[block]].append(inside[block])
    found = [sizes for sizes in siblings.values() if len(sizes) >= 3]
    if not found:
        return [0.0, 0.0]
    sizes = max(found, key=lambda sizes: (sum(sizes), len(sizes)))  # the first of equal ones
    return [sum(sizes) / lines.chars.sum(), min(np.std(sizes) / np.mean(sizes), 2) / 2]
