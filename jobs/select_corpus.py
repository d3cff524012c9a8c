"""Select a corpus by what is stored of each document: all tables -> corpus, rejected.

Nothing is scored again, and tables are joined once for many selections. rejected has, for every
document that is not in the corpus, the stage that removed it and all its reasons. With --name the
selection lies under corpora/NAME, beside the default one and others, and has its own [select]. With
``select.min_segment_score`` a document is cut to its segments with at least that score of
quality_bert. ``select.jsonl`` writes the corpus as compressed JSON lines too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import SELECT


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(SELECT, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
