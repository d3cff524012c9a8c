"""Match the images of interleaved documents with texts: interleaved, images -> matched_images.

Each image gets the text of its document that it belongs to, and their similarity, as MMC4 assigns
images to sentences, by the model of scorer alignment. interleave.match_images switches it on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import MATCH


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(MATCH, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
