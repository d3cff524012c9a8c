"""measure_images: bodies of records, data: URIs and shards, from WARC file to stored rows."""

from __future__ import annotations

import base64
import io
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from jobs.catalogue.lock import load_lock
from jobs.config import Config, ConfigError, load_config
from jobs.config.image_settings import ImagesConfig
from jobs.image_text.images import check, stored_images
from jobs.pairs import measure_images
from jobs.pipeline.request_file import read_request
from jobs.pipeline.stages import STAGES
from jobs.run.request import Run
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from jobs.transforms.images.bodies import with_images
from tests.builders.images import image_bytes, unusable_images
from tests.builders.warc_files import DATE
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.images.isolated_decoder import LIMIT_S
from udfs.images.measure import DEFAULT_LIMITS
from udfs.images.shards import ShardSample, write_shard

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 4
JPEG, PNG, INLINE = image_bytes("jpeg"), image_bytes("png"), image_bytes("png", number=5)
DATA = "data:image/png;base64," + base64.b64encode(INLINE).decode()
PAGE = f"""<html><head><title>老桥</title></head><body><h1>老桥</h1><p>{PROSE}</p>
<img src="/bridge.jpg" alt="雨中的老桥"><img src="{DATA}" alt="河岸"><p>{PROSE}</p>
<img src="{DATA}"><img src="data:image/gif;base64,{base64.b64encode(b"GIF89a" * 300).decode()}">
</body></html>"""
UNUSABLE = unusable_images()


