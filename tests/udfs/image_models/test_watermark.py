"""The slot for a watermark network: inputs as the settings say, and files that do not fit them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builders.images import encoded, image_bytes
from tests.builders.onnx_files import colour_means
from udfs.base.settings import ConfigError
from udfs.image_models.watermark import WATERMARK, WatermarkSettings, network_input
from udfs.pair_scorers.scorer import Pairs
from udfs.scorers.declaration import KnownFile

PLAIN = WatermarkSettings("mine.onnx", side=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def written(folder: Path, body: bytes) -> Path:
    path = folder / "mine.onnx"
    path.write_bytes(body)
    return path


def scores(path: Path, settings: WatermarkSettings, bodies: list[bytes]) -> list[dict[str, object]]:
    class Files:
        def shipped(self, key: str) -> object:
            return path

    scorer = WATERMARK.make(settings, Files(), {})
    assert scorer.files == (("artifact", path),)
    model = scorer.load({"artifact": path}, scorer.options)
    count = len(bodies)
    return list(scorer.score(Pairs([""] * count, [None] * count, bodies), model))


def test_scores_are_those_of_the_output_that_is_named(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = written(tmp_path, colour_means(weights=(1.0, 2.0, 4.0)))
    body = encoded(Image.new("RGB", (30, 10), (255, 0, 51)), "png")  # means 1, 0, 0.2
    for output, expected in enumerate([1.0, 0.0, 0.8]):
        settings = replace(PLAIN, output=output, activation="none")
        (record,) = scores(path, settings, [body])
        assert record == {"watermark": pytest.approx(expected), "failure": None}
    (record,) = scores(path, PLAIN, [body])
    assert record["watermark"] == pytest.approx(np.exp(1) / (np.exp(1) + 1 + np.exp(0.8)))
    (record,) = scores(path, replace(PLAIN, activation="sigmoid"), [body])
    assert record["watermark"] == pytest.approx(1 / (1 + np.exp(-1)))


def test_channels_may_be_last(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    settings = WatermarkSettings(side=8)
    first = network_input(picture, settings, channels_last=False)
    last = network_input(picture, settings, channels_last=True)
    assert (first.shape, last.shape) == ((3, 8, 8), (8, 8, 3))
    assert (first.transpose(1, 2, 0) == last).all()
    assert last[2, 5] == pytest.approx(
        (picture[2, 5] / 255 - np.array(settings.mean)) / np.array(settings.std), abs=1e-5
    )
    path = written(tmp_path, colour_means((1, 8, 8, 3), weights=[1.0] * 8))  # means of rows
    rows = Image.fromarray(np.repeat(np.arange(0, 240, 30, np.uint8), 8).reshape(8, 8))
    (record,) = scores(path, replace(PLAIN, output=5, activation="none"), [encoded(rows, "png")])
    assert record["watermark"] == pytest.approx(150 / 255)


def test_an_image_is_scored_as_without_its_batch(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = written(tmp_path, colour_means())
    bodies = [image_bytes("png", number=number) for number in (0, 1, 1, 2, 0)]
    bodies.insert(3, b"GIF89a")
    together = scores(path, PLAIN, bodies)
    assert together[3] == {"watermark": None, "failure": "undecodable"}
    assert together == [record for body in bodies for record in scores(path, PLAIN, [body])]
    assert len({record["watermark"] for record in together}) == 4


@pytest.mark.parametrize(
    ("shape", "settings", "said"),
    [
        (("batch", 3, 8, 8), WatermarkSettings(), r'artifact = "off": .* needs an ONNX file'),
        (("batch", 3, 8, 8), replace(PLAIN, side=9), r"side = 9: the input of .* 3, 8, 8\]"),
        ((1, 8, 8, 3), replace(PLAIN, side=9), r"side = 9: the input"),
        ((4, 3, 8, 8), PLAIN, r"takes 4 pictures a call, expected 1"),
        (("batch", 3, 8, 8), replace(PLAIN, output=3), r"output = 3: .* outputs of \[3\]"),
        (("batch", 3), PLAIN, r"expected one input of 32-bit floats with four axes"),
    ],
)
def test_a_file_that_does_not_fit_is_a_wrong_setting(
    tmp_path: Path, shape: tuple[int | str, ...], settings: WatermarkSettings, said: str
) -> None:
    path = written(tmp_path, colour_means(shape))
    with pytest.raises(ConfigError, match=said):
        WATERMARK.check(settings, None, {"artifact": KnownFile("mine@1", {}, path)})


def test_files_that_fit_pass(tmp_path: Path) -> None:
    for shape in (("batch", 3, 8, 8), (1, "height", "width", 3), ("n", 3, "h", "w")):
        path = written(tmp_path, colour_means(shape))
        WATERMARK.check(PLAIN, None, {"artifact": KnownFile("mine@1", {}, path)})


def test_colours_have_three_numbers() -> None:
    with pytest.raises(ConfigError, match=r"watermark\.std = \[1\.0\]: expected three numbers"):
        WatermarkSettings(std=(1.0,))
