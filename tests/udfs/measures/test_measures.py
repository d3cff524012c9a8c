"""All measures together: known values, a plain twin, what bounds them, and extremes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.measures.plain_measures import plain_counts, plain_measures
from tests.udfs.repair.plain_repair import mojibake_share
from udfs.lists.lexicon import Lexicon
from udfs.measures import measures as measures_module
from udfs.measures import repeated_ngrams as ngrams
from udfs.measures import repetition, text_lines
from udfs.measures.measures import measure_texts, zstd_ratio
from udfs.measures.schema import TEXT_MEASURES_ARROW_TYPE
from udfs.measures.sensitive_words import MAX_SENSITIVE_WORDS
from udfs.pii.emails import count_emails, count_urls

CATEGORIES = {"赌球": "赌博", "球": "其他", "行文": "其他"}
LEXICON = Lexicon(CATEGORIES)


def measure(text: str) -> dict[str, object]:
    return measure_texts([text], LEXICON).to_pylist()[0]


def test_known_values() -> None:
    text = "灣區2019年，A股。\n\ue000\u200b+球赌球😀\n\n- 见www.a.cn或b@c.cn…"
    row = measure(text)
    assert row.pop("zstd_ratio") == pytest.approx(1.1, abs=0.2)
    assert row.pop("mojibake_share") == mojibake_share(text) > 0
    zeros = {name: 0.0 for name in row if name.startswith("dup_")}
    assert row == {
        "chars": 40,
        "lines": 4,
        "mean_line_chars": 37 / 4,
        "mean_sentence_chars": 36 / 3,
        "han_share": 9 / 40,
        "traditional_share": 2 / 9,
        "digit_share": 4 / 40,
        "punctuation_share": 8 / 40,
        "symbol_share": 2 / 40,
        "emoji_share": 1 / 40,
        "private_use_share": 1 / 40,
        "control_share": 1 / 40,
        "function_char_share": 0.0,
        "script_share": 9 / 40,
        "words": None,
        "mean_word_chars": None,
        "stop_word_share": None,
        "sentence_end_line_share": 2 / 3,
        "bullet_line_share": 1 / 3,
        "ellipsis_line_share": 1 / 3,
        "prose_line_char_share": 0.0,
        **zeros,
        "top_2gram_char_share": 4 / 36,
        "top_3gram_char_share": 6 / 36,
        "top_4gram_char_share": 4 / 36,
        "sensitive_distinct": 2,
        "sensitive_total": 3,
        "sensitive_distinct_by_category": plain_counts({"其他": 1, "赌博": 1}),
        "sensitive_total_by_category": plain_counts({"其他": 2, "赌博": 1}),
        "sensitive_words": ["球", "赌球"],
        "url_count": 1,
        "email_count": 1,
        "casia_han_share": 9 / 40,
        "casia_traditional": True,
        "casia_dup_13gram_share": 0.0,
    }


def test_the_empty_text_is_measured_and_no_text_is_null() -> None:
    array = measure_texts(["", None, "球"], LEXICON)
    empty, absent, ball = array.to_pylist()
    assert absent is None
    assert (empty["chars"], empty["lines"], empty["han_share"]) == (0, 1, 0.0)
    of_words = {"words", "mean_word_chars", "stop_word_share"}
    assert {name for name, value in empty.items() if value is None} == of_words
    assert {name for name, value in ball.items() if value is None} == of_words
    assert measure_texts([], LEXICON).type == TEXT_MEASURES_ARROW_TYPE == array.type
    assert measure_texts([None], LEXICON).to_pylist() == [None]


def test_matched_words_are_bounded_but_counted() -> None:
    words = [chr(0x4E00 + i) for i in range(MAX_SENSITIVE_WORDS + 10)]
    lexicon = Lexicon(dict.fromkeys(words, "其他"))
    row = measure_texts(["".join(reversed(words)) * 2], lexicon).to_pylist()[0]
    assert row["sensitive_words"] == words[:MAX_SENSITIVE_WORDS]
    assert (row["sensitive_distinct"], row["sensitive_total"]) == (len(words), 2 * len(words))
    assert row["sensitive_distinct_by_category"] == plain_counts({"其他": len(words)})


pieces = st.one_of(
    st.sampled_from("汉語灣〇々㐀𠮷豈⺀1２.，。+😀\n\r\t \u3000\ue000\u200b\x00\x07é❤️"),
    st.sampled_from(["赌球", "www.a.cn", "https://b.cn/球", "a@b.cn", "行文字\n行文字\n", "\n\n"]),
    st.sampled_from(
        ["Σ", "aΣ", "İ", "ABCabc", "3.5", "a. b", "。”", "……", "...", "• 一", "哈" * 9]
    ),
    st.sampled_from(["的了我這", "这是在三十个字以前不会停下来也不会说完的一句很长很长的话。"]),
    st.sampled_from(["一二三四五六七八九十甲乙丙丁", "一二三四五六", "甲乙丙", "=" * 20]),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.lists(pieces, max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, max_size=5))
def test_measures_equal_their_plain_twins(batch: list[str]) -> None:
    for text, row in zip(batch, measure_texts(batch, LEXICON).to_pylist(), strict=True):
        assert row == {
            **plain_measures(text, CATEGORIES),
            "mojibake_share": mojibake_share(text),
            "zstd_ratio": zstd_ratio(text),
            "url_count": count_urls(text),
            "email_count": count_emails(text),
        }
        shares = [value for name, value in row.items() if name.endswith("_share")]
        assert all(value is None or 0 <= value <= 1 for value in shares)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "汉",
        "\n",
        "\n" * 3000,
        " \t\r\u3000" * 500,
        "\ue000",
        "\ue000\U000f0000\U0010fffd" * 300,
        "\u200b\ufeff" * 700,
        "\ufffd" * 1000,
        "a" * 1500,
        "汉\n" * 1000,
        "a\n\n" * 500,
        "\U0010ffff",
        "." * 800,
        "😀" * 800,
        "İ" * 700,
    ],
    ids=lambda text: ascii(text[:4]) + f"x{len(text)}",
)
def test_extremes_equal_their_plain_twins(text: str) -> None:
    batch = ["", text, "汉字。", text, ""]
    rows = measure_texts(batch, LEXICON).to_pylist()
    assert rows[0] == rows[4] == measure("")
    assert (
        rows[1]
        == rows[3]
        == {
            **rows[1],
            **plain_measures(text, CATEGORIES),
        }
    )


def test_measures_do_not_depend_on_the_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = ["球" * 30, None, "", "ΑΣ 灣\n" * 9, "行文字\n行文字\n", "a" * 50, None, "1.", "a."]
    whole = measure_texts(batch, LEXICON)
    for run, chunk in ((7, 7), (60, 7), (1000, 11)):
        monkeypatch.setattr(measures_module, "RUN_CHARS", run)
        monkeypatch.setattr(measures_module, "CHUNK_CHARS", chunk)
        assert measure_texts(batch, LEXICON).equals(whole)
    assert pa.concat_arrays([measure_texts([text], LEXICON) for text in batch]).equals(whole)


@settings(max_examples=100, deadline=None)
@given(texts, texts)
def test_long_texts_have_the_same_measures_but_for_far_repeats(one: str, other: str) -> None:
    """What says otherwise of itself aside, a long text is only measured another way."""
    batch = [other, one * 2, other]
    whole = measure_texts(batch, LEXICON)
    far = ("top_", "dup_line", "dup_paragraph", *(f"dup_{n}gram" for n in range(5, 11)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures_module, "LONG_CHARS", 20)
        patch.setattr(ngrams, "PIECE_CHARS", 20)
        patch.setattr(repetition, "HELD_WINDOWS", 4)
        patch.setattr(text_lines, "PIECE_CHARS", 20)
        cut = measure_texts(batch, LEXICON)
    for field in TEXT_MEASURES_ARROW_TYPE:
        if not field.name.startswith(far):
            assert cut.field(field.name).equals(whole.field(field.name)), field.name


_MEASURE_LONG_TEXTS = """
from resource import RUSAGE_SELF, getrusage
from udfs.lists.lexicon import Lexicon
from udfs.measures.measures import measure_texts
lexicon = Lexicon({"赌球": "赌博"})
measure_texts(["天气很好。" * 20], lexicon)  # tables and libraries
start = getrusage(RUSAGE_SELF).ru_maxrss
for text in ("".join(map(chr, range(0x20, 0xD000))) * 150, "a" * 8_000_000, "天\\n" * 4_000_000):
    measure_texts([text], lexicon)
print(getrusage(RUSAGE_SELF).ru_maxrss - start)
"""


@pytest.mark.slow
def test_long_texts_take_bounded_memory() -> None:
    """Three of 8 million characters. Most of it is for pieces, which do not grow."""
    command = [sys.executable, "-c", _MEASURE_LONG_TEXTS]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 300e6


def test_a_line_of_a_megabyte() -> None:
    line = "天气很好，风也不大。" * 100_000
    row = measure(line)
    assert (row["chars"], row["lines"], row["dup_10gram_char_share"]) == (10**6, 1, 1.0)
    assert row["mean_sentence_chars"] == 10.0
    assert row["sentence_end_line_share"] == 1.0
    assert row["dup_13gram_share"] == 1.0
    assert row["top_2gram_char_share"] == 0.2
    assert row["zstd_ratio"] < 0.01