def crawl() -> bytes:
    """Two pages, images under right and wrong types, and what is served in an image's place."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)

    def add(name: str, mime: str, body: bytes, kind: str = "response") -> None:
        answer = StatusAndHeaders("200 OK", [("Content-Type", mime)], protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                f"http://example.cn/{name}",
                kind,
                payload=io.BytesIO(body),
                http_headers=answer,
                warc_headers_dict={"WARC-Date": DATE},
            )
        )

    writer.write_record(writer.create_warcinfo_record("test.warc.gz", {"software": "test"}))
    add("", "text/html; charset=utf-8", PAGE.encode())
    add("again", "text/html; charset=utf-8", PAGE.replace("桥", "塔").encode())
    add("bridge.jpg", "image/jpeg", JPEG)
    add("wrong.gif", "image/gif", PNG)
    for name, (_, body) in UNUSABLE.items():
        add(name, "image/jpeg", body)
    writer.write_record(
        writer.create_revisit_record(
            "http://example.cn/bridge.jpg",
            "sha1:AAAA",
            "http://example.cn/bridge.jpg",
            DATE,
            http_headers=StatusAndHeaders("200 OK", [], protocol="HTTP/1.1"),
        )
    )
    return out.getvalue()


def measure(output: Path, *arguments: str) -> int:
    return measure_images.main(["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments])


@dataclass(frozen=True)
class Measured:
    """An output with images."""

    path: Path
    store: Store


@pytest.fixture(scope="module")
def measured(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("images")
    (folder / "a.warc.gz").write_bytes(crawl())
    inputs = ("--input", str(folder / "a.warc.gz"), "--set", "extract.pairs=true")
    assert measure(folder / "out", *inputs) == 0
    return Measured(folder / "out", Store.at(str(folder / "out")))


def test_every_body_is_a_row_and_the_ledger_closes(spark: SparkSession, measured: Measured) -> None:
    rows = spark.read.parquet(str(measured.path / "images")).collect()
    by_url = {row.url: row for row in rows if row.source == "record"}
    assert {url.rpartition("/")[2]: row.reason for url, row in by_url.items()} == {
        **{"bridge.jpg": None, "wrong.gif": None},
        **{name: reason for name, (reason, _) in UNUSABLE.items()},
    }
    bridge = by_url["http://example.cn/bridge.jpg"]
    assert (bridge.format, bridge.width, bridge.height) == ("jpeg", 96, 64)
    assert bytes(bridge.body) == JPEG and bridge.bytes == len(JPEG)
    assert by_url["http://example.cn/wrong.gif"].format == "png"
    of_uris = {row.reason: row for row in rows if row.source == "data_uri"}
    assert len(rows) == len(by_url) + 2 and of_uris.keys() == {None, "too_many_pixels"}
    assert (bytes(of_uris[None].body), of_uris[None].url) == (INLINE, None)
    assert of_uris[None].declared_type == "image/png"
    assert all((row.body is None) == (row.reason is not None) for row in rows)

    [commit] = measured.store.commits("measure_images").values()
    failed = Counter(row.reason for row in rows if row.reason is not None)
    assert (commit.kept, commit.failed) == (3, failed)
    # Of six data: URIs two are first of their bytes.
    assert commit.rejected == {"not_image_record": 2, "other_record": 2, "repeated_body": 4}
    assert commit.rows == 3 + failed.total() + 8


def test_nothing_is_measured_twice(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    before = measured.store.commits("measure_images")
    assert measure(measured.path) == 0
    assert measured.store.commits("measure_images") == before
    assert measure(measured.path, "--plan", "--set", "images.max_pixels=6000") == 0
    assert "images.max_pixels is 6000, was 50000000" in capsys.readouterr().out


def shards(folder: Path) -> Path:
    """A shard as img2dataset writes it, and one with a member that climbs out of its folder."""
    folder.mkdir()
    samples = [
        ShardSample(JPEG, "jpeg", "桥", None, {"url": "http://elsewhere.cn/1.jpg"}),
        ShardSample(None, None, "塔", "HTTP Error 404", {"url": "http://elsewhere.cn/2.jpg"}),
        ShardSample(PNG[:80], "png", "河", None, {"url": "http://elsewhere.cn/3.png"}),
    ]

    def opened(name: str) -> BinaryIO:
        return (folder / name).open("wb")

    write_shard(opened, 0, samples, [("url", pa.string())])
    with tarfile.open(folder / "00001.tar", "w") as archive:
        for name, body in (("../0.jpg", JPEG), ("1.txt", b"no image"), ("2.png", PNG)):
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return folder


def run_of(output: Path) -> Run:
    store = Store.at(str(output))
    config = load_config(LOCAL_CONFIG, (), read_request(store).settings)
    lock = load_lock(config, LOCAL_CONFIG)
    return Run(config, LOCAL_CONFIG, store, planned_waves(store), lock, STAGES)


def test_shards_are_measured_beside_and_leave_the_rest(
    spark: SparkSession, measured: Measured, tmp_path: Path
) -> None:
    folder = shards(tmp_path / "shards")
    before = measured.store.commits("measure_images")
    own = {row.image_id for row in stored_images(spark, run_of(measured.path)).collect()}
    assert measure(measured.path, "--set", f'images.shards=["{folder}"]') == 0
    assert measured.store.commits("measure_images") == before
    [commit] = measured.store.commits("measure_shards").values()
    assert (commit.rows, commit.kept) == (5, 2)
    assert commit.rejected == {"no_image": 1}
    assert commit.failed == {"truncated": 1, "unsafe_name": 1}
    assert not (tmp_path / "0.jpg").exists()

    run = run_of(measured.path)
    stored = stored_images(spark, run).collect()
    of_shards = {row.url: row for row in stored if row.image_id not in own}
    assert len(of_shards) == 3 and len(stored) == len(own) + 3
    assert bytes(of_shards["http://elsewhere.cn/1.jpg"].body) == JPEG
    assert of_shards["http://elsewhere.cn/3.png"].reason == "truncated"
    assert Path(of_shards[None].source_path).name == "00001.tar"

    # Without shards their images are no part of the output any more.
    assert measure(measured.path, "--set", "images.shards=[]") == 0
    assert {row.image_id for row in stored_images(spark, run_of(measured.path)).collect()} == own


def test_places_have_their_images(spark: SparkSession, measured: Measured) -> None:
    run = run_of(measured.path)
    places = run.store.read(spark, "pairs", [0])
    rows = with_images(places, stored_images(spark, run)).collect()
    found = {(row.page_url.rpartition("/")[2], row.place): row.image for row in rows}
    assert {place: image and image.format for (page, place), image in found.items()} == {
        **{0: "jpeg", 1: "png", 2: "png", 3: None},
    }
    assert len(found) == 8
    assert {image.reason for (_, place), image in found.items() if place == 3} == {
        "too_many_pixels"
    }


def test_settings_that_name_no_shard_fail_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "00000.parquet").write_bytes(b"")
    for named in (tmp_path, tmp_path / "*.parquet", tmp_path / "none.tar"):
        with pytest.raises(ConfigError, match=r"images\.shards"):
            check(Config(images=ImagesConfig(shards=(str(named),))))


def test_limits_that_are_not_set_are_those_of_the_decoder() -> None:
    config = ImagesConfig()
    names = ("max_bytes", "max_pixels", "max_frames")
    assert all(getattr(config, name) == getattr(DEFAULT_LIMITS, name) for name in names)
    assert config.timeout_s == LIMIT_S
