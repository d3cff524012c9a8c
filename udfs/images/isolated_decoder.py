"""Measure images in an isolated process: one that crashes the decoder, or takes too long, is lost
alone.

Limits of `measure.ImageLimits` bound what a decoder is asked for, and the clock here bounds what it
takes. Bodies that are refused without decoding are never sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from udfs.base.isolated_process import LOST, NO_ANSWER, IsolatedProcess, serve
from udfs.images.measure import (
    DEFAULT_LIMITS,
    ImageFacts,
    ImageLimits,
    UnusableImage,
    measure_image,
    problem_before_decoding,
)

CRASH = "decoder_crash"
"""Reject reason of an image that kills the process."""
TOO_SLOW = "too_slow"
"""Reject reason of an image that is not decoded in time."""
LIMIT_S = 60.0
"""Seconds for an image: the largest within the default limits takes three, and the first one may
wait for compilation."""

_REASONS = {LOST: CRASH, NO_ANSWER: TOO_SLOW}
_COMMAND = (sys.executable, "-P", "-m", "udfs.images.isolated_decoder")


def isolated_images(
    bodies: Iterable[bytes],
    limits: ImageLimits = DEFAULT_LIMITS,
    *,
    reduced: bool = False,
    limit_s: float = LIMIT_S,
    command: Sequence[str] = _COMMAND,
) -> Iterator[ImageFacts | UnusableImage]:
    """Yield what `measure_image` returns for each body, in order; UnusableImage with CRASH or
    TOO_SLOW where it returns nothing.

    Args:
        limit_s: Seconds for an image.
        command: Starts the process; two file descriptors are appended, for requests and answers.
    """
    process = IsolatedProcess(command)
    try:
        for body in bodies:
            problem = problem_before_decoding(body, limits)
            if problem is not None:
                yield problem
                continue
            found = process.answer((body, limits, reduced), limit_s)
            yield UnusableImage(_REASONS[found]) if isinstance(found, str) else found
    finally:
        process.stop()


def _measured(request: tuple[bytes, ImageLimits, bool]) -> ImageFacts | UnusableImage:
    body, limits, reduced = request
    return measure_image(body, limits, reduced=reduced)


def main(argv: Sequence[str]) -> None:
    """Run the isolated process; arguments are the file descriptors of requests and answers."""
    serve(argv, _measured)


if __name__ == "__main__":
    main(sys.argv[1:])
