"""What templates write with: drawn texts, class names that change from page to page, the gold.

Everything that is drawn comes from the writer's dice. Text that belongs to the main text goes
through `Writer.kept` or `Writer.body`, in the order in which the page shows it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.texts import PageTexts, a_title, one_sentence, some_lines

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_SHORT_POST = 0.3  # of all posts are one of `names.SHORT_POSTS`
_LONG_POST = 0.12  # and these have several lines
_INLINE = 0.25  # lines with a link, a bold or a styled part
_KEPT_AS_WRITTEN = 0.5  # pages whose classes are the template's own


class Skin:
    """Class names of one page: as the template has them, or as another skin of the system would.

    A name is written the same everywhere on a page. Some pages have names of random letters, as
    compiled style sheets give them, so that no name is always there.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._style = (
            "own"
            if dice.random() < _KEPT_AS_WRITTEN
            else dice.choice(("prefixed", "camel", "module", "hashed", "suffixed"))
        )
        self._prefix = dice.choice(("t", "m", "ui", "x", "pc", "js", "g", "w"))
        self._written: dict[str, str] = {}

    def name(self, name: str) -> str:
        """The name as this page writes it."""
        if name not in self._written:
            self._written[name] = self._new(name)
        return self._written[name]

    def _new(self, name: str) -> str:
        letters = "".join(self._dice.choices(_ALPHABET, k=6))
        parts = name.replace("_", "-").split("-")
        camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
        return {
            "own": name,
            "prefixed": f"{self._prefix}-{name}",
            "camel": camel,
            "module": f"{camel[:1].upper()}{camel[1:]}_{letters}",
            "hashed": f"{letters}{self._dice.randrange(100)}",
            "suffixed": f"{name}{self._dice.randrange(1, 10)}",
        }[self._style]


class Writer:
    """Draws what a page holds and collects its main text.

    Attributes:
        dice: All draws of the page.
        gold: Lines of the main text so far.
        subject: Title of the page.
        site: Name of the site.
    """

    def __init__(self, dice: random.Random, texts: PageTexts) -> None:
        self.dice = dice
        self.texts = texts
        self.gold: list[str] = []
        self.site = dice.choice(names.SITES) + dice.choice(names.SITE_KINDS)
        self.subject = ""
        self._skin = Skin(dice)

    # --- draws

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.dice.random() < share

    def count(self, least: int, most: int) -> int:
        """A number between two limits, both included."""
        return self.dice.randint(least, most)

    def times(self, least: int, most: int) -> range:
        """As many numbers, from 0."""
        return range(self.dice.randint(least, most))

    def one_of(self, choices: Sequence[str]) -> str:
        """One of some strings."""
        return self.dice.choice(choices)

    def some_of(self, choices: Sequence[str], least: int, most: int) -> list[str]:
        """Different ones of some strings."""
        return self.dice.sample(choices, min(len(choices), self.count(least, most)))

    def user(self) -> str:
        """A user's name."""
        name = "".join(self.some_of(names.SYLLABLES, 2, 3))
        return self.dice.choice(
            (
                name,
                f"{name}{self.count(1, 9999)}",
                f"{self.one_of(names.LATIN_NAMES)}_{self.count(10, 999)}",
                self.one_of(names.LATIN_NAMES),
                f"{self.one_of(names.PLACES)}网友",
                f"匿名用户{self.count(10, 99999)}",
            )
        )

    def date(self) -> str:
        """A day, in one of the usual forms."""
        year, month, day = self.count(2006, 2024), self.count(1, 12), self.count(1, 28)
        return self.dice.choice(
            (
                f"{year}-{month:02}-{day:02}",
                f"{year}-{month}-{day}",
                f"{year}年{month}月{day}日",
                f"{year}/{month:02}/{day:02}",
                f"{month:02}-{day:02}",
                f"{self.count(2, 23)}小时前",
                f"{self.count(2, 6)}天前",
            )
        )

    def moment(self) -> str:
        """A day and a time of the day."""
        return f"{self.date()} {self.count(0, 23):02}:{self.count(0, 59):02}"

    def number(self) -> str:
        """A counter as pages show it."""
        size = self.count(0, 5)
        value = self.dice.randrange(10**size)
        if value > 9999 and self.chance(0.6):
            return f"{value / 10000:.1f}万"
        return str(value)

    def headline(self, kind: str = "prose") -> str:
        """A title of a text of some kind, not escaped."""
        return a_title(getattr(self.texts, kind), self.dice)

    def sentence(self, kind: str, least: int, most: int) -> str:
        """A sentence of a text of some kind, not escaped."""
        return one_sentence(getattr(self.texts, kind), self.dice, least, most)

    def lines(self, kind: str, chars: int) -> list[str]:
        """Lines of about this many characters together, not escaped."""
        return some_lines(getattr(self.texts, kind), self.dice, chars)

    def post(self) -> list[str]:
        """The lines of something that a user wrote: often short, seldom long; not escaped."""
        drawn = self.dice.random()
        if drawn < _SHORT_POST:
            return [self.one_of(names.SHORT_POSTS)]
        if drawn > 1 - _LONG_POST:
            return self.lines("talk", self.count(80, 500))
        return [self.sentence("talk", 8, 90)]

    def named(self, kind: str = "prose") -> str:
        """Draw the page's title; escaped."""
        self.subject = self.headline(kind)
        return escape(self.subject)

    # --- markup

    def c(self, classes: str) -> str:
        """A class attribute of some names, as this page writes them."""
        return f'class="{" ".join(self._skin.name(name) for name in classes.split())}"'

    def i(self, name: str) -> str:
        """An id attribute."""
        return f'id="{self._skin.name(name)}"'

    def kept(self, line: str) -> str:
        """Count a line to the main text; escaped, now and then with a part in markup."""
        self.gold.append(line)
        if len(line) > 24 and self.chance(_INLINE):
            start = self.count(0, len(line) - 12)
            end = start + self.count(2, 10)
            opened, closed = self.dice.choice(names.INLINE)
            parts = escape(line[:start]), escape(line[start:end]), escape(line[end:])
            return f"{parts[0]}{opened}{parts[1]}{closed}{parts[2]}"
        return escape(line)

    def body(self, lines: Sequence[str], how: str | None = None) -> str:
        """Lines of the main text in one of the ways that editors write them.

        Args:
            how: One of `names.BODIES`; drawn where None.
        """
        how = how or self.one_of(names.BODIES)
        kept = [self.kept(line) for line in lines]
        if how == "br":
            return "<br>\n".join(kept)
        if how == "br br":
            return "<br /><br />\n".join(f"&nbsp;&nbsp;&nbsp;&nbsp;{line}" for line in kept)
        if how == "indented":
            return "\n".join(f"<p>\u3000\u3000{line}</p>" for line in kept)
        if how == "div":
            return "\n".join(f"<div>{line}</div>" for line in kept)
        if how == "span":
            style = self.one_of(
                ("font-size:16px", "color:#3f3f3f;line-height:2", "text-indent:2em")
            )
            return "\n".join(f'<p><span style="{style}">{line}</span></p>' for line in kept)
        if how == "section":
            return "\n".join(
                f"<section><section><p>{line}</p></section></section>" for line in kept
            )
        return "\n".join(f"<p>{line}</p>" for line in kept)

    def nested(self, markup: str, most: int = 3) -> str:
        """Markup inside of some further elements without a meaning."""
        for _ in self.times(0, most):
            wrapper = self.one_of(("wrap", "inner", "box", "container", "row", "col", "w1200"))
            markup = f"<div {self.c(wrapper)}>{markup}</div>"
        return markup
