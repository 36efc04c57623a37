"""Errors as RFC 9457 problems, in the reader's language. One shape for every error of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from diemcau import i18n
from diemcau.errors import DiemcauError, ImportRejectedError, MalformedError
from diemcau.web.calls import json_answer, language_of
from diemcau.wire.api import Problem
from diemcau.wire.imports import ImportFinding

if TYPE_CHECKING:
    from diemcau.i18n import Language

log = structlog.get_logger()
CODES_BY_STATUS = {404: "no_such_page", 405: "no_such_method", 413: "too_large", 400: "malformed"}


def describe(error: DiemcauError, language: Language) -> Problem:
    """The problem that tells `error` to a reader of `language`."""
    params = {name: i18n.worded(language, value) for name, value in error.params.items()}
    defaults = {"field": "?", "reason": "", "what": "", "key": ""}
    problem = Problem(
        type=f"about:blank#{error.code}",
        title=i18n.text(language, f"error.{error.code}", **{**defaults, **params}),
        status=error.status,
        code=error.code,
        params=error.params,
    )
    if isinstance(error, ImportRejectedError):
        problem.findings = [
            ImportFinding(f.row, f.column, str(i18n.worded(language, f.reason)), f.value, f.sheet)
            for f in error.findings
        ]
    return problem


def answer(error: DiemcauError, language: Language) -> web.Response:
    """The problem as a response, with Retry-After where waiting helps."""
    response = json_answer(describe(error, language), error.status, "application/problem+json")
    retry_after_s = error.params.get("retry_after_s")
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def answer_to(error: Exception, request: web.Request) -> web.StreamResponse:
    """The problem that tells what went wrong; nothing else ever reaches the outside.

    Raises:
        Exception: `error` itself, where it is a redirect, or nobody is there any more to be told.
    """
    if isinstance(error, DiemcauError):
        return answer(error, language_of(request))
    if isinstance(error, web.HTTPException):
        if error.status < 400:
            raise error
        known = DiemcauError(field="body", reason=error.reason)
        known.code = CODES_BY_STATUS.get(error.status, "malformed")
        known.status = error.status
        return answer(known, language_of(request))
    if isinstance(error, web.RequestPayloadError):  # the body broke off, or is not what its headers say
        return answer(MalformedError(field="body", reason="reason.unreadable"), language_of(request))
    if isinstance(error, ConnectionResetError):
        raise error
    log.error("a request failed", method=request.method, path=request.path, exc_info=error)
    return answer(DiemcauError(), language_of(request))
