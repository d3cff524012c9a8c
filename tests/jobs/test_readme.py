"""The project's pages: their commands run or exist, and what they show is what the code gives."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import tables
from jobs.config.reference import settings as all_settings
from jobs.config.scorers import declared
from tests.builders.generated_blocks import MAKERS, OF_A_RUN, PAGES, blocks_of
from tests.builders.spark_settings import short_run_options
from tests.jobs.conftest import ROOT, Output
from tests.sample.build_sample import build

MAX_LINES = 170
CARDS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("conf/artifacts/*/CARD.md"))
SETTINGS = {f"{setting.section}.{setting.key}": setting for setting in all_settings()}
COLUMNS = {f"{name}.{field}" for name, s in declared().items() for field in s.result_type.names}
SECTIONS = {setting.section for setting in SETTINGS.values()} - {"spark"}  # Spark's own keys


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def written(page: str) -> str:
    """A page without its generated blocks."""
    text = text_of(page)
    for block in filter(None, blocks_of(text).values()):
        text = text.replace(block, "")
    return text


def commands_of(page: str) -> list[str]:
    """All commands of a page's shell blocks, one a line."""
    blocks = re.findall(r"```sh\n(.*?)```", text_of(page), re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [" ".join(line.split()) for line in lines if line.strip()]


def spans_of(page: str) -> list[str]:
    """All inline code of a page."""
    text = re.sub(r"```.*?```", "", written(page), flags=re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands_of(page)))
IN_PROCESS = commands_of("jobs/selection/README.md")  # test_named_selections runs these
# make is looked at below; test_submit_wheel runs spark-submit, and compares what it gives.
JOBS = [c for c in COMMANDS if not c.startswith(("make ", "spark-submit ")) and c not in IN_PROCESS]
SHOWN = list(dict.fromkeys([*COMMANDS, *(span for page in PAGES for span in spans_of(page))]))
MAKE = [command for command in SHOWN if command.startswith("make ")]
FIRST = written("README.md")
MODULES = sorted(
    {name for shown in SHOWN for name in re.findall(r"python -m ([\w.]+)", shown) if name.islower()}
)


def test_there_are_commands() -> None:
    assert {"make run", "make test", "make package"} <= set(MAKE)
    assert len(JOBS) >= 4
    assert {"jobs.run_pipeline", "jobs.submit_run", "jobs.train_models"} <= set(MODULES)


@pytest.mark.parametrize("page", ["README.md", "README_zh.md"])
def test_the_first_page_is_short(page: str) -> None:
    assert len(text_of(page).splitlines()) <= MAX_LINES


def test_the_chinese_page_says_the_same_as_the_english_one() -> None:
    """Commands, blocks, settings, arguments and figures; words are not compared."""
    english, chinese = "README.md", "README_zh.md"
    assert commands_of(chinese) == commands_of(english)
    assert blocks_of(text_of(chinese)) == blocks_of(text_of(english))
    assert sorted(set(spans_of(chinese))) == sorted(set(spans_of(english)))
    figures = [re.findall(r"\d+(?:[,.]\d+)*", written(page)) for page in (chinese, english)]
    assert sorted(set(figures[0])) == sorted(set(figures[1]))


@pytest.mark.parametrize("page", [*PAGES, *CARDS, "CHANGELOG.md"])
def test_links_resolve(page: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text_of(page)) if "://" not in link]
    for link in links:
        path, _, heading = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if heading:
            assert heading in slugs(target), link


def slugs(page: Path) -> set[str]:
    """What the headings of a page are linked by."""
    headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


BLOCKS = [(page, name) for page in PAGES for name in blocks_of(text_of(page))]


@pytest.mark.parametrize("page, name", [block for block in BLOCKS if block[1] not in OF_A_RUN])
def test_what_a_page_shows_of_the_code_is_so(page: str, name: str) -> None:
    """python -m tests.builders.generated_blocks OUTPUT writes the blocks."""
    assert blocks_of(text_of(page))[name] == MAKERS[name](Path())


@pytest.mark.spark
@pytest.mark.parametrize("page, name", [block for block in BLOCKS if block[1] in OF_A_RUN])
def test_what_a_page_shows_of_a_run_is_so(page: str, name: str, sample_output: Output) -> None:
    """python -m tests.builders.generated_blocks OUTPUT writes the blocks."""
    assert blocks_of(text_of(page))[name] == MAKERS[name](sample_output.path)


