"""One wave of extraction: splits -> documents, what is beside them, failures, ranges to try again.

One pass of Python workers gives documents, failures and tallies; each kind of row goes to a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import Config, ExtractConfig, LanguageConfig
from jobs.config.exit_status import NothingRead
from jobs.pipeline.beside_documents import PARTS, BesidePart, part_rows, part_tallies
from jobs.run.commits import Balance
from jobs.run.console import StageProgress, show_progress
from jobs.run.current_documents import DRIVER_DOCUMENTS
from jobs.run.ledger import close_ledger, parts_of, read_ledger, rows_of
from jobs.run.request import EXTRACT_DOCUMENTS, Run
from jobs.run.splits import REPLAY, Split, as_read, may_repeat_records, work_units
from jobs.run.store import Store, stored_first
from jobs.tables import DOCUMENTS, EXTRACTED, RANGES, READ_FAILURES, schema_of
from jobs.transforms.ledger import WRITTEN, tally_rows, written_counts
from jobs.transforms.row_ids import repeated_rows
from udfs.extract.extract import MISSING_FILE, ExtractOptions, extract_udf
from udfs.extract.outcomes import DOCUMENT, FAILURE, TALLY
from udfs.extract.pages import PageOptions
from udfs.files.artifacts import ArtifactFile
from udfs.html.page_text import HtmlLimits
from udfs.pairs.places import PairLimits
from udfs.pairs.text_measures import plain
from udfs.warc.ranges import RANGE_BEYOND_END, RANGE_UNREADABLE

REPLAY_LISTS = "replay"
"""Folder of the lists of ranges that could not be read."""

UNREAD = (MISSING_FILE, RANGE_UNREADABLE, RANGE_BEYOND_END)
"""Reasons of failures after which a later try, or another mirror, may succeed."""


ROW_FORMATS = frozenset({"jsonl", "parquet"})
"""Formats whose rows may have ids; the id of a WARC record is unique by construction."""


def extract_wave(
    spark: SparkSession,
    run: Run,
    wave: int,
    language_file: ArtifactFile,
    label: str,
    stages: Collection[str],
) -> dict[str, Balance]:
    """Write what is due of a wave, with its ledgers.

    Args:
        label: Name of the work in progress lines.
        stages: EXTRACT_DOCUMENTS, for documents, read_failures and the list of ranges to try
            again; those of parts beside documents. The wave's documents are there, or among them.
    Returns:
        Stage -> its balance.
    Raises:
        NothingRead: none of the wave's files could be read, and run.allow_empty is not set.
    """
    splits = work_units(run.waves[wave])
    extract = extract_udf(
        [as_read(split, run.store.root, run.config.input) for split in splits],
        extract_options(run.config),
        language_file,
    )
    numbers = spark.range(0, len(splits), 1, run.config.run.partitions or len(splits))
    # Three tables come out of one pass. On disk, since a wave's text outgrows memory; a block
    # that is lost with its executor is computed again to the same rows.
    extracted = numbers.mapInArrow(extract, EXTRACTED).persist(StorageLevel.DISK_ONLY)
    partitions = run.config.run.partitions or len(splits)
    balances = {}
    with show_progress(spark, StageProgress(label, files=partitions)):
        if EXTRACT_DOCUMENTS in stages:
            balances[EXTRACT_DOCUMENTS] = _store_documents(spark, run, wave, extracted)
        for part in PARTS:
            if part.stage in stages:
                balances[part.stage] = _store_part(spark, run, wave, extracted, part)
    extracted.unpersist()
    return balances


def _store_documents(spark: SparkSession, run: Run, wave: int, extracted: DataFrame) -> Balance:
    """Write documents, read_failures, their ledger and the list of ranges to try again.

    Raises:
        NothingRead: as `extract_wave`.
    """
    failures = extracted.where(F.col("row_kind") == FAILURE).select(
        "warc_path", F.col("warc_offset").alias("offset"), "reason", "detail"
    )
    tallies = tally_rows(extracted.where(F.col("row_kind") == TALLY))
    repeated, _, tallied = stored_first(
        partial(_write_documents, spark, run, wave, extracted),
        partial(run.store.write_counted, failures.coalesce(1), READ_FAILURES, wave),
        lambda: list(rows_of(tallies)),
        wait=not run.is_small,
    )
    written = _written(spark, run.store, DOCUMENTS, wave, tallied, repeated)
    if any(split.is_ranged for split in run.waves[wave]):
        write_replay_list(spark, run.store, wave)
    ledger = read_ledger(parts_of(run.waves, [wave]), wave, [*tallied, *written])
    balance = close_ledger(run.store, EXTRACT_DOCUMENTS, wave, ledger)
    unread = sum(balance.failed.get(reason, 0) for reason in UNREAD)
    may_be_lost = run.config.run.allow_empty or _may_be_lost(run.waves[wave])
    if unread and unread == balance.seen and not may_be_lost:
        raise NothingRead(
            f"wave {wave + 1}: none of its {unread:,} files or captures could be read; check "
            "paths, permissions and credentials (the table read_failures has the details)"
        )
    return balance


def _store_part(
    spark: SparkSession, run: Run, wave: int, extracted: DataFrame, part: BesidePart
) -> Balance:
    """Write a part of a wave's documents and its ledger: all that their pages have of it is a row,
    or rejected by reason."""
    rows, dropped = part_rows(part, extracted), None
    if _may_repeat(run, wave):
        documents = run.store.read(spark, DOCUMENTS, [wave]).select("warc_path", "warc_offset")
        place = ["warc_path", "warc_offset"]
        left_out = rows.join(documents, on=place, how="left_anti")
        dropped = left_out.groupBy("warc_path").agg(F.count("*").alias("n"))
        rows = rows.join(documents, on=place, how="left_semi")
    run.store.write(rows.select(*schema_of(part.table).fieldNames()), part.table, wave)
    tallied = list(rows_of(part_tallies(part, extracted)))
    written = _written(spark, run.store, part.table, wave, tallied, dropped)
    ledger = read_ledger(parts_of(run.waves, [wave]), wave, [*tallied, *written])
    return close_ledger(run.store, part.stage, wave, ledger)


def _written(
    spark: SparkSession,
    store: Store,
    table: str,
    wave: int,
    tallied: Sequence[Mapping[str, Any]],
    repeated: DataFrame | None,
) -> list[dict[str, Any]]:
    """Count the rows of a table that were in fact written of each file, and those left out.

    Args:
        repeated: As for `written_counts`.
    """
    expected = sum(row["n"] - _left_out(row) for row in tallied)
    if repeated is None and expected <= DRIVER_DOCUMENTS:
        return _written_on_driver(store, table, wave)
    return list(rows_of(written_counts(store.read(spark, table, [wave]), repeated)))


def _left_out(tally: Mapping[str, Any]) -> int:
    """Records that a worker rejected, or could not read."""
    return sum(row["records"] for outcome in ("rejected", "failed") for row in tally[outcome])


def _written_on_driver(store: Store, table: str, wave: int) -> list[dict[str, Any]]:
    """Count the rows of a wave's table that were in fact written, without a query of Spark."""
    counts = Counter(row["warc_path"] for row in store.rows(table, ["warc_path"], [wave]))
    return [{"kind": WRITTEN, "warc_path": path, "n": n} for path, n in counts.items()]


