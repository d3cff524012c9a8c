"""The whole pipeline on the bundled sample: every page ends where its manifest says."""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from pathlib import Path

import polars
import pytest
import zstandard
from datasets import load_dataset
from pyspark.sql import functions as F
from warcio.archiveiterator import ArchiveIterator

from jobs import run_pipeline
from jobs.run.store import WHOLE, Store
from jobs.tables import CORPUS, check_schema, schema_of
from tests.jobs.conftest import Output
from tests.sample.build_sample import Page, load_pages

PAGES = {page.name: page for page in load_pages()}
STAGES = {
    "rules": "apply_rules",
    "duplicates": "find_duplicates",
    "select": "select_corpus",
}
EXACT_PAIR = {"life_braised_eggplant", "life_braised_eggplant_copy"}
"""Two pages of the same length: which of them is kept follows from their ids."""


def planned(capsys: pytest.CaptureFixture[str], output: Path, *arguments: str) -> list[str]:
    """What run_pipeline would do on an output, with settings as it remembers them."""
    capsys.readouterr()
    assert run_pipeline.main(["--output", str(output), *arguments, "--plan"]) == 0
    return capsys.readouterr().out.splitlines()


def test_another_threshold_keeps_the_export_and_no_export_asks(
    sample_output: Output,
    sample_warc: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    output = shutil.copytree(sample_output.path, tmp_path / "out")
    lines = planned(capsys, output)
    assert all(line.endswith(": nothing to do") for line in lines)
    lines = planned(capsys, output, "--set", "select.min_quality=0.9")
    assert [line for line in lines if not line.endswith(": nothing to do")] == [
        "select_corpus: select.min_quality is 0.9, was 0.5",
        "select_pairs: select_corpus changed",
        "interleave_documents: select_corpus changed",
        "report_run: interleave_documents changed; select_corpus changed; select_pairs changed; "
        "1 more changes",
    ]
    copy = shutil.copy(sample_warc, tmp_path / "mine.warc.gz")
    lines = planned(capsys, output, "--input", str(copy))
    assert lines[0] == f"adding 1 file to 1 already here: {copy}"
    assert not any("needs --yes" in line for line in lines)
    no_export = ["--set", "select.jsonl=none"]
    assert planned(capsys, output, *no_export)[-1] == "needs --yes: delete corpus_jsonl"
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}
    assert run_pipeline.main(["--output", str(output), *no_export]) == 2
    said = capsys.readouterr().err.splitlines()
    assert 'deleted: corpus_jsonl: select.jsonl is "none", was "zst"' in said
    assert said[-1].startswith("run_pipeline: this would delete corpus_jsonl; give --yes, or")
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()} == before
    more = "--set", 'dedup.levels=["url"]'
    assert planned(capsys, output, *more)[-1] == (
        "needs --yes: do finished work of score_quality, score_domain, score_toxicity, "
        "score_perplexity, score_tokens again"
    )


def key(page: Page) -> tuple[str, str]:
    return page.url, page.capture_time


@pytest.fixture(scope="module")
def fates(sample_output: Output) -> dict[tuple[str, str], str]:
    """(url, capture time) -> kept, or rejected:STAGE:REASON[+REASON]."""
    documents = sample_output.table("documents").select(
        "doc_id",
        "url",
        F.date_format("capture_time", "yyyy-MM-dd'T'HH:mm:ss'Z'").alias("time"),
    )
    kept = documents.join(sample_output.table("corpus").select("doc_id"), "doc_id", "left_semi")
    found = {(row.url, row.time): "kept" for row in kept.collect()}
    rejected = documents.join(sample_output.table("rejected").drop("url"), "doc_id")
    for row in rejected.collect():
        assert (row.url, row.time) not in found
        found[row.url, row.time] = f"{row.stage}:{'+'.join(row.reasons)}"
    return found


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, page in PAGES.items()
        if not page.expect.startswith(("rejected:extract", "failed")) and name not in EXACT_PAIR
    ],
)
def test_a_page_ends_where_it_should(fates: dict[tuple[str, str], str], name: str) -> None:
    page = PAGES[name]
    fate = fates[key(page)]
    if page.expect == "kept":
        assert fate == "kept", page.why
    else:
        _, stage, reason = page.expect.split(":")
        assert fate.split(":")[0] == STAGES[stage], page.why
        assert reason in fate.split(":")[1].split("+"), page.why


