"""Words that only one variety of a language uses: the list, and the words of a text to look up.

A variety's name ends with its script, as those of GlotLID and FineWeb-2: ``yue_Hani``. Words are
compared without marks and without what writers of the Arabic script vary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from udfs.lists.lexicon import LexiconError, read_words

HAN = "Hani"
SCRIPTS = {
    HAN: "",
    "Arab": "\u0620-\u063f\u0641-\u064a\u066e-\u06d3\u06fa-\u06ff",
    "Latn": "a-z\u00e0-\u00f6\u00f8-\u024f",
}
"""End of a variety's name -> its lower-case letters, for a class of a regular expression. Han
characters are counted one by one."""

NAME = "name"
"""Category of names of places, people and clubs."""

_DIGITS = "0-9"  # letters of Arabizi: 3 is ain, 7 is ha, 9 is qaf
_STEPS = ("arabic_marks", "tatweel", "alef_forms", "alef_maqsura", "teh_marbuta")
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")
_SEATS = str.maketrans({"ؤ": "و", "ئ": "ي", "ء": None, "ک": "ك", "ی": "ي", "گ": "ڨ", "ڤ": "ڨ"})
_LENGTHENED = re.compile(r"(.)\1{2,}")
_HIDDEN = re.compile(r"https?://\S+|www\.\S+|[@#]\w+")
_WORD = re.compile(
    f"[{SCRIPTS['Arab']}]+|[{_DIGITS}{SCRIPTS['Latn']}]*[{SCRIPTS['Latn']}][{_DIGITS}{SCRIPTS['Latn']}]*"
)
_PREFIXES = ("ال", "وال", "بال", "فال", "كال", "عال", "مال", "هال", "لل", "و", "ب", "ف", "ل")
"""Articles, conjunctions and prepositions that are written as part of a word."""


def fold_word(text: str) -> str:
    """Return a text as its words are looked up: lower case, no marks, one form of each letter.

    A letter that is written three times or more, for emphasis, is written once.

    >>> fold_word("بَرْشَاااا"), fold_word("BARCHAAA")
    ('برشا', 'barcha')
    """
    from udfs.base.letters import fold_letters  # imports compiled code, which settings do without

    if _PRESENTATION.search(text):
        text = fold_letters(text, ("presentation_forms",))
    folded = fold_letters(text, _STEPS).translate(_SEATS)
    return _LENGTHENED.sub(r"\1", folded)


class SpecificWords:
    """The words of each variety, and names.

    Attributes:
        words: Variety -> its words, folded; characters of Han varieties.
    """

    def __init__(self, categories: Mapping[str, str]) -> None:
        """Sort the words by variety.

        Args:
            categories: Word -> variety, or NAME.
        """
        self.words: dict[str, frozenset[str]] = {}
        for variety in sorted(set(categories.values())):
            found = (word for word, its in categories.items() if its == variety)
            self.words[variety] = frozenset(map(fold_word, found))
        self._names = self.words.pop(NAME, frozenset())

    def is_name(self, word: str) -> bool:
        """Whether a folded word is a listed name, with or without a prefix."""
        return word in self._names or any(
            word.startswith(prefix) and word[len(prefix) :] in self._names for prefix in _PREFIXES
        )

    def words_of(self, text: str) -> dict[str, list[str]]:
        """Return the folded words of a text by script, without names, addresses and hashtags."""
        found: dict[str, list[str]] = {"Arab": [], "Latn": []}
        for word in _WORD.findall(fold_word(_HIDDEN.sub(" ", text))):
            if not self.is_name(word):
                found["Arab" if word[0] >= "\u0600" else "Latn"].append(word)
        return found


def script_of(variety: str) -> str | None:
    """Return the script of a variety's name; None for one that ends with none of SCRIPTS."""
    script = variety.rpartition("_")[2]
    return script if script in SCRIPTS and script != variety else None


def read_specific_words(path: Path) -> SpecificWords:
    """Read a list of ``variety TAB word``.

    Raises:
        LexiconError: it cannot be read, a variety's name does not end with a script, or a word is
            not written in it: not a single word, or not a single Han character.
    """
    categories = read_words(path)
    for word, variety in categories.items():
        script = script_of(variety)
        if variety == NAME:
            continue
        if script is None:
            raise LexiconError(
                f"{path}: {variety!r}: expected {NAME}, or a variety that ends with "
                f"{', '.join('_' + known for known in SCRIPTS)}"
            )
        if not _fits(word, script):
            raise LexiconError(f"{path}: {word!r}: expected one word of the script of {variety}")
    return SpecificWords(categories)


def _fits(word: str, script: str) -> bool:
    if script == HAN:
        return len(word) == 1 and not _WORD.search(word)
    folded = fold_word(word)
    return bool(_WORD.fullmatch(folded)) and (folded[0] >= "\u0600") == (script == "Arab")
