"""Measures of the texts of image places."""

from __future__ import annotations

import pyarrow as pa
import pytest

from udfs.base.language import TextLanguage
from udfs.lists.lexicon import Lexicon
from udfs.measures.pair_texts import Words, count_words, pair_measures
from udfs.measures.schema import PAIR_MEASURES_ARROW_SCHEMA

LEXICON = Lexicon({"百家乐": "gambling", "裸聊": "pornography"})


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", Words(0, 0)),
        ("，。 ！", Words(0, 0)),
        ("点击查看更多", Words(4, 0)),
        ("李明在北京大学", Words(3, 2)),  # a person and an organisation
        ("故宫博物院 BMW 2019", Words(3, 1)),  # a place; Latin words and numbers are no nouns
        ("䶮", Words(1, 0)),  # in no dictionary, and yet a word
    ],
)
def test_words_and_nouns(text: str, counted: Words) -> None:
    assert count_words(text) == counted


def test_every_place_has_the_measures_of_its_text() -> None:
    texts = ["百家乐海报", None, "电话13812345678", "百家乐海报", ""]
    batch = pair_measures(
        pa.array(list("abcde")), pa.array(range(5), pa.int32()), pa.array(texts), LEXICON
    )
    assert batch.schema == PAIR_MEASURES_ARROW_SCHEMA
    rows = batch.to_pylist()
    assert [(row.pop("doc_id"), row.pop("place")) for row in rows] == [
        (name, number) for number, name in enumerate("abcde")
    ]
    assert rows[0] == rows[3]
    assert set(rows[1].values()) == {None}
    assert (rows[0]["sensitive_distinct"], rows[0]["sensitive_words"]) == (1, ["百家乐"])
    assert rows[0]["nouns"] >= 1
    assert rows[2]["pii"] == [{"kind": "phone", "start": 2, "length": 11}]
    assert (rows[0]["script_share"], rows[2]["script_share"]) == (1.0, pytest.approx(2 / 13))
    nothing = {"script_share": 0.0, "words": 0, "nouns": 0, "sensitive_distinct": 0}
    assert rows[4] == {**nothing, "sensitive_words": [], "pii": []}


def test_a_batch_of_places_without_texts_has_null_measures() -> None:
    batch = pair_measures(
        pa.array(["a"]), pa.array([0], pa.int32()), pa.array([None], pa.string()), LEXICON
    )
    assert batch.to_pylist()[0] == {
        "doc_id": "a", "place": 0, "script_share": None, "words": None, "nouns": None,
        "sensitive_distinct": None, "sensitive_words": None, "pii": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tokenizer", "words", "nouns"),
    [("rjieba", [15, 6, 1], [0, 0, 1]), ("words", [3, 3, 1], None), ("characters", None, None)],
)
def test_the_language_says_what_is_measured(
    tokenizer: str, words: list[int] | None, nouns: list[int] | None
) -> None:
    language = TextLanguage(script=("Arabic",), tokenizer=tokenizer, number_plans=("TN",))
    texts = ["صورة السوق القديم", "old market صورة", "老桥"]
    batch = pair_measures(
        pa.array(list("abc")), pa.array(range(3), pa.int32()), pa.array(texts), LEXICON, language
    )
    found = batch.to_pydict()
    assert found["script_share"] == [1.0, pytest.approx(4 / 13), 0.0]
    assert found["nouns"] == (nouns or [None] * 3)
    assert found["words"] == (words or [None] * 3)


def test_telephone_numbers_are_those_of_the_language() -> None:
    texts = pa.array(["+216 20 123 456", "13812345678"])
    found = {}
    for plan in ("TN", "CN"):
        language = TextLanguage(number_plans=(plan,))
        ids = pa.array(["a", "b"]), pa.array([0, 1], pa.int32())
        rows = pair_measures(*ids, texts, LEXICON, language).to_pylist()
        found[plan] = [[span["kind"] for span in row["pii"]] for row in rows]
    assert found == {"TN": [["phone"], []], "CN": [[], ["phone"]]}
