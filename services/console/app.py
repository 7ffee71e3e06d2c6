"""The console as an application: its files, the flow, systems and traces."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any
from uuid import uuid4

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bus.contract import BusDown
from schemas.operations import Overview, Trace
from services.api import problems
from services.api.guard import CLOSED
from services.api.problems import described
from services.console import dead_letters, feeds, matches, retraction
from services.console.access import Operations, Records
from services.console.resources import Console
from services.problems import Problem
from services.receipts import Query as ReceiptQuery
from services.redaction import covered_receipt, marked_by_law
from services.trace import Tracer, audited, question_of

FILES = FilePath(__file__).parent / "static"
MAX_BODY = 512_000
POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    *CLOSED,
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_PROBLEMS = described(400, 401, 403, 404, 422, 429, 503)
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_RECENT = 20


class Headers:
    """ASGI middleware: the headers of every answer, and the longest body of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = str(uuid4())  # of this request alone, in its row of the audit log and in a problem
        scope.setdefault("state", {})["request"] = request
        read = 0
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY:
            await Problem(413, "too-large", "The body is too large.").response()(scope, receive, send)
            return

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise Problem(413, "too-large", "The body is too large.")
            return message

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in HEADERS}
                given = [(name, value) for name, value in message["headers"] if name.lower() not in ours]
                number = (b"visabus-request", request.encode())
                message = {**message, "headers": [*given, *HEADERS, number]}
            await send(message)

        await self._app(scope, bounded, headed)


def create_app(console: Console) -> FastAPI:
    """The console over open parts."""
    app = FastAPI(title="visabus console", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.console = console
    app.add_middleware(Headers)
    problems.install(app)
    app.add_exception_handler(BusDown, _no_bus)
    _route_flow(app)
    feeds.route(app)
    retraction.route(app)
    dead_letters.route(app)
    matches.route(app)
    _route_files(app)
    return app


async def _no_bus(request: Request, error: Exception) -> Response:
    return Problem(503, "no-bus", "The bus cannot be reached at present.", headers={"Retry-After": "5"}).response()


def _route_flow(app: FastAPI) -> None:
    @app.get("/console/api/overview", responses=_PROBLEMS)
    async def overview(access: Operations) -> Overview:
        """The flow as it stands, two seconds old at most."""
        return await access.flow()

    @app.get("/console/api/history/{span}", responses=_PROBLEMS)
    async def history(access: Operations, span: Annotated[str, Path(pattern="^(hour|day)$")]) -> dict[str, Any]:
        """Counters and lag over the last hour or day."""
        return {"samples": list(access.console.watch.history.span(span))}

    @app.get("/console/api/systems/{name:path}", responses=_PROBLEMS)
    async def system(access: Operations, name: str) -> dict[str, Any]:
        """A system: its feeds, coverage, dead letters and last receipts."""
        known = access.console.systems.get(name)
        flow = await access.flow()
        feeds = [feed.model_dump(mode="json") for feed in flow.feeds if feed.system == name]
        if known is None and not feeds:
            raise Problem(404, "not-found", "There is no such system.")
        await access.console.receipts.follow(access.console.bus, access.console.bus_name)
        hidden = marked_by_law(known) and not access.confidential
        receipts = [] if hidden else access.console.receipts.find(ReceiptQuery(system=name), limit=_RECENT)
        return {
            "system": name,
            "title": known.title if known is not None else name,
            "owner": known.owner if known is not None else "",
            "feeds": feeds,
            "coverage": [each.model_dump(mode="json") for each in flow.coverage if each.system == name],
            "dead_letters": [each.model_dump(mode="json") for each in flow.dead_letters if each.system == name],
            "receipts": [
                _receipt(each if access.confidential else covered_receipt(each, access.console.systems))
                for each in receipts
            ],
        }

    @app.get("/console/api/trace", responses=_PROBLEMS)
    async def trace(access: Records, about: Annotated[str, Query(min_length=1, max_length=300)]) -> Trace:
        """What became of a record, an event, all records under a number, or a file."""
        console = access.console
        words = about.split(None, 1) if about.split()[:1] and about.split()[0].upper() in console.systems else [about]
        try:
            question = question_of([word.strip() for word in words], console.systems)
        except ValueError as error:
            raise Problem(422, "question", str(error)) from None
        await access.remember(access.reading("console trace"), [audited(question, about)])
        await console.receipts.follow(console.bus, console.bus_name)
        try:
            tracer = Tracer(console.bus, console.reads, console.receipts, console.systems)
            return await tracer.trace(question, about, console.clock(), confidential=access.confidential)
        except LookupError:
            console.limits.not_found(access.caller, access.request)
            raise Problem(
                404, "not-found", "Nothing is known of it: no receipt, dead letter, event or record."
            ) from None


def _receipt(receipt: dict[str, Any]) -> dict[str, Any]:
    names = ("feed", "batch", "at", "read", "published", "dead_lettered", "filtered", "events", "coverage_withheld")
    return {name: receipt.get(name) for name in names}


def _route_files(app: FastAPI) -> None:
    files = {path.name: path for path in FILES.iterdir() if path.suffix in _KINDS}

    @app.get("/console", include_in_schema=False)
    async def bare() -> Response:
        return RedirectResponse("/console/", 308)

    @app.get("/console/", include_in_schema=False)
    async def index() -> Response:
        return FileResponse(files["index.html"], media_type="text/html")

    @app.get("/console/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        if name not in files:
            raise Problem(404, "not-found", "There is no such page.")
        return FileResponse(files[name], media_type=_KINDS[files[name].suffix])
