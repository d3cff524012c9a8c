"""Which documents programs keep of the same input, by URL, and why they differ.

Reasons come from what the programs write: the table ``rejected`` and the ledger of taojin, the
statistics of datatrove, the counts that plain_pipeline prints. A document that is in neither the
corpus nor ``rejected`` of taojin never became a document: the extraction's ledger counts these by
reason, not by URL.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.dataset as ds

NOT_EXTRACTED = "extract_documents"


@dataclass(frozen=True)
class Kept:
    """Two programs' documents of one input."""

    both: int
    only_first: int
    only_second: int


def compare_kept(first: Collection[str], second: Collection[str]) -> Kept:
    """How many URLs both programs keep, and each alone."""
    mine, theirs = set(first), set(second)
    return Kept(len(mine & theirs), len(mine - theirs), len(theirs - mine))


def reasons_of(urls: Collection[str], reasons: Mapping[str, str]) -> Counter[str]:
    """Reason -> documents, of documents that taojin does not keep.

    Args:
        reasons: URL -> the reason that ``rejected`` gives.
    """
    return Counter(reasons.get(url, NOT_EXTRACTED) for url in urls)


# --- taojin -------------------------------------------------------------------------------


def taojin_kept(output: Path) -> set[str]:
    """URLs of the corpus."""
    return set(ds.dataset(output / "corpus").to_table(columns=["url"])["url"].to_pylist())


def taojin_reasons(output: Path) -> dict[str, str]:
    """URL -> ``stage: first reason`` of every document that a stage removed."""
    columns = ["url", "stage", "reasons"]
    rows = ds.dataset(output / "rejected").to_table(columns=columns).to_pylist()
    return {row["url"]: f"{row['stage']}: {row['reasons'][0]}" for row in rows}


def taojin_dropped(output: Path) -> Counter[str]:
    """Reason -> responses of the whole input, those included that never became documents.

    Records that are no responses (``request_record``, ``metadata_record``, ...) are left out.
    """
    dropped: Counter[str] = Counter(taojin_reasons(output).values())
    folder = output / "ledger" / f"stage={NOT_EXTRACTED}"
    for row in ds.dataset(folder).to_table(columns=["rejected", "failed"]).to_pylist():
        for of in (*row["rejected"], *row["failed"]):
            if not of["reason"].endswith("_record"):
                dropped[f"{NOT_EXTRACTED}: {of['reason']}"] += of["records"]
    return dropped


def write_texts(output: Path, path: Path) -> None:
    """Write taojin's extracted documents as JSON lines of ``url`` and ``text``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ds.dataset(output / "documents").to_table(columns=["url", "text"]).to_pylist()
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# --- the others ---------------------------------------------------------------------------


def datatrove_kept(output: Path) -> set[str]:
    """URLs of the JSON lines of the last step."""
    urls: set[str] = set()
    for path in (output / "kept").glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            urls.update(json.loads(line)["metadata"]["url"] for line in lines)
    return urls


def datatrove_dropped(output: Path) -> Counter[str]:
    """Reason -> documents, from the statistics of its steps."""
    dropped: Counter[str] = Counter()
    for step in ("filter", "kept"):
        path = output / "logs" / step / "stats.json"
        for part in json.loads(path.read_text(encoding="utf-8")):
            dropped += dropped_of_stats(part["name"], part["stats"])
    return dropped


def dropped_of_stats(name: str, stats: Mapping[str, int | Mapping[str, int]]) -> Counter[str]:
    """Reason -> documents that one step of datatrove dropped.

    Args:
        name: Of the step, as ``SYMBOL - TYPE: SYMBOL NAME``.
        stats: Its counts; a count with more to it is a mapping that has ``total``.
    """
    counts = {
        key: value if isinstance(value, int) else int(value.get("total", 0))
        for key, value in stats.items()
    }
    plain = name.rpartition(":")[2].encode("ascii", "ignore").decode().strip()
    dropped = Counter(
        {
            f"{plain}: {key.removeprefix('dropped_')}": count
            for key, count in counts.items()
            if key.startswith("dropped_") or key in ("timeout", "clean_error", "broken_process")
        }
    )
    unnamed = counts.get("dropped", 0) - sum(
        count for key, count in counts.items() if key.startswith("dropped_")
    )
    if unnamed > 0:
        dropped[plain] = unnamed
    return dropped


def json_lines_kept(folder: Path, pattern: str) -> set[str]:
    """URLs of JSON lines with a key ``url``."""
    urls: set[str] = set()
    for path in folder.glob(pattern):
        with path.open(encoding="utf-8") as lines:
            urls.update(json.loads(line)["url"] for line in lines)
    return urls


def plain_dropped(log: Path) -> Counter[str]:
    """Reason -> pages, from the last line that plain_pipeline prints."""
    counts = Counter(json.loads(log.read_text(encoding="utf-8").splitlines()[-1]))
    del counts["kept"]
    return counts
