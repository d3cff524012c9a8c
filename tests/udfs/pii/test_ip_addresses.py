"""Which IP addresses may be personal: none of the registry of special-purpose networks."""

from __future__ import annotations

import ipaddress

from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.pii.ip_addresses import ip_at

# RFC 6890 and the registry of special-purpose addresses, with multicast and reserved ones.
SPECIAL_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
]
SPECIAL_V6 = [
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
# Parts of them that the registry, and so some versions of Python, calls globally reachable.
GLOBAL_PARTS = ("192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:3::/32", "2001:4:112::/48")


def is_special(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address in network for network in (*SPECIAL_V4, *SPECIAL_V6))


@st.composite
def addresses(draw: st.DrawFn) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Any address, and those in and around special networks."""
    kind, bits = draw(st.sampled_from([(ipaddress.IPv4Address, 32), (ipaddress.IPv6Address, 128)]))
    networks = [*SPECIAL_V4, *SPECIAL_V6, *map(ipaddress.ip_network, GLOBAL_PARTS)]
    edges = [int(net[at]) for net in networks if net.max_prefixlen == bits for at in (0, -1)]
    number = draw(
        st.one_of(
            st.integers(0, 2**bits - 1), st.sampled_from(edges), st.integers(0x2 << 124, 2**126 - 1)
        )
    )
    number = (number + draw(st.integers(-3, 3))) % 2**bits
    return kind(number)


@settings(max_examples=1000, deadline=None)
@given(addresses(), st.booleans())
def test_an_address_is_personal_unless_it_is_special_or_of_a_network(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, exploded: bool
) -> None:
    text = f"IP {address.exploded if exploded else address}"
    if address.version == 4:
        is_network = address.packed[3] in (0, 255)
    else:  # the upper half says the network; no address that begins otherwise is a candidate
        is_network = address not in ipaddress.IPv6Network("2000::/3") or not any(address.packed[8:])
        is_network |= not text[3:7].isalnum()
    expected = None if is_network or is_special(address) else ("ip", 3, len(text))
    assert ip_at(text, 3) == expected
