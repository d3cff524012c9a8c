"""The whole pipeline in one application: input files -> corpus and report.

plan_input -> extract_documents -> apply_rules -> find_duplicates -> score_documents ->
select_corpus -> report_run; with dedup.keep = "best" documents are scored before duplicates are
looked for. What an earlier run on the same output has finished is not done
again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession

from jobs import (
    apply_rules,
    extract_documents,
    find_duplicates,
    report_run,
    score_documents,
    select_corpus,
)
from jobs.command import Run, run_command

STAGE = "run_pipeline"


def run(spark: SparkSession, run: Run) -> None:
    """Bring every table of the output up to date; the input is planned already."""
    extract_documents.run(spark, run)
    apply_rules.run(spark, run)
    if run.config.dedup.needs_scores():
        score_documents.run(spark, run)
        find_duplicates.run(spark, run)
    else:
        find_duplicates.run(spark, run)
        score_documents.run(spark, run)
    select_corpus.run(spark, run)
    report_run.run(spark, run)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(STAGE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