def test_one_of_two_equal_pages_is_kept(fates: dict[tuple[str, str], str]) -> None:
    assert sorted(fates[key(PAGES[name])] for name in EXACT_PAIR) == [
        "find_duplicates:exact",
        "kept",
    ]


def test_pages_rejected_while_reading_are_counted_by_reason(sample_output: Output) -> None:
    expected = Counter(
        page.expect.split(":")[2]
        for page in PAGES.values()
        if page.expect.startswith("rejected:extract")
    )
    # Records that are no captures: the file's own, and two pages' requests and metadata.
    companions = sum(page.companions for page in PAGES.values())
    expected.update(warcinfo_record=1, request_record=companions, metadata_record=companions)
    row = sample_output.table("ledger").where("stage = 'extract_documents'").first()
    assert row is not None
    assert dict(row.rejected) == expected


def test_failures_have_a_row_and_a_count(sample_output: Output) -> None:
    expected = Counter(
        page.expect.split(":")[1] for page in PAGES.values() if page.expect.startswith("failed")
    )
    rows = sample_output.table("read_failures").collect()
    assert Counter(row.reason for row in rows) == expected
    assert all(row.offset is not None and row.warc_path for row in rows)


def test_the_balance_starts_at_all_records_of_the_file(
    sample_output: Output, sample_warc: Path
) -> None:
    with sample_warc.open("rb") as file:
        records = sum(1 for _ in ArchiveIterator(file, no_record_parse=True))
    ledger = {row.stage: row for row in sample_output.table("ledger").collect()}
    assert ledger["extract_documents"].seen == records
    for row in ledger.values():
        assert row.seen == row.kept + sum(of.records for of in (*row.rejected, *row.failed))
    assert ledger["select_corpus"].kept == sample_output.table("corpus").count()


def test_corpus_rows_have_the_published_shape(sample_output: Output) -> None:
    corpus = sample_output.table("corpus")
    check_schema(corpus.schema, CORPUS)
    for row in corpus.collect():
        assert 0.0 <= row.quality_score <= 1.0
        assert row.toxicity.label == int(row.toxicity.score >= 0.99)
        assert row.domain.single_label == row.domain.multi_label[0]
        assert row.cluster_size >= 1


def test_documents_say_what_their_pages_stated(sample_output: Output) -> None:
    documents = {row.url: row for row in sample_output.table("documents").collect()}

    def page(url: str) -> tuple[object, ...]:
        row = documents[url]
        return row.charset, row.charset_step, row.script, str(row.published), row.opt_outs

    assert page("http://weekly.example.org/2023/0914.html") == (
        "big5hkscs", "http", "hant", "2023-09-14", [],
    )  # fmt: skip
    assert page("https://health.example.org/heart/home-blood-pressure") == (
        "utf-8", "utf8", "hans", "None", ["noai", "noimageai"],
    )  # fmt: skip
    mislabelled = documents["https://tech.example.net/p/118.html"]
    assert (mislabelled.declared_charset, mislabelled.charset) == ("gb18030", "utf-8")
    assert documents["http://book.example.com/book/455/12.html"].truncated == "length"


def test_the_survivor_stands_for_its_duplicates(sample_output: Output) -> None:
    removed = sample_output.table("duplicates").count()
    rows = sample_output.table("corpus").where("cluster_size > 1").collect()
    stood_for = sum(row.cluster_size - 1 for row in rows)
    # A survivor of a cluster may itself fall to a threshold of the selection.
    assert 0 < stood_for <= removed


