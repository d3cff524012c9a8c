"""Inputs of the pipeline bench: a crawl-like mix and Chinese pages alone, over several WARC files.

Both are made by the seeded generators (build_mix, build_pages), once: a finished input is used
again by the next run.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.bench import build_pages
from tests.bench.build_mix import write_mixes

CRAWL_MIX, ALL_CHINESE = "crawl mix", "all Chinese"


@dataclass(frozen=True)
class Input:
    """WARC files of one folder."""

    kind: str
    """CRAWL_MIX or ALL_CHINESE."""
    responses: int
    files: int
    folder: Path

    @property
    def label(self) -> str:
        return f"{self.kind}, {self.responses:,} responses in {self.files} files"


def build_input(kind: str, responses: int, files: int, data: Path, root: Path) -> Input:
    """Write an input unless it is there.

    Args:
        data: The folder of texts.
        root: Folder of all inputs.
    """
    folder = root / f"{kind.replace(' ', '-')}-{responses}-{files}"
    made = Input(kind, responses, files, folder)
    mark = folder.with_suffix(".json")
    if not mark.exists():
        shutil.rmtree(folder, ignore_errors=True)
        facts: dict[str, object] = {"pages": responses}
        if kind == CRAWL_MIX:
            paths = [folder / f"mix-{number:03d}.warc.gz" for number in range(files)]
            facts = write_mixes(data, responses, paths)
        else:
            build_pages.write_files(data, responses, files, folder)
        mark.write_text(json.dumps(facts), encoding="utf-8")
    return made
