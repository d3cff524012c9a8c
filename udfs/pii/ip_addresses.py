"""IP addresses in texts that may belong to a person: public ones."""

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
"""Without a label, numbers with a smaller first part are taken for versions and sections."""

_NOT_PERSONAL = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",  # private
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved
    )
]
"""Source: RFC 6890 and the registry of special-purpose addresses that it set up."""

_NOT_PERSONAL_V6 = [
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")


def ip_at(text: str, place: int) -> tuple[str, int, int] | None:
    """The public IP address that begins at a place.

    No version or section numbers, networks, and servers in a URL, nor the addresses of private,
    shared, loopback, link-local, documentation and reserved ranges: they belong to nobody or
    everybody.

    Returns:
        "ip", start, stop; None where there is none.
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
    octets = match.groups()
    if any(int(octet) > 255 or (octet[0] == "0" and octet != "0") for octet in octets):
        return None
    stop = match.end()
    after = text[stop : stop + 2]
    if after[:1] in ("-", "_", "%") or (after[:1].isascii() and after[:1].isalpha()):
        return None
    if after[:1] == "." and after[1:].isdigit():
        return None
    if _NETWORK.match(text, stop) or octets[3] in ("0", "255"):
        return None
    context = text[max(place - _LOOK_BACK, 0) : place]
    if context.endswith("/") or _VERSION.search(context):
        return None
    if int(octets[0]) < LOWEST_PLAIN_OCTET and not _LABEL.search(context):
        return None
    address = ipaddress.IPv4Address(match.group())
    if any(address in network for network in _NOT_PERSONAL):
        return None
    return "ip", place, stop


def _v6(text: str, place: int, stop: int) -> tuple[str, int, int] | None:
    if text[stop : stop + 1].isascii() and text[stop : stop + 1].isalnum():
        return None
    while text[stop - 1] in ":." and text[stop - 2 : stop] != "::":
        stop -= 1
    try:
        address = ipaddress.IPv6Address(text[place:stop])
    except ValueError:
        return None
    if address not in _GLOBAL_V6 or any(address in network for network in _NOT_PERSONAL_V6):
        return None
    if _NETWORK.match(text, stop) or address.packed[8:] == bytes(8):
        return None
    return "ip", place, stop
