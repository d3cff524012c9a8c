"""The slot for a detector of persons: objects that count, and files that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builders.images import encoded
from tests.builders.onnx_files import model, node, tensor, value_info
from udfs.base.settings import ConfigError
from udfs.image_models.persons import PERSONS, PersonsSettings, network_input
from udfs.pair_scorers.scorer import Pairs
from udfs.scorers.declaration import KnownFile

SETTINGS = PersonsSettings("mine.onnx")


def detector(folder: Path) -> Path:
    """Three objects, of labels 1, 1 and 2, whose scores are the means of red, green and blue."""
    path = folder / "mine.onnx"
    nodes = [
        node("GlobalAveragePool", ["x"], "means"),
        node("Flatten", ["means"], "scores"),
        node("Identity", ["kinds"], "labels"),
    ]
    outputs = [value_info("labels", (3,)), value_info("scores", (1, 3))]
    kinds = tensor("kinds", [1.0, 1.0, 2.0], (3,))
    path.write_bytes(model(nodes, [value_info("x", (1, 3, "h", "w"))], outputs, [kinds]))
    return path


def body_of(*colour: int) -> bytes:
    return encoded(Image.new("RGB", (30, 10), colour), "png")


def records_of(
    path: Path, settings: PersonsSettings, bodies: list[bytes]
) -> list[dict[str, object]]:
    class Files:
        def shipped(self, key: str) -> object:
            return path

    scorer = PERSONS.make(settings, Files(), {})
    count = len(bodies)
    pairs = Pairs([""] * count, [None] * count, bodies)
    return list(scorer.score(pairs, scorer.load({"artifact": path}, scorer.options)))


def test_objects_of_the_label_and_score_count(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = detector(tmp_path)
    bodies = [body_of(255, 255, 255), body_of(255, 0, 255), body_of(100, 100, 255), b"GIF89a"]
    found = records_of(path, SETTINGS, bodies)
    assert [record["persons"] for record in found] == [2, 1, 0, None]
    assert found[3]["failure"] == "undecodable"
    low = records_of(path, replace(SETTINGS, min_score=0.2), bodies)
    assert [record["persons"] for record in low] == [2, 1, 2, None]
    others = records_of(path, replace(SETTINGS, person=2), bodies)
    assert [record["persons"] for record in others] == [1, 1, 1, None]


def test_a_large_picture_is_reduced_and_keeps_its_shape() -> None:
    picture = np.full((100, 400, 3), 51, np.uint8)
    assert network_input(picture, 200).shape == (1, 3, 50, 200)
    whole = network_input(picture, 800)
    assert whole.shape == (1, 3, 100, 400) and whole.dtype == np.float32
    assert whole.max() == pytest.approx(0.2)


def test_a_file_without_such_outputs_is_refused(tmp_path: Path) -> None:
    file = {"artifact": KnownFile("mine@local", {}, detector(tmp_path))}
    PERSONS.check(SETTINGS, None, file)
    with pytest.raises(ConfigError, match=r"persons.labels = 'classes': .* labels, scores"):
        PERSONS.check(replace(SETTINGS, labels="classes"), None, file)
    with pytest.raises(ConfigError, match="needs an ONNX file"):
        PERSONS.check(PersonsSettings(), None, {})
