"""The language that the command line speaks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from diemcau import i18n

if TYPE_CHECKING:
    from diemcau.i18n import Language


def language() -> Language:
    """The terminal's language: English where the locale says so, else Vietnamese."""
    named = os.environ.get("DIEMCAU_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "en" if named.lower().startswith(("en", "c.", "posix")) or named in {"", "C"} else "vi"


def say(key: str, /, **params: str | float) -> str:
    """A text of the dictionary in the terminal's language; parameters that are keys become words."""
    words = {name: i18n.worded(language(), value) for name, value in params.items()}
    return i18n.text(language(), key, **words)


def number(value: int) -> str:
    """A whole number with its thousands set apart as the terminal's language does."""
    return f"{value:,}".replace(",", "." if language() == "vi" else ",")
