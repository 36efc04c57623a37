"""The log's chain of hashes: what follows from what, and that nobody is named by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec
import pytest

from diemcau.domain import log_chain
from diemcau.domain.log_chain import Body, commit, commitments, digest, encode, link

SALT = bytes(range(16))
BODY = Body(
    session="S1",
    writer="0" * 32,
    position=1,
    nonce="1" * 32,
    kind="check_in",
    source="door",
    point="HN-0002",
    server_ms=3,
    at_ms=1,
    happened_ms=2,
    counted=True,
)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is stored."""

    body: bytes
    hash: bytes


def chain(count: int) -> list[Link]:
    """A whole chain of so many entries."""
    links: list[Link] = []
    before = log_chain.START
    for position in range(1, count + 1):
        body = encode(msgspec.structs.replace(BODY, position=position))
        before = link(before, digest(body))
        links.append(Link(body, before))
    return links


def first_bad(links: list[Link]) -> int | None:
    """The first position whose hash does not follow."""
    before = log_chain.START
    for position, entry in enumerate(links, 1):
        before = link(before, digest(entry.body))
        if before != entry.hash:
            return position
    return None


def test_chain_follows() -> None:
    """An honest log is found whole."""
    assert first_bad(chain(5)) is None


@pytest.mark.parametrize("position", [1, 3, 5])
def test_flipped_byte_is_found_where_it_is(position: int) -> None:
    """One changed letter of one entry is named by its position."""
    links = chain(5)
    body = links[position - 1].body
    links[position - 1] = Link(body.replace(b"door", b"DOOR"), links[position - 1].hash)
    assert first_bad(links) == position


def test_deleted_and_reordered_entries_are_found() -> None:
    """Taking somebody out, or telling another order, breaks the chain there."""
    links = chain(5)
    assert first_bad(links[:2] + links[3:]) == 3
    assert first_bad([links[1], links[0], *links[2:]]) == 1


def test_hash_is_what_the_docs_say() -> None:
    """Whoever verifies with a program of their own gets the same hashes."""
    body = b'{"session":"S1"}'
    by_hand = hashlib.sha256(bytes(32) + hashlib.sha256(body).digest()).digest()
    assert link(log_chain.START, digest(body)) == by_hand


def test_body_leaves_out_what_it_does_not_say() -> None:
    """An ordinary check-in is short; every field that is always there comes in a fixed order."""
    assert encode(BODY) == (
        b'{"session":"S1","writer":"%s","position":1,"nonce":"%s","kind":"check_in","source":"door","point":"HN-0002",'
        b'"server_ms":3,"at_ms":1,"happened_ms":2,"counted":true}' % (b"0" * 32, b"1" * 32)
    )


def test_commitments_can_be_checked_and_not_guessed_without_the_salt() -> None:
    """With the salt anybody can check a name; without it the log names nobody."""
    told = commitments(SALT, ("DB-0001", "Nguyễn Thị Hồng Đào", "0912345678"))
    assert told == tuple(
        hashlib.sha256(SALT + field + b"\0" + value.encode()).hexdigest()[:48]
        for field, value in (
            (b"code", "DB-0001"),
            (b"full_name", "Nguyễn Thị Hồng Đào"),
            (b"phone", "0912345678"),
        )
    )
    values = ("DB-0001", "Nguyễn Thị Hồng Đào", "0912345678")
    assert told == tuple(commit(SALT, *pair).hex() for pair in zip(log_chain.FIELDS, values, strict=True))
    assert told != commitments(bytes(16), ("DB-0001", "Nguyễn Thị Hồng Đào", "0912345678"))


def test_equal_values_of_other_fields_are_not_seen_to_be_equal() -> None:
    """Somebody whose code is their telephone number does not give that away."""
    assert commit(SALT, "code", "0912345678") != commit(SALT, "phone", "0912345678")
