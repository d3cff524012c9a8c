"""How near extractors come to the main text of each family of pages.

    python -m tests.bench.page_families --data DIR [--pages-each 12] [--templates] [--write FOLDER]

The pages are made ones (tests/builders/page_templates) and, in the last row, the real ones of
DIR/extraction with known text. Precision, recall and F1 are of character 4-grams, means over pages;
for a page without main text they are 1 when an extractor finds nothing, and 0 otherwise. A page is
lost when it holds at least 100 characters of main text and less than a twentieth of its 4-grams is
found.

"held out" is the extractor fitted for each fold to the pages of all other templates and sites; the
shipped model may have seen templates and real pages. --templates adds a row for each template;
--write leaves the pages with their main texts and what was found instead.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.bench.extraction_quality import REFERENCE, extractors
from tests.bench.gold_pages import GoldPage, gold_pages, grams, mean_scores, scores
from tests.bench.line_model import Example, example, fit
from tests.bench.timing import table
from tests.builders.page_templates.page import FAMILIES
from tests.builders.page_templates.templates import made_pages
from tests.builders.page_templates.texts import read_page_texts

FOLDS = 4
SEED = 19
PAGES_EACH = 12
REAL = "real pages"
MIN_PROSE_CHARS = 100
_SHOWN = ("F1", "lost")
_LOST = 0.05  # of the known text's 4-grams

Extract = Callable[[str], str]
"""HTML -> main text."""


@dataclass(frozen=True)
class FamilyPage(GoldPage):
    """A page with known main text and its family; `site` is a made page's template."""

    family: str


Fit = Callable[[Sequence[FamilyPage]], Extract]
"""Pages with known main text -> an extractor fitted to them."""


@dataclass(frozen=True)
class FamilyRow:
    """How near an extractor comes to the pages of a family.

    Attributes:
        pages: Number of pages.
        precision: Mean over pages, as recall and f1.
        lost: Pages lost whole, of those that hold at least `MIN_PROSE_CHARS`.
    """

    family: str
    pages: int
    precision: float
    recall: float
    f1: float
    lost: int


def family_pages(data: Path, seed: int = SEED, pages_each: int = PAGES_EACH) -> list[FamilyPage]:
    """Made pages of all templates, then the real ones of DIR/extraction."""
    made = [
        FamilyPage(page.name, page.template, page.html.decode(), page.gold, page.family)
        for page in made_pages(read_page_texts(data), seed, pages_each=pages_each)
    ]
    real = [
        FamilyPage(page.name, page.site, page.html, page.gold, REAL) for page in gold_pages(data)
    ]
    return made + real


def folds_of(pages: Sequence[FamilyPage], folds: int = FOLDS, seed: int = SEED) -> list[int]:
    """Return the fold of each page: templates and sites stay whole, and each family is spread."""
    fold_of: dict[str, int] = {}
    for place, family in enumerate(sorted({page.family for page in pages})):
        sites = sorted({page.site for page in pages if page.family == family})
        random.Random(seed).shuffle(sites)
        for number, site in enumerate(sites):
            fold_of.setdefault(site, (number + place) % folds)
    return [fold_of[page.site] for page in pages]


def held_out_texts(pages: Sequence[FamilyPage], folds: Sequence[int], fitted: Fit) -> list[str]:
    """Return the main text of each page by an extractor that saw no page of its fold."""
    found: dict[str, str] = {}
    for fold in sorted(set(folds)):
        extract = fitted([page for page, own in zip(pages, folds, strict=True) if own != fold])
        for page, own in zip(pages, folds, strict=True):
            if own == fold:
                found[page.name] = extract(page.html)
    return [found[page.name] for page in pages]


def family_rows(
    pages: Sequence[FamilyPage], texts: Sequence[str], *, by_template: bool = False
) -> list[FamilyRow]:
    """Return a row for each family, in the order of `FAMILIES`, and for the real pages.

    Args:
        texts: What an extractor found in each page.
        by_template: Rows of templates instead; the real pages remain one row.
    """
    groups: dict[str, list[tuple[FamilyPage, tuple[float, float, float]]]] = {}
    if not by_template:
        groups = {family: [] for family in (*FAMILIES, REAL)}
    for page, text in zip(pages, texts, strict=True):
        group = page.site if by_template and page.family != REAL else page.family
        groups.setdefault(group, []).append((page, scores(text, grams(page.gold))))
    rows = []
    for group, judged in groups.items():
        if judged:
            lost = sum(
                len("".join(page.gold.split())) >= MIN_PROSE_CHARS and score[1] < _LOST
                for page, score in judged
            )
            means = mean_scores([score for _, score in judged])
            rows.append(FamilyRow(group, len(judged), *means, lost))
    return rows


def fitted_models(pages: Sequence[FamilyPage]) -> Extract:
    """Fit the models of lines and kinds to some pages."""
    fitted = fit([_example(page) for page in pages])
    return lambda html: fitted.text(example(GoldPage("", "", html, "")))


@cache
def _example(page: FamilyPage) -> Example:
    """A page's example, the same in every fold."""
    return example(page, None if page.family == REAL else page.family)


def found_texts(pages: Sequence[FamilyPage]) -> dict[str, list[str]]:
    """Return what each extractor finds in each page."""
    found = {"taojin, held out": held_out_texts(pages, folds_of(pages), fitted_models)}
    others = extractors()
    for name, key in (
        ("taojin, shipped", "fast, shipped"),
        ("trafilatura", "trafilatura"),
        ("resiliparse", REFERENCE),
    ):
        if key in others:
            found[name] = [others[key](page.html) for page in pages]
    return found


def report(
    pages: Sequence[FamilyPage], found: Mapping[str, Sequence[str]], *, by_template: bool
) -> Iterator[str]:
    """The table of families, and that of templates where it is wanted.

    Precision and recall are those of the first extractor.
    """
    for templates in (False, True)[: 1 + by_template]:
        rows = {
            name: family_rows(pages, texts, by_template=templates) for name, texts in found.items()
        }
        first = next(iter(rows.values()))
        headings = ["template" if templates else "family", "pages"]
        headings += ["precision", "recall"] + [
            f"{name}: {what}" for name in rows for what in _SHOWN
        ]
        lines = [
            [row.family, str(row.pages), f"{row.precision:.3f}", f"{row.recall:.3f}"]
            + [cell for other in rows.values() for cell in _cells(other[place])]
            for place, row in enumerate(first)
        ]
        yield table(headings, lines)


def write_pages(
    folder: Path, pages: Sequence[FamilyPage], found: Mapping[str, Sequence[str]]
) -> None:
    """Write every made page, its main text and what each extractor found."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, page in enumerate(pages):
        if page.family == REAL:
            continue
        (folder / f"{page.name}.html").write_text(page.html, encoding="utf-8")
        texts = {"gold": page.gold, **{name: texts[place] for name, texts in found.items()}}
        for name, text in texts.items():
            words = name.replace(",", "").replace(" ", "-")
            (folder / f"{page.name}.{words}.txt").write_text(text, encoding="utf-8")


def _cells(row: FamilyRow) -> list[str]:
    return [f"{row.f1:.3f}", str(row.lost)]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pages-each", type=int, default=PAGES_EACH, help="pages of each template")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--templates", action="store_true", help="also a row for each template")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="leave pages and texts there")
    arguments = parser.parse_args(argv)
    pages = family_pages(arguments.data, arguments.seed, arguments.pages_each)
    found = found_texts(pages)
    for part in report(pages, found, by_template=arguments.templates):
        print(f"{part}\n")
    if arguments.write is not None:
        write_pages(arguments.write, pages, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
