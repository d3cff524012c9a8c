"""What is known of a release of pairs: its sources, counts, reasons and choices; run.json and the
card say it. The size of the facts does not grow with the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.image_settings import (
    INTERLEAVED_FORMAT,
    LINKS,
    PAIR_FORMATS,
    WEBDATASET,
    ReleasePairsConfig,
)
from jobs.image_text.images import image_sources, stored_images
from jobs.image_text.pair_release_rows import NOT_IN_LINKS, NOT_IN_SHARDS
from jobs.publishing.origins import origins_of, versions
from jobs.publishing.written import check_count
from jobs.run.commits import fingerprint_of
from jobs.run.request import (
    EXTRACT_PAIRS,
    INTERLEAVE_DOCUMENTS,
    MEASURE_IMAGES,
    MEASURE_PAIRS,
    MEASURE_SHARDS,
    SELECT_PAIRS,
    Run,
)
from jobs.run.store import WHOLE
from jobs.tables import INTERLEAVED, SELECTED_PAIRS, pair_table
from udfs.files.uris import redact

_STAGES = (
    *(EXTRACT_PAIRS, MEASURE_IMAGES, MEASURE_SHARDS, MEASURE_PAIRS, SELECT_PAIRS),
    INTERLEAVE_DOCUMENTS,
)
_SHOWN_SETTINGS = ("pair_rules.", "select_pairs.", "interleave.", "images.")
_MOST_VALUES = 20
"""Values that the facts name; pages may state any address as their licence."""
_NONE = "none"


@dataclass(frozen=True)
class FormatCounts:
    """What a format has of the rows of its table."""

    seen: int
    released: int
    left_out: Mapping[str, int]
    """Reason -> rows."""


@dataclass(frozen=True)
class PairSources:
    """The tables that a release is made of."""

    run: Run
    formats: tuple[str, ...]

    @property
    def has_pairs(self) -> bool:
        """Whether a format is made of selected pairs."""
        return WEBDATASET in self.formats or LINKS in self.formats

    @property
    def pairs_table(self) -> str:
        """Name of the table of selected pairs."""
        return pair_table(SELECTED_PAIRS, self.run.pair_selection)

    def pairs(self, spark: SparkSession) -> DataFrame:
        """Read the selected pairs."""
        return self.run.store.read(spark, self.pairs_table)

    def images(self, spark: SparkSession) -> DataFrame:
        """Read the images of all sources."""
        return stored_images(spark, self.run)

    def interleaved(self, spark: SparkSession) -> DataFrame:
        """Read interleaved."""
        return self.run.store.read(spark, INTERLEAVED)

    def rows(self, table: str) -> int:
        """Return the rows that a table's commit says it has."""
        stage = INTERLEAVE_DOCUMENTS if table == INTERLEAVED else self.run.committed(SELECT_PAIRS)
        return self.run.store.commits(stage)[WHOLE].kept

    def fingerprints(self) -> dict[str, str]:
        """Return what the tables follow from, by stage."""
        stages = (self.run.committed(SELECT_PAIRS), INTERLEAVE_DOCUMENTS)
        commits = {stage: self.run.store.commits(stage).get(WHOLE) for stage in stages}
        return {stage: of.fingerprint for stage, of in commits.items() if of is not None}


def basis_of(run: Run) -> str:
    """Return a digest of the commits that a release says something of."""
    return fingerprint_of(
        {
            name: {wave: commit.fingerprint for wave, commit in run.store.commits(name).items()}
            for name in map(run.committed, _STAGES)
        }
    )


def sources_of(run: Run, settings: ReleasePairsConfig) -> PairSources:
    """Return what a release is made of.

    Raises:
        ConfigError: a format is asked for and its table is not there, there is none at all, the
            selection that is named is not there, or images were measured again after pairs were
            selected.
    """
    store, root = run.store, redact(run.store.root)
    selected = run.committed(SELECT_PAIRS)
    has_pairs, has_documents = (
        WHOLE in store.commits(stage) for stage in (selected, INTERLEAVE_DOCUMENTS)
    )
    if run.pair_selection is not None and not has_pairs:
        raise ConfigError(f"--from {root}: {selected} has not run: run it first")
    has_images = any(store.commits(stage) for stage in (MEASURE_IMAGES, MEASURE_SHARDS))
    there = {
        WEBDATASET: has_pairs and has_images,
        LINKS: has_pairs,
        INTERLEAVED_FORMAT: has_documents,
    }
    needed = {
        WEBDATASET: "measure_images, then select_pairs",
        LINKS: "select_pairs",
        INTERLEAVED_FORMAT: "interleave_documents",
    }
    for name in settings.formats:
        if not there[name]:
            raise ConfigError(
                f"release_pairs.formats: {name}: {root} has no table for it: run {needed[name]}"
            )
    formats = tuple(
        name for name in PAIR_FORMATS if there[name] and name in (settings.formats or PAIR_FORMATS)
    )
    if not formats:
        raise ConfigError(
            f"--from {root}: has no pairs to release: run select_pairs or interleave_documents"
        )
    if WEBDATASET in formats:
        _check_images(run)
    return PairSources(run, formats)


