"""Blocks of the project's pages that a command makes, and the command that writes them.

    python -m tests.builders.generated_blocks OUTPUT

OUTPUT is a finished run over the bundled sample with ``--set select.jsonl=zst``. Every block
between ``<!-- generated: NAME -->`` and ``<!-- end -->`` is replaced by what its maker gives;
tests/jobs/test_readme.py fails where a page has another text.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import zstandard

from jobs import train_models
from jobs.config.exit_status import exit_status_table
from jobs.config.reference import reference
from jobs.pipeline.stages import job_table
from jobs.run.report import report_text
from tests.bench import snapshot_costs

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "README_zh.md",
    "jobs/README.md",
    "jobs/QUESTIONS.md",
    *(
        f"jobs/{room}/README.md"
        for room in (
            *("image_text", "selection", "release", "audit", "report", "estimate", "training"),
        )
    ),
    "conf/README.md",
    "udfs/README.md",
    "tests/bench/README.md",
    "tests/sample/README.md",
)
_BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.S)
_SHOWN_URL = "https://news.example.cn/2024/07/02/flood-control.html"
_SHOWN_CHARS = 51
_WIDTH = 100


def blocks_of(text: str) -> dict[str, str]:
    """Name -> text of the generated blocks of a page."""
    return {match[2]: match[3] for match in _BLOCK.finditer(text)}


def with_blocks(text: str, output: Path) -> str:
    """A page with all its blocks as their makers give them.

    Args:
        output: A finished run over the bundled sample, with a JSONL corpus (zst).
    """
    return _BLOCK.sub(lambda match: match[1] + MAKERS[match[2]](output) + match[4], text)


def sample_summary(output: Path) -> str:
    """What a run over the sample prints: its stages, and the size of its corpus.

    Left out are reasons, domains, and the seconds, which differ from run to run.
    """
    facts = json.loads((output / "run.json").read_text(encoding="utf-8"))
    parts = report_text(facts).strip("\n").split("\n\n")
    shown = [part for part in parts if part.startswith(("stage ", "corpus: "))]
    shown[-1] = shown[-1].partition("\n")[0]
    return _fenced("\n\n".join(shown))


def sample_row(output: Path) -> str:
    """One row of the corpus, its text shortened, without what follows from where the file lies."""
    row = next(row for row in _corpus(output) if row["url"] == _SHOWN_URL)
    hidden = {
        "text": row["text"][:_SHOWN_CHARS] + "……",
        "doc_id": "…",
        "warc_path": "…/" + row["warc_path"].rpartition("/")[2],
    }
    return _fenced(_wrapped(_rounded(row | hidden)), "json")


def jobs(_: Path) -> str:
    """The commands of a pipeline: what each reads and writes."""
    return job_table() + "\n"


def exit_status(_: Path) -> str:
    """How a command may end."""
    return exit_status_table() + "\n"


def models(_: Path) -> str:
    """The bundled models' figures, as ``make eval-models`` prints them."""
    return _fenced(_evaluation()[0])


def expectations(_: Path) -> str:
    """The precision to expect of crawl pages from thresholds on, as ``make eval-models`` prints
    it."""
    return _fenced(_evaluation()[1])


def settings(_: Path) -> str:
    """Every setting: a table a section."""
    return reference()


def snapshot(_: Path) -> str:
    """What a snapshot takes."""
    constants = json.loads(snapshot_costs.CONSTANTS.read_text(encoding="utf-8"))
    return snapshot_costs.report(constants) + "\n"


def rooms(_: Path) -> str:
    """A drawing of the rooms of udfs/: which imports which; base, which all import, is left out."""
    arrows = sorted(
        {
            (module.parent.name, name.split(".")[1])
            for module in sorted((ROOT / "udfs").glob("*/*.py"))
            for name in _imports(module)
            if name.startswith("udfs.")
        }
    )
    shown = [(a, b) for a, b in arrows if b not in (a, "base")]
    names = {path.parent.name for path in (ROOT / "udfs").glob("*/__init__.py")}
    alone = sorted(names - {"base"} - {name for arrow in shown for name in arrow})
    lines = ["flowchart LR", *(f"  {a} --> {b}" for a, b in shown), *(f"  {a}" for a in alone)]
    return _fenced("\n".join(lines), "mermaid")


def room_table(_: Path) -> str:
    """What each room of udfs/ is for: the first sentence of its paragraph."""
    lines = ["| room | what it is for |", "|---|---|"]
    for path in sorted((ROOT / "udfs").glob("*/__init__.py")):
        paragraph = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        sentence = re.split(r"\.\s(?=[A-Z]|$)", " ".join(paragraph.split()) + " ")[0]
        name = path.parent.name
        sentence = sentence.removeprefix(f"{name.capitalize()}: ").strip()
        lines.append(f"| `{name}` | {sentence[:1].upper()}{sentence[1:]} |".replace("``", "`"))
    return "\n".join(lines) + "\n"


def _evaluation() -> list[str]:
    """The tables that ``make eval-models`` prints without data."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        train_models.main(["--evaluate", "--output", str(ROOT / "conf" / "artifacts")])
    return printed.getvalue().strip("\n").split("\n\n")


def _imports(module: Path) -> list[str]:
    """Dotted names of the modules that a module imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if name.count(".")]


def _corpus(output: Path) -> list[dict[str, Any]]:
    rows = []
    for file in sorted((output / "corpus_jsonl").glob("*.zst")):
        with file.open("rb") as packed:
            lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed), "utf-8")
            rows += [json.loads(line) for line in lines]
    return rows


def _rounded(value: Any) -> Any:
    """Scores to four digits: the last ones depend on the machine."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _wrapped(row: dict[str, Any]) -> str:
    """JSON in as few lines as fit."""
    items = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in row.items()]
    lines = ["{" + items[0]]
    for item in items[1:]:
        if len(lines[-1]) + len(item) + 2 <= _WIDTH:
            lines[-1] += f", {item}"
        else:
            lines[-1] += ","
            lines.append(f" {item}")
    return "\n".join(lines) + "}"


def _fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text}\n```\n"


MAKERS: dict[str, Callable[[Path], str]] = {
    "sample_summary": sample_summary,
    "sample_row": sample_row,
    "jobs": jobs,
    "exit_status": exit_status,
    "models": models,
    "expectations": expectations,
    "settings": settings,
    "snapshot": snapshot,
    "rooms": rooms,
    "room_table": room_table,
}
"""Name of a block -> what makes it."""

OF_A_RUN = ("sample_summary", "sample_row")
"""Blocks that show what a run gives; the others follow from the code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args(argv)
    for page in map(partial(Path.joinpath, ROOT), PAGES):
        text = page.read_text(encoding="utf-8")
        page.write_text(with_blocks(text, arguments.output), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
