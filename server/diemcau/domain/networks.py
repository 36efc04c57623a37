"""Which network an address belongs to: what is told apart at the door instead of people's addresses. Pure.

An address names a household or a hall; a prefix of it does not, and nothing but keyed hashes of prefixes is kept.
"""

from __future__ import annotations

import ipaddress

NEAR = (24, 56)
"""One subscriber, hall or office (IPv4, IPv6): who is slowed together."""

FAR = (16, 32)
"""About one provider's region: what a hall's people share with few others."""


def prefix(address: str, bits: tuple[int, int]) -> bytes:
    """The network of `address` in `bits` (of IPv4, of IPv6), packed; empty when it is no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return b""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    kept = bits[0] if found.version == 4 else bits[1]
    return found.packed[: kept // 8]


def behind_proxy(peer: str, forwarded_for: str) -> str:
    """Who really asks: the last address that a proxy in front of us named, where the peer can only be our own proxy.

    A peer from a public address is asked itself, whatever it says: only what our own proxy added is believed, and
    that is the last one. Someone in the server's own network could name another address; it slows them or flags them
    under that one, and opens nothing.
    """
    try:
        near = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    last = forwarded_for.rpartition(",")[2].strip()
    return last if last and (near.is_loopback or near.is_private) else peer
