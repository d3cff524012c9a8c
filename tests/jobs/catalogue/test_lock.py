"""The lock: what it says, what its ids are of, and when it is not taken."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import lock_artifacts
from jobs.catalogue import lock as artifact_lock
from jobs.catalogue.catalogue import CODE, Artifact, bundled_conf
from jobs.catalogue.lock import Lock, load_lock, lock_of, lock_path, lock_text, read_lock
from jobs.config import Config, ConfigError, load_config, named_artifacts
from udfs.tokens import segment


def artifact(name: str, version: str = "1", **more: object) -> Artifact:
    digest = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
    return replace(
        Artifact(name, version, f"files/{name}", digest, "Apache-2.0", "model", 3),
        **more,  # type: ignore[arg-type]
    )


def lock(*artifacts: Artifact) -> Lock:
    return lock_of({a.name: a for a in artifacts}, {"segmentation": "1"})


MODEL = artifact("model", needs={"labels": "==1", "segmentation": "==1"})
LABELS = artifact("labels")
OTHER = artifact("other", licence='of "one\'s own" \\ 自有')

BUNDLED = read_lock(bundled_conf() / "artifacts.lock").artifacts
QUALITY = f"quality.{BUNDLED['quality'].version}"
STAMP = QUALITY.replace(".", "@")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with its own catalogue and lock."""
    conf = tmp_path / "conf"
    shutil.copytree(bundled_conf(), conf)
    (conf / "run.toml").write_text("")
    assert lock_artifacts.main(["--config", str(conf / "run.toml")]) == 0
    return conf


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    written = lock(MODEL, LABELS, OTHER)
    path = tmp_path / "a.lock"
    path.write_text(lock_text(written), encoding="utf-8")
    assert read_lock(path) == written
    assert lock_text(lock(OTHER, LABELS, MODEL)) == lock_text(written)
    said = tomllib.loads(lock_text(written))
    assert said["id"] == written.id
    assert said["artifacts"]["model"]["id"] == written.id_of(["model"])
    assert list(said["artifacts"]) == ["labels", "model", "other"]


def test_the_id_is_of_all_and_that_of_an_artifact_of_what_it_follows_from() -> None:
    first = lock(MODEL, LABELS, OTHER)
    for changed in (
        lock(MODEL, LABELS, artifact("other", "2")),
        lock(MODEL, LABELS, replace(OTHER, licence="another")),
        lock(MODEL, LABELS),
    ):
        assert changed.id != first.id
        assert changed.id_of(["model"]) == first.id_of(["model"])
    moved = lock(replace(MODEL, uri="s3://elsewhere/model"), LABELS, OTHER)
    assert moved.id != first.id
    assert moved.id_of(["model"]) == first.id_of(["model"])
    for changed in (
        lock(replace(MODEL, sha256="0" * 64), LABELS, OTHER),
        lock(MODEL, artifact("labels", "2"), OTHER),
        replace(first, code={"segmentation": "2"}),
    ):
        assert changed.id_of(["model"]) != first.id_of(["model"])
        assert changed.id_of(["other"]) == first.id_of(["other"])
    assert first.id_of(["other", "model"]) == first.id_of(["model", "other", "labels"])


def test_a_file_of_ones_own_counts_by_what_it_holds(folder: Path) -> None:
    (folder / "mine.bin").write_bytes(b"one")
    config = load_config(folder / "run.toml", ["quality.artifact=mine.bin"])
    first = load_lock(config, folder / "run.toml")
    assert first.artifacts["mine.bin"].uri == str(folder / "mine.bin")
    assert first.artifacts["mine.bin"].version == "local"
    assert first.id == read_lock(folder / "artifacts.lock").id
    (folder / "mine.bin").write_bytes(b"two")
    second = load_lock(config, folder / "run.toml")
    assert second.id_of(["mine.bin"]) != first.id_of(["mine.bin"])


def test_the_bundled_lock_fits(folder: Path) -> None:
    assert lock_artifacts.main(["--check"]) == 0
    found = load_lock(Config(), None)
    assert {a.name for a in named_artifacts(Config())} <= found.artifacts.keys()
    needed = {name for artifact in found.artifacts.values() for name in artifact.needs}
    assert found.code == {name: version for name, version in CODE.items() if name in needed}
    assert found.code["segmentation"] == segment.VERSION
    for located in found.artifacts.values():
        assert "://" in located.uri or Path(located.uri).is_file()


def _remove(folder: Path) -> None:
    lock_path(folder / "artifacts.toml").unlink()


def _by_hand(folder: Path) -> None:
    edit(folder / "artifacts.lock", 'version = "1"', 'version = "2"')


def _no_lock(folder: Path) -> None:
    (folder / "artifacts.lock").write_text("[quality]\n")


def _other_bytes(folder: Path) -> None:
    edit(folder / "artifacts.toml", BUNDLED["quality"].sha256, "7eb8" * 16)


def _version_gone(folder: Path) -> None:
    edit(folder / "artifacts.toml", f"[{QUALITY}]", "[quality.1000]")


