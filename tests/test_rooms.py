"""What import-linter cannot see of the house: names, sizes, and what each room says of itself."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(
    path.parent for top in ("jobs", "udfs") for path in (ROOT / top).rglob("__init__.py")
)
MODULES = sorted(path for room in ROOMS for path in room.glob("*.py"))
IN_JOBS = sorted({path.stem for path in (ROOT / "jobs").iterdir() if path.name[0] not in "_."})
MAX_MODULES = 18
MAX_LINES = 500
MAX_FUNCTION_LINES = 80


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", IN_JOBS)
def test_nothing_in_jobs_shadows_the_standard_library(name: str) -> None:
    """spark-submit puts jobs/ first on sys.path."""
    assert name not in sys.stdlib_module_names


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_says_what_it_is_for_and_nothing_else(room: Path) -> None:
    body = ast.parse((room / "__init__.py").read_text(encoding="utf-8")).body
    assert body, f"{name_of(room)}/__init__.py has no docstring"
    assert isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


def test_the_wheel_has_every_room() -> None:
    """Setuptools gets a list: beside a checkout, what it lacks is found there and missed nowhere
    but on a cluster."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bundled = {
        ".".join(("jobs.bundled", *path.relative_to(ROOT / "conf").parts))
        for path in (ROOT / "conf" / "artifacts").glob("*/")
    }
    rooms = {name_of(room).replace("/", ".") for room in ROOMS}
    packed = set(project["tool"]["setuptools"]["packages"])
    assert (rooms | bundled) - packed == set()


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_has_at_most_18_modules(room: Path) -> None:
    modules = [path.name for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MAX_MODULES


def is_command(path: Path) -> bool:
    """Whether a module has an entry point."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body)


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.py")), ids=name_of)
def test_jobs_holds_commands_and_the_tables_alone(path: Path) -> None:
    if path.stem not in ("__init__", "tables"):
        assert is_command(path)
        verb, _, noun = path.stem.partition("_")
        assert verb and noun


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_are_short_enough_to_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []
    assert len(text.splitlines()) <= MAX_LINES


def test_no_two_modules_define_a_class_of_one_name() -> None:
    modules_of: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                modules_of.setdefault(node.name, []).append(name_of(path))
    assert {name: found for name, found in modules_of.items() if len(set(found)) > 1} == {}
