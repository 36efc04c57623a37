"""The image and the compose file start the server that is here, not one of last year."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from diemcau.cli import main

ROOT = Path(__file__).resolve().parents[2]


def image_command() -> list[str]:
    """What the image runs when nothing else is asked."""
    (line,) = re.findall(r'^CMD (\["serve".*\])$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    command: list[str] = json.loads(line)
    return command


def compose_command() -> list[str]:
    """What the node of docker-compose.yml runs, with a host name filled in."""
    text = re.sub(r"\$\{DOMAIN[^}]*\}", "hn.example.vn", (ROOT / "docker-compose.yml").read_text())
    return ["serve", *re.findall(r"^ +- (--\S+)$", text, re.MULTILINE)]


@pytest.mark.parametrize("command", [image_command(), compose_command()], ids=["image", "compose"])
def test_containers_start_with_options_that_exist(command: list[str]) -> None:
    """A renamed option would leave the organizer with a container that restarts for ever."""
    name, *options = command
    assert len(options) >= 4
    serve = main.get_command(click.Context(main), name)
    assert serve is not None
    serve.make_context(name, options)
