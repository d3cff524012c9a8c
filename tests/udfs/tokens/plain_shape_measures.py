"""The measures of udfs/tokens/shape_measures.py as one would write them without a compiler."""

from __future__ import annotations

import re
from collections import Counter

from udfs.base.language import FUNCTION_CHARS
from udfs.tokens.shape_measures import CATEGORIES, SPAM, WORDS

COMMON = {
    bytes((a, b)).decode("gb2312", "ignore") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFF)
}
KIND_OF = {word: kind for kind, words in WORDS.items() for word in words}
SPAM_KINDS = {CATEGORIES[number] for number in SPAM}
FINDER = re.compile("|".join(map(re.escape, sorted(KIND_OF, key=len, reverse=True))))


def plain_shape(text: str) -> dict[str, float]:
    """The measures by name."""
    lines = [line for raw in text.split("\n") if (line := raw.strip(WHITE))]
    prose = [line for line in lines if is_prose(line)]
    found = {word for line in lines for word in FINDER.findall(line)}
    words = Counter(KIND_OF[word] for word in found)
    whole, of_prose = "".join(lines), "".join(prose)
    windows = [window_key(line[at : at + 5]) for line in prose for at in range(len(line) - 4)]
    clean = [p for p in prose if not {KIND_OF[w] for w in FINDER.findall(p)} & SPAM_KINDS]
    sentences = [s for line in prose for s in re.findall(r"[^。！？!?…”；]*[。！？!?…”；]", line)]
    han = [c for c in whole if "\u4e00" <= c < "\ua000"]
    before = lines.index(prose[0]) if prose else len(lines)
    total, chars, count = max(1, len(text)), max(1, len(of_prose)), max(1, len(lines))
    return {
        "chars": len(text) if lines else 0,
        "longest_line": max(map(len, lines), default=0),
        "long_prose_chars": sum(len(p) for p in prose if len(p) >= 80),
        "clean_prose_chars": sum(map(len, clean)),
        "clean_prose_share": sum(map(len, clean)) / total,
        "prose_sentences": sum(8 <= len(s) <= 120 for s in sentences),
        "prose_function_share": count_of(of_prose, FUNCTION_CHARS) / chars,
        "prose_comma_share": of_prose.count("，") / chars,
        "prose_stop_share": of_prose.count("。") / chars,
        "prose_variety": len({c for c in of_prose if c < "\U00010000"}) / chars**0.5,
        "prose_top_window": max(Counter(windows).values(), default=0),
        "prose_repeats_share": (len(windows) - len(set(windows))) / max(1, len(windows)),
        "function_share": count_of(whole, FUNCTION_CHARS) / total,
        "mark_share": count_of(whole, MARKS) / total,
        "han_share": len(han) / total,
        "bar_share": count_of(whole, "|｜>»·_-【】[]") / total,
        "rare_share": sum(c not in COMMON for c in han) / max(1, len(han)),
        "open_lines_share": sum(line[-1] not in "。！？!?…”；" for line in lines) / count,
        "short_lines_share": sum(len(line) <= 6 for line in lines) / count,
        "lines_before_prose_share": before / count if lines else 0.0,
        **{f"{kind}_words": words[kind] for kind in CATEGORIES},
    }


MARKS = "。，、；：！？“”…,;!?"
WHITE = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c != "\n") + "\0"


def is_prose(line: str) -> bool:
    return len(line) >= 30 and count_of(line, MARKS) >= max(2, len(line) / 60)


def count_of(text: str, signs: str) -> int:
    return sum(sign in signs for sign in text)


def window_key(window: str) -> int:
    """64 bits of five characters, which the lower 12 bits of the first and all of the others fill:
    windows of one key are counted as equal."""
    key = 0
    for char in window:
        key = (key << 13 ^ ord(char)) & 0xFFFFFFFFFFFFFFFF
    return key
