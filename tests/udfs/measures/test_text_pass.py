"""The pass over documents: what it stores of each, and what bounds it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from udfs.lists.host_lists import read_host_list
from udfs.lists.lexicon import Lexicon
from udfs.lists.urls import measure_urls
from udfs.measures import text_pass as text_pass_module
from udfs.measures.measures import measure_texts
from udfs.measures.schema import (
    PASSED_ARROW_SCHEMA,
    Editing,
)
from udfs.measures.text_pass import PassLists, edit_texts, pass_over
from udfs.pii.find import PII_KINDS

LEXICON = Lexicon({"赌球": "gambling"})
LISTS = PassLists(LEXICON)
ALL = Editing(simplify=True, mask=PII_KINDS)


def batch_of(texts: Sequence[str | None], urls: Sequence[str | None] | None = None) -> Any:
    columns = {
        "doc_id": [f"doc-{number}" for number in range(len(texts))],
        "url": urls or [None] * len(texts),
        "opt_outs": [None if number % 2 else ["noai"] for number in range(len(texts))],
        "text": list(texts),
    }
    types = (pa.string(), pa.string(), pa.list_(pa.string()), pa.string())
    arrays = [pa.array(column, kind) for column, kind in zip(columns.values(), types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def test_an_edited_text_is_stored_with_what_it_was() -> None:
    text = "漢語Ａ赌球，li@sina.cn。"
    same, changed, absent = pass_over(batch_of(["平常。", text, None]), ALL, LISTS).to_pylist()
    assert changed["text"] == "汉语A赌球，[EMAIL]。"
    assert changed["original_chars"] == len(text)
    assert changed["original_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    kinds = [edit["kind"] for edit in changed["edits"]]
    assert kinds == ["masked_email", "traditional", "width"]
    assert changed["doc_id"] == "doc-1"
    for row in (same, absent):
        assert [row[name] for name in ("text", "original_chars", "original_sha256", "edits")] == [
            None
        ] * 4
    assert (same["opt_outs"], changed["opt_outs"]) == (["noai"], None)
    assert absent["measures"] is None


def test_what_is_measured_is_the_text_after_its_edits() -> None:
    texts = ["漢語Ａ赌球，li@sina.cn。", "平常的话。"]
    urls = ["http://a-b.example.cn/1/2?x=3", None]
    after = [one.text for one in edit_texts(texts, ALL) if one is not None]
    rows = pass_over(batch_of(texts, urls), ALL, LISTS).column("measures").to_pylist()
    of_texts = measure_texts(after, LEXICON).to_pylist()
    of_urls = measure_urls(urls)
    for place, row in enumerate(rows):
        assert {name: row[name] for name in of_texts[place]} == of_texts[place]
        assert {name: row[name] for name in of_urls} == {
            name: column[place] for name, column in of_urls.items()
        }
    assert rows[0]["traditional_share"] == 0.0
    assert rows[0]["original_traditional_share"] == 2 / 4
    assert rows[0]["pii"] == [{"kind": "email", "start": 6, "length": 7}]
    assert rows[1]["original_traditional_share"] == rows[1]["traditional_share"] == 0.0
    assert rows[1]["pii"] == []


def test_without_conversion_the_original_share_is_the_share() -> None:
    rows = pass_over(batch_of(["漢語很好"]), Editing(), LISTS).column("measures").to_pylist()
    assert rows[0]["original_traditional_share"] == rows[0]["traditional_share"] == 2 / 4


def test_the_first_list_that_has_an_address_names_its_category(tmp_path: Path) -> None:
    for name, line in (
        ("one", "casino\tbad.cn"), ("two", "adult\tbad.cn"), ("three", "fine\tgood.bad.cn"),
    ):  # fmt: skip
        (tmp_path / name).write_text(line + "\n", encoding="utf-8")
    one, two, three = (read_host_list(tmp_path / name) for name in ("one", "two", "three"))
    urls = ["http://www.bad.cn/x", "http://good.bad.cn/", "http://other.cn/", None]
    documents = batch_of(["平常。"] * 4, urls)
    for block, category in (([one, two], "casino"), ([two, one], "adult")):
        lists = PassLists(LEXICON, block, [three])
        rows = pass_over(documents, Editing(), lists).column("measures").to_pylist()
        assert [row["host_block_category"] for row in rows] == [category, category, "", ""]
        assert [row["host_allow_category"] for row in rows] == ["", "fine", "", ""]


def test_for_casia_alone_an_address_is_only_looked_up() -> None:
    documents = batch_of(["平常的话，li@sina.cn。", None], ["http://a-b.example.cn/1/2?x=3", None])
    editing = Editing(repair=False)
    few, every = (
        pass_over(documents, editing, LISTS, casia_only=alone).to_pylist()
        for alone in (True, False)
    )
    known = {name for name, value in few[0]["measures"].items() if value is not None}
    assert known == {
        "chars", "lines", "sensitive_distinct", "casia_han_share", "casia_traditional",
        "casia_dup_13gram_share", "host_block_category", "host_allow_category", "pii",
    }  # fmt: skip
    assert {name: every[0]["measures"][name] for name in known} == {
        name: few[0]["measures"][name] for name in known
    }
    assert few[0]["measures"]["pii"] and few[1] == every[1]


def test_the_empty_text_and_no_documents() -> None:
    [row] = pass_over(batch_of([""]), ALL, LISTS).column("measures").to_pylist()
    nulls = {name for name, value in row.items() if value is None}
    of_words = {"words", "mean_word_chars", "stop_word_share"}
    assert nulls == {"language", "second_language", "second_language_score"} | of_words
    none = pass_over(batch_of([]), ALL, LISTS)
    assert (none.num_rows, none.schema) == (0, PASSED_ARROW_SCHEMA)


def test_a_batch_is_passed_over_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["漢字" * 3, None, "", "字" * 40, "a" * 5, None, "漢"]
    batch = batch_of(texts)
    whole = pass_over(batch, ALL, LISTS)
    for size, most in ((1, 2), (18, 3), (1000, 7)):
        monkeypatch.setattr(text_pass_module, "PART_BYTES", size)
        parts = list(text_pass_module._parts(batch))
        assert max(part.num_rows for part in parts) <= most
        passed = [pass_over(part, ALL, LISTS) for part in parts]
        assert pa.Table.from_batches(passed).combine_chunks().to_batches()[0].equals(whole)


_PASS_OVER_A_LARGE_BATCH = """
from resource import RUSAGE_SELF, getrusage
import pyarrow as pa
from udfs.measures import text_pass
from udfs.measures.schema import Editing
from udfs.lists.lexicon import Lexicon
lists = text_pass.PassLists(Lexicon({"赌球": "gambling"}))
texts = ["13812345678，" * 60_000 for _ in range(16)]
names = ("doc_id", "url", "opt_outs", "text")
columns = ([None] * 16, [None] * 16, [None] * 16, texts)
types = (pa.string(), pa.string(), pa.list_(pa.string()), pa.string())
arrays = [pa.array(column, kind) for column, kind in zip(columns, types)]
batch = pa.RecordBatch.from_arrays(arrays, names=names)
text_pass.pass_over(batch.slice(0, 1), Editing(), lists)  # tables and libraries
start = getrusage(RUSAGE_SELF).ru_maxrss
for part in text_pass._parts(batch):
    text_pass.pass_over(part, Editing(), lists)
print(getrusage(RUSAGE_SELF).ru_maxrss - start)
"""


@pytest.mark.slow
def test_a_large_batch_takes_the_memory_of_a_part() -> None:
    """11 million characters, in parts of up to five documents."""
    command = [sys.executable, "-c", _PASS_OVER_A_LARGE_BATCH]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 200e6
