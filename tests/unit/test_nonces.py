"""Nonces as devices write them, and what their fingerprints tell apart."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import NOW_MS

from diemcau.services import nonces
from diemcau.services.context import Keys
from diemcau.wire.check_ins import Nonce

KEYS = Keys(b"k" * 32)
SCAN: tuple[Any, ...] = (1, 2, "check_in", "badge", b"h" * 32, None, NOW_MS)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_nonce_survives_the_wire(at_ms: int, random: bytes) -> None:
    """What the server makes itself passes as a device's, in the order of time, and reads back the same."""
    nonce = nonces.make(at_ms, random)
    text = nonces.write(nonce)
    assert msgspec.convert(text, Nonce) == text
    assert nonces.read(text) == nonce
    assert uuid.UUID(text).version == 7
    assert int.from_bytes(nonce[:6], "big") == at_ms


def test_nonces_never_repeat() -> None:
    """Two corrections in the same millisecond are two."""
    assert len({nonces.make(NOW_MS) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("place", range(len(SCAN)))
def test_every_part_of_the_content_counts(place: int) -> None:
    """Another session, hall, kind, person or time under the same nonce is another content."""
    others = (9, 9, "check_out", "attendee", b"i" * 32, "DB-0001", NOW_MS + 1)
    changed = (*SCAN[:place], others[place], *SCAN[place + 1 :])
    assert nonces.fingerprint(KEYS, *changed) != nonces.fingerprint(KEYS, *SCAN)
    assert nonces.fingerprint(KEYS, *SCAN) == nonces.fingerprint(Keys(b"k" * 32), *SCAN)


def test_parts_do_not_run_into_one_another() -> None:
    """Nguyễn Văn | A of a unit is not Nguyễn | Văn A."""
    assert nonces.fingerprint(KEYS, "nguyen van", "a") != nonces.fingerprint(KEYS, "nguyen", "van a")


def test_nobody_without_the_key_can_make_a_fingerprint() -> None:
    """The database alone does not tell which badge was scanned."""
    assert nonces.fingerprint(KEYS, *SCAN) != nonces.fingerprint(Keys(b"j" * 32), *SCAN)
