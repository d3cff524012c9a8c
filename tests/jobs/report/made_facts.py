"""Facts of a run that never was, whose every text may be changed: what a page has to survive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobs.config.scorers import report_shares

HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    "\"'><svg onload=document.title='taken'> {{ 7*7 }} {% raw %} </style></title>&amp;"
    "\x1b[31m\x00\u202egnp.exe\u2066\u200b" + "超" * 300 + "w" * 600
)
"""Markup, a template's marks, ANSI, a null, marks of direction, nothing to break a line at."""

FACTS: dict[str, Any] = {
    "finished": "2024-07-02T12:15:00+00:00",
    "versions": {"python": "3.11.7", "taojin": "0.1.0"},
    "config": {
        "language": {"tag": "zh"},
        "extract": {"languages": ["zh"], "min_language_score": 0.65},
        "rules": {"min_chars": 200, "conditions": {"few_marks": "punctuation_share < 0.03"}},
        "toxicity": {"min_label_score": 0.99},
        "perplexity": {"max_perplexity": 26.0},
        "select": {"quality_from": "quality", "min_quality": 0.5, "max_toxicity": None},
    },
    "changed_settings": [{"key": "select.jsonl", "value": "zst", "default": "none"}],
    "lock_id": "50ee" * 16,
    "cores": 16,
    "price": {
        "core_hour": 0.045,
        "currency": "USD",
        "machine": "c7i.4xlarge",
        "region": "us-east-1",
        "date": "2026-11-30",
        "source": "a list",
    },
    "artifacts": {
        name: {"name": name, "version": "1", "licence": "Apache-2.0", "sha256": "a6" * 32}
        for name in ("quality", "domain", "other")
    },
    "used_artifacts": ["quality", "domain"],
    "input": {"splits": 3, "bytes": 123_456_789, "waves": 1},
    "stages": [
        {
            "stage": stage,
            "seen": seen,
            "kept": seen - lost,
            "rejected": lost,
            "failed": 0,
            "seconds": 4.5,
            "per_second": round(seen / 4.5, 1),
        }
        for stage, seen, lost in (
            ("extract_documents", 85, 15),
            ("apply_rules", 70, 9),
            ("find_duplicates", 61, 3),
            ("select_corpus", 58, 1),
        )
    ],
    "reasons": [
        {
            "stage": stage,
            "outcome": outcome,
            "reason": reason,
            "records": records,
            "characters": chars,
        }
        for stage, outcome, reason, records, chars in (
            ("apply_rules", "rejected", "length", 6, 700),
            ("apply_rules", "rejected", "character", 3, 1300),
            ("extract_documents", "failed", "malformed_http", 1, None),
            ("extract_documents", "rejected", "too_few_han", 14, None),
            ("select_corpus", "rejected", "low_quality", 1, 321),
        )
    ],
    "measured_characters": 50_000,
    "budget": {
        "unit": "tokens",
        "asked": 20_000,
        "kept": 14_990,
        "documents": 50,
        "domains": [
            {
                "domain": domain,
                "asked": 10_000,
                "there": there,
                "goal": 10_000,
                "kept": kept,
                "documents": 25,
                "missing": max(0, 10_000 - there),
            }
            for domain, there, kept in (("book", 12_000, 9_990), ("law", 5_000, 5_000))
        ],
    },
    "selections": [
        {
            "name": "strict",
            "stage": "select_corpus@strict",
            "seen": 58,
            "kept": 31,
            "rejected": 27,
            "failed": 0,
            "rows": 31,
            "characters": 21_321,
            "tokens": None,
            "settings": {"select.min_quality": 0.9, "select.hosts": ["a.cn"]},
            "budget": None,
        },
        {
            "name": "small",
            "stage": "select_corpus@small",
            "seen": 58,
            "kept": 2,
            "rejected": 56,
            "failed": 0,
            "rows": 2,
            "characters": 1_234,
            "tokens": 777,
            "settings": {"select.budget": "2 documents"},
            "budget": {
                "unit": "documents",
                "asked": 2,
                "kept": 2,
                "documents": 2,
                "domains": [
                    {
                        "domain": "all domains",
                        "asked": 2,
                        "there": 57,
                        "goal": 2,
                        "kept": 2,
                        "documents": 2,
                        "missing": 0,
                    }
                ],
            },
        },
    ],
    "duplicates": {"near_largest_group": 2, "near_unsettled_buckets": 0},
    "corpus": {"rows": 57, "characters": 37711, "toxic_rows": 1, "documents_stood_for": 60},
    **{shares.name: [] for shares in report_shares()},  # some again below
    "domains": [
        {"domain": "book", "rows": 30, "characters": 20_000},
        {"domain": "law", "rows": 20, "characters": 17_000},
        {"domain": "news", "rows": 7, "characters": 711},
    ],
    "quality": [{"bin": 8, "rows": 2}, {"bin": 9, "rows": 55}],
    "clusters": [{"bin": 0, "rows": 55, "documents": 55}, {"bin": 1, "rows": 2, "documents": 5}],
    "pairs": [
        {"of": "domain", "values": values, "rows": rows}
        for values, rows in (
            (["book", "book"], 32),
            (["book", "law"], 9),
            (["law", "law"], 21),
            (["news", "news"], 7),
        )
    ],
    "edits": [{"edit": "width", "rows": 6, "places": 26}],
    "pii": [{"pii": "phone", "rows": 2, "places": 3}],
    "charsets": [
        {"charset": "utf-8", "rows": 67, "kept": 55},
        {"charset": "gb18030", "rows": 3, "kept": 2},
    ],
    "languages": [{"language": "zh", "rows": 70, "kept": 57}],
    "scripts": [
        {"script": "hans", "rows": 66, "kept": 57},
        {"script": None, "rows": 4, "kept": 0},
    ],
    "lengths": [
        {"bin": 24, "documents": 6, "kept": 0},
        {"bin": 34, "documents": 40, "kept": 38},
        {"bin": 40, "documents": 24, "kept": 19},
    ],
    "hosts": {
        "kept": [
            {"host": "news.example.cn", "documents": 12, "kept": 11},
            {"host": "b.example.cn", "documents": 3, "kept": 2},
            {"host": "a.example.cn", "documents": 2, "kept": 2},
        ],
        "lost": [{"host": "spam.example.com", "documents": 9, "kept": 0}],
    },
    "histograms": [
        {
            "score": name,
            "key": key,
            "is_log": is_log,
            "keeps_below": keeps_below,
            "bins": [
                {"bin": number, "documents": n, "chars": 900 * n, "tokens": 500 * n}
                for number, n in bins
            ],
        }
        for name, key, is_log, keeps_below, bins in (
            ("quality", "min_quality", False, False, [(12, 1), (81, 2), (97, 5), (99, 50)]),
            ("toxicity", "max_toxicity", False, True, [(0, 5000), (1, 3), (50, 1), (99, 1)]),
            ("perplexity", "min_perplexity", True, False, [(0, 57), (20, 1)]),
            ("tokens", None, True, False, [(30, 30), (34, 20), (41, 8)]),
        )
    ],
    "curves": [
        {
            "score": "quality",
            "keeps": "from",
            "without": {"documents": 0, "chars": 0, "tokens": 0},
            "curve": [
                {
                    "threshold": n / 10,
                    "documents": 58 - n,
                    "chars": 52_200 - 900 * n,
                    "tokens": 29_000 - 500 * n,
                    "domains": {
                        name: {"documents": 20 - n, "chars": 100, "tokens": 50}
                        for name in ("book", "law")
                    },
                }
                for n in range(10)
            ],
        }
    ],
    "samples": [
        {
            "stage": "apply_rules",
            "reason": "length",
            "doc_id": "27e5ae0d0d61061125f2e4e873fd2b23",
            "url": "https://news.example.cn/2024/05/20/parking.html",
            "warc_path": "sample.warc.gz",
            "warc_offset": 78827,
        }
    ],
}

