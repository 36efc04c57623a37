"""Signed minutes: whatever is changed in them is found, and revisions cannot be swapped."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from log_files import FIGURES, FINGERPRINT, KEY, chains_of, log_of, minutes_of, rows_of

from diemcau.domain import minutes_file
from diemcau.domain.log_file import Chain
from diemcau.errors import FileFlawError

LINES = log_of(rows_of(7, 1, 4))


def test_minutes_verify_and_every_byte_counts() -> None:
    """A figure on paper must be the figure that was frozen."""
    file = minutes_of(chains_of(rows_of(3, 1))).file
    assert minutes_file.verify(file, FINGERPRINT).figures == FIGURES
    for at, mask in itertools.product(range(len(file)), (0x01, 0x20)):
        changed = bytearray(file)
        changed[at] ^= mask
        with pytest.raises(FileFlawError):
            minutes_file.verify(bytes(changed), FINGERPRINT)
    for wrong in (b"", file[:-1], file + b"\n", file + file, b"".join(LINES)):
        with pytest.raises(FileFlawError):
            minutes_file.verify(wrong, FINGERPRINT)


def test_minutes_that_do_not_add_up_are_not_signed() -> None:
    """Totals equal the rows they summarize, before anybody signs them (I3)."""
    with pytest.raises(ValueError, match="add up"):
        minutes_of([], figures=msgspec.structs.replace(FIGURES, present=4))


def test_minutes_from_before_absences_still_verify() -> None:
    """What was handed out last year is held against this year's revision: it is spelled as it was signed."""
    before = minutes_of(chains_of(rows_of(3)))
    assert b'"excused"' not in before.file
    excused = msgspec.structs.replace(FIGURES, excused=1, unexcused=0)
    revised = {"revision": 2, "previous": before.sha256, "figures": excused}
    units = [minutes_file.UnitFigures("HN", excused)]
    after = minutes_file.make(msgspec.structs.replace(before.read(), **revised, units=units), KEY.sign)
    read = minutes_file.verify(after.file, FINGERPRINT, [minutes_file.verify(before.file, FINGERPRINT)])
    assert (read.figures.excused, (read.figures + FIGURES).excused, (FIGURES + FIGURES).excused) == (
        1,
        1,
        msgspec.UNSET,
    )
    assert (read.figures + read.figures).excused == 2


def test_a_revision_names_the_one_before() -> None:
    """Nobody can slip another first revision under the second."""
    first = minutes_of(chains_of(rows_of(3)))
    second = minutes_of(chains_of(rows_of(4)), revision=2, previous=first.sha256)
    read = minutes_file.verify(first.file, FINGERPRINT)
    assert minutes_file.verify(second.file, FINGERPRINT, [read]).revision == 2
    slipped = minutes_file.verify(minutes_of(chains_of(rows_of(3)), reason="khác").file, FINGERPRINT)
    with pytest.raises(FileFlawError) as raised:
        minutes_file.verify(second.file, FINGERPRINT, [slipped])
    assert raised.value.params["what"] == "flaw.previous"


def test_one_revision_says_one_thing() -> None:
    """Who closes a session a second time behind our back has two first revisions; side by side they betray it."""
    chains = chains_of(rows_of(3))
    first = minutes_file.verify(minutes_of(chains).file, FINGERPRINT)
    again = minutes_of(chains, reason="khác")
    assert minutes_file.verify(minutes_of(chains).file, FINGERPRINT, [first]) == first
    for minutes, what in (
        (again, "flaw.same_revision"),
        (minutes_of([Chain(chains[0].writer, 3, bytes(32).hex())], revision=3, previous="x"), "flaw.previous"),
        (
            minutes_of([Chain(chains[0].writer, 2, chains[0].head)], revision=3, previous="x"),
            "flaw.less_than_minutes",
        ),
        (minutes_of([], revision=3, previous="x"), "flaw.less_than_minutes"),
        (minutes_of(chains, revision=3), "flaw.previous"),
    ):
        with pytest.raises(FileFlawError) as raised:
            minutes_file.verify(minutes.file, FINGERPRINT, [first])
        assert raised.value.params["what"] == what
