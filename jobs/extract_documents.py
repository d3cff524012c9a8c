"""Read the input files: splits -> documents, read_failures.

Records are read, decoded, turned into text and given a language in one pass of a Python worker.
Records that are no wanted document are counted by reason in the ledger; what could not be read
has a row in read_failures.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.artifacts import find_artifact, ship
from jobs.balance import close_ledger, splits_frame
from jobs.command import Run, run_command
from jobs.config import Config
from jobs.progress import shown_progress
from jobs.stage import fingerprint_of, pending, wave_of
from jobs.tables import DOCUMENTS, EXTRACTED, READ_FAILURES, SCHEMAS
from jobs.transforms.ledger import read_ledger
from jobs.transforms.row_ids import repeated_rows
from udfs.artifact_files import ArtifactFile
from udfs.extract import DOCUMENT, FAILURE, MISSING_FILE, TALLY, ExtractOptions, extract_udf
from udfs.html_text import HtmlLimits

STAGE = "extract_documents"

ROW_FORMATS = frozenset({"jsonl", "parquet"})
"""Formats whose rows may bring their own ids; a WARC record's id is unique by construction."""


class NothingRead(RuntimeError):
    """No input file could be opened."""


def run(spark: SparkSession, run: Run) -> None:
    """Extract every wave that is not done yet.

    Raises:
        NothingRead: all files of a wave are missing; the wave is not committed.
    """
    language = find_artifact(
        run.catalogue, run.config.extract.language_artifact, "extract.language_artifact"
    )
    columns = (run.config.input.text_column, run.config.input.id_column)
    fingerprints = {
        # The format is the split's own: another run may add files of another one.
        wave: fingerprint_of(run.config.extract, columns, language.sha256, splits)
        for wave, splits in run.waves.items()
    }
    waves = pending(run.store, STAGE, fingerprints)
    if not waves:
        return
    language_file = ship(spark.sparkContext, language, run.config)
    for number, wave in enumerate(waves, start=1):
        label = f"{STAGE}, wave {number} of {len(waves)}"
        with wave_of(run.store, STAGE, wave, fingerprints[wave]) as work:
            work.rows = _extract_wave(spark, run, wave, language_file, label)


def _extract_wave(
    spark: SparkSession, run: Run, wave: int, language_file: ArtifactFile, label: str
) -> int:
    """Write a wave's documents, read_failures and ledger. Returns the records seen."""
    splits = run.waves[wave]
    done = spark.sparkContext.accumulator(0)  # for the progress line alone: retries add to it
    extract = extract_udf(
        splits,
        extract_options(run.config),
        language_file,
        done.add,
    )
    numbers = spark.range(0, len(splits), 1, run.config.run.partitions or len(splits))
    # Three tables come out of one pass. On disk, since a wave's text outgrows memory; a block
    # that is lost with its executor is computed again to the same rows.
    extracted = numbers.mapInArrow(extract, EXTRACTED).persist(StorageLevel.DISK_ONLY)
    with shown_progress(spark, label, "splits", lambda: int(done.value)):
        repeated = _write_documents(spark, run, wave, extracted)
    failures = extracted.where(F.col("row_kind") == FAILURE).select(
        "warc_path", F.col("warc_offset").alias("offset"), "reason", "detail"
    )
    run.store.write(failures.coalesce(1), READ_FAILURES, wave)
    ledger = read_ledger(
        splits_frame(spark, run.store, [wave]),
        extracted.where(F.col("row_kind") == TALLY),
        run.store.read(spark, DOCUMENTS, [wave]),
        repeated,
    )
    seen = close_ledger(spark, run.store, ledger, STAGE, wave)
    missing = extracted.where(F.col("reason") == MISSING_FILE).count()
    extracted.unpersist()
    if missing == len(splits):  # a wrong mount or prefix, not a file that was lost
        raise NothingRead(f"none of the {missing} input files of wave {wave} is there")
    return seen


def _write_documents(
    spark: SparkSession, run: Run, wave: int, extracted: DataFrame
) -> DataFrame | None:
    """Write a wave's documents.

    Returns:
        (warc_path, n) of rows whose id was taken; None where ids are unique by construction.
    """
    documents = extracted.where(F.col("row_kind") == DOCUMENT).select(
        *SCHEMAS[DOCUMENTS].fieldNames()
    )
    if not any(split.input_format in ROW_FORMATS for split in run.waves[wave]):
        run.store.write(documents, DOCUMENTS, wave)
        return None
    earlier = run.store.read(spark, DOCUMENTS, [w for w in run.waves if w < wave])
    repeated = repeated_rows(documents, earlier).persist(StorageLevel.MEMORY_AND_DISK)
    kept = documents.join(repeated, on=["warc_path", "warc_offset"], how="left_anti")
    run.store.write(kept.select(*documents.columns), DOCUMENTS, wave)
    return repeated.groupBy("warc_path").agg(F.count("*").alias("n"))


def extract_options(config: Config) -> ExtractOptions:
    """The configuration as the worker takes it."""
    extract = config.extract
    return ExtractOptions(
        languages=frozenset(extract.languages),
        min_language_score=extract.min_language_score,
        max_record_bytes=extract.max_record_bytes,
        max_body_bytes=extract.max_body_bytes,
        html=HtmlLimits(
            max_chars=extract.max_html_chars,
            max_nodes=extract.max_html_nodes,
            max_depth=extract.max_html_depth,
        ),
        text_column=config.input.text_column,
        id_column=config.input.id_column,
        batch_rows=extract.batch_rows,
        batch_bytes=extract.batch_bytes,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
