"""Score image-text pairs: pairs, images -> pair_scores/SCORER, one table a scorer.

score_pairs.scorers says which scorers run. Every distinct image and text is scored once, on a GPU
where Spark has one (conf/spark-gpu.conf). A pair without a score has its failure, and the ledger
counts it. A selection of pairs reads the tables: another threshold scores nothing again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import SCORE_PAIR_SCORERS


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(SCORE_PAIR_SCORERS, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
