"""The most similar images of texts and texts of images, from products of blocks.

A block holds the embeddings of some thousand images or texts. A task multiplies pairs of blocks and
keeps the best of every row and column that it meets, so that it holds one product and a few numbers
a row. Products are exact (`udfs.pair_noise.embeddings`), and of equal ones the smaller key is
first: the result is that of one product of everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from udfs.base.array_types import Float16Array, Float64Array, Int64Array, UInt64Array
from udfs.base.jit import compiled
from udfs.pair_noise.embeddings import similarities, vectors_of

DIGITS = 16
"""Hexadecimal digits of a key that decide between equal products."""
NONE = -1
_ROW_BITS = 32

MATCH_SCHEMA = pa.schema(
    [
        pa.field("of_text", pa.bool_()),
        pa.field("key", pa.string()),
        pa.field("match", pa.string()),
        pa.field("similarity", pa.float64()),
    ]
)
"""A match: of a text an image, or of an image a text."""


@dataclass(frozen=True)
class Block:
    """Some images or texts."""

    keys: pa.StringArray
    """Names, of hexadecimal digits; unique on their side."""
    ranks: UInt64Array
    """The first DIGITS of each key, shape (rows,)."""
    vectors: Float16Array
    """Shape (rows, width)."""


@dataclass
class Best:
    """The best matches of the rows of a block so far, best first, shape (rows, count)."""

    values: Float64Array
    ranks: UInt64Array
    places: Int64Array
    """Number of the other side's block, and row in it; NONE for no match."""


@dataclass
class _Side:
    """The blocks of a side that a task has met, by their numbers, with their best matches."""

    count: int
    numbers: dict[int, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    best: list[Best] = field(default_factory=list)

    def seen(self, block: int, rows: pa.StructArray) -> int:
        """The number of a block among those that were met."""
        number = self.numbers.setdefault(block, len(self.blocks))
        if number == len(self.blocks):
            self.blocks.append(block_of(rows))
            self.best.append(no_matches(len(rows), self.count))
        return number


def block_of(rows: pa.StructArray) -> Block:
    """The block of an array of structs: key, vector (bytes of float16)."""
    keys = rows.field("key")
    digits = "".join(key[:DIGITS] for key in keys.to_pylist())
    ranks = np.frombuffer(bytes.fromhex(digits), dtype=">u8").astype(np.uint64)
    return Block(keys, ranks, vectors_of(rows.field("vector")))


def no_matches(rows: int, count: int) -> Best:
    """Return what is known before the first product."""
    shape = (rows, count)
    return Best(
        np.full(shape, -np.inf),
        np.full(shape, np.iinfo(np.uint64).max, dtype=np.uint64),
        np.full(shape, NONE, dtype=np.int64),
    )


@compiled
def keep_best(
    products: Float64Array,
    other_ranks: UInt64Array,
    first_place: int,
    values: Float64Array,
    ranks: UInt64Array,
    places: Int64Array,
) -> None:
    """Put the columns of a product among the best matches of its rows, in place.

    Args:
        products: Shape (rows, columns).
        other_ranks: Of the columns, shape (columns,).
        first_place: Place of the first column.
        values, ranks, places: Of a `Best`.
    """
    last = values.shape[1] - 1
    for row in range(products.shape[0]):
        for column in range(products.shape[1]):
            value, rank = products[row, column], other_ranks[column]
            if value < values[row, last]:
                continue
            if value == values[row, last] and rank >= ranks[row, last]:
                continue
            at = last
            while at > 0 and (
                value > values[row, at - 1]
                or (value == values[row, at - 1] and rank < ranks[row, at - 1])
            ):
                values[row, at] = values[row, at - 1]
                ranks[row, at] = ranks[row, at - 1]
                places[row, at] = places[row, at - 1]
                at -= 1
            values[row, at], ranks[row, at], places[row, at] = value, rank, first_place + column


def top_matches(
    joined: Iterable[pa.RecordBatch], images_of_text: int, texts_of_image: int
) -> Iterator[pa.RecordBatch]:
    """Find the best matches among pairs of blocks, each pair of blocks once.

    Batch: rows of text_block, texts, image_block, images; a block is an array of structs of key and
    vector, and its number is unique on its side. Out come matches (MATCH_SCHEMA): for each text its
    ``images_of_text`` best images of this task, for each image its ``texts_of_image`` best texts,
    so that the best of all tasks are the best of all. Memory: the blocks of the task and one
    product; 24 bytes a row and match.

    Raises:
        udfs.pair_noise.embeddings.WrongEmbedding: embeddings differ in width.
    """
    texts, images = _Side(images_of_text), _Side(texts_of_image)
    for batch in joined:
        for row in range(batch.num_rows):
            sides = [
                side.seen(batch.column(f"{name}_block")[row].as_py(), _rows_of(batch, name, row))
                for side, name in ((texts, "text"), (images, "image"))
            ]
            _multiply(texts, sides[0], images, sides[1])
    yield from _matches(texts, images, is_text=True)
    yield from _matches(images, texts, is_text=False)


def _rows_of(batch: pa.RecordBatch, name: str, row: int) -> pa.StructArray:
    return batch.column(f"{name}s")[row].values


def _multiply(texts: _Side, text: int, images: _Side, image: int) -> None:
    of_texts, of_images = texts.blocks[text], images.blocks[image]
    products = similarities(of_texts.vectors, of_images.vectors)
    best = texts.best[text]
    place = image << _ROW_BITS
    keep_best(products, of_images.ranks, place, best.values, best.ranks, best.places)
    best = images.best[image]
    place = text << _ROW_BITS
    turned = np.ascontiguousarray(products.T)
    keep_best(turned, of_texts.ranks, place, best.values, best.ranks, best.places)


def _matches(side: _Side, other: _Side, *, is_text: bool) -> Iterator[pa.RecordBatch]:
    if not side.blocks:
        return
    names = pa.concat_arrays([block.keys for block in other.blocks])
    firsts = np.cumsum([0, *(len(block.keys) for block in other.blocks)])
    for block, best in zip(side.blocks, side.best, strict=True):
        rows, ranks = np.nonzero(best.places != NONE)
        places = best.places[rows, ranks]
        found = firsts[places >> _ROW_BITS] + places % (1 << _ROW_BITS)
        yield pa.RecordBatch.from_arrays(
            [
                pa.repeat(pa.scalar(is_text), len(rows)),
                block.keys.take(pa.array(rows)),
                names.take(pa.array(found)),
                pa.array(best.values[rows, ranks]),
            ],
            schema=MATCH_SCHEMA,
        )
