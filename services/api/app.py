"""The application: its routes, all in one place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from schemas.view import Health, Ready, StatusView, TimelineView
from services.api import problems
from services.api.answers import status_view, timeline_view
from services.api.authorised_lookup import (
    PURPOSE_HEADER,
    Backing,
    Identified,
    Instants,
    Issued,
    Person,
    Purpose,
    Question,
    StatusLookup,
    TimelineLookup,
    question,
)
from services.api.guard import Guard
from services.api.limits import Limits
from services.api.problems import described
from services.api.tokens import Trust
from services.audit import Audit, AuditBroken, AuditDown, Clock
from services.problems import Problem, ProblemDetails
from services.settings import ApiSettings
from services.store.contract import Beat, Reads, StoreDown
from services.store.heartbeats import is_alive

ABOUT = """What the connected systems know about a visa holder's status, and why.

Every look-up needs a bearer token with the scope named beside it, and a purpose in the header `Visabus-Purpose` that
the token permits. Every look-up is remembered. Errors are RFC 9457 problems."""
_PROBLEMS = described(400, 401, 403, 404, 413, 414, 422, 429, 500, 503)
_PROBLEMS_OF_BODY = _PROBLEMS | described(415)
When = Annotated[Instants, Query()]


def create_app(
    trust: Trust,
    reads: Reads,
    audit: Audit,
    clock: Clock,
    settings: ApiSettings | None = None,
    *,
    elapsed: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """The API over an open store and an open audit log. Rates are counted by `elapsed`, in seconds."""
    settings = settings or ApiSettings()
    app = FastAPI(
        title="visabus",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backing = Backing(
        trust,
        reads,
        audit,
        clock,
        Limits.of(settings, elapsed),
    )
    app.state.readiness = _Readiness(reads, audit, clock)
    app.add_middleware(Guard)
    problems.install(app)
    _route_health(app)
    _route_lookups(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way to amend it
    return app


def _route_lookups(app: FastAPI) -> None:
    @app.get("/v1/status/{scheme}/{value}", responses=_PROBLEMS, tags=["status"])
    async def status(lookup: StatusLookup, by: Identified, when: When) -> StatusView:
        """The status of whoever holds this number."""
        return await lookup.answer(by, when, status_view)

    @app.get("/v1/status/{scheme}/{issuer}/{value}", responses=_PROBLEMS, tags=["status"])
    async def status_issued(lookup: StatusLookup, by: Issued, when: When) -> StatusView:
        """The status of whoever holds this number of this issuer."""
        return await lookup.answer(by, when, status_view)

    @app.get("/v1/persons/{person_id}", responses=_PROBLEMS, tags=["status"])
    async def person(lookup: StatusLookup, by: Person, when: When) -> StatusView:
        """The status of the person with this id, or of whom that person became part of."""
        return await lookup.answer(by, when, status_view)

    @app.get("/v1/timeline/{scheme}/{value}", responses=_PROBLEMS, tags=["timeline"])
    async def timeline(lookup: TimelineLookup, by: Identified, when: When) -> TimelineView:
        """All stays, with all intervals, of whoever holds this number."""
        return await lookup.answer(by, when, timeline_view)

    @app.get("/v1/timeline/{scheme}/{issuer}/{value}", responses=_PROBLEMS, tags=["timeline"])
    async def timeline_issued(lookup: TimelineLookup, by: Issued, when: When) -> TimelineView:
        """All stays, with all intervals, of whoever holds this number of this issuer."""
        return await lookup.answer(by, when, timeline_view)

    @app.get("/v1/persons/{person_id}/timeline", responses=_PROBLEMS, tags=["timeline"])
    async def person_timeline(lookup: TimelineLookup, by: Person, when: When) -> TimelineView:
        """All stays of the person with this id, or of whom that person became part of."""
        return await lookup.answer(by, when, timeline_view)

    # the same by a body: numbers stay out of addresses, and so out of the logs of proxies
    @app.post("/v1/status", responses=_PROBLEMS_OF_BODY, tags=["status"], openapi_extra=_BODY)
    async def status_asked(lookup: StatusLookup, request: Request) -> StatusView:
        """The status of whoever holds the number, or has the person id, that the body names."""
        asked = await question(request)
        return await lookup.answer(asked.by(), asked, status_view)

    @app.post("/v1/timeline", responses=_PROBLEMS_OF_BODY, tags=["timeline"], openapi_extra=_BODY)
    async def timeline_asked(lookup: TimelineLookup, request: Request) -> TimelineView:
        """All stays, with all intervals, of whoever the body asks for."""
        asked = await question(request)
        return await lookup.answer(asked.by(), asked, timeline_view)


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}}},
    }
}


class _Readiness:
    """Whether the API can answer, looked at once a second at most: anyone may ask."""

    def __init__(self, reads: Reads, audit: Audit, clock: Clock) -> None:
        self._reads, self._audit, self._clock = reads, audit, clock
        self._lock = asyncio.Lock()
        self._checked_at = float("-inf")
        self._last: Ready | Problem = Ready(backlog=0)

    async def probe(self) -> Ready | Problem:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._checked_at >= 1:
                self._last = await self._checks()
                self._checked_at = now
            return self._last

    async def _checks(self) -> Ready | Problem:
        checks = {"store": "ready", "audit": "ready"}
        backlog = quarantined = 0
        why = ""
        beats: list[Beat] = []
        try:
            async with asyncio.timeout(5):
                await self._reads.ping()
                backlog = await self._reads.backlog()
                quarantined = len(await self._reads.quarantined())
                beats = await self._reads.heartbeats()
        except (StoreDown, TimeoutError):
            checks["store"] = "down"
        try:
            await self._audit.ping()
        except AuditDown as error:
            checks["audit"] = "broken" if isinstance(error, AuditBroken) else "down"
            why = str(error)
        if set(checks.values()) != {"ready"}:
            return Problem(503, "not-ready", f"Look-ups cannot be answered at present. {why}".strip(), checks=checks)
        now = self._clock()
        alive = sum(is_alive(beat, now) for beat in beats)
        return Ready(
            status="ready" if alive else "stale",
            backlog=backlog,
            quarantined=quarantined,
            correlators=alive,
            correlated_at=datetime.fromtimestamp(beats[0].at / 1_000_000, UTC) if beats else None,
            behind=beats[0].behind if beats else None,
        )


def _route_health(app: FastAPI) -> None:
    @app.get("/healthz", tags=["health"], responses=described(500))
    async def alive() -> Health:
        """Whether the process runs."""
        return Health()

    @app.get("/readyz", tags=["health"], responses=described(500, 503))
    async def ready(request: Request) -> Ready:
        """Whether look-ups can be answered: the store can be read, the audit log written."""
        result = await request.app.state.readiness.probe()
        if isinstance(result, Problem):
            raise result
        return Ready.model_validate(result)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        """The operations in words; nothing is loaded from elsewhere."""
        return HTMLResponse(_page(request.app.openapi()))


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document["components"]["schemas"]
        schemas.update(schema.pop("$defs"))
        schemas["ProblemDetails"] = schema
        asked = Question.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(asked.pop("$defs"))
        schemas["Question"] = asked
        for operation in _operations(document):
            for parameter in operation.get("parameters", ()):
                if parameter["name"].lower() == PURPOSE_HEADER.lower():
                    # optional to FastAPI, which would answer for it before the token is looked at
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "enum": [purpose.value for purpose in Purpose]}
        app.openapi_schema = document
    return app.openapi_schema


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _page(document: dict[str, Any]) -> str:
    parts = [f"<h1>{escape(document['info']['title'])}</h1>"]
    parts += [f"<p>{escape(text)}</p>" for text in document["info"]["description"].split("\n\n")]
    parts.append('<p>The whole of it: <a href="/openapi.json">OpenAPI</a></p>')
    methods = [(method, path, each) for path, all_ in document["paths"].items() for method, each in all_.items()]
    for method, path, operation in methods:
        scopes = [scope for need in operation.get("security", ()) for each in need.values() for scope in each]
        parts.append(f"<h2>{method.upper()} {escape(path)}</h2><p>{escape(operation['description'])}</p>")
        parts.append(f"<p>Scope: {escape(', '.join(scopes) or 'none needed')}</p><ul>")
        parts += [
            f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])}) {escape(each.get('description', ''))}</li>"
            for each in operation.get("parameters", ())
        ]
        parts.append("</ul>")
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>visabus</title>{''.join(parts)}</html>"
