"""The whole pipeline in one application: input files -> corpus and report.

plan_input -> extract_documents -> apply_rules -> find_duplicates -> score_documents ->
select_corpus -> report_run; with dedup.keep = "best" documents are scored before duplicates are
looked for. What an earlier run on the same output has finished is not done again. The order is
that of `jobs.run.command_line.NEEDS`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.run.command_line import run_command

STAGE = "run_pipeline"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
