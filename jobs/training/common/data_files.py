"""The labelled files under the data directory: their fields, licences, and how they are read."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobs.training.common.task import DataFile, Rows, Task, TrainingError

PAGES_READ = "quality/hplt_web_read.jsonl.gz"
PAGES_LABELLED = "quality/hplt_web_labelled.jsonl.gz"
CWT1 = "quality/cwt1_clean_dirty.jsonl.gz"
DOMAIN_TRAIN = "domain/train.jsonl.gz"
GOLD_PAGES = "domain/web_pages.jsonl.gz"
TOXIC_LINES = "toxicity/lines.jsonl.gz"
HTML_PAGES = "extraction/pages.jsonl.gz"
REGISTER_SILVER = "languages/register/zh_deepl.jsonl.xz"
REGISTER_ORIGINALS = "languages/register/zh_core.tsv.xz"
UNLABELLED = "quality/cwt1_cleared1_unlabelled.jsonl.gz"


_HPLT = "MIT repository; texts their authors'"

PAGE_FILES = tuple(
    DataFile(path, ("text", "site", "quality", "toxic", "domain"), _HPLT)
    for path in (PAGES_READ, PAGES_LABELLED)
)
"""Whole raw crawl pages as text, labelled by reading."""

CWT1_FILE = DataFile(CWT1, ("text", "label", "source"), "none stated")
"""Clean and dirty samples of ChineseWebText 1.0."""

DOMAIN_FILE = DataFile(
    DOMAIN_TRAIN,
    ("text", "label", "labels", "source"),
    "by source: agieval, laws, xwlb, tal MIT; kdconv, cmedqa, gaokao Apache-2.0; cmrc, drcd "
    "CC BY-SA; the others none stated",
)
"""Edited texts whose labels follow from their source."""

GOLD_FILE = DataFile(GOLD_PAGES, ("text", "label", "labels", "site"), "the pages' own")
"""Main text of real web pages, labelled by reading."""

HTML_FILE = DataFile(
    HTML_PAGES,
    ("html", "site", "gold_kind", "declared_charset"),
    "by source: Apache-2.0, MIT, GPL-3.0 (gne); the pages' own",
    attachment="html",
)
"""Real pages as bytes; the main text of those of gold_kind "gold" is known."""

FREE_LINES = ("cold", "swsr")
"""Sources of lines whose licence allows a shipped model; the others only measure."""

LINES_FILE = DataFile(
    TOXIC_LINES,
    ("text", "label", "source"),
    "COLD Apache-2.0 and SWSR MIT trained on; ToxiCN CC BY-NC-ND and ChineseHarm CC BY-NC "
    "figures only",
)
"""Social-media lines."""


def read_task(task: Task, data: Path) -> Rows:
    """Read all rows of a task's files. Raises TrainingError."""
    return {
        file.path: read_rows(data / file.path, file.needs, file.attachment) for file in task.files
    }


def read_rows(
    path: Path, needs: Sequence[str], attachment: str | None = None
) -> list[dict[str, Any]]:
    """Read JSON lines, or lines of tab-separated values (``.tsv``), of a file behind gzip or xz.

    Args:
        needs: Fields that every row must have; of tab-separated values, the fields in their order.
        attachment: Field with the path of another file, relative to this one's folder; the row
            gets that file's content as "bytes".
    Raises:
        TrainingError: unreadable or empty file, or a line that is no object with these fields.
    """
    opened = lzma.open if path.suffix == ".xz" else gzip.open
    rows: list[dict[str, Any]] = []
    try:
        with io.TextIOWrapper(opened(path), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                row: Any
                if ".tsv" in path.suffixes:
                    row = dict(zip(needs, line.rstrip("\n").split("\t"), strict=False))
                else:
                    row = json.loads(line)
                if not isinstance(row, dict):
                    raise TrainingError(f"{path}: line {number}: expected a JSON object")
                if missing := [name for name in needs if name not in row]:
                    raise TrainingError(
                        f"{path}: line {number}: missing {', '.join(missing)}; every line needs "
                        f"{', '.join(needs)}"
                    )
                if attachment is not None:
                    row["bytes"] = (path.parent / row[attachment]).read_bytes()
                rows.append(row)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise TrainingError(f"{path}: cannot be read: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: expected JSON lines: {error}") from error
    if not rows:
        raise TrainingError(f"{path}: is empty: expected at least one line")
    return rows
