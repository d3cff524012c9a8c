"""A URL taken apart: cheaply, never failing, hosts in one spelling."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

MAX_HOST_CHARS = 253
"""Longest host name. Source: RFC 1035, section 2.3.4, less what its notation adds."""


class UrlParts(NamedTuple):
    """What a URL is made of.

    Attributes:
        host: As ``normal_host`` gives it; empty where the URL has none.
        path: From the first slash behind the host, as it stands; may be empty.
        query: Behind the first question mark, as it stands, without a fragment.
    """

    host: str
    path: str
    query: str


def split_url(url: str) -> UrlParts:
    """Take a URL apart; one without a scheme is read from its host on.

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
        The host; empty for what cannot be one. An IPv6 address is without its brackets.

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
