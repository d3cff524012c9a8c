"""Headers of ONNX files: inputs and outputs as ONNX Runtime sees them; other files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.onnx_files import colour_means, field, model, tensor, value_info
from udfs.base.settings import ConfigError
from udfs.image_models.onnx_file import OnnxFileError, checked_header, read_onnx_header
from udfs.scorers.declaration import KnownFile


def written(folder: Path, body: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(body)
    return path


def test_inputs_and_outputs_are_those_that_onnx_runtime_sees(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    path = written(tmp_path, colour_means(("batch", 3, 8, 8)))
    header = read_onnx_header(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for found, of_session in ((header.inputs, session.get_inputs()),
                              (header.outputs, session.get_outputs())):  # fmt: skip
        assert [(one.name, list(one.shape)) for one in found] == [
            (one.name, one.shape) for one in of_session
        ]
        assert all(one.is_float for one in found)


def test_a_length_that_is_not_stated_is_none(tmp_path: Path) -> None:
    minus_one = (1 << 64) - 1
    body = model([], [value_info("x", (minus_one, 3, 0, "wide"))], [])
    assert read_onnx_header(written(tmp_path, body)).inputs[0].shape == (None, 3, None, "wide")


def test_what_the_file_gives_a_value_is_no_input(tmp_path: Path) -> None:
    inputs = [value_info("x", (1, 3)), value_info("weights", (3,))]
    body = model([], inputs, [], [tensor("weights", (1, 2, 3), (3,))], [("character", "中\n国")])
    header = read_onnx_header(written(tmp_path, body))
    assert [one.name for one in header.inputs] == ["x"]
    assert header.properties == {"character": "中\n国"}


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    outside = tensor("weights", (), (3,)) + field(
        13, field(1, "location") + field(2, "/etc/passwd")
    )
    body = model([], [value_info("x", (1, 3))], [], [outside + field(14, 1)])
    with pytest.raises(OnnxFileError, match="weights in other files"):
        read_onnx_header(written(tmp_path, body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80\x02}q\x00.",
        b"<html></html>",
        b"\xff" * 40,
        colour_means()[:-9],
        field(7, field(11, field(1, b"\xff\xfe"))),
        field(7, b"") * 2,
    ],
    ids=["empty", "pickle", "html", "ones", "cut", "name", "two graphs"],
)
def test_what_is_no_model_is_named(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(OnnxFileError, match=r"model\.onnx: is not an ONNX model"):
        read_onnx_header(written(tmp_path, body))


def test_a_network_of_other_inputs_is_a_wrong_setting(tmp_path: Path) -> None:
    path = written(tmp_path, model([], [value_info("x", (1, 3), kind=7)], []))
    files = {"artifact": KnownFile("mine@1", {}, path)}
    with pytest.raises(ConfigError, match=r"nsfw\.artifact: .*its inputs: x \[1, 3\]"):
        checked_header("nsfw", "artifact", files)
    assert checked_header("nsfw", "artifact", {"artifact": KnownFile("mine@1", {}, None)}) is None
