"""Captures that an index names: planned as ranges, read, tried again, accounted for."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs import extract_documents, plan_input, run_pipeline
from jobs.pipeline.range_planning import readable_path
from jobs.run.crawl_request import sampled
from tests.builders.crawl import CRAWL, OTHER_CRAWL, Crawl, build_crawl, write_index
from tests.builders.file_server import Fault, FileServer, Get, serving
from tests.jobs.conftest import LOCAL_CONFIG

FILES = 4
SPLIT_BYTES = 2_500
FAST = ("input.read_attempts=3", "input.retry_delay_s=0.01", "input.read_timeout_s=60.0")


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    return build_crawl(tmp_path_factory.mktemp("crawl"), FILES)


def run(job: Any, crawl: Crawl, output: Path, *arguments: str, settings: Sequence[str] = ()) -> int:
    """A job with small splits and two of them in a wave, so that files lie in several waves."""
    root = f"input.crawl_root={crawl.root}"
    small = (f"input.split_bytes={SPLIT_BYTES}", "run.wave_splits=2")
    fixed = ["--config", str(LOCAL_CONFIG), "--output", str(output)]
    status: int = job.main([*fixed, *arguments, "--set", root, *small, *settings])
    return status


def index_arguments(crawl: Crawl, *more: str) -> list[str]:
    return ["--index", str(crawl.index), "--crawl", CRAWL, "--languages", "zho", *more]


def wanted(crawl: Crawl) -> dict[tuple[str, int], int]:
    """(file, offset) -> length of the captures that hold Chinese."""
    return {
        (str(row["warc_filename"]), int(str(row["warc_record_offset"]))): int(
            str(row["warc_record_length"])
        )
        for row in crawl.rows
        if "zho" in str(row["content_languages"]).split(",")
    }


def table(spark: SparkSession, output: Path, name: str) -> DataFrame:
    return spark.read.parquet(str(output / name))


def documents(spark: SparkSession, output: Path) -> dict[str, tuple[object, ...]]:
    """Every column of every document, by id; fails where an id is there twice."""
    rows = table(spark, output, "documents").drop("wave").collect()
    found = {row.doc_id: tuple(map(str, row)) for row in rows}
    assert len(found) == len(rows)
    return found


def places(spark: SparkSession, output: Path) -> set[tuple[str, int]]:
    rows = table(spark, output, "documents").select("warc_path", "warc_offset").collect()
    return {(row.warc_path, row.warc_offset) for row in rows}


def plan_of(output: Path) -> list[dict[str, Any]]:
    """The rows of the splits table, in order."""
    files = sorted((output / "splits").glob("wave=*/splits.parquet"))
    return [
        {"wave": file.parent.name, **row}
        for file in files
        for row in pq.read_table(file).to_pylist()
    ]


def planned_ranges(output: Path) -> dict[str, list[tuple[str, int, int]]]:
    """Folder of a split -> its ranges as they lie in its files."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for folder in sorted((output / "ranges").glob("wave=*/split=*")):
        rows = [
            row
            for file in sorted(folder.glob("*.parquet"))
            for row in pq.read_table(file, partitioning=None).to_pylist()
        ]
        found[str(folder.relative_to(output))] = [
            (row["warc_path"], row["offset"], row["length"]) for row in rows
        ]
    return found