def test_jsonl_holds_the_same_rows(sample_output: Output) -> None:
    files = sorted((sample_output.path / "corpus_jsonl").glob("*.jsonl.zst"))
    lines = []
    for path in files:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
            lines += io.TextIOWrapper(reader, encoding="utf-8").read().splitlines()
    rows = {row["doc_id"]: row for row in map(json.loads, lines)}
    corpus = sample_output.table("corpus").collect()
    assert len(lines) == len(rows) == len(corpus)
    for row in corpus:
        line = rows[row.doc_id]
        assert list(line) == schema_of(CORPUS).fieldNames()
        assert line["text"] == row.text
        assert line["domain"] == row.domain.asDict()
        assert line["toxicity"] == row.toxicity.asDict()
        assert line["quality_score"] == row.quality_score


def test_run_json_names_what_made_the_corpus(sample_output: Output) -> None:
    facts = json.loads((sample_output.path / "run.json").read_text(encoding="utf-8"))
    assert len(facts["lock_id"]) == 64
    assert {"config", "versions", "artifacts", "stages", "reasons"} <= facts.keys()
    assert {"lid", "quality", "domain", "toxicity", "lexicon"} <= facts["artifacts"].keys()
    assert all(len(artifact["sha256"]) == 64 for artifact in facts["artifacts"].values())
    assert all(stage["seconds"] > 0 for stage in facts["stages"])


def test_a_table_is_a_folder_of_parquet_files_and_nothing_else(sample_output: Output) -> None:
    folder = sample_output.path / "corpus"
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}
    assert polars.read_parquet(folder).height == sample_output.table("corpus").count()
    names = {path.name for path in sample_output.path.rglob("*")}
    assert not {name for name in names if name == "_SUCCESS" or name.endswith(".crc")}


