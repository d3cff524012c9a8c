"""Propose keywords and labels from confident predictions, in rounds.

In a round every document is predicted by a model that was fitted without its source or site. Words
that distinguish the documents confidently predicted as a label join its keywords for the next
round, and a document with a confident prediction that is not among its labels gets that label as
its last. Some sources and sites are held out of all this; rounds end when their F1 stops rising.
People decide on the proposals: words that predict a source's label may be its style.

Source:
    ChineseWebText 2.0, section on domains (predictions above 0.9 refine keywords and labels).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.linear_classes import class_logits
from jobs.training.domain.fit import (
    DomainRecipe,
    Space,
    calibration,
    chances_of,
    fit_weights,
    inner_logits,
    limited,
    row_weights,
    set_f1,
    truth_of,
)
from jobs.training.domain.keywords import Keywords
from udfs.base.array_types import Float64Array
from udfs.scorers.domain import LABELS
from udfs.tokens.forms import MARK

CONFIDENT = 0.9


@dataclass(frozen=True, kw_only=True)
class ProposalRules:
    """Which words are proposed."""

    held_back: int = 4
    """Number of folds of sources and sites, one of which only measures."""
    most: int = 20
    """Most keywords of a label in a round."""
    least_documents: int = 20
    """Fewest documents with the word among those confidently predicted as the label."""
    least_units: int = 2
    """Fewest sources or sites of these: the words of a single one may be its style."""
    least_log_odds: float = 3.0
    most_rounds: int = 8


@dataclass(frozen=True)
class Proposal:
    """A word that may become a keyword."""

    label: str
    keyword: str
    documents: int
    """Documents with it that are confidently predicted as the label."""
    others: int
    """Documents with it that are confidently predicted as other labels."""
    units: int
    """Sources and sites of the former."""
    log_odds: float
    """Log odds of the word in the documents of the label, less those in the others."""


@dataclass(frozen=True)
class Round:
    """Result of a round."""

    f1: float
    """Mean of micro-F1 and macro-F1 of label sets on the held-out units, with the keywords of
    earlier rounds."""
    proposals: list[Proposal]
    relabelled: int
    """Documents that get a further label."""


def rounds(
    documents: Sequence[Document],
    keywords: Keywords,
    recipe: DomainRecipe,
    rules: ProposalRules | None = None,
) -> Iterator[Round]:
    """Yield rounds; in the last one the F1 did not rise, or there was nothing to propose."""
    wanted = rules or ProposalRules()
    chosen = limited(documents, recipe)
    folds = fold_of_units(chosen, wanted.held_back)
    held = [d for d in chosen if folds[d.unit] == 0]
    held_truth, held_counts = truth_of(held), row_weights(held, recipe)
    asked = [d for d in chosen if folds[d.unit] != 0]
    known = {word: dict(weights) for word, weights in keywords.items()}
    best = 0.0
    for _ in range(wanted.most_rounds):
        space = Space.of([d.line for d in asked], known, recipe)
        rows = space.rows([d.line for d in asked])
        logits = inner_logits(asked, rows, space, recipe)
        threshold, slope = calibration(logits, asked, recipe)
        weights = fit_weights(asked, rows, space, recipe)
        held_logits = class_logits(space.rows([d.line for d in held]), weights)
        f1 = set_f1(held_logits, held_truth, held_counts, threshold) / 2
        chances = chances_of(logits, threshold, slope)
        proposals = proposed(asked, chances, known, wanted) if f1 > best else []
        labelled = relabelled(asked, chances) if f1 > best else asked
        changed = sum(new is not old for new, old in zip(labelled, asked, strict=True))
        yield Round(round(f1, 4), proposals, changed)
        if not proposals and not changed:
            return
        best, asked = f1, labelled
        for proposal in proposals:
            known.setdefault(proposal.keyword, {})[proposal.label] = 1.0


def relabelled(documents: Sequence[Document], chances: Float64Array) -> list[Document]:
    """Add the label of a confident prediction to a document that lacks it, as its last label.

    Args:
        chances: Probabilities of the labels, shape (documents, labels).
    """
    return [
        replace(document, labels=(*document.labels, LABELS[column]))
        if row[column] > CONFIDENT and LABELS[column] not in document.labels
        else document
        for document, row, column in zip(
            documents, chances, chances.argmax(axis=1).tolist(), strict=True
        )
    ]


def proposed(
    documents: Sequence[Document], chances: Float64Array, keywords: Keywords, rules: ProposalRules
) -> list[Proposal]:
    """Return words that distinguish the confident documents of a label, by label, the best first.

    Args:
        chances: Probabilities of the labels, shape (documents, labels).
    Source:
        Monroe et al. 2008, Fightin' words, for the order: log-odds over their deviation.
    """
    main = chances.argmax(axis=1)
    confident = np.flatnonzero(chances.max(axis=1) > CONFIDENT).tolist()
    words = {place: set(documents[place].line.split()) for place in confident}
    total: Counter[str] = Counter(word for its in words.values() for word in its)
    found: list[Proposal] = []
    for column, label in enumerate(LABELS):
        inside = [place for place in confident if main[place] == column]
        units: dict[str, set[str]] = {}
        counts: Counter[str] = Counter()
        for place in inside:
            counts.update(words[place])
            for word in words[place]:
                units.setdefault(word, set()).add(documents[place].unit)
        sizes = len(inside), len(confident) - len(inside)
        candidates = [
            Proposal(
                label, word, count, total[word] - count, len(units[word]),
                _log_odds(count, sizes[0]) - _log_odds(total[word] - count, sizes[1]),
            )
            for word, count in counts.items()
            if count >= rules.least_documents
            and len(units[word]) >= rules.least_units
            and word[0] != MARK
            and label not in keywords.get(word, {})
        ]  # fmt: skip
        kept = [p for p in candidates if p.log_odds >= rules.least_log_odds]
        found += sorted(kept, key=lambda p: (-_sureness(p), p.keyword))[: rules.most]
    return found


def _log_odds(count: int, size: int) -> float:
    """Log odds of a word in `count` of `size` documents, smoothed by half a document."""
    return float(np.log((count + 0.5) / (size - count + 0.5)))


def _sureness(proposal: Proposal) -> float:
    deviation = np.sqrt(1 / (proposal.documents + 0.5) + 1 / (proposal.others + 0.5))
    return float(proposal.log_odds / deviation)
