"""Requests for a crawl: checked before Spark starts, and one name for one thing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from jobs import plan_input
from jobs.config import ConfigError, InputConfig, load_config
from jobs.run.crawl_request import (
    IndexRequest,
    ReplayRequest,
    at_root,
    crawl_files,
    index_folder,
    is_planned,
)
from jobs.run.splits import (
    planning,
)
from jobs.run.store import Store
from tests.builders.crawl import CRAWL, OTHER_CRAWL, Crawl, build_crawl
from udfs.files.uris import InputFile, InputNotFound, provenance_path, range_lists


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    return build_crawl(tmp_path_factory.mktemp("crawl"), files=3, pages=2)


INDEX = ["--index", "INDEX", "--crawl", CRAWL, "--languages", "zho"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--crawl", "2024-10"], "--crawl 2024-10: expected CC-MAIN-YYYY-WW"),
        (["--crawl", "CC-MAIN-2024-1"], "expected CC-MAIN-YYYY-WW"),
        (["--crawl", "CC-MAIN-2099-01"], "CC-MAIN-2099-01"),
        (["--crawl", CRAWL, "--input-format", "jsonl"], "warc and wet"),
        (["--crawl", CRAWL, "--input", "a.warc.gz"], "not together with"),
        (["--crawl", CRAWL, "--languages", "zho"], "need --index"),
        (["--crawl", CRAWL, "--where", "true"], "need --index"),
        (["--languages", "zho"], "need --index"),
        (["--sample", "3"], "needs --crawl"),
        (["--crawl", CRAWL, "--sample", "0"], "--sample 0: expected 1 or more"),
        ([*INDEX, "--sample", "-1"], "--sample -1"),
        (
            [*INDEX[:4], "--set", "language.index_languages=[]"],
            "needs --languages, --where or both",
        ),
        ([*INDEX[:4], "--where", " "], "--where: the condition is empty"),
        ([*INDEX, "chinese"], "--languages chinese: expected ISO 639-3"),
        ([*INDEX, "--input", "a.warc.gz"], "not together with"),
        ([*INDEX, "--input-format", "wet"], "names WARC files"),
        (["--index", "none", *INDEX[2:]], "no such table"),
        (["--index", "https://h/cc-index", *INDEX[2:]], "cannot be read over https"),
        (["--index", "s3://KEY:hush@b/cc-index", *INDEX[2:]], "in the environment"),
        (["--index", "ftp://h/cc-index", *INDEX[2:]], "no file system"),
        (["--index", "INDEX", "--crawl", "CC-MAIN-2020-05", "--languages", "zho"], OTHER_CRAWL),
        ([*INDEX, "--set", "input.split_bytes=0"], "input.split_bytes = 0"),
        ([*INDEX, "--set", "input.parallel_reads=0"], "input.parallel_reads = 0"),
        ([*INDEX, "--set", "input.read_timeout_s=0"], "input.read_timeout_s = 0:"),
        (["--input", "https://h/*.gz"], "https cannot be listed"),
    ],
)
def test_a_wrong_request(
    crawl: Crawl,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    given = [str(crawl.index) if word == "INDEX" else word for word in arguments]
    if "--set" not in given:
        given += ["--set"]
    output = tmp_path / "out"
    assert plan_input.main([*given, f"input.crawl_root={crawl.root}", "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hush" not in error and "Traceback" not in error
    assert not output.exists()


def test_requests_in_other_words_are_the_same(tmp_path: Path) -> None:
    one = IndexRequest("s3a://b/idx", CRAWL, ("zho", "yue"), None, None)
    same = IndexRequest("s3://b/idx", CRAWL, ("yue", "zho"), None, None)
    other = IndexRequest("s3://b/idx", CRAWL, ("yue",), None, None)
    store = Store.at(str(tmp_path))
    assert not is_planned(store, one)
    with planning(store, one.name, one.words(), 0):
        pass
    assert is_planned(store, same)
    with pytest.raises(ConfigError, match=r"languages was \['yue', 'zho'\], is \['yue'\]"):
        is_planned(store, other)
    lists = ReplayRequest((("/a", 3), ("/b", None)))
    assert not is_planned(store, lists)
    with planning(store, lists.name, lists.words(), 0):
        pass
    assert is_planned(store, ReplayRequest((("/b", None), ("/a", 3))))
    assert not is_planned(store, ReplayRequest((("/a", 4), ("/b", None))))


def test_the_crawl_s_own_list(crawl: Crawl, tmp_path: Path) -> None:
    config = InputConfig(crawl_root=str(crawl.root))
    kind, found = crawl_files(CRAWL, None, config)
    assert kind == "warc"
    assert found == [InputFile(f"{crawl.root}/{path}", None) for path in crawl.paths]
    assert len(crawl_files(CRAWL, 2, config)[1]) == 2
    wet = tmp_path / f"crawl-data/{CRAWL}/wet.paths.gz"
    wet.parent.mkdir(parents=True)
    wet.write_bytes(gzip.compress(b"crawl-data/x.warc.wet.gz\n"))
    kind, found = crawl_files(CRAWL, None, InputConfig(format="wet", crawl_root=f"{tmp_path}/"))
    assert kind == "wet"
    assert found == [InputFile(f"{tmp_path}/crawl-data/x.warc.wet.gz", None)]


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        (
            "https://data.commoncrawl.org/",
            "crawl-data/a",
            "https://data.commoncrawl.org/crawl-data/a",
        ),
        ("s3a://commoncrawl", "crawl-data/a", "s3://commoncrawl/crawl-data/a"),
        ("/data/cc/", "crawl-data/a", "/data/cc/crawl-data/a"),
        ("/data/cc", "s3n://b/k", "s3://b/k"),
        ("/data/cc", "/mine/a.warc.gz", "/mine/a.warc.gz"),
    ],
)
def test_where_a_path_is_read(root: str, path: str, expected: str) -> None:
    assert at_root(root, path) == expected


def test_a_copy_of_a_crawl_goes_by_the_crawl_s_names() -> None:
    assert provenance_path("/data/cc/crawl-data/a.gz", "/data/cc/") == "crawl-data/a.gz"
    assert provenance_path("http://h:1/cc/crawl-data/a", "http://h:1/cc") == "crawl-data/a"
    assert provenance_path("s3a://mine/crawl-data/a", "s3://mine") == "crawl-data/a"
    for uri in ("/data/cc/other/a.gz", "/elsewhere/crawl-data/a.gz", "/data/cc2/crawl-data/a.gz"):
        assert provenance_path(uri, "/data/cc") == uri
    assert load_config(None).input.crawl_root == "https://data.commoncrawl.org/"


def test_the_partition_of_a_crawl(crawl: Crawl) -> None:
    def folder(index: str, name: str | None = CRAWL) -> str:
        return index_folder(IndexRequest(index, name, ("zho",), None, None))

    partition = f"{crawl.index}/crawl={CRAWL}"
    assert folder(f"{crawl.index}/") == f"{partition}/subset=warc"
    assert folder(partition) == f"{partition}/subset=warc"
    assert folder(str(crawl.index), None) == str(crawl.index)


def test_lists_of_ranges_are_told_from_lists_of_files(tmp_path: Path) -> None:
    (tmp_path / "files.txt").write_text("# files\n/data/a.warc.gz\n")
    replay = tmp_path / "replay"
    for wave, text in enumerate(["", "/data/a.warc.gz\t0\t10\n", "/data/b\t5\t10\n"]):
        (replay / f"wave={wave:05d}").mkdir(parents=True)
        (replay / f"wave={wave:05d}/part-0.txt").write_text(text)
        (replay / f"wave={wave:05d}/_SUCCESS").write_text("")
    (tmp_path / "zipped.gz").write_bytes(
        gzip.compress(b"\n# x\ns3://b/k\t7\t8\n" + b"#\n" * 90_000)
    )
    given = [
        "/data/c.warc.gz",
        f"@{tmp_path}/files.txt",
        f"@{replay}",
        f"@{tmp_path}/zipped.gz",
        "@https://h/list.txt",
    ]
    others, lists = range_lists(given)
    assert others == ["/data/c.warc.gz", f"@{tmp_path}/files.txt", "@https://h/list.txt"]
    assert [file.uri for file in lists] == [
        f"{replay}/wave=00001/part-0.txt",
        f"{replay}/wave=00002/part-0.txt",
        f"{tmp_path}/zipped.gz",
    ]
    assert range_lists([f"@{replay}/wave=00000"]) == ([], [])
    with pytest.raises(InputNotFound, match=f"@{tmp_path}/none"):
        range_lists([f"@{tmp_path}/none"])
