"""Export what the pages of an output state of products, as JSON lines.

    python -m jobs.export_products --from OUTPUT --output FOLDER

FOLDER gets part-*.jsonl.gz with one product a line: as items of WebShop, or with --shape full as
the table `products` has them. The output needs `extract.products = true`. Products without an image
are counted, and left out of WebShop's items, which need one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.application import run_reader
from jobs.release.products import EXPORT_PRODUCTS


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_reader(EXPORT_PRODUCTS, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
