"""Release a corpus: files to publish and to train on, with a dataset card.

    python -m jobs.release_corpus --from OUTPUT --output URI
    python -m jobs.release_corpus --from OUTPUT --name NAME --output URI --set release.rows=full

Reads the corpus of OUTPUT, or its selection NAME, and writes Parquet or JSON lines in the layout of
the Hugging Face Hub, README.md, checksums.sha256 and run.json. [release] of the configuration says
how; release.exclude lists what is left out. The release appears when it is complete.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.application import run_reader
from jobs.release.command import RELEASE_COMMAND


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_reader(RELEASE_COMMAND, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
