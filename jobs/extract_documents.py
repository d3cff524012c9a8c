"""Read the input files: splits -> documents, read_failures.

Records that are not wanted are counted by reason in the ledger; what could not be read has a row in
read_failures. Ranges that could not be read are listed under OUTPUT/replay, for
``--input @OUTPUT/replay``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import EXTRACT


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(EXTRACT, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
