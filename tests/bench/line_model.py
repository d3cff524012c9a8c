"""Fits the models of pages: which lines are main text, and of which kind a page is.

Pages are real ones and made ones; `site` of a made page is its template, so that folds keep
templates apart as they keep sites. Made pages together weigh `MADE_SHARE` times the real ones.

Everything that is fitted, weights and thresholds, is fitted by `fit` alone: a cross-validation
that calls it for every fold has seen nothing of the pages that it is judged on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.bench.fitting import folds_of, logistic
from tests.bench.gold_pages import GoldPage, gold_pages, grams, mean_scores, scores
from tests.bench.page_kinds import KindExample, fit_kinds, fit_listing, kind_of_real_page
from tests.builders.page_templates.templates import made_pages
from tests.builders.page_templates.texts import read_page_texts
from tests.udfs.html.plain_main_text import block_features
from udfs.html.class_words import KINDS
from udfs.html.line_features import (
    CONTEXT_FEATURES,
    LINE_FEATURES,
    OWN_FEATURES,
    LineFacts,
    context_features,
    line_facts,
    line_features,
)
from udfs.html.main_text import MODEL, LineModel, main_text, model_of
from udfs.html.page_kind import kind_of, page_features
from udfs.html.page_kinds import INDEX, THREADS
from udfs.html.page_lines import Lines, lines_of_text
from udfs.html.page_listing import listing_features, share_of
from udfs.html.page_text import HtmlLimits, clean_text, clean_title, parsed_page

MADE_SHARE = 2.0
SEED = 19
PAGES_EACH = 6
_RIDGE = 100.0  # against a weight of 100 for each page
_PAGE_WEIGHT = 100.0
_MIN_LINE_CHARS = 8
_THRESHOLDS = (0.45, 0.5)
_OTHER_RUNS = (0.2, 0.3)
_IS_TEXT = 0.5  # a line is text when more of its 4-grams than this are in the known text
_SHORT = 10  # characters; a shorter line must also stand where the known text has it
_LIMITS = HtmlLimits()


@dataclass(frozen=True)
class Example:
    """A page, ready to fit: features and truth of its lines. `weight` sums to 100."""

    page: GoldPage
    gold: Counter[str]
    lines: Lines
    facts: LineFacts
    features: npt.NDArray[np.float64]
    is_text: npt.NDArray[np.float64]
    weight: npt.NDArray[np.float64]
    kind: KindExample


@dataclass(frozen=True)
class Fitted:
    """Models fitted to pages: of lines in articles and in others, of kinds, of listings."""

    articles: LineModel
    others: LineModel
    kinds: npt.NDArray[np.float64]
    listing: npt.NDArray[np.float64]

    def text(self, page: Example) -> str:
        """Main text of a page."""
        listing = share_of(page.kind.listing, self.listing)
        _, shares = kind_of(page.kind.features, self.kinds, listing)
        model = self.articles if model_of(shares) is MODEL else self.others
        return clean_text(main_text(page.lines, model, page.facts, shares))


def example(page: GoldPage, kind: str | None = None) -> Example:
    """A page with the features and the truth of its lines.

    Args:
        kind: Of a made page; None for a real one.
    Raises:
        ValueError: it exceeds a limit of the parser.
    """
    parsed = parsed_page(page.html.encode("utf-8", "replace"), _LIMITS)
    if isinstance(parsed, str):
        raise ValueError(f"{page.name}: {parsed}")
    title, lines = clean_title(parsed[0]), lines_of_text(parsed[1])
    facts = line_facts(lines, title)
    texts = lines.page.decode().split("\n")
    weight = np.sqrt(np.maximum(lines.chars, _MIN_LINE_CHARS))
    return Example(
        page=page,
        gold=grams(page.gold),
        lines=lines,
        facts=facts,
        features=np.concatenate([line_features(lines, facts), block_features(lines)], axis=1),
        is_text=np.array(_truth([texts[number] for number in lines.numbers], page.gold), float),
        weight=weight / weight.sum() * _PAGE_WEIGHT,
        kind=KindExample(
            name=page.name,
            group=page.site,
            is_real=kind is None,
            kind=kind or kind_of_real_page(page.name),
            features=page_features(lines, facts, title),
            listing=listing_features(lines, facts),
        ),
    )


def examples_of(data: Path, pages_each: int = PAGES_EACH) -> list[Example]:
    """The real pages with known text, then made pages of all templates."""
    made = made_pages(read_page_texts(data), SEED, pages_each=pages_each)
    return [example(page) for page in gold_pages(data)] + [
        example(GoldPage(page.name, page.template, page.html.decode(), page.gold), page.family)
        for page in made
    ]


def fit(examples: Sequence[Example]) -> Fitted:
    """The models of some pages.

    Articles: real pages alone, by the features of lines and their neighbours. Other kinds: all
    pages but indexes, which have no main text, by all features.
    """
    real = [page for page in examples if page.kind.is_real]
    kinds = [page.kind for page in examples]
    with_text = [page for page in examples if page.kind.kind != INDEX]
    return Fitted(
        articles=fit_articles(real),
        others=fit_others(with_text),
        kinds=fit_kinds(kinds),
        listing=fit_listing(kinds),
    )


def fit_articles(examples: Sequence[Example]) -> LineModel:
    """Ridge regression of the logit by the features that articles need, then the best
    thresholds."""
    number = len(LINE_FEATURES)
    used = [*range(OWN_FEATURES), *range(number, number + len(KINDS))]
    features = np.concatenate([page.features[:, used] for page in examples])
    is_text = np.concatenate([page.is_text for page in examples])
    weight = np.concatenate([page.weight for page in examples])
    weights = np.round(logistic(features, is_text, weight, _RIDGE), 2)
    model = LineModel(
        weights[:OWN_FEATURES], weights[OWN_FEATURES:], None, 0.0, (0.0, 0.0), 0.25, 0.0
    )
    tried = [
        replace(model, threshold=threshold, other_run=other_run)
        for threshold, other_run in product(_THRESHOLDS, _OTHER_RUNS)
    ]

    def mean_f1(model: LineModel) -> float:
        texts = [clean_text(main_text(page.lines, model, page.facts)) for page in examples]
        found = [scores(text, page.gold) for text, page in zip(texts, examples, strict=True)]
        return mean_scores(found)[2]

    return max(tried, key=mean_f1)


def fit_others(examples: Sequence[Example]) -> LineModel:
    """Ridge regression of the logit, once by a line's own features and once in context."""
    made = sum(not page.kind.is_real for page in examples)
    share = MADE_SHARE * (len(examples) - made) / made if 0 < made < len(examples) else 1.0
    is_text = np.concatenate([page.is_text for page in examples])
    weight = np.concatenate(
        [page.weight * (1.0 if page.kind.is_real else share) for page in examples]
    )
    features = np.concatenate([page.features for page in examples])
    weights = np.round(logistic(features, is_text, weight, _RIDGE), 2)
    context = [
        context_features(
            page.features @ weights, page.lines, page.facts, float(page.kind.kind in THREADS)
        )
        for page in examples
    ]
    return LineModel(
        line_weights=weights[: len(LINE_FEATURES)],
        block_weights=weights[len(LINE_FEATURES) :],
        context_weights=np.round(logistic(np.concatenate(context), is_text, weight, _RIDGE), 2),
        threshold=0.65,
        lowered=(0.1, 0.15),
        not_text=0.2,
        other_run=0.5,
    )


