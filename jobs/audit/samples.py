"""Samples for people to look at: for every stage and reason a few documents, with what decided.

A sample follows from audit.seed and the documents alone. Of each document the part of its text
around the first mark is kept, so that the table is small whatever the data. Up to 50,000 documents
the driver reads the tables itself, else Spark looks for the sampled documents.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.audit.marks import Mark, difference_marks, stretch_of, word_marks
from jobs.audit.numbers import (
    Number,
    duplicate_numbers,
    names_of,
    rule_numbers,
    scorers_of,
    selection_numbers,
)
from jobs.audit.tables import FewRows, Text, edited_texts, without_cuts
from jobs.catalogue.fetch import find_artifact_or_file
from jobs.config.scorers import declared
from jobs.run.request import APPLY_RULES, FIND_DUPLICATES, SELECT_CORPUS, Run, score_stage
from jobs.tables import AUDIT, DUPLICATES, MEASURED, corpus_of, rejected_of, scores
from jobs.transforms.samples import Candidate, few_of_each, few_of_each_row
from udfs.lists.lexicon import LexiconError, read_lexicon

KINDS = ("rejected", "near_pair", "borderline", "toxic", "kept")

_TOXICITY = "toxicity"
_WORDS = "sensitive"
_MARKS = pa.list_(pa.struct([("start", pa.int32()), ("length", pa.int32()), ("what", pa.string())]))
_SCHEMA = pa.schema(
    [
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("kind", pa.string()),
        ("place", pa.int32()),
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("host", pa.string()),
        ("text", pa.string()),
        ("text_chars", pa.int64()),
        ("marks", _MARKS),
        (
            "numbers",
            pa.list_(
                pa.struct([("name", pa.string()), ("value", pa.float64()), ("limit", pa.string())])
            ),
        ),
        ("other_doc_id", pa.string()),
        ("other_text", pa.string()),
        ("other_marks", _MARKS),
    ]
)


class Sampled(NamedTuple):
    """A document in a sample."""

    kind: str
    stage: str
    reason: str
    place: int
    doc_id: str


class Finding(NamedTuple):
    """What is said of a sampled document."""

    text: Text
    marks: Sequence[Mark]
    numbers: Sequence[Number]
    other_doc_id: str | None = None
    other: Text | None = None
    other_marks: Sequence[Mark] = ()


def write_audit(spark: SparkSession, run: Run) -> None:
    """Write the table audit over an earlier one; an empty one where audit.samples is 0.

    The corpus must have been selected.
    """
    rows = sampled_rows(spark, run) if run.config.audit.samples else []
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), buffer, compression="zstd")
    run.store.delete(AUDIT)
    run.store.write_bytes(buffer.getvalue(), AUDIT, "audit.parquet")


def sampled_rows(spark: SparkSession, run: Run) -> list[dict[str, Any]]:
    """Return the rows of the table, by stage, reason, kind and place."""
    few = FewRows(spark, run)
    audit = run.config.audit
    if few.is_on_driver:
        found = few_of_each_row(_candidate_rows(run), audit.samples, audit.seed)
    else:
        chosen = few_of_each(_candidates(spark, run), audit.samples, audit.seed)
        found = [tuple(row) for row in chosen.collect()]
    samples = sorted(Sampled(*row) for row in found)
    by_stage: defaultdict[str, list[Sampled]] = defaultdict(list)
    for sample in samples:
        by_stage[sample.kind if sample.kind != "rejected" else sample.stage].append(sample)
    findings = {
        **_of_rules(few, run, by_stage[APPLY_RULES]),
        **_of_duplicates(few, run, [*by_stage[FIND_DUPLICATES], *by_stage["near_pair"]]),
        **_of_toxicity(few, run, by_stage["toxic"]),
        **_of_corpus(few, run, [*by_stage["kept"], *by_stage["borderline"]]),
        **_of_selection(few, run, [one for one in samples if _is_of_selection(one)]),
    }
    rows = [_row(sample, findings[sample], audit.max_chars) for sample in samples]
    return sorted(rows, key=lambda row: (row["stage"], row["reason"], row["kind"], row["place"]))


def _is_of_selection(sample: Sampled) -> bool:
    return sample.kind == "rejected" and sample.stage not in (APPLY_RULES, FIND_DUPLICATES)


def _candidate_rows(run: Run) -> Iterator[Candidate]:
    """Yield all documents that a sample may have, of few."""
    for row in run.store.rows(rejected_of(run.selection), ["doc_id", "stage", "reasons"]):
        for reason in row["reasons"]:
            yield _kind(row["stage"], reason), row["stage"], reason, 0.0, row["doc_id"]
    least = run.config.select.min_quality
    for row in run.store.rows(corpus_of(run.selection), ["doc_id", "quality_score"]):
        yield "kept", SELECT_CORPUS, "kept", 0.0, row["doc_id"]
        if least is not None:
            rank = row["quality_score"]
            yield "borderline", SELECT_CORPUS, "low_quality", rank, row["doc_id"]
    if _TOXICITY in run.config.score.scorers:
        for row in run.store.rows(scores(_TOXICITY), ["doc_id", "label"], list(run.waves)):
            if row["label"]:
                yield "toxic", score_stage(_TOXICITY), "toxic", 0.0, row["doc_id"]


def _candidates(spark: SparkSession, run: Run) -> DataFrame:
    """`_candidate_rows` as a frame."""

    def named(frame: DataFrame, kind: str, stage: str, reason: str, rank: Column) -> DataFrame:
        names = {"kind": kind, "stage": stage, "reason": reason}
        return frame.select(
            *(F.lit(value).alias(name) for name, value in names.items()), rank, "doc_id"
        )

    zero = F.lit(0.0).alias("rank")
    reasons = run.store.read(spark, rejected_of(run.selection)).select(
        "doc_id", "stage", F.explode("reasons").alias("reason")
    )
    is_pair = (F.col("stage") == FIND_DUPLICATES) & (F.col("reason") == "near")
    kind = F.when(is_pair, "near_pair").otherwise("rejected").alias("kind")
    corpus = run.store.read(spark, corpus_of(run.selection)).select("doc_id", "quality_score")
    parts = [
        reasons.select(kind, "stage", "reason", zero, "doc_id"),
        named(corpus, "kept", SELECT_CORPUS, "kept", zero),
    ]
    if run.config.select.min_quality is not None:
        rank = F.col("quality_score").alias("rank")
        parts.append(named(corpus, "borderline", SELECT_CORPUS, "low_quality", rank))
    if _TOXICITY in run.config.score.scorers:
        toxic = run.store.read(spark, scores(_TOXICITY), list(run.waves)).where("label = 1")
        parts.append(named(toxic, "toxic", score_stage(_TOXICITY), "toxic", zero))
    return reduce(DataFrame.unionByName, parts)


def _kind(stage: str, reason: str) -> str:
    return "near_pair" if (stage, reason) == (FIND_DUPLICATES, "near") else "rejected"


def _of_rules(few: FewRows, run: Run, samples: Sequence[Sampled]) -> dict[Sampled, Finding]:
    """Say which measures rejected documents, and mark the words and spans that they count."""
    ids = {sample.doc_id for sample in samples}
    texts = edited_texts(few, run, ids)
    columns = ("doc_id", "opt_outs", "measures")
    measured = {row["doc_id"]: row for row in few.rows(MEASURED, columns, ids, few.waves)}
    rules = run.config.rules
    categories = _categories(run) if samples else {}
    found = {}
    for sample in samples:
        row, text = measured[sample.doc_id], texts[sample.doc_id]
        measures = row["measures"] or {}
        marks: list[Mark] = []
        if sample.reason == "pii":
            spans = (span for span in measures["pii"] or () if span["kind"] in rules.pii_kinds)
            marks = [Mark(span["start"], span["length"], span["kind"]) for span in spans]
        elif words := _matched_words(sample.reason, measures, rules.conditions, categories):
            marks = word_marks(text.text, words)
        found[sample] = Finding(text, marks, rule_numbers(sample.reason, row, rules))
    return found


def _matched_words(
    reason: str,
    measures: Mapping[str, Any],
    conditions: Mapping[str, str],
    categories: Mapping[str, str],
) -> dict[str, str]:
    """Return the lexicon's words that a reason counts in a document, with their categories."""
    named = names_of(conditions.get(reason, ""))
    counted = {category for name, category in named if name.startswith("sensitive_")}
    if reason != "sensitive" and not counted:
        return {}
    words = {word: categories.get(word, _WORDS) for word in measures.get("sensitive_words") or ()}
    if reason == "sensitive" or "" in counted:
        return words
    return {word: of for word, of in words.items() if of in (*counted, _WORDS)}


