"""Formats of input files: told without Spark, by few looks, and refused where nothing fits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from jobs import extract_documents, plan_input, run_pipeline
from jobs.config import ConfigError, InputConfig
from jobs.pipeline import input_formats
from jobs.pipeline.input_formats import formats_of
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from udfs.files.formats import Head, read_head
from udfs.files.retry import RetryPolicy
from udfs.files.uris import InputFile, expand_inputs

ROW = json.dumps({"id": "a", "text": "山里的溪水涨了。"}, ensure_ascii=False).encode() + b"\n"
WARCINFO = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
# The time in a gzip header is part of a test's name: without it, every process has the same names.
RECORD = gzip.compress(WARCINFO, mtime=0)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were looked at."""
    names: list[str] = []

    def noted(uri: str, policy: RetryPolicy) -> Head:
        names.append(uri.rpartition("/")[2])
        return read_head(uri, policy)

    monkeypatch.setattr(input_formats, "read_head", noted)
    return names


def told(*inputs: Path | str, may_be_empty: bool = False, **settings: str) -> dict[str, str]:
    """Name of each file -> its format."""
    files = expand_inputs([str(given) for given in inputs])
    formats = formats_of(files, InputConfig(**settings), may_be_empty=may_be_empty)  # type: ignore[arg-type]
    return {Path(file.uri).name: kind for file, kind in zip(files, formats, strict=True)}


