"""Noise, concepts, entities and reassigned captions by the real jobs, over vectors of a scorer that
needs no model."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyspark.sql import Row, SparkSession
from pyspark.sql.types import BinaryType, DoubleType, StructField

from jobs.pairs import reassign_captions
from jobs.run.store import Store
from tests.builders.images import image_bytes
from tests.builders.warc_files import http_response, record
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.base.array_types import Float32Array
from udfs.pair_noise.concepts import CONCEPTS
from udfs.pair_noise.embeddings import unit_rows
from udfs.pair_noise.entities import ENTITIES
from udfs.pair_noise.noise import NOISE
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration, PairScorerFiles
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.scorer import Record

TOPICS = "桥集石"
"""What a text is about; an image says it by its width, 300 and more."""
PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
PLACES = {  # an image's topic and the text beside it
    "http://a.cn/1": [("0.png", "集市上的集市"), ("1.png", "桥边的老桥"), ("2.png", "石板石阶石")],
    "http://a.cn/2": [("2.png", "石阶"), ("away.png", "没有图的桥"), ("0.png", "晴天很好的")],
}
TYPE = result_type(
    StructField("similarity", DoubleType()),
    StructField("image_vector", BinaryType()),
    StructField("text_vector", BinaryType()),
)


@dataclass(frozen=True)
class TopicSettings:
    """Whether vectors are stored."""

    vectors: bool = True
    """Whether they are."""


class TopicEncoder:
    """Topics of texts and images, at length one."""

    def encoder(self) -> TopicEncoder:
        return self

    def text_vectors(self, texts: Sequence[str]) -> tuple[Float32Array, list[int]]:
        counts = [[*(text.count(char) for char in TOPICS), 0.5] for text in texts]
        return unit_rows(np.array(counts)).astype(np.float32), [len(text) for text in texts]

    def image_vector(self, body: bytes) -> Float32Array:
        topic = Image.open(io.BytesIO(body)).width - 300
        return unit_rows(np.eye(len(TOPICS) + 1)[[topic]] + 0.1).astype(np.float32)[0]


def load(files: Loaded, settings: TopicSettings) -> TopicEncoder:
    return TopicEncoder()


def score(pairs: Pairs, model: TopicEncoder) -> list[Record]:
    found = []
    texts, _ = model.text_vectors([text or "" for text in pairs.texts])
    for words, body in zip(texts, pairs.bodies, strict=True):
        image = model.image_vector(body or b"")
        found.append(
            {
                "similarity": float(image @ words),
                "image_vector": image.astype("<f2").tobytes(),
                "text_vector": words.astype("<f2").tobytes(),
                "failure": None,
            }
        )
    return found


def make(settings: TopicSettings, files: PairScorerFiles, fitted: Fitted) -> PairScorer:
    return PairScorer("alignment", TYPE, load, score, options=settings)


ALIGNMENT = PairScorerDeclaration(
    name="alignment", settings=TopicSettings, result_type=TYPE, make=make
)


@pytest.fixture(autouse=True)
def made_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.config.scorers.PAIR_SCORERS", (ALIGNMENT, NOISE, CONCEPTS, ENTITIES))


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    records = []
    for uri, places in PLACES.items():
        shown = "".join(f'<img src="/{name}" alt="{text}">' for name, text in places)
        page = f"<title>老桥</title><p>{PROSE}{uri}</p>{shown}<p>{PROSE}</p>"
        records.append(record(http_response(page.encode()), uri=uri))
    for topic in range(3):
        response = http_response(
            image_bytes("png", 300 + topic, 240, topic), ("Content-Type", "image/png")
        )
        records.append(record(response, uri=f"http://a.cn/{topic}.png"))
    warc = tmp_path / "pages.warc"
    warc.write_bytes(b"".join(records))
    return [
        *("--config", str(LOCAL_CONFIG), "--output", str(tmp_path / "out"), "--input", str(warc)),
        *("--set", "extract.pairs=true", "rules.max_dup_13gram_share=off", 'dedup.levels=["url"]'),
        *("select.min_quality=off", "pair_rules.pack=off", "select_pairs.pages=all"),
        *('score_pairs.scorers=["alignment"]', "reassign_captions.scorer=alignment"),
    ]


def rows_of(spark: SparkSession, output: Path) -> dict[str, Row]:
    """Text -> its row."""
    selected = spark.read.parquet(str(output / "selected_pairs")).select("doc_id", "place", "text")
    table = spark.read.parquet(str(output / "reassigned_captions"))
    return {row["text"]: row for row in table.join(selected, ["doc_id", "place"]).collect()}


def scores_of(spark: SparkSession, output: Path, name: str) -> dict[str, Row]:
    """Text -> its row of a scorer's table."""
    pairs = spark.read.parquet(str(output / "pairs")).select("doc_id", "place", "text")
    table = spark.read.parquet(str(output / "pair_scores" / name))
    return {row["text"]: row for row in table.join(pairs, ["doc_id", "place"]).collect()}


