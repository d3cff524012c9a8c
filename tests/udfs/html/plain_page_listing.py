"""What ``udfs.html.page_listing`` computes of a page, in numpy and plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import log2

import numpy as np
import numpy.typing as npt

from tests.udfs.html.plain_main_text import block_features
from udfs.html.class_words import KINDS, kinds_of, signatures_of
from udfs.html.line_features import LineFacts
from udfs.html.line_words import FRAME_WORD, MORE
from udfs.html.page_lines import Lines

_TEASER_REACH = 2


def plain_listing_features(lines: Lines, facts: LineFacts) -> list[float]:
    """LISTING_FEATURES of a page with lines."""
    chars = lines.chars
    unlinked = chars - lines.link_chars
    is_prose = (lines.punctuation > 0) & (unlinked * 2 > chars)
    teasers = np.array(plain_teasers(lines, facts))
    own = unlinked[is_prose & ~teasers]
    texts = [lines.page[:end].rstrip() for end in lines.ends[is_prose]]
    cut = sum(text.endswith((b"...", "…".encode())) for text in texts)
    runs: list[list[int]] = [[]]
    for size, linked, in_teaser in zip(
        chars.tolist(), lines.link_chars.tolist(), teasers.tolist(), strict=True
    ):
        if linked * 5 < size and not in_teaser:
            runs[-1].append(size)
        else:
            runs.append([])
    run = max(runs, key=sum)
    frequent = {group for group, count in Counter(facts.groups.tolist()).items() if count >= 5}
    blocks = np.minimum(block_features(lines), 1.0)
    all_prose = facts.prose.sum() or 1.0
    inside = (facts.prose * ~teasers @ blocks) / all_prose
    return [
        1.0,
        lines.link_chars.sum() / chars.sum(),
        _share(int(own.sum()), 14),
        min(max([0, *own.tolist()]), 500) / 500,
        _share(plain_own_prose(lines, facts, teasers | _in_frames(lines)), 14),
        *(inside[KINDS.index(kind)] for kind in ("content", "frame", "related")),
        cut / max(len(texts), 1),
        _share(cut, 8),
        sum(run) / chars.sum(),
        min(sum(run) / max(len(run), 1), 100) / 100,
        chars[[group in frequent for group in facts.groups.tolist()]].sum() / chars.sum(),
        *_repeated(lines),
        facts.prose[teasers].sum() / all_prose,
        _share((facts.words.words & MORE != 0).sum(), 8),
    ]


def plain_titles(lines: Lines, facts: LineFacts) -> npt.NDArray[np.bool_]:
    """Whether each line is the title of another page."""
    _, digits, copies = facts.words
    sizes = lines.ends - lines.starts
    is_link = (lines.link_chars * 5 >= lines.chars * 4) & (digits * 4 < lines.chars)
    is_copied = (copies > 0) & ((digits == 0) | (sizes < 24))
    return np.asarray(is_link & (sizes >= 18) & ~is_copied)


def plain_teasers(lines: Lines, facts: LineFacts) -> list[bool]:
    """Whether each line is inside of a teaser of another page."""
    is_link = lines.link_chars * 5 >= lines.chars * 4
    is_title = plain_titles(lines, facts)
    is_prose = ~is_link & (facts.prose > 0)
    above: list[set[int]] = []  # of each block itself and the blocks around it
    parents = lines.blocks.parents.tolist()
    for block, parent in enumerate(parents):
        above.append({block} | (above[parent] if block else set()))
    signatures = signatures_of(lines.blocks.values).tolist()
    titled: dict[tuple[int, int], list[bool]] = defaultdict(list)
    for block in range(1, len(parents)):
        rows = [row for row, own in enumerate(lines.block.tolist()) if block in above[own]]
        if first := [row for row in rows if is_prose[row]][:1]:
            before = {*range(max(first[0] - 2, 0), first[0]), *(r for r in rows if r < first[0])}
            titled[parents[block], signatures[block]].append(any(is_title[list(before)]))
    found = {key for key, own in titled.items() if 3 <= sum(own) >= 0.6 * len(own)}
    return [
        any((parents[block], signatures[block]) in found for block in above[own] if block)
        for own in lines.block.tolist()
    ]


def _in_frames(lines: Lines) -> npt.NDArray[np.bool_]:
    """Whether each line is in a block of the frame, and in none of content inside of it."""
    inside = [False]
    kinds = kinds_of(lines.blocks.values).tolist()
    for parent, own in zip(lines.blocks.parents[1:].tolist(), kinds[1:], strict=True):
        is_frame = inside[parent] or own >> KINDS.index("frame") & 1
        inside.append(bool(is_frame and not own >> KINDS.index("content") & 1))
    return np.array(inside)[lines.block]


def plain_own_prose(lines: Lines, facts: LineFacts, outside: npt.NDArray[np.bool_]) -> int:
    """Characters of prose that follows no title of another page, and is not `outside`."""
    own, titles = 0, plain_titles(lines, facts)
    title = -9  # the row of the last title that has no prose yet
    for row, (chars, linked) in enumerate(zip(lines.chars, lines.link_chars, strict=True)):
        if titles[row]:
            title = row
        elif (
            lines.punctuation[row]
            and (chars - linked) * 2 > chars
            and (chars > 40 or not facts.words.words[row] & FRAME_WORD)
            and not outside[row]
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
