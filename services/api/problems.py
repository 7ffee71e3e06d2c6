"""The errors of the API as problems."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.audit import AuditBroken, AuditDown
from services.metrics.instruments import AUDIT_FAILURES
from services.outages import Outage
from services.problems import MEDIA_TYPE, Mistake, Problem, of_http
from services.store.contract import StoreDown


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problem responses of an operation, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Have all foreseen errors answered as problems."""
    log = structlog.get_logger("api")
    app.state.outage = Outage(partial(log.warning, "nothing can be answered"), partial(log.info, "answered again"))
    app.add_exception_handler(Problem, _own)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(AuditDown, _no_audit)
    app.add_exception_handler(StoreDown, _no_store)


NO_AUDIT = Problem(
    503, "no-audit", "Nothing is answered while the audit log cannot be written.", headers={"Retry-After": "5"}
)
NO_STORE = Problem(503, "no-store", "The status view cannot be read at present.", headers={"Retry-After": "5"})


async def _no_audit(request: Request, error: Exception) -> Response:
    AUDIT_FAILURES.inc()
    request.app.state.outage.met(error, 1)
    if isinstance(error, AuditBroken):
        broken = "The audit log is not the one that was written, so nothing is answered until an operator acts"
        return _answer(request, Problem(503, "audit-broken", f"{broken}: {error}."))
    return _answer(request, NO_AUDIT)


async def _no_store(request: Request, error: Exception) -> Response:
    request.app.state.outage.met(error, 1)
    return _answer(request, NO_STORE)


async def _own(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return _answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _answer(request, of_http(error))


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    mistakes = [_mistake(each) for each in error.errors()]
    return _answer(request, Problem(422, "invalid", "The request is not well-formed.", mistakes=mistakes))


_REASONS = {
    "extra_forbidden": "a parameter that nobody knows",
    "missing": "missing",
    "enum": "none of the values listed for it",
    "string_pattern_mismatch": "not of the form described",
}


def _mistake(error: Mapping[str, Any]) -> Mistake:
    """What is wrong and where, never with what was sent: even a parameter's name may be somebody's."""
    steps = [str(step) for step in error["loc"]]
    where = steps[0] if error["type"] == "extra_forbidden" else ".".join(steps)
    said = str(error["msg"]).removeprefix("Value error, ") if error["type"] == "value_error" else None
    return Mistake(where=where, why=said or _REASONS.get(error["type"], "not of the form described"))


def _answer(request: Request, problem: Problem) -> Response:
    request.state.reason = problem.kind
    return problem.response(request.state.request)
