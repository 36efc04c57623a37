"""What the operator's page sends is what the server takes, and what the server says the page has words for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from diemcau import i18n
from diemcau.domain.models import Flag
from diemcau.wire import check_ins as wire

FIXTURES: dict[str, Any] = json.loads(Path(__file__).with_name("check_ins.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FIXTURES["sent"])
def test_every_item_is_taken(name: str) -> None:
    """A page that follows the examples is understood, down to the last field."""
    example = FIXTURES["sent"][name]
    item = msgspec.convert(example, wire.CheckInItem)
    written = json.loads(msgspec.json.encode(item))
    assert {key: written[key] for key in example if key != "who"} == {
        key: value for key, value in example.items() if key != "who"
    }
    assert example["who"].items() <= written["who"].items()


def test_results_look_like_the_example() -> None:
    """The page reads exactly this: a field that is spelt otherwise is a scan without an answer."""
    results = msgspec.convert(FIXTURES["received"], wire.CheckInResults)
    assert json.loads(msgspec.json.encode(results)) == FIXTURES["received"]


def test_every_refusal_and_flag_is_in_the_example() -> None:
    """The page's own test asks for words for each of these, so none may be missing here."""
    said = re.search(r"reason of a refusal: ([\w,\s]+)\.", wire.CheckInResult.__doc__ or "")
    assert said is not None
    assert set(re.findall(r"\w+", said[1])) == set(FIXTURES["refusals"])
    assert set(Flag) == set(FIXTURES["flags"])


@pytest.mark.parametrize("kind", ["flag", "word_refused"])
def test_everything_the_server_says_has_words(kind: str) -> None:
    """A refusal without words is a red card that tells a tired technician nothing."""
    names = FIXTURES["flags" if kind == "flag" else "refusals"]
    assert [name for name in names if not i18n.has(f"scan.{kind}_{name}")] == []