@pytest.fixture(scope="module")
def whole(spark: SparkSession, crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of the crawl, read from front to end."""
    output = tmp_path_factory.mktemp("whole") / "out"
    assert run(extract_documents, crawl, output, "--crawl", CRAWL) == 0
    return output


@pytest.fixture(scope="module")
def indexed(spark: SparkSession, crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Chinese captures of the crawl, planned by one command and read by another."""
    output = tmp_path_factory.mktemp("indexed") / "out"
    assert run(plan_input, crawl, output, *index_arguments(crawl)) == 0
    assert not (output / "documents").exists()
    assert run(extract_documents, crawl, output) == 0
    return output


# --- the plan ----------------------------------------------------------------------------


def test_every_wanted_capture_is_planned_once(crawl: Crawl, indexed: Path) -> None:
    ranges = [item for split in planned_ranges(indexed).values() for item in split]
    assert {(path, offset): length for path, offset, length in ranges} == wanted(crawl)
    assert len(ranges) == len(wanted(crawl))


def test_splits_are_of_even_bytes_and_in_the_order_of_the_files(indexed: Path) -> None:
    splits = planned_ranges(indexed)
    assert len(splits) > 4
    assert [item for split in splits.values() for item in split] == sorted(
        item for split in splits.values() for item in split
    )
    sizes = [sum(length for _, _, length in split) for split in splits.values()]
    longest = max(length for split in splits.values() for _, _, length in split)
    assert all(abs(size - SPLIT_BYTES) < longest for size in sizes[:-1])
    assert any(len({path for path, _, _ in split}) > 1 for split in splits.values())


def test_the_splits_table_says_what_is_read_of_each_file(indexed: Path) -> None:
    read: Counter[tuple[str, str]] = Counter()
    for folder, ranges in planned_ranges(indexed).items():
        for path, _, length in ranges:
            read[folder, path] += length
    rows = plan_of(indexed)
    assert {(row["uri"], row["warc_path"]): row["size_bytes"] for row in rows} == read
    assert {row["origin"] for row in rows} == {"index"}
    by_wave = defaultdict(set)
    for row in rows:
        by_wave[row["wave"]].add(row["uri"])
    sizes = [len(folders) for _, folders in sorted(by_wave.items())]
    assert set(sizes[:-1]) == {2} and sizes[-1] <= 2


@pytest.mark.slow
def test_any_layout_of_the_index_gives_the_same_plan(
    spark: SparkSession, crawl: Crawl, indexed: Path, tmp_path: Path
) -> None:
    rows = [dict(row) for row in crawl.rows]
    write_index([*rows[::-1], *rows[:5]], tmp_path / f"index/crawl={CRAWL}/subset=warc")
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    try:
        other = ["--index", str(tmp_path / "index"), *index_arguments(crawl)[2:]]
        assert run(plan_input, crawl, tmp_path / "out", *other) == 0
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    assert plan_of(tmp_path / "out") == plan_of(indexed)
    assert planned_ranges(tmp_path / "out") == planned_ranges(indexed)


def test_the_same_request_plans_nothing_new(crawl: Crawl, indexed: Path) -> None:
    def written() -> dict[Path, int]:
        paths = (path for path in indexed.rglob("*") if path.name != "_lease")
        return {path: path.stat().st_mtime_ns for path in paths}

    before = written()
    assert run(plan_input, crawl, indexed, *index_arguments(crawl)) == 0
    assert run(extract_documents, crawl, indexed) == 0
    assert written() == before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--languages", "eng"], "languages was ['zho'], is ['eng', 'zho']"),
        (["--where", "fetch_status = 200"], "where was None, is fetch_status = 200"),
        (["--sample", "2"], "sample was None, is 2"),
    ],
)
def test_another_request_needs_another_output(
    crawl: Crawl, indexed: Path, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(plan_input, crawl, indexed, *index_arguments(crawl, *more)) == 2
    error = capsys.readouterr().err
    assert said in error and "another --output" in error


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no_such_column = 1", "no_such_column"),
        ("fetch_status = = 1", "--where"),
        ("fetch_status", "--where"),
        ("url = 'http://nowhere.example/'", "nothing to plan"),
    ],
)
def test_a_condition_that_leads_nowhere_is_a_wrong_request(
    spark: SparkSession,
    crawl: Crawl,
    tmp_path: Path,
    where: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    assert run(plan_input, crawl, output, *index_arguments(crawl, "--where", where)) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not list(output.glob("_plans/*")) and not list(output.glob("splits/*"))
    assert run(plan_input, crawl, output) == 2  # nothing is planned


def test_a_condition_is_one_more(spark: SparkSession, crawl: Crawl, tmp_path: Path) -> None:
    where = "url like '%/1_' or url like '%/2_'"
    assert run(plan_input, crawl, tmp_path, *index_arguments(crawl, "--where", where)) == 0
    ranges = [item for split in planned_ranges(tmp_path).values() for item in split]
    assert {path for path, _, _ in ranges} == set(crawl.paths[1:3])
    assert {item[:2] for item in ranges} == {
        place for place in wanted(crawl) if place[0] in crawl.paths[1:3]
    }


@pytest.mark.slow
def test_samples_are_nested_and_the_same_with_and_without_an_index(
    spark: SparkSession, crawl: Crawl, tmp_path: Path
) -> None:
    chosen = []
    for size in (1, 2, 3):
        arguments = index_arguments(crawl, "--sample", str(size))
        assert run(plan_input, crawl, tmp_path / f"index-{size}", *arguments) == 0
        arguments = ["--crawl", CRAWL, "--sample", str(size)]
        assert run(plan_input, crawl, tmp_path / f"crawl-{size}", *arguments) == 0
        files = {row["warc_path"] for row in plan_of(tmp_path / f"index-{size}")}
        assert files == {row["warc_path"] for row in plan_of(tmp_path / f"crawl-{size}")}
        chosen.append(files)
    assert [len(files) for files in chosen] == [1, 2, 3]
    assert chosen[0] < chosen[1] < chosen[2] < set(crawl.paths)
    # A larger sample of whole files adds to a smaller one's output.
    assert run(plan_input, crawl, tmp_path / "crawl-1", "--crawl", CRAWL, "--sample", "3") == 0
    assert {row["warc_path"] for row in plan_of(tmp_path / "crawl-1")} == chosen[2]


def test_samples_do_not_depend_on_the_order() -> None:
    names = [f"segments/{n % 7}/{n}.warc.gz" for n in range(1000)]
    assert sampled(names, 100) == sampled(names[::-1], 100)
    assert sampled(names, 10) < sampled(names, 100) < sampled(names, None) == set(names)
    assert sampled(names, 5000) == set(names)


def test_a_table_without_partitions(
    spark: SparkSession, crawl: Crawl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row) for row in crawl.rows]
    path = str(rows[0]["warc_filename"])
    unlike = [
        {**rows[0], "warc_filename": path.replace("/warc/", "/crawldiagnostics/")},
        {**rows[0], "warc_filename": path.replace(CRAWL, OTHER_CRAWL)},
    ]
    write_index([*rows, *unlike], tmp_path / "flat")
    arguments = ["--index", str(tmp_path / "flat"), *index_arguments(crawl)[2:]]
    assert run(plan_input, crawl, tmp_path / "out", *arguments) == 0
    ranges = [item for split in planned_ranges(tmp_path / "out").values() for item in split]
    assert {item[:2] for item in ranges} == set(wanted(crawl))
    # One file of places alone, such as a query's result.
    columns = ("warc_filename", "warc_record_offset", "warc_record_length")
    result = pa.Table.from_pylist([{name: row[name] for name in columns} for row in rows[:7]])
    pq.write_table(result, tmp_path / "places.parquet")
    arguments = ["--index", str(tmp_path / "places.parquet"), "--where", "true"]
    assert run(plan_input, crawl, tmp_path / "places", *arguments) == 0
    assert "no fetch_status, content_mime_detected" in capsys.readouterr().err
    ranges = [item for split in planned_ranges(tmp_path / "places").values() for item in split]
    assert len(ranges) == 7


