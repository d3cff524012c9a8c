"""The sample of a page, against masks over the whole page."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.charset.sample import _PIECE_BYTES, _SAMPLE_PIECES, sample_of


def plain_sample(payload: bytes) -> bytes:
    """The twin of `sample_of` with masks over the whole page."""
    high = np.frombuffer(payload, dtype=np.uint8) >= 0x80
    keep = high.copy()
    keep[1:] |= high[:-1]
    starts = np.flatnonzero(keep[1:] & ~keep[:-1]) + 1
    kept = np.frombuffer(payload, dtype=np.uint8)[keep]
    if len(kept) <= _SAMPLE_PIECES * _PIECE_BYTES or len(starts) < _SAMPLE_PIECES:
        return kept[: 4 * _SAMPLE_PIECES * _PIECE_BYTES].tobytes()
    picks = [
        int(np.count_nonzero(keep[: starts[piece * len(starts) // _SAMPLE_PIECES]]))
        for piece in range(_SAMPLE_PIECES)
    ]
    return b"\n".join(kept[pick : pick + _PIECE_BYTES].tobytes() for pick in picks)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=5),
            st.integers(0, 400).map(lambda size: b"<p>" * size),
            st.integers(0, 9000).map(lambda size: b"\xd6\xd0" * size),
            st.integers(0, 400).map(lambda size: b"\x81a<" * size),
        ),
        max_size=30,
    ).map(b"".join)
)
def test_a_sample_is_that_of_its_twin(payload: bytes) -> None:
    assert sample_of(payload) == plain_sample(payload)
