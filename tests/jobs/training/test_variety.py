"""The task variety on lines of its own: documents, the fit, figures by source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.common.task import TrainingError
from jobs.training.variety.documents import FREE, LINES, UNSEEN, WEAK, variety_documents
from jobs.training.variety.fit import VarietyRecipe, fit_variety
from jobs.training.variety.task import (
    load_variety,
    script_figures,
    variety_answers,
    variety_figures,
)
from udfs.scorers.variety import MIN_PROBABILITY

OURS = "توا برشا ناس موش فاهمين شنوة صار زادة"
THEIRS = "دابا بزاف ديال الناس ما فاهمينش شنو وقع"
RECIPE = VarietyRecipe(bits=12)


def lines(variety: str, text: str, count: int) -> list[dict[str, Any]]:
    return [
        {"text": f"{text} {'ابتثج'[number % 5]}", "variety": variety, "script": "Arab"}
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    folder = "languages/tunisian"
    return variety_documents(
        {
            f"{folder}/tsac.jsonl.xz": lines("aeb", OURS, 20 * LINES + 3),
            f"{folder}/mac.jsonl.xz": lines("ary", THEIRS, 20 * LINES),
            f"{folder}/thsab.jsonl.xz": lines("aeb", OURS, 20 * LINES),
            f"{folder}/lhsab.jsonl.xz": lines("apc", THEIRS, 20 * LINES - 1),
            f"{folder}/barcha_yt.jsonl.xz": lines("aeb?", OURS, 20 * LINES)
            + lines("aeb?", THEIRS, 20 * LINES),
        }
    )


def test_documents_are_eight_lines_of_a_source(documents: list[Document]) -> None:
    kinds = {(d.note, d.kind, d.labels[0]) for d in documents}
    assert kinds == {
        ("tsac", FREE, "aeb_Arab"),
        ("mac", FREE, "ary_Arab"),
        ("thsab", UNSEEN, "aeb_Arab"),
        ("barcha_yt", WEAK, "aeb_Arab"),  # lhsab has fewer than 20 documents
    }
    assert {d.unit for d in documents if d.note == "tsac"} == {"tsac Arab"}
    assert len({d.unit for d in documents if d.note == "mac"}) == 5
    assert all(d.text.count("\n") == LINES - 1 for d in documents)
    # Of comments that nobody labelled, those without a specific word are left out.
    assert not any("دابا" in d.text for d in documents if d.kind == WEAK)


def test_the_fit_separates_and_repeats(documents: list[Document], tmp_path: Path) -> None:
    trained = [d for d in documents if d.kind != UNSEEN]
    files = [tmp_path / "a.hn", tmp_path / "b.hn"]
    found = fit_variety(trained, files[0], RECIPE)
    fit_variety(trained[::-1], files[1], RECIPE)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert found == {"documents_aeb_Arab": 40, "documents_ary_Arab": 20}

    model = load_variety(files[0])
    assert model.labels == ("aeb_Arab",)
    answers = variety_answers(model, found, documents)
    truth = np.array([d.labels[0] == "aeb_Arab" for d in documents])
    # The limit is where the likeliest of the others is while its part is held out.
    assert answers[truth, 0].min() > 0.999 and answers[~truth, 0].max() <= MIN_PROBABILITY

    figures = variety_figures(documents, model, answers)
    free, unseen = figures.values()
    assert (free["recall"], free["false_positives"], free["auc"]) == (1.0, 0, 1.0)
    assert free["labels"]["mac ary_Arab"]["called"] == 0.0
    assert (unseen["documents"], unseen["documents_of_others"]) == (20, 0)


def test_precision_follows_the_base_rate(documents: list[Document]) -> None:
    free = [d for d in documents if d.kind == FREE]
    truth = np.array([d.labels[0] == "aeb_Arab" for d in free])
    scores = np.where(truth, 0.995, 0.5)
    scores[np.flatnonzero(~truth)[0]] = 1.0  # one of 20
    figures = script_figures(free, truth, scores, 0.99)
    assert figures["precision"] == round(20 / 21, 4)
    assert figures["precision_at_1_in_3100"] == round(1 / (1 + 3100 / 20), 4)
    assert figures["recall_at_precision_0.99"] == 0.0


def test_documents_of_one_kind_alone_cannot_be_fitted(
    documents: list[Document], tmp_path: Path
) -> None:
    ours = [d for d in documents if d.labels[0] == "aeb_Arab"]
    with pytest.raises(TrainingError, match="a wanted variety and of another"):
        fit_variety(ours, tmp_path / "a.hn", RECIPE)
