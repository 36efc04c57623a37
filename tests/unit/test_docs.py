"""The docs name what exists: every route, error code, setting, and every test they promise."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from support import error_codes

from diemcau.cli import main
from diemcau.web.routes import ROUTES

ROOT = Path(__file__).resolve().parents[2]
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


def test_every_route_is_documented() -> None:
    """A route that docs/api.md does not name is one nobody decided who may call."""
    missing = [
        f"{route.method} {route.path}" for route in ROUTES if f"`{route.method} {route.path}`" not in DOCS["api.md"]
    ]
    assert [name for name in missing if not name.startswith("GET /ws/")] == []


def test_every_error_code_is_documented() -> None:
    """A program that meets an unknown code cannot decide what to do."""
    assert {code for code in error_codes() if f"`{code}`" not in DOCS["api.md"]} == set()


def test_every_serve_option_is_documented() -> None:
    """An option that only the source knows will be set wrongly."""
    serve = main.get_command(click.Context(main), "serve")
    assert serve is not None
    options = {option for parameter in serve.params if isinstance(parameter, click.Option) for option in parameter.opts}
    assert {option for option in options if f"`{option}`" not in DOCS["operations.md"]} == set()


@pytest.mark.parametrize("page", sorted(DOCS))
def test_named_files_exist(page: str) -> None:
    """A map that points nowhere is worse than none."""
    named = set(re.findall(r"`((?:tests|scripts|client_web|server|docs)/[\w./-]+\.\w+)`", DOCS[page]))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_code_map_is_true() -> None:
    """Every module that the map names is where the map says."""
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_0-9]+\.py)", DOCS["ARCHITECTURE.md"]))
    assert len(named) > 20
    here = {name for name in named if not name.startswith("tests/")}
    assert {name for name in here if not (ROOT / "server" / "diemcau" / name).exists()} == set()
