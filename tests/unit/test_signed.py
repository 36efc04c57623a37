"""Keys and their fingerprints: read as people write them, and never believed by halves."""

from __future__ import annotations

import pytest
from log_files import FINGERPRINT, PUBLIC_KEY

from diemcau.domain import signed


@pytest.mark.parametrize("text", [signed.shown(FINGERPRINT), FINGERPRINT.hex().upper(), FINGERPRINT.hex(":"),
                                  FINGERPRINT.hex(" ", 2)])  # fmt: skip
def test_a_fingerprint_is_read_as_people_write_it(text: str) -> None:
    """Copied from a screen, read over the telephone or printed: the same key."""
    assert signed.read_fingerprint(text) == FINGERPRINT


@pytest.mark.parametrize("text", ["", FINGERPRINT.hex()[:-1], FINGERPRINT.hex() + "0", "x" * 64, "１" * 64])
def test_what_is_no_fingerprint(text: str) -> None:
    """Part of a fingerprint is easily forged, so it is refused."""
    assert signed.read_fingerprint(text) is None


ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


@pytest.mark.parametrize("sign_bit", [0, 1])
@pytest.mark.parametrize(
    "y",
    [0, 1, signed.PRIME - 1, signed.PRIME, signed.PRIME + 1, int.from_bytes(ORDER_8, "little"),
     signed.PRIME - int.from_bytes(ORDER_8, "little")],
)  # fmt: skip
def test_a_key_for_which_anybody_can_sign_proves_nothing(y: int, sign_bit: int) -> None:
    """Whoever publishes such a key could call every log a forgery later, or let anybody write one."""
    key = (y | sign_bit << 255).to_bytes(32, "little")
    signature = (1).to_bytes(32, "little") + bytes(32)
    assert not any(signed.signed_by(key, b"%d" % number, signature) for number in range(64))
    assert signed.weak(key)
    assert not signed.weak(PUBLIC_KEY)
