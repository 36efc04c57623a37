"""Which network an address belongs to: what is told apart at the door instead of people's addresses. Pure.

An address names a household or a hall; a prefix of it does not, and nothing but keyed hashes of prefixes is kept.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from functools import lru_cache

NEAR = (24, 56)
"""One subscriber, hall or office (IPv4, IPv6): who is slowed together."""

IPV6_BYTES = 16
FAR = (16, 32)
"""About one provider's region: what a hall's people share with few others."""


def prefix(address: str, bits: tuple[int, int]) -> bytes:
    """The network of `address` in `bits` (of IPv4, of IPv6), packed; empty when it is no address."""
    packed = _packed(address)
    return packed[: bits[len(packed) == IPV6_BYTES] // 8]


def behind_proxy(peer: str, forwarded_for: str) -> str:
    """Who really asks: the last address that a proxy in front of us named, where the peer can only be our own proxy.

    A peer from a public address is asked itself, whatever it says: only what our own proxy added is believed, and
    that is the last one. Someone in the server's own network could name another address; it slows them or flags them
    under that one, and opens nothing.
    """
    last = forwarded_for.rpartition(",")[2].strip()
    return last if last and _is_near(peer) else peer


def _packed(address: str) -> bytes:
    """4 or 16 bytes; none when it is no address."""
    with suppress(ValueError):  # of four numbers: most addresses, in a tenth of the time
        first, second, third, fourth = address.split(".")
        return bytes((int(first), int(second), int(third), int(fourth)))
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return b""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).packed


@lru_cache(256)  # proxies are few
def _is_near(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_private
