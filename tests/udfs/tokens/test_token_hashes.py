"""Hashes of tokens beside fastText's definition in plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.tokens.token_hashes import hash_bytes, hash_characters

TOKENS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def fasttext_hash(token: str) -> int:
    """Source: fastText v0.9.2, Dictionary::hash: bytes are numbers with a sign."""
    value = 2166136261
    for byte in token.encode("utf-8"):
        signed = byte - 256 if byte > 127 else byte
        value = ((value ^ (signed & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
    return value


def long_hash(token: str) -> int:
    value = 14695981039346656037
    for byte in token.encode("utf-8"):
        value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return value


@settings(deadline=None)
@given(st.lists(TOKENS, max_size=5))
def test_hashes_of_bytes_and_of_characters_are_those_of_the_definition(tokens: list[str]) -> None:
    hashes, keys = hash_bytes([token.encode("utf-8") for token in tokens])
    assert hashes.tolist() == [fasttext_hash(token) for token in tokens]
    assert keys.tolist() == [long_hash(token) for token in tokens]
    codes = np.frombuffer("".join(tokens).encode("utf-32-le"), dtype=np.uint32)
    at = 0
    for token, short, key in zip(tokens, hashes, keys, strict=True):
        assert hash_characters(codes, at, len(token)) == (short, key)
        at += len(token)
