"""Bytes that a whole run shuffles for each document, with joins as they are in a large run.

    python -m tests.bench.shuffle_bytes PAGES OUTPUT

PAGES is what build_pages wrote; OUTPUT is a new folder. Tables of a small run would be sent to all
executors whole, and no text would move: that is switched off here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jobs import run_pipeline
from jobs.config.spark_properties import read_properties
from tests.bench.dedup_events import event_log_settings, stages
from tests.bench.timing import table

CONF = Path(__file__).resolve().parents[2] / "conf"
_SEARCH = ("near_", "fingerprints", "duplicates")
"""What the tables that the search of duplicates writes begin with."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events"
        events.mkdir()
        properties = read_properties(CONF / "spark-local.conf") | {
            **event_log_settings(events),
            "spark.sql.autoBroadcastJoinThreshold": "-1",
            "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
        }
        file = Path(folder) / "scale.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in properties.items()))
        run = ["--config", str(CONF / "local.toml"), "--set", f"spark.properties={file}"]
        run += ["--input", str(arguments.pages), "--output", str(arguments.output)]
        if run_pipeline.main(run) != 0:
            return 1
        found = stages(events)
    facts = json.loads((arguments.output / "run.json").read_text(encoding="utf-8"))
    documents = facts["stages"][0]["kept"]
    search = sum(stage.shuffled for stage in found if stage.writes.startswith(_SEARCH))
    other = sum(stage.shuffled for stage in found) - search
    rows = [
        ["search of duplicates", f"{search / documents:,.0f}"],
        ["everything else", f"{other / documents:,.0f}"],
    ]
    print(table([f"shuffled, {documents:,} documents", "bytes a document"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
