"""The exported log: whatever is changed in it is found, and named where it is."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from log_files import FINGERPRINT, KEY, PEOPLE, WRITERS, chain, chains_of, heading, log_of, minutes_of, rows_of
from support import NOW_MS

from diemcau import i18n
from diemcau.domain import log_chain
from diemcau.domain.log_file import Builder, Entry
from diemcau.domain.log_verifier import Seen, Verifier
from diemcau.domain.minutes_file import Minutes
from diemcau.errors import EntryFlawError, FileFlawError, LogBrokenError

LINES = log_of(rows_of(7, 1, 4))
SMALL = log_of(rows_of(2, 1))


def verify(content: bytes, fingerprint: bytes = FINGERPRINT, minutes: Iterable[Minutes] = ()) -> Seen:
    """The whole file, as `diemcau verify` reads it: cut at line ends, which belong to their lines."""
    verifier = Verifier(fingerprint, minutes)
    for line in content.splitlines(keepends=True) if b"\r" not in content else _lines(content):
        verifier.line(line)
    return verifier.finish()


def _lines(content: bytes) -> list[bytes]:
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def flaw_of(content: bytes, fingerprint: bytes = FINGERPRINT, minutes: Iterable[Minutes] = ()) -> FileFlawError:
    """The first thing wrong with a file, which must have one and words for it."""
    with pytest.raises(FileFlawError) as raised:
        verify(content, fingerprint, minutes)
    assert i18n.has(str(raised.value.params["what"]))
    return raised.value


def place_of(flaw: FileFlawError) -> tuple[object, ...]:
    """Line, writer and position of a flaw."""
    return flaw.params["line"], flaw.params.get("writer"), flaw.params.get("position")


# --- whole files -------------------------------------------------------------------------------------------
def test_an_intact_log_verifies() -> None:
    """What left the server untouched must never be called forged."""
    seen = verify(b"".join(LINES))
    assert (seen.entries, seen.sealed, seen.opened) == (12, 3, 9)
    assert [(chain.writer, chain.count) for chain in seen.heading.chains] == [
        (writer.hex(), count) for writer, count in zip(WRITERS, (7, 1, 4), strict=True)
    ]


def test_a_log_without_entries_verifies() -> None:
    """A session to which nobody came has a log too."""
    assert verify(b"".join(log_of([]))).entries == 0


def test_a_stranger_can_follow_the_format() -> None:
    """docs/log.md is enough to verify a file: this test uses nothing of ours but SHA-256 and Ed25519."""
    first, *entries, last = [msgspec.json.decode(line) for line in LINES]
    KEY.public_key().verify(bytes.fromhex(last["signature"]), LINES[-1].partition(b',"signature":"')[0] + b"}")
    assert hashlib.sha256(bytes.fromhex(first["public_key"])).digest() == FINGERPRINT
    assert last["sha256"] == hashlib.sha256(b"".join(LINES[:-1])).hexdigest()
    before: dict[str, bytes] = {}
    for entry in entries:
        body = hashlib.sha256(entry["body"].encode()).hexdigest() if "body" in entry else entry["body_sha256"]
        linked = before.get(entry["writer"], bytes(32)) + bytes.fromhex(body)
        before[entry["writer"]] = hashlib.sha256(linked).digest()
        assert before[entry["writer"]].hex() == entry["hash"]
        if "opening" in entry:
            opening = entry["opening"]
            committed = bytes.fromhex(opening["salt"]) + b"full_name\0" + opening["full_name"].encode()
            assert hashlib.sha256(committed).hexdigest()[:48] == msgspec.json.decode(entry["body"])["who"][1]
    assert {chain["writer"]: chain["head"] for chain in last["chains"]} == {
        writer: head.hex() for writer, head in before.items()
    }


def test_sealed_entries_say_nothing() -> None:
    """Who exports their own units' log learns of the others only that there was an entry (I5)."""
    sealed = [line for line in LINES if b'"sealed"' in line]
    assert len(sealed) == 3
    assert all(msgspec.json.decode(line).keys() == {"type", "writer", "position", "hash", "body_sha256"}
               for line in sealed)  # fmt: skip


