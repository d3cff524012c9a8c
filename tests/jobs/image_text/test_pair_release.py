"""release_pairs from its arguments to files that other programs load."""

from __future__ import annotations

import doctest
import hashlib
import io
import json
import shutil
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyspark.sql import SparkSession

from jobs.image_text import pair_release_card, pair_release_rows
from jobs.pairs import release_pairs
from jobs.run.store import WHOLE, Store
from tests.builders.pair_outputs import (
    doc_id_of,
    made_documents,
    made_images,
    made_pairs,
    write_pair_output,
)
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.images.phash import phash_text

pytestmark = pytest.mark.spark
IMAGES = made_images(10)
PAIRS = made_pairs(IMAGES, 60)
DOCUMENTS = made_documents(PAIRS)
BODIES = {row["image_id"]: row["body"] for row in IMAGES}
WITH_IMAGE = [pair for pair in PAIRS if pair["image"] is not None]
SMALL = ("release_pairs.shard_samples=12", "release_pairs.link_rows=20")


@pytest.fixture(scope="module")
def output(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "out"
    return write_pair_output(spark, path, IMAGES, PAIRS, DOCUMENTS)


def release(output: Path, to: Path, *settings: str, flags: tuple[str, ...] = ()) -> int:
    arguments = ["--from", str(output), "--output", str(to), "--config", str(LOCAL_CONFIG), *flags]
    return release_pairs.main([*arguments, "--set", *SMALL, *settings])


@pytest.fixture(scope="module")
def whole(output: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("whole") / "release"
    assert release(output, to) == 0
    return to


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def key_of(row: dict[str, Any]) -> tuple[str, int]:
    return row["doc_id"], row["place"]


def members_of(tar: Path) -> list[dict[str, bytes]]:
    """Return the samples of a shard, by ending of their members, with their key."""
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(tar) as archive:
        for member in archive:
            key, _, ending = member.name.partition(".")
            file = archive.extractfile(member)
            assert file is not None
            samples.setdefault(key, {"key": key.encode()})[ending] = file.read()
    return list(samples.values())


def test_shards_have_every_pair_with_an_image_once(whole: Path) -> None:
    expected = {key_of(pair): pair for pair in WITH_IMAGE}
    tars = sorted((whole / "webdataset").glob("*/*.tar"))
    assert [tar.relative_to(whole / "webdataset").as_posix() for tar in tars] == [
        *(f"jpg/0000{n}.tar" for n in range(3)), "png/00003.tar", "webp/00004.tar",
    ]  # fmt: skip
    found: list[dict[str, Any]] = []
    for tar in tars:
        samples = members_of(tar)
        rows = pq.read_table(tar.with_suffix(".parquet")).to_pylist()
        assert len(samples) == len(rows) <= 12
        stats = json.loads((tar.parent / f"{tar.stem}_stats.json").read_text())
        assert stats["count"] == stats["successes"] == len(rows)
        for number, (sample, row) in enumerate(zip(samples, rows, strict=True)):
            pair, fields = expected[key_of(row)], json.loads(sample["json"])
            assert sample["key"].decode() == row["key"] == f"{tar.stem}{number:04d}"
            assert sample[tar.parent.name] == BODIES[pair["image"]["image_id"]]
            assert sample["txt"].decode() == fields["caption"] == row["caption"] == pair["text"]
            assert fields["width"] == fields["original_width"] == pair["image"]["width"]
            assert fields["phash"] == row["phash"] == phash_text(pair["image"]["phash"])
            assert (row["license"], row["quality_score"]) == (
                pair["license"], pair["page"]["quality_score"],
            )  # fmt: skip
            assert fields["license"] == (row["license"] or "")
            assert fields["quality_score"] == (
                -1 if row["domain"] is None else row["quality_score"]
            )
            assert fields["opt_outs"] == ",".join(pair["page"]["opt_outs"])
            assert fields["exif"] is None and fields["status"] == "success"
        found += rows
    assert Counter(map(key_of, found)) == Counter(expected.keys())


def test_other_programs_read_the_shards(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    expected = [
        (sample["key"].decode(), sample["txt"].decode(), sample["jpg"])
        for tar in sorted((whole / "webdataset" / "jpg").glob("*.tar"))
        for sample in members_of(tar)
    ]
    assert len(expected) > 24
    pattern = str(whole / "webdataset" / "jpg" / "*.tar")
    cache = str(tmp_path / "cache")
    plain = datasets.load_dataset("webdataset", data_files=pattern, split="train", cache_dir=cache)
    # By its card: fields have their types from there.
    by_card = datasets.load_dataset(str(whole), "jpg", split="train", cache_dir=cache)
    for read in (plain, by_card):
        assert [(row["__key__"], row["txt"]) for row in read] == [row[:2] for row in expected]
        for row, (_, _, body) in zip(read, expected, strict=True):
            assert row["jpg"].size == Image.open(io.BytesIO(body)).size
            assert row["jpg"].tobytes() == Image.open(io.BytesIO(body)).tobytes()
            assert row["json"]["caption"] == row["txt"]
    assert datasets.load_dataset(str(whole), split="train", cache_dir=cache).num_rows == len(
        expected
    )
    png = datasets.load_dataset(str(whole), "png", split="train", cache_dir=cache)
    assert png.num_rows == sum(pair["image"]["format"] == "png" for pair in WITH_IMAGE)


def test_webdataset_reads_the_shards(whole: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, (whole / "webdataset" / "jpg").glob("*.tar")))
    read = (
        webdataset.WebDataset(shards, shardshuffle=False)
        .decode("pil")
        .to_tuple("__key__", "jpg", "txt", "json")
    )
    expected = [sample for shard in shards for sample in members_of(Path(shard))]
    found = list(read)
    assert [(key, text) for key, _, text, _ in found] == [
        (sample["key"].decode(), sample["txt"].decode()) for sample in expected
    ]
    for (_, image, _, fields), sample in zip(found, expected, strict=True):
        assert image.size == (fields["width"], fields["height"])
        assert fields == json.loads(sample["json"])


def test_links_and_documents_load(whole: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    cache = str(tmp_path / "cache")
    links = datasets.load_dataset(str(whole / "links"), split="train", cache_dir=cache)
    with_address = {key_of(pair): pair for pair in PAIRS if pair["url"] is not None}
    assert Counter(map(key_of, links)) == Counter(with_address.keys())
    for row in links:
        pair = with_address[key_of(row)]
        image = pair["image"] or {}
        assert (row["url"], row["text"], row["sha256"]) == (
            pair["url"], pair["text"], image.get("sha256"),
        )  # fmt: skip
        assert row["id"] == f"{row['doc_id']}-{row['place']}"
        assert row["text_length"] == len(row["text"]) and row["language"] == "zh"
        assert row["image_phash"] == (phash_text(image["phash"]) if image else None)
    names = sorted(path.name for path in (whole / "links" / "data").glob("*.parquet"))
    assert names == [f"train-0000{n}-of-00003.parquet" for n in range(3)]

    read = datasets.load_dataset(str(whole / "interleaved"), split="train", cache_dir=cache)
    assert read.column_names == ["texts", "images", "metadata", "general_metadata"]
    expected = {document["doc_id"]: document for document in DOCUMENTS}
    for row in read:
        page = json.loads(row["general_metadata"])
        document = expected.pop(page["doc_id"])
        assert (row["texts"], row["images"]) == (document["texts"], document["images"])
        assert page["document_url"] == document["general_metadata"]["document_url"]
        metadata = json.loads(row["metadata"])
        for one, image, made in zip(metadata, row["images"], document["metadata"], strict=True):
            assert (one is None) == (image is None)
            if one is not None:
                hashed = None if made["phash"] is None else phash_text(made["phash"])
                assert (one["place"], one["url"], one["phash"]) == (
                    made["place"], made["url"], hashed,
                )  # fmt: skip
    assert expected == {}


def test_the_card_says_what_was_left_out(whole: Path) -> None:
    facts = json.loads((whole / "run.json").read_text(encoding="utf-8"))
    without, data = len(PAIRS) - len(WITH_IMAGE), sum(pair["url"] is None for pair in PAIRS)
    assert facts["formats"] == [
        {"format": "webdataset", "seen": 60, "released": 60 - without,
         "left_out": [{"reason": "no_image", "rows": without}]},
        {"format": "links", "seen": 60, "released": 60 - data,
         "left_out": [{"reason": "no_address", "rows": data}]},
        {"format": "interleaved", "seen": 20, "released": 20, "left_out": []},
    ]  # fmt: skip
    assert facts["pairs"]["opt_outs"] == [
        {"value": "noai", "pairs": 3}, {"value": "noindex", "pairs": 3},
    ]  # fmt: skip
    assert {of["path"] for of in facts["files"]} == {
        name for name in files_of(whole) if "/" in name and not name.endswith("README.md")
    }
    card = (whole / "README.md").read_text(encoding="utf-8")
    for said in (
        f"| `webdataset` | no_image | {without} |", "| select_pairs | 64 | 60 | 4 | 0 |",
        "| `pair_rules.min_chars` | `5` |", "| noai | 3 |", 'config_name: "webp"',
        "Images and texts belong to those who made them", "webdataset/jpg/{00000..00002}.tar",
    ):  # fmt: skip
        assert said in card
    lines = (whole / "checksums.sha256").read_text().splitlines()
    assert {line.split("  ")[1]: line.split("  ")[0] for line in lines} == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files_of(whole).items()
        if name != "checksums.sha256"
    }


@pytest.mark.slow
def test_the_same_release_for_any_partitioning(
    spark: SparkSession, whole: Path, tmp_path: Path
) -> None:
    other = write_pair_output(
        spark, tmp_path / "out", IMAGES[::-1], PAIRS[::-1], DOCUMENTS[::-1], partitions=5
    )
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    try:
        assert release(other, tmp_path / "release") == 0
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    assert files_of(tmp_path / "release") == files_of(whole)


@pytest.mark.slow
def test_rows_without_an_image_and_what_is_excluded(output: Path, tmp_path: Path) -> None:
    excluded = tmp_path / "excluded.txt"
    jpegs = {pair["url"]: pair for pair in WITH_IMAGE if pair["url"] and pair["place"] == 1}
    address, other = list(jpegs)[:2]
    image = jpegs[other]["image"]
    excluded.write_text(f"{doc_id_of(2)}\nh1.cn\n{address}\nsha256: {image['sha256']}\n")
    settings = [f"release_pairs.exclude=[{json.dumps(str(excluded))}]"]
    settings += ["release_pairs.without_image=rows", "release_pairs.seed=1"]
    assert release(output, tmp_path / "release", *settings) == 0

    def kind_of(pair: dict[str, Any]) -> str | None:
        if pair["doc_id"] == doc_id_of(2):
            return "excluded_by_doc_id"
        if pair["url"] == address:
            return "excluded_by_url"
        if ".h1.cn/" in pair["page_url"]:
            return "excluded_by_host"
        digests = {(pair["image"] or {}).get("sha256"), pair["data_sha256"]}
        return "excluded_by_sha256" if image["sha256"] in digests else None

    kinds = Counter(map(kind_of, PAIRS))
    facts = json.loads((tmp_path / "release" / "run.json").read_text(encoding="utf-8"))
    of_shards = facts["formats"][0]
    assert {of["reason"]: of["rows"] for of in of_shards["left_out"]} == {
        kind: rows for kind, rows in kinds.items() if kind is not None
    }
    assert of_shards["released"] == kinds[None]
    rows = [
        row
        for path in (tmp_path / "release" / "webdataset").glob("*/*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    by_status = Counter(row["status"] for row in rows)
    kept = [pair for pair in PAIRS if kind_of(pair) is None]
    assert {key_of(row) for row in rows} == {key_of(pair) for pair in kept}
    assert by_status["failed_to_download"] == sum(pair["image"] is None for pair in kept) > 0

    def is_kept(document: dict[str, Any]) -> bool:
        url = document["general_metadata"]["document_url"]
        images = [of for of in document["metadata"] if of is not None]
        return (
            document["doc_id"] != doc_id_of(2)
            and ".h1.cn/" not in url
            and all(of["url"] != address and of["sha256"] != image["sha256"] for of in images)
        )

    documents = pq.read_table(tmp_path / "release" / "interleaved" / "data").to_pylist()
    assert {json.loads(row["general_metadata"])["doc_id"] for row in documents} == {
        document["doc_id"] for document in DOCUMENTS if is_kept(document)
    }


def test_a_request_is_checked(
    output: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(output, whole) == 2
    assert "one is there already; --yes replaces it" in capsys.readouterr().err
    assert release(output, whole, flags=("--plan",)) == 0
    plan = capsys.readouterr().out
    assert "webdataset: of 60 rows of selected_pairs" in plan and "needs --yes" in plan
    assert release(output, tmp_path / "new", 'release_pairs.formats=["tar"]') == 2
    assert "expected each once, of webdataset, links, interleaved" in capsys.readouterr().err
    assert release(output, tmp_path / "new", flags=("--name", "law")) == 2
    assert "select_pairs@law has not run: run it first" in capsys.readouterr().err
    older = Path(shutil.copytree(output, tmp_path / "older"))
    selected = Store.at(str(older)).commits("select_pairs")[WHOLE]
    Store.at(str(older)).commit(replace(selected, sources={"measure_images": "another"}))
    assert release(older, tmp_path / "new") == 2
    assert "measure_images ran again after select_pairs" in capsys.readouterr().err
    empty = tmp_path / "empty"
    store = Store.at(str(empty))
    for stage in ("extract_pairs", "select_pairs"):
        for commit in Store.at(str(output)).commits(stage).values():
            store.commit(commit)
    assert release(empty, tmp_path / "new", 'release_pairs.formats=["webdataset"]') == 2
    assert "run measure_images, then select_pairs" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_an_empty_release_says_so(output: Path, tmp_path: Path) -> None:
    excluded = tmp_path / "excluded.txt"
    excluded.write_text("h0.cn\nh1.cn\nh2.cn\n")
    settings = [f"release_pairs.exclude=[{json.dumps(str(excluded))}]"]
    settings.append('release_pairs.formats=["webdataset"]')
    assert release(output, tmp_path / "release", *settings) == 3
    assert set(files_of(tmp_path / "release")) == {"README.md", "checksums.sha256", "run.json"}
    card = (tmp_path / "release" / "README.md").read_text(encoding="utf-8")
    assert "**This release is empty**" in card and "configs:" not in card
    assert release(output, tmp_path / "release", *settings, "run.allow_empty=true") == 2
    assert (
        release(output, tmp_path / "release", *settings, "run.allow_empty=true", flags=("--yes",))
        == 0
    )


@pytest.mark.parametrize("module", [pair_release_card, pair_release_rows])
def test_examples_of_docstrings(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted and not found.failed


@pytest.mark.slow
def test_a_lost_image_is_no_release(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [row for row in IMAGES if row["image_id"] != IMAGES[0]["image_id"]]
    made = write_pair_output(spark, tmp_path / "out", images, PAIRS, DOCUMENTS)
    assert release(made, tmp_path / "release") == 1
    assert "expected 1 body of an image, found 0" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()
