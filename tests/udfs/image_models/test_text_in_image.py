"""Text in images: drawn characters are read and compared with the text of the pair."""

from __future__ import annotations

import sys
import tomllib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.builders.images import encoded, picture
from tests.builders.onnx_files import colour_means
from tests.builders.stroke_text import sign
from udfs.base.settings import ConfigError
from udfs.files.artifacts import sha256_of
from udfs.image_models.text_in_image import (
    TEXT_IN_IMAGE,
    TextInImageSettings,
    score_pairs,
    text_overlap,
)
from udfs.image_models.text_reader import TextReader
from udfs.pair_scorers.scorer import Pairs
from udfs.scorers.declaration import KnownFile

CATALOGUE = Path(__file__).resolve().parents[3] / "conf" / "artifacts.toml"
FILES = {
    "detector": "ch_PP-OCRv4_det_infer.onnx",
    "recogniser": "ch_PP-OCRv4_rec_infer.onnx",
    "direction": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
}


def files() -> dict[str, Path]:
    package = pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
    folder = Path(package.__file__).parent / "models"
    return {key: folder / name for key, name in FILES.items()}


@lru_cache(maxsize=2)
def reader(max_side: int = 960) -> TextReader:
    scorer = TEXT_IN_IMAGE.make(TextInImageSettings(max_side=max_side), _Files(), {})
    return scorer.load(files(), scorer.options)


class _Files:
    def shipped(self, key: str) -> object:
        return key


def test_the_files_are_those_that_the_catalogue_names() -> None:
    catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    for key, path in files().items():
        (entry,) = catalogue[getattr(TextInImageSettings(), key)].values()
        assert entry["sha256"] == sha256_of(path)
    known = {key: KnownFile(f"{key}@1", {}, path) for key, path in files().items()}
    TEXT_IN_IMAGE.check(TextInImageSettings(), None, known)
    with pytest.raises(ConfigError, match=r"recogniser: .*has no property 'character'"):
        TEXT_IN_IMAGE.check(TextInImageSettings(), None, {**known, "recogniser": known["detector"]})


def test_lines_are_read_with_their_places() -> None:
    drawn = sign("中国山田", "大王上工", size=56)
    read = reader().read(np.asarray(drawn))
    assert [line.text for line in read.lines] == ["中国山田", "大王上工"]
    assert all(line.confidence > 0.9 for line in read.lines)
    for line, top in zip(read.lines, (28, 140), strict=True):
        (left, above), (right, below) = line.corners.min(axis=0), line.corners.max(axis=0)
        assert abs(left - 28) < 15 and abs(right - 28 - 4 * 1.08 * 56) < 20
        assert abs(above - top) < 15 and abs(below - top - 56) < 15
    written = 2 * 56 * 4 * 1.08 * 56 / (480 * 320)
    assert read.covered == pytest.approx(written, rel=0.25)


def test_upside_down_text_is_read() -> None:
    read = reader().read(np.asarray(sign("中国山田").rotate(180)))
    assert [line.text for line in read.lines] == ["中国山田"]


def test_a_large_picture_is_reduced_first() -> None:
    drawn = np.asarray(sign("中国山田", size=170, width=1440, height=960))
    small, large = reader(480).read(drawn), reader().read(drawn)
    assert (
        [line.text for line in small.lines] == [line.text for line in large.lines] == ["中国山田"]
    )
    assert small.lines[0].corners.max() <= 480 < large.lines[0].corners.max()
    assert small.covered == pytest.approx(large.covered, rel=0.2)


@pytest.mark.parametrize("size", [(1, 1), (900, 1), (1, 900), (3, 4000), (20, 20), (700, 16)])
def test_narrow_and_tiny_pictures_are_read_within_bounds(size: tuple[int, int]) -> None:
    read = reader().read(np.asarray(picture(*size)))
    assert 0.0 <= read.covered <= 1.0


def test_a_picture_without_text_has_an_empty_one() -> None:
    (record,) = score_pairs(
        Pairs(["a"], ["红色的墙"], [encoded(Image.new("RGB", (300, 200), "red"), "jpeg")]), reader()
    )
    assert record == {
        "image_text": "", "lines": 0, "confidence": None, "covered": 0.0, "overlap": 0.0,
        "failure": None,
    }  # fmt: skip


def test_each_pair_has_its_own_overlap_whatever_the_batch() -> None:
    body, plain = encoded(sign("中国山田", "大王上工"), "png"), encoded(picture(), "png")
    pairs = [
        ("中國山田，大王上工！", body, 1.0),
        ("中国的冬天", body, 0.4),
        ("雨后的石桥", body, 0.0),
        ("中国山田", plain, 0.0),
        ("中国山田", b"\x89PNG", None),
    ]

    def scored(order: list[int]) -> list[dict[str, object]]:
        texts, bodies, _ = zip(*(pairs[number] for number in order), strict=True)
        return list(score_pairs(Pairs([""] * len(order), texts, bodies), reader()))

    records = scored([0, 1, 2, 3, 4])
    assert [record["overlap"] for record in records] == [overlap for *_, overlap in pairs]
    assert records[0]["image_text"] == "中国山田\n大王上工"
    assert records[4] == dict.fromkeys(TEXT_IN_IMAGE.result_type.fieldNames()) | {
        "failure": "undecodable"
    }
    order = [3, 0, 4, 2, 1]
    assert scored(order) == [records[number] for number in order]


@given(st.text(alphabet="中国山田大王Aａb1 ，\n", max_size=30), st.text(max_size=30))
def test_overlap_is_a_share_and_1_for_what_is_written(text: str, before: str) -> None:
    assert 0.0 <= text_overlap(text, before) <= 1.0
    has_letters = any(map(str.isalnum, text))
    assert text_overlap(text, f"王{text}国") == float(has_letters)
    assert text_overlap(text, "") == 0.0


def test_a_file_that_is_no_network_is_a_wrong_setting(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(colour_means((1, 3)))
    known = {"detector": KnownFile("mine@1", {}, path)}
    with pytest.raises(ConfigError, match=r"text_in_image\.detector: .*with four axes"):
        TEXT_IN_IMAGE.check(TextInImageSettings(), None, known)


def test_a_picture_is_read_as_it_is_shown() -> None:
    drawn = sign("中国山田").rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = sign("大王上工").convert("RGBA")
    clear.putalpha(clear.convert("L").point(lambda shade: 255 if shade < 128 else 0))
    black = Image.new("RGBA", clear.size, (0, 0, 0, 0))
    black.paste(clear, mask=clear.getchannel("A"))
    bodies = [encoded(drawn, "jpeg", exif=exif), encoded(black, "png")]
    records = score_pairs(Pairs(["", ""], ["", ""], bodies), reader())
    assert [record["image_text"] for record in records] == ["中国山田", "大王上工"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(error: ImportError) -> None:
        class Finder:
            def find_spec(self, name: str, path: object = None, target: object = None) -> None:
                if name == "cv2":
                    raise error

        monkeypatch.setattr("sys.meta_path", [Finder(), *sys.meta_path])
        monkeypatch.delitem(sys.modules, "cv2", raising=False)

    missing(ModuleNotFoundError("No module named 'cv2'", name="cv2"))
    with pytest.raises(ModuleNotFoundError, match=r'pip install "taojin\[ocr\]"'):
        TextReader(Path("a"), Path("b"), Path("c"), 960)
    missing(ImportError("libGL.so.1: cannot open shared object file"))
    with pytest.raises(ImportError, match=r"libGL\.so\.1: .*libgl1"):
        TextReader(Path("a"), Path("b"), Path("c"), 960)
