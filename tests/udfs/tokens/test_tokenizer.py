"""Token lines for models of one's own: the segmenter, the stop words, what is left out."""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from pathlib import Path

import jieba
import numpy as np
import pytest

from tests.udfs.tokens.plain_segment import tokens_for_fasttext
from udfs.files.artifacts import ArtifactFile, sha256_of
from udfs.tokens.segment import joined_lengths
from udfs.tokens.tokenizer import (
    StopWordsError,
    TokenizerSettings,
    read_stop_words,
    token_lines,
    tokenize_texts,
)
from udfs.tokens.tokens import Tokens, tokens_of_lines, tokens_of_words

TEXTS = [
    "小明硕士毕业于中国科学院计算所，\n后在日本京都大学深造。\r\n来到了网易杭研大厦 __label__clean",
    "2021-04-08，v.qq.com发布了C++教程。我们认为数学很美\ud800。",
    "",
    "\r\n\r\n",
    "的",
]


def published(text: str, stop_words: set[str]) -> str:
    """What the published scripts make of a text: jieba, two characters and more, no stop words.

    Source: ChineseWebText, fasttext/main.py, function build.
    """
    words = [word for word in jieba.lcut(text) if len(word) > 1 and word not in stop_words]
    return " ".join(words)


def stop_word_file(path: Path, text: str) -> ArtifactFile:
    path.write_text(text, encoding="utf-8")
    return ArtifactFile("words", "local", str(path), sha256_of(path), path.stat().st_size)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ArtifactFile:
    """A list as SparkFiles would hold it: its name is its path here."""
    monkeypatch.setattr("pyspark.SparkFiles.get", lambda name: name)
    return stop_word_file(tmp_path / "words.txt", "\ufeff大厦\r\n\r\n  教程 \n")


def test_the_default_is_what_the_bundled_models_were_trained_on() -> None:
    assert token_lines(TEXTS, [TokenizerSettings()]) == [
        [tokens_for_fasttext(text) for text in TEXTS]
    ]


def test_jieba_gives_the_line_of_the_published_scripts(words: ArtifactFile) -> None:
    reading = TokenizerSettings("jieba", 2, words, None)
    (lines,) = token_lines(TEXTS, [reading])
    # "\r\n" is a word of two characters to them, and no line of fastText's may hold it.
    expected = [published(text, {"大厦", "教程", "\r\n"}) for text in TEXTS]
    assert lines[0] == expected[0]
    assert lines[1] == expected[1].replace("\ud800", "?")
    assert lines[2:] == ["", "", ""]
    assert "大厦" not in lines[0]


def test_words_run_over_line_breaks_that_are_taken_out() -> None:
    text = "中国科学\n院计算\r\n所"
    joined = TokenizerSettings("jieba", 2, None, None, join_lines=True)
    assert token_lines([text], [joined]) == [[published("中国科学院计算所", set())]]
    assert token_lines([text], [TokenizerSettings("jieba", 2, None, None)]) != [
        ["中国科学院 计算所"]
    ]


def test_single_characters_may_count_and_white_space_never_does() -> None:
    (lines,) = token_lines(["我 的\u3000书\r\n很\t厚"], [TokenizerSettings("rjieba", 1, None)])
    assert lines == ["我 的 书 很 厚"]


def test_only_the_leading_characters_count() -> None:
    text = "数学历史" * 20
    short = TokenizerSettings("rjieba", 2, None, max_chars=4)
    assert token_lines([text], [short]) == [["数学 历史"]]


def test_readings_share_their_words_and_keep_their_own_lines(
    words: ArtifactFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[str] = []

    def counted(texts: list[str], segmenter: str) -> tuple[np.ndarray, np.ndarray]:
        assert segmenter == "rjieba"
        cut.extend(texts)
        words = [re.findall("[^/]+|/", text) for text in texts]
        return joined_lengths([np.array(list(map(len, found)), dtype=np.int32) for found in words])

    monkeypatch.setattr("udfs.tokens.tokenizer.word_lengths", counted)
    readings = [
        TokenizerSettings(min_token_chars=1),
        TokenizerSettings(min_token_chars=3),
        TokenizerSettings(stop_words=words),
        TokenizerSettings(min_token_chars=1, max_chars=8),
        TokenizerSettings(min_token_chars=1, max_chars=4),
        TokenizerSettings(exempt_formulas=True, distinct=True),
    ]
    lines = token_lines(["大厦/一/教学楼"], readings)
    assert lines == [
        ["大厦 / 一 / 教学楼"], ["教学楼"], ["教学楼"], ["大厦 / 一 / 教学楼"], ["大厦 / 一"],
        ["大厦 教学楼"],
    ]  # fmt: skip
    assert cut == ["大厦/一/教学楼", "大厦/一"]


def test_a_reading_travels(words: ArtifactFile) -> None:
    reading = TokenizerSettings("jieba", 1, words, None, True)
    assert pickle.loads(pickle.dumps(reading)) == reading


def test_jieba_leaves_no_cache_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from udfs.tokens.segment import _jieba

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _jieba.cache_clear()
    assert _jieba()("网易杭研大厦") == ["网易", "杭研", "大厦"]
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    with pytest.raises(StopWordsError, match=r"words\.txt: cannot be read"):
        read_stop_words(path)
    path.write_bytes("停用词".encode("gb18030"))
    with pytest.raises(StopWordsError, match=r"words\.txt: is not UTF-8"):
        read_stop_words(path)


def _words(texts: Sequence[str], counts: Sequence[int]) -> list[list[str]]:
    return [[f"+{len(text)}"] * count for text, count in zip(texts, counts, strict=True)]


def _arrays(texts: Sequence[str], counts: Sequence[int]) -> Tokens:
    return tokens_of_words([[f"+{len(text)}", "+加"] for text in texts])


def test_further_tokens_may_come_as_words_or_as_arrays() -> None:
    texts = ["天气 散步", "", "周末的 天气", "，"]
    plain = token_lines(texts, [TokenizerSettings()])[0]
    words, arrays = token_lines(
        texts, [TokenizerSettings(extra=_words), TokenizerSettings(extra=_arrays)]
    )
    assert plain == ["天气 散步", "", "周末 天气", ""]
    assert words == ["天气 散步 +5 +5", "", "周末 天气 +6 +6", ""]
    assert arrays == ["天气 散步 +5 +加", "", "周末 天气 +6 +加", ""]
    read = tokenize_texts(texts, [TokenizerSettings(extra=_arrays)])[0]
    again = tokens_of_lines(arrays)
    assert np.array_equal(read.hashes, again.hashes)
    assert np.array_equal(read.keys, again.keys)
    places = read.places
    assert [places.starts[at] for at in (2, 3)] == [places.stops[at] for at in (2, 3)] == [5, 5]


def test_words_are_runs_of_letters_digits_and_marks() -> None:
    text = "Mchit l-Souk, شريتْ 3ليه برشا! 中文 x2"
    settings = TokenizerSettings("words", 1, None)
    assert token_lines([text], [settings]) == [["mchit l - souk , شريتْ 3ليه برشا ! 中文 x2"]]
    assert token_lines([text], [TokenizerSettings("words", 2, None)]) == [
        ["mchit souk شريتْ 3ليه برشا 中文 x2"]
    ]
