"""The frames that both clients are written against are the frames that the server speaks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from diemcau.wire import live

ROOT = Path(__file__).resolve().parents[2]
FIXTURES: dict[str, Any] = json.loads((ROOT / "tests" / "contract" / "frames.json").read_text(encoding="utf-8"))
UNIONS: dict[tuple[str, str], Any] = {
    ("point", "sent"): live.PointFrame,
    ("point", "received"): live.ServerPointFrame,
    ("board", "sent"): live.BoardIdentify,
    ("board", "received"): live.ServerBoardFrame,
}
EXAMPLES = [(socket, way, name) for socket, way in UNIONS for name in FIXTURES[socket][way]]


def types(union: Any) -> dict[str, type[msgspec.Struct]]:
    """The frames of a union by the name they carry on the wire."""
    return {str(frame.__struct_config__.tag): frame for frame in get_args(union) or (union,)}


@pytest.mark.parametrize(("socket", "way", "name"), EXAMPLES)
def test_every_example_is_read_and_written_alike(socket: str, way: str, name: str) -> None:
    """A client that follows the example is understood, and the server's own frame looks like it."""
    example = FIXTURES[socket][way][name]
    frame = msgspec.json.decode(json.dumps(example), type=UNIONS[socket, way])
    assert json.loads(msgspec.json.encode(frame)) == example


@pytest.mark.parametrize(("socket", "way"), UNIONS)
def test_every_frame_has_its_example(socket: str, way: str) -> None:
    """A frame without an example is one the other side has never seen."""
    assert set(FIXTURES[socket][way]) == set(types(UNIONS[socket, way]))


def test_every_close_code_has_its_example() -> None:
    """A close code that the client does not know is one it cannot explain."""
    assert FIXTURES["close_codes"] == {code.name: code.value for code in live.CloseCode}


@pytest.mark.parametrize("code", live.CloseCode)
def test_close_codes_keep_to_their_ranges(code: live.CloseCode) -> None:
    """Whether to come back is read from the number alone, so that old clients understand new codes."""
    assert live.reconnects(code) == (4000 <= code < 4500)


def test_the_protocol_page_names_every_frame_field_and_close_code() -> None:
    """Whoever writes another client needs no source of ours."""
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([\w.]+)`", page))
    frames = {name: frame for union in UNIONS.values() for name, frame in types(union).items()}
    structs: list[Any] = [*frames.values(), live.SessionBrief, live.Resume, live.LiveRow, live.LiveTotals]
    fields = {field for struct in structs for field in struct.__struct_fields__}
    codes = {name for code in live.CloseCode for name in (code.name, str(code.value))}
    assert (set(frames) | fields | codes) - words == set()
