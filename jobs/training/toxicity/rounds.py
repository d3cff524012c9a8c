"""Toxicity in rounds: a judge is asked of what the model of the last round is unsure of. No Spark.

Round 0 is the model of the labelled files. Round 1 scores crawl text that has no labels, and learns
what the judge says of the doubtful and the toxic-looking. Round 2 scores edited texts of medicine,
law, news and literature; those that are called toxic and that the judge calls clean become benign
examples. Texts to judge are held out with their source or site as all others are.

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

from jobs.training.common.examples import Document
from jobs.training.common.files import DOMAIN_TRAIN, PAGES_LABELLED, PAGES_READ
from jobs.training.common.judge import Judge, digest_of
from jobs.training.common.pages import page_groups
from jobs.training.common.task import DataFile, Found, Rows, Task
from jobs.training.toxicity.fit import CURATED, PAGES, ToxicityRecipe, fit_toxicity
from jobs.training.toxicity.task import CURATED_EVERY, TOXICITY, toxicity_documents
from udfs.files.artifacts import sha256_of
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.toxicity import BENIGN, READING, TOXIC, score_toxicity
from udfs.tokens.tokenizer import token_lines
from udfs.tokens.tokens import tokens_of_lines

UNLABELLED, SUSPECTS = "unlabelled", "suspects"
"""Kinds of documents that no fit sees before they are judged: of the crawl, and edited ones."""
JUDGED = "judged"
"""The kind of judged crawl texts: weighed as pages. A choice of hard ones says nothing of where
scores should begin, which stays with the pages that were not chosen."""

_UNJUDGED = ""
"""In place of their label."""
_SUSPECTED = frozenset({"medicine", "law", "news", "book"})
"""Domains whose texts have rude words for good reasons."""


@dataclass(frozen=True, kw_only=True)
class JudgedRecipe(ToxicityRecipe):
    """How the model is fitted in rounds."""

    doubtful_from: float = 0.3
    """Least score of crawl text that the judge is asked of."""
    toxic_from: float = 0.5
    """Least score of edited text that the judge is asked of."""
    most_asked: int = 2_000
    """Texts of either kind, chosen by their digests, that the judge is asked of at most."""


def judged_toxicity(judge: Judge, unlabelled: str) -> Task:
    """The task of toxicity, fitted in rounds.

    Args:
        unlabelled: File of crawl text under the data directory, with "text", and "site" or "url".
    """
    return replace(
        TOXICITY,
        files=(*TOXICITY.files, DataFile(unlabelled, ("text",), "that of its texts")),
        documents=partial(documents_and_texts_to_judge, unlabelled=unlabelled),
        recipe=JudgedRecipe(),
        fit=partial(fit_in_rounds, judge=judge),
        options=f" --judge VERDICTS --unlabelled {unlabelled}",
        split=TOXICITY.split
        + " Texts without labels are judged as the file of verdicts says, and held out with the "
        "pages of their site and template, or with their source.",
    )


def documents_and_texts_to_judge(rows: Rows, unlabelled: str) -> list[Document]:
    """The documents of the labelled files, and the texts that a judge may be asked of."""
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
    lines = token_lines([row["text"] for row, *_ in asked], [READING])[0]
    return labelled + [
        Document(line, (_UNJUDGED,), unit, kind, text=row["text"])
        for line, (row, unit, kind) in zip(lines, asked, strict=True)
    ]


def fit_in_rounds(
    documents: Sequence[Document], path: Path, recipe: JudgedRecipe, *, judge: Judge
) -> Found:
    """Fit the model of each round to what is known by then, and write the last.

    A round that adds nothing fits nothing.

    Returns:
        What the last fit found, numbers of examples by the judge, and the digest of its verdicts.
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
    return found | {
        "judged_texts": len(crawl),
        "judged_toxic": sum(d.labels[0] == TOXIC for d in crawl),
        "hard_negatives": len(clean),
        "verdicts_sha256": sha256_of(judge.path),
    }


def to_ask(documents: Sequence[Document], path: Path, least: float, most: int) -> list[Document]:
    """The documents that a model gives such a score; of too many those of the lowest digests, which
    is a sample that does not depend on the others."""
    with_words = [d for d in documents if d.line]
    records = score_toxicity(tokens_of_lines([d.line for d in with_words]), load_fasttext(path))
    chosen = [d for d, r in zip(with_words, records, strict=True) if r["score"] >= least]
    return sorted(chosen, key=lambda d: digest_of(d.text))[:most]


def _site(row: dict[str, Any]) -> str:
    """Its site; a text that says none is a site by itself."""
    return row.get("site") or urlsplit(row.get("url", "")).hostname or digest_of(row["text"])
