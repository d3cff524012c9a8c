"""Texts of a run that nobody labelled: a sample of its documents, from the run's tables.

The tables are read with pyarrow, not Spark: a sample is as large as training can use.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.run.request import APPLY_RULES, EXTRACT_DOCUMENTS, FIND_DUPLICATES
from jobs.run.store import Store
from jobs.tables import DOCUMENTS, DUPLICATES, EDITS, FLAGGED
from jobs.training.common.task import TrainingError


class RunTextsError(TrainingError):
    """An output has no documents; the message names it."""


@dataclass(frozen=True)
class RunText:
    """The text of one document of a run."""

    doc_id: str
    site: str
    """Its host; the doc_id of a document without address."""
    url: str
    """Empty where it has none."""
    text: str
    """After the edits of the rules, where they ran."""


def read_run_texts(output: str, most: int) -> list[RunText]:
    """Read documents of a run that neither rules nor deduplication removed, where these ran.

    Args:
        output: The run's output, local or in an object store; uncommitted waves are skipped.
        most: Documents at most: those whose doc_ids have the lowest digests, a sample that does
            not depend on the other documents.
    Returns:
        Texts ordered by doc_id; copies of the whole text are kept.
    Raises:
        RunTextsError: the output has no document that is left.
    """
    store = Store.at(output)
    waves = sorted(store.commits(EXTRACT_DOCUMENTS))
    chosen = {name for _, name in heapq.nsmallest(most, _kept(store, waves))}
    if not chosen:
        raise RunTextsError(
            f"{output}: no documents found: expected the output of a run: python -m "
            "jobs.run_pipeline, or jobs.extract_documents"
        )
    edited: dict[str, str] = {}
    for wave in waves:
        if store.list_names(EDITS, f"wave={wave:05d}"):
            rows = store.rows_of(EDITS, ["doc_id", "text"], chosen, [wave])
            edited.update((row["doc_id"], row["text"]) for row in rows)
    found = store.rows_of(DOCUMENTS, ["doc_id", "host", "url", "text"], chosen, waves)
    texts = [
        RunText(name, row["host"] or name, row["url"] or "", edited.get(name, row["text"]))
        for row in found
        for name in [row["doc_id"]]
    ]
    return sorted(texts, key=lambda text: text.doc_id)


def _kept(store: Store, waves: list[int]) -> Iterator[tuple[bytes, str]]:
    """Yield digest and doc_id of the documents that are left."""
    removed: set[str] = set()
    if store.commits(FIND_DUPLICATES):
        removed.update(row["doc_id"] for row in store.rows(DUPLICATES, ["doc_id"]))
    flagged = store.commits(APPLY_RULES)
    for wave in waves:
        rejected: set[str] = set()
        if wave in flagged:
            rows = store.rows(FLAGGED, ["doc_id", "reject_reasons"], [wave])
            rejected = {row["doc_id"] for row in rows if row["reject_reasons"]}
        for row in store.rows(DOCUMENTS, ["doc_id"], [wave]):
            if row["doc_id"] not in rejected and row["doc_id"] not in removed:
                yield hashlib.sha256(row["doc_id"].encode()).digest(), row["doc_id"]
