"""--dry-run: what a sample says of 40 files, beside what a run over all of them gives."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs import run_pipeline, select_corpus
from tests.builders.crawl import CRAWL, build_crawl
from tests.builders.file_server import serving
from tests.jobs.conftest import LOCAL_CONFIG, ROOT

FILES = 40
SAMPLED = 20
_PIECE = re.compile(r"[\u4e00-\u9fff]{3}")


def pieces() -> list[str]:
    """Three characters each of the sample's pages: texts made of them do not compress better the
    more there are, as those of other sentences would."""
    pages = sorted((ROOT / "tests" / "sample" / "pages").rglob("*.html"))
    texts = (page.read_bytes().decode("utf-8", "ignore") for page in pages)
    return sorted({found for text in texts for found in _PIECE.findall(text)})


def made_text(dice: random.Random, pool: list[str]) -> str:
    """A few paragraphs of sentences."""

    def sentence() -> str:
        return "".join(dice.sample(pool, dice.randrange(4, 12))) + "。"

    return "\n".join("".join(sentence() for _ in range(4)) for _ in range(dice.randrange(2, 8)))


def write_inputs(root: Path, files: int = FILES) -> Path:
    """JSON lines of unlike sizes; one text in six has a copy, in its file or another one."""
    dice = random.Random(7)
    pool = pieces()
    folder = root / "crawl-data" / "made"
    folder.mkdir(parents=True)
    rows: list[list[str]] = [[] for _ in range(files)]
    for at, texts in enumerate(rows):
        for _ in range(dice.randrange(12, 40)):
            text = made_text(dice, pool)
            texts.append(text)
            if dice.random() < 1 / 6:
                rows[at if dice.random() < 0.4 else dice.randrange(files)].append(text)
    for at, texts in enumerate(rows):
        dice.shuffle(texts)
        named = ({"id": f"{at}-{n}", "text": text} for n, text in enumerate(texts))
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in named)
        (folder / f"{at:03d}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def call(folder: Path, output: Path, *more: str) -> list[str]:
    settings = [
        *("extract.languages=[]", "select.min_quality=off", "run.allow_empty=true"),
        f"input.crawl_root={folder.parents[1]}",  # names do not depend on the folder
    ]
    given = ["--config", str(LOCAL_CONFIG), "--input", str(folder), "--output", str(output)]
    return [*given, "--set", *settings, *more]


def table_bytes(output: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for file in sorted(output.rglob("*.parquet")):
        parts = file.relative_to(output).parts
        if parts[0].startswith("_") or parts[0] in ("splits", "ledger", "audit"):
            continue  # the last is of the report
        table = "/".join(part for part in parts[:-1] if "=" not in part)
        found[table] = found.get(table, 0) + file.stat().st_size
    return found


def characters(output: Path, table: str) -> int:
    files = sorted((output / table).rglob("*.parquet"))
    return sum(len(text) for file in files for text in pq.read_table(file)["text"].to_pylist())


def tokens(output: Path) -> int:
    files = sorted((output / "corpus").rglob("*.parquet"))
    return sum(sum(pq.read_table(file, columns=["tokens"])["tokens"].to_pylist()) for file in files)


def kept(output: Path) -> dict[str, int]:
    return {
        folder.name: sum(json.loads(file.read_bytes())["kept"] for file in folder.glob("*.json"))
        for folder in (output / "_commits").iterdir()
    }


@pytest.mark.slow
def test_what_is_said_of_40_files_holds(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = write_inputs(tmp_path), tmp_path / "out"
    dry = ["--dry-run", "--sample", str(SAMPLED), "--json"]
    assert run_pipeline.main(call(folder, output, *dry, "--keep-sample", str(tmp_path / "s"))) == 0
    said = json.loads(capsys.readouterr().out)
    assert not output.exists()
    assert [path.name for path in tmp_path.iterdir() if "dry-run" in path.name] == []
    assert (said["request"]["files"], said["sample"]["files"]) == (FILES, SAMPLED)
    assert said["request"]["bytes"] == sum(file.stat().st_size for file in folder.iterdir())
    assert said["sample"]["kept_at"] == str(tmp_path / "s")

    assert run_pipeline.main(call(folder, output)) == 0
    counts = kept(output)
    assert counts["apply_rules"] > counts["find_duplicates"] > counts["select_corpus"] * 0.9 > 300
    real = {
        "documents": counts["extract_documents"],
        "kept_by_rules": counts["apply_rules"],
        "unique": counts["find_duplicates"],
        "corpus": counts["select_corpus"],
        "characters": characters(output, "documents"),
        "corpus_characters": characters(output, "corpus"),
        "corpus_tokens": tokens(output),
    }
    outside = {
        name: (value, said["amounts"][name])
        for name, value in real.items()
        if not holds(said["amounts"][name], value)
    }
    assert outside == {}
    sizes = table_bytes(output)
    assert sizes.keys() <= said["table_bytes"].keys()
    outside = {
        name: (size, said["table_bytes"][name])
        for name, size in {**sizes, "all": sum(sizes.values())}.items()
        if not holds(said["table_bytes"][name], size)
    }
    assert outside == {}
    files = sum(1 for table in sizes for _ in (output / table).rglob("*.parquet"))
    assert said["requests_at_least"]["writes"] == pytest.approx(files, rel=0.3)
    width = said["amounts"]["documents"]
    assert width["high"] - width["low"] < 0.25 * width["estimate"]
    check_costs(said)


def holds(interval: dict[str, float], value: float) -> bool:
    assert interval["low"] <= interval["estimate"] <= interval["high"]
    return interval["low"] <= value <= interval["high"]


def check_costs(said: dict[str, Any]) -> None:
    """Hours and money add up; nobody can say how many there should be."""
    hours = said["core_hours"]
    assert set(hours) >= {"extract_documents", "apply_rules", "find_duplicates", "select_corpus"}
    for name, one in hours.items():
        assert 0 < one["low"] <= one["estimate"] <= one["high"], name
    fixed = said["fixed_seconds"]
    once = fixed["session"] + fixed["first_wave"] + fixed["all_waves_at_once"]
    assert fixed["all"] == pytest.approx(once + fixed["each_wave"], abs=0.3)
    machine = said["machines"][0]
    alone = hours["all"]["estimate"] / 16 + fixed["all"] / 3600
    # Fixed seconds are said to a tenth.
    rounding = 0.06 / 3600
    assert machine["hours"]["estimate"] == pytest.approx(alone, rel=0.01, abs=rounding)
    assert machine["on_demand"]["estimate"] == pytest.approx(
        alone * 0.714, rel=0.01, abs=rounding * 0.714
    )
    assert machine["spot"]["estimate"] < machine["on_demand"]["estimate"]
    month = said["storage_month"][0]["price"]["estimate"]
    assert month == pytest.approx(said["table_bytes"]["all"]["estimate"] / 1e9 * 0.023, rel=0.01)
    requests = said["requests_at_least"]
    assert requests["reads"] == requests["writes"] + said["request"]["files"]
    price = (requests["writes"] * 0.005 + requests["reads"] * 0.0004) / 1000
    assert said["storage_month"][0]["requests"] == pytest.approx(price)


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_a_sample_larger_than_the_input_is_the_input_and_text_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_inputs(tmp_path, 3)
    sized = call(folder, tmp_path / "out", "--dry-run", "--sample", "9", "--seed", "4")
    assert run_pipeline.main(sized) == 0
    text = capsys.readouterr().out
    assert "dry run over 3 of 3 files" in text
    assert "note  the sample is the whole input" in text
    row = re.search(r"^documents +([\d,]+) +([\d,]+) +([\d,]+)$", text, re.M)
    assert row is not None and len(set(row.groups())) == 1
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in folder.iterdir())
    assert row[1] == f"{lines:,}"
    assert re.search(r"^c7i\.4xlarge us-east-1 .* \(.* to .*\)", text, re.M)
    assert [path.name for path in tmp_path.iterdir()] == ["crawl-data"]


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_files_of_unknown_size_are_taken_to_be_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crawl = build_crawl(tmp_path / "server", files=5, pages=4)
    with serving(crawl.root) as server:
        given = [
            *("--config", str(LOCAL_CONFIG), "--crawl", CRAWL, "--output", str(tmp_path / "out")),
            *("--set", f"input.crawl_root={server.url}", "run.allow_empty=true"),
        ]
        assert run_pipeline.main([*given, "--dry-run", "--sample", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["request"] == {"files": 5, "bytes": None, "waves": 1}
    assert said["amounts"]["documents"] == {"estimate": 20, "low": 20, "high": 20}
    assert any("sizes of files are not known" in note for note in said["notes"])
    assert said["sample"]["names"] == sorted(
        said["sample"]["names"], key=lambda name: drawn_at(name)
    )


def drawn_at(name: str) -> bytes:
    from hashlib import sha256

    return sha256(name.encode()).digest()


@pytest.mark.slow
@pytest.mark.usefixtures("spark")
def test_of_an_index_the_ranges_of_some_files_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crawl = build_crawl(tmp_path, files=4, pages=10)
    given = [
        *("--config", str(LOCAL_CONFIG), "--output", str(tmp_path / "out"), "--crawl", CRAWL),
        *("--index", str(crawl.index), "--languages", "zho", "--set", "run.allow_empty=true"),
        f"input.crawl_root={crawl.root}",
    ]
    assert run_pipeline.main([*given, "--dry-run", "--sample", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["request"]["files"], said["sample"]["files"]) == (4, 2)
    wanted = [row for row in crawl.rows if "zho" in str(row["content_languages"]).split(",")]
    assert said["request"]["bytes"] == sum(int(str(row["warc_record_length"])) for row in wanted)
    assert said["amounts"]["records"]["estimate"] == pytest.approx(len(wanted), rel=0.1)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Any]:
    """Calls a command that must end with 2 before Spark starts; returns its last line."""
    monkeypatch.setattr("jobs.pipeline.application.spark_session", None)
    folder = write_inputs(tmp_path, 3)

    def ask(*more: str, job: Any = run_pipeline) -> str:
        assert job.main(call(folder, tmp_path / "out", *more)) == 2
        return capsys.readouterr().err.splitlines()[-1]

    yield ask
    assert not (tmp_path / "out").exists()


def test_a_wrong_request_is_refused_before_spark_starts(refused: Any, tmp_path: Path) -> None:
    assert "--sample 0: expected 2 or more" in refused("--dry-run", "--sample", "0")
    assert "--sample 1: expected 2 or more" in refused("--dry-run", "--sample", "1")
    assert "--dry-run: not together with --plan" in refused("--dry-run", "--plan")
    for option in (["--json"], ["--seed", "3"], ["--keep-sample", "x"], ["--prices", "x.toml"]):
        assert f"{option[0]}: needs --dry-run" in refused(*option)
    assert "--sample: needs --crawl" in refused("--sample", "3")
    missing = str(tmp_path / "none.toml")
    assert "none.toml: cannot be read" in refused("--dry-run", "--prices", missing)
    broken = tmp_path / "broken.toml"
    broken.write_text("[machines\n", encoding="utf-8")
    assert "is not valid TOML" in refused("--dry-run", "--prices", str(broken))
    full = tmp_path / "full"
    full.mkdir()
    (full / "a").touch()
    assert "the folder is not empty" in refused("--dry-run", "--keep-sample", str(full))


def test_only_the_whole_pipeline_has_a_dry_run(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        select_corpus.main(["--output", str(tmp_path / "out"), "--dry-run"])
    assert end.value.code == 2
