"""Digests of records: what matches, what does not, and what cannot be checked."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.warc_files import page, written_by_warcio
from udfs.warc.digests import digest_problem
from udfs.warc.reader import read_records
from udfs.warc.records import WarcRecord

BODY = "<p>正文</p>".encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


def base32(data: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def response(
    block: bytes, *, block_digest: str | None = None, payload_digest: str | None = None,
    truncated: str | None = None, record_type: str = "response",
    mime: str | None = "application/http; msgtype=response", **headers: str,
) -> WarcRecord:  # fmt: skip
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    if mime is not None:
        fields["content-type"] = mime
    if block_digest is not None:
        fields["warc-block-digest"] = block_digest
    if payload_digest is not None:
        fields["warc-payload-digest"] = payload_digest
    return WarcRecord(0, record_type, fields, block, truncated)


def with_block(record: WarcRecord, block: bytes, headers: dict[str, str]) -> WarcRecord:
    return WarcRecord(record.offset, record.record_type, headers, block, record.truncated)


def test_what_warcio_writes_is_right_and_a_flipped_bit_is_not() -> None:
    file = written_by_warcio([page(1), page(2, 5000)])
    records = [
        record
        for record in read_records(io.BytesIO(file))
        if isinstance(record, WarcRecord) and record.record_type == "response"
    ]
    assert len(records) == 2
    for record in records:
        assert {"warc-block-digest", "warc-payload-digest"} <= record.headers.keys()
        assert digest_problem(record) is None
        flipped = record.block[:-1] + bytes([record.block[-1] ^ 1])
        problem = digest_problem(with_block(record, flipped, record.headers))
        assert problem is not None
        assert record.headers["warc-block-digest"] in problem
        assert base32(flipped) in problem
        only_payload = {k: v for k, v in record.headers.items() if k != "warc-block-digest"}
        problem = digest_problem(with_block(record, flipped, only_payload))
        assert problem is not None and problem.startswith("payload digest")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "HEX", "base32", "BASE32=", "base64", "base64url"])
def test_algorithms_and_encodings(algorithm: str, encoding: str) -> None:
    def stated(data: bytes) -> str:
        digest = hashlib.new(algorithm, data).digest()
        match encoding:
            case "hex":
                return digest.hex()
            case "HEX":
                return digest.hex().upper()
            case "base32":
                return base64.b32encode(digest).decode().lower().rstrip("=")
            case "BASE32=":
                return base64.b32encode(digest).decode()
            case "base64":
                return base64.b64encode(digest).decode()
            case _:
                return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    block = HEAD + BODY
    for name in (algorithm, algorithm.upper(), algorithm.replace("sha", "sha-")):
        assert digest_problem(response(block, block_digest=f"{name}:{stated(block)}")) is None
        problem = digest_problem(response(block, block_digest=f"{name}:{stated(BODY)}"))
        assert problem is not None and problem.startswith("block digest")
        if encoding in ("hex", "BASE32="):
            assert stated(block).rstrip("=") in problem


@pytest.mark.parametrize(
    "stated",
    ["", "sha1", "sha1:", ":ABC", "sha1:xyz", "sha1:" + "0" * 32, "sha1:" + "!" * 40, "crc32:abcd",
     "sha1:" + "é" * 40, "xxh128:" + "0" * 32, "sha256:" + "A" * 40, "sha1:" + "A" * 26 + "*"]
)  # fmt: skip
def test_what_cannot_be_checked_is_no_problem(stated: str) -> None:
    block = HEAD + BODY
    assert digest_problem(response(block, block_digest=stated, payload_digest=stated)) is None


def test_payloads_as_writers_mean_them() -> None:
    for payload in (CHUNKED, BODY, CHUNKED_HEAD + CHUNKED):
        record = response(CHUNKED_HEAD + CHUNKED, payload_digest=base32(payload))
        assert digest_problem(record) is None
    problem = digest_problem(
        response(CHUNKED_HEAD + CHUNKED, payload_digest=base32(b"something else"))
    )
    assert problem is not None
    assert problem.startswith(f"payload digest {base32(b'something else')} stated")
    assert base32(CHUNKED) in problem


def test_other_records_have_their_block_as_payload() -> None:
    for record_type, mime in (
        ("resource", "text/html"), ("conversion", "text/plain"), ("response", "text/dns"),
        ("resource", None),
    ):  # fmt: skip
        good = response(BODY, payload_digest=base32(BODY), record_type=record_type, mime=mime)
        assert digest_problem(good) is None
        bad = response(BODY, payload_digest=base32(HEAD), record_type=record_type, mime=mime)
        assert digest_problem(bad) is not None


def test_both_digests_are_checked() -> None:
    block = HEAD + BODY
    assert digest_problem(
        response(block, block_digest=base32(block), payload_digest=base32(BODY))
    ) is None  # fmt: skip
    assert digest_problem(response(block, block_digest=base32(block), payload_digest=base32(b"x")))
    assert digest_problem(response(block, block_digest=base32(b"x"), payload_digest=base32(BODY)))


@pytest.mark.parametrize("truncated", ["cut", "wrong_length"])
def test_a_block_that_the_reader_could_not_read_whole_is_not_checked(truncated: str) -> None:
    record = response(
        HEAD + BODY, block_digest=base32(b"x"), payload_digest=base32(b"x"), truncated=truncated
    )
    assert digest_problem(record) is None


def test_a_payload_of_which_only_a_part_is_here_is_not_checked() -> None:
    wrong = {"payload_digest": base32(b"x")}
    block = HEAD + BODY
    assert digest_problem(response(block, **wrong, truncated="length")) is None
    assert digest_problem(response(block, **wrong, record_type="revisit")) is None
    assert digest_problem(response(block, **wrong, warc_segment_number="1")) is None
    assert digest_problem(response(block, block_digest=base32(b"x"), truncated="length"))


def test_what_is_no_http_message_has_no_payload() -> None:
    assert digest_problem(response(b"gibberish", payload_digest=base32(b"x"))) is None
    assert digest_problem(response(b"", payload_digest=base32(b"x"))) is None
    assert digest_problem(response(b"gibberish", block_digest=base32(b"x"))) is not None


@given(st.text(max_size=80), st.binary(max_size=60))
def test_no_statement_raises(stated: str, block: bytes) -> None:
    for value in (stated, f"sha1:{stated}", f"md5:{stated}"):
        digest_problem(response(block, block_digest=value, payload_digest=value))


def test_the_detail_is_short() -> None:
    problem = digest_problem(response(b"x", block_digest="sha1: " + "A" * 32 + "=" * 10_000))
    assert problem is not None and len(problem) < 400


def test_a_megabyte_is_checked_to_its_last_byte() -> None:
    block = HEAD + b"x" * (1 << 20)
    stated = {"block_digest": base32(block), "payload_digest": base32(block[len(HEAD) :])}
    assert digest_problem(response(block, **stated)) is None
    assert digest_problem(response(block[:-1] + b"y", **stated)) is not None
