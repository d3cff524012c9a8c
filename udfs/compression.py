"""How well a text compresses."""

from __future__ import annotations

from functools import lru_cache

import zstandard

ZSTD_LEVEL = 1


def zstd_ratio(text: str) -> float:
    """Bytes of a text compressed by zstd / bytes of it in UTF-8.

    Of documents of 1,200 Chinese characters the middle one has 0.58 and one in ten less than
    0.45; a sentence 100 times over has 0.02. The same library gives the same bytes on every
    machine; another version of zstd may give others, so a limit on this measure belongs to a
    version. (Measured with zstd 1.5.7. Level 3 gives 0.57 and takes a fifth longer.)

    Returns:
        0.0 for the empty text; over 1 for a text of a few characters, which the frame around it
        outweighs.
    """
    data = text.encode()
    return len(_compressor().compress(data)) / len(data) if data else 0.0


@lru_cache(maxsize=1)
def _compressor() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL)
