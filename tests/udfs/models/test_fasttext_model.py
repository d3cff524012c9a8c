"""The fastText wrapper: header checks, fixed label order, lines that do not touch each other."""

import struct
from pathlib import Path

import fasttext
import numpy as np
import pytest

from udfs.models.fasttext_model import FastTextModel, ModelFileError, load_fasttext

SETTINGS = {"dim": 8, "bucket": 2000, "wordNgrams": 2, "thread": 1, "seed": 1, "verbose": 0}
LINES = ["贷款 股票", "球队 比赛", "从未 见过 词语", "", "股票 比赛 贷款", "球队"]


def train(folder: Path, loss: str, name: str = "model.bin") -> Path:
    text = folder / "lines.txt"
    # The label that sorts last comes first and most often, so that fastText's order is another.
    text.write_text(
        "__label__sport 球队 比赛 进球\n" * 60
        + "__label__money 股票 基金 贷款\n" * 50
        + "__label__art 绘画 展览 颜色\n" * 40,
        encoding="utf-8",
    )
    model = fasttext.train_supervised(input=str(text), loss=loss, epoch=20, lr=0.5, **SETTINGS)
    model.save_model(str(folder / name))
    return folder / name


@pytest.fixture(params=["softmax", "ova"])
def model_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return train(tmp_path, request.param)


def test_columns_are_the_labels_in_sorted_order(model_path: Path) -> None:
    model = load_fasttext(model_path)
    assert model.labels == ("art", "money", "sport")
    table = model.probabilities(LINES)
    assert table.shape == (6, 3)
    assert table.dtype == np.float64
    assert ((table >= 0) & (table <= 1)).all()
    assert table[0].argmax() == model.column("money")
    assert table[1].argmax() == model.column("sport")


def test_a_line_is_answered_the_same_in_any_company(model_path: Path) -> None:
    model = load_fasttext(model_path)
    together = model.probabilities(LINES)
    alone = np.vstack([model.probabilities([line]) for line in LINES])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(model.probabilities(LINES[::-1]), together[::-1])


def test_softmax_rows_sum_to_one(tmp_path: Path) -> None:
    table = load_fasttext(train(tmp_path, "softmax")).probabilities(LINES)
    np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-4)


def test_an_empty_line_and_no_line_at_all(model_path: Path) -> None:
    model = load_fasttext(model_path)
    assert model.probabilities([]).shape == (0, 3)
    empty = model.probabilities(["", ""])
    np.testing.assert_array_equal(empty[0], empty[1])
    assert 0 < empty[0].max() < 0.9


def test_a_model_that_answers_nothing_gives_every_label_its_share() -> None:
    class Mute:
        def get_labels(self) -> list[str]:
            return ["__label__b", "__label__a"]

        def predict(self, lines: list[str], k: int) -> tuple[list[list[str]], list[list[float]]]:
            return [[] for _ in lines], [[] for _ in lines]

    assert FastTextModel(Mute()).probabilities(["数学"]).tolist() == [[0.5, 0.5]]


def test_a_line_break_is_refused(model_path: Path) -> None:
    with pytest.raises(ValueError, match="one line at a time"):
        load_fasttext(model_path).probabilities(["贷款\n股票"])


def test_an_unknown_label_names_the_known_ones(model_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no label 'clean'.*art, money, sport"):
        load_fasttext(model_path).column("clean")


def test_a_file_is_loaded_once_a_process(model_path: Path) -> None:
    assert load_fasttext(model_path) is load_fasttext(model_path)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.ftz"
    path.write_text("这不是模型" * 100, encoding="utf-8")
    with pytest.raises(ModelFileError, match="is not a fastText model"):
        load_fasttext(path)


def test_a_cut_header_is_refused(model_path: Path) -> None:
    model_path.write_bytes(model_path.read_bytes()[:40])
    with pytest.raises(ModelFileError, match="too few"):
        load_fasttext(model_path)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (1, 99, "format 99"),
        (2, 0, "implausible"),
        (2, 10**6, "implausible"),
        (9, 1, "not a supervised"),
        (10, -5, "implausible"),
    ],
)
def test_an_implausible_header_is_refused(
    tmp_path: Path, position: int, value: int, message: str
) -> None:
    path = train(tmp_path, "softmax")
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, 4 * position, value)
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        load_fasttext(path)


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_fasttext(tmp_path / "none.ftz")