def test_a_renamed_person_is_opened_only_as_far_as_they_are_the_same() -> None:
    """After a correction of a name the old entry still verifies, and says what is still true."""
    (row,) = chain(WRITERS[0], 1)
    renamed = dataclasses.replace(PEOPLE[1], full_name="Tên mới")
    line = msgspec.json.decode(log_of([dataclasses.replace(row, person=renamed)])[1], type=Entry)
    assert line.opening is not None
    assert (line.opening.code, line.opening.full_name, line.opening.phone) == ("DB-0005", None, "")
    other = dataclasses.replace(PEOPLE[1], salt=bytes(16))
    assert b"opening" not in log_of([dataclasses.replace(row, person=other)])[1]


# --- changed files -----------------------------------------------------------------------------------------
def test_every_flipped_byte_is_found_in_its_line() -> None:
    """Every byte of a small file, changed in two ways: no digit, space or line end may be changed unseen."""
    content = b"".join(SMALL)
    line_of = [number for number, line in enumerate(SMALL, 1) for _ in line]
    for at, mask in itertools.product(range(len(content)), (0x01, 0x20)):
        changed = bytearray(content)
        changed[at] ^= mask
        assert flaw_of(bytes(changed)).params["line"] == line_of[at], (at, mask)


@settings(deadline=None)
@given(st.data())
def test_any_other_byte_is_found_in_its_line(data: st.DataObject) -> None:
    """Any byte of a larger file, set to any other value."""
    number = data.draw(st.integers(0, len(LINES) - 1))
    line = bytearray(LINES[number])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    changed = [*LINES[:number], bytes(line), *LINES[number + 1 :]]
    assert flaw_of(b"".join(changed)).params["line"] == number + 1


@given(st.integers(0, sum(map(len, LINES)) - 1))
def test_any_truncation_is_found_where_it_ends(size: int) -> None:
    """A file that was cut off, even at a line's end, is named at the first line that is not there as a whole."""
    cut = b"".join(LINES)[:size]
    assert flaw_of(cut).params["line"] == cut.count(b"\n") + 1


@given(st.integers(0, len(LINES) - 1))
def test_any_removed_line_is_found(number: int) -> None:
    """Where a line was taken out, the next one stands in its place and is named."""
    assert flaw_of(b"".join([*LINES[:number], *LINES[number + 1 :]])).params["line"] == number + 1


@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES)))
def test_any_doubled_line_is_found(number: int, to: int) -> None:
    """A line that stands twice, wherever its double was put."""
    changed = [*LINES[:to], LINES[number], *LINES[to:]]
    first = next(
        (at for at, (is_now, was) in enumerate(zip(changed, LINES, strict=False)) if is_now != was), len(LINES)
    )
    assert flaw_of(b"".join(changed)).params["line"] == first + 1


@given(st.lists(st.integers(0, len(LINES) - 1), min_size=2, max_size=2, unique=True))
def test_any_two_swapped_lines_are_found(pair: list[int]) -> None:
    """Two lines that changed places: the first of the two places is named."""
    one, other = sorted(pair)
    changed = list(LINES)
    changed[one], changed[other] = changed[other], changed[one]
    assert flaw_of(b"".join(changed)).params["line"] == one + 1


@given(st.integers(0, len(LINES)), st.binary(min_size=1, max_size=40))
def test_anything_inserted_between_lines_is_found(at: int, inserted: bytes) -> None:
    """Whatever is put between two lines, before the first or after the last."""
    changed = b"".join([*LINES[:at], inserted, *LINES[at:]])
    assert flaw_of(changed).params["line"] == at + 1


def test_line_ends_of_another_system_are_found() -> None:
    """An editor that saved the file with CR LF changed it."""
    assert flaw_of(b"".join(LINES).replace(b"\n", b"\r\n")).params["line"] == 1


