"""Lines and paragraphs: known values, a plain twin, long texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.measures.plain_measures import plain_line_measures
from udfs.base.code_points import encode_texts
from udfs.measures import text_lines
from udfs.measures.text_lines import line_shares


def shares_of(text: str) -> dict[str, float]:
    found = line_shares([text], encode_texts([text]))
    return {name: float(share[0]) for name, share in found._asdict().items()}


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("天气好。", 1.0),
        ("天气好", 0.0),
        ("他说：“天气好。”\n（天气好！）\nFine.\n真的？ \n版权所有", 4 / 5),
        ("”\n。”", 1 / 2),
        ("……\n》》", 1 / 2),
    ],
)
def test_lines_that_end_a_sentence(text: str, share: float) -> None:
    assert shares_of(text)["sentence_end_line_share"] == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("• 一\n- 二\n－三\n·四\n\uf0b7五", 1.0),
        ("　　● 一\n\n二", 1 / 2),
        ("——他来了\n1. 一\n一 • 二", 0.0),
    ],
)
def test_lines_that_begin_with_a_bullet(text: str, share: float) -> None:
    assert shares_of(text)["bullet_line_share"] == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("天气…\n天气……\n天气...\n天气．．．\n天气。。。\n天气⋯⋯ ", 1.0),
        ("天气。。\n天气..\n天气…好\n天气。", 0.0),
    ],
)
def test_lines_that_end_in_an_ellipsis(text: str, share: float) -> None:
    assert shares_of(text)["ellipsis_line_share"] == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("好" * 29 + "。", 1.0),
        ("好" * 28 + "。", 0.0),
        ("好" * 30, 0.0),
        ("  " + "好" * 28 + "！” \n\n" + "好" * 10, 30 / 40),
        ("好" * 39 + "。\n收起。", 40 / 43),
    ],
)
def test_characters_of_lines_of_prose(text: str, share: float) -> None:
    assert shares_of(text)["prose_line_char_share"] == share


@pytest.mark.parametrize(
    ("text", "share", "char_share"),
    [
        ("", 0.0, 0.0),
        ("一\n二", 0.0, 0.0),
        ("一\n一", 1 / 2, 1 / 2),
        ("一\n\n 一 \n二三\n", 1 / 3, 1 / 4),
        ("\n\n", 0.0, 0.0),
        ("长长的一行\n短\n长长的一行\n长长的一行", 2 / 4, 10 / 16),
    ],
)
def test_lines_that_repeat(text: str, share: float, char_share: float) -> None:
    shares = shares_of(text)
    assert shares["dup_line_share"] == share
    assert shares["dup_line_char_share"] == char_share


@pytest.mark.parametrize(
    ("text", "share", "char_share"),
    [
        ("一\n一", 0.0, 0.0),
        ("一\n\n一", 1 / 2, 1 / 2),
        ("一\n二\n \n\u3000\n一\n二\n\n三\n", 1 / 3, 3 / 7),
        ("一\n二\n\n二\n一", 0.0, 0.0),
        ("\n\n一\n\n\n\n一\n\n", 1 / 2, 1 / 2),
    ],
)
def test_paragraphs_that_repeat(text: str, share: float, char_share: float) -> None:
    shares = shares_of(text)
    assert shares["dup_paragraph_share"] == share
    assert shares["dup_paragraph_char_share"] == char_share


lines = st.one_of(
    st.sampled_from(["", " ", "\u3000", "一", "二", "一二。", "• 一", "三…", "“四。”", "\r"]),
    st.text("。”…-一.\t ", max_size=4),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=5),
)
texts = st.lists(lines, max_size=20).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_shares_equal_the_plain_twin(text: str) -> None:
    assert shares_of(text) == plain_line_measures(text)


@given(st.lists(texts, max_size=5))
def test_a_text_does_not_see_its_neighbours(batch: list[str]) -> None:
    found = line_shares(batch, encode_texts(batch))
    for index, text in enumerate(batch):
        alone = {name: float(share[index]) for name, share in found._asdict().items()}
        assert alone == shares_of(text)


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(1, 20))
def test_a_long_text_is_cut_between_lines(text: str, piece_chars: int) -> None:
    whole = shares_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_lines, "PIECE_CHARS", piece_chars)
        pieces = list(text_lines._pieces(text))
        cut = shares_of(text)
    assert "".join(pieces) == text
    assert all(piece.endswith("\n") for piece in pieces[:-1])
    assert all(len(piece) <= piece_chars or "\n" not in piece[:-1] for piece in pieces)
    assert [*cut.values()][:4] == [*whole.values()][:4]
    assert cut["dup_line_share"] <= whole["dup_line_share"]


def test_copies_are_counted_within_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "PIECE_CHARS", 4)
    assert list(text_lines._pieces("一\n一\n一\n二\n")) == ["一\n一\n", "一\n二\n"]
    assert shares_of("一\n一\n一\n二\n")["dup_line_share"] == 1 / 4
