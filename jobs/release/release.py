"""A release from beginning to end: corpus -> data/, jsonl/, README.md, checksums.sha256, run.json.

Rows of the corpus are released or excluded, and counted on both sides: from what the corpus holds,
and from what the files hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.excluded import EXCLUDED
from jobs.publishing.exclusions import Exclusions, read_exclusions
from jobs.publishing.files import FileFormat
from jobs.publishing.lines import TEXT
from jobs.publishing.place import CARD, FACTS, placed
from jobs.publishing.schema import arrow_schema
from jobs.publishing.written import (
    SAID_OF_FILES,
    ReleaseIncomplete,
    check_count,
    in_files,
    spark_settings,
    write_files,
    write_texts,
)
from jobs.release.card import card, format_card
from jobs.release.facts import (
    Source,
    corpus_facts_of,
    counts_by,
    measured_rows,
    release_facts,
    row_counts,
    summed,
    with_chars,
)
from jobs.release.layout import FOLDERS, row_order, shuffled, sorted_by_column
from jobs.release.rows import (
    GROUP,
    LABELS,
    order_column,
    perplexity_limits,
    released_columns,
    with_labels,
)
from jobs.run.store import Commit, Store
from jobs.tables import schema_of
from udfs.files.uris import filesystem

_READERS = 16
"""Footers of Parquet files that are read at once."""
_BATCH_BYTES = 4 * 2**20
"""Bytes of text in an Arrow batch of shuffled rows, about."""
_BATCH_ROWS = 1000
_UNMEASURED_BATCH = {"spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1)}
_ROW_DIGESTS = tuple(
    f"spark.sql.shuffle.orderIndependentChecksum.{name}"
    for name in ("enabled", "enableFullRetryOnMismatch", "enableQueryLevelRollbackOnMismatch")
)
_ROWS_OF_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch"
_READING = {"spark.sql.parquet.columnarReaderBatchSize": "256"}
"""Rows that Spark takes from a Parquet file at once: of its 4,096 texts are 20 MB, which leave a
core's cache before they are used. Java then needs half of its time again for a release."""


@dataclass(frozen=True)
class Released:
    """What came out of a release."""

    uri: str
    seen: int
    """Rows of the corpus."""
    rows: int
    """Rows of the release."""
    excluded: Mapping[str, int]
    """Kind of entry -> rows that it excluded."""
    files: Sequence[Mapping[str, Any]]
    """path, rows, bytes and sha256 of each."""


def check_release(source: Source, settings: ReleaseConfig) -> Exclusions:
    """Check before any work that a release can be made, and read what it must leave out.

    Raises:
        ConfigError: there is no corpus, a column that is asked for is none of it, or a list cannot
            be read.
    """
    if source.commit is None:
        raise ConfigError(
            f"{source.run.store.root}: there is no {source.table} to release: run select_corpus"
        )
    released_columns(schema_of(source.table), settings)
    return read_exclusions(settings.exclude, "release.exclude")


def write_release(
    spark: SparkSession, source: Source, uri: str, settings: ReleaseConfig, exclusions: Exclusions
) -> Released:
    """Write a release, and put it in its place when it is complete.

    Args:
        uri: A folder that `jobs.publishing.place.check_place` has passed.
    Raises:
        ReleaseIncomplete: rows were lost or doubled, or the corpus was selected again meanwhile.
    """
    commit = source.commit
    if commit is None:
        raise ReleaseIncomplete(f"{source.table}: is not selected any more")
    with spark_settings(spark, _READING):
        return _write_release(spark, source, commit, uri, settings, exclusions)


