"""Tokens of folded texts: those of the folded text, with their places in the text as stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.folding.fold import fold
from udfs.tokens.tokenizer import TokenizerSettings, token_lines, tokenize_texts

PARTS = [
    "我们研究数学",
    "加薇芯①⑧",
    "赌*博",
    "🅆X",
    "\r\n",
    "说",
    "v：ab12345",
    "，",
    "3.5%",
    "裙子",
]
TEXTS = st.lists(st.lists(st.sampled_from(PARTS), max_size=6).map("".join), max_size=4)


def _extra(texts: Sequence[str], counts: Sequence[int]) -> list[list[str]]:
    return [[f"+{len(text)}"] * min(count, 2) for text, count in zip(texts, counts, strict=True)]


@settings(deadline=None, max_examples=80)
@given(TEXTS)
@pytest.mark.parametrize(
    "plain",
    [
        TokenizerSettings(min_token_chars=1, stop_words=None, distinct=True),
        TokenizerSettings("characters", 1, None),
        TokenizerSettings(join_lines=True, extra=_extra),
        TokenizerSettings(min_token_chars=1, max_chars=7),
    ],
    ids=["distinct", "characters", "joined", "limited"],
)
def test_tokens_are_those_of_the_folded_text(plain: TokenizerSettings, texts: list[str]) -> None:
    folding = replace(plain, folding=True)
    stored = [text[: plain.max_chars] for text in texts]
    expected = token_lines(list(map(fold, stored)), [replace(plain, max_chars=None)])[0]
    unfolded = token_lines(texts, [plain])
    assert token_lines(texts, [folding])[0] == expected
    # In any company of other settings.
    assert token_lines(texts, [plain, folding, plain]) == [*unfolded, expected, *unfolded]
    assert token_lines(texts, [folding, plain]) == [expected, *unfolded]


def test_tokens_stand_where_the_stored_text_has_them() -> None:
    texts = ["数学", "我的薇芯①⑧，说赌*博", "历史"]
    (tokens,) = tokenize_texts(texts, [TokenizerSettings(min_token_chars=1, folding=True)])
    assert tokens.lines() == ["数学", "我 的 微信 18 ， 说 赌博", "历史"]
    places = tokens.places
    spans = zip(places.starts.tolist(), places.stops.tolist(), strict=True)
    owners = [number for number, of_text in enumerate(tokens) for _ in of_text]
    shown = [texts[owner][a:b] for owner, (a, b) in zip(owners, spans, strict=True)]
    assert shown == ["数学", "我", "的", "薇芯", "①⑧", "，", "说", "赌*博", "历史"]
    some = tokens.places_of([7, 0, 8])  # type: ignore[arg-type]
    assert some.starts.tolist() == [8, 0, 0] and some.lengths.tolist() == [2, 2, 2]


def test_extra_tokens_stand_at_the_end_of_the_stored_text() -> None:
    text = "研究赌*博历史"
    settings = TokenizerSettings(folding=True, extra=_extra)
    (tokens,) = tokenize_texts([text], [settings])
    assert tokens.lines() == ["研究 赌博 历史 +6 +6"]
    assert tokens.places.starts.tolist()[-2:] == tokens.places.stops.tolist()[-2:] == [7, 7]


def test_texts_without_disguise_share_their_tokens() -> None:
    plain = TokenizerSettings(min_token_chars=1)
    first, second = tokenize_texts(["树立威信", "扣扣子"], [plain, replace(plain, folding=True)])
    assert first is second


def test_formulas_are_those_of_the_stored_text() -> None:
    """Circled digits are no formula before folding, and so none after it."""
    settings = TokenizerSettings(min_token_chars=1, exempt_formulas=True, folding=True)
    circled, digits = "我的薇芯①③⑧⓪①②③④⑤⑥⑦", "我的薇芯13801234567"
    assert token_lines([circled, digits], [settings]) == [["我 的 微信 13801234567", ""]]
    joined = replace(settings, join_lines=True)
    assert token_lines(["说\n" + circled], [joined]) == [["说 我 的 微信 13801234567"]]