def write(folder: Path, **files: bytes) -> Path:
    """Write files; a double underscore in a name is a dot."""
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def write_table(path: Path, **columns: list[object]) -> Path:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def test_each_kind_of_file_has_its_own_format(tmp_path: Path, looks: list[str]) -> None:
    folder = write(
        tmp_path / "in",
        a__warc__gz=RECORD,
        b__warc__gz=RECORD,
        c__jsonl=ROW,
        d__jsonl__gz=gzip.compress(ROW),
        README__md=b"# About these files",
    )
    write_table(folder / "e.parquet", text=["x"])
    assert told(folder) == {
        "README.md": "warc",  # as its neighbours; counted when it is read
        "a.warc.gz": "warc",
        "b.warc.gz": "warc",
        "c.jsonl": "jsonl",
        "d.jsonl.gz": "jsonl",
        "e.parquet": "parquet",
    }
    assert sorted(looks) == ["README.md", "a.warc.gz", "c.jsonl", "e.parquet"]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("part-00000", ROW, "jsonl"),
        ("part-00000", zstandard.compress(ROW), "jsonl"),
        ("part-00000.gz", RECORD, "warc"),
        ("x.jsonl", RECORD, "warc"),  # the content decides
        ("x.warc.gz", ROW, "jsonl"),
        ("x.warc.gz", b"\0damaged\xff" * 99, "warc"),  # records may follow
        ("x.jsonl", b'{"text": "' + b"x" * 100_000 + b'"}', "jsonl"),
        ("x.jsonl", b'{"other": 1}\n' + ROW, "jsonl"),
    ],
)
def test_the_content_decides_where_it_can(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert told(tmp_path / name) == {name: expected}


def test_a_file_that_nothing_shows_follows_its_neighbours(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", README=b"# Rows", a__jsonl=ROW)
    assert told(folder) == {"README": "jsonl", "a.jsonl": "jsonl"}


def test_a_parquet_file_needs_no_name(tmp_path: Path) -> None:
    assert told(write_table(tmp_path / "rows", text=["x"])) == {"rows": "parquet"}


def test_ninety_thousand_files_are_not_opened(looks: list[str]) -> None:
    files = [InputFile(f"/absent/{n:05d}.warc.gz", None, "@paths") for n in range(90_000)]
    assert formats_of(files, InputConfig(), may_be_empty=False) == ["warc"] * 90_000
    assert looks == ["00000.warc.gz", "00001.warc.gz", "00002.warc.gz"]
    looks.clear()
    files = [InputFile(file.uri, None, file.uri) for file in files[:100]]  # a shell's pattern
    assert formats_of(files, InputConfig(), may_be_empty=False) == ["warc"] * 100
    assert len(looks) == 3


def test_a_given_format_holds_for_all_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__jsonl=ROW, b__warc__gz=RECORD, c__txt=b"words")
    assert set(told(folder, format="jsonl").values()) == {"jsonl"}
    assert set(told(folder, format="wet").values()) == {"wet"}


def bad_inputs() -> dict[str, tuple[Callable[[Path], object], dict[str, str], list[str]]]:
    """Name -> what writes x.jsonl, settings, and words of the error."""

    def data(content: bytes) -> Callable[[Path], object]:
        return lambda path: path.write_bytes(content)

    return {
        "empty": (data(b""), {}, ["nothing to read", "x.jsonl", "empty"]),
        "blank": (data(b"\n\n"), {}, ["nothing to read"]),
        "empty_gzip": (data(gzip.compress(b"")), {}, ["nothing to read"]),
        "nulls": (lambda path: write_table(path, text=[None]), {}, ["null, not a string"]),
        "no_row": (
            lambda path: pq.write_table(pa.table({"text": pa.array([], pa.string())}), path),
            {},
            ["nothing to read"],
        ),
        "five_bytes": (data(b"PAR1x"), {}, ["not a Parquet file that can be read", "5 bytes"]),
        "no_footer": (data(b"PAR1" + b"x" * 99), {}, ["not a Parquet file that can be read"]),
        "no_text": (
            lambda path: write_table(path, url=["a"], content=["b"]),
            {},
            ["no column text", "url, content", "--set input.text_column=content"],
        ),
        "other_column": (
            lambda path: write_table(path, text=["a"]),
            {"text_column": "body"},
            ["no column body (input.text_column)", "columns: text", "=text"],
        ),
        "number": (lambda path: write_table(path, text=[1], b=["x"]), {}, ["int64", "columns: b"]),
        "no_text_in_rows": (data(b'{"url": "a"}\n{"x\\u0007": 1}\n'), {}, ["2 rows", "url, x?"]),
        "pretty": (data(b'{\n "text": "a"\n}\n'), {}, ["its first line is not a JSON object"]),
        "array": (data(b'[{"text": "a"}]'), {}, ["a JSON array", "one object a line"]),
        "words": (data(b"words"), {}, ["begins with b'words'", "not JSON lines"]),
        "as_warc": (
            data(ROW),
            {"format": "warc"},
            ["is JSON lines, input.format is warc", "jsonl"],
        ),
        "as_jsonl": (data(RECORD), {"format": "jsonl"}, ["is WARC, input.format is jsonl"]),
        "as_parquet": (data(b"words"), {"format": "parquet"}, ["not a Parquet file"]),
    }


@pytest.mark.parametrize("name", bad_inputs())
def test_an_input_that_cannot_be_read_as_wanted_is_refused(tmp_path: Path, name: str) -> None:
    make, settings, said = bad_inputs()[name]
    make(tmp_path / "x.jsonl")
    with pytest.raises(ConfigError) as caught:
        told(tmp_path / "x.jsonl", **settings)
    for words in said:
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.csv", b"id,text\n", "begins with b'id,text"),
        ("x.zip", b"PK\x03\x04", "is a zip archive: unpack it first"),
        ("x.jsonl.bz2", b"BZh91AY", "is bzip2"),
        ("x", b"[1]", "is a JSON array"),
    ],
)
def test_an_unknown_format_has_to_be_given(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigError, match="give --input-format") as caught:
        told(tmp_path / name)
    assert said in str(caught.value)
    assert told(tmp_path / name, format="warc") == {name: "warc"}


