"""Badge tokens: what the QR says, and how it is read from a camera, a scanner or a tired person's typing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain import badge

KEY = bytes(range(32))
TOKEN = badge.token(KEY, 52_001, 1)
TEXT = badge.encode(TOKEN)


def test_token_is_the_persons_and_the_issues() -> None:
    """A reissued badge that equals the old one would let the finder of the lost one in."""
    assert len(TOKEN) == badge.TOKEN_BYTES
    assert badge.token(KEY, 52_001, 1) == TOKEN
    others = {badge.token(KEY, 52_001, 2), badge.token(KEY, 52_002, 1), badge.token(bytes(32), 52_001, 1)}
    assert len(others | {TOKEN}) == 4


@given(st.binary(min_size=16, max_size=16))
def test_every_token_survives_its_characters(token: bytes) -> None:
    """A badge that cannot be read back turns its holder away."""
    text = badge.encode(token)
    assert len(text) == badge.CHARS
    assert badge.decode(text) == badge.decode(text.lower()) == token
    assert badge.parse(badge.link("https://diemcau.example", token)) == token


@pytest.mark.parametrize(
    "typed",
    [
        TEXT,
        TEXT.lower(),
        f"  {TEXT}\n",
        "-".join((TEXT[:5], TEXT[5:10], TEXT[10:])),
        " ".join(TEXT),
        f"HTTPS://DIEMCAU.EXAMPLE/B/{TEXT}",
        f"https://diemcau.example/b/{TEXT.lower()}",
        f"http://192.168.1.20:8080/B/{TEXT}",
        f"https://old.example/b/{TEXT}/?utm_source=zalo#top",
        f"/b/{TEXT}",
    ],
)
def test_scanned_and_typed_forms(typed: str) -> None:
    """A scanner that sends small letters, or a link copied from a chat, names nobody."""
    assert badge.parse(typed) == TOKEN


def test_misread_letters_are_forgiven() -> None:
    """Somebody who reads an O as a zero is told that their badge does not exist."""
    token = base64.b32decode("OIBOIBOIBOIBOIBOIBOIBOIBOA======")
    assert badge.parse("018018018018018018018018OA") == token


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "A",
        TEXT[:-1] + "=",
        "é" * badge.CHARS,
        "!" * badge.CHARS,
        f"https://diemcau.example/c/{TEXT}",
        f"https://diemcau.example/b/{TEXT}/more",
        f"https://diemcau.example/b/{TEXT}" + "?" * 400,
        f"javascript:{TEXT}",
        "\0" * badge.CHARS,
    ],
)
def test_anything_else_is_no_badge(text: str) -> None:
    """Nonsense that passes for a token is looked up, counted and perhaps believed."""
    assert badge.parse(text) is None


def test_spare_bits_must_be_zero() -> None:
    """Four spellings of one badge slip past whatever remembers what was scanned."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    last = alphabet.index(TEXT[-1])
    assert last % 4 == 0
    for spare in (1, 2, 3):
        assert badge.decode(TEXT[:-1] + alphabet[last + spare]) is None


def test_hash_is_not_the_token() -> None:
    """A stolen database that holds tokens prints everybody's badge."""
    assert len(badge.token_hash(TOKEN)) == 32
    assert TOKEN not in badge.token_hash(TOKEN)
