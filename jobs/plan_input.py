"""Find the input files and cut them into waves: names -> splits.

A file that was planned before keeps its wave and new files go to new waves, so that an input
that grows is processed once. Needs no Spark.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.command import run_command

STAGE = "plan_input"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
