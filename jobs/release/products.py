"""The command `export_products`: the products of an output as JSON lines."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.config import ConfigError
from jobs.config.exit_status import NothingCameOut
from jobs.run.console import say
from jobs.run.request import EXTRACT_PRODUCTS, Reader, ReaderTask, Run, select_stage
from jobs.run.store import Store
from jobs.tables import PRODUCTS, corpus_of
from udfs.files.output_files import WRITTEN, jsonl_writer
from udfs.files.uris import redact
from udfs.products.webshop import WEBSHOP_LINES, webshop_lines

NAME = "export_products"
SHAPES = ("webshop", "full")
_FILE_ROWS = 100_000
"""Products in a file, about."""


class ProductsLost(RuntimeError):
    """Fewer or more products were exported than the table has."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--shape",
        choices=SHAPES,
        default="webshop",
        help="items as WebShop reads them, or the columns of the table; webshop",
    )
    parser.add_argument(
        "--only-corpus",
        action="store_true",
        help="only products of documents in the corpus, or in the selection --name",
    )
    parser.add_argument("--compression", choices=("gz", "zst"), default="gz", help="gz")
    parser.add_argument("--output", required=True, metavar="URI", help="an empty or new folder")


def _check(run: Run, arguments: Namespace) -> ReaderTask:
    """Check a request.

    Raises:
        ConfigError: it is wrong.
    """
    root = redact(run.store.root)
    commits = run.store.commits(EXTRACT_PRODUCTS)
    if set(run.waves) - set(commits):
        raise ConfigError(
            f"--from {root}: has no products, or not those of all its files; extract_documents "
            "--set extract.products=true writes them"
        )
    if arguments.name is not None and not arguments.only_corpus:
        raise ConfigError("--name: needs --only-corpus; without it all products are exported")
    if arguments.only_corpus and not run.store.commits(select_stage(run.selection)):
        raise ConfigError(f"--from {root}: {select_stage(run.selection)} has not run: run it first")
    folder = Store.at(arguments.output)
    if folder.list_names():
        raise ConfigError(f"--output {redact(folder.root)}: is there already, and not empty")
    stated = sum(commit.kept for commit in commits.values())
    files = max(1, math.ceil(stated / _FILE_ROWS))
    plan = [
        f"{NAME}: {'those of the corpus among ' if arguments.only_corpus else ''}{stated:,} "
        f"products of {root}, as {arguments.shape}",
        f"  to {files:,} file{'' if files == 1 else 's'} in {redact(folder.root)}",
    ]
    return ReaderTask(plan, lambda spark: _export(spark, run, arguments, folder, files))


def _export(spark: SparkSession, run: Run, arguments: Namespace, folder: Store, files: int) -> None:
    """Write the files, and say how many products they have.

    Raises:
        NothingCameOut: there is no product, or none that WebShop can read.
        ProductsLost: products were lost on the way.
    """
    products = run.store.read(spark, PRODUCTS, sorted(run.waves))
    if arguments.only_corpus:
        kept = run.store.read(spark, corpus_of(run.selection)).select("doc_id")
        products = products.join(kept, on="doc_id", how="left_semi")
    expected = products.count()
    ordered = products.repartition(files, "doc_id").sortWithinPartitions("doc_id", "product")
    lines = _lines(ordered, arguments.shape)
    writer = jsonl_writer(folder.root, arguments.compression)
    written = lines.mapInArrow(writer, WRITTEN)
    counts = written.agg(F.coalesce(F.sum("rows"), F.lit(0)).alias("rows")).collect()[0]
    left_out = 0
    if arguments.shape == "webshop":
        left_out = products.where(F.coalesce(F.size("images"), F.lit(0)) < 1).count()
    if counts.rows + left_out != expected:
        raise ProductsLost(f"wrote {counts.rows:,} of {expected:,} products, {left_out:,} no_image")
    if not counts.rows:
        raise NothingCameOut(f"no product was written: {expected:,} read, {left_out:,} no_image")
    say(
        "products_exported",
        f"{expected:,} products: {counts.rows:,} written to {redact(folder.root)}, "
        f"{left_out:,} without an image left out",
        products=expected,
        written=counts.rows,
        no_image=left_out,
    )


def _lines(products: DataFrame, shape: str) -> DataFrame:
    """Return products as JSON lines.

    Rows: kept; of shape webshop those with an image. Shuffles: none.
    """
    if shape == "webshop":
        return products.mapInArrow(webshop_lines, WEBSHOP_LINES)
    record = F.struct(*products.columns)
    return products.select(F.to_json(record, {"ignoreNullFields": "false"}).alias("line"))


EXPORT_PRODUCTS = Reader(NAME, _add_arguments, _check)
