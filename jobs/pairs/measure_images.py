"""Find and measure the bodies of images: splits, pairs, shards -> images, shard_images.

Bodies come from image records of the input's own WARC files, from data: URIs of pages, and from
shards that img2dataset wrote (``images.shards``). Each is decoded within the limits of [images] and
measured: format, size as shown, SHA-256, perceptual hash. One that is broken, hostile or no image
is a row, too, with its reason. All are stored, whether a page names them or not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jobs.pipeline.command_line import run_command
from jobs.pipeline.stages import IMAGES


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    return run_command(IMAGES, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
