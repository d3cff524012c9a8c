"""Score documents: documents + scorers -> scores/SCORER, one table for each scorer.

Documents that rules or deduplication removed are left out, if those stages have run (see
score.rows).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import SCORE


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(SCORE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
