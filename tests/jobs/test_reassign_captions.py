"""Captions reassigned by the real job: stored embeddings, the table, its ledger, settings."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from udfs.pair_noise.embeddings import unit_rows
from udfs.pair_scorers.declaration import Fitted, PairScorerDeclaration
from udfs.pair_scorers.scorer import Loaded, Pairs, PairScorer, result_type
from udfs.scorers.declaration import ScorerFiles
from udfs.scorers.scorer import Record

TOPICS = "桥集石"
"""What a text is about; an image says it by its width, 300 and more."""
PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
PLACES = {  # an image's topic and the text beside it
    "http://a.cn/1": [("0.png", "集市上的集市"), ("1.png", "桥边的老桥"), ("2.png", "石板石阶石")],
    "http://a.cn/2": [("2.png", "石阶"), ("away.png", "没有图的桥"), ("0.png", "晴天很好的")],
}
TYPE = result_type(
    StructField("product", DoubleType()),
    StructField("image_embedding", BinaryType()),
    StructField("text_embedding", BinaryType()),
)


@dataclass(frozen=True)
class MadeSettings:
    """Nothing is set."""


def vectors_of_pair(text: str, body: bytes) -> np.ndarray:
    topic = Image.open(io.BytesIO(body)).width - 300
    image = np.eye(len(TOPICS) + 1)[topic] + 0.1
    words = np.array([*(text.count(char) for char in TOPICS), 0.5])
    return unit_rows(np.stack([image, words]))


def score_made(pairs: Pairs, model: object) -> list[Record]:
    found = []
    for text, body in zip(pairs.texts, pairs.bodies, strict=True):
        assert text is not None and body is not None
        image, words = vectors_of_pair(text, body)
        found.append(
            {
                "product": float(image.astype(float) @ words.astype(float)),
                "image_embedding": image.tobytes(),
                "text_embedding": words.tobytes(),
                "failure": None,
            }
        )
    return found


def no_model(files: Loaded, options: Any) -> None:
    return None


def make_made(settings: MadeSettings, files: ScorerFiles, fitted: Fitted) -> PairScorer:
    return PairScorer("made", TYPE, no_model, score_made)


MADE = PairScorerDeclaration(name="made", settings=MadeSettings, result_type=TYPE, make=make_made)


@pytest.fixture(autouse=True)
def made_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.config.scorers.PAIR_SCORERS", (MADE,))


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
        *('score_pairs.scorers=["made"]', "reassign_captions.scorer=made"),
    ]


def rows_of(spark: SparkSession, output: Path) -> dict[str, Row]:
    """Text -> its row."""
    selected = spark.read.parquet(str(output / "selected_pairs")).select("doc_id", "place", "text")
    table = spark.read.parquet(str(output / "reassigned_captions"))
    return {row["text"]: row for row in table.join(selected, ["doc_id", "place"]).collect()}


def test_texts_get_the_images_that_lead_back_to_them(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    assert reassign_captions.main([*arguments, "reassign_captions.share=0.8"]) == 0
    output = tmp_path / "out"
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
        (["reassign_captions.share=0"], "reassign_captions.share"),
    ],
)
def test_settings_are_refused_before_spark_starts(
    arguments: list[str], settings: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reassign_captions.main([*arguments, *settings]) == 2
    assert message in capsys.readouterr().err
