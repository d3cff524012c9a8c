"""Products that pages state: beside the documents, in the same pass, with a ledger of their own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import export_products, extract_documents
from jobs.run.store import Store
from tests.builders.warc_files import written_by_warcio
from tests.jobs.conftest import LOCAL_CONFIG
from tests.jobs.test_lost_records import remove_a_row

PROSE = "这把竹椅由老师傅手工编成，坐面透气，夏天坐着凉快，冬天铺上垫子也不觉得冷。" * 4


def page(*stated: object) -> bytes:
    scripts = "".join(
        f'<script type="application/ld+json">{json.dumps(one)}</script>' for one in stated
    )
    return f"<html><head>{scripts}</head><body><h1>竹椅</h1><p>{PROSE}</p></body></html>".encode()


CHAIR = {"@type": "Product", "name": "竹椅", "offers": {"price": "359", "priceCurrency": "CNY"}}
PAGES = [
    page(CHAIR, {"@type": "Product", "name": "竹桌", "image": "/desk.jpg"}),
    page({"@type": "Product"}),  # without a name
    page({"@type": "Article", "name": "编椅子的人"}),
    page(),
]


@pytest.fixture
def warc(tmp_path: Path) -> Path:
    path = tmp_path / "shop.warc.gz"
    path.write_bytes(written_by_warcio(PAGES))
    return path


def extract(output: Path, *arguments: str) -> int:
    return extract_documents.main(
        ["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments]
    )


def test_products_are_added_to_documents_that_stay(
    spark: SparkSession, warc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert extract(output, "--input", str(warc)) == 0
    store = Store.at(str(output))
    documents = store.commits("extract_documents")
    assert not (output / "products").exists()

    assert extract(output, "--set", "extract.products=true") == 0
    assert store.commits("extract_documents") == documents
    rows = spark.read.parquet(str(output / "products")).orderBy("product").collect()
    assert [(row.product, row.title, row.price, row.currency) for row in rows] == [
        (0, "竹椅", 359.0, "CNY"),
        (1, "竹桌", None, None),
    ]
    assert {row.doc_id for row in rows} < {
        row["doc_id"] for row in store.rows("documents", ["doc_id"], [0])
    }
    assert rows[1].images == ["http://example.cn/desk.jpg"]
    [commit] = store.commits("extract_products").values()
    assert (commit.rows, commit.kept, commit.rejected) == (3, 2, {"no_title": 1})

    folder = tmp_path / "items"
    given = ("--from", str(output), "--config", str(LOCAL_CONFIG), "--output", str(folder))
    assert export_products.main(given) == 0
    assert "2 products: 1 written" in capsys.readouterr().err
    with gzip.open(folder / "part-00000.jsonl.gz", "rt", encoding="utf-8") as file:
        [item] = map(json.loads, file)
    assert (item["name"], item["doc_id"]) == ("竹桌", rows[1].doc_id)
    assert export_products.main(given) == 2  # it is not empty
    full = (*given[:-1], str(tmp_path / "full"), "--shape", "full")
    assert export_products.main(full) == 0
    with gzip.open(tmp_path / "full" / "part-00000.jsonl.gz", "rt", encoding="utf-8") as file:
        assert [json.loads(line)["price"] for line in file] == [359.0, None]

    # Documents that are made again without them would leave products of other documents.
    changed = ("--set", "extract.products=false", "extract.min_script_chars=17")
    assert extract(output, *changed) == 2
    assert extract(output, *changed, "--yes") == 0
    assert not (output / "products").exists()
    assert store.commits("extract_products") == {}
    assert export_products.main((*given[:-1], str(tmp_path / "none"))) == 2


def test_a_lost_product_opens_the_balance(
    spark: SparkSession,
    warc: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    write = Store.write

    def losing(store: Store, frame: object, table: str, wave: int = 0) -> None:
        write(store, frame, table, wave)  # type: ignore[arg-type]
        if table == "products":
            remove_a_row(output / "products")

    monkeypatch.setattr(Store, "write", losing)
    arguments = ("--input", str(warc), "--set", "extract.products=true")
    assert extract(output, *arguments) == 1
    assert "extract_products, wave 1: seen is not kept + rejected" in capsys.readouterr().err
    assert Store.at(str(output)).commits("extract_products") == {}
