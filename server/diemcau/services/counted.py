"""People as the writer takes them: with the salts of their commitments, and keys for those on no list."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

import msgspec

from diemcau.domain import names
from diemcau.store.check_ins import Listed, Unlisted

if TYPE_CHECKING:
    from diemcau.services.context import Keys


class Person(Protocol):
    """Somebody on the list as a look-up found them. `salt`: `attendee.salt`."""

    @property
    def attendee_id(self) -> int: ...  # noqa: D102 named by the class
    @property
    def code(self) -> str: ...  # noqa: D102 the same
    @property
    def full_name(self) -> str: ...  # noqa: D102 the same
    @property
    def phone(self) -> str: ...  # noqa: D102 the same
    @property
    def salt(self) -> bytes: ...  # noqa: D102 the same


def listed(keys: Keys, session_id: int, person: Person) -> Listed:
    """Somebody on the list. The salt is of this person in this session: two sessions' logs cannot be joined by it."""
    salt = keys.sign("log-salt", person.salt + session_id.to_bytes(8, "big"))
    return Listed(person.attendee_id, person.code, person.full_name, person.phone, salt)


def unlisted(keys: Keys, name: str, unit_text: str = "", stands_for_text: str = "") -> Unlisted:
    """Somebody on no list, as typed and tidied; the same name and unit in one hall are the same person.

    Diacritics tell people apart here: an Ân must not vanish behind an An. Who was typed in two ways stands twice in the
    list of people to be matched, and counts once when a clerk has said who they are.
    """
    folded = names.fold(name)
    key = keys.sign("unlisted", msgspec.msgpack.encode((names.sort_key(name) or name, names.fold(unit_text), b"")))
    return Unlisted(key, name, folded, unit_text, secrets.token_bytes(16), stands_for_text)


def unknown_badge(keys: Keys, token_hash: bytes) -> Unlisted:
    """Whoever showed a badge that nobody knows; a clerk may still say who that was."""
    key = keys.sign("unlisted", msgspec.msgpack.encode(("", "", token_hash)))
    return Unlisted(key, "", "", "", secrets.token_bytes(16), badge_hash=token_hash)
