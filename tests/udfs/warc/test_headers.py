"""A few fields of a header, against parsing all of them."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from udfs.warc.headers import FieldNames, header_size, named_fields, plain_header, plain_values

ASKED = ("content-type", "content-length", "x")
NAMES = FieldNames(*ASKED)
PIECES = [
    "Content-Type", "content-type", "CONTENT-LENGTH", "X", "x", "X-Content-Type", "Content-Typ",
    "Content-Types", "Via", ":", ": ", ":\t", " ", "\t", "\r\n", "\n", "\r", "\r\r\n", "<", "a:b",
    "text/html", "12", "é", "\x0b", "\x1c", "\x7f", "\0", "-", "\r\n\r\n", "\n\n",
]  # fmt: skip
HEADERS = st.lists(st.sampled_from(PIECES), max_size=24).map(lambda parts: "".join(parts).encode())
LINES = st.lists(
    st.tuples(
        st.sampled_from(PIECES[:9]), st.sampled_from([": ", ":"]), st.sampled_from(PIECES[18:22])
    ),
    max_size=5,
).map(lambda lines: "".join("".join(line) + "\r\n" for line in lines).encode())


@settings(max_examples=3000, deadline=None)
@given(st.one_of(HEADERS, st.builds(bytes.__add__, LINES, HEADERS)))
@example(b"Content-Type: a\r\nX: b\r\n\r\n<p>")
@example(b"Content-Type: a\r\n b\r\n\r\n")
@example(b"Content-Type: a\r\nContent-Type: b\r\n\r\n")
@example(b"Content-Type : a\r\n\r\n")
@example(b"a\r\n\r\n")
@example(b"<html>\r\n\r\n")
@example(b"\r\n")
def test_what_is_found_is_what_parsing_gives(header: bytes) -> None:
    data = b"first line\n" + header
    start = len(data) - len(header)
    places = plain_header(data, start, len(data), NAMES)
    if places[0] < 0:
        return
    size = header_size(data, start - 1)  # of a blank line, the line feed before it included
    assert places[1] == start - 1 + size
    fields = named_fields(data[start : places[0]])
    assert plain_values(data, places[2:], ASKED) == {name: fields.get(name) for name in ASKED}
    assert b"\n<" not in data[start - 1 : places[0]]


def test_a_usual_header_is_plain() -> None:
    header = (
        b"Date: today\r\ncontent-TYPE:  text/html \r\nX-Content-Type-Options: nosniff\r\n\r\nbody"
    )
    places = plain_header(header, 0, len(header), NAMES)
    assert (header[: places[0]][-2:], header[places[1] :]) == (b"\r\n", b"body")
    assert plain_values(header, places[2:], ASKED) == {
        "content-type": "text/html", "content-length": None, "x": None
    }  # fmt: skip


def test_what_is_not_plain() -> None:
    for header in (
        b"Content-Type: a",
        b"Content-Type: a\r\n",
        b"Content-Type: a\r\n folded\r\n\r\n",
        b"Content-Type: a\r\nContent-Type: b\r\n\r\n",
        "Content-Type: é\r\n\r\n".encode(),
        b"Content Type: a\r\n\r\n",
        b"Via: a\r\n<p>: b\r\n\r\n",
    ):
        assert plain_header(header, 0, len(header), NAMES)[0] < 0, header
