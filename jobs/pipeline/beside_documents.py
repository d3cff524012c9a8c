"""What a document's page has beside its text: products, image places; each a table of its own.

The pass that extracts documents yields them as a column of each document, and counts them in each
file's tally. A part commits its waves by itself: documents do not follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.config import Config
from jobs.run.commits import Basis, settings_of
from jobs.run.request import EXTRACT_DOCUMENTS, EXTRACT_PAIRS, EXTRACT_PRODUCTS, Run
from jobs.tables import PAIRS, PRODUCTS, schema_of
from jobs.transforms.ledger import tally_rows
from udfs.extract.outcomes import DOCUMENT, PAIRS_BESIDE, PRODUCTS_BESIDE, TALLY


@dataclass(frozen=True)
class BesidePart:
    """A table beside the documents."""

    stage: str
    """Name of its commits and of its ledger."""
    column: str
    """Of the rows that a worker yields, and of what a tally counts."""
    table: str
    setting: str
    """Key of [extract] that asks for it."""
    limits: tuple[str, ...] = ()
    """Further keys of [extract] that it follows from, and documents do not."""
    of_language: tuple[str, ...] = ()
    """Keys of [language] that are the same."""

    def is_wanted(self, config: Config) -> bool:
        """Whether the configuration asks for it."""
        return bool(getattr(config.extract, self.setting))

    def basis(self, run: Run, documents: Basis) -> Basis:
        """Return the basis of a wave, given that of its documents."""
        settings = settings_of("extract", run.config.extract, self.limits)
        settings |= settings_of("language", run.config.language, self.of_language)
        return Basis(settings, {EXTRACT_DOCUMENTS: documents.fingerprint})


PARTS = (
    BesidePart(EXTRACT_PRODUCTS, PRODUCTS_BESIDE, PRODUCTS, "products"),
    BesidePart(
        *(EXTRACT_PAIRS, PAIRS_BESIDE, PAIRS, "pairs", ("max_page_images",), ("interface_words",))
    ),
)

NOT_OF_DOCUMENTS = tuple(key for part in PARTS for key in (part.setting, *part.limits))
"""Keys of [extract] that documents do not follow from."""

_OF_PAGE: Mapping[str, str] = {
    **{name: name for name in ("doc_id", "warc_path", "warc_offset", "url")},
    "page_url": "url",
    "product": "_number",
}
"""Column of a table beside -> that of its document, or its number on the page."""


def part_rows(part: BesidePart, extracted: DataFrame) -> DataFrame:
    """Return the rows of a part.

    Needs: the rows of `jobs.tables.EXTRACTED`. Rows: one for each item of a document's column.
    Shuffles: none.
    """
    names = ("doc_id", "url", "warc_path", "warc_offset")
    rows = extracted.where((F.col("row_kind") == DOCUMENT) & (F.size(part.column) > 0)).select(
        *names, F.posexplode(part.column).alias("_number", "_item")
    )
    of_item = set(rows.select("_item.*").columns)

    def column(name: str) -> Column:
        return F.col(f"_item.{name}" if name in of_item else _OF_PAGE[name]).alias(name)

    return rows.select(*map(column, schema_of(part.table).fieldNames()))


def part_tallies(part: BesidePart, extracted: DataFrame) -> DataFrame:
    """Return what the workers counted of a part, as rows of kind TALLY.

    Needs: the rows of `jobs.tables.EXTRACTED`. Rows: one a split that was read. Shuffles: none.
    """
    of_part = F.get(F.filter("beside", lambda one: one["part"] == part.column), F.lit(0))
    nothing = F.expr("filter(rejected, x -> false)")
    counted: dict[str, Any] = {
        "seen": F.coalesce(of_part["seen"], F.lit(0)),
        "rejected": F.coalesce(of_part["rejected"], nothing),
        "failed": nothing,
    }
    return tally_rows(
        extracted.where(F.col("row_kind") == TALLY).select(
            "warc_path", *(value.alias(name) for name, value in counted.items())
        )
    )
