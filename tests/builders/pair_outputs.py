"""Outputs with selected pairs, images and interleaved documents that no run has made."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from jobs.run.splits import Split, write_wave
from jobs.run.store import WHOLE, Commit, Store
from jobs.tables import IMAGES, INTERLEAVED, SELECTED_PAIRS, schema_of
from tests.builders.images import image_bytes

PAIRS_OF_A_PAGE = 3
FORMATS = ("jpeg", "jpeg", "png", "jpeg", "webp")
"""Of the images, by their number."""


def doc_id_of(page: int) -> str:
    return hashlib.md5(f"page {page}".encode()).hexdigest()


def made_images(count: int) -> list[dict[str, Any]]:
    """Return rows of table images: usable ones of three formats, and one that is not."""
    rows: list[dict[str, Any]] = []
    for number in range(count):
        kind = FORMATS[number % len(FORMATS)]
        body = image_bytes(kind, 40 + number, 30 + number, number)
        rows.append(
            dict.fromkeys(schema_of(IMAGES).fieldNames())
            | {
                "image_id": hashlib.md5(f"image {number}".encode()).hexdigest(),
                "url": f"https://img{number % 2}.cn/{number}.{kind}",
                "source": "record",
                "source_path": "made.warc.gz",
                "source_offset": number,
                "capture_time": datetime(2024, 5, 1, tzinfo=UTC),
                "format": kind,
                "width": 40 + number,
                "height": 30 + number,
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "phash": number - 3,
                "frames": 1,
                "has_alpha": False,
                "body": body,
            }
        )
    broken = dict.fromkeys(schema_of(IMAGES).fieldNames())
    return [*rows, {**broken, "image_id": "f" * 32, "reason": "truncated", "sha256": "0" * 64}]


def made_pairs(images: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Return rows of selected_pairs: every seventh has no image, the eighth lies in a data: URI;
    licence, title and scores are null in most."""
    usable = [row for row in images if row["reason"] is None]
    facts = [field.name for field in schema_of(SELECTED_PAIRS)["image"].dataType]
    rows: list[dict[str, Any]] = []
    for number in range(count):
        page, of = number // PAIRS_OF_A_PAGE, usable[number % len(usable)]
        has_image, is_data = number % 7 != 6, number % 8 == 7
        rows.append(
            dict.fromkeys(schema_of(SELECTED_PAIRS).fieldNames())
            | {
                "doc_id": doc_id_of(page),
                "page_url": f"https://www.h{page % 3}.cn/p/{page}",
                "warc_path": "made.warc.gz",
                "warc_offset": page,
                "place": number % PAIRS_OF_A_PAGE,
                "attribute": "src",
                "url": None if is_data else of["url"],
                "alt": f"第{number}号水库",
                "text": f"第{number}号水库在春天放水",
                "text_source": "alt",
                "title": "水库" if number % 9 == 8 else None,
                "license": "https://creativecommons.org/licenses/by/4.0/" if number == 5 else None,
                "data_sha256": of["sha256"] if is_data else None,
                "image": {name: of[name] for name in facts} if has_image else None,
                "page": {
                    "opt_outs": ["noai", "noindex"] if page == 1 else [],
                    "host": f"www.h{page % 3}.cn",
                    "language": "zh",
                    "quality_score": page / 100 if page % 4 else None,
                    "domain": "news" if page % 4 else None,
                    "toxicity_label": 0 if page % 4 else None,
                },
                "text_places": 1,
                "url_places": 1,
            }
        )
    return rows


def made_documents(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of interleaved: the pairs of a page between paragraphs."""
    rows: list[dict[str, Any]] = []
    for page in range(len(pairs) // PAIRS_OF_A_PAGE):
        texts: list[str | None] = [f"第{page}页开头。"]
        images: list[str | None] = [None]
        metadata: list[dict[str, Any] | None] = [None]
        for pair in pairs[page * PAIRS_OF_A_PAGE : (page + 1) * PAIRS_OF_A_PAGE]:
            facts = pair["image"] or {}
            texts += [None, pair["text"]]
            images += [pair["url"] or f"data:{pair['data_sha256']}", None]
            metadata += [
                {
                    "place": pair["place"],
                    "url": pair["url"],
                    "alt_text": pair["alt"],
                    "sha256": facts.get("sha256") or pair["data_sha256"],
                    "phash": facts.get("phash"),
                },
                None,
            ]
        rows.append(
            {
                "doc_id": doc_id_of(page),
                "texts": texts,
                "images": images,
                "metadata": metadata,
                "general_metadata": {
                    "document_url": f"https://www.h{page % 3}.cn/p/{page}",
                    "warc_path": "made.warc.gz",
                    "warc_offset": page,
                },
            }
        )
    return rows


def write_pair_output(
    spark: SparkSession,
    path: Path,
    images: list[dict[str, Any]],
    pairs: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    partitions: int = 1,
) -> Path:
    """Write an output with these rows, and commits that fit it."""
    store = Store.at(str(path))
    write_wave(store, 0, [Split("made.warc.gz", "made.warc.gz", "warc", 1)])
    for table, rows, wave in (
        (IMAGES, images, 0),
        (SELECTED_PAIRS, pairs, WHOLE),
        (INTERLEAVED, documents, WHOLE),
    ):
        frame = spark.createDataFrame(rows, schema_of(table))
        store.write(frame.repartition(partitions), table, wave)
    seen = len(pairs) + 4
    rules = {"pair_rules.min_chars": 5, "select_pairs.pages": "corpus"}
    for commit in (
        Commit("extract_pairs", 0, "p", 1.0, seen + 9, kept=seen, rejected={"placeholder": 9}),
        Commit("measure_images", 0, "i", 1.0, len(images), reads="p",
               kept=len(images) - 1, failed={"truncated": 1}),
        Commit("measure_pairs", 0, "m", 1.0, seen, kept=seen),
        Commit("select_pairs", WHOLE, "s", 1.0, seen, kept=len(pairs),
               rejected={"text_length": 4}, settings=rules),
        Commit("interleave_documents", WHOLE, "n", 1.0, len(documents), kept=len(documents)),
    ):  # fmt: skip
        store.commit(commit)
    return path