def test_one_bad_file_among_good_ones_is_left_to_be_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__parquet=b"PAR1x", info__json=b'{\n "a": 1\n}')
    write_table(folder / "b.parquet", text=["x"])
    expected = {"a.parquet": "parquet", "b.parquet": "parquet", "info.json": "jsonl"}
    assert told(folder) == expected
    (folder / "b.parquet").unlink()
    write(folder, none__warc=b"")  # nothing that could be read either
    with pytest.raises(ConfigError, match=r"a\.parquet: not a Parquet file"):
        told(folder)


def test_empty_files_are_refused_only_where_all_are_empty(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__jsonl=b"", b__jsonl=b"")
    with pytest.raises(ConfigError, match=r"nothing to read: .*a\.jsonl and 1 more: empty"):
        told(folder)
    assert told(folder, may_be_empty=True) == {"a.jsonl": "jsonl", "b.jsonl": "jsonl"}
    write(folder, c__jsonl=ROW)
    assert set(told(folder).values()) == {"jsonl"}


def test_a_file_that_is_not_there_has_the_format_of_its_name(tmp_path: Path) -> None:
    listed = tmp_path / "paths.txt"
    listed.write_text("absent.jsonl\n", encoding="utf-8")
    assert told(f"@{listed}") == {"absent.jsonl": "jsonl"}
    listed.write_text("absent\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="absent: cannot be read, and its name says no format"):
        told(f"@{listed}")
    assert told(f"@{listed}", format="warc") == {"absent": "warc"}


def test_a_store_that_fails_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def failing(uri: str, policy: RetryPolicy) -> Head:
        asked.append(uri)
        raise OSError("timed out")

    monkeypatch.setattr(input_formats, "read_head", failing)
    files = [InputFile(f"s3://bucket/{n}.jsonl", None, "@list") for n in range(9)]
    assert formats_of(files, InputConfig(), may_be_empty=False) == ["jsonl"] * 9
    assert asked == ["s3://bucket/0.jsonl"]
    with pytest.raises(ConfigError, match=r"s3://bucket/x: cannot be read.*: timed out"):
        formats_of([InputFile("s3://bucket/x", None)], InputConfig(), may_be_empty=False)


def test_a_refused_file_ends_a_command_before_spark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)  # not to be reached
    folder = write(tmp_path / "in", a__jsonl=ROW)
    output = tmp_path / "out"
    arguments = ["--input", str(folder / "a.jsonl"), "--output", str(output)]
    assert run_pipeline.main([*arguments, "--input-format", "warc"]) == 2
    assert "is JSON lines, input.format is warc" in capsys.readouterr().err
    assert planned_waves(Store.at(str(output))) == {}
    assert run_pipeline.main([*arguments, "--plan"]) == 0


def test_what_was_planned_keeps_its_format_and_is_not_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], looks: list[str]
) -> None:
    folder = write(tmp_path / "in", a__warc__gz=RECORD)
    output = tmp_path / "out"
    arguments = ["--input", str(folder), "--output", str(output)]
    assert plan(*arguments, "--input-format", "wet") == {"a.warc.gz": "wet"}
    looks.clear()
    write(folder, a__warc__gz=b"", b__jsonl=ROW)
    assert plan(*arguments) == {"a.warc.gz": "wet", "b.jsonl": "jsonl"}
    assert looks == ["b.jsonl"]
    assert plan(*arguments) == {"a.warc.gz": "wet", "b.jsonl": "jsonl"}
    write(folder, c__jsonl=b"")  # beside files that were read, an empty one is counted
    assert plan(*arguments)["c.jsonl"] == "jsonl"
    assert extract_documents.main([*arguments, "--input-format", "parquet", "--plan"]) == 2
    assert "a.warc.gz was planned in this output as wet" in capsys.readouterr().err


def plan(*arguments: str) -> dict[str, str]:
    """Plan the inputs of a command; return name -> format of all files of the output."""
    assert plan_input.main([*arguments]) == 0
    store = Store.at(arguments[arguments.index("--output") + 1])
    splits = [split for of_wave in planned_waves(store).values() for split in of_wave]
    return {Path(split.uri).name: split.input_format for split in splits}
