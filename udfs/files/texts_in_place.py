"""Texts of a table, read where they lie: by file and number of the row, in the order of both.

A join moves all texts of a table to find some of them. Whoever has stored in which file and row a
text is reads each file once, from its beginning to the last row that is asked for, and nothing is
moved but what is found.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StringType

from udfs.files.uris import filesystem

_COLUMNS = pa.schema([("doc_id", pa.string()), ("text", pa.string())])
_BATCH_ROWS = 2_000
_BUFFER_BYTES = 4 << 20
"""Bytes of a column that are read at once: a column of a file may be larger than memory."""


class RowsMoved(RuntimeError):
    """A file does not have the row that was asked for, or has another document there."""


class TextFile:
    """A Parquet file with doc_id and text, read forward."""

    def __init__(self, uri: str) -> None:
        """Open the file.

        Raises:
            FileNotFoundError: there is none.
        """
        self._uri = uri
        files, path = filesystem(uri)
        self._source = files.open_input_file(path)
        self._file = pq.ParquetFile(self._source, buffer_size=_BUFFER_BYTES)
        metadata = self._file.metadata
        sizes = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._batch = pa.RecordBatch.from_pylist([], _COLUMNS)
        self._begin = self._end = self._group_end = self._last = 0

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def take(self, rows: Sequence[int]) -> pa.Table:
        """Read doc_id and text of rows.

        Args:
            rows: Numbers from 0, ascending, and none before the last ones that were asked for.
        Raises:
            RowsMoved: the file has no such row.
            ValueError: a row lies before another one that was asked for.
        """
        wanted = np.asarray(rows, dtype=np.int64)
        if np.any(np.diff(wanted, prepend=self._last) < 0):
            raise ValueError(f"{self._uri}: rows are not in order, from {self._last:,} on")
        parts: list[pa.RecordBatch] = []
        at = 0
        while at < len(wanted):
            self._go_to(int(wanted[at]))
            until = int(np.searchsorted(wanted, self._end))
            parts.append(self._batch.take(pa.array(wanted[at:until] - self._begin)))
            at, self._last = until, int(wanted[until - 1])
        return pa.Table.from_batches(parts, _COLUMNS)

    def _go_to(self, row: int) -> None:
        """Read on until the batch that has a row."""
        while row >= self._end:
            if row >= self._group_end:
                self._open_group(row)
            self._batch = next(self._batches).select(_COLUMNS.names).cast(_COLUMNS)
            self._begin, self._end = self._end, self._end + self._batch.num_rows

    def _open_group(self, row: int) -> None:
        """Begin with the row group that has a row; those before it are not read."""
        group = int(np.searchsorted(self._ends, row, side="right"))
        if group >= len(self._ends):
            raise RowsMoved(f"{self._uri}: has no row {row:,}")
        self._group_end = int(self._ends[group])
        self._end = int(self._ends[group - 1]) if group else 0
        self._batches = self._file.iter_batches(
            _BATCH_ROWS, row_groups=[group], columns=_COLUMNS.names
        )


def texts_at_udf(folder: str) -> Callable[..., Any]:
    """A UDF: name of a file, number of a row in it, doc_id -> the text of this row.

    Batch: any number of rows; those of a file together and ascending, in all batches of a task.
    One file is open at a time, and of it a few thousand rows are in memory.

    Args:
        folder: URI of the folder that the names are in.
    Raises, in a task:
        RowsMoved: the row is another document's.
    """

    @pandas_udf(StringType())  # type: ignore[call-overload, untyped-decorator]
    def texts_at(
        batches: Iterator[tuple[pd.Series, pd.Series, pd.Series]],
    ) -> Iterator[pd.Series]:
        name, file = None, None
        try:
            for names, rows, doc_ids in batches:
                found: list[pa.Table] = []
                for first, last in _runs(names):
                    if names.iat[first] != name or file is None:
                        if file is not None:
                            file.close()
                        name = names.iat[first]
                        file = TextFile(f"{folder}/{name}")
                    found.append(file.take(rows.iloc[first:last].to_numpy()))
                yield _texts(found, doc_ids)
        finally:
            if file is not None:
                file.close()

    # A filter on what comes out would otherwise read every text twice, and the order of what goes
    # in would be taken for one that nobody needs.
    return cast(Callable[..., Any], texts_at.asNondeterministic())


def _runs(names: pd.Series) -> Iterator[tuple[int, int]]:
    """Begin and end of every run of equal names."""
    if names.empty:
        return
    changes = np.flatnonzero(names.iloc[1:].to_numpy() != names.iloc[:-1].to_numpy()) + 1
    places = [0, *changes.tolist(), len(names)]
    yield from itertools.pairwise(places)


def _texts(found: Sequence[pa.Table], doc_ids: pd.Series) -> pd.Series:
    """The texts of tables, whose doc_id must be those of the rows that asked."""
    if not found:
        return pd.Series([], dtype=object)
    table = pa.concat_tables(found)
    asked = pa.chunked_array([pa.array(doc_ids, pa.string())])
    if not pc.all(pc.equal(table["doc_id"], asked), min_count=0).as_py():
        raise RowsMoved("documents: a file has another document where this one was stored")
    return pd.Series(table["text"].to_pylist(), dtype=object)
