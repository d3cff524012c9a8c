"""Fit the model of short texts: characters and pairs of neighbours of lines and made messages."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from jobs.training.common.examples import Document, fold_of_units
from jobs.training.common.fasttext_writer import write_linear_model
from jobs.training.common.task import Found, TrainingError
from jobs.training.toxicity.fit import (
    CURATED,
    LINES,
    PAGES,
    ToxicityRecipe,
    even_threshold,
    fit_toxicity,
    is_toxic,
    token_weights,
)
from jobs.training.toxicity.made import MADE, described_grammar
from jobs.training.toxicity.word_space import WordSpace
from udfs.base.array_types import Float64Array
from udfs.scorers.short_texts import SHORT_CHARS
from udfs.scorers.toxicity import BENIGN, MIN_LABEL_SCORE, TOXIC
from udfs.tokens.grams import gram_lines
from udfs.tokens.tokens import tokens_of_lines

SHORT_FILE = "short.ftz"
SENTENCES = "sentences"
"""Kind of single sentences of edited texts and lines of clean pages, which are benign."""

_OF_A_TEXT = 3
_SENTENCE_ENDS = re.compile(r"[\n。！？!?]")
_LEAST_CHARS, _MOST_CHARS, _READ_CHARS = 6, 60, 3_000


def fit_short_texts(documents: Sequence[Document], path: Path, recipe: ToxicityRecipe) -> Found:
    """Fit the model to short documents and write it.

    At a score of 0.5 the number of lines above equals that of toxic lines; at most
    `most_short_false_alarms` of the benign lines and ordinary messages reach `MIN_LABEL_SCORE`,
    both by inner folds.

    Args:
        documents: Lines, made messages, pages of which the short ones are learnt, and edited texts
            and clean pages, of which sentences are taken.
        path: The fastText file.
    Returns:
        Offset, slope, numbers of documents and grams, and what the made messages came from.
    Raises:
        TrainingError: no line or message is toxic, or none benign.
    """
    examples = [*short_examples(documents), *sentences(documents)]
    if len({is_toxic(example) for example in examples}) < 2:
        raise TrainingError("short texts: expected toxic and benign lines or messages")
    lines = [gram_line(example.text) for example in examples]
    space = WordSpace.of(lines, recipe.min_lines)
    rows = space.rows(tokens_of_lines(lines))
    roots = np.sqrt([len(line.split()) + 1 for line in lines])
    held = np.zeros(len(examples))
    # Sentences are spread by themselves, which leaves the folds of all others as they are.
    folds = fold_of_units([e for e in examples if e.kind != SENTENCES], recipe.inner_folds)
    folds |= fold_of_units([e for e in examples if e.kind == SENTENCES], recipe.inner_folds)
    fold_of = np.array([folds[example.unit] for example in examples])
    weighed = [replace(e, kind=LINES) if e.kind != MADE else e for e in examples]
    for fold in range(recipe.inner_folds):
        inside = np.flatnonzero(fold_of != fold)
        asked = np.flatnonzero(fold_of == fold)
        weights = token_weights(rows.picked(inside), [weighed[at] for at in inside], recipe)
        held[asked] = rows.picked(asked).dot(weights) / np.diff(rows.bounds)[asked] * roots[asked]
    truth = np.array([is_toxic(example) for example in examples])
    is_line = np.array([example.kind == LINES for example in examples])
    chosen = is_line if (is_line & truth).any() else np.ones(len(examples), dtype=np.bool_)
    # Added to the end of a line, it counts divided by the root of the line's length.
    per_line = -even_threshold(held[chosen], truth[chosen]) * float(np.median(roots[chosen]))
    held += per_line / roots
    is_sentence = np.array([example.kind == SENTENCES for example in examples])
    slope = _slope(held[~truth & ~is_sentence], recipe.most_short_false_alarms)
    weights = token_weights(rows, weighed, recipe)
    weights[-1] += per_line
    half = slope * weights[:, np.newaxis] / 2
    labels = (BENIGN, TOXIC)
    output = np.array([[-1.0], [1.0]])
    write_linear_model(path, space.words, labels, half, output, quantised=False)
    return {
        "short_offset_of_a_line": round(per_line, 4),
        "short_slope": round(slope, 4),
        "short_documents": len(examples),
        "short_grams": len(space.words),
        **described_grammar(),
    }


def fit_models(documents: Sequence[Document], path: Path, recipe: ToxicityRecipe) -> Found:
    """Fit the model of words, by `fit_toxicity`, and that of short texts."""
    found = fit_toxicity(documents, path, recipe)
    return found | fit_short_texts(documents, path.with_name(SHORT_FILE), recipe)


def short_examples(documents: Sequence[Document]) -> list[Document]:
    """The lines, made messages and pages that are short and have a gram."""
    return [
        d
        for d in documents
        if d.kind in (LINES, MADE, PAGES) and len(d.text) <= SHORT_CHARS and gram_line(d.text)
    ]


def sentences(documents: Sequence[Document]) -> Iterator[Document]:
    """Yield a few sentences of each edited text and each clean page, chosen by its checksum."""
    seen: set[str] = set()
    for document in documents:
        if document.kind not in (CURATED, PAGES) or is_toxic(document):
            continue
        parts = map(str.strip, _SENTENCE_ENDS.split(document.text[:_READ_CHARS]))
        found = [part for part in parts if _LEAST_CHARS <= len(part) <= _MOST_CHARS]
        rng = random.Random(zlib.crc32(document.text.encode("utf-8", "replace")))
        for part in rng.sample(found, min(_OF_A_TEXT, len(found))):
            if part not in seen and gram_line(part):
                seen.add(part)
                yield Document("", (BENIGN,), document.unit, SENTENCES, text=part)


@lru_cache(maxsize=1 << 17)
def gram_line(text: str) -> str:
    """Return the grams of a text as a token line."""
    return gram_lines([text])[0]


def _slope(benign: Float64Array, most: float) -> float:
    """The slope with which at most this share of benign texts reaches `MIN_LABEL_SCORE`."""
    falling = np.sort(benign)[::-1]
    limit = float(falling[int(most * len(falling))]) if len(falling) else 0.0
    return float(np.log(MIN_LABEL_SCORE / (1 - MIN_LABEL_SCORE))) / max(limit, 0.01)
