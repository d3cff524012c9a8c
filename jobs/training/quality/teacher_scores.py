"""Teacher scores: a sample of the texts that quality_bert scored in a run, from the run's tables.

The tables are read with pyarrow, not Spark: a sample is as large as training can use.
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
from jobs.training.common.task import TrainingError
from jobs.training.quality.distillation import ScoredText
from udfs.dedup.paragraphs import Span, cut_spans
from udfs.files.uris import filesystem

SCORER = "quality_bert"
STAGE = f"score_{SCORER}"

_TEXT = ["doc_id", "text"]


class TeacherScoresError(TrainingError):
    """An output has no scores of one teacher; the message names it."""


@dataclass(frozen=True)
class TeacherScores:
    """Texts with the scores of one teacher."""

    texts: list[ScoredText]
    teacher: str
    """The model as rows name it: ``quality_bert@1+6eb8aaaf2ec9``."""


def read_teacher_scores(output: str, most: int) -> TeacherScores:
    """Read scored texts of a run, as they were when they were scored.

    Args:
        output: The run's output, local or in an object store; uncommitted waves are skipped.
        most: Texts at most: those whose doc_ids have the lowest digests, a sample that does not
            depend on the other texts.
    Returns:
        Texts ordered by doc_id.
    Raises:
        TeacherScoresError: no scores, or scores of several models.
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
        raise TeacherScoresError(
            f"{output}: no scores of {SCORER} found: run python -m jobs.score_documents "
            f"--scorer {SCORER} on this output first"
        )
    if len(teachers) > 1:
        raise TeacherScoresError(
            f"{output}: scores of several models: {', '.join(sorted(teachers))}: score the output "
            "with one model"
        )
    chosen = sorted(found)[:most]
    texts: list[ScoredText] = []
    for wave in sorted({wave for _, wave, _, _ in chosen}):
        score_of = {doc_id: score for _, its, doc_id, score in chosen if its == wave}
        texts += _texts(store, commits[wave], score_of)
    return TeacherScores(sorted(texts, key=lambda text: text.doc_id), teachers.pop())


def _texts(store: Store, commit: Commit, score_of: dict[str, float]) -> Iterator[ScoredText]:
    """Yield the texts of one wave as they were scored: edited, and without the duplicate paragraphs
    if find_duplicates ran before the scorer."""
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
        yield ScoredText(name, row["host"] or name, text, score_of[name])


def _rows(
    store: Store, table: str, wave: int, columns: list[str], ids: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one wave of a table, or only those of the documents `ids`."""
    files, path = filesystem(store.table_path(table, wave))
    of_table = ds.dataset(path, format="parquet", filesystem=files)
    wanted = None if ids is None else pc.field("doc_id").isin(pa.array(ids, pa.string()))
    for batch in of_table.to_batches(columns=columns, filter=wanted):
        yield from batch.to_pylist()