def _categories(run: Run) -> dict[str, str]:
    """Return the category of each word of the lexicon, if the driver has its file."""
    artifact = find_artifact_or_file(run.catalogue, run.config.rules.lexicon, "rules.lexicon")
    path = Path(artifact.uri)
    try:
        return read_lexicon(path).categories if path.is_file() else {}
    except LexiconError:
        return {}


def _of_duplicates(few: FewRows, run: Run, samples: Sequence[Sampled]) -> dict[Sampled, Finding]:
    """Put duplicates beside the documents that were kept, and mark where near ones differ."""
    ids = {sample.doc_id for sample in samples}
    columns = (*("doc_id", "kind", "kept_doc_id", "kept_snapshot", "similarity", "cluster_size"),)
    removed = {row["doc_id"]: row for row in few.rows(DUPLICATES, columns, ids)}
    pairs = {
        row["doc_id"]: row["kept_doc_id"]
        for row in removed.values()
        # A document of an earlier snapshot may have the doc_id of one of this run.
        if row["kind"] == "near" and row["kept_snapshot"] is None
    }
    texts = edited_texts(few, run, ids | set(pairs.values()))
    found = {}
    for sample in samples:
        row, text = removed[sample.doc_id], texts[sample.doc_id]
        other = texts.get(pairs.get(sample.doc_id, ""))
        marks, other_marks = (
            ([], []) if other is None else difference_marks(text.text, other.text, "differs")
        )
        numbers = duplicate_numbers(row, run.config.dedup)
        found[sample] = Finding(text, marks, numbers, row["kept_doc_id"], other, other_marks)
    return found


