"""Fit the domain model in rounds: it learns from crawl texts that keyword rules and model agree on.

In a round every document and every text is predicted by a model that was fitted without its source
or site. A text whose main label both the rules and a confident model give joins the documents with
that label and the further ones that both give; a label with few such texts gets its share at a
lower confidence. Documents whose data lack a label that both give get it as their last. Words of
the agreed texts of several sites that distinguish a label join its keywords for the next round.

Some sources and sites are held out of the rounds and measure them: rounds end when the F1 of their
label sets stops rising, and the model is fitted to all documents with that number of rounds.

Source:
    ChineseWebText 2.0, section on domains (rules, then a model; predictions above 0.9 refine
    keywords and labels), with labels by agreement.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.linear_classes import class_logits
from jobs.training.common.run_sample import SampledText
from jobs.training.common.task import Found, Rows, Task
from jobs.training.domain.fit import (
    DomainRecipe,
    Space,
    calibration,
    chances_of,
    fit_weights,
    found_of,
    limited,
    row_weights,
    set_f1,
    truth_of,
    write_domain,
)
from jobs.training.domain.keywords import KEYWORDS, Keywords, read_keywords, rule_labels
from jobs.training.domain.proposals import ProposalRules, proposed
from jobs.training.domain.task import (
    DOMAIN,
    domain_documents,
    simplified_texts,
    tokenized_documents,
)
from udfs.base.array_types import Float64Array
from udfs.scorers.domain import GENERAL, LABELS, MIN_PROBABILITY

UNLABELLED = "unlabelled"
"""The kind of crawl texts that nobody labelled: only fitted once they are agreed on."""
AGREED = "agreed"
"""The kind of crawl texts with labels that rules and model agree on."""

NO_LABEL = ""


@dataclass(frozen=True, kw_only=True)
class CrawlRecipe(DomainRecipe):
    """Settings of a fit in rounds."""

    most_rounds: int = 3
    held_back: int = 4
    """Number of folds of sources and sites, one of which only measures the rounds."""
    confident: float = 0.9
    """Least probability of the main label of a text that joins."""
    rare_confident: float = 0.6
    """The same for the texts that a label lacks to its share."""
    label_share: int = 20
    """Texts that every label gets, if so many are agreed on at all."""
    most_of_label: int = 300
    """Most texts of a label, the most confident ones."""
    agreed_weight: float = 0.5
    """Weight of all agreed texts of a label; a source of it weighs 1."""
    new_keywords: int = 10
    """Most keywords of a label that a round adds."""

    def kind_weight(self, kind: str) -> float | None:
        """Return the weight of all documents of a kind of one label, as in `DomainRecipe`."""
        return self.agreed_weight if kind == AGREED else super().kind_weight(kind)


@dataclass(frozen=True)
class State:
    """Documents and keywords after some rounds."""

    documents: list[Document]
    """Labelled ones, in the same order after every round, then agreed texts."""
    keywords: Keywords
    agreed: int = 0
    relabelled: int = 0
    """Documents with a further label."""
    added: int = 0
    """Keywords that were not in the list."""


@dataclass(frozen=True)
class Predicted:
    """Predictions by models that were fitted without the unit that is predicted."""

    space: Space
    threshold: float
    slope: float
    of_documents: Float64Array
    """Probabilities of the labels, shape (documents, labels)."""
    of_texts: Float64Array
    """The same of all crawl texts."""


def crawl_domain(task: Task, texts: Sequence[SampledText], rounds: int) -> Task:
    """Return the task domain, fitted in rounds.

    Args:
        task: The task without rounds.
        texts: Texts of a run.
        rounds: Most rounds.
    """
    recipe = CrawlRecipe(**{**vars(task.recipe), "most_rounds": rounds})
    return replace(
        task,
        documents=partial(documents_and_texts, texts=texts),
        recipe=recipe,
        fit=fit_in_rounds,
        curve=(),  # would take as long three more times
        command_options=f" --crawl OUTPUT --crawl-rounds {rounds}",
        report=report_lines,
        split=task.split
        + " Crawl texts that keyword rules and model agree on are held out with their site, and "
        "none is of the site of a real page that is only measured; the number of rounds is chosen "
        "on sources and sites of each training part.",
    )


def documents_and_texts(rows: Rows, texts: Sequence[SampledText]) -> list[Document]:
    """Return the documents of the labelled files, and crawl texts of sites that are not judged."""
    labelled = domain_documents(rows)
    judged = {d.unit for d in labelled if d.kind in DOMAIN.only_measured}
    asked = [text for text in texts if text.site.removeprefix("www.") not in judged]
    return labelled + tokenized_documents(
        simplified_texts([text.text for text in asked]),
        [(NO_LABEL,)] * len(asked),
        [text.site for text in asked],
        UNLABELLED,
        [text.url for text in asked],
    )


def report_lines(metrics: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """Yield what the rounds of the shipped fit did."""
    recipe = metrics["recipe"]
    for number, f1 in enumerate(recipe["held_back_f1"]):
        yield f"F1 on held-back sources and sites after {number} rounds: {f1}"
    yield (
        f"{recipe['rounds']} rounds used: {recipe['agreed_texts']} of {recipe['texts']} texts "
        f"({', '.join(recipe['agreed_by_label'])}), {recipe['relabelled_documents']} documents "
        f"with a further label, {recipe['added_keywords']} new keywords"
    )


def fit_in_rounds(documents: Sequence[Document], path: Path, recipe: CrawlRecipe) -> Found:
    """Fit a model in rounds and write it.

    Args:
        documents: As for `fit_domain`, and crawl texts of the kind `UNLABELLED`.
        path: The fastText file.
    Returns:
        As `fit_domain`, and the F1 of each round on held-back units, the number of rounds that
        were used, and what they added.
    """
    labelled = limited([d for d in documents if d.kind != UNLABELLED], recipe)
    texts = [d for d in documents if d.kind == UNLABELLED and d.line]
    keywords = read_keywords(KEYWORDS, LABELS)
    history = held_back_f1(labelled, texts, keywords, recipe)
    used = int(np.argmax(history))  # the first of equal ones
    state = State(labelled, keywords)
    for number in range(used + 1):
        known = predicted(state, texts, recipe)
        if number < used:
            state = after_round(state, known, labelled, texts, recipe)
    rows = known.space.rows([d.line for d in state.documents])
    weights = fit_weights(state.documents, rows, known.space, recipe)
    write_domain(path, known.space.words, weights, known.threshold, known.slope)
    by_label = Counter(d.labels[0] for d in state.documents if d.kind == AGREED)
    return found_of(known.threshold, known.slope, len(state.documents), keywords) | {
        "tokens": len(known.space.words),
        "texts": len(texts),
        "held_back_f1": history,
        "rounds": used,
        "agreed_texts": state.agreed,
        "agreed_by_label": [f"{label} {by_label[label]}" for label in LABELS],
        "relabelled_documents": state.relabelled,
        "added_keywords": state.added,
    }


def held_back_f1(
    labelled: Sequence[Document],
    texts: Sequence[Document],
    keywords: Keywords,
    recipe: CrawlRecipe,
) -> list[float]:
    """Measure each round on sources and sites that are held out of it.

    Returns:
        Mean of micro-F1 and macro-F1 of label sets without a round, after the first, and so on;
        it ends with the first that is not higher than the one before.
    """
    folds = fold_of_units(labelled, recipe.held_back)
    held = [d for d in labelled if folds[d.unit] == 0]
    inside = [d for d in labelled if folds[d.unit] != 0]
    sites = {d.unit for d in held}
    texts = [d for d in texts if d.unit not in sites]
    truth, counts = truth_of(held), row_weights(held, recipe)
    state = State(inside, keywords)
    found: list[float] = []
    while True:
        known = predicted(state, texts, recipe)
        rows = known.space.rows([d.line for d in state.documents])
        weights = fit_weights(state.documents, rows, known.space, recipe)
        logits = class_logits(known.space.rows([d.line for d in held]), weights)
        found.append(round(set_f1(logits, truth, counts, known.threshold) / 2, 4))
        is_over = len(found) > 1 and found[-1] <= found[-2]
        if is_over or len(found) > recipe.most_rounds:
            return found
        state = after_round(state, known, inside, texts, recipe)


def predicted(state: State, texts: Sequence[Document], recipe: CrawlRecipe) -> Predicted:
    """Predict the documents of a state, and all crawl texts, each without its source or site.

    Threshold and slope are chosen on the labelled documents alone.
    """
    documents = state.documents
    space = Space.of([d.line for d in documents], state.keywords, recipe)
    everything = [*documents, *texts]
    folds = fold_of_units(everything, recipe.inner_folds)
    fold_of = np.array([folds[document.unit] for document in everything])
    is_fitted = np.arange(len(everything)) < len(documents)
    rows = space.rows([document.line for document in everything])
    logits = np.zeros((len(everything), len(LABELS)))
    for fold in range(recipe.inner_folds):
        inside = np.flatnonzero((fold_of != fold) & is_fitted)
        held = np.flatnonzero(fold_of == fold)
        if len(inside) and len(held):
            trained = [everything[place] for place in inside.tolist()]
            weights = fit_weights(trained, rows.picked(inside), space, recipe)
            logits[held] = class_logits(rows.picked(held), weights)
    judged = [place for place, d in enumerate(documents) if d.kind != AGREED]
    truth = [documents[place] for place in judged]
    threshold, slope = calibration(logits[judged], truth, recipe)
    chances = chances_of(logits, threshold, slope)
    size = len(documents)
    return Predicted(space, threshold, slope, chances[:size], chances[size:])


def after_round(
    state: State,
    known: Predicted,
    labelled: Sequence[Document],
    texts: Sequence[Document],
    recipe: CrawlRecipe,
) -> State:
    """Return the documents and keywords after one more round.

    Args:
        known: The predictions of the state.
        labelled: The documents with the labels of the data: further ones are given again.
        texts: All crawl texts: one that is no longer agreed on leaves.
    """
    agreed = agreed_texts(texts, known.of_texts, state.keywords, recipe)
    of_labelled = known.of_documents[: len(labelled)]
    relabelled = with_agreed_labels(labelled, of_labelled, state.keywords, recipe.confident)
    keywords = {word: dict(weights) for word, weights in state.keywords.items()}
    chances_by_line = {d.line: row for d, row in zip(texts, known.of_texts, strict=True)}
    rules = ProposalRules(most=recipe.new_keywords, least_documents=5, least_units=3)
    proposals = []
    if agreed:
        of_agreed = np.array([chances_by_line[d.line] for d in agreed])
        proposals = proposed(agreed, of_agreed, state.keywords, rules)
    for proposal in proposals:
        keywords.setdefault(proposal.keyword, {})[proposal.label] = 1.0
    changed = sum(new is not old for new, old in zip(relabelled, labelled, strict=True))
    added = state.added + len(proposals)
    return State([*relabelled, *agreed], keywords, len(agreed), changed, added)


def agreed_texts(
    texts: Sequence[Document], chances: Float64Array, keywords: Keywords, recipe: CrawlRecipe
) -> list[Document]:
    """Return the texts whose main label rules and model agree on, with the labels that both give.

    Args:
        chances: Probabilities of the labels, shape (texts, labels).
    Returns:
        By label: those from `confident` on, at most `most_of_label`; where they are fewer than
        `label_share`, the next ones from `rare_confident` on.
    """
    candidates: dict[str, list[tuple[float, str, Document]]] = {label: [] for label in LABELS}
    for text, row in zip(texts, chances, strict=True):
        main = int(row.argmax())
        rules = rule_labels(text.line.split(), keywords, GENERAL)
        if row[main] >= recipe.rare_confident and LABELS[main] in rules:
            others = [name for name in rules if name != LABELS[main]]
            others = [name for name in others if row[LABELS.index(name)] >= MIN_PROBABILITY]
            digest = hashlib.sha256(text.line.encode()).hexdigest()  # order of equal probabilities
            agreed = replace(text, labels=(LABELS[main], *others), kind=AGREED)
            candidates[LABELS[main]].append((-float(row[main]), digest, agreed))
    found: list[Document] = []
    for label in LABELS:
        ordered = sorted(candidates[label], key=lambda candidate: candidate[:2])
        sure = sum(-chance >= recipe.confident for chance, *_ in ordered)
        kept = min(max(sure, recipe.label_share), recipe.most_of_label)
        found += [text for *_, text in ordered[:kept]]
    return found


def with_agreed_labels(
    documents: Sequence[Document], chances: Float64Array, keywords: Keywords, confident: float
) -> list[Document]:
    """Add the label that rules and a confident model give to a document that lacks it, as its last.

    Args:
        chances: Probabilities of the labels, shape (documents, labels).
    """
    found = []
    for document, row in zip(documents, chances, strict=True):
        label = LABELS[int(row.argmax())]
        if (
            row.max() >= confident
            and label not in document.labels
            and label in rule_labels(document.line.split(), keywords, GENERAL)
        ):
            found.append(replace(document, labels=(*document.labels, label)))
        else:
            found.append(document)
    return found
