"""Word lists: reading them, and finding every word of one in a text."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.lists.lexicon import Found, Lexicon, LexiconError, cached_lexicon, read_lexicon

OURS = Path(__file__).parents[3] / "conf" / "artifacts" / "lexicon" / "lexicon.tsv"


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "words.tsv"
    path.write_bytes(content)
    return path


def test_reads_what_lists_in_the_wild_look_like(tmp_path: Path) -> None:
    content = "\ufeff赌博\t赌球\r\n\r\n   \n赌博 \t 六合 彩 \n色情\t赌球\n其他\ta\u2028b"
    lexicon = read_lexicon(write(tmp_path, content.encode()))
    assert lexicon.categories == {"赌球": "色情", "六合 彩": "赌博", "a\u2028b": "其他"}


def test_an_empty_list_finds_nothing(tmp_path: Path) -> None:
    assert read_lexicon(write(tmp_path, b"\n")).find("任何文字") == Found(set(), 0)


@pytest.mark.parametrize("line", ["赌球", "赌博\t", "赌博\t \t", "赌博\t赌球\t1", "赌博\t\u3000"])
def test_a_malformed_line_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"赌博\t赌球\n\n{line}\n".encode())
    with pytest.raises(LexiconError, match=r"words\.tsv:3: expected 'category TAB word'"):
        read_lexicon(path)


def test_what_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"words\.tsv: is neither UTF-8 nor GB18030"):
        read_lexicon(write(tmp_path, b"\x80\xff\x00\xfe"))
    with pytest.raises(LexiconError, match=r"absent\.tsv: cannot be read"):
        read_lexicon(tmp_path / "absent.tsv")


words = st.lists(st.text(alphabet="abA赌球城𠮷\n ", min_size=1, max_size=4), max_size=12)


@given(words, st.text(alphabet="abA赌球城𠮷\n xé", max_size=60), st.sampled_from([1, 2, 7, 1000]))
def test_finds_every_occurrence_of_every_word(chosen: list[str], text: str, piece: int) -> None:
    lexicon = Lexicon(dict.fromkeys(chosen, "其他"))
    with mock.patch("udfs.lists.lexicon.PIECE_BYTES", piece):
        found = lexicon.find(text)
    assert {lexicon.words[index] for index in found.words} == {w for w in chosen if w in text}
    assert found.total == sum(
        text.startswith(word, start) for word in set(chosen) for start in range(len(text))
    )


def test_a_list_is_read_once_for_a_digest(tmp_path: Path) -> None:
    path = write(tmp_path, "赌博\t赌球\n".encode())
    assert cached_lexicon(path, "1") is cached_lexicon(path, "1")
    assert cached_lexicon(path, "1") is not cached_lexicon(path, "2")


def test_our_own_list_is_well_formed() -> None:
    lexicon = read_lexicon(OURS)
    assert 150 <= len(lexicon.words) <= 350
    assert set(lexicon.categories.values()) == {
        "gambling",
        "pornography",
        "drugs",
        "fraud",
        "loan",
        "seo_spam",
        "weapons",
    }
    assert len(OURS.read_text(encoding="utf-8").splitlines()) == len(lexicon.words), "a duplicate"
    assert min(map(len, lexicon.words)) >= 2
    # A word inside another would count twice wherever the longer one stands.
    assert [w for w in lexicon.words if lexicon.find(w).total > 1] == []


def test_our_own_list_leaves_plain_reporting_alone() -> None:
    report = (
        "警方提醒市民警惕网络赌博和电信诈骗，不要出借银行卡。法院审理了一起贩卖毒品案，"
        "被告人非法持有枪支。银行下调贷款利率，彩票发行规模稳定，投资者关注市场走势。"
    )
    assert read_lexicon(OURS).find(report).total == 0
