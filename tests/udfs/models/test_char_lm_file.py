"""ARPA and compact files: read back, and refused where they are damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.toxicity.char_lm_estimate import estimate
from tests.jobs.training.test_char_lm_estimate import lines_of
from tests.udfs.models.plain_char_lm import score_lines
from udfs.models.char_lm import CharLanguageModel
from udfs.models.char_lm_file import (
    arpa_text,
    compact_bytes,
    load_language_model,
    read_compact,
    read_language_model,
)
from udfs.models.char_lm_tables import NGramTables
from udfs.models.fasttext_file import ModelFileError

LINES = lines_of(11)
NGRAMS = estimate(LINES, 3, [1, 1, 2])
COMPACT = compact_bytes(NGRAMS)
SMALL = """\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-99\t<s>\t-0.5
-0.5\t</s>
-0.3\t甲\t-0.2
-0.8\t<unk>

\\2-grams:
-0.1\t<s> 甲
-0.2\t甲 </s>

\\end\\
"""


def table_of(ngrams: NGramTables) -> dict[tuple[str, ...], tuple[float, float]]:
    return {
        tuple(ngrams.vocabulary[word] for word in words): (log10, backoff)
        for order in ngrams.orders
        for words, log10, backoff in zip(
            order.words.tolist(), order.log10.tolist(), order.backoff.tolist(), strict=True
        )
    }


def test_an_arpa_file_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "model.arpa"
    path.write_text(arpa_text(NGRAMS), encoding="utf-8")
    read, written = table_of(read_language_model(path)), table_of(NGRAMS)
    assert read.keys() == written.keys()
    for gram, values in written.items():
        assert read[gram] == pytest.approx(values, abs=1e-5)
    assert score_lines(load_language_model(path), LINES).tolist() == pytest.approx(
        score_lines(CharLanguageModel(NGRAMS), LINES).tolist(), abs=1e-4
    )


def test_a_file_of_other_programs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.arpa"
    path.write_bytes(SMALL.replace("\n", "\r\n").replace("ngram 1=", "ngram  1 = ").encode())
    scores = score_lines(load_language_model(path), ["甲", "", "乙"])
    # 甲 begins and ends; no "<s> </s>": backoff and the end; unknown has no backoff.
    assert scores.tolist() == pytest.approx([-0.1 - 0.2, -0.5 - 0.5, -0.5 - 0.8 - 0.5], abs=1e-6)


def test_a_compact_file_keeps_the_ngrams_and_nearly_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "model.ng"
    path.write_bytes(COMPACT)
    read, written = table_of(read_language_model(path)), table_of(NGRAMS)
    assert read.keys() == written.keys()
    assert max(abs(read[gram][0] - max(-10, written[gram][0])) for gram in written) < 0.1
    own = score_lines(CharLanguageModel(NGRAMS), LINES).tolist()
    assert score_lines(load_language_model(path), LINES).tolist() == pytest.approx(own, rel=0.03)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("\\data\\", "data", "was expected"),
        ("ngram 2=2", "ngram 3=2", "among the numbers"),
        ("ngram 2=2", "ngram 2=two", "among the numbers"),
        ("ngram 2=2", "order 2=2", "among the numbers"),
        ("ngram 2=2", "ngram 2=0", "numbers of n-grams"),
        ("ngram 2=2", "ngram 2=999999999", "room for"),
        ("ngram 2=2", "ngram 2=3", "n-gram 3 of order 2"),
        ("ngram 2=2", "ngram 2=1", "was expected"),
        ("\\2-grams:", "\\3-grams:", "was expected"),
        ("<s> 甲", "<s> 甲 甲", "n-gram 1 of order 2"),
        ("<s> 甲", "<s> 乙", "n-gram 1 of order 2"),
        ("<s> 甲", "甲 </s>", "twice"),
        ("-0.1\t<s>", "x\t<s>", "n-gram 1 of order 2"),
        ("-0.1\t<s>", "nan\t<s>", "probability of order 2"),
        ("-0.1\t<s>", "0.1\t<s>", "probability of order 2"),
        ("-0.3\t甲\t-0.2", "-0.3\t甲\tinf", "probability of order 1"),
        ("-0.3\t甲\t-0.2", "-0.3\t甲\t-0.2\t1", "n-gram 3 of order 1"),
        ("-0.3\t甲\t-0.2", "-0.3 甲 -0.2", "n-gram 3 of order 1"),
        ("\\end\\\n", "", "ends before"),
        ("-0.8\t<unk>", "-0.8\t甲", "twice"),
    ],
)
def test_a_damaged_arpa_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "model.arpa"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(ModelFileError, match=said) as error:
        read_language_model(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["<s>", "甲", "乙", "丙"], "no </s>"),
        (["</s>", "甲", "乙", "丙"], "no <s>"),
        (["<s>", "</s>", "赌场", "开户", "甲"], "model of characters"),
    ],
)
def test_words_that_make_no_character_model_are_refused(
    tmp_path: Path, words: list[str], said: str
) -> None:
    path = tmp_path / "model.arpa"
    rows = "".join(f"-1\t{word}\n" for word in words)
    path.write_text(f"\\data\\\nngram 1={len(words)}\n\n\\1-grams:\n{rows}\n\\end\\\n", "utf-8")
    with pytest.raises(ModelFileError, match=said):
        read_language_model(path)


def test_an_ngram_needs_what_it_begins_and_ends_with(tmp_path: Path) -> None:
    path = tmp_path / "model.arpa"
    for missing in ("<s> 甲", "甲 甲"):
        text = SMALL.replace("\\end\\", "\\3-grams:\n-0.1\t<s> 甲 甲\n\n\\end\\")
        text = text.replace("ngram 2=2\n", "ngram 2=2\nngram 3=1\n").replace("甲 </s>", "甲 甲")
        path.write_text(text.replace(missing, "甲 </s>", 1), "utf-8")
        with pytest.raises(ModelFileError, match="begins or ends with"):
            read_language_model(path)


@pytest.mark.parametrize("content", [b"", b"\x93\xa4", b"TAOJINNG", b"\x00" * 64])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.ng"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.ng"):
        read_language_model(path)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(COMPACT) - 1))
def test_a_cut_compact_file_is_refused(size: int) -> None:
    with pytest.raises(ModelFileError):
        read_compact(COMPACT[:size], "a file")


def test_a_compact_file_ends_with_its_last_number() -> None:
    with pytest.raises(ModelFileError, match="its numbers ask for"):
        read_compact(COMPACT + b"\x00", "a file")


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(COMPACT) - 1), st.integers(1, 255))
def test_a_changed_byte_is_an_error_or_another_model(at: int, change: int) -> None:
    content = bytearray(COMPACT)
    content[at] ^= change
    try:
        ngrams = read_compact(bytes(content), "a file")
    except ModelFileError:
        return
    assert np.isfinite(score_lines(CharLanguageModel(ngrams), [*LINES, "囧"])).all()


def test_numbers_out_of_range_are_refused() -> None:
    def changed(at: int, layout: str, value: float) -> bytes:
        content = bytearray(COMPACT)
        struct.pack_into(layout, content, at, value)
        return bytes(content)

    characters = len(NGRAMS.vocabulary) - 3
    codes = 16 + 4 * 4
    unigrams = codes + 4 * characters
    levels = unigrams + 2 * (characters + 3)
    for content, said in (
        (changed(8, "<I", 2), "version 1"),
        (changed(12, "<I", 7), "version 1"),
        (changed(12, "<I", 0), "version 1"),
        (changed(16, "<I", 0xFFFFFFFF), "ask for"),
        (changed(20, "<I", 0xFFFFFFFF), "ask for"),
        (changed(codes, "<I", 0x110000), "beyond Unicode"),
        (changed(codes, "<I", ord(NGRAMS.vocabulary[4])), "character twice"),
        (changed(unigrams, "<H", characters + 3), "word number out of range"),
        (changed(unigrams, "<H", 1), "twice"),
        (changed(levels, "<f", float("nan")), "probability of order 1"),
        (changed(levels, "<f", 0.5), "probability of order 1"),
    ):
        with pytest.raises(ModelFileError, match=said):
            read_compact(content, "a file")
