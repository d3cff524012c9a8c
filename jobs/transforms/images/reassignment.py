"""Captions reassigned to the images that they fit best, over all images of an output.

For each text its most similar images, for each image its most similar texts; the image wins that
leads back to the text. Embeddings are compared in blocks, all with all, or those of one cell of an
inverted file. Results follow from content alone, for any partitioning.

Source: SynC (arXiv 2507.18616): 15 images of a caption, 2 captions of an image, the best 90 % stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.transforms.selection.budget import budget_reason, cut, with_budget_columns

if TYPE_CHECKING:  # imports numba
    from jobs.transforms.components import Checkpoint

BLOCK_ROWS = 2048
"""Embeddings of a block: a product has 32 MiB."""

_VECTORS = "key string, vector binary"
_MATCHES = "of_text boolean, key string, match string, similarity double"
_CYCLES = "text_key string, image_key string, similarity double, cycle_score double"
_DIGITS = 15
"""Hexadecimal digits of a key that fit into a long."""


@dataclass(frozen=True)
class MatchOptions:
    """How images and texts are compared."""

    images: int = 15
    """Images that are looked at of a text."""
    texts: int = 2
    """Texts of an image that are compared with the text."""
    cells: int | None = None
    """Cells of the inverted file; None compares all images with all texts."""
    probes: int = 16
    """Cells that a text looks into."""
    block_rows: int = BLOCK_ROWS


def matches(
    images: DataFrame, texts: DataFrame, options: MatchOptions, checkpoint: Checkpoint
) -> DataFrame:
    """Find the most similar images of each text and texts of each image.

    Needs: images, texts: key (hexadecimal digits, unique), vector (float16, length one).
    Rows: of_text, key, match, similarity: for a text (of_text) its options.images best images, for
        an image its options.texts best texts; of equal ones the smaller key. With cells, among
        those of a text's cells.
    Shuffles: embeddings once, those of texts as often as they look into cells; blocks of texts to
        every partition of blocks of images, or by cell; the matches of each task.
    Collects: cells.MAX_SAMPLE embeddings at most.
    """
    from udfs.pair_noise.top_matches import top_matches

    sides = _with_cells(images, texts, options)
    image_blocks, text_blocks = (
        checkpoint(_blocks(frame, side, options), f"{side}_blocks")
        for side, frame in zip(("image", "text"), sides, strict=True)
    )
    if options.cells is None:
        joined = text_blocks.crossJoin(image_blocks)
    else:
        joined = text_blocks.join(image_blocks, text_blocks.text_cell == image_blocks.image_cell)
    of_tasks = joined.select("text_block", "texts", "image_block", "images").mapInArrow(
        lambda batches: top_matches(batches, options.images, options.texts), _MATCHES
    )
    count = F.when(F.col("of_text"), options.images).otherwise(options.texts)
    order = F.struct((-F.col("similarity")).alias("distance"), "match", "similarity")
    return (
        of_tasks.groupBy("of_text", "key")
        .agg(F.sort_array(F.collect_list(order)).alias("all"))
        .select("of_text", "key", F.explode(F.slice("all", F.lit(1), count)).alias("one"))
        .select("of_text", "key", "one.match", "one.similarity")
    )


def best_images(found: DataFrame, sentences: DataFrame) -> DataFrame:
    """Choose the image of each text that leads back to it.

    Needs: found (of `matches`, stored: read twice); sentences (key of a text, vector: what texts
        are compared by, which may be another embedding than that of `matches`).
    Rows: one for each text with an image: text_key, image_key, similarity, cycle_score. Of equal
        scores the more similar image wins, then the smaller key.
    Shuffles: matches, with the sentences of both sides.
    """
    from udfs.pair_noise.cycle import cycle_pass

    of_texts = found.where(F.col("of_text")).select(
        F.col("key").alias("text_key"), F.col("match").alias("image_key"), "similarity"
    )
    of_images = found.where(~F.col("of_text")).select(
        F.col("key").alias("image_key"), F.col("match").alias("key"), "similarity"
    )
    back = (
        of_images.join(sentences, on="key", how="inner")
        .groupBy("image_key")
        .agg(F.sort_array(F.collect_list(F.struct("key", "vector")))["vector"].alias("back"))
    )
    own = sentences.select(F.col("key").alias("text_key"), F.col("vector").alias("own"))
    scored = (
        of_texts.join(back, on="image_key", how="inner")
        .join(own, on="text_key", how="inner")
        .select("text_key", "image_key", "similarity", "own", "back")
        .mapInArrow(cycle_pass, _CYCLES)
    )
    best = F.min_by(
        F.struct("image_key", "similarity", "cycle_score"),
        F.struct(-F.col("cycle_score"), -F.col("similarity"), F.col("image_key")),
    )
    return scored.groupBy("text_key").agg(best.alias("best")).select("text_key", "best.*")


def with_kept(best: DataFrame, share: float, texts: int) -> DataFrame:
    """Keep the share of texts with the highest cycle scores.

    Needs: best (of `best_images`, stored: read twice or more).
    Adds: is_kept. Rows: all kept. Shuffles: none beside those of
        `jobs.transforms.selection.budget.cut`.

    Args:
        share: Of the texts; equal scores are decided by key.
        texts: How many there are.
    """
    columns = with_budget_columns(
        best.withColumn("doc_id", F.col("text_key")),
        *({}, F.lit(None).cast("string"), F.col("cycle_score"), F.lit(1)),
    )
    shares = cut(columns, math.ceil(share * texts), {})
    return columns.select(*best.columns, budget_reason(shares).isNull().alias("is_kept"))


def _with_cells(
    images: DataFrame, texts: DataFrame, options: MatchOptions
) -> tuple[DataFrame, DataFrame]:
    """Add cell to both sides: 0 for all without an inverted file."""
    if options.cells is None:
        cell = F.lit(0).alias("cell")
        return images.select("key", "vector", cell), texts.select("key", "vector", cell)
    from udfs.pair_noise.cells import MAX_SAMPLE, SAMPLE_OF_CELL, cells_pass, fit_cells
    from udfs.pair_noise.embeddings import vectors_of

    size = min(MAX_SAMPLE, SAMPLE_OF_CELL * options.cells)
    sample = images.orderBy("key").select("vector").limit(size).collect()
    centroids = fit_cells(vectors_of([bytes(row["vector"]) for row in sample]), options.cells)
    kind = f"{_VECTORS}, cell int"
    return tuple(  # type: ignore[return-value]
        frame.select("key", "vector").mapInArrow(cells_pass(centroids, count), kind)
        for frame, count in ((images, 1), (texts, options.probes))
    )


def _blocks(vectors: DataFrame, side: str, options: MatchOptions) -> DataFrame:
    """SIDE_cell, SIDE_block (unique number), SIDEs (array of structs of key and vector, by key)."""
    per_cell = vectors.groupBy("cell").agg(F.count(F.lit(1)).alias("rows"))
    parts = F.ceil(F.col("rows") / options.block_rows).cast("long")
    number = F.pmod(_number("key"), parts)
    block = (F.col("cell").cast("long") * (1 << 32) + number).alias(f"{side}_block")
    rows = F.sort_array(F.collect_list(F.struct("key", "vector"))).alias(f"{side}s")
    return (
        vectors.join(F.broadcast(per_cell), on="cell", how="inner")
        .select(F.col("cell").alias(f"{side}_cell"), block, "key", "vector")
        .groupBy(f"{side}_cell", f"{side}_block")
        .agg(rows)
    )


def _number(key: str) -> Column:
    return F.conv(F.substring(key, 1, _DIGITS), 16, 10).cast("bigint")