def _may_be_lost(splits: Sequence[Split]) -> bool:
    """Whether a wave without a readable file may be a real loss, not a wrong path or login.

    Ranges that are tried again may fail again, and all captures of one file are lost with it.
    """
    if any(split.origin == REPLAY for split in splits):
        return True
    return len({split.warc_path for split in splits}) == 1 and splits[0].is_ranged


def _write_documents(
    spark: SparkSession, run: Run, wave: int, extracted: DataFrame
) -> DataFrame | None:
    """Write a wave's documents.

    Returns:
        (warc_path, n): the number of rows dropped because an earlier row has their id; None if
        ids are unique by construction.
    """
    documents = extracted.where(F.col("row_kind") == DOCUMENT).select(
        *schema_of(DOCUMENTS).fieldNames()
    )
    if not _may_repeat(run, wave):
        run.store.write(documents, DOCUMENTS, wave)
        return None
    earlier = run.store.read(spark, DOCUMENTS, [w for w in run.waves if w < wave])
    repeated = repeated_rows(documents, earlier).persist(StorageLevel.MEMORY_AND_DISK)
    kept = documents.join(repeated, on=["warc_path", "warc_offset"], how="left_anti")
    run.store.write(kept.select(*documents.columns), DOCUMENTS, wave)
    return repeated.groupBy("warc_path").agg(F.count("*").alias("n"))


