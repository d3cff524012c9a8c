"""What a run over a sample gave, counted by input file, and the bytes of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.request import Run
from jobs.run.store import Store
from jobs.tables import CORPUS, DOCUMENTS, DUPLICATES, EDITS, LEDGER
from udfs.files.uris import filesystem

_NOT_TABLES = frozenset({LEDGER, "counts", "logs", "report", "splits"})
_FOOTERS = 16
"""Files of a table, or of a wave of it, whose footers are read."""

PerFile = Mapping[str, float]
"""`Split.warc_path` -> amount."""


@dataclass(frozen=True)
class TableSize:
    """Bytes of a table, or of one wave of it."""

    files: int
    size: int
    overhead: float
    """Bytes of its files that are not rows: headers, footers."""

    @property
    def rows(self) -> float:
        """Bytes of rows."""
        return self.size - self.overhead


@dataclass(frozen=True)
class Amounts:
    """What a run over a sample gave."""

    seen: Mapping[str, PerFile]
    """Stage, as the ledger names it -> what it saw of each file."""
    kept: Mapping[str, PerFile]
    """Likewise, what it kept."""
    characters: Mapping[str, PerFile]
    """Table with texts -> their characters."""
    tokens: PerFile | None
    """Of the corpus; None where they are not counted."""
    copied: PerFile
    """Removed documents whose kept copy lies in the same file."""


def amounts_of(spark: SparkSession, run: Run, stages: Sequence[str]) -> Amounts:
    """Count what a run gave, by input file.

    Args:
        stages: Names in the ledger.
    """
    seen: dict[str, dict[str, float]] = {}
    kept: dict[str, dict[str, float]] = {}
    for stage in stages:
        seen[stage], kept[stage] = {}, {}
        for folder in run.store.list_names(LEDGER, f"stage={stage}"):
            data = run.store.read_bytes(LEDGER, f"stage={stage}", folder, "ledger.parquet")
            table = pq.read_table(pa.BufferReader(data), columns=["warc_path", "seen", "kept"])
            for row in table.to_pylist():
                path = row["warc_path"]
                seen[stage][path] = seen[stage].get(path, 0) + row["seen"]
                kept[stage][path] = kept[stage].get(path, 0) + row["kept"]
    characters: defaultdict[str, dict[str, float]] = defaultdict(dict)
    copied: dict[str, float] = {}
    tokens: dict[str, float] = {}
    for row in _by_file(spark, run).collect():
        if row.what == DUPLICATES:
            copied[row.warc_path] = row.n
            continue
        characters[row.what][row.warc_path] = row.characters
        if row.tokens is not None:
            tokens[row.warc_path] = row.tokens
    return Amounts(seen, kept, dict(characters), tokens or None, copied)


def _by_file(spark: SparkSession, run: Run) -> DataFrame:
    """Count characters, tokens and duplicates of each file: a few rows a file.

    Rows: (what, warc_path, n, characters, tokens), what being a table. Shuffles: ids by doc_id.
    """
    waves = list(run.waves)
    there = set(run.store.list_names())
    documents = run.store.read(spark, DOCUMENTS, waves)
    files = documents.select("doc_id", "warc_path")
    chars = F.sum(F.length("text")).alias("characters")
    nothing = F.lit(None).cast("bigint")

    def counted(what: str, rows: DataFrame, *tokens: str) -> DataFrame:
        summed = [F.sum(name).alias("tokens") for name in tokens] or [nothing.alias("tokens")]
        return (
            rows.groupBy("warc_path")
            .agg(F.count("*").alias("n"), chars, *summed)
            .select(F.lit(what).alias("what"), "warc_path", "n", "characters", "tokens")
        )

    frames = [counted(DOCUMENTS, documents)]
    if EDITS in there:
        edits = run.store.read(spark, EDITS, waves).select("doc_id", "text")
        frames.append(counted(EDITS, edits.join(files, on="doc_id", how="inner")))
    if CORPUS in there:
        corpus = run.store.read(spark, CORPUS)
        frames.append(counted(CORPUS, corpus, *(["tokens"] if "tokens" in corpus.columns else [])))
    if DUPLICATES in there:
        pairs = run.store.read(spark, DUPLICATES).select("doc_id", "kept_doc_id")
        kept = files.select(F.col("doc_id").alias("kept_doc_id"), F.col("warc_path").alias("kept"))
        copies = (
            pairs.join(files, on="doc_id", how="inner")
            .join(kept, on="kept_doc_id", how="inner")
            .where(F.col("kept") == F.col("warc_path"))
        )
        frames.append(
            copies.groupBy("warc_path")
            .agg(F.count("*").alias("n"))
            .select(
                F.lit(DUPLICATES).alias("what"),
                "warc_path",
                "n",
                nothing.alias("characters"),
                nothing.alias("tokens"),
            )
        )
    return reduce(DataFrame.unionByName, frames)


def table_sizes(store: Store) -> dict[str, dict[int | None, TableSize]]:
    """Return the bytes of every table: table -> wave, None for one without waves -> size."""
    files, root = filesystem(store.root)
    selector = pafs.FileSelector(root, recursive=True, allow_not_found=True)
    found: defaultdict[tuple[str, int | None], list[pafs.FileInfo]] = defaultdict(list)
    for info in files.get_file_info(selector):
        parts = info.path[len(root) :].strip("/").split("/")
        is_hidden = any(part.startswith(("_", ".")) for part in parts)
        if info.type != pafs.FileType.File or is_hidden or len(parts) < 2:
            continue
        if parts[0] not in _NOT_TABLES:
            folders = [part for part in parts[:-1] if "=" not in part]
            waves = [part for part in parts[:-1] if part.startswith("wave=")]
            wave = int(waves[0].removeprefix("wave=")) if waves else None
            found["/".join(folders), wave].append(info)
    sizes: defaultdict[str, dict[int | None, TableSize]] = defaultdict(dict)
    for (table, wave), infos in sorted(found.items(), key=str):
        sizes[table][wave] = _size_of(files, infos)
    return dict(sizes)


def _size_of(files: pafs.FileSystem, infos: Sequence[pafs.FileInfo]) -> TableSize:
    size = sum(int(info.size) for info in infos)
    parquet = [info for info in infos if info.base_name.endswith(".parquet")]
    looked_at = parquet[:: -(-len(parquet) // _FOOTERS)] if parquet else []
    overhead = 0.0
    for info in looked_at:
        footer = pq.read_metadata(info.path, filesystem=files)
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        held = sum(
            int(group.column(number).total_compressed_size)
            for group in groups
            for number in range(group.num_columns)
        )
        overhead += int(info.size) - held
    if looked_at:
        overhead *= len(parquet) / len(looked_at)
    return TableSize(len(infos), size, overhead)
