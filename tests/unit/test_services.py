"""What every service promises, checked by looking at all of them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import diemcau.services
from diemcau.domain import authority

WITHOUT_ACTOR = {
    "look_up": "reads the names that a list uses within a scope that its caller has authorized",
    "publish": "the writer's sink: what is already committed is shown to those who subscribed with an actor",
}
"""Public service functions that take no actor, each with its reason."""

ACTORS = {"Actor", *(kind.__name__ for kind in authority.Actor.__args__)}


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function that a service module defines itself."""
    for module_info in pkgutil.iter_modules(diemcau.services.__path__):
        module = importlib.import_module(f"diemcau.services.{module_info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                yield f"{module_info.name}.{name}", function


ASYNC = [(name, function) for name, function in functions() if inspect.iscoroutinefunction(function)]


def test_services_are_found() -> None:
    """The walk below looks at something."""
    assert len(ASYNC) >= 8


@pytest.mark.parametrize(("name", "function"), ASYNC, ids=[name for name, _ in ASYNC])
def test_actor_comes_first(name: str, function: Callable[..., Any]) -> None:
    """A service that does not know who asks cannot refuse anybody (I5)."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if name.rsplit(".", maxsplit=1)[-1] in WITHOUT_ACTOR:
        assert first is None or first.name != "actor", f"{name} takes an actor now: strike it from the list"
        return
    assert first is not None, name
    assert first.name == "actor", f"{name}{inspect.signature(function)}"
    assert {part.strip() for part in str(first.annotation).split("|")} <= ACTORS, f"{name}: {first.annotation}"
