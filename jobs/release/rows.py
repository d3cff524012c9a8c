"""The rows of a release: what they are labelled with, and which are left out.

Labels are columns whose names begin with an underscore; no column of a corpus does.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from jobs.config import ConfigError
from jobs.config.release_settings import HASH_ORDER, ReleaseConfig
from jobs.publishing.excluded import url_key, with_excluded
from jobs.publishing.exclusions import Exclusions

BAND, LABEL, BUCKET = "_band", "_label", "_bucket"
"""Quality band, main domain label and perplexity bucket, as in names of folders; BUCKET is null
without that subset."""
GROUP = "_group"
"""Folder of the row's files under that of its format: ``quality_high/domain_law``; empty without
subsets."""
LABELS = (GROUP, BAND, LABEL, BUCKET)
ORDER = "_order"
BYTES = "_bytes"
"""UTF-8 bytes of the text."""

PUBLISHED = ("text", "domain", "toxicity", "quality_score")
"""Columns of ChineseWebText 2.0."""

NO_PERPLEXITY = "unscored"
"""Bucket of texts without a perplexity."""
_PERPLEXITY = "harmful.perplexity"
_BINS_PER_OCTAVE = 256
_COPY = "_copy"


def released_columns(corpus: StructType, settings: ReleaseConfig) -> list[str]:
    """Return the columns of a release's rows.

    Raises:
        ConfigError: the corpus has no such column.
    """
    names = corpus.fieldNames()
    chosen = list(PUBLISHED) if settings.rows == "published" else list(settings.columns) or names
    given: dict[str, list[str | None]] = {"columns": [*chosen], "order": [order_column(settings)]}
    for key, wanted in given.items():
        for name in wanted:
            if name is not None and name not in names:
                raise ConfigError(
                    f"release.{key}: the corpus has no column {name!r}; it has {', '.join(names)}"
                )
    if "perplexity" in settings.subsets and "harmful" not in names:
        raise ConfigError("release.subsets: perplexity: the corpus has no column harmful")
    return chosen


def order_column(settings: ReleaseConfig) -> str | None:
    """Return the column that sorts a release; None for the shuffled order."""
    return None if settings.order == HASH_ORDER else settings.order.removeprefix("-")


def with_labels(
    corpus: DataFrame,
    settings: ReleaseConfig,
    exclusions: Exclusions,
    perplexities: tuple[float, float] | None,
    *,
    has_copies: bool = False,
) -> DataFrame:
    """Label the rows of a corpus.

    Needs: the corpus.
    Args:
        perplexities: Where ``head`` ends and ``tail`` begins; None without that subset.
        has_copies: Whether documents may have several equal rows, which are shuffled apart.
    Adds: EXCLUDED, BAND, LABEL, BUCKET, GROUP, BYTES, ORDER.
    Rows: all kept.
    Shuffles: hosts, where one is excluded; rows by doc_id, where there are copies; else none while
        the lists fit into memory.
    """
    nothing = F.lit(None).cast("string")
    labels = {
        BAND: _band(settings.bands()),
        LABEL: _folder_name(F.col("domain.single_label")),
        BUCKET: nothing if perplexities is None else _bucket(*perplexities),
    }
    folders = (
        F.concat(F.lit(f"{subset}_"), labels[column])
        for subset, column in {"quality": BAND, "domain": LABEL, "perplexity": BUCKET}.items()
        if subset in settings.subsets
    )
    keys = {
        "doc_id": [F.col("doc_id")],
        "url": [url_key(F.col("url"))],
        "host": [F.col("source_domain")],
        "sha256": [F.sha2("text", 256), F.col("original_sha256")],
    }
    copy = F.row_number().over(Window.partitionBy("doc_id").orderBy("doc_id"))
    labelled = with_excluded(corpus, exclusions, keys).withColumn(
        _COPY, copy if has_copies else F.lit(1)
    )
    return labelled.withColumns(
        {
            **labels,
            GROUP: F.concat_ws("/", *folders),
            BYTES: F.octet_length("text").cast("bigint"),
            ORDER: _order(settings),
        }
    ).drop(_COPY)


def perplexity_limits(corpus: DataFrame, settings: ReleaseConfig) -> tuple[float, float]:
    """Return where ``head`` ends and ``tail`` begins.

    Quantiles are those of bins of 1/256 octave, so that they are the same for any partitioning.

    Needs: harmful. Shuffles: counts of bins, a few thousand.
    Source: cc_net, which takes the 30th and the 60th percentile.
    """
    head, tail = settings.head_perplexity, settings.tail_perplexity
    if head is not None and tail is not None:
        return head, tail
    place = F.floor(F.log2(_PERPLEXITY) * _BINS_PER_OCTAVE).alias("bin")
    scored = corpus.where(F.col(_PERPLEXITY).isNotNull())
    bins = sorted(scored.groupBy(place).count().collect())
    total = sum(rows for _, rows in bins)

    def quantile(share: float) -> float:
        below = 0
        for number, rows in bins:
            if below >= share * total:
                return float(2.0 ** (number / _BINS_PER_OCTAVE))
            below += rows
        return float(2.0 ** ((bins[-1][0] + 1) / _BINS_PER_OCTAVE)) if bins else 1.0

    head = quantile(settings.head_share) if head is None else head
    tail = quantile(1 - settings.tail_share) if tail is None else tail
    return head, max(head, tail)


def _band(bands: Mapping[str, float]) -> Column:
    """Return the name of the highest band that a row's quality_score reaches."""
    score = F.col("quality_score")
    reached = (F.when(score >= F.lit(least), F.lit(name)) for name, least in bands.items())
    return F.coalesce(*reached, F.lit(list(bands)[-1]))


def _bucket(head: float, tail: float) -> Column:
    """Return the perplexity bucket of a row."""
    perplexity = F.col(_PERPLEXITY)
    return (
        F.when(perplexity.isNull(), NO_PERPLEXITY)
        .when(perplexity < head, "head")
        .when(perplexity < tail, "middle")
        .otherwise("tail")
    )


def _folder_name(label: Column) -> Column:
    """Return a label without characters that have a meaning in paths and patterns."""
    return F.coalesce(F.regexp_replace(label, r"[^\p{L}\p{N}.-]", "_"), F.lit("none"))


def _order(settings: ReleaseConfig) -> Column:
    column = order_column(settings)
    if column is not None:
        return F.col(column)
    return F.xxhash64("doc_id", _COPY, F.lit(settings.seed))
