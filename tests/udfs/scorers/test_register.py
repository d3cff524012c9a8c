"""Registers: labels and probabilities of a model's answers, and what does not fit the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pyspark.sql import SparkSession

from jobs.training.common.fasttext_writer import write_linear_model
from udfs.base.settings import ConfigError
from udfs.models.fasttext_model import FastTextModel
from udfs.scorers.declaration import KnownFile
from udfs.scorers.register import (
    REGISTER,
    RESULT_TYPE,
    RegisterLimits,
    RegisterRules,
    RegisterSettings,
    score_registers,
)

ANSWERS = {
    "报道": {"IP": 0.1, "NA": 0.9, "OP": 0.4, "ne": 0.95, "rv": 0.41},
    "平": {"IP": 0.2, "NA": 0.2, "OP": 0.1, "ne": 0.6, "rv": 0.7},
    "": {"IP": 0.5, "NA": 0.5, "OP": 0.5, "ne": 0.5, "rv": 0.5},
}


class Answering:
    """Stands for a model: a row of probabilities for each line."""

    labels = ("IP", "NA", "OP", "ne", "rv")

    def probabilities(self, lines: Sequence[str]) -> Any:
        return np.array([list(ANSWERS[line].values()) for line in lines])


def scored(lines: Sequence[str], rules: RegisterRules | None = None) -> list[dict[str, Any]]:
    return score_registers(lines, cast(FastTextModel, Answering()), rules)


def test_every_probability_is_kept_beside_the_labels() -> None:
    (found,) = scored(["报道"])
    assert found["single_label"] == "NA"
    assert found["multi_label"] == ["NA", "OP"]
    assert found["sub_labels"] == ["ne", "rv"]
    assert {p["label"]: p["probability"] for p in found["probabilities"]} == ANSWERS["报道"] | {
        "ne": 0.9,  # as likely as NA, which it implies
        "rv": 0.4,
    }
    assert list(found) == RESULT_TYPE.fieldNames()


def test_the_likeliest_label_is_given_however_low_it_is() -> None:
    (found,) = scored(["平"])
    assert (found["single_label"], found["multi_label"]) == ("IP", ["IP"])
    assert found["sub_labels"] == []


def test_a_label_may_have_its_own_least_probability() -> None:
    (found,) = scored(["报道"], RegisterRules(0.95, {"rv": 0.3, "OP": 0.2}))
    assert found["multi_label"] == ["NA", "OP"]
    assert found["sub_labels"] == ["rv"]


def test_a_text_without_a_token_has_no_label() -> None:
    (found,) = scored([""])
    assert found["single_label"] is None
    assert found["multi_label"] == found["sub_labels"] == []
    assert {p["probability"] for p in found["probabilities"]} == {0.0}


def known(tmp_path: Path, labels: Sequence[str]) -> dict[str, KnownFile]:
    path = tmp_path / "model.ftz"
    write_linear_model(path, ["词"], labels, np.ones((1, len(labels))), np.eye(len(labels)), "ova")
    return {"artifact": KnownFile("mine", {}, path)}


@pytest.mark.parametrize(
    ("labels", "settings", "limits", "said"),
    [
        (["NA", "blog"], {}, {}, r"register.artifact: the model's label 'blog' is no register"),
        (["ne"], {}, {}, "register.artifact: the model has no main label"),
        (["NA"], {}, {"registers": ("NB",)}, "select.registers: no register 'NB'; known .* NA"),
        (["NA"], {}, {"registers": ("IP",)}, "select.registers: no register 'IP'; known .* NA"),
        (["NA"], {"min_probabilities": {"x": 0.1}}, {}, "register.min_probabilities: no .* 'x'"),
    ],
)
def test_what_does_not_fit_the_model_is_named(
    tmp_path: Path, labels: list[str], settings: Any, limits: Any, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        REGISTER.check(
            RegisterSettings(**settings), RegisterLimits(**limits), known(tmp_path, labels)
        )


def test_a_model_and_its_labels_are_accepted(tmp_path: Path) -> None:
    limits = RegisterLimits(registers=("ne", "NA"))
    REGISTER.check(RegisterSettings(), limits, known(tmp_path, ["NA", "ne"]))


def test_documents_of_other_registers_are_rejected(spark: SparkSession) -> None:
    (rejection,) = REGISTER.rejections
    scores = spark.createDataFrame(
        [(row["single_label"], row["multi_label"], row["sub_labels"], row["probabilities"])
         for row in scored(["报道", "平", ""])],
        RESULT_TYPE,
    )  # fmt: skip

    def rejected(*labels: str) -> list[bool]:
        found = scores.select(rejection.holds(scores, labels).alias("out")).collect()
        return [row.out for row in found]

    assert rejected("OP") == [False, True, True]
    assert rejected("rv", "IP") == [False, False, True]
    assert rejected("MT") == [True, True, True]
