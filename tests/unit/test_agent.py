"""The headless point's rules that need no server."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from diemcau.agent.point import wait_s
from diemcau.cli import agent
from diemcau.cli.words import say
from diemcau.wire.live import CloseCode


@pytest.mark.parametrize(
    ("attempt", "chance", "expected_s"),
    [(0, 0.0, 0.0), (0, 1.0, 0.5), (3, 0.5, 2.0), (6, 1.0, 20.0), (5000, 1.0, 20.0)],
)
def test_waits_grow_to_twenty_seconds(attempt: int, chance: float, expected_s: float) -> None:
    """Thousands of agents that lost the server together come back spread out, none later than the server's patience."""
    assert wait_s(attempt, chance) == expected_s


def test_the_kept_token_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine may speak for the hall; a failed pairing leaves the old token in place."""
    file = tmp_path / "deep" / "agent.json"
    with agent.writable(file) as made:
        made.write_text("one")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def fails() -> None:
        with agent.writable(file) as made:
            made.write_text("two")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert file.read_text() == "one"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", [None, "", "{}", '{"url":1}', "\x00"])
def test_a_damaged_state_file_is_as_good_as_none(tmp_path: Path, content: str | None) -> None:
    """A half-written file leads to the sentence that asks for a code, not to a traceback."""
    file = tmp_path / "agent.json"
    if content is not None:
        file.write_text(content)
    assert agent.read(file) is None


@pytest.mark.parametrize("code", [int(code) for code in CloseCode if code >= 4500] + [3999])
def test_every_final_close_code_has_a_sentence(code: int) -> None:
    """Whatever ends the line for good, the person at the codec reads what to do."""
    assert len(say(agent.sentence(code), code=code)) > 30
