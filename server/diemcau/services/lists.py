"""What units, points and attendees have in common: texts as stored, pages, and where in the tree one may look."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec

from diemcau.domain.authority import Action, Actor, require
from diemcau.domain.names import tidy
from diemcau.errors import ForbiddenError, MalformedError
from diemcau.store import units
from diemcau.store.lists import Asked

if TYPE_CHECKING:
    from diemcau.store.engine import Connection


NUMBER_DIGITS_MAX = 18
"""What both databases take as an id or a time."""


class Wanted(msgspec.Struct, frozen=True):
    """What a reader asked for: rows of a unit and all below it (null: everything they may see), found by `q`."""

    limit: int
    unit: str | None = None
    q: str = ""
    after: str = ""


async def asked_for(actor: Actor, action: Action, connection: Connection, wanted: Wanted, keys: int) -> Asked:
    """The page a reader wants, within their scope for `action`; `keys` is how many columns order the list.

    Raises:
        NotFoundError: no such unit.
        ForbiddenError: the unit, and all below it, are outside the reader's scope.
        MalformedError: `after` did not come from a page of this list.
    """
    scope = require(actor, action)
    if wanted.unit is not None:
        scope = scope.narrowed((await units.get(connection, wanted.unit)).path)
        if not scope.paths:
            raise ForbiddenError
    return Asked(scope, wanted.limit + 1, wanted.q, read_mark(wanted.after, keys))


def mark(*keys: str) -> str:
    """The place in a list after the row with these keys, for `after`; opaque to clients."""
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def read_mark(after: str, keys: int) -> tuple[str, ...] | None:
    """The keys that `mark` was given; None at the beginning.

    Raises:
        MalformedError: this mark was not made for a list ordered by so many keys.
    """
    if not after:
        return None
    try:
        text = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(text, type=tuple[str, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        found = ()
    if len(found) != keys or any("\0" in key for key in found):
        raise MalformedError(field="after", reason="reason.not_a_page")
    return found


def read_number(after: str) -> int | None:
    """The one whole number that `mark` was given; None at the beginning.

    Raises:
        MalformedError: this mark was not made for a list ordered by a number.
    """
    keys = read_mark(after, keys=1)
    if keys is None:
        return None
    if not (keys[0].isascii() and keys[0].isdigit() and len(keys[0]) <= NUMBER_DIGITS_MAX):
        raise MalformedError(field="after", reason="reason.not_a_page")
    return int(keys[0])


def stored(body: msgspec.Struct, required: str, *left_out: str) -> dict[str, Any]:
    """The columns a body sets: texts tidied, what is absent left out, `left_out` left to the caller.

    Raises:
        MalformedError: the text of `required` is empty once tidied.
    """
    values: dict[str, Any] = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if name not in left_out and value is not msgspec.UNSET:
            values[name] = tidy(value) if type(value) is str else value
    if values.get(required) == "":
        raise MalformedError(field=required, reason="reason.empty")
    return values


async def unit_for(actor: Actor, action: Action, connection: Connection, code: str) -> units.UnitRow:
    """The unit of this code, where the actor may do `action`.

    Raises:
        MalformedError: no unit is named.
        NotFoundError: there is no such unit.
        ForbiddenError: it is outside the actor's scope.
    """
    if not code:
        raise MalformedError(field="unit", reason="reason.empty")
    found = await units.get(connection, code.upper())
    require(actor, action, found.path)
    return found
