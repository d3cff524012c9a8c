"""Find the input and cut it into waves: names of files, a crawl or an index -> splits, ranges.

A file that was planned before keeps its wave and new files go to new waves, so an input that grows
is processed once. Captures of an index, and lists of ranges that could not be read, become ranges
in splits of even bytes; only these need Spark. An output has one plan of an index.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import PLAN


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(PLAN, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
