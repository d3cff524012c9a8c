"""Keywords and labels that confident predictions propose, in rounds while that helps. No Spark.

In a round every document is predicted by a model that was fitted without its source or site. For
the next round words that set apart the documents that are confidently of a label join its keywords,
and a document that is confidently of a label it lacks gets it, behind its own. A part of the
sources and sites is held back from all of that; rounds end where its F1 stops rising.
People decide on what is proposed: what tells the label of a source's texts may be its style.

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
    Floats,
    Space,
    calibration,
    fit_weights,
    inner_logits,
    limited,
    row_weights,
    set_f1,
    truth_of,
)
from jobs.training.domain.keywords import Keywords
from udfs.scorers.domain import LABELS, MIN_PROBABILITY
from udfs.tokens.forms import MARK

CONFIDENT = 0.9


@dataclass(frozen=True, kw_only=True)
class ProposalRules:
    """Which words are proposed."""

    held_back: int = 4
    """One in so many folds of sources and sites only measures."""
    most: int = 20
    """Keywords that a label gets in a round."""
    least_documents: int = 20
    least_units: int = 2
    """Fewest documents, and sources or sites, confidently of the label that have the word: one
    source's words may be its style."""
    least_log_odds: float = 3.0
    most_rounds: int = 8


@dataclass(frozen=True)
class Proposal:
    """A word that may become a keyword."""

    label: str
    keyword: str
    documents: int
    """Documents confidently of the label that have it."""
    others: int
    """Documents confidently of other labels that have it."""
    units: int
    """Sources and sites of the former."""
    log_odds: float
    """Of the word in the documents of the label, less that in the others."""


@dataclass(frozen=True)
class Round:
    """What came of a round."""

    f1: float
    """Mean of micro-F1 and macro-F1 on what is held back, with the keywords of the rounds before;
    main labels and sets as the scorer decides."""
    proposals: list[Proposal]
    relabelled: int
    """Documents that get a label."""


def rounds(
    documents: Sequence[Document],
    keywords: Keywords,
    recipe: DomainRecipe,
    rules: ProposalRules | None = None,
) -> Iterator[Round]:
    """Rounds of proposals; of the last the F1 did not rise, or nothing was left to propose."""
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
        offset = np.log(MIN_PROBABILITY / (1 - MIN_PROBABILITY))
        chances = 1 / (1 + np.exp(-(slope * (logits - threshold) + offset)))
        proposals = proposed(asked, chances, known, wanted) if f1 > best else []
        told = relabelled(asked, chances) if f1 > best else asked
        changed = sum(new is not old for new, old in zip(told, asked, strict=True))
        yield Round(round(f1, 4), proposals, changed)
        if not proposals and not changed:
            return
        best, asked = f1, told
        for proposal in proposals:
            known.setdefault(proposal.keyword, {})[proposal.label] = 1.0


def relabelled(documents: Sequence[Document], chances: Floats) -> list[Document]:
    """The documents, those that are confidently of a label which they lack with it behind theirs.

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
    documents: Sequence[Document], chances: Floats, keywords: Keywords, rules: ProposalRules
) -> list[Proposal]:
    """The words that set apart what is confidently of a label; by label, the surest first.

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
    """Of a word in so many of so many documents; half a document more on either side."""
    return float(np.log((count + 0.5) / (size - count + 0.5)))


def _sureness(proposal: Proposal) -> float:
    deviation = np.sqrt(1 / (proposal.documents + 0.5) + 1 / (proposal.others + 0.5))
    return float(proposal.log_odds / deviation)
