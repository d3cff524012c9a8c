"""A new scorer: one module that declares itself and one entry of the tuple, nothing else."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DoubleType

from jobs import run_pipeline, score_documents
from jobs.config import Config, ConfigError, load_config, named_artifacts
from jobs.config.reference import reference
from jobs.config.scorers import SCORERS
from jobs.run.scorers import check_corpus_scorers
from jobs.tables import CORPUS, schema_of
from jobs.transforms.selection.frame import selection_scorers
from tests.jobs.conftest import LOCAL_CONFIG

MODULE = '''
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyspark.sql.types import DoubleType, LongType, StructField, StructType

from udfs.base.settings import ConfigError, Model
from udfs.scorers.declaration import CorpusColumn, Rejection, ScorerDeclaration, read_known
from udfs.scorers.scorer import Scorer


@dataclass(frozen=True)
class DigitSettings:
    """Share of certain characters."""

    artifact: Model = "digits"
    """A path to a file of characters."""
    scale: float = 1.0
    """What the share is multiplied by."""


@dataclass(frozen=True)
class DigitLimits:
    """Keys of [select]."""

    min_digits: float | None = None
    """Least share of digits."""


RESULT_TYPE = StructType([StructField("share", DoubleType()), StructField("count", LongType())])


def load(path):
    return frozenset(path.read_text(encoding="utf-8").strip())


def score(texts, model, scale):
    counts = [sum(char in model for char in text) for text in texts]
    return [{"share": scale * n / len(text), "count": n} for n, text in zip(counts, texts)]


def read(path):
    if not load(path):
        raise ValueError(f"{path}: holds no character")


def check(settings, limits, files):
    if settings.scale <= 0:
        raise ConfigError(f"digits.scale = {settings.scale}: expected above 0")
    read_known("digits.artifact", files["artifact"], read, ValueError)


def make(settings, files):
    scored = partial(score, scale=settings.scale)
    return Scorer("digits", files.shipped("artifact"), RESULT_TYPE, scored, None, load)


DIGITS = ScorerDeclaration(
    name="digits",
    settings=DigitSettings,
    result_type=RESULT_TYPE,
    make=make,
    check=check,
    score="share",
    corpus=(CorpusColumn("digit_share", "share"), CorpusColumn("digits", ("share", "count"))),
    limits=DigitLimits,
    rejections=(Rejection("few_digits", "min_digits", lambda s, least: s["share"] < least),),
)
'''

PROSE = "研究人员发布历史研究报告，我们认为研究很重要。"
TEXTS = {
    "many": "".join(f"{PROSE}{n:030}。\n" for n in range(1000, 1012)),
    "some": "".join(f"{PROSE}第{n:010}号。\n" for n in range(1000, 1014)),
    "none": PROSE * 14,
}
DIGITS = "0123456789"
RUNNING = 'score.scorers=["quality", "domain", "toxicity", "digits"]'


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The module's file; its scorer is in the tuple."""
    path = tmp_path / "digits_scorer.py"
    path.write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    declaration = importlib.import_module("digits_scorer").DIGITS
    monkeypatch.setattr("jobs.config.scorers.SCORERS", (*SCORERS, declaration))
    yield path
    del sys.modules["digits_scorer"]


