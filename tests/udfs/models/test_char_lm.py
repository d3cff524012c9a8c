"""Compiled look-ups beside a dictionary with backoff."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.toxicity.char_lm_estimate import estimate
from tests.jobs.training.test_char_lm_estimate import lines_of
from tests.udfs.models.plain_char_lm import PlainBackoff, score_lines
from udfs.base.code_points import encode_texts
from udfs.models.char_lm import CharLanguageModel, plain_character
from udfs.models.char_lm_tables import RESERVED, UNHEARD, UNKNOWN, NGramTable, NGramTables

LETTERS = "甲乙丙丁"


@st.composite
def models(draw: st.DrawFn) -> NGramTables:
    """Any n-grams whose beginnings and ends are there, with any numbers."""
    number = st.floats(-4, 0, width=32)
    vocabulary = (*RESERVED, *LETTERS)
    kept = {(1,), (2,), (3,), (4,), (5,), (6,), *draw(st.sampled_from([[], [(0,)]]))}
    orders = []
    for n in range(1, draw(st.integers(1, 5)) + 1):
        if n > 1:
            possible = sorted((*g, h[-1]) for g in kept for h in kept if g[1:] == h[:-1])
            if not possible:
                break
            kept = draw(st.sets(st.sampled_from(possible), min_size=1, max_size=30))
        words = np.array(sorted(kept), dtype=np.uint32)
        numbers = draw(st.lists(st.tuples(number, number), min_size=len(kept), max_size=len(kept)))
        values = np.array(numbers, dtype=np.float32)
        orders.append(NGramTable(words, values[:, 0], values[:, 1]))
    return NGramTables(vocabulary, tuple(orders))


@settings(deadline=None, max_examples=60)
@given(models(), st.lists(st.text(LETTERS + "囧", max_size=8), min_size=1, max_size=5))
def test_scores_are_those_of_a_dictionary(ngrams: NGramTables, lines: list[str]) -> None:
    plain = PlainBackoff(ngrams)
    found = score_lines(CharLanguageModel(ngrams), lines)
    assert found.tolist() == pytest.approx([plain.line(line) for line in lines], abs=1e-4)


@pytest.mark.parametrize("order", [2, 3, 5])
def test_estimated_models_score_as_their_dictionaries_do(order: int) -> None:
    ngrams = estimate(lines_of(order), order, [1, *[2] * (order - 1)])
    plain, lines = PlainBackoff(ngrams), [*lines_of(99, 50), "一囧丁", "囧囧"]
    found = score_lines(CharLanguageModel(ngrams), lines)
    assert found.tolist() == pytest.approx([plain.line(line) for line in lines], abs=1e-4)


def test_lines_are_parts_of_texts_and_white_space_is_passed_over() -> None:
    model = CharLanguageModel(estimate(lines_of(1), 3, [1, 1, 1]))
    texts = encode_texts(["一 丁\u3000丂", "一丁丂，丁丁"])
    begins, stops = np.array([0, 5, 9, 9]), np.array([5, 8, 11, 9])
    scores, counts = model.line_scores(texts.codes, begins, stops)
    assert counts.tolist() == [3, 3, 2, 0]
    assert scores.tolist() == score_lines(model, ["一丁丂", "一丁丂", "丁丁", ""]).tolist()


def test_a_character_is_read_as_what_it_is_a_variant_of() -> None:
    model = CharLanguageModel(
        estimate([line.translate({0x4E00: "a", 0x4E01: "0"}) for line in lines_of(5)], 3, [1, 1, 1])
    )
    small, wide, large, digit, unknown = score_lines(
        model, ["a0丂", "ａ０丂", "A0丂", "a7丂", "x0丂"]
    )
    assert small == wide == large == digit != unknown
    own = CharLanguageModel(
        estimate([line.translate({0x4E00: "a", 0x4E01: "A"}) for line in lines_of(5)], 3, [1, 1, 1])
    )
    assert score_lines(own, ["A"])[0] != score_lines(own, ["a"])[0]
    assert [plain_character(char) for char in "Ａé７㈱中"] == ["a", "é", "0", "㈱", "中"]


def test_a_word_without_entry_has_the_least_probability() -> None:
    words = np.array([[1], [2], [3]], dtype=np.uint32)
    values = np.full(3, -1, dtype=np.float32)
    ngrams = NGramTables((*RESERVED, "甲"), (NGramTable(words, values, np.zeros_like(values)),))
    assert (UNKNOWN,) not in PlainBackoff(ngrams).table
    assert score_lines(CharLanguageModel(ngrams), ["囧"])[0] == pytest.approx(UNHEARD - 1)
