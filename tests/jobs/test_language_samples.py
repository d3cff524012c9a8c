"""The pipeline on the sample of each language pack: every page ends where its manifest says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import run_pipeline
from jobs.config import bundled_languages
from tests.jobs.conftest import LOCAL_CONFIG
from tests.sample.build_sample import LANGUAGES_DIR, build, load_pages

STAGES = {"rules": "apply_rules", "duplicates": "find_duplicates", "select": "select_corpus"}
LANGUAGES = sorted(folder.name for folder in LANGUAGES_DIR.iterdir() if folder.is_dir())


def test_every_pack_but_the_default_has_a_sample() -> None:
    assert {*LANGUAGES, "zh"} == set(bundled_languages())


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_ends_where_it_should(
    spark: SparkSession, tmp_path: Path, language: str
) -> None:
    folder, output = LANGUAGES_DIR / language, tmp_path / "out"
    build(tmp_path / "sample.warc.gz", folder)
    call = [
        *("--config", str(LOCAL_CONFIG), "--input", str(tmp_path / "sample.warc.gz")),
        *("--output", str(output), "--set", f"language={language}"),
    ]
    assert run_pipeline.main(call) == 0
    corpus = {row.url: row for row in spark.read.parquet(f"{output}/corpus").collect()}
    found = dict.fromkeys(corpus, "kept")
    for row in spark.read.parquet(f"{output}/rejected").collect():
        found[row.url] = f"{row.stage}:{row.reasons[0]}"
    extracted: Counter[str] = Counter()
    for page in load_pages(folder):
        rejected, _, of_stage = page.expect.partition(":")
        stage, _, reason = of_stage.partition(":")
        if stage == "extract":
            extracted[reason] += 1
            assert page.url not in found
        else:
            expected = f"{STAGES[stage]}:{reason}" if rejected == "rejected" else "kept"
            assert found.pop(page.url) == expected, page.name
    assert found == {} and corpus
    tallies = spark.read.parquet(f"{output}/ledger/stage=extract_documents").collect()
    counted: Counter[str] = Counter()
    for row in tallies:
        counted.update({one.reason: one.records for one in row.rejected})
    assert counted == extracted + Counter({"warcinfo_record": 1})
    # Main texts are whole: each begins and ends with sentences of its page, without menu and foot.
    for page in load_pages(folder):
        if page.url in corpus:
            text = corpus[page.url].text
            body = (page.folder / page.file).read_text(encoding="utf-8")
            assert sum(line in body for line in text.split("\n")) >= 3
            assert len(text) > 200 and "menu" not in text
