"""Commits: the reasons for which a wave is due."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jobs.run.commits import Basis, commit_of, due, wave_of
from jobs.run.store import Store


def test_reasons_name_what_is_new_gone_or_other(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    first = Basis({"rules.a": 1, "rules.b": [1, 2]}, {"input": "x", "rules.list": "y"})
    with wave_of(store, "stage", 0, first):
        pass
    assert due(store, "stage", {0: first}) == {}
    changed = Basis({"rules.a": 1, "rules.c": None}, {"input": "z", "rules.list": "y"})
    assert due(store, "stage", {0: changed, 1: first}) == {
        0: "input changed; rules.b is not there, was [1, 2]; rules.c is null, was not there",
        1: "not done yet",
    }
    again = replace(first, redo="something else lacks it")
    assert due(store, "stage", {0: again}) == {0: "something else lacks it"}
    many = Basis({f"rules.{letter}": 0 for letter in "abcdef"}, first.sources)
    assert due(store, "stage", {0: many})[0].endswith("; 3 more changes")


def test_a_commit_of_a_version_that_kept_no_basis_is_done_again(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    basis = Basis({}, {})
    commit = commit_of("stage", 0, basis)
    store.commit(type(commit)(commit.stage, commit.wave, "older", 0.0, 0))
    assert due(store, "stage", {0: basis}) == {0: "made by another version"}
