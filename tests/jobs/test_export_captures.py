"""Captures of a run's documents, chosen by SQL, as a WARC file and their texts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from jobs import export_captures, extract_documents
from jobs.run.splits import planned_waves, write_wave
from jobs.run.store import Store
from tests.jobs.conftest import LOCAL_CONFIG, Output


def export(output: Path, folder: Path, *arguments: str) -> int:
    given = ("--from", str(output), "--output", str(folder), "--config", str(LOCAL_CONFIG))
    return export_captures.main([*given, *arguments])


def texts_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "texts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_near_duplicates_are_exported_with_their_texts(
    sample_output: Output, sample_warc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "near"
    assert export(sample_output.path, folder, "--where", "reason = 'near'") == 0
    rows = texts_of(folder)
    near = sample_output.table("duplicates").where("kind = 'near'")
    expected = {row.doc_id for row in near.collect()}
    assert expected and {row["doc_id"] for row in rows} == expected
    assert {(row["stage"], *row["reasons"], row["capture"]) for row in rows} == {
        ("find_duplicates", "near", "written")
    }
    with (folder / "captures.warc.gz").open("rb") as file:
        replayed = {
            one.rec_headers.get_header("WARC-Target-URI"): one.raw_stream.read()
            for one in ArchiveIterator(file, no_record_parse=True)
            if one.rec_type == "response"
        }
    with sample_warc.open("rb") as file:
        originals = {
            one.rec_headers.get_header("WARC-Record-ID"): (
                one.rec_headers.get_header("WARC-Target-URI"),
                one.raw_stream.read(),
            )
            for one in ArchiveIterator(file, no_record_parse=True)
            if one.rec_type == "response"
        }
    assert set(replayed.items()) <= set(originals.values())
    assert set(replayed) == {row["url"] for row in rows}
    documents = {row.doc_id: row.text for row in sample_output.table("documents").collect()}
    edited = {row.doc_id: row.text for row in sample_output.table("edits").collect()}
    assert all(row["text"] == (documents | edited)[row["doc_id"]] for row in rows)
    assert f"{len(rows)} documents: {len(rows)} captures written, 0 not found" in (
        capsys.readouterr().out
    )


def test_a_sample_follows_from_its_seed_and_measures_and_scores_are_columns(
    sample_output: Output, tmp_path: Path
) -> None:
    where = "reason IS NULL AND measures.chars > 0 AND cluster_size >= 1 AND quality.score >= 0.5"
    found = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        arguments = ("--where", where, "--sample", "3", "--seed", seed)
        assert export(sample_output.path, tmp_path / name, *arguments) == 0
        found.append([row["doc_id"] for row in texts_of(tmp_path / name)])
    assert found[0] == found[1] != found[2]
    corpus = {row.doc_id for row in sample_output.table("corpus").collect()}
    assert len(found[0]) == 3 and {*found[0], *found[2]} <= corpus
    with (tmp_path / "a" / "captures.warc.gz").open("rb") as file:
        assert len(list(FastIterator(file))) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "reasn = 'near'"), "reasn"),
        (("--where", "reason ="), "--where"),
        (("--where", "quality_bert.quality > 0.5"), "quality_bert"),
        (("--where", "warc_offset + 1"), "--where"),
        (("--where", "rand() < 0.5"), "is not deterministic"),
        (("--name", "none"), "select_corpus@none has not run"),
        (("--name", "../x"), "--name"),
    ],
)
def test_a_wrong_request_is_refused(
    sample_output: Output,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert export(sample_output.path, tmp_path / "x", *arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_an_output_that_exists_or_has_no_captures_is_refused(
    sample_output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    assert export(sample_output.path, tmp_path / "x") == 2
    assert "is there already" in capsys.readouterr().err
    assert export(sample_output.path, tmp_path / "y", "--plan", "--where", "reason = 'near'") == 0
    assert capsys.readouterr().out.startswith("export_captures: at most 50 documents of ")
    assert not (tmp_path / "y").exists()
    assert export(sample_output.path, tmp_path / "y", "--set", "rules.min_char=3") == 2
    assert "rules.min_char = 3" in capsys.readouterr().err
    assert export(tmp_path / "nothing", tmp_path / "y") == 2
    assert "is no output of a run" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        export(sample_output.path, tmp_path / "y", "--sample", "0")
    assert ended.value.code == 2


def test_rows_of_jsonl_have_no_captures(
    sample_output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "a.jsonl"
    rows.write_text(json.dumps({"text": "江边的旧码头改成了步道，傍晚有人在那里散步。" * 9}) + "\n")
    given = ("--config", str(LOCAL_CONFIG), "--input", str(rows), "--output")
    assert extract_documents.main([*given, str(tmp_path / "out")]) == 0
    assert export(tmp_path / "out", tmp_path / "y") == 2
    assert "has not run" in capsys.readouterr().err
    shutil.copytree(
        sample_output.path / "_commits", tmp_path / "out" / "_commits", dirs_exist_ok=True
    )
    assert export(tmp_path / "out", tmp_path / "y") == 2
    assert "has no captures" in capsys.readouterr().err


def test_captures_of_a_file_that_is_gone_are_counted_and_named(
    sample_output: Output, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = str(tmp_path / "elsewhere.warc.gz")
    output = shutil.copytree(sample_output.path, tmp_path / "out")
    store = Store.at(str(output))
    for wave, splits in planned_waves(store).items():
        write_wave(store, wave, [replace(split, uri=elsewhere) for split in splits])
    status = export(output, tmp_path / "x", "--sample", "12")
    assert status == 3
    said = capsys.readouterr().err
    assert "none of 12 captures could be written" in said
    assert "gone" in said and elsewhere in said and "2 more" in said
    assert {row["capture"] for row in texts_of(tmp_path / "x")} == {"gone"}
