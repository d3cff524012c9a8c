"""Own models through the real jobs; scores of two locks are never mixed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fasttext
import jieba
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import lock_artifacts, score_documents, select_corpus
from jobs.catalogue.catalogue import bundled_conf
from jobs.catalogue.lock import read_lock
from tests.builders.models import train_model
from udfs.files.artifacts import sha256_of

TEXTS = {
    "article": "研究人员发布历史研究报告，\n我们认为研究很重要。" * 12,
    "menu": "点击登录首页，点击注册，登录首页。\r\n" * 12,
    "spam": "赌场开户送彩金，赌场注册开户。" * 14,
    "maths": "方程与函数的证\n明，函数方程的证明。" * 12,
}
STOP_WORDS = {"我们", "认为"}
LESSONS = {
    "quality": {"clean": "研究 历史 报告 函数 方程", "dirty": "点击 登录 首页 赌场"},
    "domain": {"math": "方程 函数 证明", "news": "研究 报告 发布", "general": "点击 登录 首页"},
    "toxicity": {"0": "研究 历史 点击 登录 方程 函数", "1": "赌场 开户 彩金"},
}
FILES = {
    "quality": "quality.bin",
    "domain": "model_domain.bin",
    "toxicity": "toxic_classifier_r2.bin",
}
SCORERS = tuple(FILES)


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The preset beside models of the published names and labels, and a catalogue with its lock."""
    conf = tmp_path_factory.mktemp("own") / "conf"
    shutil.copytree(bundled_conf(), conf)
    (conf / "casia").mkdir()
    for name, lesson in LESSONS.items():
        train_model(conf / "casia" / FILES[name], lesson, "ova" if name == "domain" else "softmax")
    words = "\n".join(sorted(STOP_WORDS))
    (conf / "casia" / "cn_stopwords.txt").write_text(f"\ufeff{words}\n", encoding="utf-8")
    return conf


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = (json.dumps({"id": name, "text": text}) for name, text in TEXTS.items())
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def arguments(conf: Path, rows: Path, output: Path, config: str = "casia.toml") -> list[str]:
    return [
        *("--config", str(conf / config), "--input", str(rows), "--input-format", "jsonl"),
        *("--output", str(output), "--set", "extract.languages=[]", "extract.min_script_chars=off"),
        *("rules.pack=off", "rules.max_dup_13gram_share=off", 'dedup.levels=["exact"]'),
        *("select.min_quality=off",),
    ]


