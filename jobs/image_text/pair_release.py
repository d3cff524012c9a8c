"""A release of pairs from beginning to end: selected_pairs, images, interleaved -> webdataset/,
links/, interleaved/, README.md, checksums.sha256, run.json.

Pairs and documents are released in a format or left out of it by a reason, and counted on both
sides: from what the tables hold, and from what the files hold. Bodies of images pass executors
alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config.image_settings import INTERLEAVED_FORMAT, LINKS, WEBDATASET, ReleasePairsConfig
from jobs.image_text.pair_release_card import card, format_card
from jobs.image_text.pair_release_facts import (
    FormatCounts,
    PairSources,
    counts_of,
    described_pairs,
    release_facts,
)
from jobs.image_text.pair_release_rows import (
    NOT_IN_LINKS,
    NOT_IN_SHARDS,
    ORDER,
    bucket_counts,
    dealt,
    excluded_reason,
    in_shards,
    labelled_documents,
    labelled_pairs,
    shards_of,
    with_order,
)
from jobs.image_text.pair_release_shards import (
    WRITTEN_SHARDS,
    fields_type,
    in_shard_order,
    phash_digits,
    shard_writer,
    with_bodies,
)
from jobs.publishing.exclusions import Exclusions
from jobs.publishing.files import FileFormat, Layout
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
from jobs.tables import INTERLEAVED
from udfs.images.shards import MAX_SHARDS

FOLDERS = (WEBDATASET, LINKS, INTERLEAVED_FORMAT)
"""What a release of pairs has at its top, beside its card."""

_READING_BODIES = {
    "spark.sql.parquet.columnarReaderBatchSize": "16",  # images, as many as Java holds at once
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
}
_LINK_STRINGS = ("url", "text", "page_url", "alt", "title", "context_before", "context_after")


@dataclass
class ReleasedPairs:
    """What came out of a release of pairs."""

    uri: str
    formats: dict[str, FormatCounts] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    """path, rows, bytes and sha256 of each."""
    schemas: dict[str, Any] = field(default_factory=dict)
    """Format -> Arrow schema of its rows; of webdataset that of a sample's fields."""
    endings: dict[str, dict[str, int]] = field(default_factory=dict)
    """Ending of images -> first and last of its shards, and their samples."""

    @property
    def rows(self) -> int:
        """Rows of all formats."""
        return sum(of.released for of in self.formats.values())


def write_pair_release(
    spark: SparkSession,
    sources: PairSources,
    uri: str,
    settings: ReleasePairsConfig,
    exclusions: Exclusions,
) -> ReleasedPairs:
    """Write a release, and put it in its place when it is complete.

    Args:
        sources: Checked, with the formats that are written.
        uri: A folder that `jobs.publishing.place.check_place` has passed.
    Raises:
        ReleaseIncomplete: rows were lost or doubled, or tables were made again meanwhile.
    """
    made_of = sources.fingerprints()
    released = ReleasedPairs(uri)
    described: dict[str, Any] = {}
    with placed(uri, FOLDERS) as root:
        if sources.has_pairs:
            pairs, stated = sources.pairs(spark), sources.rows(sources.pairs_table)
            keeps_rows = settings.without_image == "rows"
            labelled = labelled_pairs(pairs, exclusions, keeps_rows=keeps_rows)
            labelled = with_order(labelled, settings.seed, "doc_id", "place")
            described = described_pairs(labelled, sources.formats)
            if WEBDATASET in sources.formats:
                counts = counts_of(labelled, F.col(NOT_IN_SHARDS), stated)
                released.formats[WEBDATASET] = counts
                kept = labelled.where(F.col(NOT_IN_SHARDS).isNull())
                _write_shards(released, root, kept, sources.images(spark), settings)
            if LINKS in sources.formats:
                counts = counts_of(labelled, F.col(NOT_IN_LINKS), stated)
                released.formats[LINKS] = counts
                kept = labelled.where(F.col(NOT_IN_LINKS).isNull())
                _write_rows(released, root, LINKS, kept, link_columns(), settings)
        if INTERLEAVED_FORMAT in sources.formats:
            documents = labelled_documents(sources.interleaved(spark), exclusions)
            documents = with_order(documents, settings.seed, "doc_id")
            reason = excluded_reason()
            counts = counts_of(documents, reason, sources.rows(INTERLEAVED))
            released.formats[INTERLEAVED_FORMAT] = counts
            kept = documents.where(reason.isNull())
            columns = obelics_columns(documents)
            _write_rows(released, root, INTERLEAVED_FORMAT, kept, columns, settings)
        if sources.fingerprints() != made_of:
            raise ReleaseIncomplete("pairs were selected again meanwhile; release them again")
        facts = release_facts(sources, released.formats, described, settings)
        facts["endings"] = released.endings
        facts["files"] = [{key: of[key] for key in SAID_OF_FILES} for of in released.files]
        write_texts(root, _texts(facts, settings, released), released.files)
    return released


