"""The published student: words of a teacher's texts, learnt by fastText's own train_supervised.

Source:
    ChineseWebText 1.0 (EvalWeb): jieba's words of two characters or more without stop words,
    learning rate 0.5, 5 epochs, bigrams, the labels clean and dirty. The number of buckets is ours:
    fastText's own default makes a file of 800 MB.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fasttext

from jobs.training.common.examples import Document
from jobs.training.common.task import Found, Settings, TrainingError
from udfs.base.model_constants import LABEL_PREFIX
from udfs.scorers import quality
from udfs.tokens.segment import MAX_CHARS
from udfs.tokens.tokenizer import TokenizerSettings, token_lines

SETTINGS = "quality.distinct=false quality.extra_tokens=off"
"""Settings with which the scorer reads texts as this student does."""

SCORED = "scored"
"""The kind of documents that only the teacher has labelled."""

_LEARNT = ("read", "picked", "html", SCORED)


@dataclass(frozen=True, kw_only=True)
class SupervisedRecipe(Settings):
    """Arguments of train_supervised."""

    folds: int = 10
    rate: float = 0.5
    epochs: int = 5
    word_ngrams: int = 2
    dimensions: int = 100
    buckets: int = 200_000
    """Rows that the bigrams share."""


def with_plain_words(documents: Sequence[Document]) -> list[Document]:
    """Return documents with the token lines of the published student."""
    texts = [document.text[:MAX_CHARS] for document in documents]
    lines = token_lines(texts, [TokenizerSettings()])[0]
    return [replace(d, line=line) for d, line in zip(documents, lines, strict=True)]


def labelled_lines(documents: Sequence[Document]) -> Iterator[str]:
    """Yield the lines that train_supervised reads: a label with fastText's prefix, then words."""
    for document in documents:
        if document.kind in _LEARNT and document.line:
            yield f"{LABEL_PREFIX}{document.labels[0]} {document.line}\n"


def fit_supervised(
    documents: Sequence[Document],
    path: Path,
    recipe: SupervisedRecipe,
    *,
    teacher: str,
    lines: Path | None = None,
) -> Found:
    """Train the student and write it.

    Args:
        documents: With the lines of `with_plain_words`; whole pages and scored texts are learnt.
        path: The fastText file.
        teacher: Name of the model that gave the scores.
        lines: Gets the labelled lines too; the last fit, on all documents, leaves them there.
    Raises:
        TrainingError: all documents have one label.
    """
    found = list(labelled_lines(documents))
    counts = {
        label: sum(line.startswith(f"{LABEL_PREFIX}{label} ") for line in found)
        for label in (quality.CLEAN, quality.DIRTY)
    }
    if not all(counts.values()):
        raise TrainingError(
            f"of {len(found)} texts {counts[quality.CLEAN]} are clean to {teacher}, and "
            f"{counts[quality.DIRTY]} are not: expected some of both in every part that is trained"
        )
    with tempfile.TemporaryDirectory(prefix="taojin-lines-") as work:
        text = Path(work) / "lines.txt"
        text.write_text("".join(found), encoding="utf-8")
        model = fasttext.train_supervised(
            input=str(text),
            lr=recipe.rate,
            epoch=recipe.epochs,
            wordNgrams=recipe.word_ngrams,
            dim=recipe.dimensions,
            bucket=recipe.buckets,
            seed=recipe.seed,
            thread=1,  # with more the result differs from run to run
            verbose=0,
        )
        if lines is not None:
            lines.write_bytes(text.read_bytes())
    model.save_model(str(path))
    return {
        **counts,
        "taught_texts": sum(document.kind == SCORED for document in documents),
        "teacher": teacher,
        "tokens": len(model.get_words()),
    }
