"""What can keep the demo from playing, as sentences for whoever started it."""

from __future__ import annotations

from diemcau.errors import DiemcauError


class DemoError(DiemcauError):
    """The demo cannot go on; `code` names the dictionary text `error.<code>` that says what to do."""

    def __init__(self, code: str, **params: str | float) -> None:
        self.code = code
        super().__init__(**params)
