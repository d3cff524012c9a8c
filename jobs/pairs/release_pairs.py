"""Release pairs: shards of images and texts, links, interleaved documents, with a dataset card.

    python -m jobs.pairs.release_pairs --from OUTPUT --output URI
    python -m jobs.pairs.release_pairs --from OUTPUT --name NAME --output URI \\
        --set 'release_pairs.formats=["links"]'

Reads the tables selected_pairs, of the selection NAME if one is named, images and interleaved of
OUTPUT, and writes WebDataset shards as img2dataset does, Parquet of links, Parquet in OBELICS'
columns, README.md, checksums.sha256 and run.json. [release_pairs] of the configuration says how.
The release appears when it is complete.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.image_text.pair_release_command import RELEASE_PAIRS
from jobs.pipeline.application import run_reader


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_reader(RELEASE_PAIRS, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
