"""Texts in many languages, scripts and styles that every machine with this project's tests has.

Languages other than Chinese are those of the translations that programs bring along
(gettext catalogues); English is that of Python's own manual and of the installed packages'
descriptions; scripts and styles are those of Spark's web interface. A language that the machine
lacks is written with made-up words over its alphabet.
"""

from __future__ import annotations

import functools
import gettext
import random
import re
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import distributions
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

LOCALES = Path("/usr/share/locale")
_ENOUGH_CHARS = 10_000

# Language, its share of the pages that are neither Chinese nor ASCII (in per mille; about the
# shares of Common Crawl's own language statistics of 2024), the alphabet of made-up words.
_LATIN = "abcdefghijklmnopqrstuvwxyz"
LANGUAGES: dict[str, tuple[int, str]] = {
    "ru": (150, "абвгдежзийклмнопрстуфхцчшщыьэюя"),
    "de": (137, _LATIN + "äöüß"),
    "ja": (80, "".join(map(chr, range(0x3042, 0x3094))) + "日本語文字大小中人時年月"),
    "es": (115, _LATIN + "áéíñóú"),
    "fr": (110, _LATIN + "àçéèêôù"),
    "pt": (60, _LATIN + "ãçéõ"),
    "it": (62, _LATIN + "àèìòù"),
    "pl": (45, _LATIN + "ąćęłńóśźż"),
    "tr": (28, _LATIN + "çğıöşü"),
    "cs": (25, _LATIN + "áčěířšůž"),
    "vi": (25, _LATIN + "ăâđêôơưạảấầẩẫậắằ"),
    "ko": (20, "".join(map(chr, range(0xAC00, 0xD7A0, 37)))),
    "ar": (18, "".join(map(chr, range(0x621, 0x64B)))),
    "fa": (18, "".join(map(chr, range(0x621, 0x64B))) + "پچژگ"),
    "el": (15, "αβγδεζηθικλμνξοπρστυφχψως"),
    "uk": (15, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    "sv": (17, _LATIN + "åäö"),
    "hu": (15, _LATIN + "áéíóöőúüű"),
    "ro": (12, _LATIN + "ăâîșț"),
    "th": (11, "".join(map(chr, range(0xE01, 0xE2F)))),
    "he": (8, "".join(map(chr, range(0x5D0, 0x5EB)))),
    "hi": (8, "".join(map(chr, range(0x905, 0x93A)))),
    "ka": (6, "".join(map(chr, range(0x10D0, 0x10F1)))),
}

_PLACEHOLDER = re.compile(
    r"%[-#0+ ]?\d*\.?\d*(?:l{0,2}[diouxXcs]|\([^)]*\)[ds]|[s%])|[_{}<>\t\\`|]"
)
_SPACES = re.compile(r"\s+")


@functools.cache
def messages(language: str) -> list[str]:
    """Translated messages of a language, in a fixed order; none where the machine has too few."""
    found: set[str] = set()
    for path in sorted(LOCALES.glob(f"{language}/LC_MESSAGES/*.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        # The only way to all messages of a catalogue; the same since Python 2.
        for source, text in catalogue._catalog.items():  # type: ignore[attr-defined]
            if source and isinstance(text, str) and len(text) > 20:
                found.add(_SPACES.sub(" ", _PLACEHOLDER.sub("", text)).strip())
    if sum(map(len, found)) < _ENOUGH_CHARS:
        return []
    return sorted(found)


@functools.cache
def english() -> list[str]:
    """Sentences of English prose in ASCII."""
    from pydoc_data.topics import topics

    texts = [topics[name] for name in sorted(topics)]
    for distribution in sorted(distributions(), key=lambda d: d.metadata["Name"] or ""):
        texts.append(distribution.read_text("METADATA") or "")
    prose = []
    for text in texts:
        for paragraph in re.split(r"\n\s*\n", text):
            line = _SPACES.sub(" ", paragraph).strip()
            if line.isascii() and re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", line):
                prose += [s for s in re.split(r"(?<=[.!?]) ", line) if 25 < len(s) < 400]
    return sorted(set(prose))


class TextMaker:
    """Paragraphs in one language.

    Words follow each other as in the sentences given (a first-order chain), so that texts have
    a language's words and its compressibility, and no two pages are the same. A language
    without spaces is put together from whole messages.
    """

    def __init__(self, sentences: Sequence[str], alphabet: str) -> None:
        sentences = sentences or _made_up(alphabet)
        self._whole = list(sentences)
        self._spaced = sum(s.count(" ") for s in sentences) * 12 > sum(map(len, sentences))
        self._next: dict[str, list[str]] = {}
        self._first = []
        for sentence in sentences:
            words = sentence.split()
            self._first.append(words[0])
            for word, follower in pairwise(words):
                self._next.setdefault(word, []).append(follower)

    def sentence(self, dice: random.Random) -> str:
        if not self._spaced:
            return dice.choice(self._whole)
        word = dice.choice(self._first)
        words = [word]
        for _ in range(dice.randrange(6, 28)):
            followers = self._next.get(word)
            if followers is None:
                break
            word = dice.choice(followers)
            words.append(word)
        text = " ".join(words)
        return text if text[-1:] in ".!?" else text + "."

    def words(self, dice: random.Random, most_chars: int) -> str:
        """A short phrase, for a link or a title."""
        return self.sentence(dice)[:most_chars].strip(" .")

    def text(self, dice: random.Random, chars: int) -> str:
        """Paragraphs, one a line."""
        lines: list[str] = []
        while chars > 0:
            line = " ".join(self.sentence(dice) for _ in range(dice.randrange(2, 7)))
            lines.append(line)
            chars -= len(line)
        return "\n".join(lines)


def _made_up(alphabet: str) -> list[str]:
    dice = random.Random(alphabet)
    vocabulary = ["".join(dice.choices(alphabet, k=dice.randrange(2, 10))) for _ in range(4000)]
    weights = [1 / (rank + 2) for rank in range(len(vocabulary))]
    return [" ".join(dice.choices(vocabulary, weights, k=12)) + "." for _ in range(800)]


@functools.cache
def maker(language: str) -> TextMaker:
    """The maker of a language's texts; "en" is ASCII."""
    if language == "en":
        return TextMaker(english(), _LATIN)
    return TextMaker(messages(language), LANGUAGES[language][1])


@functools.cache
def scripts_and_styles() -> tuple[str, str]:
    """All JavaScript and all CSS at hand, in ASCII.

    Raises:
        FileNotFoundError: PySpark's jar is not there.
    """
    spec = find_spec("pyspark")
    jars = Path(spec.origin).parent / "jars" if spec and spec.origin else Path()
    jar = next(iter(sorted(jars.glob("spark-core_*.jar"))), None)
    if jar is None:
        raise FileNotFoundError(f"no spark-core jar beside pyspark in {sys.prefix}")
    scripts, styles = [], []
    with zipfile.ZipFile(jar) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith((".js", ".css")):
                text = archive.read(name).decode("ascii", "ignore")
                (scripts if name.endswith(".js") else styles).append(text)
    return "".join(scripts).replace("</", "<\\/"), "".join(styles)