def _needs_more(folder: Path) -> None:
    edit(
        folder / "artifacts.toml",
        'needs = {segmentation = "==1", perplexity',
        'needs = {segmentation = ">=1", perplexity',
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_remove, ["no lock beside the catalogue"]),
        (_by_hand, ["changed by hand"]),
        (_no_lock, ["not a lock file"]),
        (_other_bytes, [f"{STAMP}: sha256 is '7eb8", f"'{BUNDLED['quality'].sha256}"]),
        (_version_gone, [f"{STAMP} is locked but not in the catalogue"]),
        (_needs_more, ["toxicity@", "'segmentation': '>=1'}"]),
    ],
)
def test_a_lock_that_does_not_fit_ends_the_run_and_the_check(
    folder: Path,
    change: Callable[[Path], None],
    said: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = folder / "run.toml"
    assert load_lock(load_config(config), config)
    change(folder)
    with pytest.raises(ConfigError, match="make lock") as error:
        load_lock(load_config(config), config)
    assert lock_artifacts.main(["--config", str(config), "--check"]) in (1, 2)
    printed = capsys.readouterr().err
    for words in said:
        assert words in str(error.value)
        assert words in printed


def test_code_that_has_moved_on_ends_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(artifact_lock.CODE, "segmentation", "2")
    config = folder / "run.toml"
    with pytest.raises(ConfigError, match="segmentation is 2 in the code, 1 in the lock"):
        load_lock(load_config(config), config)
    assert lock_artifacts.main(["--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert f"domain@{read_lock(folder / 'artifacts.lock').artifacts['domain'].version}" in said
    assert "needs segmentation ==1" in said
    assert "of segmentation there is 2" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("quality.artifact=extra", ["quality.artifact = 'extra'", "not in its lock", "make lock"]),
        ("quality.artifact=best", ["no such artifact, and no file", "kind model", "toxicity"]),
        ("quality.artifact=lexicon", ["is a lexicon, expected a model"]),
        ("quality.stopwords=words", ["quality.stopwords", "kind stopwords: none"]),
        ("extract.language_artifact=run.toml", ["no such artifact; known of kind", "lid"]),
    ],
)
def test_what_a_configuration_asks_for_has_to_be_locked(
    folder: Path, setting: str, said: list[str]
) -> None:
    text = (folder / "artifacts.toml").read_text(encoding="utf-8")
    entry = text[text.index(f"[{QUALITY}]") : text.index("[domain.")]
    with (folder / "artifacts.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + entry.replace(QUALITY, "extra.1"))
    config = folder / "run.toml"
    with pytest.raises(ConfigError) as error:
        load_lock(load_config(config, [setting]), config)
    for words in said:
        assert words in str(error.value)


def test_a_newer_version_is_no_misfit_but_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (folder / "artifacts.toml").read_text(encoding="utf-8")
    for name in ("quality", "toxicity"):
        title = f"{name}.{BUNDLED[name].version}"
        start = text.index(f"[{title}]")
        entry = text[start : text.index("\n\n", start)].replace(title, f"{name}.1000")
        with (folder / "artifacts.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{entry}\n")
    call = ["--config", str(folder / "run.toml")]
    before = read_lock(folder / "artifacts.lock")
    version = before.artifacts["quality"].version
    assert lock_artifacts.main([*call, "--check"]) == 0
    assert f"quality {version}: the catalogue has 1000" in capsys.readouterr().out

    assert lock_artifacts.main([*call, "--upgrade", "quality"]) == 0
    assert f"quality 1000, was {version}" in capsys.readouterr().out
    after = read_lock(folder / "artifacts.lock")
    moved = {n for n, a in after.artifacts.items() if a.version != before.artifacts[n].version}
    assert moved == {"quality"}
    assert lock_artifacts.main([*call, "--check"]) == 0

    assert lock_artifacts.main(call) == 0
    assert read_lock(folder / "artifacts.lock").artifacts["toxicity"].version == "1000"
    assert lock_artifacts.main([*call, "--upgrade", "beauty"]) == 2
    assert "--upgrade beauty: not a locked artifact" in capsys.readouterr().err


def test_the_check_knows_what_nobody_asks_for_and_what_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "words.tsv").write_text("spam\t刷单\n", encoding="utf-8")
    (folder / "mine.toml").write_text('[rules]\nlexicon = "words.tsv"\n', encoding="utf-8")
    call = ["--config", str(folder / "mine.toml")]
    assert lock_artifacts.main([*call, "--check"]) == 0
    assert "lexicon: is locked but not used by these configurations" in capsys.readouterr().out
    assert lock_artifacts.main(call) == 0
    assert "lexicon" not in read_lock(folder / "artifacts.lock").artifacts
    both = ["--config", str(folder / "mine.toml"), str(folder / "run.toml")]
    assert lock_artifacts.main([*both, "--check"]) == 1
    assert "rules.lexicon needs lexicon, which is not locked" in capsys.readouterr().err
    assert lock_artifacts.main(both) == 0
    assert lock_artifacts.main([*both, "--check"]) == 0


def test_locking_again_changes_nothing(folder: Path) -> None:
    path = folder / "artifacts.lock"
    before = path.read_bytes()
    assert lock_artifacts.main(["--config", str(folder / "run.toml")]) == 0
    assert path.read_bytes() == before