@pytest.mark.slow
def test_pairs_are_measured_and_texts_reassigned(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("老桥\n集市\n石板\n石阶\n", encoding="utf-8")
    arguments += [
        *('score_pairs.scorers=["alignment","noise","concepts","entities"]', "noise.min_pairs=4"),
        *(f"concepts.vocabulary={names}", "concepts.of_image=1", f"entities.gazetteer={names}"),
    ]
    assert reassign_captions.main([*arguments, "reassign_captions.share=0.8"]) == 0
    output = tmp_path / "out"
    noise = scores_of(spark, output, "noise")
    assert noise["石板石阶石"]["noise_prob"] < 0.5 < noise["集市上的集市"]["noise_prob"]
    assert noise["没有图的桥"]["failure"] == "no_image"
    fitted = json.loads((output / "pair_scores.json").read_text(encoding="utf-8"))["noise"]
    assert fitted["pairs"] == 5 and fitted["means"][0] < fitted["means"][1]
    concepts = scores_of(spark, output, "concepts")
    assert [(one["text"], one["in_text"]) for one in concepts["桥边的老桥"]["concepts"]] == [
        ("集市", False),
        ("老桥", True),
    ]
    entities = scores_of(spark, output, "entities")
    assert entities["集市上的集市"]["chosen"] == "集市"
    assert entities["晴天很好的"]["entities"] == []
    rows = rows_of(spark, output)
    own = {row["image_sha256"]: text for text, row in rows.items() if row["image_sha256"]}
    assert len(own) == 3 and len(rows) == 6
    of_topic = {
        topic: rows[text]["image_sha256"]
        for topic, text in {"桥": "集市上的集市", "集": "桥边的老桥", "石": "石阶"}.items()
    }
    assert rows["集市上的集市"]["reassigned_sha256"] == of_topic["集"]
    assert rows["桥边的老桥"]["reassigned_sha256"] == of_topic["桥"]
    assert rows["石板石阶石"]["reassigned_sha256"] == of_topic["石"]
    others = {text for text, row in rows.items() if row["is_other"]}
    assert {"集市上的集市", "桥边的老桥"} <= others and not {"石板石阶石", "石阶"} & others
    assert rows["石阶"]["cycle_score"] > rows["晴天很好的"]["cycle_score"]
    assert {text: row["reason"] for text, row in rows.items() if row["reason"]} == {
        "没有图的桥": "no_embedding",
        "晴天很好的": "low_cycle_score",
    }
    assert {row["is_kept"] for text, row in rows.items() if not row["reason"]} == {True}

    store = Store.at(str(output))
    [commit] = store.commits("reassign_captions").values()
    rejected = {"low_cycle_score": 1, "no_embedding": 1}
    assert (commit.rows, commit.kept, commit.rejected) == (6, 4, rejected)
    facts = json.loads((output / "reassigned_captions.json").read_text(encoding="utf-8"))
    assert facts["texts"] == 5 and facts["pairs"]["with_another_image"] == len(others)

    before = store.commits("reassign_captions")
    assert reassign_captions.main([*arguments, "reassign_captions.share=0.8"]) == 0
    assert store.commits("reassign_captions") == before


@pytest.mark.parametrize(
    "settings, message",
    [
        (["reassign_captions.scorer=other"], "has no such scorer"),
        (["score_pairs.scorers=[]"], "has no such scorer"),
        (["alignment.vectors=false"], "alignment.vectors = false"),
        (['score_pairs.scorers=["noise"]'], "noise needs alignment too"),
        (
            ['score_pairs.scorers=["alignment","concepts"]', "alignment.vectors=false"],
            "scorers of words compare what it stores",
        ),
        (['score_pairs.scorers=["alignment","entities"]'], "needs a file of names"),
        (["reassign_captions.share=0"], "reassign_captions.share"),
    ],
)
def test_settings_are_refused_before_spark_starts(
    arguments: list[str], settings: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reassign_captions.main([*arguments, *settings]) == 2
    assert message in capsys.readouterr().err
