"""The card's front matter is as the Hugging Face Hub reads it; its text says what was done."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
import yaml

from jobs.config.release_settings import ReleaseConfig
from jobs.publishing.files import FileFormat, Layout
from jobs.publishing.schema import arrow_schema, features
from jobs.release.card import card, configurations, format_card
from jobs.tables import CORPUS, schema_of

SCHEMA = arrow_schema(schema_of(CORPUS))
LAYOUT = Layout("train", (("quality_high/domain_law", 1), ("quality_low/domain_a_b", 2)))
FORMATS = [FileFormat(name, SCHEMA, 1) for name in ("parquet", "jsonl.zst")]
COUNTS = {"rows": 1500, "chars": 7, "bytes": 21, "toxic_rows": 3, "tokens": 5}


def facts(**other: Any) -> dict[str, Any]:
    return {
        "counts": COUNTS,
        "language": "zh",
        "settings": {"extract.languages": ["zh"], "select.min_quality": 0.5, "rules.pack": None},
        "funnel": [{"stage": "select_corpus", "seen": 9, "kept": 5, "rejected": 4, "failed": 0}],
        "reasons": [{"stage": "select_corpus", "reason": "low_quality", "records": 4}],
        "ledger": {"seen": 1502, "released": 1500, "excluded": [{"kind": "host", "rows": 2}]},
        "quality_bands": [{"band": "high", "from": 0.9, **COUNTS}],
        "domains": [{"label": "a|b", **COUNTS}],
        "buckets": [],
        "perplexities": None,
        "scores": [{"scorer": "quality", "artifact": "quality@2+df78", "lock_id": "5e" * 32}],
        "artifacts": [
            {"name": "quality", "version": "2", "kind": "model", "licence": "CC0", "sha256": "ab"}
        ],
        "versions": {"taojin": "0.1.0"},
    } | other


def front_matter(text: str) -> dict[str, Any]:
    _, matter, _ = text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(matter)
    return found


def test_the_front_matter_declares_files_and_columns() -> None:
    settings = ReleaseConfig(title='A "corpus": one', licence="odc-by")
    found = front_matter(card(facts(), settings, SCHEMA, FORMATS, LAYOUT))
    assert found["pretty_name"] == 'A "corpus": one'
    assert (found["language"], found["license"]) == (["zh"], "odc-by")
    assert found["size_categories"] == ["1K<n<10K"]
    paths = {of["config_name"]: of["data_files"][0]["path"] for of in found["configs"]}
    assert paths == {
        "default": "data/*/*/train-*.parquet",
        "quality-high": "data/quality_high/*/train-*.parquet",
        "quality-low": "data/quality_low/*/train-*.parquet",
        "domain-a_b": "data/*/domain_a_b/train-*.parquet",
        "domain-law": "data/*/domain_law/train-*.parquet",
    }
    assert [of["config_name"] for of in found["configs"] if of.get("default")] == ["default"]
    assert [of["config_name"] for of in found["dataset_info"]] == ["default"]
    assert found["dataset_info"][0]["features"] == features(SCHEMA)


def test_another_format_is_a_dataset_by_itself() -> None:
    text = format_card(facts(), ReleaseConfig(), FORMATS[1], LAYOUT)
    found = front_matter(text)
    assert found["configs"][0]["data_files"][0]["path"] == "*/*/train-*.jsonl.zst"
    names = [of["config_name"] for of in found["configs"]]
    assert names == [of["config_name"] for of in found["dataset_info"]]
    assert len(names) == 5
    main = card(facts(), ReleaseConfig(), SCHEMA, FORMATS, LAYOUT)
    assert "`jsonl/` has the same rows as `jsonl.zst`" in main


def test_a_format_without_subsets_is_one_configuration() -> None:
    found = configurations(FORMATS[1], Layout("train", (("", 4),)), "jsonl/")
    assert found == [("default", "jsonl/train-*.jsonl.zst")]


def test_datasets_takes_the_columns_as_declared() -> None:
    datasets = pytest.importorskip("datasets")
    declared = yaml.safe_load(yaml.safe_dump(features(SCHEMA)))
    found = datasets.Features._from_yaml_list(declared)
    assert found == datasets.Features.from_arrow_schema(SCHEMA)
    nested = pa.schema([("a", pa.list_(pa.list_(pa.struct([("b", pa.date32())]))))])
    assert datasets.Features._from_yaml_list(features(nested)).arrow_schema.equals(nested)


def test_the_text_says_what_was_done() -> None:
    text = card(facts(), ReleaseConfig(contact="takedown@a.cn"), SCHEMA, FORMATS, LAYOUT)
    for said in (
        "| documents | 1,500 |",
        "| tokens | 5 |",
        "| `select.min_quality` | `0.5` |",
        "| select_corpus | 9 | 5 | 4 | 0 |",
        "| select_corpus | low_quality | 4 |",
        "| excluded by host | 2 |",
        f"| quality | quality@2+df78 | `{'5e' * 32}` |",
        "| quality | 2 | model | CC0 | `ab` |",
        "| a\\|b | 1,500 | 7 | 5 |",
        "Contact: takedown@a.cn.",
        "none is stated (`release.licence`)",
        "## Known limits",
        "## How to cite",
        "Made with taojin 0.1.0.",
    ):
        assert said in text, said
    assert "rules.pack" not in text
    assert "is empty" not in text


def test_an_empty_release_says_so() -> None:
    nothing = dict.fromkeys(COUNTS, 0)
    text = card(facts(counts=nothing, domains=[]), ReleaseConfig(), SCHEMA, FORMATS, LAYOUT)
    assert "**This release is empty**" in text
    assert "## Domains" not in text
    assert front_matter(text)["size_categories"] == ["n<1K"]


def test_a_corpus_within_an_output_has_a_card_without_files() -> None:
    text = card(
        facts(perplexities={"head_below": 20.0, "tail_from": 51.25}), ReleaseConfig(), SCHEMA
    )
    assert "configs" not in front_matter(text)
    assert "head: perplexity below 20; tail: from 51.25 on" in text
