"""How often the kind of a page is found, and the weights of page_kind.py and page_listing.py.

    python -m tests.bench.page_kinds --data DIR [--fit] [--seeds 3]

The pages are those of DIR/extraction, whose kinds a reader noted, and made pages of every kind.
Accuracy is by cross-validation over sites and templates: no page is judged by a model that saw
another page of its site or its template. --fit prints the weights of all pages, as the modules of
udfs/html have them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.bench.fitting import folds_of, logistic, softmax_weights
from tests.builders.page_templates.templates import made_pages
from tests.builders.page_templates.texts import read_page_texts
from udfs.charset.decode import decode
from udfs.html.line_features import line_facts
from udfs.html.page_kind import PAGE_FEATURES, kind_of, page_features
from udfs.html.page_kinds import ARTICLE, INDEX, PAGE_KINDS
from udfs.html.page_lines import lines_of_text
from udfs.html.page_listing import LISTING_FEATURES, listing_features, share_of
from udfs.html.page_text import HtmlLimits, clean_title, parsed_page

FOLDS = 5
SEED = 19
_RIDGE, _LISTING_RIDGE = 0.3, 0.5
_LISTING_SHARE = 0.5
_ARTICLE_PRIOR = 0.5  # what hints at no kind is an article
_NAME_CHARS, _NUMBER_CHARS = 28, 7
# Kinds of the real pages by their ids; all others are articles.
_REAL_KINDS = {
    "question_answer": """
        magic_html__2c983edd919e457e magic_html__660f1afdd0b5d2c4 magic_html__044e68e44f3c616b
        magic_html__a4c329f2524d1262 magic_html__df28ea9a48811ae7
    """,
    "forum": """
        magic_html__6db2e2d672d8b4fe magic_html__6897d6ef37e9d530 magic_html__9864ca4dc1b29963
        cwced__386d70f8-19dc hplt_cc_html__wide86
    """,
    "encyclopedia": """
        magic_html__21475f4bb9752111 magic_html__06586406af5a4d94 cwced__d5bced5e-4ff7
        trafilatura__baike.baidu.com.tanya.html
    """,
    "index": """
        readability__pixnet readability__youth gerapy__list_dfa66_announcement
        gerapy__list_hrfund_announcement gerapy__list_hsqhfunds_announcement
        gerapy__list_netease_rolling_news gerapy__list_rtfund_xxpl hplt_cc_html__wide11
        hplt_cc_html__wide97
    """,
}


@dataclass(frozen=True)
class KindExample:
    """A page of a known kind; `group` is its site or its template."""

    name: str
    group: str
    is_real: bool
    kind: str
    features: npt.NDArray[np.float64]
    listing: npt.NDArray[np.float64]


def kind_examples(data: Path, pages_each: int) -> list[KindExample]:
    """Real and made pages with their features; pages without lines are left out."""
    found = []
    for name, group, is_real, kind, html in [*_real_pages(data), *_made_pages(data, pages_each)]:
        parsed = parsed_page(html, HtmlLimits())
        lines = None if isinstance(parsed, str) else lines_of_text(parsed[1])
        if lines is not None and len(lines):
            facts = line_facts(lines)
            features = page_features(lines, facts, clean_title(parsed[0]))
            listing = listing_features(lines, facts)
            found.append(KindExample(name, group, is_real, kind, features, listing))
    return found


def kind_of_real_page(name: str) -> str:
    """The kind of a page of DIR/extraction, as a reader noted it, by its id."""
    return next((kind for kind, names in _REAL_KINDS.items() if name in names.split()), ARTICLE)


def fit_kinds(examples: Sequence[KindExample]) -> npt.NDArray[np.float64]:
    """Weights of features and kinds, by multinomial logistic regression.

    Each kind weighs as much as any other among the made pages, and a real page as much as the
    mean made one.
    """
    kinds = np.array([PAGE_KINDS.index(example.kind) for example in examples])
    features = np.array([example.features for example in examples])
    made = np.array([not example.is_real for example in examples])
    weight = np.ones(len(examples))
    counts = Counter(kinds[made].tolist())
    for place, kind in enumerate(kinds):
        if made[place]:
            weight[place] = made.sum() / len(counts) / counts[kind]
    weights = softmax_weights(features, kinds, weight, len(PAGE_KINDS), _RIDGE)
    weights[0, PAGE_KINDS.index(ARTICLE)] += _ARTICLE_PRIOR
    return np.round(weights, 2)


def fit_listing(examples: Sequence[KindExample]) -> npt.NDArray[np.float64]:
    """Weights of the features of listings, by logistic regression.

    All indexes weigh half as much as all other pages.
    """
    is_index = np.array([float(example.kind == INDEX) for example in examples])
    features = np.array([example.listing for example in examples])
    many = len(examples) / max(is_index.sum(), 1.0) - 1.0
    weight = np.where(is_index > 0, many * _LISTING_SHARE, 1.0)
    return np.round(logistic(features, is_index, weight, _LISTING_RIDGE), 2)


def cross_validated(examples: Sequence[KindExample], seed: int) -> list[str]:
    """The kind found for each page by a model that saw no page of its group."""
    fold_of = folds_of({example.group for example in examples}, FOLDS, seed)
    found: dict[str, str] = {}
    for fold in range(FOLDS):
        seen = [page for page in examples if fold_of[page.group] != fold]
        weights, listing = fit_kinds(seen), fit_listing(seen)
        for page in examples:
            if fold_of[page.group] == fold:
                found[page.name], _ = kind_of(
                    page.features, weights, share_of(page.listing, listing)
                )
    return [found[page.name] for page in examples]


def table(names: Sequence[str], weights: npt.NDArray[np.float64]) -> Iterator[str]:
    """The weights as a module has them, a line for each feature."""
    for name, row in zip(names, weights, strict=True):
        numbers = "".join(f"{number:{_NUMBER_CHARS}.2f}" for number in row)
        yield f"{name:<{_NAME_CHARS}}{numbers}"


def report(examples: Sequence[KindExample], seeds: int) -> None:
    """Print accuracy by kind, of made and of real pages, and the most frequent mistakes."""
    runs = [cross_validated(examples, seed) for seed in range(seeds)]
    print(f"{'kind':<18}{'made pages':>12}{'right':>8}{'real pages':>12}{'right':>8}")
    for kind in PAGE_KINDS:
        row = f"{kind:<18}"
        for is_real in (False, True):
            rows = [n for n, e in enumerate(examples) if e.kind == kind and e.is_real == is_real]
            right = [run[n] == kind for run in runs for n in rows]
            row += f"{len(rows):12}{np.mean(right) if right else float('nan'):8.3f}"
        print(row)
    mistakes = Counter(
        (example.kind, found, "real" if example.is_real else example.group)
        for run in runs
        for example, found in zip(examples, run, strict=True)
        if found != example.kind
    )
    for (kind, found, where), count in mistakes.most_common(25):
        print(f"{kind} as {found}: {count / seeds:.1f} ({where})")


def _real_pages(data: Path) -> Iterator[tuple[str, str, bool, str, bytes]]:
    folder = data / "extraction"
    with gzip.open(folder / "pages.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            html = decode((folder / row["html"]).read_bytes(), None).text
            site = row["site"] or row["id"].split("_")[-2]
            kind = kind_of_real_page(row["id"])
            yield row["id"], site, True, kind, html.encode("utf-8", "replace")


def _made_pages(data: Path, pages_each: int) -> Iterator[tuple[str, str, bool, str, bytes]]:
    for page in made_pages(read_page_texts(data), SEED, pages_each=pages_each):
        yield page.name, page.template, False, page.family, page.html


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fit", action="store_true", help="fit to all pages and print the weights")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pages-each", type=int, default=8, help="made pages of each template")
    arguments = parser.parse_args(argv)
    examples = kind_examples(arguments.data, arguments.pages_each)
    if arguments.fit:
        print("\n".join(table(PAGE_FEATURES, fit_kinds(examples))), end="\n\n")
        print("\n".join(table(LISTING_FEATURES, fit_listing(examples)[:, None])))
    else:
        report(examples, arguments.seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