def test_an_index_that_cannot_be_planned(
    spark: SparkSession, crawl: Crawl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row) for row in crawl.rows]
    nowhere = {**rows[0], "warc_record_offset": None, "warc_record_length": None}
    write_index([*rows, nowhere], tmp_path / "null")
    inside = {**rows[0], "warc_record_offset": int(str(rows[0]["warc_record_offset"])) + 5}
    write_index([*rows, inside], tmp_path / "inside")
    write_index(rows, tmp_path / "bare")
    for file in (tmp_path / "bare").glob("*.parquet"):
        pq.write_table(pq.read_table(file).drop_columns(["content_languages"]), file)
    for name, uri in (("signed", "https://h/a?X-Amz-Signature=hush"), ("ftp", "ftp://h/a")):
        write_index([{**row, "warc_filename": uri} for row in rows[:1]], tmp_path / name)
    (tmp_path / "text").mkdir()
    (tmp_path / "text/a.parquet").write_text("nothing of the kind")
    cases = {
        "inside": ("overlap an earlier one", ["--languages", "zho"]),
        "bare": ("no column content_languages", ["--languages", "zho"]),
        "signed": ("credentials", ["--where", "true"]),
        "ftp": ("ftp://h/a: unknown scheme", ["--where", "true"]),
        "text": ("text: cannot be read", ["--where", "true"]),
        "null": ("lack an offset or a length", ["--where", "true"]),
    }
    for name, (said, arguments) in cases.items():
        given = ["--index", str(tmp_path / name), *arguments]
        assert run(plan_input, crawl, tmp_path / "out", *given) == 2
        error = capsys.readouterr().err
        assert said in error and "hush" not in error
    assert run(plan_input, crawl, tmp_path / "out", *index_arguments(crawl)[:2]) == 2


