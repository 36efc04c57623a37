"""Every text exists in both languages, with the same parameters, and every key that code uses exists."""

from __future__ import annotations

import json
import re
import string
from importlib.resources import files
from pathlib import Path

import pytest
from support import error_codes

from diemcau import i18n

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "server" / "diemcau"
KEYS = sorted(i18n.dictionary("vi").keys() | i18n.dictionary("en").keys())


def parameters(text: str) -> set[str]:
    """The `{named}` holes of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_say_it(key: str) -> None:
    """A reader of either language gets words, with the same figures in them."""
    texts = [i18n.dictionary(language).get(key) for language in i18n.LANGUAGES]
    assert all(texts), f"{key} is missing in one language"
    vietnamese, english = (parameters(text or "") for text in texts)
    if key.endswith("_one"):  # English has a singular, and says the number in words
        assert english <= vietnamese, key
    else:
        assert vietnamese == english, key


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_no_key_twice(language: i18n.Language) -> None:
    """Two areas that define one key would overwrite each other by file name."""
    seen: dict[str, str] = {}
    for area in (files("diemcau.i18n") / language).iterdir():
        pairs = json.loads(area.read_text(encoding="utf-8"), object_pairs_hook=list)
        for key, _ in pairs:
            assert key not in seen, f"{key} stands in {seen[key]} and {area.name}"
            seen[key] = area.name


def test_every_error_has_words() -> None:
    """An error without a text would reach a person as an internal failure."""
    codes = error_codes()
    assert len(codes) > 20
    assert {code for code in codes if not i18n.has(f"error.{code}")} == set()


def test_every_key_in_code_exists() -> None:
    """A key that code names and no dictionary holds shows as a key on somebody's screen."""
    used: set[str] = set()
    call = re.compile(r"""(?:\bt|\btext|\bwords)\(\s*(?:[\w.]+,\s*)?["']([a-z_]+\.[a-z_0-9.]+)["']""")
    client = ROOT / "client_web" / "src"
    for folder, endings in ((SERVER, {".py", ".html"}), (client, {".ts", ".svelte"})):
        for path in folder.rglob("*"):
            if path.suffix in endings and "test" not in path.name:
                used |= set(call.findall(path.read_text(encoding="utf-8")))
    assert used, "no key found: the pattern no longer fits the code"
    assert {key for key in used if not i18n.has(key)} == set()


def test_language_follows_the_reader() -> None:
    """A choice beats the browser, the browser beats the default, the default is Vietnamese."""
    assert i18n.choose(None) == "vi"
    assert i18n.choose("fr-FR,en-GB;q=0.8,vi;q=0.5") == "en"
    assert i18n.choose("en", "vi") == "vi"
    assert i18n.choose("de", "xx") == "vi"
