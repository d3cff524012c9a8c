"""Texts that quality_bert scored in a run, from the run's tables: what a student learns from.

There is no Spark here: of the texts only a sample is read, as large as training takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import CUTS, DOCUMENTS, EDITS, scores
from jobs.training.quality.distillation import Taught
from udfs.dedup.paragraphs import Span, cut_spans
from udfs.files.uris import filesystem

SCORER = "quality_bert"
STAGE = f"score_{SCORER}"


class TaughtTextsError(ValueError):
    """An output has no scores to learn from; the message names it."""


@dataclass(frozen=True)
class Lesson:
    """Texts with a teacher's scores, and who that was."""

    texts: list[Taught]
    teacher: str
    """The model, as rows name it: ``quality_bert@1+6eb8aaaf2ec9``."""


def read_lesson(output: str, most: int) -> Lesson:
    """Scored texts of a run, as they were scored.

    Args:
        output: The run's output, local or in a store; waves of it that are not whole are left out.
        most: Texts at most: those whose doc_ids have the lowest digests, which is a sample that
            does not depend on the others.
    Returns:
        Texts by doc_id.
    Raises:
        TaughtTextsError: nothing is scored there, or by several models.
    """
    store = Store.at(output)
    commits = store.commits(STAGE)
    found: list[tuple[bytes, int, str, float]] = []
    teachers = set()
    for wave in sorted(commits):
        for row in _rows(store, scores(SCORER), wave, ["doc_id", "score", "artifact"]):
            if row["score"] is not None:
                teachers.add(row["artifact"])
                digest = hashlib.sha256(row["doc_id"].encode()).digest()
                found.append((digest, wave, row["doc_id"], row["score"]))
    if not found:
        raise TaughtTextsError(
            f"{output}: holds no scores of {SCORER}: run python -m jobs.score_documents "
            f"--scorer {SCORER} there"
        )
    if len(teachers) > 1:
        raise TaughtTextsError(f"{output}: scores of several models: {', '.join(sorted(teachers))}")
    chosen = sorted(found)[:most]
    texts: list[Taught] = []
    for wave in sorted({wave for _, wave, _, _ in chosen}):
        score_of = {doc_id: score for _, its, doc_id, score in chosen if its == wave}
        texts += _texts(store, commits[wave], score_of)
    return Lesson(sorted(texts, key=lambda text: text.doc_id), teachers.pop())


def _texts(store: Store, commit: Commit, score_of: dict[str, float]) -> Iterator[Taught]:
    """Texts of one wave as they were when they were scored: edited, and where the scores came
    after it, without the paragraphs that were cut."""
    ids = list(score_of)
    rows = _rows(store, DOCUMENTS, commit.wave, ["doc_id", "host", "text"], ids)
    edited: dict[str, str] = {}
    if store.list_names(EDITS, f"wave={commit.wave:05d}"):
        edited = {r["doc_id"]: r["text"] for r in _rows(store, EDITS, commit.wave, _TEXT, ids)}
    spans_of: dict[str, list[Span]] = {}
    if commit.sources.get("find_duplicates") is not None and store.list_names(CUTS):
        cuts = _rows(store, CUTS, WHOLE, ["doc_id", "spans"], ids)
        spans_of = {
            row["doc_id"]: [Span(s["start"], s["length"]) for s in row["spans"]] for row in cuts
        }
    for row in rows:
        name = row["doc_id"]
        text = cut_spans(edited.get(name, row["text"]), spans_of.get(name, []))
        yield Taught(name, row["host"] or name, text, score_of[name])


_TEXT = ["doc_id", "text"]


def _rows(
    store: Store, table: str, wave: int, columns: list[str], ids: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Rows of a table, or of those of some documents."""
    files, path = filesystem(store.table_path(table, wave))
    of_table = ds.dataset(path, format="parquet", filesystem=files)
    wanted = None if ids is None else pc.field("doc_id").isin(pa.array(ids, pa.string()))
    for batch in of_table.to_batches(columns=columns, filter=wanted):
        yield from batch.to_pylist()