def _may_repeat(run: Run, wave: int) -> bool:
    """Whether an id of the wave's documents may occur twice."""
    if any(split.input_format in ROW_FORMATS for split in run.waves[wave]):
        return True
    return may_repeat_records(run.waves, wave)


def extract_options(config: Config) -> ExtractOptions:
    """Return the configuration in the form that the worker reads."""
    extract = config.extract
    return ExtractOptions(
        languages=frozenset(extract.languages),
        min_language_score=extract.min_language_score,
        max_record_bytes=extract.max_record_bytes,
        page=page_options(extract, config.language),
        text_column=config.input.text_column,
        id_column=config.input.id_column,
        batch_rows=extract.batch_rows,
        batch_bytes=extract.batch_bytes,
    )


def _pair_limits(extract: ExtractConfig, language: LanguageConfig) -> PairLimits:
    words = frozenset(map(plain, language.interface_words))
    return PairLimits(extract.max_page_images, interface_words=words)


def page_options(extract: ExtractConfig, language: LanguageConfig) -> PageOptions:
    """Return the options of pages; characters of the script are counted if all languages that are
    wanted are written in it."""
    has_script = bool(extract.languages) and set(language.labels).issuperset(extract.languages)
    return PageOptions(
        max_body_bytes=extract.max_body_bytes,
        html=HtmlLimits(
            max_chars=extract.max_html_chars,
            max_nodes=extract.max_html_nodes,
            max_depth=extract.max_html_depth,
        ),
        extractor=extract.extractor,
        verify_digests=extract.verify_digests,
        script=language.script,
        min_script_chars=extract.min_script_chars if has_script else None,
        max_kana_share=extract.max_kana_share,
        charsets=language.charsets,
        prefilter=extract.prefilter,
        kinds=frozenset(extract.pages),
        products=extract.products,
        pairs=_pair_limits(extract, language) if extract.pairs else None,
    )


def write_replay_list(spark: SparkSession, store: Store, wave: int) -> None:
    """Write the ranges of a wave that could not be read, as lines ``name TAB offset TAB length``.

    The name is a path of Common Crawl, so that another mirror can be tried (input.crawl_root), or
    else a URI. An empty list is written too: it replaces that of an earlier attempt.
    """
    failed = store.read(spark, READ_FAILURES, [wave]).where(F.col("reason").isin(*UNREAD))
    ranges = spark.read.parquet(store.table_path(RANGES, wave))
    is_crawl_path = F.col("warc_path").startswith("crawl-data/")
    name = F.when(is_crawl_path, F.col("warc_path")).otherwise(F.col("uri"))
    lines = (
        ranges.join(failed, on=["warc_path", "offset"], how="left_semi")
        .coalesce(1)
        .sortWithinPartitions("uri", "offset")
        .select(F.concat_ws("\t", name, "offset", "length"))
    )
    lines.write.mode("overwrite").text(store.table_path(REPLAY_LISTS, wave))