def test_the_sample_is_released(
    sample_output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_output.path / "release"
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.column_names == ["text", "domain", "toxicity", "quality_score"]
    corpus = {row.text: row for row in sample_output.table("corpus").collect()}
    assert {row["text"] for row in rows} == corpus.keys()
    for row in rows:
        assert row["domain"] == corpus[row["text"]].domain.asDict()
        assert row["quality_score"] == corpus[row["text"]].quality_score
    commit = Store.at(str(sample_output.path)).commits("release_corpus")[WHOLE]
    assert (commit.rows, commit.kept) == (len(corpus), len(corpus))

    here = ["--release", str(folder)]
    assert planned(capsys, sample_output.path, *here)[-1] == "release_corpus: nothing to do"
    assert planned(capsys, sample_output.path)[-1] == "report_run: nothing to do"
    seed = planned(capsys, sample_output.path, *here, "--set", "release.seed=1")
    assert seed[-2:] == ["report_run: nothing to do", "release_corpus: release.seed is 1, was 0"]
    gone = shutil.move(folder, tmp_path / "moved")
    try:
        again = planned(capsys, sample_output.path, *here)
        assert again[-1] == "release_corpus: the release is not there any more"
        other = planned(capsys, sample_output.path, "--release", str(gone))
        assert other[-1] == f"needs --yes: delete {gone}"
    finally:
        shutil.move(gone, folder)


def test_the_pairs_of_the_sample_are_released(
    sample_output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sample_output.path / "release_pairs"
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    selected, documents = (
        sample_output.table(name).count() for name in ("selected_pairs", "interleaved")
    )
    formats = {of["format"]: of for of in said["formats"]}
    assert {name: of["seen"] for name, of in formats.items()} == {
        "webdataset": selected,
        "links": selected,
        "interleaved": documents,
    }
    assert formats["webdataset"]["released"] > 0
    assert list(folder.glob("webdataset/*/*.tar"))
    commit = Store.at(str(sample_output.path)).commits("release_pairs")[WHOLE]
    assert commit.rows == 2 * selected + documents
    assert commit.kept == sum(of["released"] for of in formats.values())

    here = ["--release-pairs", str(folder)]
    assert planned(capsys, sample_output.path, *here)[-1] == "release_pairs: nothing to do"
    seed = planned(capsys, sample_output.path, *here, "--set", "release_pairs.seed=1")
    assert seed[-1] == "release_pairs: release_pairs.seed is 1, was 0"
    wrong = ["--output", str(sample_output.path), "--release", str(folder), "--plan"]
    assert run_pipeline.main(wrong) == 2
    assert "the folder holds what is no part of a release" in capsys.readouterr().err


def test_nothing_temporary_is_left(sample_output: Output) -> None:
    names = {path.name for path in sample_output.path.rglob("*")}
    assert not {name for name in names if name.endswith(".partial") or name == "_temporary"}
    assert not (sample_output.path / "_scratch").exists()


def test_commits_say_what_the_ledger_says(sample_output: Output) -> None:
    store = Store.at(str(sample_output.path))
    ledger = sample_output.table("ledger").collect()
    stages = {row["stage"] for row in ledger}
    assert stages >= {"extract_documents", "apply_rules", "find_duplicates", "select_corpus"}
    for stage in stages:
        rows = [row for row in ledger if row["stage"] == stage]
        commits = list(store.commits(stage).values())
        assert sum(commit.rows for commit in commits) == sum(row["seen"] for row in rows)
        assert sum(commit.kept for commit in commits) == sum(row["kept"] for row in rows)
        for outcome in ("rejected", "failed"):
            counted: Counter[str] = Counter()
            for row in rows:
                counted.update(dict(row[outcome]))
            committed: Counter[str] = Counter()
            for commit in commits:
                committed.update(getattr(commit, outcome))
            assert committed == counted
    assert any(commit.failed for commit in store.commits("extract_documents").values())


def test_the_sample_ends_with_pairs_and_interleaved_documents(sample_output: Output) -> None:
    pairs = sample_output.table("selected_pairs").select("url", "text", "image.width").collect()
    found = {(row.url, row.text): row.width for row in pairs}
    images, food = "https://travel.example.com/uploads/2024", "https://img.food.example.net/steps"
    assert found[f"{images}/mist.jpg", "山谷里的雾"] == 640
    assert found[f"{images}/buffalo.webp", "田埂上的水牛挡住了去路"] == 600
    assert found[f"{food}/oil.jpg", "葱段在油里慢慢变成焦黄色"] is None  # nobody captured it
    wanted = {row.url for row in sample_output.table("fetch_list").select("url").collect()}
    assert f"{food}/oil.jpg" in wanted and f"{images}/mist.jpg" not in wanted
    rejected = sample_output.table("rejected_pairs").select("url", "reasons").collect()
    reasons = {(row.url, reason) for row in rejected for reason in row.reasons}
    assert (f"{food}/broken.jpg", "truncated") in reasons
    assert (f"{images}/terraces.jpg", "repeated_picture") in reasons
    assert ("https://things.example.org/static/logo.png", "logo_word") in reasons

    [teapot] = (
        sample_output.table("interleaved")
        .where("general_metadata.document_url = 'https://things.example.org/pots/7.html'")
        .collect()
    )
    assert [image is not None for image in teapot.images] == [False, True, False, True, False]
    assert teapot.images[1] == "https://things.example.org/img/teapot.jpg"
    assert teapot.images[3].startswith("data:") and teapot.texts[2].startswith("图一")


def test_the_page_of_pairs_shows_their_images(sample_output: Output) -> None:
    page = (sample_output.path / "report" / "pairs.html").read_text(encoding="utf-8")
    assert page.count('<img src="data:image/jpeg;base64,') >= 6
    for text in (
        "田埂上的水牛挡住了去路",
        "Removed: repeated_picture",
        "image places became pairs",
    ):
        assert text in page
    assert "pairs.html" in (sample_output.path / "report" / "index.html").read_text("utf-8")
