"""Fit toxicity in rounds: a judge labels texts that the model of the last round is unsure of.

Round 0 fits the labelled files. Round 1 scores unlabelled crawl text and learns the judge's labels
of the doubtful and the toxic-looking. Round 2 scores edited texts of medicine, law, news and
literature; those that score as toxic and that the judge calls clean become benign examples. Texts
to judge are held out with their source or site, as all others are.

Source:
    ChineseWebText 2.0, section on toxicity (rounds R0 to R2 with a larger model as the judge).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jobs.training.common.data_files import DOMAIN_TRAIN, PAGES_LABELLED, PAGES_READ
from jobs.training.common.examples import Document
from jobs.training.common.pages import page_groups
from jobs.training.common.task import DataFile, Found, Rows, Task
from jobs.training.toxicity.fit import CURATED, PAGES, ToxicityRecipe, fit_toxicity
from jobs.training.toxicity.judge import Judge, digest_of
from jobs.training.toxicity.short_fit import SHORT_FILE, fit_short_texts
from jobs.training.toxicity.task import CURATED_EVERY, TOXICITY, toxicity_documents
from udfs.files.artifacts import sha256_of
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.toxicity import BENIGN, TOXIC, bundled_tokenizer, score_toxicity
from udfs.tokens.tokenizer import token_lines
from udfs.tokens.tokens import tokens_of_lines

UNLABELLED, SUSPECTS = "unlabelled", "suspects"
"""Kinds of documents that are not fitted before they are judged: crawl text and edited text."""
JUDGED = "judged"
"""The kind of judged crawl texts: weighed as pages. Offsets and slope are fitted to the unselected
pages only, as these texts are a selection of hard ones."""

_UNJUDGED = ""
"""The label of texts that are not judged yet."""
_SUSPECTED = frozenset({"medicine", "law", "news", "book"})
"""Domains whose texts use rude words without being toxic."""


@dataclass(frozen=True, kw_only=True)
class JudgedRecipe(ToxicityRecipe):
    """Settings of a fit in rounds."""

    doubtful_from: float = 0.3
    """Least score of crawl text to be judged."""
    toxic_from: float = 0.5
    """Least score of edited text to be judged."""
    most_asked: int = 2_000
    """Most texts of either kind to be judged, chosen by their digests."""


def judged_toxicity(judge: Judge, unlabelled: str) -> Task:
    """Return the task toxicity, fitted in rounds.

    Args:
        unlabelled: File of crawl text under the data directory, with "text", and "site" or "url".
    """
    return replace(
        TOXICITY,
        files=(*TOXICITY.files, DataFile(unlabelled, ("text",), "that of its texts")),
        documents=partial(documents_and_texts_to_judge, unlabelled=unlabelled),
        recipe=JudgedRecipe(),
        fit=partial(fit_in_rounds, judge=judge),
        command_options=f" --judge VERDICTS --unlabelled {unlabelled}",
        split=TOXICITY.split
        + " Texts without labels are judged as the file of verdicts says, and held out with the "
        "pages of their site and template, or with their source.",
    )


def documents_and_texts_to_judge(rows: Rows, unlabelled: str) -> list[Document]:
    """Return the documents of the labelled files, and the texts that may be judged."""
    read, crawl = [*rows[PAGES_READ], *rows[PAGES_LABELLED]], rows[unlabelled]
    pages = [*read, *crawl]
    groups = page_groups([r["text"] for r in pages], [_site(r) for r in pages])
    group_of_read, groups = iter(groups[: len(read)]), groups[len(read) :]
    labelled = [
        replace(d, unit=next(group_of_read)) if d.kind == PAGES else d
        for d in toxicity_documents(rows)
    ]
    edited = [
        row
        for number, row in enumerate(rows[DOMAIN_TRAIN])
        if number % CURATED_EVERY and row["label"] in _SUSPECTED
    ]
    asked = [
        *((r, group, UNLABELLED) for r, group in zip(crawl, groups, strict=True)),
        *((r, r["source"], SUSPECTS) for r in edited),
    ]
    lines = token_lines([row["text"] for row, *_ in asked], [bundled_tokenizer()])[0]
    return labelled + [
        Document(line, (_UNJUDGED,), unit, kind, text=row["text"])
        for line, (row, unit, kind) in zip(lines, asked, strict=True)
    ]


def fit_in_rounds(
    documents: Sequence[Document], path: Path, recipe: JudgedRecipe, *, judge: Judge
) -> Found:
    """Fit a model in each round to the examples so far, and write the last one.

    A round that adds no examples is skipped.

    Returns:
        What the last fit found, numbers of judged examples, and the digest of the verdicts.
    """
    examples = [d for d in documents if d.kind not in (UNLABELLED, SUSPECTS)]
    # A model is loaded once a process by its path, so each round has its own.
    rounds = [path.with_name(f"round-{number}.ftz") for number in range(3)]
    found = fit_toxicity(examples, rounds[0], recipe)
    last = rounds[0]

    def judged(kind: str, least: float) -> list[tuple[Document, str]]:
        asked = to_ask([d for d in documents if d.kind == kind], last, least, recipe.most_asked)
        verdicts = judge.verdicts([d.text for d in asked])
        return [(d, label) for d, label in zip(asked, verdicts, strict=True) if label is not None]

    crawl = [
        replace(d, labels=(label,), kind=JUDGED)
        for d, label in judged(UNLABELLED, recipe.doubtful_from)
    ]
    if crawl:
        last = rounds[1]
        found = fit_toxicity(examples + crawl, last, recipe)
    clean = [
        replace(d, labels=(BENIGN,), kind=CURATED)
        for d, label in judged(SUSPECTS, recipe.toxic_from)
        if label == BENIGN
    ]
    if clean:
        last = rounds[2]
        found = fit_toxicity(examples + crawl + clean, last, recipe)
    shutil.copyfile(last, path)
    found |= fit_short_texts(documents, path.with_name(SHORT_FILE), recipe)
    return found | {
        "judged_texts": len(crawl),
        "judged_toxic": sum(d.labels[0] == TOXIC for d in crawl),
        "hard_negatives": len(clean),
        "verdicts_sha256": sha256_of(judge.path),
    }


def to_ask(documents: Sequence[Document], path: Path, least: float, most: int) -> list[Document]:
    """Return the documents that a model gives at least this score.

    Of more than `most` those with the lowest digests are taken, a sample that does not depend on
    the other documents.
    """
    with_words = [d for d in documents if d.line]
    records = score_toxicity(tokens_of_lines([d.line for d in with_words]), load_fasttext(path))
    chosen = [d for d, r in zip(with_words, records, strict=True) if r["score"] >= least]
    return sorted(chosen, key=lambda d: digest_of(d.text))[:most]


def _site(row: dict[str, Any]) -> str:
    """Site of a row; a row without site and url is a site by itself."""
    return row.get("site") or urlsplit(row.get("url", "")).hostname or digest_of(row["text"])
