"""The programs of the pipeline bench: how each is started, and what it leaves.

Each runs with an environment of its own, on all cores, from a folder of WARC files to JSON lines
or Parquet; data-juicer, which reads no WARC files, from the texts that taojin extracted of them.
All find the language with the same small lid.176.ftz.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from jobs.config import Config
from tests.bench.pipeline_kept import (
    datatrove_dropped,
    datatrove_kept,
    json_lines_kept,
    plain_dropped,
    taojin_dropped,
    taojin_kept,
    write_texts,
)
from udfs.lists.lexicon import read_lexicon
from udfs.tokens.segment import STOP_WORDS

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "conf" / "artifacts"
TAOJIN, DATATROVE, PLAIN, JUICER = "taojin", "datatrove", "plain", "data-juicer"
LANGUAGE_MODEL = "models/lid.176.ftz"


def _nothing(output: Path) -> Counter[str]:
    return Counter()


@dataclass(frozen=True)
class Program:
    """One way from WARC files to documents."""

    name: str
    title: str
    """Name and version, for the tables."""
    command: Callable[[Path, Path], Sequence[str]]
    """The command for a source and an output folder, which does not exist."""
    kept: Callable[[Path], set[str]]
    """URLs of the documents in an output."""
    dropped: Callable[[Path], Counter[str]] = _nothing
    """Reason -> documents, from an output; the log lies beside it, with the ending .log."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment variables that it needs."""
    reads_texts: bool = False
    """Whether it starts from texts (JSON lines) instead of WARC files."""


def version_of(python: str, package: str) -> str:
    """A package's version in an environment, empty where it is not there."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def taojin() -> Program:
    """This project, with its four default scorers."""

    def command(source: Path, output: Path) -> list[str]:
        run = [sys.executable, "-m", "jobs.run_pipeline", "--config", "conf/local.toml"]
        return [*run, "--input", str(source), "--output", str(output)]

    title = f"taojin, {len(Config().score.scorers)} scorers"
    return Program(TAOJIN, title, command, taojin_kept, taojin_dropped)


def datatrove(python: str, model: Path, cores: int, folder: Path, timeout: float) -> Program:
    """datatrove in its environment (pipeline_datatrove).

    Args:
        timeout: Wall seconds that its extractor gets for a page.
    """

    def command(source: Path, output: Path) -> list[str]:
        run = [python, "-m", "tests.bench.pipeline_datatrove", str(source), str(output)]
        run += ["--model", str(model), "--cores", str(cores)]
        return [*run, "--timeout", str(timeout)]

    cache = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}  # its copy of the model
    title = f"datatrove {version_of(python, 'datatrove')}, {timeout:g} s a page, no scorers"
    return Program(DATATROVE, title, command, datatrove_kept, datatrove_dropped, cache)


def plain(model: Path, cores: int, folder: Path) -> Program:
    """The script that one writes by hand (plain_pipeline), in this environment."""
    words = read_lexicon(ARTIFACTS / "lexicon" / "lexicon.tsv").words
    facts = {
        "language": str(model),
        **{
            name: str(ARTIFACTS / name / f"{name}.ftz")
            for name in ("quality", "domain", "toxicity")
        },
        "words": sorted(words),
        "stop_words": sorted(STOP_WORDS),
    }
    settings = folder / "plain.json"
    settings.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")

    def command(source: Path, output: Path) -> list[str]:
        run = [sys.executable, "-m", "tests.bench.plain_pipeline", str(source), str(output)]
        return [*run, "--settings", str(settings), "--cores", str(cores)]

    return Program(
        PLAIN,
        f"by hand, with trafilatura {version_of(sys.executable, 'trafilatura')}; three scorers",
        command,
        partial(json_lines_kept, pattern="*.jsonl"),
        lambda output: plain_dropped(output.with_suffix(".log")),
    )


def juicer(python: str, model: Path, cores: int, folder: Path) -> Program:
    """data-juicer in its environment, its operators for Chinese that need no download."""
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model, models / "lid.176.bin")  # it knows the model by this name alone
    words = read_lexicon(ARTIFACTS / "lexicon" / "lexicon.tsv").words
    lists = folder / "words"
    lists.mkdir(exist_ok=True)
    text = json.dumps({"zh": sorted(words)}, ensure_ascii=False)
    (lists / "flagged_words.json").write_text(text, encoding="utf-8")

    def command(source: Path, output: Path) -> list[str]:
        settings = output.with_suffix(".json")  # JSON is YAML
        config = juicer_config(source, output / "kept.jsonl", lists, cores)
        settings.write_text(json.dumps(config), encoding="utf-8")
        return [str(Path(python).with_name("dj-process")), "--config", str(settings)]

    return Program(
        JUICER,
        f"data-juicer {version_of(python, 'py-data-juicer')}, from extracted texts, no scorers",
        command,
        partial(json_lines_kept, pattern="kept.jsonl"),
        env={
            "DATA_JUICER_CACHE_HOME": str(folder / "cache"),
            "DATA_JUICER_EXTERNAL_MODELS_HOME": str(models),
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_OFFLINE": "1",
        },
        reads_texts=True,
    )


def juicer_config(source: Path, kept: Path, lists: Path, cores: int) -> dict[str, object]:
    """A configuration of data-juicer with the limits of the published rules, and MinHash 14 x 8.

    Its operators that cut words (word repetition, stop words, perplexity) are left out: their
    models are downloaded.
    """
    return {
        "project_name": "bench",
        "dataset_path": str(source),
        "export_path": str(kept),
        "np": cores,
        "use_cache": False,
        "open_tracer": False,
        "process": [
            {"language_id_score_filter": {"lang": "zh", "min_score": 0.65}},
            {"chinese_convert_mapper": {"mode": "t2s"}},
            {"text_length_filter": {"min_len": 201}},
            {"average_line_length_filter": {"min_len": 10}},
            {"special_characters_filter": {"max_ratio": 0.25}},
            {"character_repetition_filter": {"rep_len": 13, "max_ratio": 0.5}},
            {"flagged_words_filter": {"lang": "zh", "flagged_words_dir": str(lists)}},
            {
                "document_minhash_deduplicator": {
                    "tokenization": "character",
                    "window_size": 5,
                    "num_permutations": 112,
                    "jaccard_threshold": 0.8,
                    "num_bands": 14,
                    "num_rows_per_band": 8,
                }
            },
        ],
    }


def environment_of(program: Program) -> dict[str, str]:
    """Environment variables of a program: this process's, its own, and where modules lie."""
    return {**os.environ, **program.env, "PYTHONPATH": str(ROOT)}


def source_of(program: Program, warcs: Path, outputs: Path) -> Path:
    """What a program reads: the WARC files, or the texts that taojin extracted of them.

    Args:
        outputs: Folder of all outputs, which has taojin's of these files.
    """
    if not program.reads_texts:
        return warcs
    texts = outputs / "texts" / f"{warcs.name}.jsonl"
    if not texts.exists():
        write_texts(outputs / f"{TAOJIN}-{warcs.name}", texts)
    return texts
