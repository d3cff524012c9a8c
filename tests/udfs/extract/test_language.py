"""Language identification with a model trained here, on sentences made here."""

from __future__ import annotations

import random
from pathlib import Path

import fasttext
import pytest

from udfs.extract.language import (
    UNDETERMINED,
    LanguageModel,
    SampleSize,
    load_language_model,
    sample_text,
)

SENTENCES = {
    "zh": "我们 今天 学习 中文 天气 很好 图书馆 开放 时间 读者 可以 借书 记者 现场 看到",
    "en": "we learn english today the weather is fine library opens early readers borrow",
    "ja": "きょうは いい てんき です としょかん で ほんを よみます あした また きます",
}
WORDS = {label: sentence.split() for label, sentence in SENTENCES.items()}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder = tmp_path_factory.mktemp("language")
    chance = random.Random(5)
    lines = [
        f"__label__{label} {' '.join(chance.choices(words, k=8))}"
        for _ in range(200)
        for label, words in WORDS.items()
    ]
    (folder / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    trained = fasttext.train_supervised(
        str(folder / "train.txt"), dim=8, epoch=10, minn=1, maxn=2, bucket=2000, thread=1, verbose=0
    )
    trained.save_model(str(folder / "model.bin"))
    return load_language_model(folder / "model.bin")


def test_each_text_gets_its_label_in_order(model: LanguageModel) -> None:
    texts = [SENTENCES["ja"], SENTENCES["zh"], "", SENTENCES["en"], SENTENCES["zh"]]
    assert [label for label, _ in model.identify(texts)] == ["ja", "zh", UNDETERMINED, "en", "zh"]
    assert all(0.0 <= score <= 1.0 for _, score in model.identify(texts * 20))


@pytest.mark.parametrize("text", ["", " \n\t ", "12345 +-*/ 67", "\x00\x00", "。，！？", "____"])
def test_a_text_without_letters_is_undetermined(model: LanguageModel, text: str) -> None:
    assert model.identify([text]) == [(UNDETERMINED, 0.0)]


def test_no_text_at_all(model: LanguageModel) -> None:
    assert model.identify([]) == []


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\x00", "\u2028", "\n\n\n", "\ud800"])
def test_line_breaks_nul_and_surrogates_do_no_harm(model: LanguageModel, breaks: str) -> None:
    text = breaks + breaks.join(WORDS["zh"]) + breaks
    label, score = model.identify([text])[0]
    assert (label, score > 0.5) == ("zh", True)


def test_a_batch_gives_what_single_texts_give(model: LanguageModel) -> None:
    texts = [SENTENCES["zh"], "", SENTENCES["en"], SENTENCES["ja"] * 300]
    assert model.identify(texts) == [model.identify([text])[0] for text in texts]


def test_a_long_text_is_judged_on_its_whole_length(model: LanguageModel) -> None:
    menu = SENTENCES["en"] + " "
    assert model.identify([menu * 2 + SENTENCES["zh"] * 400])[0][0] == "zh"
    assert model.identify([SENTENCES["zh"] * 400 + menu * 2])[0][0] == "zh"


def test_samples() -> None:
    assert sample_text(" 短 \n 文 ", 5, 200) == "短 文"
    text = "".join(chr(0x4E00 + number % 5000) for number in range(10_000))
    sample = sample_text(text, 5, 200)
    assert sample == sample_text(text, 5, 200)
    assert len(sample) == 1004
    assert sample.startswith(text[:200])
    assert sample.endswith(text[-200:])
    assert text[4900:5100] in sample
    assert sample_text(text, 1, 300) == text[:300]
    assert sample_text(text[:1000], 5, 200) == text[:1000]


class Classifier:
    """Says what is written in the text, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def predict(self, lines: list[str], k: int) -> tuple[list[list[str]], list[list[float]]]:
        self.asked += lines
        sure = ["sure" in line for line in lines]
        return [["__label__zh" if s else "__label__en"] for s in sure], [
            [0.96 if s else 0.5] for s in sure
        ]


def test_only_a_doubtful_text_that_goes_on_is_looked_at_again() -> None:
    short, sure, doubtful = "doubt", "sure " * 30, "doubt " * 30
    digits = "1" * 100 + "doubt" + "1" * 101  # no letter in the first look
    late = "doubt " * 10 + "_sure_" + "doubt " * 10
    classifier = Classifier()
    model = LanguageModel(classifier, [SampleSize(2, 10, 0.95), SampleSize(7, 25, 0.0)])
    assert model.identify([short, sure, doubtful, digits, late]) == [
        ("en", 0.5), ("zh", 0.96), ("en", 0.5), ("en", 0.5), ("zh", 0.96),
    ]  # fmt: skip
    glances = [sample_text(text, 2, 10) for text in (short, sure, doubtful, late)]
    assert classifier.asked == glances + [
        sample_text(text, 7, 25) for text in (doubtful, digits, late)
    ]


def test_a_missing_file_and_a_file_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.ftz"):
        load_language_model(tmp_path / "nowhere.ftz")
    (tmp_path / "text.ftz").write_text("no model")
    with pytest.raises(ValueError):
        load_language_model(tmp_path / "text.ftz")
