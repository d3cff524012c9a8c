"""Put images between the lines of documents: documents, pairs, images, corpus -> interleaved.

A row is a document: texts and images in the order of its page, exactly one of the two at each
position. The text is that of the corpus, with all its edits; only images beside lines of the main
text are taken. interleaved.json counts the images that were dropped, by reason. Settings are those
of [interleave].
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import INTERLEAVE


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(INTERLEAVE, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
