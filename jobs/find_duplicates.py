"""Find duplicates over all documents: documents -> duplicates, cuts.

duplicates has one row for each removed document: the kind of match, its cluster and the document
kept in its place. Documents that a rule rejected take no part, if apply_rules has run. The level
"paragraph" adds the table cuts: what the kept documents lose of their text.

With a signature store, documents are also matched against earlier snapshots.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import DUPLICATES


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(DUPLICATES, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
