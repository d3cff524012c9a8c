"""Lists of what a release must leave out: which kind a line is of, and what no list can have."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import jobs.publishing.card_text
import jobs.publishing.exclusions
import jobs.publishing.files
import jobs.publishing.schema
from jobs.config import ConfigError
from jobs.publishing.exclusions import entries_of, key_of, read_exclusions

DOC_ID, SHA256 = "0f" * 16, "Ab" * 32


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        (DOC_ID, ("doc_id", DOC_ID)),
        ("doc_id: row 17 of my.jsonl", ("doc_id", "row 17 of my.jsonl")),
        (SHA256, ("sha256", SHA256.lower())),
        (f"sha256:{SHA256}", ("sha256", SHA256.lower())),
        ("https://a.cn/x/?q=1#top", ("url", "a.cn/x/?q=1")),
        ("http://a.cn/", ("url", "a.cn")),
        ("url: a.cn/x", ("url", "a.cn/x")),
        ("  Example.COM.cn  ", ("host", "example.com.cn")),
        ("host:localhost", ("host", "localhost")),
        ("host:例子.中国", ("host", "例子.中国")),
    ],
)
def test_a_line_is_told_by_its_form_or_its_prefix(line: str, entry: tuple[str, str]) -> None:
    assert entries_of(["", "# why", line], "list") == [entry]


@pytest.mark.parametrize(
    "line",
    ["two words", "0f0f", "host:a.cn/path", "sha256:0f", "a.cn:8080", "https://", "url:", "@a.cn"],
)
def test_a_line_of_no_form_is_named_with_its_place(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^mine\.txt:3: .*expected a doc_id of 32 hex digits"):
        entries_of(["# mine", DOC_ID, line], "mine.txt")


def test_lists_add_up_and_have_a_digest(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text(f"\ufeff{DOC_ID}\na.cn\n", encoding="utf-8")
    other.write_text(f"a.cn\r\nhttps://b.cn/x\r\n{SHA256}\r\n", encoding="utf-8")
    both = read_exclusions([str(one), str(other)], "release.exclude")
    assert {kind: len(keys) for kind, keys in both.keys.items()} == {
        "doc_id": 1, "url": 1, "host": 1, "sha256": 1,
    }  # fmt: skip
    assert both.digest == read_exclusions([str(other), str(one)], "release.exclude").digest
    assert both.digest != read_exclusions([str(one)], "release.exclude").digest
    assert read_exclusions([], "release.exclude").keys == {}


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"release\.exclude: .*nothing\.txt: cannot be read"):
        read_exclusions([str(tmp_path / "nothing.txt")], "release.exclude")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary: is not UTF-8 text"):
        read_exclusions([str(binary)], "release.exclude")


def test_keys_are_their_own_keys() -> None:
    for kind, text in (("url", "HTTPS://A.cn/b//#c#d"), ("host", "A.cn"), ("sha256", SHA256)):
        key = key_of(kind, text)
        assert key_of(kind, key) == key


@pytest.mark.parametrize("module", ["card_text", "exclusions", "files", "schema"])
def test_examples_of_docstrings(module: str) -> None:
    found = doctest.testmod(getattr(jobs.publishing, module))
    assert found.attempted and not found.failed
