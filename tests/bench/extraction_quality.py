"""How near the extractors come to the known main text of real Chinese pages, and how fast.

    python -m tests.bench.extraction_quality --data DIR [--fit] [--rounds 5] [--seeds 5]

The pages are those of DIR/extraction with a main text that a reader marked. Precision, recall and
F1 are of character 4-grams, whitespace left out, each as often as it occurs, and means over pages;
a page is lost when nothing of it is left. The first row is judged by cross-validation: five folds
of whole sites, everything that is fitted fitted again for each fold, once for every seed, to the
other sites and to made pages (tests/builders/page_templates) of the other templates. The second
row is the model that udfs/html/main_text.py has, which has seen these pages.

Pages a second are of one core's time, each extractor over all pages in each round, on
pages decoded beforehand: the best round, and the median of its ratio to resiliparse's main content
in the same round, which says more on a machine with other work.

--fit prints the model fitted to all pages, as udfs/html/main_text.py has it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from tests.bench.gold_pages import GoldPage, gold_pages, grams, mean_scores, scores
from tests.bench.line_model import constants, cross_validated, examples_of, fit
from udfs.html.page_text import Extractor, HtmlLimits, extract_page

FOLDS = 5
REFERENCE = "resiliparse main_content"
_SLOW = {"trafilatura": 1}  # rounds


def extractors() -> dict[str, Callable[[str], str]]:
    """What is compared, by name. trafilatura is left out where it is not installed."""

    def ours(extractor: Extractor) -> Callable[[str], str]:
        limits = HtmlLimits()
        return lambda html: extract_page(html, limits, extractor).text

    found: dict[str, Callable[[str], str]] = {
        "fast, shipped": ours("fast"),
        "plain": ours("plain"),
        REFERENCE: lambda html: extract_plain_text(
            HTMLTree.parse(html), main_content=True, links=False, alt_texts=False
        ),
        "parse only": lambda html: str(HTMLTree.parse(html).title),
    }
    if find_spec("trafilatura") is not None:
        found["trafilatura"] = ours("trafilatura")
    return found


def seconds(pages: Sequence[GoldPage], rounds: int) -> dict[str, list[float]]:
    """Processor time of each extractor over all pages, a figure for each round."""
    encoded = [page.html.encode("utf-8", "replace") for page in pages]
    found: dict[str, list[float]] = {name: [] for name in extractors()}
    for number in range(rounds):
        for name, extract in extractors().items():
            if number >= _SLOW.get(name, rounds):
                continue
            # New strings each time: Python keeps the UTF-8 of one that was encoded before.
            fresh = [page.decode() for page in encoded]
            start = time.process_time()
            for html in fresh:
                extract(html)
            found[name].append(time.process_time() - start)
    return found


def report(data: Path, rounds: int, seeds: int) -> None:
    """Print the table."""
    pages = gold_pages(data)
    examples = examples_of(data)
    sites = len({page.site for page in pages})
    print(f"{len(pages)} pages of {sites} sites")
    print(
        f"{'extractor':<26}{'precision':>10}{'recall':>8}{'F1':>8}{'lost':>6}{'pages/s':>9}{'ratio':>7}"
    )
    runs = [cross_validated(examples, FOLDS, seed)[: len(pages)] for seed in range(seeds)]
    means = [mean_scores(run) for run in runs]
    precision, recall, f1 = (statistics.mean(column) for column in zip(*means, strict=True))
    lost = max(sum(score[1] == 0 for score in run) for run in runs)
    print(f"{'fast, cross-validated':<26}{precision:10.3f}{recall:8.3f}{f1:8.3f}{lost:6}")
    taken = seconds(pages, rounds)
    for name, extract in extractors().items():
        best = len(pages) / min(taken[name])
        ratio = statistics.median(
            [own / other for own, other in zip(taken[name], taken[REFERENCE], strict=False)]
        )
        row = " " * 32
        if name != "parse only":
            texts = [extract(page.html) for page in pages]
            precision, recall, f1 = mean_scores(
                [scores(text, grams(page.gold)) for text, page in zip(texts, pages, strict=True)]
            )
            lost = sum(not text for text in texts)
            row = f"{precision:10.3f}{recall:8.3f}{f1:8.3f}{lost:6}"
        print(f"{name:<26}{row}{best:9,.0f}{ratio:7.2f}")
    spread = [f"{score[2]:.4f}" for score in means]
    print(f"F1 of each seed: {' '.join(spread)}")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="fit to all pages and print the model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args(argv)
    if arguments.fit:
        fitted = fit(examples_of(arguments.data))
        print("MODEL = LineModel(\n", *constants(fitted.articles), ")", sep="")
        print("OTHER_MODEL = LineModel(\n", *constants(fitted.others), ")", sep="")
        return 0
    report(arguments.data, arguments.rounds, arguments.seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
