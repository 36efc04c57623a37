"""The dictionaries, Vietnamese and English, shared with the client.

One folder a language, one file an area (`errors.json`, `door.json`, `operator.json` …); keys are flat and
start with the area's prefix. A key missing in one language fails a test. Parameters are `{named}`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Literal, cast

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


@cache
def dictionary(language: Language) -> dict[str, str]:
    """All texts of one language by key."""
    texts: dict[str, str] = {}
    folder = files(__package__) / language
    for area in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if area.name.endswith(".json"):
            texts.update(cast("dict[str, str]", json.loads(area.read_text(encoding="utf-8"))))
    return texts


def text(language: Language, key: str, /, **params: str | float) -> str:
    """The text for `key` with its parameters filled in.

    Raises:
        KeyError: no such key; a test walks the code for every key it uses.
    """
    return dictionary(language)[key].format_map(params) if params else dictionary(language)[key]


def has(key: str) -> bool:
    """Whether both languages know `key`."""
    return all(key in dictionary(language) for language in LANGUAGES)


def worded(language: Language, value: str | float) -> str | float:
    """A parameter in words, where it is a key (`reason.empty`, `unit` of `what.unit`) or a list of keys."""
    if not isinstance(value, str):
        return value
    return ", ".join(_word(language, part) for part in value.split(", "))


def _word(language: Language, part: str) -> str:
    for key in (part, f"what.{part}"):
        if has(key):
            return text(language, key)
    return part


def choose(accept_language: str | None, cookie: str | None = None) -> Language:
    """The reader's language: what they chose, else the first known in Accept-Language, else Vietnamese."""
    if cookie in LANGUAGES:
        return cookie
    for part in (accept_language or "").split(","):
        tag = part.split(";")[0].strip().lower()
        for language in LANGUAGES:
            if tag == language or tag.startswith(f"{language}-"):
                return language
    return "vi"
