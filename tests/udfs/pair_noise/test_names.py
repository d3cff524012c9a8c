"""Nouns of texts, and names of a gazetteer in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.pair_noise.gazetteer import Gazetteer, Mention, NamesFileError, read_names
from udfs.pair_noise.nouns import nouns_of, words_of

NAMES = ["中国", "成都", "成都科幻馆", "雨果奖", "打球", "NBA", "LeBron James", "桥", "老桥"]


def found(text: str) -> list[str]:
    return [mention.text for mention in Gazetteer(NAMES).mentions(text)]


def test_words_are_the_text() -> None:
    text = "雨果奖在 LeBron James 的老桥，3 座\n😀𠀀"
    words = words_of(text)
    assert "".join(word.text for word in words) == text
    assert all(text[word.start : word.stop] == word.text for word in words)


def test_nouns_are_distinct_and_in_order() -> None:
    assert nouns_of("老桥与集市，老桥的雨") == ["老桥", "集市"]
    assert nouns_of("点击查看") == nouns_of("") == []


def test_the_longest_name_stays() -> None:
    assert found("雨果奖颁奖典礼在成都科幻馆举行") == ["雨果奖", "成都科幻馆"]
    assert Gazetteer(NAMES).mentions("在成都") == [Mention(1, "成都")]


def test_a_name_within_a_word_or_without_a_noun_is_none() -> None:
    assert found("发展中国家的老桥") == ["老桥"]
    assert found("我在看打球") == []
    assert found("XNBA与NBA") == ["NBA"]


def test_names_may_have_blanks() -> None:
    assert found("看LeBron James打球") == ["LeBron James"]


def test_a_shorter_name_is_found_where_a_longer_one_is_within_a_word() -> None:
    """What a search for the longest match alone would miss."""
    names = Gazetteer(["成都", "成都集"])
    assert [one.text for one in names.mentions("成都集市")] == ["成都"]


def test_a_file_of_names_is_read(tmp_path: Path) -> None:
    path = tmp_path / "titles.txt"
    path.write_text("成都\n\n老桥  \n成都\n馆\n", encoding="utf-8")
    names = read_names(path)
    assert names == ["成都", "老桥"]
    assert [one.text for one in Gazetteer(names).mentions("成都老桥")] == names


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "no name of 2"),
        ("馆\n".encode(), "no name of 2"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"ok\n" + b"x" * 101, "line 2: 101 characters"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, body: bytes, message: str) -> None:
    path = tmp_path / "titles.txt"
    path.write_bytes(body)
    with pytest.raises(NamesFileError, match=message):
        read_names(path)
