"""The API's description for programs says what the server does."""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support import Running

from diemcau.web import calls
from diemcau.web.calls import Route
from diemcau.web.openapi import PATH, document
from diemcau.web.routes import ROUTES

API = [route for route in ROUTES if route.path.startswith("/api/v1/")]
WEB = Path(inspect.getfile(calls)).parent


async def test_it_is_served_and_names_every_route(running: Running) -> None:
    """A program that reads it can reach everything, without asking anyone."""
    served = await running.anonymous.ok("GET", PATH)
    assert served["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    assert {(route.method, re.sub(r":[^{}]*}", "}", route.path)) for route in API} <= told


def test_every_reference_leads_somewhere() -> None:
    """A generator of clients stops at the first dangling name."""
    made = document(ROUTES)
    known = made["components"]["schemas"]
    wanted = set(re.findall(r"#/components/schemas/(\w+)", str(made)))
    assert wanted <= known.keys()
    assert {"Problem", "SessionView", "Summary", "Live"} <= wanted


@pytest.mark.parametrize("route", API, ids=lambda route: f"{route.method} {route.path}")
def test_an_operation_says_what_it_takes_and_gives(route: Route) -> None:
    """Parameters of the path, a body where one is read, an answer, and the shape of every problem."""
    operation: dict[str, Any] = document([route])["paths"][route.path][route.method.lower()]
    names = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert names == set(re.findall(r"{(\w+)}", route.path))
    assert ("requestBody" in operation) == (route.body is not None)
    assert set(operation["responses"]) == {str(route.status), "default"}


@cache
def functions(module: Path) -> dict[str, ast.AsyncFunctionDef | ast.FunctionDef]:
    """The functions of a handler module."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)}


def read_by(module: Path, name: str) -> set[str]:
    """The query parameters that a handler, or a function it calls in its module, asks for."""
    found: set[str] = set()
    for node in ast.walk(functions(module)[name]):
        if not isinstance(node, ast.Call):
            continue
        asked = ast.unparse(node.func)
        if asked in {"call.text", "call.code", "call.flag"}:
            found.add(ast.literal_eval(node.args[0]))
        elif asked == "call.page_rows":
            found.add("limit")
        elif asked in functions(module) and asked != name:
            found |= read_by(module, asked)
    return found


@pytest.mark.parametrize("route", API, ids=lambda route: f"{route.method} {route.path}")
def test_no_query_parameter_is_hidden(route: Route) -> None:
    """A filter that only the source knows is used by nobody."""
    module = WEB / (route.handler.__module__.rpartition(".")[2] + ".py")
    assert set(route.query) == read_by(module, route.handler.__name__)
