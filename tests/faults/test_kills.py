"""Two hundred times the power goes while halls send their scans: what was acknowledged is there, once (I1, I2, I4)."""

from __future__ import annotations

from pathlib import Path

from kill_loop import kill_often

ROUNDS = 200


async def test_two_hundred_kills(tmp_path: Path) -> None:
    """An operator whose scan was acknowledged would find it gone, or a person counted twice, after a power cut."""
    tally = await kill_often(tmp_path, ROUNDS, seed=20_261_121)
    assert tally.kills == ROUNDS
    assert tally.in_flight > ROUNDS // 2, "the server mostly died idle: the test proves little"
    assert tally.replays, "nothing that had been written was ever sent again: the test proves little"
