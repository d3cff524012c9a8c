"""The README's commands are run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs.conftest import C1_ONLY, ROOT
from tests.sample.build_sample import build


def commands_of(name: str) -> list[str]:
    """All commands of a page, one a line."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip()]


COMMANDS = commands_of("README.md")
MAKE = [command for command in COMMANDS if command.startswith("make ")]
JOBS = [command for command in COMMANDS if command not in MAKE]


def test_there_are_commands() -> None:
    assert {"make run", "make test", "make package"} <= {c.split("  #")[0].strip() for c in MAKE}
    assert len(JOBS) >= 3


def test_the_chinese_page_shows_commands_of_the_english_one() -> None:
    assert {"make run", "make test"} <= set(commands_of("README_zh.md")) <= set(COMMANDS)


@pytest.mark.parametrize("name", ["README.md", "README_zh.md"])
def test_what_is_linked_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(links) > 10
    for link in links:
        path, _, heading = link.partition("#")
        page = ROOT / (path or name)
        assert page.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.M)
            known = {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}
            assert heading in known, link


def test_make_knows_its_targets() -> None:
    for command in MAKE:
        shell = subprocess.run(
            ["sh", "-c", f"{command} --dry-run"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shell.returncode == 0, shell.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout after `make run` and `make package`."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("jobs", "udfs", "conf"):
        (folder / name).symlink_to(ROOT / name)
    build(folder / "out" / "sample.warc.gz")
    (folder / "dist").mkdir()
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run(
        [*command, "--outdir", str(folder / "dist"), str(ROOT)], check=True, capture_output=True
    )
    return folder


@pytest.mark.parametrize("command", JOBS, ids=[" ".join(c.split()[:3]) for c in JOBS])
@pytest.mark.timeout(180)  # half a minute here, a whole pipeline on any machine
def test_a_command_runs(checkout: Path, command: str) -> None:
    bin_folder = Path(sys.executable).parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_GATEWAY")}
    environment |= {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": C1_ONLY,
    }
    environment.pop("PYSPARK_SUBMIT_ARGS", None)
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
