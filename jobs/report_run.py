"""Report what a run did: ledger and corpus -> report/index.html, run.json, a summary.

The balance is checked over all stages: each stage must have seen what the stage before it kept.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import REPORT


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(REPORT, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
