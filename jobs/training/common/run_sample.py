"""Texts of a run's output as they are after its stages, read with pyarrow, not Spark."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.run.request import APPLY_RULES, EXTRACT_DOCUMENTS, FIND_DUPLICATES
from jobs.run.store import Store
from jobs.tables import CUTS, DOCUMENTS, DUPLICATES, EDITS, FLAGGED
from jobs.training.common.task import TrainingError
from udfs.dedup.paragraphs import Span, cut_spans

_TEXT = ["doc_id", "text"]
_DOCUMENT = [*_TEXT, "host", "url"]


class RunSampleError(TrainingError):
    """An output holds no texts to learn from; the message names it."""


@dataclass(frozen=True)
class SampledText:
    """A text of a run."""

    doc_id: str
    site: str
    """Its host, or its doc_id without one."""
    url: str
    """Empty where it has none."""
    text: str


def sample_run_texts(output: str, most: int, *, without_cuts: bool = True) -> list[SampledText]:
    """Read texts of a run that neither its rules nor its deduplication removed.

    The ids of the removed documents are in memory, and only the texts that are returned.

    Args:
        output: The run's output, local or in an object store; uncommitted waves are skipped.
        most: Texts at most: those whose doc_ids have the lowest digests, a sample that does not
            depend on the other texts.
        without_cuts: Leave out the duplicate paragraphs that deduplication cut.
    Returns:
        Texts ordered by doc_id, as the rules edited them where they ran.
    Raises:
        RunSampleError: the output has no documents, or its stages removed all.
    """
    store = Store.at(output)
    waves = sorted(store.commits(EXTRACT_DOCUMENTS))
    if not waves:
        raise RunSampleError(
            f"{output}: no documents found: expected the output of python -m jobs.run_pipeline"
        )
    ruled = store.commits(APPLY_RULES)
    is_deduplicated = bool(store.commits(FIND_DUPLICATES))
    removed: set[str] = set()
    if is_deduplicated:
        removed.update(row["doc_id"] for row in store.rows(DUPLICATES, ["doc_id"]))
    lowest: list[tuple[bytes, int, str]] = []
    for wave in waves:
        rejected: set[str] = set()
        if wave in ruled:
            flagged = store.rows(FLAGGED, ["doc_id", "reject_reasons"], [wave])
            rejected.update(row["doc_id"] for row in flagged if row["reject_reasons"])
        kept = (
            (digest_of_id(row["doc_id"]), wave, row["doc_id"])
            for row in store.rows(DOCUMENTS, ["doc_id"], [wave])
            if row["doc_id"] not in rejected and row["doc_id"] not in removed
        )
        lowest = heapq.nsmallest(most, (*lowest, *kept))
    if not lowest:
        raise RunSampleError(f"{output}: rules and deduplication removed all of its documents")
    texts: list[SampledText] = []
    for wave in sorted({wave for _, wave, _ in lowest}):
        ids = [doc_id for _, its, doc_id in lowest if its == wave]
        texts += texts_of_wave(store, wave, ids, without_cuts and is_deduplicated)
    return sorted(texts, key=lambda text: text.doc_id)


def texts_of_wave(
    store: Store, wave: int, ids: Sequence[str], without_cuts: bool
) -> Iterator[SampledText]:
    """Yield the texts of some documents of a wave, as the rules edited them.

    Args:
        without_cuts: Leave out the duplicate paragraphs that deduplication cut.
    """
    edited: dict[str, str] = {}
    if store.list_names(EDITS, f"wave={wave:05d}"):
        edited = {r["doc_id"]: r["text"] for r in store.rows_of(EDITS, _TEXT, ids, [wave])}
    spans_of: dict[str, list[Span]] = {}
    if without_cuts and store.list_names(CUTS):
        cuts = store.rows_of(CUTS, ["doc_id", "spans"], ids)
        spans_of = {
            row["doc_id"]: [Span(s["start"], s["length"]) for s in row["spans"]] for row in cuts
        }
    for row in store.rows_of(DOCUMENTS, _DOCUMENT, ids, [wave]):
        name = row["doc_id"]
        text = cut_spans(edited.get(name, row["text"]), spans_of.get(name, []))
        yield SampledText(name, row["host"] or name, row["url"] or "", text)


def digest_of_id(doc_id: str) -> bytes:
    """Return the digest of a doc_id, by whose order samples are drawn."""
    return hashlib.sha256(doc_id.encode()).digest()
