"""Reassign captions to the images that they fit best: selected_pairs -> reassigned_captions.

Texts and images of all selected pairs are compared by embeddings that a scorer of pairs stored; the
image wins that leads back to the text (SynC). No model runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import REASSIGN


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(REASSIGN, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
