"""The pass of a pair scorer over distinct pairs: batches of bounded rows and bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import LongType, StructField, StructType

from udfs.base.worker import BatchMap, keeps_what_it_loads
from udfs.pair_scorers.scorer import FAILURE, Pairs, PairScorer, loaded_model
from udfs.scorers.scorer import Record

KEYS = ("high", "low")
"""Columns that name a distinct pair: 128 bits of what the scorer reads of it."""
_KEY_FIELDS = [StructField(name, LongType()) for name in KEYS]

_DIGITS = 16
_WRAP = 1 << 64


class WrongRecords(RuntimeError):
    """A scorer's records do not fit its pairs or its declaration."""


def scored_pairs_type(scorer: PairScorer) -> StructType:
    """The rows of `score_pairs`: the keys, then the scorer's columns."""
    return StructType([*_KEY_FIELDS, *scorer.result_type.fields])


def score_pairs(scorer: PairScorer, batch_rows: int, batch_bytes: int) -> BatchMap:
    """Return a function for mapInArrow: distinct pairs become their keys with the scorer's columns.

    Needs: high, low, text, body (null where the scorer does not read it), and for each scorer that
    it needs a struct column of its name.

    Batch: as many rows as ``batch_rows``, and no further one after ``batch_bytes`` of bodies and
    texts; the model is loaded once in a Python worker.

    Raises:
        WrongRecords: the scorer returned another number of records, other fields, or a record
            without a score and without a failure.
    """
    schema = to_arrow_schema(scored_pairs_type(scorer))

    @keeps_what_it_loads(f"score_pairs {scorer.name}")
    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = None
        for table in _batches(batches, batch_rows, batch_bytes):
            if model is None:
                model = loaded_model(scorer.files, scorer.load, scorer.options)
            records = scorer.score(pairs_of(table), model)
            check_records(scorer, records, table.num_rows)
            columns: list[Any] = [table.column(name).combine_chunks() for name in KEYS]
            for field in list(schema)[len(KEYS) :]:
                columns.append(pa.array([r[field.name] for r in records], field.type))
            scored = pa.table(columns, schema=schema)
            yield from scored.to_batches()

    return score


def pairs_of(table: pa.Table) -> Pairs:
    """The pairs of a table of `score_pairs`."""
    high, low = (table.column(name).to_pylist() for name in KEYS)
    keys = [
        f"{one % _WRAP:0{_DIGITS}x}{other % _WRAP:0{_DIGITS}x}"
        for one, other in zip(high, low, strict=True)
    ]
    others = {
        name: table.column(name).to_pylist()
        for name in table.column_names
        if name not in (*KEYS, "text", "body")
    }
    return Pairs(keys, table.column("text").to_pylist(), _bodies(table.column("body")), others)


def check_records(scorer: PairScorer, records: Sequence[Record], pairs: int) -> None:
    """Raise WrongRecords unless there is a record for each pair, each with a score or a failure."""
    names = scorer.result_type.fieldNames()
    if len(records) != pairs:
        raise WrongRecords(f"{scorer.name}: {len(records):,} records of {pairs:,} pairs")
    for record in records:
        if record.keys() != set(names):
            raise WrongRecords(f"{scorer.name}: a record of {list(record)}: expected {names}")
        if (record[names[0]] is None) != (record[FAILURE] is not None):
            raise WrongRecords(
                f"{scorer.name}: {names[0]} = {record[names[0]]!r}, {FAILURE} = "
                f"{record[FAILURE]!r}: expected one of them"
            )


def _bodies(column: pa.ChunkedArray) -> list[bytes | None]:
    """Bodies, equal consecutive ones as one object."""
    found: list[bytes | None] = column.to_pylist()
    for number in range(1, len(found)):
        if found[number] == found[number - 1]:
            found[number] = found[number - 1]
    return found


def _batches(batches: Iterable[pa.RecordBatch], rows: int, size: int) -> Iterator[pa.Table]:
    """Put batches together, and cut them, to tables that reach a number of rows or bytes."""
    waiting: list[pa.RecordBatch] = []
    held = weight = 0
    for batch in batches:
        start = 0
        weights = _weights(batch)
        for number, of_row in enumerate(weights):
            held, weight = held + 1, weight + of_row
            if held >= rows or weight >= size:
                waiting.append(batch.slice(start, number + 1 - start))
                yield pa.Table.from_batches(waiting)
                waiting, start, held, weight = [], number + 1, 0, 0
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
    if waiting:
        yield pa.Table.from_batches(waiting)


def _weights(batch: pa.RecordBatch) -> list[int]:
    """Bytes of text and body of each row."""
    sizes = [pc.binary_length(batch.column(name)).to_pylist() for name in ("text", "body")]
    return [(text or 0) + (body or 0) for text, body in zip(*sizes, strict=True)]
