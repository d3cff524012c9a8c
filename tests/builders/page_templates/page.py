"""Made pages: which templates there are, and the pages that they give."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tests.builders.page_templates.frame import document
from tests.builders.page_templates.texts import PageTexts
from tests.builders.page_templates.writer import Writer

Family = Literal[
    "article",
    "forum",
    "question_answer",
    "comments",
    "microblog",
    "encyclopedia",
    "product",
    "video",
    "index",
    "chapter",
]
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True)
class Template:
    """One system's page of one kind.

    Attributes:
        family: What the page is; README.md says what each family gives.
        write: Returns the markup inside of the body, and collects the main text in the writer.
    """

    family: Family
    write: Callable[[Writer], str]

    @property
    def name(self) -> str:
        """Name of the template."""
        return self.write.__name__


@dataclass(frozen=True)
class MadePage:
    """A made page.

    Attributes:
        html: UTF-8.
        family: What the page is.
        template: Name of its template: pages of one template are held out together.
        gold: The lines of its main text, in order; "" for a page that has none.
        name: Template and number; unique for one seed.
    """

    html: bytes
    family: Family
    template: str
    gold: str
    name: str


def pages_of(
    templates: Sequence[Template], texts: PageTexts, seed: int, pages_each: int
) -> Iterator[MadePage]:
    """The pages of some templates: the first of each, then the second, and so on.

    A page depends on the texts, the seed, its template's name and its number alone.
    """
    for number in range(pages_each):
        for template in templates:
            name = f"{template.name}-{number}"
            writer = Writer(random.Random(f"{seed} {name}"), texts)
            html = document(writer, template.write(writer))
            yield MadePage(
                html.encode(), template.family, template.name, "\n".join(writer.gold), name
            )
