"""Counts of a language's texts."""

from __future__ import annotations

import pyarrow as pa
import pytest

from udfs.measures.language_counts import WordCut, count_characters_of, cut_words

FOLD = ("arabic_marks", "alef_forms")


@pytest.mark.parametrize(
    "text, cut, words",
    [
        ("Kel da, KEL 24 straße", WordCut(("Latin",), True), ["kel", "da", "kel", "straße"]),
        ("أنا بَرْشا ok انا", WordCut(("Arabic",), True, FOLD), ["انا", "برشا", "انا"]),
        ("mixкириллица да", WordCut(("Cyrillic",), True), ["да"]),
        ("佢話ok，7點", WordCut(("Han",), False), ["佢", "話", "點"]),
        ("", WordCut(("Latin",), True), []),
    ],
)
def test_words_are_those_of_the_script(text: str, cut: WordCut, words: list[str]) -> None:
    assert cut_words(text, cut) == words


def test_characters_words_and_sentence_marks_are_counted() -> None:
    texts = ["Da vo. “Kel?”\nда 3.5 你好。", "vo."]
    batch = pa.RecordBatch.from_pydict({"language": ["own", "own"], "text": texts})
    rows = [row for part in count_characters_of([batch]) for row in part.to_pylist()]
    counts = {(row["kind"], row["name"]): row["count"] for row in rows}
    assert counts == {
        ("characters", "Latin"): 9,
        ("characters", "Cyrillic"): 2,
        ("characters", "Han"): 2,
        ("mark", "."): 2,
        ("mark", "?"): 1,
        ("mark", "。"): 1,
        ("word", "chars"): 15,
        ("word", "words"): 8,
    }