def _write_release(
    spark: SparkSession,
    source: Source,
    commit: Commit,
    uri: str,
    settings: ReleaseConfig,
    exclusions: Exclusions,
) -> Released:
    """Write the release of a selection that is committed."""
    corpus = source.run.store.read(spark, source.table)
    columns = released_columns(corpus.schema, settings)
    limits = perplexity_limits(corpus, settings) if "perplexity" in settings.subsets else None
    labelled = with_labels(corpus, settings, exclusions, limits, has_copies=source.has_copies)
    has_texts = TEXT in columns
    is_shuffled = order_column(settings) is None
    # Where an order is found texts are measured once, for it and for the counts.
    measured = labelled if is_shuffled or not has_texts else measured_rows(labelled)
    counts = row_counts(measured, has_chars=not has_texts)
    released = [row for row in counts if row[EXCLUDED] is None]
    total = summed(released)
    of_corpus = corpus_facts_of(source, commit)
    seen = _rows_of(source.run.store, source.table)
    check_count("rows of the corpus", seen, summed(counts)["rows"])
    kept, measured = (rows.where(F.col(EXCLUDED).isNull()) for rows in (labelled, measured))
    if is_shuffled:
        sizes = {folder: n["bytes"] for folder, n in counts_by(released, GROUP).items()}
        rows, layout = shuffled(kept, sizes, settings)
    else:
        rows, layout = sorted_by_column(kept, measured, total["rows"], settings)
    schema = arrow_schema(corpus.select(*columns).schema)
    formats = [FileFormat(name, schema, settings.row_group_bytes) for name in settings.formats]
    if has_texts:  # the files of the first format count their characters
        formats[0] = replace(formats[0], labels=LABELS)
    with placed(uri, FOLDERS) as root:
        files = []
        for of in formats:
            with spark_settings(spark, _writing(total, is_shuffled=is_shuffled)):
                written = write_files(
                    in_files(rows, layout.files, row_order(settings)), root, of, layout
                )
            check_count(f"rows of {of.name}", total["rows"], sum(f["rows"] for f in written))
            files += written
        if source.commit != commit:
            raise ReleaseIncomplete(
                f"{source.table} was selected again meanwhile; release it again"
            )
        counts = with_chars(counts, files) if has_texts else counts
        facts = release_facts(of_corpus, counts, settings, limits)
        facts["files"] = [{key: of[key] for key in SAID_OF_FILES} for of in files]
        texts = {
            FACTS: json.dumps(facts, ensure_ascii=False, indent=1) + "\n",
            CARD: card(facts, settings, schema, formats, layout),
        }
        texts |= {
            f"{of.folder}/{CARD}": format_card(facts, settings, of, layout) for of in formats[1:]
        }
        write_texts(root, texts, files)
    excluded = {of["kind"]: of["rows"] for of in facts["ledger"]["excluded"]}
    return Released(uri, seen, total["rows"], excluded, facts["files"])


def write_corpus_card(
    spark: SparkSession, source: Source, commit: Commit, settings: ReleaseConfig
) -> None:
    """Write README.md beside a corpus within its output.

    Args:
        commit: Of its selection, which need not be committed yet.
    """
    settings = replace(settings, subsets=())
    corpus = source.run.store.read(spark, source.table)
    counts = row_counts(with_labels(corpus, settings, Exclusions(), None))
    facts = release_facts(corpus_facts_of(source, commit), counts, settings, None)
    text = card(facts, settings, arrow_schema(corpus.schema))
    source.run.store.write_bytes(text.encode(), *source.table.split("/")[:-1], CARD)


def _writing(counts: Mapping[str, int], *, is_shuffled: bool) -> dict[str, str]:
    """Return settings of Spark that decide what rows cost on their way to Python.

    Spark's digest of each shuffled row, by which it notices that a repeated task gives other rows,
    is a third of what it does here: the rows of a release follow from files alone.

    Batches of shuffled rows are bounded by their number, from the mean size of a text: where bytes
    bound a batch Spark measures all columns after each row, a fifth of Java's time. Sorted rows may
    be alike, and long ones together: they keep the bounds that are set.
    """
    wanted = dict.fromkeys(_ROW_DIGESTS, "false")
    if is_shuffled:
        rows = _BATCH_BYTES * counts["rows"] // max(counts["bytes"], 1)
        wanted |= {**_UNMEASURED_BATCH, _ROWS_OF_BATCH: str(min(max(rows, 1), _BATCH_ROWS))}
    return wanted


def _rows_of(store: Store, table: str) -> int:
    """Count the rows of a table from the ends of its files."""
    files, root = filesystem(store.root)
    names = [name for name in store.list_names(table) if name.endswith(".parquet")]
    with ThreadPoolExecutor(_READERS) as readers:
        found = readers.map(
            lambda name: pq.read_metadata(f"{root}/{table}/{name}", filesystem=files).num_rows,
            names,
        )
        return sum(found)
