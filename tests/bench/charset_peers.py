"""Charset detectors of others, run by the Python of an environment that has them.

    PEERS_PYTHON charset_peers.py DETECTOR < payloads > answers

Payloads come as a length (4 bytes, big endian) and the bytes, each. Answers are the name of the
charset, one line a payload, and a last line with the seconds of processor time that they took.
Exit status 3 when the detector is not installed. Needs nothing of the project.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

Detector = Callable[[bytes], "str | None"]


def chardet_detector() -> Detector:
    """The package chardet."""
    import chardet

    return lambda payload: chardet.detect(payload)["encoding"]


def charset_normalizer_detector() -> Detector:
    """The package charset-normalizer."""
    import charset_normalizer

    def detect(payload: bytes) -> str | None:
        best = charset_normalizer.from_bytes(payload).best()
        return None if best is None else str(best.encoding)

    return detect


def faust_cchardet_detector() -> Detector:
    """The package faust-cchardet, whose module is cchardet."""
    import cchardet

    return lambda payload: cchardet.detect(payload)["encoding"]


DETECTORS = {
    "chardet": chardet_detector,
    "charset-normalizer": charset_normalizer_detector,
    "faust-cchardet": faust_cchardet_detector,
}


def read_payloads(stream: BinaryIO) -> Iterator[bytes]:
    """Payloads until the stream ends."""
    while length := stream.read(4):
        yield stream.read(int.from_bytes(length, "big"))


def main(name: str) -> int:
    """Entry point; returns the exit status."""
    try:
        detect = DETECTORS[name]()
    except ImportError:
        return 3
    seconds = 0.0
    for payload in read_payloads(sys.stdin.buffer):
        started = time.process_time()
        charset = detect(payload)
        seconds += time.process_time() - started
        print(charset or "none")
    print(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
