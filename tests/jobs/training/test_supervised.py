"""The student that fastText itself trains: its lines, its file, and what it refuses."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from jobs.training.common.examples import Document
from jobs.training.common.task import TrainingError, load_model
from jobs.training.quality.supervised import (
    SETTINGS,
    SupervisedRecipe,
    fit_supervised,
    with_plain_words,
)
from udfs.scorers import quality
from udfs.scorers.fasttext_settings import tokenizer_settings
from udfs.tokens.tokenizer import TokenizerSettings

GOOD = ["记者", "报道", "天气", "散步", "周末", "公园", "湖边", "孩子"]
BAD = ["赌场", "彩金", "开户", "注册", "送金", "平台", "娱乐", "投注"]
RECIPE = SupervisedRecipe(dimensions=8, buckets=500)


def documents(count: int = 120) -> list[Document]:
    rng = random.Random(1)
    return [
        Document(
            "shape tokens of the other student",
            (quality.CLEAN if good else quality.DIRTY,),
            f"site{n}",
            "scored" if n % 3 else "read",
            text="，".join(rng.choices(GOOD if good else BAD, k=30)) + "。",
        )
        for n in range(count)
        for good in [n % 2 == 0]
    ]


def test_it_learns_words_and_leaves_its_lines(tmp_path: Path) -> None:
    path, lines = tmp_path / "quality.bin", tmp_path / "lines.txt"
    plain = with_plain_words(documents())
    found = fit_supervised(plain, path, RECIPE, teacher="t@1", lines=lines)
    assert (found["clean"], found["dirty"], found["taught_texts"]) == (60, 60, 80)
    written = lines.read_text(encoding="utf-8").splitlines()
    assert written == [f"__label__{d.labels[0]} {d.line}" for d in plain]
    assert {word for line in written for word in line.split()[1:]} == {*GOOD, *BAD}
    model = load_model(path)
    asked = [" ".join(random.Random(n).choices(GOOD if n % 2 else BAD, k=20)) for n in range(20)]
    scores = model.probabilities(asked)[:, model.column(quality.CLEAN)]
    assert scores[1::2].min() > 0.9 > 0.1 > scores[::2].max()
    again = tmp_path / "again.bin"
    fit_supervised(plain, again, RECIPE, teacher="t@1")
    assert again.read_bytes() == path.read_bytes()


def test_the_settings_that_it_prints_are_those_of_its_words() -> None:
    values = dict(setting.removeprefix("quality.").split("=") for setting in SETTINGS.split())
    assert values == {"distinct": "false", "extra_tokens": "off"}
    settings = quality.QualitySettings(distinct=False, extra_tokens=None)
    assert tokenizer_settings(settings) == TokenizerSettings()


def test_texts_of_one_label_teach_nothing(tmp_path: Path) -> None:
    clean = [d for d in with_plain_words(documents()) if d.labels[0] == quality.CLEAN]
    with pytest.raises(TrainingError, match="of 60 texts 60 are clean to t@1"):
        fit_supervised(clean, tmp_path / "quality.bin", RECIPE, teacher="t@1")
