"""Word lists: every form of file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.config import load_config
from udfs.base.code_points import encode_texts
from udfs.lists.lexicon import (
    LexiconError,
    cached_lexicon,
    read_lexicon,
    read_words,
)
from udfs.lists.word_counts import count_words

OURS = Path(__file__).parents[3] / "conf" / "artifacts" / "lexicon" / "lexicon.tsv"


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "words.tsv"
    path.write_bytes(content)
    return path


def test_reads_what_lists_in_the_wild_look_like(tmp_path: Path) -> None:
    content = "\ufeff赌博\t赌球\r\n\r\n   \n赌博 \t 六合 彩 \n色情\t赌球\n其他\ta\u2028b"
    lexicon = read_lexicon(write(tmp_path, content.encode()))
    assert lexicon.categories == {"赌球": "色情", "六合 彩": "赌博", "a\u2028b": "其他"}


def test_an_empty_list_has_no_words(tmp_path: Path) -> None:
    assert read_lexicon(write(tmp_path, b"\n")).words == ()


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


SPAM = {
    "yue": "線上賭場，真人荷官，送體驗金！免查TU即批",
    "aeb": "كازينو أون لاين مع مكافأة ترحيبية ودورات مجانية بدون ايداع",
}
CLEAN = {
    "yue": "尋日同阿媽去街市買餸，佢話啲菜貴咗好多。馬會今晚有賽事，阿爸又坐喺電視前面。",
    "aeb": "اليوم مشينا للسوق وشرينا الخضرة والكسكسي، وبعد طلبت قرض من البنكة.",
}


@pytest.mark.parametrize("language", ["yue", "aeb"])
def test_lists_of_other_languages_find_spam_and_no_clean_text(language: str) -> None:
    name = f"lexicon_{language}"
    lexicon = read_lexicon(OURS.parents[1] / name / f"{name}.tsv")
    found = count_words(lexicon, encode_texts([SPAM[language], CLEAN[language]]))
    assert found.texts.tolist() == [0] * 3
    assert {lexicon.categories[lexicon.words[word]] for word in found.words} >= {"gambling"}
    config = load_config(None, [f"language={language}"])
    assert (config.rules.lexicon, config.rules.max_sensitive_per_line) == (name, 0.5)


def read(
    tmp_path: Path, text: str, name: str = "网络.txt", encoding: str = "utf-8"
) -> dict[str, str]:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return read_words(path)


def in_category(category: str, *words: str) -> dict[str, str]:
    return dict.fromkeys(words, category)


def test_one_word_a_line(tmp_path: Path) -> None:
    text = "# 自己写的\n青瓷花瓶\n  竹林 \r\n\n#话题\nblue vase\n青瓷花瓶\n甲|乙\n"
    assert read(tmp_path, text) == in_category(
        "网络", "青瓷花瓶", "竹林", "#话题", "blue vase", "甲|乙"
    )


def test_a_rare_comma_is_part_of_a_word(tmp_path: Path) -> None:
    text = "青瓷,花瓶\n竹林\n山、水、云\n松\n"
    assert read(tmp_path, text) == in_category("网络", "青瓷,花瓶", "竹林", "山、水、云", "松")


@pytest.mark.parametrize(
    "text",
    ["青瓷,\n竹林,\n松", "青瓷，竹林，松", "青瓷、竹林\n松、\n", " 青瓷 , 竹林\n,松,,\n# 注,释\n"],
)
def test_commas_between_words(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == in_category("网络", "青瓷", "竹林", "松")


def test_weights_are_dropped(tmp_path: Path) -> None:
    assert read(tmp_path, "青瓷,3\n竹林,-0.5\n") == in_category("网络", "青瓷", "竹林")
    assert read(tmp_path, "青瓷,3\n竹林,松\n") == in_category("网络", "青瓷", "3", "竹林", "松")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (["青瓷", " 竹林"], in_category("网络", "青瓷", "竹林")),
        ({"青瓷": [7, 8], "竹林": [], "松": [1]}, in_category("网络", "青瓷", "竹林", "松")),
        ({"青瓷": 0.5, "竹林": None}, in_category("网络", "青瓷", "竹林")),
        (
            {"器物": ["青瓷"], "草木": ["竹林", "松"]},
            {"青瓷": "器物", "竹林": "草木", "松": "草木"},
        ),
        ([], {}),
    ],
)
@pytest.mark.parametrize("name", ["网络.json", "网络.txt"])
def test_json(tmp_path: Path, content: Any, words: dict[str, str], name: str) -> None:
    assert read(tmp_path, json.dumps(content), name) == words
    assert (
        read(tmp_path, "\ufeff" + json.dumps(content, ensure_ascii=False, indent=1), name) == words
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2]", "expected a word, found 1"),
        ('["青瓷", ""]', "expected a word, found ''"),
        ('{"青瓷": "器物"}', "expected a JSON list of words"),
        ('{"青瓷": ["器物"], "竹林": 1}', "expected a JSON list of words"),
        ('{"青瓷": {"竹林": 1}}', "expected a JSON list of words"),
        ('"青瓷"', "expected a JSON list of words"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LexiconError, match=f"网络\\.json: {message}"):
        read(tmp_path, content, "网络.json")


def test_a_line_that_begins_with_a_bracket_is_no_json(tmp_path: Path) -> None:
    assert read(tmp_path, "[青瓷]\n竹林\n") == in_category("网络", "[青瓷]", "竹林")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("text", ["青瓷花瓶\n竹林\n", "器物\t青瓷花瓶\n器物\t竹林\n"])
def test_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    category = "器物" if "\t" in text else "网络"
    assert read(tmp_path, text, encoding=encoding) == in_category(category, "青瓷花瓶", "竹林")


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\x80\x80", b"\xaa\xa1\n", b"\x00\x01\xfe\xff"])
def test_other_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    with pytest.raises(LexiconError, match=r"x\.txt: is neither UTF-8 nor GB18030 text"):
        read_words(path)


def test_prose_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"网络\.txt:2: .* has 300 characters"):
        read(tmp_path, "竹林\n" + "长" * 300)


def test_the_category_is_the_name_that_a_fetched_file_had(tmp_path: Path) -> None:
    assert read(tmp_path, "竹林\n", "0123456789abcdef-草木.txt") == {"竹林": "草木"}
    assert read(tmp_path, "竹林\n", "草木") == {"竹林": "草木"}


@pytest.mark.parametrize("line", ["竹林", "草木\t", "草木\t竹林\t1", "草木,竹林", "#竹林"])
def test_with_a_tab_every_line_has_one(tmp_path: Path, line: str) -> None:
    with pytest.raises(LexiconError, match=r"网络\.txt:2: expected 'category TAB word'"):
        read(tmp_path, f"草木\t松\n{line}\n")


@pytest.mark.parametrize("word", ["松,竹,梅", "1", "# 松", "[]", "{}", "草木"])
def test_nothing_else_is_guessed_where_each_line_has_a_tab(tmp_path: Path, word: str) -> None:
    text = f"{word}\t甲,乙\n{word}\t{word}\n"
    assert read(tmp_path, text) == {"甲,乙": word, word: word}


fields = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n"), min_size=1, max_size=6
).filter(lambda field: field.strip() and not field.startswith("\ufeff"))


@given(st.lists(st.tuples(fields, fields), min_size=1, max_size=8))
def test_the_published_form_is_read_as_its_script_reads_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "dict.txt"
    path.write_text("\n".join(f"{a}\t{b}" for a, b in rows), encoding="utf-8", newline="")
    expected: dict[str, str] = {}
    for category, word in rows:
        expected[word.strip()] = category.strip()
    assert read_words(path) == expected
