"""The table of stages: commands, order, help and the table of jobs come from it."""

from __future__ import annotations

import importlib

import pytest

from jobs.config import ConfigError, load_config
from jobs.pipeline.stages import (
    DUPLICATES,
    PAIR_STAGES,
    PIPELINE,
    PLAN,
    SCORE,
    SELECT,
    STAGES,
    job_table,
    running_order,
)
from jobs.run.request import Stage

BEST = ["dedup.keep=best", "score.rows=all"]


def names(stages: tuple[Stage, ...]) -> list[str]:
    return [stage.name for stage in stages]


def test_a_stage_comes_after_those_that_it_needs() -> None:
    for settings in ([], BEST):
        order = running_order(PIPELINE, load_config(None, settings))
        for stage in order:
            assert set(stage.needs) <= set(order[: order.index(stage)])


def test_a_command_runs_what_it_needs_and_itself() -> None:
    config = load_config(None)
    assert running_order(PLAN, config) == ()
    assert names(running_order(SCORE, config)) == ["extract_documents", "score_documents"]
    assert names(running_order(SELECT, config))[-1] == "select_corpus"
    assert running_order(PIPELINE, config) == STAGES[1:]


def test_scores_that_decide_between_duplicates_come_first() -> None:
    order = running_order(PIPELINE, load_config(None, BEST))
    assert order.index(SCORE) < order.index(DUPLICATES)
    assert set(order) == set(STAGES[1:])


def test_a_release_of_pairs_ends_a_pipeline_that_has_pairs() -> None:
    settings = ["release.to=out/release", "release_pairs.to=out/pairs"]
    order = running_order(PIPELINE, load_config(None, [*settings, "extract.pairs=true"]))
    assert names(order)[-3:] == ["report_run", "release_corpus", "release_pairs"]
    with pytest.raises(ConfigError, match=r"release_pairs\.to = 'out/pairs': .*no image places"):
        running_order(PIPELINE, load_config(None, settings))


def test_the_ledger_has_a_balance_for_each_stage_but_plan_and_report() -> None:
    config = load_config(None, ['score.scorers=["quality","domain","toxicity"]'])
    assert [name for stage in STAGES for name in stage.ledger_names(config)] == [
        "extract_documents",
        "apply_rules",
        "find_duplicates",
        "score_quality",
        "score_domain",
        "score_toxicity",
        "select_corpus",
    ]


@pytest.mark.parametrize("command", [*STAGES, PIPELINE], ids=lambda command: command.name)
def test_each_entry_is_a_command_and_its_help_names_what_runs_first(
    command: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"jobs.{command.name}").main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert command.name in shown and command.reads in shown
    for stage in command.needs:
        assert stage.run is None or f"{stage.name} " in shown


def test_the_table_of_jobs_has_a_row_a_command() -> None:
    rows = job_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [
        stage.module for stage in (*STAGES[:-1], *PAIR_STAGES, STAGES[-1], PIPELINE)
    ]
    assert all(row.count("|") == 5 for row in rows)