@pytest.fixture(scope="module")
def selected(
    spark: SparkSession, conf: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An output whose corpus is selected, with the bundled models."""
    output = tmp_path_factory.mktemp("selected") / "out"
    assert select_corpus.main(arguments(conf, rows, output, "local.toml")) == 0
    return output


def scores(spark: SparkSession, output: Path, scorer: str) -> dict[str, Any]:
    table = spark.read.parquet(str(output / "scores" / scorer))
    return {row["doc_id"]: row for row in table.collect()}


def published_probabilities(model: Any, text: str, joined: bool) -> Mapping[str, float]:
    """Label -> probability, as the published scripts ask their models."""
    if joined:
        text = text.replace("\n", "").replace("\r", "")
    words = [w for w in jieba.lcut(text) if len(w) > 1 and w not in STOP_WORDS and not w.isspace()]
    labels, values = model.predict(" ".join(words), k=-1)
    return {
        label.removeprefix("__label__"): min(1.0, max(0.0, float(value)))
        for label, value in zip(labels, values, strict=True)
    }


def test_published_models_score_as_their_scripts_do(
    spark: SparkSession, conf: Path, rows: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert score_documents.main(arguments(conf, rows, output)) == 0
    models = {n: fasttext.load_model(str(conf / "casia" / file)) for n, file in FILES.items()}
    found = {scorer: scores(spark, output, scorer) for scorer in SCORERS}
    for name, text in TEXTS.items():
        quality = published_probabilities(models["quality"], text, joined=False)
        assert found["quality"][name]["score"] == pytest.approx(quality["clean"], abs=1e-6)
        toxicity = published_probabilities(models["toxicity"], text, joined=True)
        row = found["toxicity"][name]
        assert row["score"] == pytest.approx(toxicity["1"], abs=1e-6)
        assert row["score"] == row["mean_score"] == row["worst_score"]
        assert row["label"] == int(toxicity["1"] >= 0.99)
        domain = published_probabilities(models["domain"], text, joined=True)
        row = found["domain"][name]
        assert dict(row["probabilities"]) == pytest.approx(domain, abs=1e-6)
        assert row["single_label"] == max(domain, key=lambda label: domain[label])
        assert set(row["multi_label"]) >= {label for label, p in domain.items() if p >= 0.3}
    assert found["toxicity"]["spam"]["label"] == 1
    assert found["quality"]["article"]["score"] > 0.9 > found["quality"]["menu"]["score"]
    assert found["domain"]["maths"]["single_label"] == "math"
    for scorer, file in FILES.items():
        digest = sha256_of(conf / "casia" / file)[:12]
        origins = {(row["artifact"], len(row["lock_id"])) for row in found[scorer].values()}
        assert origins == {(f"{file}@local+{digest}", 64)}


@pytest.mark.slow
def test_another_version_scores_again_only_what_depends_on_it(
    spark: SparkSession, conf: Path, rows: Path, selected: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "conf"
    shutil.copytree(conf, mine)
    shutil.copytree(selected, tmp_path / "out")
    call = arguments(mine, rows, tmp_path / "out", "local.toml")
    before = {scorer: scores(spark, tmp_path / "out", scorer) for scorer in SCORERS}
    locked = read_lock(mine / "artifacts.lock")
    for scorer in SCORERS:
        origins = {(row["artifact"], row["lock_id"]) for row in before[scorer].values()}
        others = {"domain": ["domain_hosts"], "toxicity": ["kinds", "toxicity_short"]}
        names = [scorer, *others.get(scorer, [])]
        assert origins == {(locked.artifacts[scorer].stamp, locked.id_of(names))}

    catalogue = mine / "artifacts.toml"
    text = catalogue.read_text(encoding="utf-8")
    model = train_model(mine / "artifacts" / "next.bin", {"toxic": "赌场", "benign": "研究"})
    entry = (
        '\n[toxicity.1000]\nkind = "model"\nuri = "artifacts/next.bin"\nlicence = "x"\n'
        f'sha256 = "{sha256_of(model)}"\nsize = {model.stat().st_size}\n'
        'needs = {segmentation = "==1"}\n'
    )
    catalogue.write_text(text + entry, encoding="utf-8")
    assert select_corpus.main(call) == 0
    assert scores(spark, tmp_path / "out", "toxicity") == before["toxicity"]
    local = ["--config", str(mine / "local.toml")]
    assert lock_artifacts.main([*local, "--upgrade", "toxicity"]) == 0
    tables = [tmp_path / "out" / "scores" / name for name in ("quality", "domain")]
    files = {p: p.stat().st_mtime_ns for table in tables for p in table.rglob("*.parquet")}
    assert files
    assert select_corpus.main([*call, "--yes"]) == 0
    after = {scorer: scores(spark, tmp_path / "out", scorer) for scorer in SCORERS}
    assert after["quality"] == before["quality"]
    assert after["domain"] == before["domain"]
    assert {row["artifact"] for row in after["toxicity"].values()} == {
        f"toxicity@1000+{sha256_of(model)[:12]}"
    }
    assert {path: path.stat().st_mtime_ns for path in files} == files


@pytest.mark.slow
def test_scores_of_two_locks_make_no_corpus(
    spark: SparkSession,
    conf: Path,
    rows: Path,
    selected: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    shutil.copytree(selected, output)
    call = arguments(conf, rows, output, "local.toml")
    shutil.rmtree(output / "corpus")
    (output / "_commits" / "select_corpus" / "whole.json").unlink()
    parts = (output / "scores" / "domain").rglob("*.parquet")
    path = next(part for part in sorted(parts) if pq.read_metadata(part).num_rows)
    table = pq.read_table(path)
    changed = {"artifact": "domain@9+0123456789ab", "lock_id": "f" * 64}
    for column, value in changed.items():
        values = table.column(column).to_pylist()
        at = table.schema.get_field_index(column)
        table = table.set_column(at, column, pa.array([value, *values[1:]]))
    pq.write_table(table, path)
    capsys.readouterr()
    assert select_corpus.main(call) == 2
    said = capsys.readouterr().err
    assert "domain: 2 of domain@" in said
    assert "and 1 of domain@9+0123456789ab (lock ffffffffffff)" in said
    assert "quality: 3 of quality@" in said
    assert not (output / "corpus").exists()


@pytest.mark.usefixtures("spark")
def test_a_tampered_model_ends_the_run(
    conf: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "conf"
    shutil.copytree(conf, mine)
    model = mine / "artifacts" / "quality" / "quality.ftz"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    cache = f"artifacts.cache={tmp_path / 'cache'}"
    assert (
        score_documents.main([*arguments(mine, rows, tmp_path / "out", "local.toml"), cache]) == 1
    )
    said = capsys.readouterr().err
    assert "score_documents failed: artifact quality" in said
    assert not (tmp_path / "out" / "scores").exists()