@pytest.mark.parametrize("command", MAKE)
def test_make_has_the_target_that_a_page_names(command: str) -> None:
    shell = subprocess.run(
        ["sh", "-c", f"{command} --dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert shell.returncode == 0, shell.stderr


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_a_page_names_can_be_started(module: str) -> None:
    source = ROOT / f"{module.replace('.', '/')}.py"
    assert source.is_file()
    assert '__name__ == "__main__"' in source.read_text(encoding="utf-8")


def test_the_arguments_that_pages_give_to_jobs_exist(capsys: pytest.CaptureFixture[str]) -> None:
    helps: dict[str, str] = {}
    for shown in SHOWN:
        for module, arguments in re.findall(r"python -m (jobs\.[a-z_.]+)\b(.*)", shown):
            if module not in helps:
                with pytest.raises(SystemExit):
                    importlib.import_module(module).main(["--help"])
                helps[module] = capsys.readouterr().out
            for argument in re.findall(r"(?<=\s)--[\w-]+", arguments):
                assert argument in helps[module], f"{module} {argument}"


def test_the_page_of_the_jobs_names_all_of_them() -> None:
    jobs = [
        ".".join(path.relative_to(ROOT / "jobs").with_suffix("").parts)
        for path in (
            p for room in ("", "pairs/", "languages/") for p in ROOT.glob(f"jobs/{room}*.py")
        )
        if "__main__" in path.read_text("utf-8")
    ]
    assert len(jobs) > 20
    page = text_of("jobs/README.md")
    assert [name for name in jobs if f"| `{name}` |" not in page] == []


def test_launch_files_that_pages_name_exist() -> None:
    named = {name for shown in SHOWN for name in re.findall(r"LAUNCH=([\w-]+)", shown)}
    known = {
        path.stem for cloud in ("emr", "dataproc") for path in ROOT.glob(f"conf/{cloud}/*.json")
    }
    assert named - known == set()
    assert len(named) > 10


@pytest.mark.parametrize("page", PAGES)
def test_settings_that_a_page_names_exist(page: str) -> None:
    words = [word for span in [*spans_of(page), *commands_of(page)] for word in span.split()]
    for word in words:
        name = word.strip("'\"").partition("=")[0]
        section, _, key = name.partition(".")
        if section in SECTIONS and re.fullmatch(r"[a-z_0-9]+", key) and key not in FILE_TYPES:
            assert name in SETTINGS or name in COLUMNS, f"{page}: {word}"


FILE_TYPES = ("json", "lock", "toml")


@pytest.mark.parametrize("page", ["README.md", "README_zh.md"])
def test_the_defaults_that_the_first_page_names_are_so(page: str) -> None:
    rows = re.findall(r"^\| `(\w+\.\w+)` \| `(.+?)` \|", written(page), re.M)
    assert len(rows) > 8
    for name, default in rows:
        assert default in (SETTINGS[name].default, SETTINGS[name].default.strip('"')), name


def test_the_table_of_tables_is_complete() -> None:
    page = written("jobs/README.md")
    table = page.partition("## The tables")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([\w/]+)` \|", table, re.M)
    names = {value for name, value in vars(tables).items() if name.isupper() and type(value) is str}
    folders = {tables.CORPORA, tables.PAIR_SELECTIONS}
    of_an_output = names - {tables.SNAPSHOT_KEYS, tables.SNAPSHOT_TEXTS, *folders}
    assert sorted(named) == sorted({*of_an_output, tables.scores("SCORER")})


def test_the_figures_of_models_are_those_of_their_cards() -> None:
    """Of the first page; those of conf/README.md are a block."""
    of_models = re.findall(r"^\| (?:quality|domain|toxicity|harmful).*\| (0\.\d+) \|", FIRST, re.M)
    assert len(of_models) == 4
    for figure in of_models:
        assert has_figure(blocks_of(text_of("conf/README.md"))["models"], figure), figure


def test_the_figures_of_the_first_page_are_those_of_the_benches() -> None:
    table = FIRST.partition("## Measured")[2].partition("\n## ")[0]
    figures = re.findall(r"\b(?:\d+,\d{3}|0\.\d{3}|\d{2,3}|\d+\.\d{2,3} %)(?= \|)", table)
    assert len(figures) > 8
    for figure in figures:
        assert has_figure(written("tests/bench/README.md"), figure), figure


def has_figure(text: str, figure: str) -> bool:
    """Whether a text has a figure, and not only one that contains it."""
    return re.search(rf"(?<![\d.,]){re.escape(figure)}(?!\d|[.,]\d)", text) is not None


@pytest.fixture(scope="module")
def checkout(sample_output: Output, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout after `make run`."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(sample_output.path, folder / "out" / "sample")
    for name in ("jobs", "udfs", "conf"):
        (folder / name).symlink_to(ROOT / name)
    build(folder / "out" / "sample.warc.gz")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", JOBS, ids=[" ".join(c.split()[:3]) for c in JOBS])
@pytest.mark.timeout(600)  # for one that hangs: each is a whole run, on a machine that may be busy
def test_a_command_runs(
    spark: SparkSession, checkout: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The first command as a process with a Spark of its own; later ones of Python modules in
    this one, as a new Spark costs more than what most of them do."""
    words = shlex.split(command)
    if command != JOBS[0] and words[:2] == ["python", "-m"]:
        monkeypatch.chdir(checkout)
        assert importlib.import_module(words[2]).main(words[3:]) == 0
        return
    bin_folder = Path(sys.executable).parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYSPARK_")}
    environment |= {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": short_run_options(),
    }
    result = subprocess.run(
        ["sh", "-c", command],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
