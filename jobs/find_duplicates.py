"""Find duplicates over all documents: documents -> duplicates, cuts.

One row for each removed document: by which kind of match, of which cluster, and which document
is kept in its place. Documents that a rule rejected take no part, where apply_rules has run.

Level "paragraph" writes what documents that stay lose of their text; where it is not asked for,
there is no table cuts.

With a signature store, documents are also matched against earlier snapshots, which stay as they
are, and what later snapshots need is left in the store.
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
