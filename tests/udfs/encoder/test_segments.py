"""Segments: the published ones, and those that lose nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from udfs.encoder.segments import MIN_TOKENS, Span, published_segments, token_segments


def published_script(text: str) -> list[str]:
    """The published script's segments, step by step as it takes them."""
    segments = []
    begin = 0
    while begin < len(text):
        end = begin + 510
        if end < len(text) - 1:
            for index in reversed(range(begin + 1, begin + 510)):
                if text[index] == "\n" or text[index] in ".?!。！？":
                    end = index if text[index] == "\n" else index + 1
                    break
        if len(text[begin:end]) >= 200:
            segments.append(text[begin:end])
        begin = end
    return segments


def test_a_segment_ends_at_the_last_newline_or_sentence_end_of_its_window() -> None:
    text = "一" * 250 + "\n" + "二" * 200 + "，" + "三" * 300
    assert published_segments(text) == [(0, 250), (250, 752)]
    text = "一" * 250 + "？" + "二" * 600
    assert published_segments(text) == [(0, 251), (251, 761)]  # what is left has 90 characters


def test_short_segments_are_dropped_and_the_last_character_may_be_cut_off() -> None:
    assert published_segments("短文。") == []
    assert published_segments("") == []
    assert published_segments("一" * 511) == [(0, 510)]
    assert published_segments("一" * 300 + "。" + "一" * 210) == [(0, 510)]


@given(st.text(alphabet="一二\n。. ", max_size=2000))
def test_published_segments_are_those_of_the_script(text: str) -> None:
    assert [text[start:stop] for start, stop in published_segments(text)] == published_script(text)


def one_token_a_character(text: str) -> list[Span]:
    return [(place, place + 1) for place, char in enumerate(text) if not char.isspace()]


@given(st.text(alphabet="一二三四五六七八\n。 ", max_size=3000), st.sampled_from([256, 300, 510]))
def test_token_segments_hold_every_token_and_none_is_short(text: str, limit: int) -> None:
    offsets = one_token_a_character(text)
    found = token_segments(text, offsets, limit)
    assert [n for start, stop in found for n in range(start, stop)] == list(range(len(offsets)))
    sizes = [stop - start for start, stop in found]
    assert all(size <= limit for size in sizes)
    assert len(sizes) == 1 or all(size >= MIN_TOKENS for size in sizes)


def test_a_token_segment_ends_where_a_sentence_or_line_does() -> None:
    text = "一" * 390 + "。" + "二" * 300 + "\n" + "三" * 500
    spans = token_segments(text, one_token_a_character(text), 400)
    assert spans == [(0, 391), (391, 691), (691, 941), (941, 1191)]  # the last two share 500


def test_a_text_that_fits_is_one_segment_and_one_without_tokens_none() -> None:
    assert token_segments("一。二", [(0, 1), (1, 2), (2, 3)], 510) == [(0, 3)]
    assert token_segments(" \n", [], 510) == []


def test_an_end_that_only_comes_later_is_not_reached_for() -> None:
    text = "一" * 900 + "。" + "二" * 300
    spans = token_segments(text, [(n, n + 1) for n in range(len(text))], 256)
    assert spans[0] == (0, 256)
    assert max(stop - start for start, stop in spans) <= 256
    assert (spans[-1][1], [s for s, _ in spans[1:]]) == (len(text), [t for _, t in spans[:-1]])
