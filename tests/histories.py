"""Random histories of a session for tests: arrivals, corrections, closing; a model of them, and the store's way.

The model knows nothing of rows, locks or counters. After each step it asks of everybody which of their entries stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sample import ENDS_MS, NONCES, STARTS_MS, listed
from support import NOW_MS

from diemcau.domain.models import EventKind, Source
from diemcau.errors import AlreadyMatchedError, NotFoundError
from diemcau.store import corrections
from diemcau.store.check_ins import CheckIn, Listed, Unlisted, record
from diemcau.store.event_log import NewEvent
from diemcau.store.schema import attendance, session, session_point, substitution, unlisted

if TYPE_CHECKING:
    from sample import Sample

PEOPLE = ("DB-0003", "DB-0004", "DB-0005", "DB-0007")
HALLS = ("HN-0002", "HN-0003", "HN-0004")
GUESTS = ("Trần Khách", "Lê Lạ")
WRITER = b"w" * 16
Guest = tuple[int, int]
"""Somebody on no list: the place of their hall in `HALLS` and of their name in `GUESTS`."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next; numbers are places in the lists above, `pick` one among what there is."""

    kind: str
    who: int = 0
    hall: int = 0
    stands_for: int | None = None
    pick: int = 0


@dataclass(slots=True)
class Event:
    """One line of the log. `at`: when it happened, of a match when the guest came; `of`: the line it takes back."""

    kind: str
    nonce: bytes
    hall: int
    at: int
    who: int | None = None
    guest: Guest | None = None
    stands_for: int | None = None
    of: int | None = None
    waits: bool = False


@dataclass(slots=True)
class Model:
    """What should count: by person, guest and place, the line of the log that does."""

    events: list[Event] = field(default_factory=list)
    taken_back: set[int] = field(default_factory=set)
    people: dict[int, int] = field(default_factory=dict)
    guests: dict[Guest, int] = field(default_factory=dict)
    matched: dict[Guest, int] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    closed: bool = False

    def add(self, event: Event) -> None:
        """The next line of the log; after closing it waits."""
        event.waits = self.closed
        self.events.append(event)
        self._take_back()

    def revise(self) -> None:
        """Everything that waits tells."""
        for event in self.events:
            event.waits = False
        self._take_back()

    def _take_back(self) -> None:
        self.taken_back |= {event.of for event in self.events if event.of is not None and not event.waits}
        self._settle()

    def lines(self, kind: str, guest: Guest | None = None) -> list[int]:
        """The lines of a kind, of a guest where one is named, that stand."""
        return [
            line
            for line, event in enumerate(self.events)
            if event.kind == kind and event.guest == guest and line not in self.taken_back and not event.waits
        ]

    def _settle(self) -> None:
        """Ask of everybody what stands."""
        self.matched.clear()
        for guest in {event.guest for event in self.events if event.guest}:
            came = self.lines("check_in", guest)
            _keep(self.guests, guest, came)
            said = [line for line in self.lines("match", guest) if came and came[0] < line]
            if said:
                self.matched[guest] = said[0]
        for who in range(len(PEOPLE)):
            _keep(self.people, who, sorted(self._entries(who)))
        counting = {*self.people.values(), *self.guests.values()}
        for who in range(len(PEOPLE)):
            _keep(self.places, who, sorted(line for line in counting if self.events[line].stands_for == who))

    def _entries(self, who: int) -> list[int]:
        """What may count of a person: where they checked in, and guests who turned out to be them."""
        mine = [line for line in self.lines("check_in") if self.events[line].who == who]
        for guest, match in self.matched.items():
            if self.events[match].who == who:
                first = self.lines("check_in", guest)[0]
                said = [line for line in self.lines("match", guest) if self.events[line].who == who]
                mine += [line for line in said if first < line]
        return mine

    def gone(self, who: int) -> bool:
        """Whether the last that somebody did was to check out."""
        left = [line for line in self.lines("check_out") if self.events[line].who == who]
        last = max(left + self._entries(who), key=lambda line: (self.events[line].at, line))
        return last in left

    def may_match(self, guest: Guest) -> bool:
        """Whether nobody has said yet who this guest is, and anything of them could be matched."""
        given_up = {event.of for event in self.events if event.kind == "annul"}
        who = self.events[self.matched[guest]].who if guest in self.matched else None
        of_guest = [(line, event) for line, event in enumerate(self.events) if event.guest == guest]
        for line, event in of_guest:
            if event.kind == "match" and line not in given_up and (event.waits or event.who == who):
                return False
        return any(event.kind == "check_in" and line not in self.taken_back for line, event in of_guest)

    def figures(self) -> dict[str, tuple[int, int]]:
        """People counted, and people on no list, by hall."""
        present = [self.events[line].hall for line in self.people.values()]
        apart = [guest[0] for guest in self.guests if guest not in self.matched]
        return {hall: (present.count(place), apart.count(place)) for place, hall in enumerate(HALLS)}


