"""Logs and minutes made without a database: chains of entries as the writer makes them, and files of them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support import NOW_MS

from diemcau.domain import log_chain, minutes_file, signed
from diemcau.domain.log_file import Builder, Chain, Heading, Person, Row
from diemcau.domain.minutes_file import Frozen, Minutes, UnitFigures

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a key of the tests").digest())
PUBLIC_KEY = KEY.public_key().public_bytes_raw()
FINGERPRINT = signed.fingerprint(PUBLIC_KEY)
WRITERS = tuple(bytes([1, number, *range(14)]) for number in range(3))
PEOPLE = (
    Person(bytes(range(16)), "DB-0001", "Nguyễn Thị Hồng Đào", "0912345678"),
    Person(bytes(range(1, 17)), "DB-0005", 'H\'Hen "Niê"\\', ""),
    Person(bytes(range(2, 18)), "", "Khách \u2028 không tên", ""),
)


def chain(writer: bytes, entries: int, session: str = "S1") -> list[Row]:
    """A writer's entries: every third outside the reader's units, the others with a person."""
    rows: list[Row] = []
    before = log_chain.START
    for position in range(1, entries + 1):
        person = PEOPLE[position % len(PEOPLE)]
        who = log_chain.commitments(person.salt, (person.code, person.full_name, person.phone))
        body = log_chain.encode(
            log_chain.Body(
                session=session,
                writer=writer.hex(),
                position=position,
                nonce=position.to_bytes(16, "big").hex(),
                kind="check_in",
                source="door",
                point="HN-0001",
                server_ms=NOW_MS + position,
                at_ms=NOW_MS,
                happened_ms=NOW_MS,
                counted=True,
                who=who,
                reason='giấy, “ký” "tay"' if position % 2 else "",
            )
        )
        before = log_chain.link(before, log_chain.digest(body))
        rows.append(Row(writer, position, before, body, inside=position % 3 != 0, person=person))
    return rows


def rows_of(*entries: int) -> list[Row]:
    """As many chains as figures, each with so many entries."""
    return [row for writer, count in zip(WRITERS, entries, strict=False) for row in chain(writer, count)]


def chains_of(rows: list[Row]) -> list[Chain]:
    """Where the chains of these rows end."""
    heads = {row.writer: row for row in rows}
    return [Chain(writer.hex(), row.position, row.hash.hex()) for writer, row in sorted(heads.items())]


def heading(chains: list[Chain], **changed: object) -> Heading:
    """A first line of the session S1."""
    values = {"title": "Buổi “một”", "made_ms": NOW_MS, "revision": 0, "scope": None, **changed}
    return Heading(version=1, session="S1", public_key=PUBLIC_KEY.hex(), chains=chains, **values)  # type: ignore[arg-type]


def log_of(rows: list[Row], **changed: object) -> list[bytes]:
    """The lines of the file of these rows."""
    builder = Builder(heading(chains_of(rows), **changed), KEY.sign)
    return [builder.first(), *map(builder.entry, rows), builder.last()]


FIGURES = Frozen(points=2, summoned=5, present=3, late=1, substituted=1, unexcused=1, unlisted=2)


def minutes_of(chains: list[Chain], **changed: object) -> minutes_file.SignedMinutes:
    """Minutes over these chains."""
    values = {"session": "S1", "revision": 1, "previous": "", "reason": "", "figures": FIGURES, **changed}
    made = Minutes(
        version=1,
        title="Buổi một",
        unit=None,
        at_ms=NOW_MS,
        by="root",
        public_key=PUBLIC_KEY.hex(),
        units=[UnitFigures("HN", FIGURES)],
        chains=chains,
        **values,  # type: ignore[arg-type]
    )
    return minutes_file.make(made, KEY.sign)
