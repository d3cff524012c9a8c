"""Score documents: documents + scorers -> scores/<scorer>, one table a scorer.

Documents that rules or duplicate levels removed are left out where those stages have run (see
score.rows). All scorers that are due for a wave run in one pass over its text.
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