def test_a_flaw_names_writer_and_position() -> None:
    """Whoever must explain a flaw finds the entry in the database by its chain and place."""
    without = [*LINES[:5], *LINES[6:]]
    assert place_of(flaw_of(b"".join(without))) == (6, WRITERS[0].hex(), 5)
    last_of_chain = [*LINES[:7], *LINES[8:]]
    flaw = flaw_of(b"".join(last_of_chain))
    assert (place_of(flaw), flaw.params["what"]) == ((8, WRITERS[0].hex(), 7), "flaw.out_of_place")
    assert isinstance(flaw, EntryFlawError)


def forged(**changed: object) -> list[bytes]:
    """The log with one body changed and every hash after it computed anew, by someone without the key."""
    rows = rows_of(7, 1, 4)
    body = rows[2].body.replace(b"HN-0001", b"HN-0002")
    rows[2] = dataclasses.replace(rows[2], body=body)
    before = rows[1].hash
    for at in range(2, 7):
        before = log_chain.link(before, log_chain.digest(rows[at].body))
        rows[at] = dataclasses.replace(rows[at], hash=before)
    return log_of(rows, **changed)


def test_recomputed_hashes_do_not_help() -> None:
    """Who changes an entry and all hashes after it does not reach the head that was signed."""
    lines = [LINES[0], *forged()[1:]]
    flaw = flaw_of(b"".join(lines))
    assert (place_of(flaw), flaw.params["what"]) == ((8, WRITERS[0].hex(), 7), "flaw.head")


def test_a_forged_heading_does_not_help() -> None:
    """Neither does a heading of their own: they cannot sign it, or they sign with a key that nobody asked for."""
    unsigned = [forged()[0].replace(b'"revision":0', b'"revision":9'), *forged()[1:]]
    assert flaw_of(b"".join(unsigned)).params == {"line": 1, "what": "flaw.signature"}
    other = Ed25519PrivateKey.generate()
    builder = Builder(
        msgspec.structs.replace(heading(chains_of(rows_of(2))), public_key=other.public_key().public_bytes_raw().hex()),
        other.sign,
    )
    theirs = [builder.first(), *map(builder.entry, rows_of(2)), builder.last()]
    assert flaw_of(b"".join(theirs)).params == {"line": 1, "what": "flaw.other_key"}


def test_an_opening_that_was_left_out_is_found_at_the_end() -> None:
    """A change that no line shows by itself is in the digest of all of them."""
    person = next(number for number, line in enumerate(LINES) if b'"opening"' in line)
    line = msgspec.structs.replace(msgspec.json.decode(LINES[person], type=Entry), opening=None)
    changed = [*LINES[:person], msgspec.json.encode(line) + b"\n", *LINES[person + 1 :]]
    assert flaw_of(b"".join(changed)).params == {"line": len(LINES), "what": "flaw.digest"}


def changed_body(body: str) -> list[bytes]:
    """The log with another body in its first entry, as someone without the key can write it: with its right hash."""
    line = msgspec.json.decode(LINES[1], type=Entry)
    linked = log_chain.link(log_chain.START, log_chain.digest(body.encode())).hex()
    return [LINES[0], msgspec.json.encode(msgspec.structs.replace(line, body=body, hash=linked)) + b"\n", *LINES[2:]]


BODY = msgspec.json.decode(LINES[1], type=Entry).body


@pytest.mark.parametrize(
    "body",
    [
        '{"x":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"x":' * 100_000,
        BODY.replace('"position":1', '"position":1.0'),
        BODY.replace('"position":1', '"position":' + "9" * 5_000),
        BODY.replace('"session":"S1"', '"session":"\\ud800"'),
        BODY[:-1] + ',"position":2}',
        "\ufeff" + BODY,
        "",
    ],
)
def test_tricks_with_json_in_a_body_are_found(body: str) -> None:
    """A body that breaks or misleads a reader is a changed line like any other, and never a traceback."""
    flaw = flaw_of(b"".join(changed_body(body)))
    assert (place_of(flaw), flaw.params["what"]) == ((2, WRITERS[0].hex(), 1), "flaw.body")


