"""Models of the CLIP family: equal to transformers one by one, whatever else is in a batch."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='not installed: pip install "taojin[pairs]"')

from transformers import AutoConfig, AutoModel, AutoTokenizer  # noqa: E402

from tests.builders.dual_encoders import (  # noqa: E402
    CHARACTERS,
    CONTEXT,
    FAMILIES,
    folder_of,
    packed_of,
)
from tests.builders.images import encoded, image_bytes, picture  # noqa: E402
from udfs.alignment.alignment import (  # noqa: E402
    ALIGNMENT,
    AlignmentSettings,
    load,
    score_alignment,
)
from udfs.alignment.dual_encoder import DualEncoder  # noqa: E402
from udfs.alignment.image_processor import ProcessorError, image_processor  # noqa: E402
from udfs.base.settings import ConfigError  # noqa: E402
from udfs.pair_scorers.pixels import shown_image  # noqa: E402
from udfs.pair_scorers.scorer import Pairs  # noqa: E402
from udfs.scorers.declaration import KnownFile  # noqa: E402

pytestmark = pytest.mark.bert

BODIES = [
    image_bytes("png", 40, 40, 1),
    image_bytes("jpeg", 200, 120, 2),
    image_bytes("webp", 31, 90, 3),
    encoded(picture(64, 48, "RGBA", 4), "png"),
]
TEXTS = ["老桥", "雨中的行人", "红花绿车站上的猫", "狗", CHARACTERS]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def own_features(folder: Path, texts: list[str], bodies: list[bytes]) -> tuple[object, object]:
    """What transformers alone gives, one by one, as its documentation does it."""
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    is_siglip = AutoConfig.from_pretrained(folder).model_type == "siglip"
    processor = processor_of(folder)
    images, vectors = [], []
    with torch.no_grad():
        for body in bodies:
            given = processor(shown_image(body), return_tensors="pt")
            images.append(model.get_image_features(**given).pooler_output[0])
        for text in texts:
            padding = {"padding": "max_length"} if is_siglip else {}
            given = tokenizer(text, truncation=True, return_tensors="pt", **padding)
            own = {"input_ids": given["input_ids"]}
            if not is_siglip:
                own["attention_mask"] = given["attention_mask"]
            vectors.append(model.get_text_features(**own).pooler_output[0])
    unit = torch.nn.functional.normalize
    return unit(torch.stack(images), dim=-1).numpy(), unit(torch.stack(vectors), dim=-1).numpy()


def processor_of(folder: Path) -> object:
    from tests.builders import dual_encoders as made

    kinds = (
        made.CLIPImageProcessorPil,
        made.ChineseCLIPImageProcessorPil,
        made.SiglipImageProcessorPil,
    )
    return dict(zip(FAMILIES, kinds, strict=True))[folder.name].from_pretrained(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_are_those_of_transformers(tmp_path: Path, family: str) -> None:
    folder = folder_of(tmp_path / family, family)
    images, texts = own_features(folder, TEXTS, BODIES)
    encoder = DualEncoder(folder, "cpu", "float32", 3)
    prepared = [encoder.prepare(image) for body in BODIES if (image := shown_image(body))]
    np.testing.assert_allclose(encoder.image_vectors(prepared), images, atol=1e-5)
    vectors, tokens = encoder.text_vectors(TEXTS)
    np.testing.assert_allclose(vectors, texts, atol=1e-5)
    special = 1 if family == "siglip" else 2
    assert tokens == [len(text) + special for text in TEXTS]
    assert max(tokens) > CONTEXT


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_hardly_changes_a_similarity(tmp_path: Path, family: str) -> None:
    folder = folder_of(tmp_path / family, family)
    exact, half = (DualEncoder(folder, "cpu", kind, 3) for kind in ("float32", "bfloat16"))
    prepared = [exact.prepare(image) for body in BODIES if (image := shown_image(body))]
    found = [one.image_vectors(prepared) @ one.text_vectors(TEXTS)[0].T for one in (exact, half)]
    assert 0 < np.abs(found[0] - found[1]).max() < 6e-3  # vectors of 24 numbers


@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_is_prepared_as_transformers_prepares_it(tmp_path: Path, family: str) -> None:
    folder = folder_of(tmp_path / family, family)
    theirs = processor_of(folder)
    own = image_processor(json.loads((folder / "preprocessor_config.json").read_text()))
    for body in BODIES:
        image = shown_image(body)
        assert image is not None
        expected = theirs(image, return_tensors="np")["pixel_values"][0]  # type: ignore[operator]
        np.testing.assert_allclose(own.pixels(image), expected, atol=2e-6)


def test_a_record_does_not_depend_on_its_batch(tmp_path: Path) -> None:
    settings = AlignmentSettings(artifact="x", device="cpu", dtype="float32", vectors=True)
    model = load({"artifact": packed_of(tmp_path, "chinese_clip")}, settings)
    rows = [(text, body) for body in BODIES for text in TEXTS[:4]]
    alone = {
        row: score_alignment(Pairs(["0"], [row[0]], [row[1]]), model)[0]["similarity"]
        for row in rows
    }
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        texts, bodies = [text for text, _ in shuffled], [body for _, body in shuffled]
        records = score_alignment(Pairs(["0"] * len(rows), texts, bodies), model)
        found = [record["similarity"] for record in records]
        np.testing.assert_allclose(found, [alone[row] for row in shuffled], atol=1.5e-5)
        vectors = [
            np.frombuffer(records[0][name], "<f2") for name in ("image_vector", "text_vector")
        ]
        assert abs(float(vectors[0].astype(float) @ vectors[1]) - found[0]) < 2e-3


def test_what_cannot_be_scored_has_a_failure(tmp_path: Path) -> None:
    settings = AlignmentSettings(artifact="x", device="cpu", long_texts="fail")
    model = load({"artifact": packed_of(tmp_path, "clip")}, settings)
    bodies = [BODIES[0], b"\x89PNG no image", BODIES[0]]
    records = score_alignment(Pairs(["0"] * 3, ["老桥", "老桥", CHARACTERS], bodies), model)
    assert [record["failure"] for record in records] == [None, "undecodable", "long_text"]
    assert records[2]["similarity"] is None and records[2]["text_tokens"] > CONTEXT
    assert records[0]["image_vector"] is None


def check(path: Path) -> None:
    ALIGNMENT.check(
        AlignmentSettings(artifact=str(path)), None, {"artifact": KnownFile("x@1", {}, path)}
    )


def test_a_model_that_cannot_be_run_is_refused_before_spark_starts(tmp_path: Path) -> None:
    from udfs.pair_scorers.model_folders import pack_folder

    check(packed_of(tmp_path, "siglip"))
    folder = tmp_path / "siglip"
    config = json.loads((folder / "preprocessor_config.json").read_text())
    for name, changed, message in (
        ("preprocessor_config.json", {**config, "do_pad": True}, "do_pad = true"),
        ("preprocessor_config.json", {**config, "size": {}}, "expected shortest_edge"),
        ("config.json", {"architectures": ["BertModel"]}, "expected one of CLIPModel"),
    ):
        kept = (folder / name).read_text()
        (folder / name).write_text(json.dumps(changed))
        pack_folder(folder, tmp_path / "changed.zip")
        (folder / name).write_text(kept)
        with pytest.raises(ConfigError, match=message):
            check(tmp_path / "changed.zip")


def test_a_processor_of_another_kind_is_refused() -> None:
    with pytest.raises(ProcessorError, match="image_mean"):
        image_processor({"size": 32, "do_normalize": True})
