"""Door codes: the same in every language, believed for as long as the hall needs and no longer."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau import limits
from diemcau.domain import door_code
from diemcau.domain.door_code import Verdict, check, decode, encode, step_of

CONTRACT = json.loads((Path(__file__).parents[1] / "contract" / "door_codes.json").read_text())
VECTORS = CONTRACT["vectors"]
SPOT_CHECKS = CONTRACT["spot_checks"]
KEY = bytes(range(32))
NOW_MS = 1_770_000_000_000
STEP_MS = limits.DOOR_STEP_S * 1000


def tag_of(step: int) -> bytes:
    """The tag that a door with KEY shows in `step`."""
    decoded = decode(encode(1, KEY, step))
    assert decoded is not None
    return decoded[1]


@pytest.mark.parametrize("vector", VECTORS)
def test_codes_are_those_of_the_specification(vector: dict[str, str | int]) -> None:
    """A display and a server that differ in one byte would turn a whole hall away."""
    key = base64.b64decode(str(vector["key_base64"]))
    assert encode(int(vector["door_id"]), key, step_of(int(vector["at_ms"]))) == vector["code"]


@pytest.mark.parametrize("vector", SPOT_CHECKS)
def test_codes_of_spot_checks_are_those_of_the_specification(vector: dict[str, str | int]) -> None:
    """During a spot-check the screen shows what nobody could have photographed at the door."""
    key, at_ms, check_id = (
        base64.b64decode(str(vector["key_base64"])),
        int(vector["at_ms"]),
        int(vector["spot_check_id"]),
    )
    code = encode(int(vector["door_id"]), key, step_of(at_ms), check_id)
    assert code == vector["code"]
    tag = (decode(code) or (0, b""))[1]
    assert door_code.match(key, tag, at_ms + 30_000, check_id) == (Verdict.VALID, step_of(at_ms))
    assert check(key, tag, at_ms) is Verdict.INVALID
    assert check(key, tag, at_ms, check_id + 1) is Verdict.INVALID


@given(door_id=st.integers(0, 2**32 - 1), key=st.binary(min_size=32, max_size=32), step=st.integers(0, 2**40))
def test_codes_come_back_as_they_went(door_id: int, key: bytes, step: int) -> None:
    """Whatever the door, its code names it, in capitals (a denser QR) or typed in small letters."""
    code = encode(door_id, key, step)
    assert len(code) == door_code.CHARS
    assert code == code.upper()
    assert decode(code) == decode(code.lower())
    assert (decode(code) or (None,))[0] == door_id


@given(text=st.text(max_size=24))
def test_any_text_is_read_without_harm(text: str) -> None:
    """Foreign QR codes and typing errors end in a sentence, never in a failure."""
    decoded = decode(text)
    assert decoded is None or decoded[0] < 2**32


def test_spare_bits_are_rejected() -> None:
    """One code has one spelling: otherwise 15 forged neighbours of each code would be believed."""
    code = encode(1, KEY, step_of(NOW_MS))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    last = alphabet.index(code[-1])
    assert last % 16 == 0
    assert all(decode(code[:-1] + alphabet[last + spare]) is None for spare in range(1, 16))


@pytest.mark.parametrize(
    "text", ["", "A" * 19, "A" * 21, "A" * 19 + "1", "A" * 19 + "=", "Ạ" * 20, "A" * 12 + "========"]
)
def test_what_is_no_code_is_not_read(text: str) -> None:
    """Codes of another length or alphabet are never half understood."""
    assert decode(text) is None


@pytest.mark.parametrize(
    ("age_steps", "verdict"),
    [
        (-2, Verdict.INVALID),
        (-1, Verdict.VALID),
        (0, Verdict.VALID),
        (1, Verdict.VALID),
        (4, Verdict.VALID),
        (5, Verdict.EXPIRED),
        (240, Verdict.EXPIRED),
        (241, Verdict.INVALID),
    ],
)
def test_codes_age(age_steps: int, verdict: Verdict) -> None:
    """A slow phone has 60 seconds; a photograph sent to a friend at home is expired, and says so for an hour."""
    step = step_of(NOW_MS) - age_steps
    assert check(KEY, tag_of(step), NOW_MS) is verdict
    assert door_code.match(KEY, tag_of(step), NOW_MS)[1] == (-1 if verdict is Verdict.INVALID else step)


def test_code_scanned_in_its_last_moment_lives_60_seconds() -> None:
    """The step's end counts, not its start: nobody gets less than the 60 seconds promised."""
    shown_until_ms = (step_of(NOW_MS) + 1) * STEP_MS
    tag = tag_of(step_of(NOW_MS))
    assert check(KEY, tag, shown_until_ms + 60_000 - 1) is Verdict.VALID
    assert check(KEY, tag, shown_until_ms + 60_000) is Verdict.EXPIRED


def test_another_doors_key_makes_no_code() -> None:
    """A display of one hall cannot open another's door."""
    assert check(bytes(32), tag_of(step_of(NOW_MS)), NOW_MS) is Verdict.INVALID
