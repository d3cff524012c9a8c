"""The quality model's fit: what it learns, and that its file says what the regression says."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.common.linear import fit_logistic
from jobs.training.quality.fit import (
    LineSpace,
    QualityRecipe,
    TrainingLine,
    calibration,
    fit_quality,
    fold_of_examples,
    training_examples,
)
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers import quality
from udfs.tokens.shape_tokens import all_shape_tokens
from udfs.tokens.tokenizer import token_lines

RECIPE = QualityRecipe(inner_folds=2, min_lines=2, strengths=(0.02, 0.2))
WORDS = [
    "河边",
    "散步",
    "书店",
    "茶杯",
    "实验",
    "结果",
    "章节",
    "城北",
    "下午",
    "父亲",
    "邻居",
    "春天",
]


def article(rng: random.Random) -> str:
    lines = ["".join(rng.choices(WORDS, k=20)) + "，的了在是，可以再坐。" for _ in range(6)]
    return "\n".join(["旧书店 - 城北网", "首页", *lines, "版权所有"])


def junk(rng: random.Random) -> str:
    words = ["澳门", "赌场", "开户", "优惠", "彩金", "投注", "首页", "官网"]
    return "\n".join([f"赌场{rng.randrange(9)}_彩金", *(rng.choice(words) for _ in range(30))])


def documents() -> list[Document]:
    rng = random.Random(3)
    made = [(article(rng), "clean", f"a{n}.cn", "read") for n in range(12)]
    made += [(junk(rng), "dirty", f"j{n}.cn", "read") for n in range(12)]
    made += [(article(rng), "clean", f"h{n}.cn", "html") for n in range(3)]
    made += [(article(rng), "clean", f"source{n % 2}", "curated") for n in range(6)]
    made += [("不看的字", "clean", "cwt1", "cwt1")]
    lines = token_lines([text for text, *_ in made], [quality.bundled_tokenizer()])[0]
    return [
        Document(line, (label,), unit, kind, text=text, note="gambling" if label == "dirty" else "")
        for line, (text, label, unit, kind) in zip(lines, made, strict=True)
    ]


def test_a_page_never_seen_is_told_from_junk(tmp_path: Path) -> None:
    found = fit_quality(documents(), tmp_path / "quality.ftz", RECIPE)
    model = load_fasttext(tmp_path / "quality.ftz")
    assert model.labels == ("clean", "dirty")
    rng = random.Random(99)
    error = "404 Error - Not Found\n404 您访问的页面找不回来了，您可以上网查找您感兴趣的内容。"
    texts = [article(rng), junk(rng), error]
    scores = quality.score_quality(token_lines(texts, [quality.bundled_tokenizer()])[0], model)
    good, bad, stub = (record["score"] for record in scores)
    assert good > 0.8
    assert bad < 0.2
    assert stub < 0.5
    assert found["strength"] in RECIPE.strengths
    assert found["made_pages"] > 500
    first = (tmp_path / "quality.ftz").read_bytes()
    assert fit_quality(documents(), tmp_path / "again.ftz", RECIPE) == found
    assert (tmp_path / "again.ftz").read_bytes() == first


def test_real_pages_count_one_and_made_ones_less() -> None:
    examples = training_examples(documents(), RECIPE)
    real = [e for e in examples if e.weight == 1.0]
    assert len(real) == 27
    assert sum(e.is_page for e in examples) == 24
    assert {e.weight for e in examples} == {1.0, RECIPE.made_weight}
    assert not any("不看" in e.line for e in examples)


def test_examples_of_a_unit_are_in_one_inner_fold() -> None:
    examples = training_examples(documents(), RECIPE)
    folds: dict[str, set[int]] = {}
    for example, fold in zip(examples, fold_of_examples(examples, 3).tolist(), strict=True):
        folds.setdefault(example.unit, set()).add(fold)
    assert all(len(numbers) == 1 for numbers in folds.values())
    assert set.union(*folds.values()) == {0, 1, 2}


def test_token_weights_add_up_to_the_logit_of_the_regression() -> None:
    shapes = [token for token, _, _ in all_shape_tokens()][:40:3]
    examples = [
        TrainingLine(" ".join(["词", "语", *shapes[:3], "词", "新"]), True, 1.0, "a", True),
        TrainingLine(" ".join(["语", *shapes[3:]]), False, 1.0, "b", True),
    ] * 5
    space = LineSpace.of(examples, RECIPE)
    assert space.words == ("语", "新", "词")
    rows = space.rows(examples)
    truth = np.array([example.is_clean for example in examples])
    model = fit_logistic(rows, truth, strength=0.2)
    words, weights = space.token_weights(model)
    of = dict(zip(words, weights.tolist(), strict=True))
    means = [np.mean([of[token] for token in e.line.split()]) for e in examples]
    assert np.allclose(means, rows.dot(model.weights) + model.bias)


def test_a_bucket_is_a_step_on_the_one_before_it() -> None:
    space = LineSpace((), RECIPE)
    named = {(m, b): token for token, m, b in all_shape_tokens()}
    low, high = named[(0, 1), (1, 2)], named[(0, 1), (3, 2)]
    rows = space.rows(
        [TrainingLine(low, True, 1.0, "a", True), TrainingLine(high, True, 1.0, "a", True)]
    )
    columns = [set(rows.columns[rows.bounds[n] : rows.bounds[n + 1]].tolist()) for n in (0, 1)]
    assert columns[0] < columns[1]
    assert len(columns[1] - columns[0]) == 2


def test_calibration_makes_logits_those_of_shares() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    slope, offset = calibration(logits, truth)
    assert slope == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(-1, abs=0.06)
