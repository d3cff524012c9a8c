"""Concepts and entities: which words of a text an image shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders.word_encoder import WordEncoder, pairs_of, word_encoder
from udfs.base.settings import ConfigError
from udfs.pair_noise.caption_similarity import CAPTION_SIMILARITY, CaptionSimilaritySettings
from udfs.pair_noise.concepts import CONCEPTS, ConceptsLimits, ConceptsSettings
from udfs.pair_noise.entities import ENTITIES, EntitiesSettings
from udfs.pair_noise.word_similarity import check_vectors, similarities_to_images
from udfs.pair_scorers.scorer import PairScorer
from udfs.scorers.declaration import KnownFile

SHOWN = [
    ("老桥河水", "老桥与集市，老桥的雨"),
    ("集市", "成都科幻馆"),
    ("石板", "点击查看"),
]


@dataclass(frozen=True)
class Files:
    """Files of a test, as they are shipped."""

    paths: dict[str, Path]

    def shipped(self, key: str) -> Any:
        return self.paths[key]

    def local(self, key: str) -> Path:
        return self.paths[key]

    def scorer(self, name: str) -> PairScorer:
        assert name == "alignment"
        return word_encoder()


def names_file(folder: Path, *names: str) -> Path:
    path = folder / "names.txt"
    path.write_text("\n".join(names), encoding="utf-8")
    return path


def records_of(scorer: PairScorer, shown: list[tuple[str, str]]) -> list[dict[str, Any]]:
    model = scorer.load(dict(scorer.files), scorer.options)
    return list(scorer.score(pairs_of(shown), model))


def test_nouns_have_their_similarity_to_the_image() -> None:
    scorer = CONCEPTS.make(ConceptsSettings(), Files({}), {})
    records = records_of(scorer, SHOWN)
    found = [[(one["text"], one["in_text"]) for one in record["concepts"]] for record in records]
    assert found[0] == [("老桥", True), ("集市", True)]
    bridge, fair = (one["similarity"] for one in records[0]["concepts"])
    assert bridge == pytest.approx(0.5**0.5, abs=1e-3) and fair == 0
    assert found[2] == [] and records[2]["failure"] is None


def test_a_vocabulary_adds_what_the_image_shows(tmp_path: Path) -> None:
    vocabulary = names_file(tmp_path, "老桥", "河水", "集市", "石板")
    settings = ConceptsSettings(vocabulary=str(vocabulary), of_image=2)
    scorer = CONCEPTS.make(settings, Files({"vocabulary": vocabulary}), {})
    records = records_of(scorer, SHOWN)
    found = [[(one["text"], one["in_text"]) for one in record["concepts"]] for record in records]
    assert found[0] == [("河水", False), ("老桥", True), ("集市", True)]
    assert found[1][0] == ("集市", False)
    assert {text for text, in_text in found[1] if in_text} == set()
    assert records_of(scorer, SHOWN[1:])[0] == records[1]


def test_each_distinct_word_is_encoded_once() -> None:
    model = WordEncoder()
    images, _ = model.text_vectors(["老桥", "集市"])
    model.encoded.clear()
    found = similarities_to_images([["老桥", "集市"], ["老桥"]], images, model)
    assert model.encoded == ["老桥", "集市"]
    assert found == [pytest.approx([1, 0], abs=1e-3), [0.0]]


def test_the_entity_that_the_image_shows_is_chosen(tmp_path: Path) -> None:
    gazetteer = names_file(tmp_path, "老桥", "集市", "成都", "成都科幻馆", "馆")
    settings = EntitiesSettings(gazetteer=str(gazetteer))
    scorer = ENTITIES.make(settings, Files({"gazetteer": gazetteer}), {})
    first, second, third = records_of(scorer, SHOWN)
    assert [(one["text"], one["start"]) for one in first["entities"]] == [
        ("老桥", 0),
        ("集市", 3),
        ("老桥", 6),
    ]
    assert first["chosen"] == "老桥"
    assert [one["text"] for one in second["entities"]] == ["成都科幻馆"]
    assert third == {"entities": [], "chosen": None, "failure": None}
    turned = records_of(scorer, [("集市", "老桥与集市")])
    assert turned[0]["chosen"] == "集市"


def test_settings_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a file of names"):
        ENTITIES.check(EntitiesSettings(), None, {})
    empty = names_file(tmp_path, "馆")
    file = {"gazetteer": KnownFile("names@local", {}, empty)}
    with pytest.raises(ConfigError, match=r"entities.gazetteer: .*names.txt: no name"):
        ENTITIES.check(EntitiesSettings(gazetteer="x"), None, file)
    with pytest.raises(ConfigError, match=r"concepts.vocabulary: .*no name"):
        CONCEPTS.check(ConceptsSettings(), ConceptsLimits(), {"vocabulary": file["gazetteer"]})

    @dataclass(frozen=True)
    class Alignment:
        vectors: bool

    check_vectors(None, {"alignment": Alignment(True)})
    with pytest.raises(ConfigError, match=r"alignment.vectors = false"):
        check_vectors(None, {"alignment": Alignment(False)})


def test_pairs_without_a_word_for_the_image_are_left_out(spark: SparkSession) -> None:
    kind = "array<struct<text:string,similarity:double,in_text:boolean>>"
    rows = [
        ("kept", [("桥", 0.3, True)]),
        ("low", [("桥", 0.1, True)]),
        ("other", [("桥", 0.9, False)]),
        ("none", []),
    ]
    frame = spark.createDataFrame(
        [(name, (c,)) for name, c in rows], f"name string, s struct<concepts:{kind}>"
    )
    [rejection] = CONCEPTS.rejections
    left = frame.where(rejection.holds(frame.s, 0.2))
    assert {row["name"] for row in left.collect()} == {"low", "other", "none"}
    names = "array<struct<text:string>>"
    frame = spark.createDataFrame(
        [("kept", ([("桥",)],)), ("none", ([],))], f"name string, s struct<entities:{names}>"
    )
    [rejection] = ENTITIES.rejections
    assert [row["name"] for row in frame.where(rejection.holds(frame.s, True)).collect()] == [
        "none"
    ]
    assert ENTITIES.limits_in_use(ENTITIES.limits()) == []


def test_captions_are_compared_with_image_and_text() -> None:
    scorer = CAPTION_SIMILARITY.make(CaptionSimilaritySettings(), Files({}), {})
    pairs = pairs_of([("老桥", "老桥"), ("集市", "老桥")])
    captions = [{"caption_syn": "老桥"}, {"caption_syn": "集市"}]
    given = replace(pairs, texts=[None, None], others={**pairs.others, "captioner": captions})
    first, second = scorer.score(given, scorer.load({}, scorer.options))
    assert list(first.values())[:3] == pytest.approx([1, 1, 1], abs=1e-3)
    assert list(second.values())[:3] == pytest.approx([0, 0, 1], abs=1e-3)
    assert list(first) == scorer.result_type.fieldNames()
