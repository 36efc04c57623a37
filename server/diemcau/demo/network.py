"""Addresses: a port nobody uses, and the one that phones on the same network can reach."""

from __future__ import annotations

import socket

from diemcau.demo.errors import DemoError

DOCUMENTATION_ADDRESS = "192.0.2.1"
"""Reserved for documentation (RFC 5737): connecting a datagram socket to it only asks the routing table."""


def free_port() -> int:
    """A port on the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lan_address() -> str:
    """This machine's address on its network; nothing is sent to find it.

    Raises:
        DemoError: `demo_no_network` when there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((DOCUMENTATION_ADDRESS, 9))
        except OSError:
            raise DemoError("demo_no_network") from None
        address = str(probe.getsockname()[0])
    if address.startswith(("127.", "0.")):
        raise DemoError("demo_no_network")
    return address