AUDIT: list[dict[str, Any]] = [
    {
        "stage": stage,
        "reason": reason,
        "kind": kind,
        "place": 0,
        "doc_id": "27e5ae0d0d61061125f2e4e873fd2b23",
        "url": "https://news.example.cn/2024/05/20/parking.html",
        "text": "三座水库提前腾库，青澜河平稳迎来首次洪峰。",
        "text_chars": 400,
        "marks": [{"start": 2, "length": 2, "what": "water"}],
        "numbers": [{"name": "chars", "value": 120.0, "limit": "200"}],
        "other_doc_id": other,
        "other_text": other and "三座水库提前腾库，青澜河迎来首次洪峰。",
        "other_marks": other and [{"start": 9, "length": 3, "what": "differs"}],
    }
    for stage, reason, kind, other in (
        ("apply_rules", "length", "rejected", None),
        ("apply_rules", "sensitive", "rejected", None),
        ("find_duplicates", "near", "near_pair", "00" * 16),
        ("select_corpus", "low_quality", "borderline", None),
        (None, None, "toxic", None),
    )
]


def changed(value: Any, change: Callable[[str], str]) -> Any:
    """A value with every text in it changed, those of keys that are not of the project too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: changed(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [changed(item, change) for item in value]
    return value


def hostile(value: Any) -> Any:
    """A value whose every text ends in `HOSTILE`."""
    return changed(value, lambda text: text + HOSTILE)


def hostile_facts() -> dict[str, Any]:
    """Facts whose every text, and every free key, is hostile."""
    facts: dict[str, Any] = hostile(FACTS)
    for name in ("versions", "duplicates"):
        facts[name] = {key + HOSTILE: value for key, value in facts[name].items()}
    facts["config"]["rules"]["conditions"] = {HOSTILE: HOSTILE}
    # Names of scores and of keys are the project's own, and drawn.
    facts["histograms"] = FACTS["histograms"]
    facts["curves"][0]["score"] = "quality"
    facts["config"]["select"] = {**FACTS["config"]["select"], HOSTILE: HOSTILE}
    for step in facts["curves"][0]["curve"]:
        step["domains"] = {key + HOSTILE: value for key, value in step["domains"].items()}
    return facts


def hostile_audit() -> list[dict[str, Any]]:
    """Rows of the table audit whose every text is hostile, with marks that fit none."""
    rows: list[dict[str, Any]] = hostile(AUDIT)
    rows[0]["marks"] = [
        {"start": 5, "length": 10_000, "what": HOSTILE},
        {"start": 1, "length": 6, "what": None},
        {"start": 90_000, "length": 5, "what": "x"},
    ]
    return rows
