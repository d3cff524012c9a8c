"""Parts of URLs, with hosts in one spelling, and measures that tell the URLs of spam sites."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.base.array_types import BoolArray, Float64Array, Int64Array
from udfs.base.code_points import EncodedTexts, encode_texts

MAX_HOST_CHARS = 253
"""Longest host name. Source: RFC 1035, section 2.3.4, less what its notation adds."""


URL_MEASURES: dict[str, type] = {
    "url_chars": int,  # code points of the whole URL
    "host_chars": int,
    "host_labels": int,  # parts between dots; 1 for an IPv6 address
    "longest_host_label_chars": int,
    "host_hyphens": int,  # those of a punycode prefix aside
    "host_digit_share": float,  # ASCII digits / host_chars
    "path_chars": int,
    "path_segments": int,  # parts between slashes that are not empty
    "path_digit_share": float,  # ASCII digits / path_chars
    "query_chars": int,
    "query_parameters": int,  # parts between & or ; that are not empty
    "percent_escapes": int,  # percent signs in path and query
    "is_ip_host": bool,
    "is_punycode_host": bool,  # a label begins with xn--
}
"""The measures and their types; shares are in [0, 1], 0.0 where the denominator is 0."""

_DOT, _SLASH, _HYPHEN, _PERCENT = map(ord, "./-%")


class UrlParts(NamedTuple):
    """The parts of a URL.

    Attributes:
        host: As ``normal_host`` gives it; empty for a URL without a host.
        path: From the first slash behind the host, unchanged; may be empty.
        query: Behind the first question mark, unchanged, without a fragment.
    """

    host: str
    path: str
    query: str


def split_url(url: str) -> UrlParts:
    """Split any string as a URL, without errors; one without a scheme begins with its host.

    >>> split_url("HTTP://me:pw@WWW.例子.CN.:8080/a?b=c#d")
    UrlParts(host='www.xn--fsqu00a.cn', path='/a', query='b=c')
    """
    rest = url.strip().partition("#")[0]
    scheme, separator, behind = rest.partition("://")
    if separator and "/" not in scheme and "?" not in scheme:
        rest = behind
    elif rest.startswith("//"):
        rest = rest[2:]
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.replace("\\", "/").partition("/")
    return UrlParts(normal_host(authority.rpartition("@")[2]), slash + path, query)


def normal_host(host: str) -> str:
    """The one spelling of a host: lower case, no port, no final dot, Unicode as punycode.

    Returns:
        The host; empty for a string that cannot be a host. An IPv6 address has no brackets.

    >>> normal_host("例子.中国."), normal_host("WWW.Example.com:80"), normal_host("[::1]:80")
    ('xn--fsqu00a.xn--fiqs8s', 'www.example.com', '::1')
    """
    if host.startswith("["):
        return _ipv6(host[1:].partition("]")[0])
    name, colon, port = host.rpartition(":")
    if colon and (not port or port.isdecimal()):
        host = name
    if not host.isascii():
        host = _punycode(host)
    host = host.lower().rstrip(".")
    if not host or len(host) > MAX_HOST_CHARS or not _is_host(host):
        return ""
    return host


def is_ip_address(host: str) -> bool:
    """Whether a host in its normal spelling is an IP address, not a name.

    >>> is_ip_address("1.2.3.4"), is_ip_address("::1"), is_ip_address("4.example.cn")
    (True, True, False)
    """
    if ":" in host:
        return True
    return host[-1:].isdigit() and host.count(".") == 3 and host.replace(".", "").isdigit()


_NO_PARTS = UrlParts("", "", "")


def measure_urls(urls: Sequence[str | None]) -> dict[str, npt.NDArray[Any]]:
    """Measure URLs.

    Args:
        urls: One URL each, with or without a scheme; None where a document has none.
    Returns:
        Every measure of URL_MEASURES, shape (urls,): int64, float64 or bool. All are 0 or False
        for None; url_chars is 0 for nothing else but the empty string. A URL whose host cannot
        be one has host_chars 0.
    """
    parts = [_NO_PARTS if url is None else split_url(url) for url in urls]
    hosts = encode_texts([part.host for part in parts])
    paths = encode_texts([part.path for part in parts])
    queries = encode_texts([part.query for part in parts])
    puny = np.array([part.host.startswith("xn--") or ".xn--" in part.host for part in parts], bool)
    has_host = hosts.lengths > 0
    return {
        "url_chars": np.array([0 if url is None else len(url) for url in urls], np.int64),
        "host_chars": hosts.lengths,
        "host_labels": hosts.counts_of(hosts.codes == _DOT) + has_host,
        "longest_host_label_chars": _longest_labels(hosts),
        "host_hyphens": _hyphens(hosts, parts, puny),
        "host_digit_share": _digit_shares(hosts),
        "path_chars": paths.lengths,
        "path_segments": _segments(paths),
        "path_digit_share": _digit_shares(paths),
        "query_chars": queries.lengths,
        "query_parameters": _parameters(queries),
        "percent_escapes": paths.counts_of(paths.codes == _PERCENT)
        + queries.counts_of(queries.codes == _PERCENT),
        "is_ip_host": np.array([is_ip_address(part.host) for part in parts], bool),
        "is_punycode_host": puny,
    }


_HOST_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")


def _is_host(host: str) -> bool:
    return _HOST_CHARS.issuperset(host) and ".." not in host and host[0] != "."


def _ipv6(text: str) -> str:
    try:
        return ipaddress.IPv6Address(text).compressed
    except ValueError:
        return ""


def _punycode(host: str) -> str:
    # The codec's maps (RFC 3490) and the later ones give the same for Han; its time grows with
    # the square of a label.
    if len(host) > MAX_HOST_CHARS:
        return ""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _digit_shares(texts: EncodedTexts) -> Float64Array:
    digits = texts.counts_of(texts.codes - np.uint32(ord("0")) < 10)
    shares: Float64Array = digits / np.maximum(texts.lengths, 1)
    return shares


def _hyphens(hosts: EncodedTexts, parts: Sequence[UrlParts], puny: BoolArray) -> Int64Array:
    hyphens = hosts.counts_of(hosts.codes == _HYPHEN)
    for index in np.flatnonzero(puny).tolist():
        labels = parts[index].host.split(".")
        hyphens[index] = sum(
            label.removeprefix("xn--").count("-") for label in labels if label[:4] != "xn--"
        )
    return hyphens


def _longest_labels(hosts: EncodedTexts) -> Int64Array:
    """Code points of the longest part between dots, shape (hosts,)."""
    longest = np.zeros(len(hosts.lengths), dtype=np.int64)
    dots = np.flatnonzero(hosts.codes == _DOT)
    begins = np.sort(np.concatenate((hosts.starts[hosts.lengths > 0], dots + 1)))
    ends = np.sort(np.concatenate((hosts.stops[hosts.lengths > 0], dots)))
    owners = np.searchsorted(hosts.stops, begins, side="right")
    np.maximum.at(longest, owners, ends - begins)
    return longest


def _segments(paths: EncodedTexts) -> Int64Array:
    """Parts between slashes that are not empty, shape (paths,)."""
    return paths.counts_of(_part_begins(paths, paths.codes == _SLASH))


def _parameters(queries: EncodedTexts) -> Int64Array:
    """Parts between & or ; that are not empty, shape (queries,)."""
    separators = (queries.codes == ord("&")) | (queries.codes == ord(";"))
    return queries.counts_of(_part_begins(queries, separators))


def _part_begins(texts: EncodedTexts, separators: BoolArray) -> BoolArray:
    """Flags, as long as the array, of what begins a part: behind a separator or at a start."""
    before = np.empty_like(separators)
    before[1:] = separators[:-1]
    before[texts.starts[texts.lengths > 0]] = True
    begins: BoolArray = before & ~separators
    return begins
