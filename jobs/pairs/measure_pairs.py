"""Measure the texts of image-text pairs: pairs -> pair_measures.

Words and nouns, words of the lexicon and personal data of each text, beside the measures that
table pairs has already. Rules decide on them when pairs are selected: other limits measure nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import MEASURE_PAIR_TEXTS


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(MEASURE_PAIR_TEXTS, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
