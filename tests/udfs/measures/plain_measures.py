"""Every measure in plain Python, one text at a time: the twin of the fast ones.

It shares tables of characters with ``udfs``, which are the definition, and no code.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tests.udfs.measures.published_rules import (
    published_dup_share,
    published_han_share,
    published_traditional,
)
from udfs.base.characters import EMOJI_RANGES
from udfs.base.chinese_script import traditional_characters
from udfs.base.language import FUNCTION_CHARS, HAN_RANGES, SENTENCE_ENDS
from udfs.measures.text_lines import BULLETS, CLOSERS, ELLIPSES, PROSE_CHARS

_SEPARATORS = re.compile(r"(?:(?!\.[0-9A-Za-z])[" + re.escape(SENTENCE_ENDS) + r"\n])+")

_HAN = {chr(code) for first, last in HAN_RANGES for code in range(first, last + 1)}
_EMOJI = {chr(code) for first, last in EMOJI_RANGES for code in range(first, last + 1)}


def plain_measures(text: str, categories: Mapping[str, str]) -> dict[str, object]:
    """All measures but ``mojibake_share`` and ``zstd_ratio``, which are functions of one text.

    Args:
        text: A text.
        categories: Category of each sensitive word.
    """
    han = [char for char in text if is_han(char)]
    others = Counter(plain_kind(char) for char in text)
    kept = without_blanks(text)
    sentences = [part for part in _SEPARATORS.split(text) if any(map(is_word, part))]
    inked = [char for char in text if char not in "\t\r\n" and not is_category(char, "Z")]
    return {
        "chars": len(text),
        "lines": text.count("\n") + 1,
        "mean_line_chars": len(text.replace("\n", "")) / len(text.split("\n")),
        "mean_sentence_chars": ratio(len(inked), len(sentences)),
        "han_share": ratio(len(han), len(text)),
        "traditional_share": ratio(sum(c in traditional_characters() for c in han), len(han)),
        "digit_share": ratio(others["digit"], len(text)),
        "punctuation_share": ratio(others["punctuation"], len(text)),
        "symbol_share": ratio(others["symbol"] + others["emoji"], len(text)),
        "emoji_share": ratio(others["emoji"] + text.count("\ufe0f"), len(text)),
        "private_use_share": ratio(others["private use"], len(text)),
        "control_share": ratio(others["control"], len(text)),
        "function_char_share": ratio(sum(char in FUNCTION_CHARS for char in text), len(text)),
        "script_share": ratio(len(han), len(text)),
        **dict.fromkeys(("words", "mean_word_chars", "stop_word_share")),
        **plain_line_measures(text),
        **{f"top_{n}gram_char_share": ratio(most_covered(kept, n), len(kept)) for n in (2, 3, 4)},
        **{f"dup_{n}gram_char_share": ratio(dup_covered(kept, n), len(kept)) for n in range(5, 11)},
        "dup_13gram_share": published_dup_share(text, with_last=True),
        **plain_sensitive_measures(text, categories),
        "casia_han_share": published_han_share(text),
        "casia_traditional": published_traditional(text),
        "casia_dup_13gram_share": published_dup_share(text),
    }


def plain_line_measures(text: str) -> dict[str, float]:
    """The measures of lines and paragraphs."""
    stripped = [line.strip() for line in text.split("\n")]
    lines = [line for line in stripped if line]
    paragraphs = [part.strip("\n") for part in re.split(r"\n\n+", "\n".join(stripped))]
    paragraphs = [part for part in paragraphs if part]
    ends = [line for line in lines if line.rstrip(CLOSERS)[-1:] in set(SENTENCE_ENDS)]
    prose = [line for line in ends if len(line) >= PROSE_CHARS]
    return {
        "sentence_end_line_share": ratio(len(ends), len(lines)),
        "bullet_line_share": ratio(sum(line[0] in BULLETS for line in lines), len(lines)),
        "ellipsis_line_share": ratio(sum(line.endswith(ELLIPSES) for line in lines), len(lines)),
        "prose_line_char_share": ratio(total(prose), total(lines)),
        "dup_line_share": ratio(len(later_copies(lines)), len(lines)),
        "dup_line_char_share": ratio(total(later_copies(lines)), total(lines)),
        "dup_paragraph_share": ratio(len(later_copies(paragraphs)), len(paragraphs)),
        "dup_paragraph_char_share": ratio(total(later_copies(paragraphs)), total(paragraphs)),
    }


def plain_sensitive_measures(text: str, categories: Mapping[str, str]) -> dict[str, object]:
    """Words of the lexicon, wherever they occur."""
    starts = range(len(text))
    times = {word: sum(text.startswith(word, at) for at in starts) for word in categories}
    found = {word: count for word, count in times.items() if count}
    distinct: Counter[str] = Counter(categories[word] for word in found)
    occurrences: Counter[str] = Counter()
    for word, count in found.items():
        occurrences[categories[word]] += count
    return {
        "sensitive_distinct": len(found),
        "sensitive_total": sum(found.values()),
        "sensitive_distinct_by_category": plain_counts(distinct),
        "sensitive_total_by_category": plain_counts(occurrences),
        "sensitive_words": sorted(found),
    }


def plain_counts(counts: Mapping[str, int]) -> list[dict[str, object]]:
    """Names and counts, by name."""
    return [{"name": name, "count": count} for name, count in sorted(counts.items())]


def plain_kind(char: str) -> str:
    """What a character counts as, where that is not by its script alone."""
    category = unicodedata.category(char)
    if is_han(char) or char == "\ufe0f":
        return "none of these"
    if char in _EMOJI:
        return "emoji"
    if category == "Cf" or (category == "Cc" and char not in "\t\r\n"):
        return "control"
    names = {"Nd": "digit", "Co": "private use", "P": "punctuation", "S": "symbol"}
    return names.get(category) or names.get(category[0]) or "none of these"


def is_han(char: str) -> bool:
    """By the character's name, and for what has no such name by the ranges."""
    names = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "CJK RADICAL")
    return char in _HAN or unicodedata.name(char, "").startswith(names)


def is_word(char: str) -> bool:
    return is_han(char) or is_category(char, "L", "N")


def is_category(char: str, *first_letters: str) -> bool:
    return unicodedata.category(char)[0] in first_letters


def without_blanks(text: str) -> str:
    """A text as the published script normalises it."""
    stripped = text.strip().lower()
    for blank in " \n\t":
        stripped = stripped.replace(blank, "")
    return stripped


def most_covered(text: str, size: int) -> int:
    """Characters that the n-gram covers that covers most."""
    return max((covered(places, size) for places in ngram_places(text, size)), default=0)


def dup_covered(text: str, size: int) -> int:
    """Characters that n-grams cover that occur more than once."""
    repeated = [places for places in ngram_places(text, size) if len(places) > 1]
    return covered([place for places in repeated for place in places], size)


def ngram_places(text: str, size: int) -> list[list[int]]:
    """Where each different n-gram begins."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for start in range(len(text) - size + 1):
        places[text[start : start + size]].append(start)
    return list(places.values())


def covered(places: Sequence[int], size: int) -> int:
    return len({place + offset for place in places for offset in range(size)})


def later_copies(parts: Sequence[str]) -> list[str]:
    """Parts that are the same as one before."""
    return [part for number, part in enumerate(parts) if part in parts[:number]]


def total(parts: Sequence[str]) -> int:
    return sum(map(len, parts))


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
