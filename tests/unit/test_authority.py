"""Who may do what, and where: the rules themselves, before any route (I5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diemcau.domain.authority import (
    MAY,
    READS,
    Account,
    Action,
    Actor,
    Anonymous,
    Device,
    Grant,
    Scope,
    System,
    require,
    require_device,
    scope_of,
)
from diemcau.domain.models import DeviceKind, Role
from diemcau.errors import ForbiddenError, NotSignedInError

CITY, DISTRICT, WARD, OTHER = "A.", "A.B.", "A.B.C.", "A.D."
PATHS = st.lists(st.sampled_from("ABC"), max_size=4).map(lambda steps: "".join(f"{step}." for step in steps))
WRITES = set(Action) - READS


def account(*grants: Grant) -> Account:
    """Someone with these roles."""
    return Account(1, "an", grants)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_holds_at_and_below_its_unit(role: Role, action: Action) -> None:
    """What a role allows it allows in its unit and below, and nowhere else."""
    actor = account(Grant(role, DISTRICT))
    allowed = action in MAY[role]
    for path in (DISTRICT, WARD):
        if allowed:
            assert require(actor, action, path).covers(path)
        else:
            with pytest.raises(ForbiddenError):
                require(actor, action, path)
    for path in (CITY, OTHER, ""):
        with pytest.raises(ForbiddenError):
            require(actor, action, path)


def test_the_roles_differ_as_written() -> None:
    """An inspector changes nothing, a clerk only people and their attendance, an organizer everything but accounts."""
    assert MAY[Role.INSPECTOR] & WRITES == set()
    assert MAY[Role.CLERK] & WRITES == {Action.PEOPLE_WRITE, Action.ATTENDANCE_WRITE}
    assert set(Action) - MAY[Role.ORGANIZER] == {Action.ACCOUNTS_WRITE}
    assert MAY[Role.ADMIN] == set(Action)
    assert all(allowed >= READS for allowed in MAY.values())


def test_roles_add_up_but_do_not_mix() -> None:
    """A clerk here who inspects there must not write there."""
    actor = account(Grant(Role.CLERK, WARD), Grant(Role.INSPECTOR, OTHER))
    assert scope_of(actor, Action.PEOPLE_READ).paths == (WARD, OTHER)
    assert scope_of(actor, Action.PEOPLE_WRITE).paths == (WARD,)
    with pytest.raises(ForbiddenError):
        require(actor, Action.PEOPLE_WRITE, OTHER)


@pytest.mark.parametrize("action", Action)
def test_who_is_not_an_account(action: Action) -> None:
    """Nobody signs in first; a device and an account without grants may nothing; the server itself everything."""
    with pytest.raises(NotSignedInError):
        require(Anonymous(), action)
    powerless: list[Actor] = [Device(1, 2, "P1", DeviceKind.OPERATOR), account()]
    for actor in powerless:
        with pytest.raises(ForbiddenError):
            require(actor, action)
    assert require(System(), action, WARD).everything


def test_a_device_answers_for_its_own_point() -> None:
    """A display is no operator, and neither is anybody at the next hall."""
    display = Device(1, 2, "P2", DeviceKind.DISPLAY)
    assert require_device(display, 2) is display
    assert require_device(display, 2, DeviceKind.DISPLAY, DeviceKind.OPERATOR) is display
    refused: list[tuple[Actor, int, tuple[DeviceKind, ...]]] = [
        (display, 3, ()),
        (display, 2, (DeviceKind.OPERATOR,)),
        (account(Grant(Role.ADMIN, "")), 2, ()),
        (System(), 2, ()),
    ]
    for actor, point_id, kinds in refused:
        with pytest.raises(ForbiddenError):
            require_device(actor, point_id, *kinds)
    with pytest.raises(NotSignedInError):
        require_device(Anonymous(), 2)


def test_similar_paths_are_different_units() -> None:
    """A unit whose path begins with the same letters is not below."""
    assert not Scope(("A.",)).covers("AB.")
    assert not Scope(("A.",)).touches("AB.")


@given(st.lists(PATHS, min_size=1, max_size=3).map(tuple), PATHS)
def test_scopes_mean_sets_of_units(paths: tuple[str, ...], path: str) -> None:
    """Covering, touching and narrowing agree with the plain sets they stand for."""
    scope = Scope(paths)
    assert scope.covers(path) == any(path.startswith(mine) for mine in paths)
    assert scope.everything == scope.covers("")
    assert scope.touches(path) == (scope.covers(path) or any(mine.startswith(path) for mine in paths))


@given(st.lists(PATHS, min_size=1, max_size=3).map(tuple), PATHS, PATHS)
def test_narrowing_is_the_intersection(paths: tuple[str, ...], unit: str, path: str) -> None:
    """Asking for a part of the tree never shows more than either the asker's scope or that part."""
    inside = Scope(paths).covers(path) and path.startswith(unit)
    assert Scope(paths).narrowed(unit).covers(path) == inside
