"""The Makefile lists every target that it has, and knows its suites and benches."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MAX_TARGETS = 18


def words_of(variable: str) -> list[str]:
    """What a line of the Makefile gives a variable."""
    (line,) = re.findall(rf"^{re.escape(variable)} [:?]?= (.*)$", MAKEFILE, re.M)
    return str(line).split()


def targets() -> set[str]:
    (line,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE.replace("\\\n", " "), re.M)
    return set(str(line).split())


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_target() -> None:
    listed = re.findall(r"^make (\S+)", make("help").stdout, re.M)
    assert sorted(listed) == sorted(targets())
    rules = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    assert rules == targets()
    assert len(rules) <= MAX_TARGETS


@pytest.mark.parametrize(
    ("variable", "target", "runs", "known"),
    [
        ("SUITE", "test", "-m pytest", words_of("SUITES")),
        ("BENCH", "bench", "-m tests.bench", words_of("BENCHES")),
    ],
)
def test_every_choice_is_listed_and_has_commands(
    variable: str, target: str, runs: str, known: list[str]
) -> None:
    default = words_of(variable)[0]
    listed = re.findall(rf"^ +{variable}=(\S+)", make("help").stdout, re.M)
    assert {default, *listed} == set(known)
    bare = make("--dry-run", target, f"{variable}={default}")
    assert bare.returncode == 0, bare.stderr
    for choice in listed:
        found = make("--dry-run", target, f"{variable}={choice}")
        assert found.returncode == 0, found.stderr
        assert found.stdout != bare.stdout
        assert runs in found.stdout
    wrong = make("--dry-run", target, f"{variable}=nope")
    assert wrong.returncode != 0
    assert all(choice in wrong.stderr for choice in known)


def test_a_request_names_its_cloud() -> None:
    sent = make("--dry-run", "submit", "CLOUD=emr", "LAUNCH=ec2-extract", "VALUES=my.toml")
    assert "jobs.submit_run conf/emr/ec2-extract.json" in sent.stdout
    assert "--values my.toml" in sent.stdout


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ([], "out/sample"),
        (["PACK=yue"], "out/sample-yue"),
        (["PACK=yue", "INPUT=mine.warc.gz"], "out/mine"),
        (["INPUT=mine.warc.gz"], "out/mine"),
        (["INPUT=/data/CC-MAIN-2024.05.jsonl.zst"], "out/CC-MAIN-2024.05"),
        (["INPUT=/data/pages/"], "out/pages"),
        (["INPUT=s3://bucket/rows.parquet"], "out/rows"),
        (["INPUT=@lists/warc.paths.gz"], "out/warc"),
        (["INPUT=/data/*.gz", "OUTPUT=/data/out"], "/data/out"),
        (["INPUT=a.gz b.gz", "OUTPUT=both"], "both"),
    ],
)
def test_a_run_over_an_input_has_an_output_of_its_own(given: list[str], output: str) -> None:
    found = make("--dry-run", "run", *given)
    assert found.returncode == 0, found.stderr
    assert found.stdout.rstrip().endswith(f" --output {output}")
    assert "--input-format" not in found.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a.gz b.gz", "names several files"),
        ("/data/*.gz", "names several files"),
        ("/data/part-[0-9].gz", "names several files"),
        ("/data/sample.warc.gz", "cannot give the output its name"),
        ("..", "cannot give the output its name"),
        (".gz", "cannot give the output its name"),
    ],
)
def test_an_input_that_names_no_output_needs_one(given: str, said: str) -> None:
    found = make("--dry-run", "run", f"INPUT={given}")
    assert found.returncode == 2
    assert said in found.stderr
    assert "OUTPUT=FOLDER" in found.stderr
    assert found.stdout == ""
    assert make("--dry-run", "test", f"INPUT={given}").returncode == 0


def test_the_packed_environment_can_be_read_by_all() -> None:
    *_, packed, after, _, _ = make("--dry-run", "package").stdout.rstrip().split("\n")
    assert "venv-pack" in packed
    assert after.startswith("chmod 0644 dist/environment.tar.gz")