def _check_images(run: Run) -> None:
    """Check that pairs were selected with the images that are stored now."""
    selected = run.committed(SELECT_PAIRS)
    known = run.store.commits(selected)[WHOLE].sources
    for stage, fingerprint in image_sources(run).items():
        if stage in known and known[stage] != fingerprint:
            raise ConfigError(
                f"--from {redact(run.store.root)}: {stage} ran again after {selected}: run "
                f"{selected} again"
            )


def counts_of(rows: DataFrame, reason: Column, stated: int) -> FormatCounts:
    """Count the rows of a format by the reason for which they are left out.

    Args:
        reason: Null for a released row.
        stated: Rows that the table's commit has.
    Raises:
        ReleaseIncomplete: the table has another number of rows.
    """
    found = {of[0]: int(of[1]) for of in rows.groupBy(reason.alias("reason")).count().collect()}
    seen = sum(found.values())
    check_count("rows of the table", stated, seen)
    released = found.pop(None, 0)
    left_out = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
    return FormatCounts(seen, released, left_out)


def described_pairs(labelled: DataFrame, formats: Sequence[str]) -> dict[str, Any]:
    """Count the pairs that some format has, by what they are: the most frequent values first.

    Needs: rows of `jobs.image_text.pair_release_rows.labelled_pairs`. Shuffles: counts.
    """
    reasons = {WEBDATASET: NOT_IN_SHARDS, LINKS: NOT_IN_LINKS}
    missing = [F.col(reasons[name]).isNotNull() for name in formats if name in reasons]
    pairs = labelled.where(~reduce(and_, missing))
    page = F.col("page")
    values = {
        "text_sources": F.col("text_source"),
        "image_formats": F.col("image")["format"],
        "domains": page["domain"],
        "toxicity_labels": page["toxicity_label"].cast("string"),
        "licenses": F.col("license"),
    }
    of_pair = F.array(
        *(
            F.struct(F.lit(name).alias("name"), F.coalesce(of, F.lit(_NONE)).alias("value"))
            for name, of in values.items()
        )
    )
    opt_outs = F.transform(
        F.coalesce(page["opt_outs"], F.array().cast("array<string>")),
        lambda one: F.struct(F.lit("opt_outs").alias("name"), one.alias("value")),
    )
    counts = (
        pairs.select(F.explode(F.concat(of_pair, opt_outs)).alias("of"))
        .groupBy("of.name", "of.value")
        .agg(F.count("*").alias("pairs"))
    )
    most_first = Window.partitionBy("name").orderBy(F.desc("pairs"), "value")
    most = counts.withColumn("_place", F.row_number().over(most_first))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in (*values, "opt_outs")}
    for row in most.where(F.col("_place") <= _MOST_VALUES).orderBy("name", "_place").collect():
        found[row["name"]].append({"value": row["value"], "pairs": row["pairs"]})
    return found


def release_facts(
    sources: PairSources,
    counts: Mapping[str, FormatCounts],
    described: Mapping[str, Any],
    settings: ReleasePairsConfig,
) -> dict[str, Any]:
    """Return what is known of a release but its files.

    Args:
        described: Of `described_pairs`; empty without pairs.
    """
    store = sources.run.store
    stages = map(sources.run.committed, _STAGES)
    commits = {name: list(store.commits(name).values()) for name in stages}
    return {
        "fingerprints": sources.fingerprints(),
        "language": sources.run.config.language.tag,
        **origins_of(commits, _SHOWN_SETTINGS),
        "formats": [
            {
                "format": name,
                "seen": of.seen,
                "released": of.released,
                "left_out": [{"reason": why, "rows": rows} for why, rows in of.left_out.items()],
            }
            for name, of in counts.items()
        ],
        "pairs": described,
        "without_image": settings.without_image,
        "seed": settings.seed,
        "versions": versions(),
    }
