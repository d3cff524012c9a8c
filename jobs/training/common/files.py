"""The labelled files under the data directory, their fields and licences."""

from __future__ import annotations

from jobs.training.common.task import DataFile

PAGES_READ = "quality/hplt_web_read.jsonl.gz"
PAGES_LABELLED = "quality/hplt_web_labelled.jsonl.gz"
CWT1 = "quality/cwt1_clean_dirty.jsonl.gz"
DOMAIN_TRAIN = "domain/train.jsonl.gz"
GOLD_PAGES = "domain/web_pages.jsonl.gz"
TOXIC_LINES = "toxicity/lines.jsonl.gz"
HTML_PAGES = "extraction/pages.jsonl.gz"
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
