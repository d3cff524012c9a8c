"""The declared scorers agree with themselves, and importing them costs little."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections import Counter

import pytest

from jobs.config import SelectConfig, load_config
from jobs.config.scorers import SCORERS
from jobs.config.sections import artifact_keys, section_types
from jobs.run.scorers import check_corpus_scorers
from jobs.tables import CORPUS, schema_of
from tests.jobs.conftest import ROOT
from udfs.base.settings import ConfigError
from udfs.scorers.declaration import ScorerDeclaration

HEAVY = ("fasttext", "jieba", "numba", "pandas", "pyarrow", "tokenizers", "torch", "transformers")


def test_importing_the_declarations_imports_nothing_heavy() -> None:
    code = f"import sys, jobs.config; print([m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: scorer.name)
def test_a_declaration_names_columns_and_keys_that_it_has(scorer: ScorerDeclaration) -> None:
    columns = set(scorer.result_type.fieldNames())
    limits = set() if scorer.limits is None else {f.name for f in dataclasses.fields(scorer.limits)}
    for column in scorer.corpus:
        assert set([column.fields] if isinstance(column.fields, str) else column.fields) <= columns
    assert scorer.score is None or scorer.score in columns
    assert {rejection.key for rejection in scorer.rejections} <= limits
    if scorer.cut is not None:
        assert scorer.cut.key in limits and scorer.cut.segments in columns
    if scorer.make_file is None:
        kind = artifact_keys(scorer.settings)["artifact"].kind
        assert kind in ("model", "tokenizer", "lexicon")
        if scorer.artifact_limit is not None and scorer.limits is not None:
            assert artifact_keys(scorer.limits)[scorer.artifact_limit].kind == kind
    assert {curve.column for curve in scorer.curves} <= columns
    if scorer.passages is not None:
        cut = scorer.passages
        assert {cut.spans, cut.chars_left} <= columns and {cut.key, cut.min_chars} <= limits
    assert scorer.limits_in_use(scorer.default_limits()) == []


def test_names_keys_reasons_and_columns_are_given_once() -> None:
    reasons = [r.reason for scorer in SCORERS for r in scorer.rejections]
    reasons += [scorer.cut.reason for scorer in SCORERS if scorer.cut is not None]
    keys = [f.name for part in section_types()["select"] for f in dataclasses.fields(part)]
    names = [scorer.name for scorer in SCORERS]
    curves = [curve.name for scorer in SCORERS for curve in scorer.curves]
    for given in (names, reasons, keys, curves, schema_of(CORPUS).fieldNames()):
        assert [name for name, n in Counter(given).items() if n > 1] == []
    assert {f.name for f in dataclasses.fields(SelectConfig)} <= set(keys)


def test_the_corpus_begins_with_the_published_row() -> None:
    published = ["text", "domain", "toxicity", "quality_score"]
    assert schema_of(CORPUS).fieldNames()[:8] == [
        *published,
        *("toxic_kind", "harmful", "tokens", "contamination"),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (['score.scorers=["domain", "toxicity"]'], "needs quality too (select.quality_from = 'qu"),
        (['score.scorers=["quality"]'], "a corpus row needs domain, toxicity too"),
        (["select.quality_from=quality_bert"], "needs quality_bert too (select.quality_from"),
        (['score.scorers=["quality"]', 'select.domains=["law"]'], "select.domains = ('law',): sc"),
    ],
)
def test_scorers_that_a_corpus_needs_are_named(settings: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_corpus_scorers(load_config(None, settings))
    assert said in str(error.value)


def test_quality_may_come_from_the_encoder_alone() -> None:
    scorers = 'score.scorers=["domain", "toxicity", "quality_bert"]'
    check_corpus_scorers(load_config(None, ["select.quality_from=quality_bert", scorers]))
