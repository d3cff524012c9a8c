"""Made pages: training pages put together from labelled ones, for cases that are rare in a crawl.

Few pages of a crawl are worth keeping, and most of those carry prose under menus; spammers put
copied prose under their titles. Both kinds are made here from parts: a model that sees the same
prose under a menu and under a spammer's title, and a page without its prose, has to learn the
difference.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from udfs.tokens.shape_measures import PROSE_CHARS

_MARKS = frozenset("，。！？；、：,;!?")
_SENTENCES = re.compile(r"(?<=[。！？])")
_CLAUSES = re.compile(r"(?<=[。！？，])")
_TITLE_PARTS = re.compile(r"[\s_\-|,，()（）]+")
_STUB_CHARS = 150
_SITE_PARTS = re.compile(r"[-_|]")


@dataclass(frozen=True)
class LabelledPage:
    """A labelled page as text."""

    text: str
    is_clean: bool
    is_spam: bool
    """Whether it is there to lead readers elsewhere (gambling, pornography, stuffed words)."""
    unit: str
    """Pages of one unit are held out together; a made page has the unit of its page."""


@dataclass(frozen=True)
class MadePage:
    """A text put together from others."""

    text: str
    is_clean: bool
    unit: str
    how: str
    """A key of `COUNTS`."""


COUNTS = {
    "mixed": 250,
    "bare": 150,
    "spam_head": 300,
    "clean_crop": 150,
    "junk_crop": 150,
    "prose": 150,
    "stub": 300,
}
"""Attempts of each kind; a few give no page."""


def made_pages(
    pages: Sequence[LabelledPage], prose: Sequence[Sequence[str]], seed: int
) -> list[MadePage]:
    """Make pages from parts of labelled pages and of curated prose.

    Args:
        pages: The labelled pages of the training part, no held-out ones.
        prose: Curated texts by source; sources are drawn with equal probability.
        seed: Seed of all draws.
    """
    maker = _PageMaker(pages, prose, random.Random(seed))
    makers: dict[str, Callable[[], MadePage | None]] = {
        "mixed": maker.mixed,
        "bare": maker.bare,
        "spam_head": maker.spam_head,
        "clean_crop": maker.clean_crop,
        "junk_crop": maker.junk_crop,
        "prose": maker.prose,
        "stub": maker.stub,
    }
    tries = [makers[how]() for how, count in COUNTS.items() for _ in range(count)]
    return [page for page in tries if page is not None]


def is_prose(line: str) -> bool:
    """Whether a line reads like a piece of prose and not like a menu."""
    marks = sum(sign in _MARKS for sign in line)
    return len(line) >= PROSE_CHARS and marks >= max(2, len(line) / 60)


class _PageMaker:
    """Labelled pages and prose, and one method for each kind of made page."""

    def __init__(
        self, pages: Sequence[LabelledPage], prose: Sequence[Sequence[str]], rng: random.Random
    ) -> None:
        self._rng = rng
        self._texts = prose
        self._pages = pages
        self._clean = [page for page in pages if page.is_clean]
        self._junk = [page for page in pages if not page.is_clean]
        self._spam = [page for page in self._junk if page.is_spam]
        self._menus = self._clean + [page for page in self._junk if not page.is_spam]

    def mixed(self) -> MadePage | None:
        """Make a page of curated prose between a page's menus, with a title from the prose."""
        rng = self._rng
        if not self._menus:
            return None
        page = rng.choice(self._menus)
        menu = [line for line in _lines(page.text) if not is_prose(line)]
        body = self._paragraphs(self._curated(), _log_uniform(rng, 8, 11.5))
        if not menu or sum(map(len, body)) < 200:
            return None
        cut = rng.randint(0, min(60, len(menu)))
        site = _SITE_PARTS.split(menu[0])[-1][:15]
        title = body[0].strip()[: rng.randint(8, 25)] + rng.choice(["_", " - ", "-"]) + site
        foot = menu[1 + cut :][-rng.randint(1, 40) :] if rng.random() < 0.8 else []
        text = "\n".join([title, *menu[1 : 1 + cut], *body, *foot])
        return MadePage(text, True, page.unit, "mixed")

    def bare(self) -> MadePage | None:
        """Make a junk page of a clean one by dropping its prose."""
        if not self._clean:
            return None
        page = self._rng.choice(self._clean)
        text = "\n".join(line for line in _lines(page.text) if not is_prose(line))
        return MadePage(text, False, page.unit, "bare")

    def spam_head(self) -> MadePage | None:
        """Make a page of copied prose under a spammer's title and menus.

        Half of the time the clauses are shuffled; mostly words of the title are inserted.
        """
        rng = self._rng
        if not self._spam:
            return None
        page = rng.choice(self._spam)
        lines = _lines(page.text)
        if len(lines) < 5:
            return None
        words = [part for part in _TITLE_PARTS.split(lines[0]) if len(part) >= 3]
        if rng.random() < 0.5:
            clauses = _CLAUSES.split("".join(self._curated() for _ in range(3)).replace("\n", ""))
            rng.shuffle(clauses)
            clauses = clauses[: rng.randint(10, 60)]
        else:
            clauses = _CLAUSES.split(self._curated()[: _log_uniform(rng, 8, 11)])
        if rng.random() < 0.7:
            for _ in range(rng.randint(1, 6)):
                word = rng.choice(words or [lines[0][:10]])
                clauses.insert(rng.randrange(len(clauses) + 1), word + rng.choice(["，", "", "。"]))
        body = self._paragraphs("".join(clauses), 4000)
        head = lines[: rng.randint(1, min(40, len(lines)))]
        text = "\n".join([*head, *body, *lines[-rng.randint(1, 30) :]])
        return MadePage(text, False, page.unit, "spam_head")

    def clean_crop(self) -> MadePage | None:
        """Make a clean page with fewer of its menu lines."""
        rng = self._rng
        if not self._clean:
            return None
        page = rng.choice(self._clean)
        lines = page.text.split("\n")
        prose = [at for at, line in enumerate(lines) if is_prose(line)]
        if sum(len(lines[at]) for at in prose) < 300:
            return None
        first = max(1, prose[0] - rng.randint(0, 40))
        last = prose[-1] + rng.randint(1, 40)
        text = "\n".join([lines[0], *lines[first:last]])
        return MadePage(text, True, page.unit, "clean_crop")

    def junk_crop(self) -> MadePage | None:
        """Make a page of some lines of a junk page under its title."""
        rng = self._rng
        if not self._junk:
            return None
        page = rng.choice(self._junk)
        lines = page.text.split("\n")
        if len(lines) < 10:
            return None
        first = rng.randrange(len(lines) // 2)
        last = first + rng.randint(5, len(lines))
        return MadePage("\n".join([lines[0], *lines[first:last]]), False, page.unit, "junk_crop")

    def prose(self) -> MadePage | None:
        """Make a page of prose alone, as an extractor returns it."""
        rng = self._rng
        source = rng.randrange(len(self._texts))
        chars = _log_uniform(rng, 8, 11.5)
        text = "\n".join(self._paragraphs(rng.choice(self._texts[source]), chars))
        return MadePage(text, True, f"source {source}", "prose")

    def stub(self) -> MadePage | None:
        """Make a page too short to keep: the beginning of one, or a sentence under its title."""
        rng = self._rng
        page = rng.choice(self._pages)
        lines = _lines(page.text)[: rng.randint(1, 6)]
        if rng.random() < 0.5:
            lines[1:] = [self._curated()]
        text = "\n".join(lines)[: rng.randint(10, _STUB_CHARS)]
        return MadePage(text, False, page.unit, "stub") if text.strip() else None

    def _curated(self) -> str:
        return self._rng.choice(self._rng.choice(self._texts))

    def _paragraphs(self, text: str, chars: int) -> list[str]:
        """The beginning of a text; half of its long lines are split at sentence ends."""
        rng = self._rng
        cut: list[str] = []
        for line in _lines(text[:chars]):
            if len(line) <= 400 or rng.random() >= 0.5:
                cut.append(line.strip())
                continue
            paragraph = ""
            for sentence in _SENTENCES.split(line):
                paragraph += sentence
                if len(paragraph) > rng.randint(60, 250):
                    cut.append(paragraph)
                    paragraph = ""
            cut += [paragraph] if paragraph else []
        indent = "　　" if rng.random() < 0.4 else ""
        return [indent + paragraph for paragraph in cut]


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _log_uniform(rng: random.Random, low: float, high: float) -> int:
    return int(2 ** rng.uniform(low, high))