def _keep(counting: dict[Any, int], key: object, lines: list[int]) -> None:
    """What counted stays if it is among `lines`, else the earliest of them counts."""
    if not lines:
        counting.pop(key, None)
    elif counting.get(key) not in lines:
        counting[key] = lines[0]


# --- the store's way -------------------------------------------------------------------------------------------
def begin(connection: sa.Connection, conference: Sample) -> int:
    """A new open session in the conference's halls."""
    code = f"H{next(NONCES)}"
    times = {"starts_ms": STARTS_MS, "ends_ms": ENDS_MS, "state_ms": NOW_MS}
    added = sa.insert(session).values(code=code, title=code, state="open", **times).returning(session.c.id)
    session_id: int = connection.execute(added).scalar_one()
    rows = [
        {
            "session_id": session_id,
            "point_id": conference.points[hall],
            "door_id": session_id * 10 + place,
            "door_key": bytes(32),
            "link_since_ms": NOW_MS,
        }
        for place, hall in enumerate(HALLS)
    ]
    connection.execute(sa.insert(session_point), rows)
    return session_id


@dataclass(slots=True)
class History:
    """Takes the same steps through the store, in a session of its own, and through the model."""

    conference: Sample
    session_id: int
    model: Model = field(default_factory=Model)

    def take(self, connection: sa.Connection, step: Step) -> None:
        """One step, in one transaction; one that makes no sense here is left out."""
        model = self.model
        if step.kind in {"arrive", "leave", "guest"}:
            self._record(connection, step)
        elif step.kind == "annul":
            entries = [line for line, event in enumerate(model.events) if event.kind != "annul"]
            if entries:
                self.annul(connection, entries[step.pick % len(entries)])
        elif step.kind == "match":
            guests = sorted({event.guest for event in model.events if event.guest})
            if guests:
                self._match(connection, guests[step.pick % len(guests)], step)
        elif step.kind == "close":
            connection.execute(sa.update(session).where(session.c.id == self.session_id).values(state="closed"))
            model.closed = True
        elif model.closed:
            corrections.apply_held(connection, self.session_id, 1)
            model.revise()

    def _record(self, connection: sa.Connection, step: Step) -> None:
        place, number = HALLS[step.hall], next(NONCES)
        stands_for = step.stands_for if step.kind != "leave" and step.stands_for != step.who else None
        who: Listed | Unlisted = listed(self.conference, PEOPLE[step.who])
        guest: Guest | None = None
        if step.kind == "guest":
            name = step.who % len(GUESTS)
            guest = (step.hall, name)
            who = Unlisted(GUESTS[name].encode()[:16].ljust(16), GUESTS[name], GUESTS[name], "", bytes(16))
        kind = EventKind.CHECK_OUT if step.kind == "leave" else EventKind.CHECK_IN
        nonce = number.to_bytes(16, "big")
        item = CheckIn(
            session_id=self.session_id,
            point_id=self.conference.points[place],
            point=place,
            who=who,
            nonce=nonce,
            fingerprint=nonce,
            source=Source.BADGE,
            server_ms=NOW_MS + number,
            at_ms=NOW_MS + number,
            happened_ms=NOW_MS + number,
            kind=kind,
            offline=True,
            stands_for=None if stands_for is None else listed(self.conference, PEOPLE[stands_for]),
        )
        (outcome,) = record(connection, [item], WRITER)
        assert outcome.held == self.model.closed
        mine = None if guest else step.who
        self.model.add(Event(str(kind), nonce, step.hall, item.happened_ms, mine, guest, stands_for))

    def event(self, kind: EventKind, hall: int, **more: Any) -> NewEvent:
        """A correction in a hall."""
        number = next(NONCES)
        nonce = number.to_bytes(16, "big")
        times = dict.fromkeys(("server_ms", "at_ms", "happened_ms"), NOW_MS + number)
        return NewEvent(
            session_id=self.session_id,
            session="H",
            nonce=nonce,
            fingerprint=nonce,
            kind=kind,
            source=Source.MANUAL,
            point_id=self.conference.points[HALLS[hall]],
            point=HALLS[hall],
            counted=False,
            **(times | more),
        )

    def annul(self, connection: sa.Connection, line: int) -> None:
        """Take a line back; the second time that finds the first."""
        target, model = self.model.events[line], self.model
        attendee_id = None if target.who is None else self.conference.attendees[PEOPLE[target.who]]
        unlisted_id = self.unlisted_id(connection, target.guest) if target.guest else None
        event = self.event(
            EventKind.ANNUL, target.hall, of_nonce=target.nonce, attendee_id=attendee_id, unlisted_id=unlisted_id
        )
        done = corrections.annul(connection, WRITER, event)
        before = next((e for e in model.events if e.of == line), None)
        assert (done.replayed, done.nonce) == ((True, before.nonce) if before else (False, event.nonce))
        if before is None:
            model.add(Event("annul", event.nonce, target.hall, event.happened_ms, of=line))

    def _match(self, connection: sa.Connection, guest: Guest, step: Step) -> None:
        stands_for = step.stands_for if step.stands_for != step.who else None
        unlisted_id = self.unlisted_id(connection, guest)
        came = sa.select(unlisted.c.at_ms).where(unlisted.c.id == unlisted_id)
        event = self.event(
            EventKind.MATCH,
            guest[0],
            happened_ms=connection.execute(came).scalar_one(),
            attendee_id=self.conference.attendees[PEOPLE[step.who]],
            unlisted_id=unlisted_id,
            stands_for_id=None if stands_for is None else self.conference.attendees[PEOPLE[stands_for]],
        )
        allowed = self.model.may_match(guest)
        try:
            with connection.begin_nested():
                corrections.match(connection, WRITER, event)
        except (AlreadyMatchedError, NotFoundError):
            assert not allowed
            return
        assert allowed
        self.model.add(Event("match", event.nonce, guest[0], event.happened_ms, step.who, guest, stands_for))

    def unlisted_id(self, connection: sa.Connection, guest: Guest) -> int:
        """The row of somebody on no list."""
        u = unlisted.c
        point_id, name = self.conference.points[HALLS[guest[0]]], GUESTS[guest[1]]
        query = sa.select(u.id).where(u.session_id == self.session_id, u.point_id == point_id, u.name == name)
        found: int = connection.execute(query).scalar_one()
        return found

    def compare(self, connection: sa.Connection) -> None:
        """What counts in the database is what the model says, and the counters are the sums of the rows."""
        model, points = self.model, {point_id: hall for hall, point_id in self.conference.points.items()}
        codes = {attendee_id: code for code, attendee_id in self.conference.attendees.items()}
        nonce = [event.nonce for event in model.events]
        a, s, u, p = attendance.c, substitution.c, unlisted.c, session_point.c
        people = sa.select(a.attendee_id, a.nonce, a.point_id, a.left_ms).where(a.session_id == self.session_id)
        assert {
            codes[row.attendee_id]: (bytes(row.nonce), points[row.point_id], row.left_ms is not None)
            for row in connection.execute(people)
        } == {
            PEOPLE[who]: (nonce[line], HALLS[model.events[line].hall], model.gone(who))
            for who, line in model.people.items()
        }
        guests = sa.select(u.point_id, u.name, u.nonce, u.attendee_id).where(
            u.session_id == self.session_id, u.nonce.is_not(None)
        )
        assert {
            (points[row.point_id], row.name): (bytes(row.nonce), codes.get(row.attendee_id))
            for row in connection.execute(guests)
        } == {
            (HALLS[guest[0]], GUESTS[guest[1]]): (nonce[line], self._matched(guest))
            for guest, line in model.guests.items()
        }
        places = sa.select(s.attendee_id, s.nonce).where(s.session_id == self.session_id)
        assert {codes[row.attendee_id]: bytes(row.nonce) for row in connection.execute(places)} == {
            PEOPLE[who]: nonce[line] for who, line in model.places.items()
        }
        figures = sa.select(p.point_id, p.present, p.unlisted).where(p.session_id == self.session_id)
        assert {points[row[0]]: (row[1], row[2]) for row in connection.execute(figures)} == model.figures()

    def _matched(self, guest: Guest) -> str | None:
        line = self.model.matched.get(guest)
        who = None if line is None else self.model.events[line].who
        return None if who is None else PEOPLE[who]
