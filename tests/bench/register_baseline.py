"""Registers by the recipe of the bundled model and by a plain baseline, on the same folds.

    python -m tests.bench.register_baseline --data DIR

The baseline is the usual first try: TF-IDF of 1 to 3 characters, one-vs-rest logistic regression of
translations (weight 1) and of the Chinese documents of the other folds (weight 5), threshold 0.4.
Published figures of it, 0.681 and 0.485, are of 317 documents; here half of these are at hand, so
only figures of one run compare. DIR is laid out as the README of the data says.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jobs.training.common.data_files import REGISTER_ORIGINALS, REGISTER_SILVER, read_task
from jobs.training.common.examples import Document, distinct, fold_of_units
from jobs.training.common.linear import SparseRows, fit_logistic
from jobs.training.common.train import held_out_answers
from jobs.training.register.fit import ORIGINALS, SILVER
from jobs.training.register.task import REGISTER, figures_of_labels, given_labels
from tests.bench.timing import table
from udfs.base.array_types import Float64Array
from udfs.scorers.register import MIN_PROBABILITY, REGISTERS, RegisterSettings

_LONGEST = 3
_LEAST_TEXTS = 5
_MOST_FEATURES = 200_000
_ORIGINAL_WEIGHT = 5.0
_COLUMNS = ("micro_f1", "macro_f1", "macro_f1_of_labels_with_5", "macro_f1_of_labels_with_20")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    options = parser.parse_args(arguments)
    rows = read_task(REGISTER, options.data)
    documents = distinct(REGISTER.documents(rows))
    labels = list(REGISTERS)
    lines = []
    asked, model, answers = held_out_answers(REGISTER, documents)
    of_main = answers[:, [model.labels.index(label) for label in labels]]
    lines += _lines("recipe of the bundled model", asked, labels, of_main)
    labelled = {file: rows[file] for file in (REGISTER_SILVER, REGISTER_ORIGINALS)}
    texts = [row["text"] for file in labelled for row in rows[file]]
    plain = REGISTER.documents({**{file: [] for file in rows}, **labelled})
    plain = [replace(d, text=text) for d, text in zip(plain, texts, strict=True)]
    held, scores = baseline_answers(distinct(plain), labels, REGISTER.recipe.folds)
    lines += _lines("TF-IDF of characters", held, labels, scores)
    print(table(["model", "labels given", *_COLUMNS, *labels], lines))


def baseline_answers(
    documents: Sequence[Document], labels: Sequence[str], folds: int
) -> tuple[list[Document], Float64Array]:
    """Return the originals, and what models say of them that did not learn their fold,
    (originals, labels)."""
    silver = [d for d in documents if d.kind == SILVER]
    originals = [d for d in documents if d.kind == ORIGINALS]
    max_chars = RegisterSettings().max_chars
    rows = tfidf_rows([d.text[:max_chars] for d in [*silver, *originals]])
    truth = np.array([[label in d.labels for label in labels] for d in [*silver, *originals]])
    fold_of = fold_of_units(originals, folds)
    fold = np.array([-1] * len(silver) + [fold_of[d.unit] for d in originals])
    weights = np.where(fold < 0, 1.0, _ORIGINAL_WEIGHT)
    scores = np.zeros((len(fold), len(labels)))
    for held in range(folds):
        trained, asked = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        learnt, measured = rows.picked(trained), rows.picked(asked)
        for column in range(len(labels)):
            fitted = fit_logistic(learnt, truth[trained, column], weights[trained], tolerance=1e-2)
            logits = measured.dot(fitted.weights) + fitted.bias
            scores[asked, column] = 1 / (1 + np.exp(-logits))
    return originals, scores[len(silver) :]


def tfidf_rows(texts: Sequence[str]) -> SparseRows:
    """Return the runs of 1 to 3 characters of each text: 1 + log of the count, times the logarithm
    of rarity plus 1, scaled to length 1. The most frequent runs of 5 texts or more are known."""
    texts_with: Counter[str] = Counter()
    for text in texts:
        texts_with.update(set(_runs(text)))
    known = [run for run, count in texts_with.most_common(_MOST_FEATURES) if count >= _LEAST_TEXTS]
    places = {run: place for place, run in enumerate(known)}
    counts = np.array([texts_with[run] for run in known])
    rarity = np.log((1 + len(texts)) / (1 + counts)) + 1
    bounds, columns, values = [0], [], []
    for text in texts:
        found = Counter(places[run] for run in _runs(text) if run in places)
        at = np.fromiter(found, dtype=np.int32, count=len(found))
        times = np.fromiter(found.values(), dtype=np.float64, count=len(found))
        row = (1 + np.log(times)) * rarity[at]
        columns.append(at)
        values.append(row / max(float(np.sqrt((row * row).sum())), 1e-9))
        bounds.append(bounds[-1] + len(at))
    return SparseRows(
        np.array(bounds, dtype=np.int64),
        np.concatenate(columns),
        np.concatenate(values).astype(np.float32),
        len(known),
    )


def _runs(text: str) -> Iterator[str]:
    for length in range(1, _LONGEST + 1):
        for begin in range(len(text) - length + 1):
            yield text[begin : begin + length]


def _lines(
    name: str, documents: Sequence[Document], labels: Sequence[str], scores: Float64Array
) -> list[list[str]]:
    ways = {
        f"from {MIN_PROBABILITY} on": scores >= MIN_PROBABILITY,
        "and the likeliest": given_labels(scores),
    }
    lines = []
    for way, given in ways.items():
        found = figures_of_labels(documents, labels, given)
        by_label: dict[str, Any] = found["labels"]
        of_labels = [f"{f['f1']:.2f} of {f['rows']}" for f in by_label.values()]
        lines.append([name, way, *(str(found[key]) for key in _COLUMNS), *of_labels])
    return lines


if __name__ == "__main__":
    main()
