"""Export the original captures of some documents of an output, to look at or to replay.

    python -m jobs.export_captures --from OUTPUT --where "reason = 'near'" --sample 50 \\
        --output FOLDER

FOLDER gets captures.warc.gz, which replay tools open, and texts.jsonl with what became of each
document. --where is SQL over the documents: their columns, stage, reason (null for a corpus
document), measures.NAME and SCORER.COLUMN. Captures are read where the output's input files are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.audit.export import EXPORT_COMMAND
from jobs.pipeline.application import run_reader


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_reader(EXPORT_COMMAND, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
