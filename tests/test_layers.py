"""The import graph: udfs <- jobs/transforms <- jobs, and names that spark-submit can live with."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
JOBS = sorted((ROOT / "jobs").glob("*.py"))
TRANSFORMS = sorted((ROOT / "jobs" / "transforms").glob("*.py"))
TRAINING = sorted((ROOT / "jobs" / "training").glob("*.py"))
UDFS = sorted((ROOT / "udfs").glob("*.py"))
LEAVES = {"config", "tables"}
HAS_RUN = {path.stem for path in JOBS if "run_command(" in path.read_text(encoding="utf-8")}
JOB_NAMES = (HAS_RUN | {"train_models", "fetch_artifacts", "lock_artifacts"}) - {"command"}


def imported(path: Path) -> set[str]:
    """Modules of this project that a file imports, as dotted names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            if node.module in ("jobs", "udfs", "jobs.transforms", "jobs.training"):
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in ("jobs", "udfs")}


@pytest.mark.parametrize("path", UDFS, ids=lambda path: path.stem)
def test_udfs_import_no_job(path: Path) -> None:
    assert not {name for name in imported(path) if name.startswith("jobs")}


@pytest.mark.parametrize("path", TRANSFORMS, ids=lambda path: path.stem)
def test_transforms_import_only_udfs_transforms_and_leaves(path: Path) -> None:
    allowed = {f"jobs.{leaf}" for leaf in LEAVES} | {"jobs.transforms"}
    jobs = {name for name in imported(path) if name.startswith("jobs")}
    assert {n for n in jobs if n not in allowed and not n.startswith("jobs.transforms.")} == set()


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_training_imports_only_udfs_and_training(path: Path) -> None:
    jobs = {name for name in imported(path) if name.startswith("jobs")}
    assert {name for name in jobs if not name.startswith("jobs.training")} == set()


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_leaves_import_no_other_part_of_jobs(leaf: str) -> None:
    imports = imported(ROOT / "jobs" / f"{leaf}.py")
    assert {name for name in imports if name.startswith("jobs")} == set()


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_no_job_imports_another_but_run_pipeline(path: Path) -> None:
    if path.stem == "run_pipeline":
        return
    others = {f"jobs.{name}" for name in JOB_NAMES if name != path.stem}
    assert imported(path) & others == set()


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_no_file_in_jobs_shadows_the_standard_library(path: Path) -> None:
    """spark-submit puts jobs/ first on sys.path."""
    assert path.stem not in sys.stdlib_module_names
