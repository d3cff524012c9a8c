"""Choosing versions: recorded catalogues, all orders, and every small catalogue there may be."""

from __future__ import annotations

import itertools
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from jobs.catalogue.catalogue import Artifact
from jobs.catalogue.resolution import Need, Unresolvable, resolve

CASES = tomllib.loads((Path(__file__).parent / "resolution_cases.toml").read_text("utf-8"))["case"]
CODE = {"segmentation": "1"}
SHUFFLES = 20

Needs = dict[str, dict[str, dict[str, str]]]


def catalogue_of(entries: Needs) -> dict[str, dict[str, Artifact]]:
    return {
        name: {
            version: Artifact(name, version, "", "", "", needs=needs)
            for version, needs in versions.items()
        }
        for name, versions in entries.items()
    }


def shuffled(table: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    items = [(k, shuffled(v, rng) if isinstance(v, dict) else v) for k, v in table.items()]
    rng.shuffle(items)
    return dict(items)


def asked_for(names: list[str]) -> list[Need]:
    return [Need(name, "", f"{name}.artifact") for name in names]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_recorded_catalogue(case: dict[str, Any]) -> None:
    rng = random.Random(1)
    outcomes = set()
    for _ in range(SHUFFLES):
        entries = shuffled(case["catalogue"], rng)
        asked = asked_for(rng.sample(case["asked"], len(case["asked"])))
        try:
            outcomes.add(str(resolve(catalogue_of(entries), asked, code=CODE)))
        except Unresolvable as error:
            outcomes.add(str(error))
    (outcome,) = outcomes
    if "locked" in case:
        assert outcome == str(dict(sorted(case["locked"].items())))
    for words in case.get("said", []):
        assert words in outcome


UPGRADES: Needs = {
    "domain": {"1": {"labels": "==1"}, "2": {"labels": ">=2"}},
    "labels": {"1": {}, "2": {}, "3": {}},
    "quality": {"1": {}, "2": {}},
    "genre": {"1": {"labels": ">=1"}},
}
KEPT = {"domain": "1", "labels": "1", "quality": "1"}


def test_one_moves_and_what_it_needs_and_the_others_stay() -> None:
    catalogue = catalogue_of(UPGRADES)
    asked = asked_for(["domain", "quality"])
    assert resolve(catalogue, asked, KEPT, "quality") == {**KEPT, "quality": "2"}
    assert resolve(catalogue, asked, KEPT, "domain") == {**KEPT, "domain": "2", "labels": "3"}
    assert resolve(catalogue, asked, KEPT) == {"domain": "2", "labels": "3", "quality": "2"}


def test_one_that_others_hold_does_not_move() -> None:
    catalogue, asked = catalogue_of(UPGRADES), asked_for(["domain", "quality"])
    assert resolve(catalogue, asked, KEPT, "labels") == KEPT


def test_what_it_needs_stays_where_it_can() -> None:
    catalogue = catalogue_of({**UPGRADES, "domain": {"1": {"labels": "==1"}, "2": {"labels": ""}}})
    found = resolve(catalogue, asked_for(["domain"]), KEPT, "domain")
    assert found == {"domain": "2", "labels": "1"}


def test_who_keeps_another_from_moving_is_named() -> None:
    entries: Needs = {
        "domain": {"2": {"labels": "==2"}},
        "genre": {"1": {"labels": "==1"}, "2": {"labels": "==2"}},
        "labels": {"1": {}, "2": {}},
    }
    with pytest.raises(Unresolvable) as error:
        resolve(
            catalogue_of(entries), asked_for(["domain", "genre"]),
            {"domain": "1", "genre": "1", "labels": "1"}, "domain",
        )  # fmt: skip
    assert "genre@1 needs labels ==1" in str(error.value)
    assert "domain@2 needs labels ==2" in str(error.value)


def test_a_locked_version_that_is_gone_binds_nobody() -> None:
    catalogue = catalogue_of({"quality": {"2": {}}, "domain": {"1": {}, "2": {}}})
    found = resolve(catalogue, asked_for(["quality", "domain"]), {"quality": "1"}, "domain")
    assert found == {"quality": "2", "domain": "2"}


NAMES = ("a", "b", "c", "d")
SPECIFIERS = ("==1", "==2", ">=2", "<3", "!=2", ">=1")


@st.composite
def small_catalogues(draw: st.DrawFn) -> Needs:
    versions = st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=3, unique=True)

    def needs(name: str) -> st.SearchStrategy[dict[str, str]]:
        others = [*NAMES[NAMES.index(name) + 1 :], "segmentation"]
        return st.dictionaries(st.sampled_from(others), st.sampled_from(SPECIFIERS), max_size=2)

    return {name: {v: draw(needs(name)) for v in draw(versions)} for name in NAMES}


def solutions(entries: Needs) -> list[dict[str, str]]:
    """By trying all: choices for which everything needed is there and fits, and nothing else is."""
    found = []
    for choice in itertools.product(*(sorted(entries[name]) for name in NAMES)):
        versions = {**dict(zip(NAMES, choice, strict=True)), **CODE}
        used: dict[str, str] = {}
        left = ["a", "b"]
        fits = True
        while left and fits:
            name = left.pop()
            if name in used:
                continue
            used[name] = versions[name]
            for other, specifiers in entries.get(name, {}).get(versions[name], {}).items():
                fits = fits and SpecifierSet(specifiers).contains(versions[other])
                left.append(other)
        if fits and used not in found:
            found.append(used)
    return found


@given(small_catalogues())
def test_a_set_is_found_where_there_is_one_and_no_other_is_newer(entries: Needs) -> None:
    every = solutions(entries)
    try:
        found = resolve(catalogue_of(entries), asked_for(["a", "b"]), code=CODE)
    except Unresolvable:
        assert every == []
        return
    assert found in every
    for other in every:
        if other.keys() == found.keys():
            assert other == found or any(other[name] < found[name] for name in found)
