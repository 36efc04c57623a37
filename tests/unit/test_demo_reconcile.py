"""The ledger and what is held against it: every disagreement must be found and named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from diemcau.demo.ledger import Entry, Ledger, Move, percentile
from diemcau.demo.reconcile import Line, Records, Watched, reconcile
from diemcau.domain.models import LinkState
from diemcau.wire.live import LiveRow, LiveTotals

POINTS = {"P1": "Hall 1", "P2": "Hall 2", "P3": "Hall 3"}


def played() -> Ledger:
    """Three people in two halls; P1 dropped and stayed away, P2 is there, P3 never came."""
    ledger = Ledger(begun=3, visits=4)
    ledger.moved("P1", LinkState.ONLINE, 1_000)
    ledger.moved("P2", LinkState.ONLINE, 2_000)
    ledger.silent("P1", 5_000, 60_000, 10)
    for person, hall in (("A", "P1"), ("B", "P1"), ("C", "P2")):
        assert ledger.acknowledged(person, hall, f"receipt {person}")
    return ledger


def watched() -> Watched:
    """What a true observer sees of it."""
    rows = {
        "P1": LiveRow("P1", LinkState.LOST, 35_000, 2, 2),
        "P2": LiveRow("P2", LinkState.ONLINE, 2_000, 1, 1),
        "P3": LiveRow("P3", LinkState.EXPECTED, 0, 0, 1),
    }
    return Watched(rows, LiveTotals(3, 3, 4, 2, {"lost": 1, "online": 1, "expected": 1, "unknown": 0}))


def told() -> Records:
    """Records that agree with the ledger."""
    people = {"A": "P1", "B": "P1", "C": "P2"}
    return Records(
        database=dict(people),
        csv={person: POINTS[hall] for person, hall in people.items()},
        xlsx={person: POINTS[hall] for person, hall in people.items()},
        summary_present=3,
        summary_summoned=4,
        live=watched(),
        board=watched(),
        connections={
            "P1": [Move(LinkState.ONLINE, 1_010), Move(LinkState.SUSPECT, 20_000), Move(LinkState.LOST, 35_000)],
            "P2": [Move(LinkState.ONLINE, 2_010)],
        },
    )


def disagreeing(records: Records, ledger: Ledger | None = None) -> list[Line]:
    """The rows that do not agree."""
    return [line for line in reconcile(ledger or played(), records, POINTS, 4) if not line.agrees]


def test_a_true_account_agrees() -> None:
    """The check must be able to succeed."""
    lines = reconcile(played(), told(), POINTS, 4)
    assert [line for line in lines if not line.agrees] == []
    assert {line.where for line in lines} >= {"database", "csv", "xlsx", "summary", "board", "live", "connections"}
    assert {line.section for line in lines} >= {"points.lost", "points.online", "points.expected", "moves"}


SPOILED: dict[str, tuple[str, Callable[[Records], dict[str, Any]]]] = {
    "someone is missing in the database": ("database", lambda _: {"database": {"A": "P1", "B": "P1"}}),
    "someone else is in the database": ("database", lambda _: {"database": {"A": "P1", "B": "P1", "D": "P2"}}),
    "someone sits in another hall in the export": ("csv", lambda r: {"csv": {**r.csv, "C": "Hall 1"}}),
    "the workbook has one more": ("xlsx", lambda r: {"xlsx": {**r.xlsx, "D": "Hall 3"}}),
    "the summary lost one": ("summary", lambda _: {"summary_present": 2}),
    "the board counts someone elsewhere": ("board", lambda r: {"board": moved_count(r.board)}),
    "the board's totals are not its rows": ("board", lambda r: {"board": inflated(r.board)}),
    "a lost point is shown online": ("live", lambda r: {"live": healed(r.live)}),
    "a drop is not in the connection log": ("connections", lambda r: {"connections": {"P2": r.connections["P2"]}}),
    "a line was slow, says the log alone": ("connections", lambda _: {"connections": slow_at_times()}),
    "a drop is stamped with the wrong moment": ("connections", lambda _: {"connections": stamped(90_000)}),
}


def moved_count(seen: Watched) -> Watched:
    """The same total, in other halls."""
    rows = {
        **seen.rows,
        "P1": LiveRow("P1", LinkState.LOST, 35_000, 3, 2),
        "P2": LiveRow("P2", LinkState.ONLINE, 0, 0, 1),
    }
    return Watched(rows, seen.totals)


def inflated(seen: Watched) -> Watched:
    """Rows as they are under totals that are not theirs."""
    return Watched(seen.rows, msgspec.structs.replace(seen.totals, present=4))


def healed(seen: Watched) -> Watched:
    """P1 and P2 change places: the totals stay as they were."""
    rows = {
        **seen.rows,
        "P1": msgspec.structs.replace(seen.rows["P1"], link=LinkState.ONLINE),
        "P2": msgspec.structs.replace(seen.rows["P2"], link=LinkState.LOST),
    }
    return Watched(rows, seen.totals)


def stamped(at_ms: int) -> dict[str, list[Move]]:
    """The log with P1's loss at `at_ms`."""
    log = dict(told().connections)
    log["P1"] = [*log["P1"][:2], Move(LinkState.LOST, at_ms)]
    return log


