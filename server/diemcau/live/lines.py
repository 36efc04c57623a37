"""The sockets of paired devices: which device is where, so that it can be told something, or be told to go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diemcau.domain.authority import Device
    from diemcau.live.presence import Watched
    from diemcau.wire.live import CloseCode


class Socket(Protocol):
    """One WebSocket, as far as this server speaks first. Neither waits for the other side."""

    def push(self, frame: bytes) -> None:
        """Send a frame; one that the other side does not read in time is lost."""

    def close(self, code: CloseCode) -> None:
        """Begin to close."""


@dataclass(slots=True, eq=False)
class Line:
    """A device that said who it is. `watched`: its point in the session it is bound to, None when none is near.

    wanted: the session it asked for by name; it is bound to nothing else then.
    queue: what it last told of its queue: entries, when the oldest happened, and when it told so.
    """

    socket: Socket
    device: Device
    boot: str
    sid: str
    session_id: int | None = None
    wanted: int | None = None
    watched: Watched | None = None
    rtt_band: int = 0
    queue: tuple[int, int | None, int] | None = None


@dataclass(slots=True)
class Lines:
    """One line a device: the newest wins."""

    _by_device: dict[int, Line] = field(default_factory=dict)
    _by_point: dict[int, dict[int, Line]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_device)

    def enter(self, line: Line) -> Line | None:
        """Keep a line; the one it replaces."""
        replaced = self._by_device.get(line.device.device_id)
        self._by_device[line.device.device_id] = line
        self._by_point.setdefault(line.device.point_id, {})[line.device.device_id] = line
        return replaced

    def drop(self, line: Line) -> bool:
        """The line ended; False when another has taken its place already."""
        device = line.device
        if self._by_device.get(device.device_id) is not line:
            return False
        del self._by_device[device.device_id]
        at_point = self._by_point[device.point_id]
        del at_point[device.device_id]
        if not at_point:
            del self._by_point[device.point_id]
        return True

    def of_device(self, device_id: int) -> Line | None:
        """The device's line."""
        return self._by_device.get(device_id)

    def at(self, point_id: int) -> list[Line]:
        """The lines of a point."""
        lines = self._by_point.get(point_id)
        return list(lines.values()) if lines else []

    def __iter__(self) -> Iterator[Line]:
        return iter(list(self._by_device.values()))
