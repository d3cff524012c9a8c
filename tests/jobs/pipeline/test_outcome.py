"""When a command ends with status 3: all that was read failed, or nothing came out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.catalogue.lock import load_lock
from jobs.config import load_config
from jobs.config.exit_status import NothingCameOut
from jobs.pipeline.outcome import check_outcome
from jobs.pipeline.stages import (
    PAIR_SELECTION,
    PIPELINE,
    REPORT,
    RULES,
    SCORE,
    STAGES,
    running_order,
)
from jobs.run.request import Run, Stage
from jobs.run.store import WHOLE, Commit, Store


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = load_config(None)
    return Run(config, None, Store.at(str(tmp_path / "out")), {}, load_lock(config, None))


def commit(run: Run, stage: str, rows: int, wave: int = 0, **counts: object) -> Commit:
    made = Commit(stage, wave, "basis", 1.0, rows, **counts)  # type: ignore[arg-type]
    run.store.commit(made)
    return made


def check(command: Stage, run: Run, earlier: dict[int, Commit] | None = None) -> None:
    check_outcome(command, running_order(command, run.config), run, earlier)


def test_all_that_was_read_now_failed(run: Run) -> None:
    first = commit(run, "extract_documents", 9, kept=9)
    commit(run, "extract_documents", 2, wave=1, failed={"not_warc": 2})
    with pytest.raises(NothingCameOut, match=r"all 2 records that were read failed \(not_warc 2\)"):
        check(RULES, run, {0: first})
    allowed = replace(run.config, run=replace(run.config.run, allow_empty=True))
    check(RULES, replace(run, config=allowed), {0: first})


def test_an_input_without_a_record(run: Run) -> None:
    commit(run, "extract_documents", 0)
    with pytest.raises(NothingCameOut, match="the input has no record; check"):
        check(RULES, run, {})


def test_what_was_read_before_and_failed_is_not_said_again(run: Run) -> None:
    commit(run, "extract_documents", 9, kept=9)
    bad = commit(run, "extract_documents", 2, wave=1, failed={"not_warc": 2})
    commit(run, "apply_rules", 9, kept=1, rejected={"length": 8})
    check(RULES, run, run.store.commits("extract_documents"))
    check(RULES, run)
    assert bad.kept == 0


def test_the_first_stage_that_kept_nothing_is_named_with_its_reasons(run: Run) -> None:
    commit(run, "extract_documents", 9, kept=9)
    commit(run, "apply_rules", 9, kept=0, rejected={"length": 5, "character": 3, "sensitive": 1})
    commit(run, "find_duplicates", 0, WHOLE)
    commit(run, "select_corpus", 0, WHOLE)
    said = r"the corpus is empty: apply_rules kept none of 9 records \(length 5, character 3"
    for command in (PIPELINE, STAGES[-2]):
        with pytest.raises(NothingCameOut, match=said):
            check(command, run)
    with pytest.raises(NothingCameOut, match=r"^apply_rules kept none"):
        check(RULES, run)
    check(REPORT, run)


def test_any_scorer_that_scored_something_is_enough(run: Run) -> None:
    commit(run, "extract_documents", 9, kept=9)
    commit(run, "score_quality", 9, kept=0, rejected={"flagged": 9})
    with pytest.raises(NothingCameOut, match="score_documents kept none of 9"):
        check(SCORE, run)
    commit(run, "score_domain", 9, kept=9)
    check(SCORE, run)


def test_a_corpus_with_a_row_is_an_outcome(run: Run) -> None:
    commit(run, "extract_documents", 9, kept=9)
    commit(run, "select_corpus", 9, WHOLE, kept=1, rejected={"quality": 8})
    check(PIPELINE, run)


def test_pairs_of_pages_outside_an_empty_corpus_are_an_outcome(run: Run) -> None:
    pairs = replace(run.config, extract=replace(run.config.extract, pairs=True))
    run = replace(run, config=pairs)
    commit(run, "extract_documents", 9, kept=9)
    commit(run, "select_corpus", 9, WHOLE, kept=0, rejected={"quality": 9})
    commit(run, "select_pairs", 20, WHOLE, kept=3, rejected={"no_text": 17})
    check(PAIR_SELECTION, run)
    with pytest.raises(NothingCameOut, match="the corpus is empty: "):
        check(PIPELINE, run)
