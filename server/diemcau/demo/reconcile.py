"""Holds everything the server says against the simulator's ledger: person by person and point by point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diemcau.demo.ledger import Move
from diemcau.domain.models import LinkState

if TYPE_CHECKING:
    from diemcau.demo.ledger import Ledger
    from diemcau.wire.live import LiveRow, LiveTotals

NAMED_MAX = 8
"""Differing people or points that a row names; their number is always given."""

MOVE_TOLERANCE_MS = 2_000
"""Between the moment the player noted and the one the server stamped: two processes, one busy machine."""


SILENT = frozenset({LinkState.SUSPECT, LinkState.LOST, LinkState.UNKNOWN})
"""Nobody can say of the people there whether they still follow."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Points as one observer sees them: a fresh answer of the API, or the board that was followed."""

    rows: Mapping[str, LiveRow]
    totals: LiveTotals


@dataclass(frozen=True, slots=True)
class Records:
    """What the server says, each by a way of its own.

    People are maps from attendee code to the hall they are counted in: its code in the database, its name in files.
    """

    database: Mapping[str, str]
    csv: Mapping[str, str]
    xlsx: Mapping[str, str]
    summary_present: int
    summary_summoned: int
    live: Watched
    board: Watched
    connections: Mapping[str, list[Move]]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: a figure by the ledger and the same figure somewhere else."""

    section: str
    where: str
    expected: int
    found: int
    differences: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether both are the same, down to each person or point."""
        return self.expected == self.found and not self.differences


def reconcile(ledger: Ledger, records: Records, halls: Mapping[str, str], invited: int) -> list[Line]:
    """Every comparison, in the order of the table. `halls` are names by code."""
    codes = sorted(halls)
    return [
        *_people(ledger, halls, records),
        Line("invited", "summary", invited, records.summary_summoned),
        Line("invited", "live", invited, records.live.totals.invited),
        *_points(ledger, records, codes),
        *_log(ledger, records.connections, codes),
    ]


def _people(ledger: Ledger, halls: Mapping[str, str], records: Records) -> list[Line]:
    people = {person: entry.hall for person, entry in ledger.people.items()}
    named = {person: halls[hall] for person, hall in people.items()}
    count = len(people)
    return [
        Line("check_ins", "acknowledged", ledger.begun, count, ledger.failures[:NAMED_MAX]),
        _same_people("database", people, records.database),
        _same_people("csv", named, records.csv),
        _same_people("xlsx", named, records.xlsx),
        Line("check_ins", "summary", count, records.summary_present),
        _present("board", ledger, records.board),
        _present("live", ledger, records.live),
    ]


def _same_people(where: str, people: Mapping[str, str], found: Mapping[str, str]) -> Line:
    return Line("check_ins", where, len(people), len(found), _differences(people, found))


def _present(where: str, ledger: Ledger, watched: Watched) -> Line:
    found = {point: row.present for point, row in watched.rows.items() if row.present}
    differences = _differences(ledger.present, found)
    if sum(found.values()) != watched.totals.present:
        differences.insert(0, f"totals {watched.totals.present} ≠ Σ {sum(found.values())}")
    return Line("check_ins", where, ledger.present.total(), watched.totals.present, differences)


def _points(ledger: Ledger, records: Records, codes: list[str]) -> list[Line]:
    expected = {code: ledger.link(code) for code in codes}
    lines: list[Line] = []
    for where, watched in (("live", records.live), ("board", records.board)):
        found = {code: row.link for code, row in watched.rows.items()}
        by_state, states = Counter(found.values()), ledger.links(codes)
        for state in LinkState:
            if states[state] or by_state[state]:
                differences = _differences(_only(expected, state), _only(found, state))
                lines.append(Line(f"points.{state}", where, states[state], by_state[state], differences))
        counted = {str(state): count for state, count in by_state.items()}
        silent = sum(ledger.present[code] for code in codes if ledger.link(code) in SILENT)
        lines.append(Line("silent", where, silent, watched.totals.silent_present))
        told = {state: count for state, count in watched.totals.links.items() if count}
        lines.append(Line("points.totals", where, len(codes), sum(told.values()), _differences(counted, told)))
    return lines


def _only(links: Mapping[str, LinkState], state: LinkState) -> dict[str, LinkState]:
    return {code: link for code, link in links.items() if link is state}


def _log(ledger: Ledger, connections: Mapping[str, list[Move]], codes: list[str]) -> list[Line]:
    """The connection log holds exactly the moves that were played, each stamped with its own moment.

    A slow line is told apart: the server calls it degraded for as long as it takes to be well again, which a beat
    that comes a little early or late decides. So the log must name the same points, not the same moments.
    """
    expected = {code: ledger.moves.get(code, []) for code in codes}
    found = {code: _without_degraded(connections.get(code, [])) for code in codes}
    differences: list[str] = []
    for code in codes:
        if [move.to for move in expected[code]] != [move.to for move in found[code]]:
            differences.append(f"{code}: {_told(expected[code])} ≠ {_told(found[code])}")
        elif late := [
            f"{code} {move.to} {other.at_ms - move.at_ms:+} ms"
            for move, other in zip(expected[code], found[code], strict=True)
            if abs(move.at_ms - other.at_ms) > MOVE_TOLERANCE_MS
        ]:
            differences.append(late[0])
    slow = {code for code in codes if any(move.to is LinkState.DEGRADED for move in connections.get(code, []))}
    slow_differences = _differences(dict.fromkeys(ledger.slow, "slow"), dict.fromkeys(slow, "slow"))
    return [
        Line("moves", "connections", _count(expected), _count(found), _some(differences)),
        Line("slow", "connections", len(ledger.slow), len(slow), slow_differences),
    ]


def _without_degraded(moves: list[Move]) -> list[Move]:
    """The moves with a slow line counted as a line."""
    kept: list[Move] = []
    for move in moves:
        to = LinkState.ONLINE if move.to is LinkState.DEGRADED else move.to
        if not kept or kept[-1].to is not to:
            kept.append(Move(to, move.at_ms))
    return kept


def _count(moves: Mapping[str, list[Move]]) -> int:
    return sum(map(len, moves.values()))


def _told(moves: list[Move]) -> str:
    return "→".join(move.to for move in moves) or "–"


def _differences(expected: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    return _some(
        [
            f"{key}: {expected.get(key, '–')} ≠ {found.get(key, '–')}"
            for key in sorted(expected.keys() | found.keys())
            if expected.get(key) != found.get(key)
        ]
    )


def _some(differences: list[str]) -> list[str]:
    if len(differences) <= NAMED_MAX:
        return differences
    return [*differences[:NAMED_MAX], f"+{len(differences) - NAMED_MAX}"]
