"""Edit and measure every document and apply the rules: documents -> edits, measures, flagged.

edits holds the texts that were repaired, converted or masked; measures all measures of the edited
text; flagged the reasons that fired, an empty list for a document that no rule rejects. When only
rules or thresholds change, the stored measures are used and no text is read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import RULES


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(RULES, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
