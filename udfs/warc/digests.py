"""Check a WARC record's block and payload against the digests in its header.

Source:
    ISO 28500:2017 (WARC 1.1), 5.8 and 5.9: ``algorithm:value`` of the block and of the payload.
    It leaves the encoding open (writers use base 32, hexadecimal, rarely base 64), and writers
    do not agree on what the payload of an HTTP response is: its body as sent, or with chunks
    joined.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator

from udfs.warc.http_message import HttpError, HttpResponse, decode_body, parse_response
from udfs.warc.records import WarcRecord

_ALGORITHMS = {
    "md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384",
    "sha512": "sha512", "sha3256": "sha3_256", "sha3512": "sha3_512", "blake2b": "blake2b",
    "blake2s": "blake2s",
}  # fmt: skip
# Values of `truncated` for a record whose block is not the stored one.
_NOT_WHOLE = frozenset({"cut", "wrong_length"})


def digest_problem(record: WarcRecord) -> str | None:
    """Compare a record's block and payload with the digests in its header.

    What cannot be checked counts as correct: a record without digests, an unknown algorithm, a
    value that is not a digest of its algorithm, a record that the reader cut; and the payload
    digest of a revisit, of one segment of several, of a record that states its truncation (it may
    be the digest of the whole), and of a block that is not an HTTP message.

    Args:
        record: With its block.
    Returns:
        None, or the digest that fails, as stated and as computed.
    """
    if record.truncated in _NOT_WHOLE:
        return None
    stated = record.headers.get("warc-block-digest")
    if stated is not None:
        computed = _mismatch(stated, iter((record.block,)))
        if computed is not None:
            return f"block digest {_shown(stated)} stated, {computed} computed"
    stated = record.headers.get("warc-payload-digest")
    if (
        stated is not None
        and record.truncated is None
        and record.record_type != "revisit"
        and "warc-segment-number" not in record.headers
    ):
        computed = _mismatch(stated, _payloads(record))
        if computed is not None:
            return f"payload digest {_shown(stated)} stated, {computed} computed"
    return None


def _payloads(record: WarcRecord) -> Iterator[bytes]:
    """Yield what writers may have meant by a record's payload, likeliest first.

    Nothing for a block that is not an HTTP message: it has no payload.
    """
    mime = record.headers.get("content-type", "application/http")
    if record.record_type != "response" or not mime.startswith("application/http"):
        yield record.block
        return
    try:
        response = parse_response(record.block)
    except HttpError:
        return
    yield response.body
    if "transfer-encoding" in response.headers:
        # Chunks joined by the page's own function, and nothing decompressed.
        chunked = HttpResponse(response.status, {"transfer-encoding": "chunked"}, response.body)
        yield decode_body(chunked, len(response.body)).data
    yield record.block  # ClueWeb09 states the block's digest twice


def _mismatch(stated: str, candidates: Iterator[bytes]) -> str | None:
    """Return the digest of the first candidate where no candidate has the stated digest.

    None where one has it, and where the stated digest cannot be checked.
    """
    label, _, value = stated.partition(":")
    algorithm = _ALGORITHMS.get(label.strip().lower().replace("-", "").replace("_", ""))
    if algorithm is None:
        return None
    size = hashlib.new(algorithm).digest_size
    value = value.strip().rstrip("=")
    decoded = _decoded(value, size)
    if decoded is None:
        return None
    wanted, encode = decoded
    first: str | None = None
    for candidate in candidates:
        digest = hashlib.new(algorithm, candidate, usedforsecurity=False).digest()
        if digest == wanted:
            return None
        if first is None:
            first = f"{label.strip()[:20]}:{encode(digest)}"
    return first


def _decoded(value: str, size: int) -> tuple[bytes, Callable[[bytes], str]] | None:
    """Decode a digest; return its bytes and the encoder of its notation.

    None where it is not a digest of `size` bytes. The length decides the notation: hexadecimal,
    base 32 and base 64 have different lengths for the same number of bytes.
    """
    try:
        if len(value) == 2 * size:
            return bytes.fromhex(value), bytes.hex
        if len(value) == -(-size * 8 // 5):
            return base64.b32decode(_padded(value.upper(), 8)), _base32
        if len(value) == -(-size * 8 // 6):
            return base64.b64decode(_padded(value, 4), altchars=_altchars(value)), _base64
    except (ValueError, binascii.Error):
        return None
    return None


def _padded(value: str, multiple: int) -> str:
    return value + "=" * (-len(value) % multiple)


def _altchars(value: str) -> bytes:
    return b"-_" if "-" in value or "_" in value else b"+/"


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode("ascii").rstrip("=")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii").rstrip("=")


def _shown(stated: str) -> str:
    return stated[:200]