@pytest.mark.usefixtures("module")
def test_its_table_settings_and_columns_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema_of("scores/digits").fieldNames() == [
        *("doc_id", "share", "count", "artifact", "lock_id")
    ]
    corpus = schema_of(CORPUS)
    assert corpus.fieldNames()[4:12] == [
        *("toxic_kind", "harmful", "tokens", "contamination", "variety", "register"),
        *("digit_share", "digits"),
    ]
    assert corpus["digit_share"].dataType == DoubleType()
    config = load_config(None, ["digits.scale=2", RUNNING])
    assert config.scorers["digits"].scale == 2.0
    assert [(a.key, a.name) for a in named_artifacts(config) if a.name == "digits"] == [
        ("digits.artifact", "digits")
    ]
    with pytest.raises(SystemExit):
        score_documents.main(["--help"])
    assert "contamination,variety,register,digits" in capsys.readouterr().out
    page = reference()
    assert "### [digits]" in page
    assert "| `scale` | number | `1.0` | What the share is multiplied by. |" in page
    assert '| `min_digits` | number, or off | `"off"` | Least share of digits. |' in page


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("digits.colour=3", "unknown key digits.colour = 3; known keys of [digits]: artifact, sc"),
        ("digits.scale=many", "digits.scale = 'many': expected a number"),
        ("select.min_digits=many", "select.min_digits = 'many': expected a number"),
        ("select.quality_from=toxicity", "from 0 to 1: quality, quality_bert, text_judge, digits"),
        ('score.scorers=["numbers"]', "unknown 'numbers'; known: quality, domain, toxicity, perp"),
    ],
)
def test_its_settings_are_in_messages(setting: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(None, [setting])
    assert said in str(error.value)


@pytest.mark.usefixtures("module")
def test_what_needs_its_scores_names_it() -> None:
    for setting in ("select.min_digits=0.1", "select.quality_from=digits"):
        with pytest.raises(ConfigError, match=r"score\.scorers = .*digits"):
            check_corpus_scorers(load_config(None, [setting]))
        check_corpus_scorers(load_config(None, [setting, RUNNING]))
    assert selection_scorers(load_config(None, [RUNNING])) == [
        *("quality", "domain", "toxicity", "digits")
    ]


def test_without_the_module_nothing_knows_of_it() -> None:
    with pytest.raises(ConfigError, match=r"unknown section \[digits\]"):
        load_config(None, ["digits.scale=2"])
    assert "digits" not in Config().scorers


def test_it_scores_selects_and_decides_quality(
    spark: SparkSession, module: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spark.sparkContext.addPyFile(str(module))
    model = tmp_path / "model.txt"
    model.write_text(DIGITS, encoding="utf-8")
    rows = (json.dumps({"id": name, "text": text}) for name, text in TEXTS.items())
    (tmp_path / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    call = [
        *("--config", str(LOCAL_CONFIG), "--input", str(tmp_path / "rows.jsonl")),
        *("--input-format", "jsonl", "--output", str(tmp_path / "out"), "--set", RUNNING),
        *("extract.languages=[]", "extract.min_script_chars=off", "rules.pack=off"),
        *("rules.max_dup_13gram_share=off", "rules.min_script_share=off", "dedup.levels=[]"),
        *("select.quality_from=digits", "select.min_quality=0.05", "select.min_digits=0.3"),
        f"digits.artifact={model}",
    ]
    assert run_pipeline.main(call) == 0
    table = spark.read.parquet(str(tmp_path / "out/scores/digits")).collect()
    counts = {name: sum(char in DIGITS for char in text) for name, text in TEXTS.items()}
    shares = {name: counts[name] / len(text) for name, text in TEXTS.items()}
    assert {row.doc_id: (row.share, row["count"]) for row in table} == {
        name: (shares[name], counts[name]) for name in TEXTS
    }
    (row,) = spark.read.parquet(str(tmp_path / "out/corpus")).collect()
    assert row.doc_id == "many"
    assert row.quality_score == row.digit_share == shares["many"]
    assert tuple(row.digits) == (shares["many"], counts["many"])
    rejected = spark.read.parquet(str(tmp_path / "out/rejected")).collect()
    assert {row.doc_id: row.reasons for row in rejected} == {
        "some": ["few_digits"],
        "none": ["low_quality", "few_digits"],
    }
    facts = json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))
    assert "score_digits" in [stage["stage"] for stage in facts["stages"]]
    assert facts["config"]["digits"]["scale"] == 1.0
    assert facts["config"]["select"]["min_digits"] == 0.3
    model.write_text("\n", encoding="utf-8")
    capsys.readouterr()
    assert run_pipeline.main([*call, "digits.scale=2"]) == 2
    assert "digits.artifact: " in capsys.readouterr().err
