"""Image places of documents' pages: beside the documents, in the same pass, with their ledger."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from jobs import extract_documents
from jobs.run.store import Store
from tests.builders.warc_files import written_by_warcio
from tests.jobs.conftest import LOCAL_CONFIG

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 4
WITH_IMAGES = f"""<html><head><title>老桥 - 河岸网</title>
<meta property="og:image" content="/cover.jpg"></head><body><h1>老桥</h1><p>{PROSE}</p>
<figure><img src="/loading.gif" data-src="../bridge.jpg" alt="雨中的老桥" width=640 height=480>
<figcaption>六月的雨</figcaption></figure><p>{PROSE}</p>
<p><img src="javascript:void(0)"><img alt="没有地址"></p>
<img src="/a,b.png" alt="logo"></body></html>
"""
PAGES = [WITH_IMAGES, f"<html><body><p>{PROSE}</p></body></html>", "<img src=x.jpg alt=short>"]


def extract(output: Path, *arguments: str) -> int:
    return extract_documents.main(
        ["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments]
    )


def test_image_places_are_added_to_documents_that_stay(spark: SparkSession, tmp_path: Path) -> None:
    warc, output = tmp_path / "bridge.warc.gz", tmp_path / "out"
    warc.write_bytes(written_by_warcio([page.encode() for page in PAGES]))
    both = ("--set", "extract.pairs=true", "extract.products=true")
    assert extract(output, "--input", str(warc), *both) == 0
    store = Store.at(str(output))
    documents = {row["doc_id"] for row in store.rows("documents", ["doc_id"], [0])}
    rows = spark.read.parquet(str(output / "pairs")).orderBy("place").collect()
    assert [(row.attribute, row.url, row.text, row.text_source) for row in rows] == [
        ("og", "http://example.cn/cover.jpg", None, None),
        ("data-src", "http://example.cn/bridge.jpg", "雨中的老桥", "alt"),
        ("src", "http://example.cn/a,b.png", "logo", "alt"),
    ]
    bridge = rows[1]
    assert bridge.doc_id in documents and bridge.page_url == "http://example.cn/0"
    assert (bridge.declared_width, bridge.declared_height) == (640, 480)
    assert (bridge.caption, bridge.in_main) == ("六月的雨", True)
    assert (bridge.text_measures.chars, bridge.text_measures.han_share) == (5, 1.0)
    assert rows[2].text_measures.has_logo_word
    [commit] = store.commits("extract_pairs").values()
    assert (commit.rows, commit.kept) == (5, 3)
    assert commit.rejected == {"no_address": 1, "not_http": 1}

    # The limit of a page changes image places alone.
    before = {stage: store.commits(stage) for stage in ("extract_documents", "extract_products")}
    assert extract(output, "--set", "extract.max_page_images=2") == 0
    assert before == {stage: store.commits(stage) for stage in before}
    [commit] = store.commits("extract_pairs").values()
    assert (commit.rows, commit.kept, commit.rejected) == (5, 2, {"too_many_images": 3})