def test_a_plan_that_was_broken_off_is_taken_back(
    spark: SparkSession, crawl: Crawl, indexed: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert run(plan_input, crawl, output, *index_arguments(crawl)) == 0
    record = output / "_plans/index.json"
    plan = json.loads(record.read_text())
    record.write_text(json.dumps({**plan, "whole": False}))
    last = max((output / "splits").glob("wave=*"))
    (last / "splits.parquet").unlink()
    assert run(plan_input, crawl, output) == 2
    assert not list(output.glob("splits/*")) and not list(output.glob("ranges/wave=*"))
    assert run(plan_input, crawl, output, *index_arguments(crawl)) == 0
    assert plan_of(output) == plan_of(indexed)
    assert planned_ranges(output) == planned_ranges(indexed)


# --- reading -----------------------------------------------------------------------------


def test_documents_are_those_of_the_whole_files(
    spark: SparkSession, crawl: Crawl, whole: Path, indexed: Path
) -> None:
    everything = documents(spark, whole)
    assert len(everything) == FILES * 10
    assert places(spark, indexed) == set(wanted(crawl))
    found = documents(spark, indexed)
    assert found == {doc_id: everything[doc_id] for doc_id in found}


def test_the_ledger_of_ranges_closes(spark: SparkSession, crawl: Crawl, indexed: Path) -> None:
    rows = table(spark, indexed, "ledger").collect()
    seen: Counter[str] = Counter()
    for row in rows:
        seen[row.warc_path] += row.seen
        assert row.seen == row.kept  # only captures were read
    assert seen == Counter(path for path, _ in wanted(crawl))
    waves = Counter(row.warc_path for row in rows)
    assert max(waves.values()) > 1  # a file that two waves read from


@pytest.fixture(scope="module")
def running_server(crawl: Crawl) -> Iterator[FileServer]:
    with serving(crawl.root) as running:
        yield running


@pytest.fixture
def server(running_server: FileServer) -> FileServer:
    """The server without a fault, before the first request of a test."""
    running_server.fault = lambda get: None
    running_server.requests.clear()
    return running_server


def remote(server: FileServer) -> tuple[str, ...]:
    return (f"input.crawl_root={server.url}", "input.parallel_reads=2", *FAST)


@pytest.mark.slow
def test_ranges_over_a_bad_network(
    spark: SparkSession, crawl: Crawl, indexed: Path, server: FileServer, tmp_path: Path
) -> None:
    def fault(get: Get) -> Fault | None:
        troubles = (
            Fault(status=503, headers=(("Retry-After", "0"),)),
            Fault(drop_after=100),
            Fault(status=429),
        )
        return troubles[get.count // 3 % 3] if get.count % 3 == 0 else None

    server.fault = fault
    output = tmp_path / "out"
    settings = (*remote(server), "input.read_attempts=12")
    arguments = index_arguments(crawl)
    assert run(extract_documents, crawl, output, *arguments, settings=settings) == 0
    assert documents(spark, output) == documents(spark, indexed)
    assert table(spark, output, "read_failures").count() == 0
    assert all("bytes=" in (asked or "") for path, asked in server.requests)


@pytest.fixture(scope="module")
def failed_once(
    spark: SparkSession,
    crawl: Crawl,
    running_server: FileServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, set[tuple[str, int]]]:
    """An output without what one file's second half and a missing file hold."""
    broken, lost = crawl.paths[1], crawl.paths[2]
    offsets = sorted(offset for path, offset in wanted(crawl) if path == broken)
    middle = offsets[len(offsets) // 2]

    def fault(get: Get) -> Fault | None:
        if lost in get.path:
            return Fault(status=404)
        return Fault(status=503) if broken in get.path and get.start >= middle else None

    running_server.fault = fault
    output = tmp_path_factory.mktemp("failed") / "out"
    settings = (*remote(running_server), "input.max_gap_bytes=0", "run.wave_splits=9")
    assert run(extract_documents, crawl, output, *index_arguments(crawl), settings=settings) == 0
    gone = {
        (path, offset)
        for path, offset in wanted(crawl)
        if path == lost or (path == broken and offset >= middle)
    }
    return output, gone


@pytest.fixture
def failed(
    failed_once: tuple[Path, set[tuple[str, int]]], server: FileServer, tmp_path: Path
) -> tuple[Path, set[tuple[str, int]]]:
    """A copy of it for one test alone; the server has no more faults."""
    output, gone = failed_once
    shutil.copytree(output, tmp_path / "out")
    return tmp_path / "out", gone


def test_what_is_given_up_is_a_failure_and_in_the_replay_list(
    spark: SparkSession,
    crawl: Crawl,
    server: FileServer,
    failed: tuple[Path, set[tuple[str, int]]],
) -> None:
    output, gone = failed
    assert places(spark, output) == set(wanted(crawl)) - gone
    rows = table(spark, output, "read_failures").collect()
    assert {(row.warc_path, row.offset) for row in rows} == gone
    assert len(rows) == len(gone)
    reasons = {row.warc_path: row.reason for row in rows}
    assert reasons == {crawl.paths[1]: "range_unreadable", crawl.paths[2]: "missing_file"}
    ledger = table(spark, output, "ledger").collect()
    assert sum(row.seen for row in ledger) == len(wanted(crawl))
    assert sum(records for row in ledger for _, records in row.failed) == len(gone)
    lines = [
        line
        for file in sorted((output / "replay").glob("wave=*/part-*"))
        for line in file.read_text().splitlines()
    ]
    assert sorted(lines) == sorted(
        f"{path}\t{offset}\t{wanted(crawl)[path, offset]}" for path, offset in gone
    )


@pytest.mark.slow
def test_a_replay_in_the_same_output(
    spark: SparkSession,
    crawl: Crawl,
    indexed: Path,
    server: FileServer,
    failed: tuple[Path, set[tuple[str, int]]],
) -> None:
    output, gone = failed
    settings = (*remote(server), "input.max_gap_bytes=0")
    again = ["--input", f"@{output}/replay"]
    before = len(plan_of(output))
    server.fault = lambda get: Fault(status=503) if crawl.paths[1] in get.path else None
    assert run(extract_documents, crawl, output, *again, settings=settings) == 0
    assert places(spark, output) == {
        place for place in wanted(crawl) if place not in gone or place[0] == crawl.paths[2]
    }
    assert {row["origin"] for row in plan_of(output)[before:]} == {"replay"}
    # The lists that were planned are not planned again, the new one is.
    server.fault = lambda get: None
    assert run(extract_documents, crawl, output, *again, settings=settings) == 0
    assert documents(spark, output) == documents(spark, indexed)
    planned = plan_of(output)
    assert run(extract_documents, crawl, output, *again, settings=settings) == 0
    assert plan_of(output) == planned
    ledger = table(spark, output, "ledger").collect()
    assert sum(row.kept for row in ledger) == len(wanted(crawl))


@pytest.mark.slow
def test_a_replay_in_another_output(
    spark: SparkSession,
    crawl: Crawl,
    failed: tuple[Path, set[tuple[str, int]]],
    tmp_path: Path,
) -> None:
    """And on another mirror, which here is the folder itself."""
    output, gone = failed
    again = ["--input", f"@{output}/replay"]
    other = tmp_path / "other"
    assert run(extract_documents, crawl, other, *again) == 0
    assert places(spark, other) == gone


@pytest.mark.slow
def test_what_is_there_already_is_not_doubled(
    spark: SparkSession, crawl: Crawl, indexed: Path, tmp_path: Path
) -> None:
    """A list by hand, of captures that the output has, one that it has not, and one twice."""
    output = tmp_path / "out"
    where = "url not like '%/0'"
    arguments = index_arguments(crawl, "--where", where)
    assert run(extract_documents, crawl, output, *arguments) == 0
    path = crawl.paths[0]
    lines = [
        f"{crawl.root}/{path}\t{offset}\t{length}"
        for (file, offset), length in wanted(crawl).items()
        if file == path
    ]
    (tmp_path / "again.txt").write_text("\n".join(["# by hand", "", *lines, lines[0]]))
    listed = ["--input", f"@{tmp_path}/again.txt"]
    assert run(extract_documents, crawl, output, *listed) == 0
    assert documents(spark, output) == documents(spark, indexed)
    rejected = Counter(
        reason
        for row in table(spark, output, "ledger").collect()
        for reason, count in row.rejected
        for _ in range(count)
    )
    assert rejected == {"repeated_id": len(lines) - 1}
    # Whole files beside ranges of them: what is there already stays as it is.
    assert run(extract_documents, crawl, output, "--crawl", CRAWL) == 0
    assert len(documents(spark, output)) == FILES * 10


def test_a_list_that_is_none(
    spark: SparkSession, crawl: Crawl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("/data/a.warc.gz\t0\t100\n/data/b.warc.gz\tx\t100\n")
    assert run(plan_input, crawl, tmp_path / "out", "--input", f"@{tmp_path}/list.txt") == 2
    assert "expected name, offset and length" in capsys.readouterr().err
    assert run(plan_input, crawl, tmp_path / "out", "--input", f"@{tmp_path}/none") == 2
    assert "no such input" in capsys.readouterr().err


@pytest.mark.slow
def test_nothing_that_can_be_read_is_a_failed_run(
    spark: SparkSession, crawl: Crawl, server: FileServer, tmp_path: Path
) -> None:
    server.fault = lambda get: Fault(status=403)
    output = tmp_path / "out"
    arguments = index_arguments(crawl)
    assert run(extract_documents, crawl, output, *arguments, settings=remote(server)) == 3
    assert not list(output.glob("_commits/extract_documents/*"))
    server.fault = lambda get: None
    assert run(extract_documents, crawl, output, *arguments, settings=remote(server)) == 0
    assert places(spark, output) == set(wanted(crawl))


# --- whole files of a crawl --------------------------------------------------------------


@pytest.mark.slow
def test_a_crawl_over_http(
    spark: SparkSession, crawl: Crawl, whole: Path, server: FileServer, tmp_path: Path
) -> None:
    server.fault = lambda get: Fault(status=503) if get.count == 0 else None
    arguments = ["--crawl", CRAWL]
    assert run(extract_documents, crawl, tmp_path, *arguments, settings=remote(server)) == 0
    assert documents(spark, tmp_path) == documents(spark, whole)
    assert {path for path, _ in server.requests} >= {f"/crawl-data/{CRAWL}/warc.paths.gz"}


@pytest.mark.slow
def test_every_stage_closes_over_ranges(spark: SparkSession, crawl: Crawl, tmp_path: Path) -> None:
    """The stages that see all waves at once too, though files lie in several waves."""
    alike = ("rules.max_dup_13gram_share=off", 'dedup.levels=["url", "exact"]')
    assert run(run_pipeline, crawl, tmp_path, *index_arguments(crawl), settings=alike) == 0
    facts = json.loads((tmp_path / "run.json").read_text())
    stages = {stage["stage"]: stage for stage in facts["stages"]}
    assert stages["extract_documents"]["seen"] == len(wanted(crawl))
    assert stages["find_duplicates"]["seen"] == stages["apply_rules"]["kept"] > 0
    assert facts["input"]["splits"] == len(planned_ranges(tmp_path))
    assert facts["input"]["bytes"] == sum(wanted(crawl).values())
    ledger = table(spark, tmp_path, "ledger").where("stage = 'find_duplicates'").collect()
    files = {(row.warc_path, row.wave) for row in ledger}
    assert files == {(row["warc_path"], int(row["wave"][5:])) for row in plan_of(tmp_path)}
    assert len(ledger) == len(files) > FILES


def test_spark_reads_s3_by_the_name_that_it_has_there(spark: SparkSession) -> None:
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    assert readable_path(spark, "s3://bucket/index") == "s3a://bucket/index"
    hadoop.set("fs.s3.impl", "com.example.ItsOwn")
    try:
        assert readable_path(spark, "s3://bucket/index") == "s3://bucket/index"
    finally:
        hadoop.unset("fs.s3.impl")
    assert readable_path(spark, "/data/a b") == "file:///data/a b"
