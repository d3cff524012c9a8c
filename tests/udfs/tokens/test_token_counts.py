"""Numbers of tokens: counts of characters beside plain ones, estimates, and a real tokenizer."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from udfs.base.code_points import TextBatch, encode_texts
from udfs.scorers.tokens import score_tokens
from udfs.tokens.token_counts import (
    TokenEstimate,
    TokenizerCounter,
    count_features,
    load_token_counter,
)
from udfs.tokens.token_files import (
    CLASSES,
    FEATURES,
    RUNS,
    TokenFileError,
    check_token_file,
    read_coefficients,
)

BUNDLED = Path(__file__).resolve().parents[3] / "conf/artifacts/token_estimate/token_estimate.json"
MEMBERS = {
    "han_common": "的中啊座",
    "han_second": "亍齄鳌",
    "han_rest": "們㐀𠮷々〇",
    "latin": "azAZéＡｚ",
    "letters": "ъかカ한ㄅก",
    "digits": "09０９",
    "ascii_marks": "!~@[",
    "wide_marks": "，。「…—“！",
    "spaces": " \t\u3000\xa0",
    "line_breaks": "\n\r",
    "other": "😀★\ue000\u200b\U000f0000",
}
CLASS_OF = {char: name for name, chars in MEMBERS.items() for char in chars}
GROUPS = {
    **dict.fromkeys(("han_common", "han_second", "han_rest"), "han_runs"),
    "latin": "latin_runs",
    "digits": "digit_runs",
    **dict.fromkeys(("spaces", "line_breaks"), "space_runs"),
}


def plain_counts(text: str) -> dict[str, int]:
    counts = dict.fromkeys(FEATURES, 0)
    for char in text:
        counts[CLASS_OF[char]] += 1
    for group, _ in groupby(text, lambda char: GROUPS.get(CLASS_OF[char])):
        if group is not None:
            counts[group] += 1
    return counts


@given(st.lists(st.text(alphabet="".join(CLASS_OF), max_size=30), max_size=5))
def test_counts_are_those_of_single_characters_and_runs(texts: list[str]) -> None:
    found = count_features(encode_texts(texts))
    rows = [dict(zip(FEATURES, row, strict=True)) for row in found.features.tolist()]
    assert rows == [plain_counts(text) for text in texts]
    assert found.utf8_bytes.tolist() == [len(text.encode()) for text in texts]


def test_every_character_has_one_class_and_gb_2312_gives_two() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    counts = dict(zip(FEATURES, count_features(encode_texts([every])).features[0], strict=True))
    assert sum(counts[name] for name in CLASSES) == len(every)
    assert (counts["han_common"], counts["han_second"]) == (3755, 3008)
    assert counts["line_breaks"] == 4 and counts["digits"] == 20


def test_an_estimate_is_linear_and_no_text_but_the_empty_one_has_none() -> None:
    coefficients = np.zeros(len(FEATURES))
    coefficients[FEATURES.index("han_common")] = 0.5
    coefficients[FEATURES.index("latin_runs")] = 1.0
    estimate = TokenEstimate(coefficients)
    assert estimate.count(["的中的中 page", "的", "!", ""]).tolist() == [3, 1, 1, 0]


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> Path:
    """Words at white space; it would cut texts to two tokens, pad them and mark their ends."""
    words = {name: number for number, name in enumerate(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "a"])}
    tokenizer = Tokenizer(models.WordLevel(words, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(pad_id=3, pad_token="[PAD]")
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def test_a_tokenizer_counts_the_text_alone_and_all_of_it(tokenizer_file: Path) -> None:
    texts = ["a b c d", "", "一 二", "x " * 200_000]
    counter = load_token_counter(tokenizer_file)
    assert isinstance(counter, TokenizerCounter)
    assert counter.count(texts).tolist() == [4, 0, 2, 200_000]
    assert score_tokens(TextBatch(["a 一", ""]), counter) == [
        {"tokens": 2, "chars": 3, "bytes": 5},
        {"tokens": 0, "chars": 0, "bytes": 0},
    ]


def test_texts_are_encoded_a_few_at_a_time(
    tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = load_token_counter(tokenizer_file)
    assert isinstance(counter, TokenizerCounter)
    sizes = []

    class Watched:
        def encode_batch_fast(self, texts: list[str], add_special_tokens: bool) -> list[str]:
            sizes.append(sum(map(len, texts)))
            return texts

    monkeypatch.setattr(counter, "tokenizer", Watched())
    counter.count(["word " * 10_000] * 20)
    assert len(sizes) == 10 and max(sizes) == 100_000


def test_the_bundled_estimate_scores_texts() -> None:
    counter = load_token_counter(BUNDLED)
    text = "江边的旧码头改成了步道，傍晚有人在那里散步。"
    (record,) = score_tokens(TextBatch([text]), counter)
    assert record["chars"] == len(text) and record["bytes"] == len(text.encode())
    assert 0.4 < record["tokens"] / len(text) < 1.0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "expected a JSON object"),
        ('{"coefficients": {"digits": 1}}', "expected one for each of other, han_common"),
        (json.dumps({"coefficients": dict.fromkeys(FEATURES, -1)}), "coefficients.other = -1"),
        (json.dumps({"coefficients": dict.fromkeys(FEATURES, True)}), "expected 0 to 1,000"),
        ('{"model": {"type": "Words"}}', "is no tokenizer.json of the library tokenizers"),
    ],
)
def test_other_files_are_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TokenFileError) as error:
        check_token_file(path)
    assert said in str(error.value) and str(path) in str(error.value)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    with pytest.raises(TokenFileError, match="cannot be read"):
        read_coefficients(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TokenFileError, match="cannot be read"):
        read_coefficients(path)


def test_runs_are_of_known_classes() -> None:
    assert set(GROUPS.values()) == set(RUNS)
