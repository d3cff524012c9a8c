"""A budget and a preview on the sample: asked and got, in tables, selection.json and messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from tokenizers import Tokenizer, models

from jobs.config import ConfigError, load_config
from jobs.run.scorers import check_corpus_scorers
from tests.jobs.selection.conftest import rows, select

pytestmark = pytest.mark.spark


def budget_of(output: Path, name: str) -> dict[str, Any]:
    facts = json.loads((output / "corpora" / name / "selection.json").read_bytes())
    budget: dict[str, Any] = facts["budget"]
    return budget


def files_of(output: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in output.rglob("*") if path.is_file()}


def best_within(corpus: list[dict[str, Any]], asked: int) -> set[str]:
    """The best documents that fit, as a list has them; equal scores do not occur."""
    kept, left = set(), asked
    for row in sorted(corpus, key=lambda row: -row["quality_score"]):
        if row["tokens"] <= asked:
            left -= row["tokens"]
            if left < 0:
                break
            kept.add(row["doc_id"])
    return kept


def test_corpus_rows_have_the_numbers_of_their_texts(output: Path) -> None:
    scored = {row["doc_id"]: row for row in rows(output, "scores/tokens")}
    corpus = rows(output, "corpus")
    assert len(corpus) > 5
    for row in corpus:
        counts = scored[row["doc_id"]]
        assert counts["chars"] == len(row["text"])
        assert counts["bytes"] == len(row["text"].encode())
        assert row["tokens"] == counts["tokens"] > 0
        assert counts["artifact"].startswith("token_estimate@1+")


def test_a_budget_keeps_the_best_that_fit(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = rows(output, "corpus")
    asked = sum(row["tokens"] for row in corpus) // 2
    assert select(output, "--name", "half", "--set", f"select.budget={asked} tokens") == 0
    captured = capsys.readouterr()
    kept = rows(output, "corpora/half/corpus")
    assert {row["doc_id"] for row in kept} == best_within(corpus, asked)
    got = sum(row["tokens"] for row in kept)
    assert 0 < got <= asked < got + max(row["tokens"] for row in corpus)
    assert f"budget: asked {asked:,} tokens, kept {got:,}" in captured.out
    budget = budget_of(output, "half")
    assert (budget["unit"], budget["asked"], budget["kept"]) == ("tokens", asked, got)
    assert budget["documents"] == len(kept)
    reasons = {row["doc_id"]: row["reasons"] for row in rows(output, "corpora/half/rejected")}
    out = {row["doc_id"] for row in corpus} - {row["doc_id"] for row in kept}
    assert out and all(reasons[doc_id] == ["over_budget"] for doc_id in out)


def shares(budget: Mapping[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {of["domain"]: (of["asked"], of["there"], of["kept"]) for of in budget["domains"]}


@pytest.mark.slow
def test_a_mix_keeps_shares_and_says_what_a_domain_lacks(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = rows(output, "corpus")
    labels = sorted({row["domain"]["single_label"] for row in corpus})
    of_label = {
        label: [row for row in corpus if row["domain"]["single_label"] == label] for label in labels
    }
    small = min(labels, key=lambda label: len(of_label[label]))
    there = len(of_label[small])
    asked = 2 * (there + 1)  # half of it is one more than there are
    mix = [f"select.budget={asked} documents", f'select.mix={{{small} = 0.5, "*" = 0.5}}']
    before = files_of(output)
    assert select(output, "--name", "mix", "--set", *mix) == 2
    said = capsys.readouterr().err
    assert f"{small} asked {there + 1:,} documents, {there:,} there" in said
    assert "select.shortfall to keep" in said
    assert not (output / "corpora" / "mix" / "corpus").exists()
    assert {path for path in before if "/corpus/" in path} <= files_of(output).keys()

    assert select(output, "--name", "mix", "--set", *mix, "select.shortfall=keep") == 0
    assert f"{small}: lacks 1 of {there + 1:,} documents" in capsys.readouterr().out
    assert shares(budget_of(output, "mix"))[small] == (there + 1, there, there)
    assert shares(budget_of(output, "mix"))["*"][2] == there + 1
    assert select(output, "--name", "mix", "--set", "select.shortfall=deal") == 0
    kept = rows(output, "corpora/mix/corpus")
    assert len(kept) == asked
    assert {row["doc_id"] for row in of_label[small]} <= {row["doc_id"] for row in kept}
    assert select(output, "--name", "mix", "--set", f"select.mix={{{small} = 1.0}}") == 0
    kept = rows(output, "corpora/mix/corpus")
    assert {row["doc_id"] for row in kept} == {row["doc_id"] for row in of_label[small]}
    reasons = [row["reasons"] for row in rows(output, "corpora/mix/rejected")]
    assert reasons.count(["not_in_mix"]) == len(corpus) - there


def test_an_order_is_any_number(output: Path) -> None:
    corpus = rows(output, "corpus")
    order = ["select.budget=3 documents", "select.order=-tokens.chars"]
    assert select(output, "--name", "short", "--set", *order) == 0
    shortest = sorted(corpus, key=lambda row: len(row["text"]))
    lengths = [len(row["text"]) for row in rows(output, "corpora/short/corpus")]
    assert sorted(lengths) == [len(row["text"]) for row in shortest[:3]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["select.budget=3 words"], "select.budget = '3 words': expected a number"),
        (["select.budget=9T tokens"], "all domains asked 9,000,000,000,000 tokens, "),
        (["select.budget=9 bytes", "select.mix={law=0.7,news=0.7}"], "add up to 1.4, expected 1"),
        (["select.budget=9 bytes", "select.mix={lawn=1.0}"], "select.mix: no label 'lawn'; known"),
        (["select.budget=9 bytes", "select.order=tokens.size"], "select.order = 'tokens.size': "),
        (["select.budget=9 bytes", "select.order=url"], "is string, not a number"),
        (["select.budget=9 bytes", "select.order=rand()"], "select.order = 'rand()': is not det"),
        (["select.budget=9 bytes", "select.order=sum(quality.score)"], "select.order = 'sum("),
        (['select.mix={"*" = 1.0}'], "has no effect without select.budget"),
        (["select.order=language_score"], "has no effect without select.budget"),
    ],
)
def test_what_cannot_be_is_said_before_work(
    output: Path, capsys: pytest.CaptureFixture[str], settings: list[str], said: str
) -> None:
    name = f"wrong{crc32(repr(settings).encode())}"  # a selection remembers what it was asked for
    assert select(output, "--name", name, "--set", *settings) == 2
    assert said in capsys.readouterr().err
    assert not (output / "corpora" / name / "corpus").exists()


def test_a_budget_of_tokens_needs_their_scorer() -> None:
    scorers = 'score.scorers=["quality", "domain", "toxicity"]'
    with pytest.raises(ConfigError, match=r"select.budget = '9 tokens': .* has no tokens"):
        check_corpus_scorers(load_config(None, [scorers, "select.budget=9 tokens"]))
    check_corpus_scorers(load_config(None, [scorers, "select.budget=9 documents"]))


def test_a_preview_writes_nothing_and_says_what_thresholds_keep(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = rows(output, "corpus")
    before = files_of(output)
    assert select(output, "--preview", "--json", "--set", "select.budget=1M tokens") == 0
    found = json.loads(capsys.readouterr().out)
    assert files_of(output) == before
    tokens = sum(row["tokens"] for row in corpus)
    chars = sum(len(row["text"]) for row in corpus)
    kept = {"documents": len(corpus), "chars": chars, "tokens": tokens}
    assert found["kept"] == kept
    assert found["budget"] == {"unit": "tokens", "asked": 10**6, "there": tokens}
    curves = {curve["score"]: curve for curve in found["scores"]}
    assert list(curves) == ["quality", "toxicity", "perplexity", "tokens", "chars"]
    at = {point["threshold"]: point for point in curves["quality"]["curve"]}
    assert len(at) == 10
    assert at[0.5]["documents"] == len(corpus) and at[0.5]["tokens"] == tokens
    assert at[0.0]["documents"] > len(corpus)  # without the limit that is in use
    best = [row for row in corpus if row["quality_score"] >= 0.9]
    assert at[0.9]["documents"] == len(best) == at[0.9]["bands"]["0.8"]["documents"]
    domains = {name: of["documents"] for name, of in at[0.9]["domains"].items()}
    assert sum(domains.values()) == len(best)
    assert select(output, "--preview") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"the selection keeps {len(corpus):,} documents, {chars:,} characters")
    assert "quality, select.min_quality = 0.5" in said
    assert files_of(output) == before


def test_a_preview_needs_what_it_reads(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert select(output, "--preview", "--set", "rules.min_chars=100") == 2
    assert "this writes nothing, and there is work to do before it: apply_rules" in (
        capsys.readouterr().err
    )
    assert select(output, "--json") == 2
    assert "--json: goes with --preview" in capsys.readouterr().err


def test_another_tokenizer_scores_tokens_again_and_nothing_else(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordLevel({"[UNK]": 0}, "[UNK]")).save(str(path))
    assert select(output, "--plan", "--set", f"select.tokenizer={path}") == 0
    said = dict(
        line.split(": ", 1) for line in capsys.readouterr().out.splitlines() if line[0] != " "
    )
    stages = [name for name in said if "_" in name and "@" not in name]
    due = [name for name in stages if said[name] != "nothing to do"]
    assert due == ["score_tokens", "select_corpus"]
    assert said["needs --yes"] == "do finished work of score_tokens again"
