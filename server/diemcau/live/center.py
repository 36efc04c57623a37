"""The live state of every session this process watches."""

from __future__ import annotations


class Center:
    """Live sessions by id."""
