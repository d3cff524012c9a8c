"""A release appears whole, and replaces a release alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.config import ConfigError
from jobs.publishing.place import CARD, UNFINISHED, check_place, has_card, placed, write_file

FOLDERS = ("data", "jsonl")


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_release_appears_when_it_is_complete(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "release"
    assert not check_place(str(place), FOLDERS, may_replace=False)
    with placed(str(place), FOLDERS) as root:
        write_file(root, CARD, "一")
        assert not place.exists() and not has_card(str(place))
    assert has_card(str(place))
    assert tree(tmp_path) == {f"deep/release/{CARD}"}
    assert (place / CARD).read_text(encoding="utf-8") == "一"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "release"
    with placed(str(place), FOLDERS) as root:
        write_file(root, CARD, "old")
    with pytest.raises(RuntimeError), placed(str(place), FOLDERS) as root:
        write_file(root, CARD, "new")
        raise RuntimeError
    assert (place / CARD).read_text() == "old"
    with placed(str(place), FOLDERS) as root:  # what the failure left is no part of the next one
        assert tree(Path(root)) == set()
        write_file(root, "data/x", "newer")
    assert tree(tmp_path) == {"release/data/x"}


def test_a_release_is_replaced_with_consent(tmp_path: Path) -> None:
    write_file(str(tmp_path), CARD, "old")
    with pytest.raises(ConfigError, match="one is there already; --yes replaces it"):
        check_place(str(tmp_path), FOLDERS, may_replace=False)
    assert check_place(str(tmp_path), FOLDERS, may_replace=True)


def test_what_is_no_release_is_never_replaced(tmp_path: Path) -> None:
    write_file(str(tmp_path), "corpus/part-0.parquet", "")
    with pytest.raises(ConfigError, match=r"holds what is no part of a release \(corpus\)"):
        check_place(str(tmp_path), FOLDERS, may_replace=True)
    with pytest.raises(ConfigError, match="is a file"):
        check_place(str(tmp_path / "corpus" / "part-0.parquet"), FOLDERS, may_replace=True)


def test_an_interrupted_release_needs_no_consent(tmp_path: Path) -> None:
    """As object stores keep them: only the mark tells them from files of somebody else."""
    write_file(str(tmp_path), "data/train-00000-of-00001.parquet", "")
    with pytest.raises(ConfigError, match="one is there already"):
        check_place(str(tmp_path), FOLDERS, may_replace=False)
    write_file(str(tmp_path), UNFINISHED, "")
    assert not check_place(str(tmp_path), FOLDERS, may_replace=False)
    write_file(str(tmp_path), "notes.txt", "")
    with pytest.raises(ConfigError, match=r"no part of a release \(notes.txt\)"):
        check_place(str(tmp_path), FOLDERS, may_replace=False)
    (tmp_path / "notes.txt").unlink()
    write_file(str(tmp_path), CARD, "whole")
    with pytest.raises(ConfigError, match="one is there already"):
        check_place(str(tmp_path), FOLDERS, may_replace=False)