def judged(fitted: Fitted, examples: Sequence[Example]) -> list[tuple[float, float, float]]:
    """Precision, recall and F1 of each page."""
    return [scores(fitted.text(page), page.gold) for page in examples]


def cross_validated(
    examples: Sequence[Example], folds: int, seed: int
) -> list[tuple[float, float, float]]:
    """Precision, recall and F1 of each page, by models that saw no page of its site or template."""
    fold_of = folds_of({page.page.site for page in examples}, folds, seed)
    found: dict[str, tuple[float, float, float]] = {}
    for fold in range(folds):
        fitted = fit([page for page in examples if fold_of[page.page.site] != fold])
        held_out = [page for page in examples if fold_of[page.page.site] == fold]
        for page, judgement in zip(held_out, judged(fitted, held_out), strict=True):
            found[page.page.name] = judgement
    return [found[page.page.name] for page in examples]


def constants(model: LineModel) -> Iterator[str]:
    """The model as udfs/html/main_text.py has it."""
    for title, names, weights in (
        ("line_weights", LINE_FEATURES[: len(model.line_weights)], model.line_weights),
        ("block_weights", KINDS, model.block_weights),
        ("context_weights", CONTEXT_FEATURES, model.context_weights),
    ):
        if weights is None:
            yield f"    {title}=None,\n"
            continue
        yield f"    {title}=np.array(\n        [\n"
        for name, weight in zip(names, weights, strict=True):
            yield f"            {weight:.2f},  # {name}\n"
        yield "        ]\n    ),\n"
    for name in ("threshold", "lowered", "not_text", "other_run"):
        yield f"    {name}={getattr(model, name)},\n"


def _truth(lines: Sequence[str], gold: str) -> list[bool]:
    """Whether each line belongs to the known text."""
    gold = "".join(gold.split())
    in_gold = grams(gold)
    stripped = ["".join(line.split()) for line in lines]
    found = [
        line in gold
        if len(line) < 4
        else sum(gram in in_gold for gram in grams(line).elements()) > _IS_TEXT * (len(line) - 3)
        for line in stripped
    ]
    places = [
        gold.find(line[:20]) if is_text and len(line) >= _SHORT else -1
        for line, is_text in zip(stripped, found, strict=True)
    ]
    for row, line in enumerate(stripped):
        if found[row] and len(line) < _SHORT:
            before = next((at for at in range(row - 1, -1, -1) if places[at] >= 0), None)
            after = next((at for at in range(row + 1, len(lines)) if places[at] >= 0), None)
            start = 0 if before is None else places[before] + len(stripped[before])
            end = len(gold) if after is None else places[after]
            found[row] = start <= end + _SHORT and line in gold[max(0, start - 10) : end + 10]
    return found
