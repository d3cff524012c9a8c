"""The register model: labels of its data, and what it learns of translations and documents."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.common.task import TrainingError
from jobs.training.register.fit import ORIGINALS, READ, SILVER, RegisterRecipe, fit_register
from jobs.training.register.labels import digest_of, read_readings, registers_of
from jobs.training.register.task import figures_of_labels, register_figures
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers.register import REGISTERS, SUBREGISTERS

RECIPE = RegisterRecipe(min_documents=10, min_lines=2)
WORDS = {
    ("NA", "ne"): "记者 报道 昨天",
    ("IP", "ds"): "订购 优惠 产品",
    ("HI",): "步骤 首先 洗净",
    ("NA", "sr"): "比分 球队 进球",
}
SHARED = [f"词{number}" for number in range(40)]


def documents(kind: str, count: int, words: dict[tuple[str, ...], str]) -> list[Document]:
    rng = random.Random(f"{kind} {count}")
    return [
        Document(
            " ".join([*rng.sample(SHARED, 6), *rng.sample(own.split(), 2)]),
            labels, kind if kind != ORIGINALS else f"original {n}", kind,
        )
        for n in range(count)
        for labels, own in [list(words.items())[n % len(words)]]
    ]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> FastTextModel:
    path = tmp_path_factory.mktemp("register") / "register.ftz"
    few = documents(SILVER, 3, {("NA", "nb"): "日记 心情 今天"})
    learnt = [*documents(SILVER, 80, WORDS), *few, *documents(ORIGINALS, 12, WORDS)]
    found = fit_register(learnt, path, RECIPE)
    assert (found["documents_silver"], found["documents_originals"]) == (83, 12)
    fit_register(learnt, path.with_name("again.ftz"), RECIPE)
    assert path.read_bytes() == path.with_name("again.ftz").read_bytes()
    return load_fasttext(path)


def test_labels_are_all_main_ones_and_sub_labels_of_enough_translations(
    model: FastTextModel,
) -> None:
    assert set(model.labels) == {*REGISTERS, "ne", "ds", "sr"}


def test_each_register_is_known_by_its_words(model: FastTextModel) -> None:
    for labels, words in WORDS.items():
        row = model.probabilities([f"{words} 词1 词2"])[0]
        found = {label for label, p in zip(model.labels, row, strict=True) if p > 0.5}
        assert found == set(labels)


def test_documents_change_what_translations_taught(tmp_path: Path) -> None:
    path = tmp_path / "register.ftz"
    other = documents(READ, 12, {("OP",): "产品 优惠 订购"})
    fit_register([*documents(SILVER, 80, WORDS), *other], path, RECIPE)
    model = load_fasttext(path)
    opinion = model.column("OP")
    assert model.probabilities(["产品 优惠 词1"])[0, opinion] > 0.5
    assert model.probabilities(["步骤 首先 词1"])[0, opinion] < 0.5


def test_a_label_of_hardly_any_document_stays_as_translations_taught_it(tmp_path: Path) -> None:
    path = tmp_path / "register.ftz"
    one = documents(ORIGINALS, 3, {("OP",): "产品 优惠 订购"})
    fit_register([*documents(SILVER, 80, WORDS), *one, *documents(READ, 40, WORDS)], path, RECIPE)
    model = load_fasttext(path)
    assert model.probabilities(["产品 优惠 词1"])[0, model.column("OP")] < 0.1


def test_both_kinds_of_documents_are_needed(tmp_path: Path) -> None:
    for kind in (SILVER, ORIGINALS):
        with pytest.raises(TrainingError, match="both needed"):
            fit_register(documents(kind, 8, WORDS), tmp_path / "register.ftz", RECIPE)


def test_figures_name_support_and_what_is_not_validated(model: FastTextModel) -> None:
    asked = documents(ORIGINALS, 80, WORDS)
    figures = register_figures(asked, model, model.probabilities([d.line for d in asked]))
    main, sub = figures.values()
    assert main["micro_f1"] == 1.0 == main["macro_f1"] and main["labels_a_document"] == 1.0
    assert main["macro_f1_of_labels_with_5"] == main["macro_f1_of_labels_with_20"] == 1.0
    assert main["labels"]["NA"]["rows"] == 40 and main["labels"]["NA"]["validated"] == "yes"
    assert main["labels"]["SP"]["rows"] == 0 and main["labels"]["SP"]["validated"] == "no"
    assert set(sub["labels"]) == {"ne", "ds", "sr"}


def test_macro_f1_is_over_labels_of_enough_documents() -> None:
    counts = {"NA": 20, "IN": 5, "SP": 1}
    asked = [d for x, n in counts.items() for d in documents(ORIGINALS, n, {(x,): "a b"})]
    given = np.zeros((26, 4), dtype=np.bool_)
    given[:20, 0] = given[20:23, 1] = given[23:, 0] = True
    found = figures_of_labels(asked, ["NA", "IN", "SP", "LY"], given)
    of_na, of_in = 40 / 43, 6 / 8
    assert found["micro_f1"] == pytest.approx(46 / 52, abs=1e-4)
    assert found["macro_f1"] == pytest.approx((of_na + of_in) / 3, abs=1e-4)
    assert found["macro_f1_of_labels_with_5"] == pytest.approx((of_na + of_in) / 2, abs=1e-4)
    assert found["macro_f1_of_labels_with_20"] == pytest.approx(of_na, abs=1e-4)
    only_sp = figures_of_labels(asked[25:], ["SP"], given[25:, 2:3])
    assert only_sp["macro_f1"] == 0.0 and only_sp["macro_f1_of_labels_with_5"] is None


def test_codes_of_all_corpora_become_registers() -> None:
    assert registers_of("NA OP NE OB") == ("NA", "OP", "ne", "ob")
    assert registers_of("DS IG") == ("IP", "ds")
    assert registers_of("MT OS RV OP") == ("MT", "OP", "rv")
    assert registers_of("") == registers_of("none") == ("none",)


def test_readings_name_texts_by_digest_and_known_registers(tmp_path: Path) -> None:
    readings = read_readings()
    known = {*REGISTERS, *SUBREGISTERS, "none"}
    assert len(readings) > 300 and all(len(digest) == 16 for digest in readings)
    assert all(set(labels) <= known for labels in readings.values())
    path = tmp_path / "readings.tsv"
    path.write_text(f"# ours\n{digest_of('一篇')}\tOP rv\n", encoding="utf-8")
    assert read_readings(path) == {digest_of("一篇"): ("OP", "rv")}
