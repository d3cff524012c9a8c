"""The store's order of snapshots, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.config import ConfigError, DedupConfig, load_config
from jobs.run.commits import StageIncomplete
from jobs.run.signature_store import Snapshot, check_settings, commit, open_store, write_settings
from jobs.run.store import Store


@pytest.fixture
def config(tmp_path: Path) -> DedupConfig:
    return DedupConfig(signature_store=str(tmp_path / "store"), snapshot="c")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"))


def named(name: str, place: int, fingerprint: str | None, **earlier: str) -> Snapshot:
    return Snapshot(name, place, fingerprint, earlier, 1, "out")


def test_without_a_store_there_is_no_session() -> None:
    assert open_store(DedupConfig()) is None


def test_a_new_snapshot_comes_after_those_that_are_there(config: DedupConfig, store: Store) -> None:
    session = open_store(config)
    assert session is not None
    assert (session.place, session.earlier) == (0, ())
    commit(store, named("a", 0, "fa"))
    commit(store, named("b", 1, "fb", a="fa"))
    session = open_store(config)
    assert session is not None
    assert session.place == 2
    assert session.fingerprints() == {"a": "fa", "b": "fb"}
    assert not session.is_committed("fc")


def test_a_rerun_keeps_its_place_and_sees_none_that_came_later(
    config: DedupConfig, store: Store
) -> None:
    commit(store, named("a", 0, "fa"))
    commit(store, named("c", 1, "fc", a="fa"))
    commit(store, named("b", 2, "fb", a="fa", c="fc"))
    session = open_store(config)
    assert session is not None
    assert session.place == 1
    assert session.fingerprints() == {"a": "fa"}
    assert session.is_committed("fc")
    assert not session.is_committed("other")


@pytest.mark.parametrize(
    ("snapshot", "said"),
    [
        (named("b", 1, None), "snapshot 'b' is incomplete"),
        (named("b", 1, "fb", a="older"), "snapshots have changed since 'b' was matched"),
        (named("b", 1, "fb"), "snapshots have changed since 'b' was matched"),
    ],
)
def test_what_rests_on_nothing_is_refused(
    config: DedupConfig, store: Store, snapshot: Snapshot, said: str
) -> None:
    commit(store, named("a", 0, "fa"))
    commit(store, snapshot)
    with pytest.raises(StageIncomplete, match=said):
        open_store(config)
    assert open_store(replace(config, snapshot="b")) is not None  # run again, all is well


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bands": 14}, "was made with bands = 20, this run has 14"),
        ({"shingle_chars": 7}, "shingle_chars = 5, this run has 7"),
        ({"verify": "estimate"}, "verify = 'exact', this run has 'estimate'"),
        ({"levels": ("near",)}, "levels = "),
    ],
)
def test_a_store_of_other_settings_is_refused(
    config: DedupConfig, store: Store, change: dict[str, object], said: str
) -> None:
    check_settings(config)
    write_settings(store, config)
    check_settings(replace(config, keep="newest"))
    with pytest.raises(ConfigError, match=said):
        check_settings(replace(config, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "two words", "快照"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"dedup\.snapshot"):
        DedupConfig(signature_store="store", snapshot=name)


@pytest.mark.parametrize("alone", ["dedup.snapshot=a", "dedup.signature_store=store"])
def test_store_and_snapshot_need_each_other(alone: str) -> None:
    with pytest.raises(ConfigError, match="set both or none"):
        load_config(None, [alone])
    both = load_config(None, ["dedup.snapshot=a", "dedup.signature_store=store"]).dedup
    assert (both.signature_store, both.snapshot) == ("store", "a")


def test_the_best_needs_scores_of_all() -> None:
    with pytest.raises(ConfigError, match=r"best needs score.rows = 'all', it is 'survivors'"):
        load_config(None, ["dedup.url_keep=best"])
    assert load_config(None, ["dedup.keep=best", "score.rows=all"]).dedup.needs_scores()
