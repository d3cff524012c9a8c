"""--plan: what would run and why, said before Spark starts, and just what then runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jobs import extract_documents, run_pipeline
from jobs.pipeline import work_plan
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG

STAGES = {
    "extract_documents",
    "measure_documents",
    "apply_rules",
    "find_duplicates",
    "score_quality",
    "score_domain",
    "score_toxicity",
    "score_perplexity",
    "score_tokens",
    "select_corpus",
    "report_run",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    for name in "ab":
        text = f"{name}：山里的溪水在春天涨了起来，村里的人沿着石阶去看水。" * 12
        row = json.dumps({"id": name, "text": text}, ensure_ascii=False)
        (path / f"{name}.jsonl").write_text(row + "\n", encoding="utf-8")
    return path


_EMPTY = "run.allow_empty=true"
"""The rules reject both texts, whose sentence is repeated."""


def arguments(folder: Path, output: Path, *settings: str) -> list[str]:
    common = ["--config", str(LOCAL_CONFIG), "--input", str(folder), "--input-format", "jsonl"]
    return [*common, "--output", str(output), "--set", "run.wave_splits=1", _EMPTY, *settings]


def planned(
    capsys: pytest.CaptureFixture[str], folder: Path, output: Path, *settings: str
) -> list[str]:
    capsys.readouterr()
    assert run_pipeline.main([*arguments(folder, output, *settings), "--plan"]) == 0
    return capsys.readouterr().out.splitlines()


def commits(output: Path) -> dict[str, str]:
    store = Store.at(str(output))
    return {
        f"{stage}/{wave}": commit.fingerprint
        for stage in STAGES
        for wave, commit in store.commits(stage).items()
    }


def test_a_plan_says_what_runs_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    lines = planned(capsys, folder, output)
    assert not output.exists()
    assert lines[0] == f"adding 2 files: {folder}/a.jsonl, {folder}/b.jsonl"
    assert lines[1:4] == [
        "plan_input: 2 new waves",
        "extract_documents: 2 of 2 waves",
        "  waves 1 to 2: not done yet",
    ]
    assert lines[-2:] == ["select_corpus: not done yet", "report_run: not done yet"]
    assert {line.split(":")[0] for line in lines[1:] if not line.startswith(" ")} == STAGES | {
        "plan_input"
    }


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_what_is_planned_is_what_runs(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "out"
    foretold = foretell(monkeypatch, folder, output)
    assert run_pipeline.main(arguments(folder, output)) == 0
    assert commits(output) == foretold
    assert all("nothing to do" in line for line in planned(capsys, folder, output))

    with monkeypatch.context() as patched:  # nothing is due: Spark is not started
        patched.setattr("jobs.pipeline.application.spark_session", None)
        assert run_pipeline.main(arguments(folder, output)) == 0
        said = capsys.readouterr()
        assert re.search(r"^nothing to do, \d+\.\d s$", said.err, re.M)
        assert "The balance closes" in said.out
        assert f"{output}/corpus\n" in said.out and "/s\n" not in said.out
        assert run_pipeline.main([*arguments(folder, output, "rules.min_chars=100"), "--yes"]) == 1

    stricter = "rules.min_chars=100"
    lines = planned(capsys, folder, output, stricter)
    assert "extract_documents: nothing to do" in lines
    assert "measure_documents: nothing to do" in lines
    assert "  waves 1 to 2: rules.min_chars is 100, was 200" in lines
    assert "find_duplicates: apply_rules changed" in lines
    assert "  waves 1 to 2: apply_rules changed; find_duplicates changed" in lines

    (folder / "c.jsonl").write_text((folder / "a.jsonl").read_text("utf-8"), encoding="utf-8")
    lines = planned(capsys, folder, output)
    at = lines.index("extract_documents: 1 of 3 waves")
    assert lines[at + 1] == "  wave 3: not done yet"
    assert commits(output) == foretold


def foretell(monkeypatch: pytest.MonkeyPatch, folder: Path, output: Path) -> dict[str, str]:
    """Fingerprints that a plan commits in memory."""
    store_at = work_plan.PlanStore
    stores: list[work_plan.PlanStore] = []

    def noted(root: str) -> work_plan.PlanStore:
        stores.append(store_at(root))
        return stores[-1]

    with monkeypatch.context() as patched:
        patched.setattr(work_plan, "PlanStore", noted)
        assert run_pipeline.main([*arguments(folder, output), "--plan"]) == 0
    return {
        f"{stage}/{wave}": commit.fingerprint
        for stage, waves in stores[0].declared.items()
        for wave, commit in waves.items()
    }


def test_a_plan_needs_no_lease(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    lease = output / "_lease"
    lease.mkdir(parents=True)
    (lease / "other.json").write_text("{}", encoding="utf-8")
    assert extract_documents.main([*arguments(folder, output), "--plan"]) == 0