@pytest.mark.parametrize("body", [BODY[:-1] + ',"position":1}', BODY[:-1] + ',"x":1e999}', BODY + " "])
def test_a_new_body_with_its_hash_is_found_at_the_next_entry(body: str) -> None:
    """Who changes a body and its hash together leaves a whole line behind, which the next one does not follow."""
    flaw = flaw_of(b"".join(changed_body(body)))
    assert (place_of(flaw), flaw.params["what"]) == ((3, WRITERS[0].hex(), 2), "flaw.hash")


def test_parts_of_two_files_do_not_make_one() -> None:
    """The end of another export of the same log, made later, does not fit."""
    later = log_of(rows_of(7, 1, 4), made_ms=NOW_MS + 1)
    assert flaw_of(b"".join([*LINES[:-1], later[-1]])).params == {"line": len(LINES), "what": "flaw.digest"}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "flaw.empty"),
        (b"\n", "flaw.unreadable"),
        (b"%PDF-1.7 \xff\xfe\n", "flaw.unreadable"),
        (b'{"type":"entry"}\n', "flaw.unreadable"),
        (LINES[0], "flaw.end_missing"),
    ],
)
def test_what_is_no_log(content: bytes, what: str) -> None:
    """A wrong file is told apart from a forged one, and never verifies."""
    assert flaw_of(content).params["what"] == what


def test_the_wrong_key_is_found() -> None:
    """A file vouches for nothing by itself: only under the key that the reader brought."""
    assert flaw_of(b"".join(LINES), bytes(32)).params == {"line": 1, "what": "flaw.other_key"}


# --- building ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("at", range(12))
@pytest.mark.parametrize("way", ["missing", "doubled", "body", "hash"])
def test_a_broken_database_is_not_signed(way: str, at: int) -> None:
    """Who changed the database itself must not get our signature under it; the entry is named."""
    rows = rows_of(7, 1, 4)
    row = rows[at]
    chains = chains_of(rows)
    changes = {
        "missing": [],
        "doubled": [row, row],
        "body": [dataclasses.replace(row, body=row.body.replace(b"HN-0001", b"HN-0009"))],
        "hash": [dataclasses.replace(row, hash=bytes(32))],
    }
    changed = [*rows[:at], *changes[way], *rows[at + 1 :]]
    builder = Builder(heading(chains), KEY.sign)

    def build() -> list[bytes]:
        return [builder.first(), *map(builder.entry, changed), builder.last()]

    with pytest.raises(LogBrokenError) as raised:
        build()
    assert raised.value.params == {"session": "S1", "writer": row.writer.hex(), "position": row.position}


def test_rows_of_another_session_are_not_signed() -> None:
    """An entry moved from one session to another would make someone attend what they did not."""
    rows = chain(WRITERS[0], 2, session="S2")
    builder = Builder(heading(chains_of(rows)), KEY.sign)
    with pytest.raises(LogBrokenError):
        builder.entry(rows[0])


# --- beside minutes -----------------------------------------------------------------------------------------
def test_a_log_is_held_against_minutes() -> None:
    """The log that grew since still begins with what the minutes froze; a rewritten or shortened one does not."""
    froze = minutes_of(chains_of(rows_of(5, 1))).read()
    grown = b"".join(LINES)
    assert verify(grown, minutes=[froze]).entries == 12
    rewritten = flaw_of(b"".join(forged()), minutes=[froze])
    assert (place_of(rewritten), rewritten.params["what"]) == ((6, WRITERS[0].hex(), 5), "flaw.not_as_frozen")
    shortened = flaw_of(b"".join(log_of(rows_of(4, 1, 4))), minutes=[froze])
    assert shortened.params == {"line": 1, "what": "flaw.less_than_minutes"}
    other = minutes_of(chains_of(rows_of(5, 1)), session="S2").read()
    assert flaw_of(grown, minutes=[other]).params["what"] == "flaw.other_session"