def _of_toxicity(few: FewRows, run: Run, samples: Sequence[Sampled]) -> dict[Sampled, Finding]:
    """Mark the worst spans of documents that are labelled toxic."""
    ids = {sample.doc_id for sample in samples}
    columns = ("doc_id", "kind", "score", "worst_start", "worst_length", "worst_score")
    scored = {row["doc_id"]: row for row in few.rows(scores(_TOXICITY), columns, ids, few.waves)}
    texts = edited_texts(few, run, ids)
    if run.config.score.rows != "all":
        texts = without_cuts(few, run, texts)
    found = {}
    for sample in samples:
        row = scored[sample.doc_id]
        settings, kind = run.config.scorers[_TOXICITY], row["kind"]
        least = settings.min_label_scores.get(kind, settings.min_label_score)
        numbers = [Number("toxicity.score", row["score"], f">= {least:g}")]
        if kind is not None:
            numbers.append(Number("toxicity.kind", None, kind))
        marks = []
        if row["worst_start"] is not None:
            marks.append(Mark(row["worst_start"], row["worst_length"], "toxic"))
            numbers.append(Number("toxicity.worst_score", row["worst_score"], ""))
        found[sample] = Finding(texts[sample.doc_id], marks, numbers)
    return found


def _of_corpus(few: FewRows, run: Run, samples: Sequence[Sampled]) -> dict[Sampled, Finding]:
    """Show documents of the corpus with their scores."""
    ids = {sample.doc_id for sample in samples}
    columns = ("doc_id", "url", "source_domain", "text", "quality_score")
    found = {}
    rows = {row["doc_id"]: row for row in few.rows(corpus_of(run.selection), columns, ids)}
    least = run.config.select.min_quality
    limit = "" if least is None else f">= {least:g}"
    for sample in samples:
        row = rows[sample.doc_id]
        text = Text(row["url"], row["source_domain"], row["text"], row["text_chars"])
        found[sample] = Finding(text, [], [Number("quality_score", row["quality_score"], limit)])
    return found


def _of_selection(few: FewRows, run: Run, samples: Sequence[Sampled]) -> dict[Sampled, Finding]:
    """Say which scores left documents out of the corpus."""
    ids = {sample.doc_id for sample in samples}
    texts = without_cuts(few, run, edited_texts(few, run, ids))
    of_scorer: defaultdict[str, set[str]] = defaultdict(set)
    for sample in samples:
        for scorer in scorers_of(sample.reason, run.config):
            of_scorer[scorer].add(sample.doc_id)
    rows: dict[str, dict[str, Any]] = {}
    for scorer, scored in of_scorer.items():
        columns = ["doc_id", *declared()[scorer].result_type.fieldNames()]
        found_rows = few.rows(scores(scorer), columns, scored, few.waves)
        rows[scorer] = {row["doc_id"]: row for row in found_rows}
    found = {}
    for sample in samples:
        of_document = {
            scorer: rows[scorer].get(sample.doc_id)
            for scorer in scorers_of(sample.reason, run.config)
        }
        numbers = selection_numbers(sample.reason, of_document, run.config)
        # With score.rows = "all" texts may have lost paragraphs since they were scored.
        marks = _passages(of_document) if run.config.score.rows != "all" else ()
        found[sample] = Finding(texts[sample.doc_id], list(marks), numbers)
    return found


def _passages(scored: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Mark]:
    """Yield the passages that scorers found in a document, by scorer."""
    for name, row in scored.items():
        passages = declared()[name].passages
        if passages is not None and row is not None:
            for span in row[passages.spans] or ():
                yield Mark(span["start"], span["length"], passages.edit)


def _row(sample: Sampled, finding: Finding, max_chars: int) -> dict[str, Any]:
    """Return a row of the table."""
    # Where only one of two texts has more, both are shown at the same place.
    first = min((mark.start for mark in (*finding.marks, *finding.other_marks)), default=0)
    text, marks = stretch_of(finding.text.text, finding.marks, max_chars, first)
    other: str | None = None
    other_marks: list[Mark] = []
    if finding.other is not None:
        other, other_marks = stretch_of(finding.other.text, finding.other_marks, max_chars, first)
    return {
        **sample._asdict(),
        "url": finding.text.url,
        "host": finding.text.host,
        "text": text,
        "text_chars": finding.text.chars,
        "marks": [mark._asdict() for mark in marks],
        "numbers": [number._asdict() for number in finding.numbers],
        "other_doc_id": finding.other_doc_id,
        "other_text": other,
        "other_marks": [mark._asdict() for mark in other_marks],
    }
