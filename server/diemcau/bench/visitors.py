"""Who checks in next, and what they do: one durable request, a hall's batch, or a phone's whole journey."""

from __future__ import annotations

import itertools
import random
import time
from typing import TYPE_CHECKING

import msgspec

from diemcau.bench.crowd import DOOR_KEY, PEOPLE_PER_HALL, Crowd, nonce
from diemcau.bench.load import Script, body_of, get, once, post
from diemcau.domain import door_code

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPTED = b'"result":"accepted"'
SINGLE_HALLS = 0.4
"""Of a session's halls, those whose people come one by one; the others send batches."""


class Visitors:
    """Everybody of a crowd, each once a session, in an order as random as arrivals are."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        halls = list(range(crowd.people // PEOPLE_PER_HALL))
        random.Random(7).shuffle(halls)  # noqa: S311 the same order in every run
        split = max(1, int(len(halls) * SINGLE_HALLS))
        sessions = range(1, crowd.sessions + 1)
        self._people = (
            (session, hall * PEOPLE_PER_HALL + member)
            for session in sessions
            for member in range(PEOPLE_PER_HALL)
            for hall in halls[:split]
        )
        self._halls = itertools.product(sessions, halls[split:])

    def singles(self) -> Iterator[Script]:
        """One check-in a request."""
        for session, person in self._people:
            yield once(self._crowd.request(session, person), ACCEPTED)

    def batches(self) -> Iterator[Script]:
        """A hall's hundred in one request."""
        for session, hall in self._halls:
            yield _all_accepted(self._crowd.request(session, hall * PEOPLE_PER_HALL, PEOPLE_PER_HALL))

    def journeys(self) -> Iterator[Script]:
        """Scan, say who, tap, receipt."""
        for session, person in self._people:
            yield journey(self._crowd, session, person)


def _all_accepted(request: bytes) -> Script:
    answer = yield request
    return answer.count(ACCEPTED) == PEOPLE_PER_HALL


def journey(crowd: Crowd, session: int, person: int) -> Script:
    """A phone's four requests."""
    door = session * crowd.halls + person // PEOPLE_PER_HALL + 1
    code = door_code.encode(door, DOOR_KEY, door_code.step_of(int(time.time() * 1000)))
    opened = yield get(f"/C/{code}")
    claim = _field(opened, "claim")
    found = yield post("/c/check-in", msgspec.json.encode({"claim": claim, "who": f"A{person}"}))
    done = yield post("/c/check-in", msgspec.json.encode({"confirm": _field(found, "confirm")}))
    shown = yield get(f"/c/r/{_field(done, 'receipt')}")
    return ACCEPTED in shown


def bare_single(path: str = "/") -> Iterator[Script]:
    """The same request to a bare server."""
    while True:
        yield once(_bare_request(path, 1), ACCEPTED)


def bare_batch(path: str = "/") -> Iterator[Script]:
    """The same batch to a bare server."""
    while True:
        yield _all_accepted(_bare_request(path, PEOPLE_PER_HALL))


def bare_journey(path: str = "/") -> Iterator[Script]:
    """As many bare requests as a journey has."""
    while True:
        yield _four(_bare_request(path, 1))


def _four(request: bytes) -> Script:
    well = True
    for _ in range(4):
        well = ACCEPTED in (yield request) and well
    return well


def _bare_request(path: str, count: int) -> bytes:
    now_ms = int(time.time() * 1000)
    items = [
        {"nonce": nonce(now_ms), "point": "P1", "who": {"type": "attendee", "code": f"A{number}"}, "at_ms": now_ms}
        for number in range(count)
    ]
    return post(path, msgspec.json.encode({"device_ms": now_ms, "items": items}), "dcd_bench-1")


def _field(answer: bytes, name: str) -> str:
    try:
        return str(msgspec.json.decode(body_of(answer), type=dict[str, object]).get(name, ""))
    except msgspec.DecodeError:
        return ""
