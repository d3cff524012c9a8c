"""Extract documents, and every image place of their pages: records -> documents, pairs.

The same pass as extract_documents with ``--set extract.pairs=true``, which the output remembers.
`pairs` has a row for each place of a page that names an image: its address, texts and context.
Places that are no row are counted by reason.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import EXTRACT


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    given = sys.argv[1:] if argv is None else argv
    return run_command(EXTRACT, __doc__, [*given, "--set", "extract.pairs=true"])


if __name__ == "__main__":
    sys.exit(main())
