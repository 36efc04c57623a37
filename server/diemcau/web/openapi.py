"""`/api/openapi.json`: the table of routes, told to programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from diemcau import __version__, limits
from diemcau.web.calls import Call, Route
from diemcau.wire import api

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PATH = "/api/openapi.json"
TEMPLATE = "#/components/schemas/{name}"
PARAMETER = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
NUMBERS = {"limit": {"type": "integer", "minimum": 1, "maximum": limits.PAGE_ROWS_MAX}}


def route(routes: Sequence[Route]) -> Route:
    """The route that serves the document of `routes`."""

    async def openapi(_call: Call[None]) -> web.Response:
        """This API, for programs."""
        return web.Response(body=encoded, content_type="application/json")

    line = Route("GET", PATH, openapi, "This API, for programs")
    encoded = msgspec.json.encode(document([*routes, line]))
    return line


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """OpenAPI 3.1 of everything under /api and of what the door answers to programs."""
    told = [route for route in routes if route.path.startswith("/api/") or route.answer]
    shapes = {shape for route in told for shape in (route.body, route.answer) if shape}
    _, components = msgspec.json.schema_components([*shapes, api.Problem], ref_template=TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for line in told:
        paths.setdefault(PARAMETER.sub(r"{\1}", line.path), {})[line.method.lower()] = _operation(line)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Diemcau", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(line: Route) -> dict[str, Any]:
    in_path = [_parameter(name, "path", required=True) for name in PARAMETER.findall(line.path)]
    in_query = [_parameter(name, "query", required=False) for name in line.query]
    problem: dict[str, Any] = {"application/problem+json": {"schema": _reference(api.Problem)}}
    answer: dict[str, Any] = {"description": line.summary}
    if line.answer:
        answer["content"] = {"application/json": {"schema": _reference(line.answer)}}
    if not line.path.startswith("/api/"):  # a page for people, unless JSON is asked for
        page = {"text/html": {"schema": {"type": "string"}}}
        answer["content"] = answer.get("content", {}) | page
        problem |= page
    operation: dict[str, Any] = {
        "summary": line.summary,
        "parameters": in_path + in_query,
        "responses": {str(line.status): answer, "default": {"description": "A problem", "content": problem}},
    }
    if line.body:
        body = {"application/json": {"schema": _reference(line.body)}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _parameter(name: str, place: str, *, required: bool) -> dict[str, Any]:
    schema = NUMBERS.get(name, {"type": "string"})
    return {"name": name, "in": place, "required": required, "schema": schema}


def _reference(shape: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": TEMPLATE.format(name=shape.__name__)}
