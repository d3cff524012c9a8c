"""Run the whole pipeline in one application: input files -> corpus and report.

What an earlier run on the same output has finished is not done again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import PIPELINE


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(PIPELINE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
