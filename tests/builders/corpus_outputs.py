"""Outputs with a corpus that no run has made: for what reads one."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from jobs.run.splits import Split, write_wave
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import CORPUS, schema_of

LABELS = ("law", "news", "medicine", "education")
LOCK_ID = "5e" * 32


def made_rows(count: int) -> list[dict[str, Any]]:
    """Return corpus rows with different texts, scores, hosts and labels; some columns are null in
    all of them."""
    rows: list[dict[str, Any]] = []
    for number in range(count):
        text = f"第{number}号水库在春天放水，村里的人沿着石阶去看。\n" * (1 + number % 7)
        rows.append(
            dict.fromkeys(schema_of(CORPUS).fieldNames())
            | {
                "text": text,
                "domain": {
                    "single_label": LABELS[number % len(LABELS)],
                    "multi_label": [LABELS[number % len(LABELS)], "general"],
                },
                "toxicity": {"label": int(number % 10 == 3), "score": number % 10 / 10},
                "quality_score": number % 20 / 20,
                "harmful": {"perplexity": 10.0 + number, "flagged": False},
                "url": f"https://www.h{number % 5}.cn/p/{number}",
                "source_domain": f"www.h{number % 5}.cn",
                "doc_id": hashlib.md5(str(number).encode()).hexdigest(),
                "capture_time": datetime(2024, 5, 1, 2, 3, number % 60, tzinfo=UTC),
                "published": date(2024, 4, 1) if number % 3 else None,
                "opt_outs": [] if number % 2 else ["noai"],
                "page_kind": "article",
                "language_score": 0.9,
                "script": "hans",
                "cluster_size": 1 + number % 4,
                "edits": [{"kind": "width", "places": 2}] if number % 5 == 0 else [],
                "pii": [],
            }
        )
    return rows


def write_output(
    spark: SparkSession, path: Path, rows: list[dict[str, Any]], partitions: int = 1
) -> Path:
    """Write an output whose corpus has these rows, and commits that fit it."""
    store = Store.at(str(path))
    write_wave(store, 0, [Split("made.jsonl", "made.jsonl", "jsonl", 1)])
    frame = spark.createDataFrame(rows, schema_of(CORPUS))
    store.write(frame.repartition(partitions), CORPUS)
    scores = [("doc_id", pa.array(["a"])), ("score", pa.array([0.5]))]
    scores += [("artifact", pa.array(["quality@2+df78"])), ("lock_id", pa.array([LOCK_ID]))]
    folder = path / "scores" / "quality" / "wave=00000"
    folder.mkdir(parents=True)
    pq.write_table(pa.table(dict(scores)), folder / "part-0.parquet")
    kept = len(rows)
    read = {"extract.languages": ["zh"]}
    limits = {"rules.min_chars": 9, "rules.lexicon": "/home/somebody/words.tsv"}
    chosen = {"select.min_quality": 0.5, "select.jsonl": "none"}
    rejected = {"low_quality": 2}
    for commit in (
        Commit("extract_documents", 0, "e", 1.0, kept + 5, kept=kept + 2, settings=read,
               rejected={"too_few_han": 3}),
        Commit("apply_rules", 0, "r", 1.0, kept + 2, kept=kept + 2, settings=limits),
        Commit("find_duplicates", WHOLE, "d", 1.0, kept + 2, kept=kept + 2),
        Commit("score_quality", 0, "s", 1.0, kept + 2, kept=kept + 2),
        Commit("select_corpus", WHOLE, "c", 1.0, kept + 2, kept=kept, settings=chosen,
               rejected=rejected, sources={"score_quality": "s", "find_duplicates": "d"}),
    ):  # fmt: skip
        store.commit(commit)
    return path
