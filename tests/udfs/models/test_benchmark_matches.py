"""Questions of benchmarks in texts: the compiled search finds what sets of strings find."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.udfs.models.plain_benchmarks import (
    folded,
    folded_char,
    plain_index,
    plain_matches,
)
from udfs.base.code_points import encode_texts
from udfs.models.benchmark_index import (
    MAX_QUESTIONS,
    BenchmarkIndex,
    IndexFileError,
    NoQuestions,
    Question,
    index_bytes,
    load_index,
)
from udfs.models.benchmark_matches import Matches, find_matches
from udfs.models.overlap_text import fold_table, fold_texts, folded_character

STEM = "下列关于光合作用的说法，正确的是哪一项？请写出理由。"
OPTIONS = ("叶绿体是进行光合作用的唯一场所", "氧气来自二氧化碳", "B")

LAST_LETTER = 0x323AF
"""Behind it come no letters and digits, but tags and private use."""

SIGNS = "ab１㎡é一二。 \n（"
texts_of_signs = st.text(SIGNS, max_size=40)
questions_of_signs = st.lists(
    st.lists(st.text(SIGNS, min_size=1, max_size=14), min_size=1, max_size=3),
    min_size=1,
    max_size=16,
)


def index_of(folder: Path, questions: list[Question], size: int, min_chars: int) -> BenchmarkIndex:
    path = folder / "questions.index"
    path.unlink(missing_ok=True)  # an earlier one may still be mapped
    path.write_bytes(index_bytes(["a.jsonl", "b.txt"], questions, size, min_chars))
    return load_index(path)


def question(*texts: str, name: str = "1", benchmark: int = 0) -> Question:
    return Question(benchmark, name, texts)


def named(found: Matches, index: BenchmarkIndex) -> list[tuple[str, str, int]]:
    pairs = zip(found.questions.tolist(), found.found.tolist(), strict=True)
    return [(*index.question(number), count) for number, count in pairs]


def test_every_character_folds_as_by_unicodedata() -> None:
    table = fold_table()
    wrong = []
    assert not table.singles[LAST_LETTER + 1 :].any()
    for code in range(LAST_LETTER + 1):
        single = int(table.singles[code])
        if single >> 31:
            first, length = (single & ~(1 << 31)) >> 5, single & 31
            found = "".join(map(chr, table.expansions[first : first + length].tolist()))
        else:
            found = chr(single) if single else ""
        if found != folded_char(chr(code)) or found != folded_character(chr(code)):
            wrong.append((hex(code), unicodedata.category(chr(code)), found))
    assert wrong == []


@given(st.lists(st.text(max_size=30), max_size=5))
@example(["ﷺ㎡", "", "①。\u0301é"])
def test_folded_texts_know_where_their_characters_were(texts: list[str]) -> None:
    encoded = encode_texts(texts)
    found = fold_texts(encoded.codes, encoded.starts, encoded.stops)
    for number, text in enumerate(texts):
        own = slice(found.offsets[number], found.offsets[number + 1])
        plain, places = folded(text)
        assert "".join(map(chr, found.codes[own].tolist())) == plain
        assert found.places[own].tolist() == places


@given(
    questions_of_signs,
    st.lists(texts_of_signs, max_size=3),
    st.integers(2, 5),
    st.integers(1, 4),
    st.sampled_from([0.01, 0.3, 0.5, 0.9, 1.0]),
    st.data(),
)
def test_questions_are_found_as_by_sets_of_strings(
    tmp_path_factory: pytest.TempPathFactory,
    given_texts: list[list[str]],
    texts: list[str],
    size: int,
    min_chars: int,
    min_share: float,
    data: st.DataObject,
) -> None:
    questions = [question(*own, name=str(n), benchmark=n % 2) for n, own in enumerate(given_texts)]
    planted = data.draw(st.sampled_from(given_texts))
    texts = [*texts, "".join([*texts[:1], *planted]), "x".join(planted)]
    plain = plain_index(questions, size, min_chars)
    folder = tmp_path_factory.getbasetemp()
    if not plain:
        with pytest.raises(NoQuestions):
            index_of(folder, questions, size, min_chars)
        return
    index = index_of(folder, questions, size, min_chars)
    assert [index.question(n)[1] for n in range(len(plain))] == [one.name for one in plain]
    assert index.totals.tolist() == [len(one.grams) for one in plain]
    for text, found in zip(texts, find_matches(texts, index, min_share), strict=True):
        expected, spans = plain_matches(text, plain, size, min_share)
        names = [(["a.jsonl", "b.txt"][b], name, count) for b, name, count in expected]
        assert named(found, index) == names
        assert [tuple(span) for span in found.spans.tolist()] == spans


def test_a_question_is_found_in_another_layout(tmp_path: Path) -> None:
    index = index_of(tmp_path, [question(STEM, *OPTIONS, name="q7")], 13, 13)
    text = (
        f"前言。\n{STEM.replace('，', ' ').replace('说法', '说 法')}\nＡ．{OPTIONS[0]}\n后记：无。"
    )
    (found,) = find_matches([text], index, 0.5)
    total = int(index.totals[0])
    assert named(found, index) == [("a.jsonl", "q7", total)]
    ((start, stop),) = found.spans.tolist()
    assert text[start:stop] == text[len("前言。\n") : -len("\n后记：无。")]


def test_an_edited_word_is_part_of_the_passage(tmp_path: Path) -> None:
    long = "".join(chr(0x4E00 + 7 * n) for n in range(80))
    index = index_of(tmp_path, [question(long)], 13, 13)
    edited = long[:40] + "改改" + long[42:]
    (found,) = find_matches([f"前。{edited}。（后）"], index, 0.5)
    assert found.found.tolist() == [68 - 14]  # the n-grams that an edit of two changes
    assert found.spans.tolist() == [[2, 83]]
    assert not len(find_matches([long[:45]], index, 0.5)[0].questions)
    assert len(find_matches([long[:46]], index, 0.5)[0].questions)  # 34 of 68


def test_a_short_question_must_be_there_whole(tmp_path: Path) -> None:
    short = "中国历史上第一个统一的王朝是哪一个"
    index = index_of(tmp_path, [question(short), question("明朝的都城在哪里")], 13, 8)
    assert index.sizes == (13, 8)
    texts = [f"他问，{short}？", f"他问，{short[1:]}？", "（明朝的 都城在哪里）", "明朝的都城在"]
    found = find_matches(texts, index, 0.5)
    assert [one.questions.tolist() for one in found] == [[0], [], [1], []]
    assert found[0].spans.tolist() == [[3, 3 + len(short) + 1]]
    assert found[2].spans.tolist() == [[1, 11]]


def test_the_wording_that_many_questions_share_is_left_out(tmp_path: Path) -> None:
    head = "以下是中国关于会计考试的单项选择题，请选出其中的正确答案。"
    own = [
        "".join(chr(0x5000 + 97 * n + 5 * k) for k in range(20)) for n in range(MAX_QUESTIONS + 1)
    ]
    questions = [question(head, text, name=str(n)) for n, text in enumerate(own)]
    index = index_of(tmp_path, questions, 13, 13)
    assert set(index.totals.tolist()) == {8}
    first, second = find_matches([head * 3, head + own[3]], index, 0.1)
    assert not len(first.questions)
    assert second.questions.tolist() == [3]
    few = index_of(tmp_path, questions[:MAX_QUESTIONS], 13, 13)
    assert len(find_matches([head], few, 0.5)[0].questions) == MAX_QUESTIONS


def test_a_question_given_twice_is_one(tmp_path: Path) -> None:
    twice = [question(STEM, name="1"), question(STEM.replace("，", ""), name="2", benchmark=1)]
    index = index_of(tmp_path, twice, 13, 13)
    assert [index.question(n) for n in range(len(index.totals))] == [("a.jsonl", "1")]


def test_texts_without_a_question(tmp_path: Path) -> None:
    index = index_of(tmp_path, [question(STEM)], 13, 13)
    for found in find_matches(["", "。。", "一", "没有题目的一段话。" * 9], index, 0.5):
        assert not len(found.questions) and found.spans.shape == (0, 2)
    assert find_matches([], index, 0.5) == []


def test_a_file_of_many_questions_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    dice = np.random.default_rng(3)
    texts = ["".join(map(chr, dice.integers(0x4E00, 0x9000, 110).tolist())) for _ in range(1000)]
    questions = [question(text, name=str(n)) for n, text in enumerate(texts)]
    content = index_bytes(["a.jsonl"], questions, 13, 13)
    assert content == index_bytes(["a.jsonl"], questions, 13, 13)
    assert len(content) < 1000 * 98 * 17
    index = index_of(tmp_path, questions, 13, 13)
    found = find_matches(texts[:50], index, 1.0)
    assert [one.questions.tolist() for one in found] == [[n] for n in range(50)]


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.index"
    whole = index_bytes(["a"], [question(STEM)], 13, 13)
    for content, said in (
        (b"", "is no index"),
        (b"no index of questions", "is no index"),
        (whole[:200], "is damaged"),
        (whole[:-64], "is damaged"),
        (whole.replace(b'"version": [1,', b'"version": [9,'), "is of version"),
    ):
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        with pytest.raises(IndexFileError, match=said):
            load_index(path)
