"""Rows of few documents of a run: read by the driver where there are few in all, else by Spark."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.run.current_documents import duplicate_commit, edit_commits, fit_driver
from jobs.run.request import Run
from jobs.run.store import WHOLE
from jobs.tables import CUTS, DOCUMENTS, EDITS

SCAN_CHARS = 100_000
"""Leading code points of a text that are looked at: bounds the driver's memory."""


class FewRows:
    """Rows of some documents of a run's tables."""

    def __init__(self, spark: SparkSession, run: Run, max_chars: int | None = SCAN_CHARS) -> None:
        """Take a run.

        Args:
            max_chars: Leading code points of a text that are read; None for all.
        """
        self._spark = spark
        self._run = run
        self._max_chars = max_chars
        self.waves = list(run.waves)
        self.is_on_driver = fit_driver(run, self.waves)

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        doc_ids: Collection[str],
        waves: Sequence[int] = (WHOLE,),
    ) -> Iterator[dict[str, Any]]:
        """Read columns of some documents: as many rows as they have.

        Beside a column ``text``, ``text_chars`` has the whole text's length.
        """
        if not doc_ids or not waves:
            return
        if self.is_on_driver:
            for row in self._run.store.rows_of(table, columns, doc_ids, waves):
                if "text" in columns:
                    row["text_chars"] = len(row["text"] or "")
                    row["text"] = row["text"] and row["text"][: self._max_chars]
                yield row
            return
        frame = self._run.store.read(self._spark, table, waves)
        wanted = self._spark.createDataFrame([(one,) for one in sorted(doc_ids)], "doc_id string")
        found = frame.join(F.broadcast(wanted), on="doc_id", how="left_semi")
        for found_row in found.select(*self._columns(found, columns)).collect():
            yield found_row.asDict(recursive=True)

    def _columns(self, frame: DataFrame, columns: Sequence[str]) -> Iterator[Column]:
        for name in columns:
            text = frame[name]
            if name == "text":
                yield F.char_length(text).cast("long").alias("text_chars")
                text = text if self._max_chars is None else F.substring(text, 1, self._max_chars)
            yield text.alias(name)


@dataclass(frozen=True)
class Text:
    """A document's text at a stage."""

    url: str | None
    host: str | None
    text: str
    """Its leading code points, as many as were asked for."""
    chars: int
    """Code points of the whole text."""


def edited_texts(few: FewRows, run: Run, doc_ids: Collection[str]) -> dict[str, Text]:
    """Read texts as the rules edited them: what rules and deduplication looked at."""
    columns = ("doc_id", "url", "host", "text")
    found = {
        row["doc_id"]: Text(row["url"], row["host"], row["text"] or "", row["text_chars"])
        for row in few.rows(DOCUMENTS, columns, doc_ids, few.waves)
    }
    if edit_commits(run) is not None:
        for row in few.rows(EDITS, ("doc_id", "text"), found, few.waves):
            before = found[row["doc_id"]]
            found[row["doc_id"]] = Text(before.url, before.host, row["text"], row["text_chars"])
    return found


def without_cuts(few: FewRows, run: Run, texts: dict[str, Text]) -> dict[str, Text]:
    """Return texts without the paragraphs that deduplication cut: what later stages look at."""
    if duplicate_commit(run) is None or not run.store.list_names(CUTS):
        return texts
    left = dict(texts)
    for row in few.rows(CUTS, ("doc_id", "spans"), texts):
        before = texts[row["doc_id"]]
        parts, at, lost = [], 0, 0
        for span in row["spans"]:
            parts.append(before.text[at : span["start"]])
            at = span["start"] + span["length"]
            lost += span["length"]
        text = "".join([*parts, before.text[at:]])
        left[row["doc_id"]] = Text(before.url, before.host, text, before.chars - lost)
    return left
