"""Sentences that are formulas: more than half digits and symbols."""

from __future__ import annotations

import numpy as np
import pytest

from udfs.base.code_points import encode_texts
from udfs.tokens.formula_sentences import formula_flags
from udfs.tokens.tokenizer import TokenizerSettings, token_lines


def marked(*texts: str) -> list[str]:
    """The characters that stand in formulas, of each text."""
    encoded = encode_texts(texts)
    bounds = np.concatenate([[0], encoded.stops])
    flags = formula_flags(encoded.codes, bounds)
    return [
        "".join(sign for at, sign in enumerate(text, start) if flags[at])
        for text, start in zip(texts, encoded.starts, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("", ""),
        ("解方程。x^2+3x-5=0。所以无解", "x^2+3x-5=0。"),
        ("圆周率约为3.14159。", ""),
        ("1+1=2\n数学很美\n2021-04-08 10:20", "1+1=2\n2021-04-08 10:20"),
        ("一二12", ""),  # just half
        ("一二123", "一二123"),
        ("一 二 1 2 3", "一 二 1 2 3"),  # white space does not count
        ("1.5.2.7一二三四", ""),  # no stop ends a sentence inside a number
        ("v1.5a. 123", " 123"),  # but one does before a space
        ("12+34=46.字数很少的一句话", "12+34=46."),  # and before an ideograph
        ("滚！！！！！！", ""),
        ("你真“好”，，，、、、。", ""),
        ("🅖❼❽加微信🔥🔥🔥🔥", ""),  # spam's signs are none of a formula's
        ("①②③④⑤ 一", ""),
        ("∀x∈ℝ: x²≥0", "∀x∈ℝ: x²≥0"),
        ("￥１２３ 元", "￥１２３ 元"),
    ],
)
def test_which_sentences_are_formulas(text: str, formulas: str) -> None:
    assert marked(text) == [formulas]


def test_texts_do_not_touch_each_other() -> None:
    assert marked("数学", "12", "数学", "3") == ["", "12", "", "3"]


def test_a_reading_may_leave_formulas_out() -> None:
    texts = ["解析方程 12345678 + 99。研究历史", "研究历史"]
    read, all_of_it = token_lines(
        texts, [TokenizerSettings(exempt_formulas=True), TokenizerSettings()]
    )
    assert read == ["研究 历史", "研究 历史"]
    assert all_of_it == ["解析 方程 12345678 99 研究 历史", "研究 历史"]
