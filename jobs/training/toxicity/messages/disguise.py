"""Hide words of a message as writers of spam do: other spellings, styled digits, signs between."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.training.common.task import TrainingError

_CHINESE_DIGITS = "零一二三四五六七八九"
_FORMAL_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_HIDDEN = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
_SEPARATORS = (" ", ".", "·", "*", "-", "_", "/", "，", "|", "~", "丶", "、", "…", "^")
_SIGNS = ("🔥", "💰", "✨", "🌸", "❤", "🍑", "☀", "★", "♥", "✔", "🈶", "㊙", "ღ", "☆")

_MOST_METHODS = 3


@dataclass(frozen=True)
class Disguises:
    """Tables of other spellings.

    Attributes:
        spellings: Phrase -> other spellings.
        parts: Character -> its parts, side by side.
        traditional: Simplified character -> the traditional one.
    """

    spellings: Mapping[str, Sequence[str]]
    parts: Mapping[str, str]
    traditional: Mapping[str, str]

    def applied(self, text: str, rng: random.Random, *, is_ordinary: bool = False) -> str:
        """Return a text with words hidden in one to three ways.

        Args:
            is_ordinary: Only in the ways that writers of ordinary messages use: styled digits and
                letters, traditional characters, emoji.
        """
        plain: list[Callable[[str, random.Random], str]]
        plain = [styled, self._with_traditional, with_signs]
        hiding = [*plain, self._spelled, self._spelled, self._in_parts, interrupted]
        ways = plain if is_ordinary else hiding
        for _ in range(rng.randint(1, 1 if is_ordinary else _MOST_METHODS)):
            text = rng.choice(ways)(text, rng)
        return text

    def _spelled(self, text: str, rng: random.Random) -> str:
        """Up to three phrases in another spelling."""
        there = [phrase for phrase in self.spellings if phrase in text]
        for phrase in rng.sample(there, min(len(there), rng.randint(1, 3))):
            text = text.replace(phrase, rng.choice(self.spellings[phrase]))
        return text

    def _in_parts(self, text: str, rng: random.Random) -> str:
        """Up to two characters as their parts."""
        there = [sign for sign in self.parts if sign in text]
        for sign in rng.sample(there, min(len(there), rng.randint(1, 2))):
            text = text.replace(sign, self.parts[sign])
        return text

    def _with_traditional(self, text: str, rng: random.Random) -> str:
        share = rng.choice([0.3, 1.0])
        return "".join(self.traditional.get(s, s) if rng.random() < share else s for s in text)


def styled(text: str, rng: random.Random) -> str:
    """Write the digits and the letters of a text in another style each.

    >>> styled("加v12", random.Random(1)) != "加v12"
    True
    """
    digit = rng.choice([_full_width, _circled, _bold, _keycap, _chinese, _formal])
    letter = rng.choice([_full_width, _bold, _circled_letter, str.upper])
    return "".join(
        digit(s) if "0" <= s <= "9" else letter(s) if s.isascii() and s.isalpha() else s
        for s in text
    )


def interrupted(text: str, rng: random.Random) -> str:
    """Put a sign, or a mark that is not seen, between the characters of a part of a text."""
    sign = rng.choice(_HIDDEN if rng.random() < 0.3 else _SEPARATORS)
    length = rng.randint(2, 8)
    begin = rng.randint(0, max(0, len(text) - length))
    part = text[begin : begin + length]
    return text[:begin] + sign.join(part) + text[begin + length :]


def with_signs(text: str, rng: random.Random) -> str:
    """Put emoji before, behind and into a text."""
    sign = rng.choice(_SIGNS)
    at = rng.randint(0, len(text))
    return rng.choice([sign + text, text + sign, sign + text + sign, text[:at] + sign + text[at:]])


def read_disguises(path: Path) -> Disguises:
    """Read the tables. Raises TrainingError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return Disguises(tables["spellings"], tables["parts"], tables["traditional"])
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error


def _full_width(sign: str) -> str:
    return chr(ord(sign) + 0xFEE0)


def _circled(sign: str) -> str:
    return "⓪" if sign == "0" else chr(0x2460 + int(sign) - 1)


def _bold(sign: str) -> str:
    """The bold sign of the mathematical alphabets."""
    if sign.isdigit():
        return chr(0x1D7CE + int(sign))
    return chr((0x1D41A if sign.islower() else 0x1D400) + ord(sign.lower()) - ord("a"))


def _keycap(sign: str) -> str:
    return sign + "\ufe0f\u20e3"


def _chinese(sign: str) -> str:
    return _CHINESE_DIGITS[int(sign)]


def _formal(sign: str) -> str:
    return _FORMAL_DIGITS[int(sign)]


def _circled_letter(sign: str) -> str:
    return chr(0x24D0 + ord(sign.lower()) - ord("a"))