def slow_at_times() -> dict[str, list[Move]]:
    """The log with P2 slow for half a minute."""
    log = dict(told().connections)
    log["P2"] = [*log["P2"], Move(LinkState.DEGRADED, 40_000), Move(LinkState.ONLINE, 70_000)]
    return log


def test_a_slow_line_is_no_disagreement_when_it_was_told() -> None:
    """On a busy machine round trips take more than a second; that the server says so is right."""
    ledger = played()
    ledger.slow["P2"] = 50_000
    assert disagreeing(dataclasses.replace(told(), connections=slow_at_times()), ledger) == []


@pytest.mark.parametrize("name", SPOILED)
def test_a_disagreement_is_found_and_named(name: str) -> None:
    """A check that overlooks one of these would vouch for a log that is wrong."""
    where, spoil = SPOILED[name]
    lines = disagreeing(dataclasses.replace(told(), **spoil(told())))
    assert lines, name
    assert {line.where for line in lines} == {where}
    assert all(line.differences or line.expected != line.found for line in lines)


def test_whoever_got_no_receipt_is_missed() -> None:
    """A person who came and was never acknowledged is a failure even when all records agree."""
    ledger = played()
    ledger.begun = 4
    ledger.failure("D: page 500")
    found = disagreeing(told(), ledger)
    assert [(line.where, line.differences) for line in found] == [("acknowledged", ["D: page 500"])]


def test_a_second_receipt_counts_nobody() -> None:
    """Scanning twice must not make two people in the ledger either (I2)."""
    ledger = played()
    assert not ledger.acknowledged("A", "P2", "receipt A2")
    assert ledger.people["A"] == Entry("P1", "receipt A")
    assert ledger.present == {"P1": 2, "P2": 1}


def test_short_silence_is_no_loss() -> None:
    """The ledger expects exactly what the deadlines say: suspect after 15 s, lost after 30 s, nothing before."""
    ledger = Ledger()
    ledger.moved("P1", LinkState.ONLINE, 0)
    ledger.silent("P1", 0, 14_999, 10)
    assert ledger.link("P1") is LinkState.ONLINE
    ledger.silent("P1", 0, 29_999, 10)
    assert ledger.link("P1") is LinkState.SUSPECT
    ledger.silent("P1", 0, 30_000, 10)
    assert ledger.moves["P1"][-1] == Move(LinkState.LOST, 30_000)


def test_percentile_is_a_measured_value() -> None:
    """A reported p99 is one that really occurred."""
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([], 0.5)) == (51.0, 100.0, 0.0)