def link_columns() -> list[Column]:
    """Return the columns of links: COYO's and LAION's as far as they are measured, then those of a
    pair's page.

    Needs: selected_pairs. Null: of an image without a body, of a page outside the corpus.
    """
    image, page = F.col("image"), F.col("page")
    return [
        F.concat_ws("-", "doc_id", F.col("place").cast("string")).alias("id"),
        *map(F.col, ("url", "text")),
        *(image[name].alias(name) for name in ("width", "height")),
        phash_digits(image["phash"]).alias("image_phash"),
        F.char_length("text").alias("text_length"),
        image["sha256"].alias("sha256"),
        *(image[name].alias(f"image_{name}") for name in ("format", "bytes")),
        page["language"].alias("language"),
        F.col("license"),
        *map(F.col, ("page_url", "doc_id", "place", "text_source", "alt", "title", "attribute")),
        *map(F.col, ("declared_width", "declared_height", "context_before", "context_after")),
        *(
            page[name].alias(name)
            for name in (
                *("opt_outs", "quality_score", "domain", "toxicity_label", "toxicity_score"),
            )
        ),
    ]


def obelics_columns(documents: DataFrame) -> list[Column]:
    """Return the columns of OBELICS: texts, images, and what is known of them as JSON.

    Hashes are digits, as in the other formats; general_metadata has doc_id, too.

    Needs: interleaved.
    """
    of_image = documents.schema["metadata"].dataType.elementType.fieldNames()  # type: ignore[attr-defined]

    def described(one: Column) -> Column:
        known = (
            phash_digits(one[name]).alias(name) if name == "phash" else one[name].alias(name)
            for name in of_image
        )
        return F.when(one.isNotNull(), F.struct(*known))

    options = {"ignoreNullFields": "false"}
    page = F.struct(F.col("doc_id"), F.col("general_metadata.*"))
    return [
        *map(F.col, ("texts", "images")),
        F.to_json(F.transform("metadata", described), options).alias("metadata"),
        F.to_json(page, options).alias("general_metadata"),
    ]


def _write_shards(
    released: ReleasedPairs,
    root: str,
    kept: DataFrame,
    images: DataFrame,
    settings: ReleasePairsConfig,
) -> None:
    """Write webdataset/.

    Raises:
        ReleaseIncomplete: rows were lost or doubled, or there are too many shards for their names.
    """
    spark, rows = kept.sparkSession, released.formats[WEBDATASET].released
    sizes = bucket_counts(kept)
    shards = shards_of(sizes, settings.shard_samples)
    count = sum(of.count for of in shards.values())
    if count > MAX_SHARDS:
        raise ReleaseIncomplete(
            f"{count:,} shards: names have five digits; raise release_pairs.shard_samples, or "
            "release fewer pairs"
        )
    released.schemas[WEBDATASET] = arrow_schema(fields_type(kept))
    released.endings |= {
        ending: {
            "first_shard": of.first,
            "last_shard": of.first + of.count - 1,
            "samples": of.samples,
        }
        for ending, of in shards.items()
    }
    if not count:
        return
    dealt_pairs = in_shards(kept, sizes, settings.shard_samples)
    with spark_settings(spark, _READING_BODIES):
        frame = in_shard_order(with_bodies(dealt_pairs, images, rows), count)
        writer = shard_writer(root, fields_type(kept))
        written = frame.mapInArrow(writer, WRITTEN_SHARDS).collect()
    check_count("shards of webdataset", count, len({row["shard"] for row in written}))
    check_count("rows of webdataset", rows, sum(row["rows"] for row in written))
    files = [of.asDict() for row in written for of in row["files"]]
    released.files += sorted(files, key=lambda of: str(of["path"]))


def _write_rows(
    released: ReleasedPairs,
    root: str,
    name: str,
    kept: DataFrame,
    columns: Sequence[Column],
    settings: ReleasePairsConfig,
) -> None:
    """Write the Parquet files of a format.

    Raises:
        ReleaseIncomplete: rows were lost or doubled.
    """
    rows = released.formats[name].released
    schema = arrow_schema(kept.select(*columns).schema)
    strings = ("texts", "metadata") if name == INTERLEAVED_FORMAT else _LINK_STRINGS
    most = settings.interleaved_rows if name == INTERLEAVED_FORMAT else settings.link_rows
    of = FileFormat("parquet", schema, settings.row_group_bytes, to=f"{name}/data", sized=strings)
    layout = Layout(settings.split, (("", max(1, -(-rows // most))),))
    ordered = in_files(
        dealt(kept, layout.files), layout.files, [F.col(ORDER), *map(F.col, _keys(kept))]
    )
    content = [F.col("_file"), *columns]
    files = write_files(ordered.select(*content), root, of, layout)
    check_count(f"rows of {name}", rows, sum(one["rows"] for one in files))
    released.schemas[name] = schema
    released.files += files


def _keys(rows: DataFrame) -> list[str]:
    """Return the columns that tell rows of a format apart."""
    return [name for name in ("doc_id", "place") if name in rows.columns]


def _texts(
    facts: Mapping[str, Any], settings: ReleasePairsConfig, released: ReleasedPairs
) -> dict[str, str]:
    """Return run.json, the card, and the cards of the formats behind the first."""
    texts = {
        FACTS: json.dumps(facts, ensure_ascii=False, indent=1) + "\n",
        CARD: card(facts, settings, released.schemas),
    }
    others = list(released.schemas)[1:]
    return texts | {
        f"{name}/{CARD}": format_card(facts, settings, name, released.schemas[name])
        for name in others
    }
