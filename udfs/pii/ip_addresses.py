"""Public IP addresses in texts, which may belong to a person."""

from __future__ import annotations

import ipaddress
import re

_V4 = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9])")
_V6 = re.compile(r"[23][0-9a-f]{3}:[0-9a-f:]{2,35}(?:\.[0-9.]{5,11})?", re.IGNORECASE)
_NETWORK = re.compile(r"/[0-9]{1,2}(?![0-9])")
_LABEL = re.compile(
    r"(?:(?<![a-z])ip(?:v4)?|地址|主机|服务器|server|host)[^0-9\n]{0,6}$", re.IGNORECASE
)
_VERSION = re.compile(
    r"(?:版本?号?|version|(?<![a-z])ver|(?<![a-z])v|release|build|firmware|固件|升级[到至]|更新[到至]|第)"
    r"[\s:.：]{0,3}$",
    re.IGNORECASE,
)
_LOOK_BACK = 24
_HEX_OR_COLON = frozenset("0123456789abcdefABCDEF:")

LOWEST_PLAIN_OCTET = 32
"""Without a label, numbers with a smaller first part count as versions and sections."""

_SHARED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)
"""Networks of no single person that ``ipaddress`` calls global, as a whole or in part.

Its answer depends on Python's version. Source: RFC 6890 and the registry of
special-purpose addresses that it set up.
"""


def ip_at(text: str, place: int) -> tuple[str, int, int] | None:
    """The public IP address that begins at a place.

    Version and section numbers, networks, servers in a URL, and addresses of private, shared,
    loopback, link-local, documentation and reserved ranges are not found.

    Returns:
        "ip", start, stop; None where no public address begins.
    """
    before = text[place - 1] if place else ""
    if before.isascii() and (before.isalnum() or before in tuple("._-")):
        return None
    if before == ":" and text[place - 2 : place - 1] in _HEX_OR_COLON:
        return None  # inside another address; "IP:1.2.3.4" is not
    match = _V4.match(text, place)
    if match is not None:
        return _v4(text, place, match)
    match = _V6.match(text, place)
    return None if match is None else _v6(text, place, match.end())


def _v4(text: str, place: int, match: re.Match[str]) -> tuple[str, int, int] | None:
    stop = match.end()
    after = text[stop : stop + 2]
    if after[:1] in ("-", "_", "%") or (after[:1].isascii() and after[:1].isalpha()):
        return None
    if after[:1] == "." and after[1:].isdigit():
        return None
    if _NETWORK.match(text, stop) or match[4] in ("0", "255"):
        return None
    context = text[max(place - _LOOK_BACK, 0) : place]
    if context.endswith("/") or _VERSION.search(context):
        return None
    if int(match[1]) < LOWEST_PLAIN_OCTET and not _LABEL.search(context):
        return None
    return ("ip", place, stop) if _is_personal(match[0]) else None


def _v6(text: str, place: int, stop: int) -> tuple[str, int, int] | None:
    if text[stop : stop + 1].isascii() and text[stop : stop + 1].isalnum():
        return None
    while text[stop - 1] in ":." and text[stop - 2 : stop] != "::":
        stop -= 1
    if _NETWORK.match(text, stop) or not _is_personal(text[place:stop]):
        return None
    return "ip", place, stop


def _is_personal(written: str) -> bool:
    """Whether a string is a public address, and not that of a network."""
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or any(address in one for one in _SHARED):
        return False
    return address.version == 4 or address.packed[8:] != bytes(8)
