"""The application: one route for messages, two for what watches the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import orjson
import structlog
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from bus.contract import BusDown, MessageTooLarge, UnknownTopic
from schemas.cloudevents import TRACEPARENT, trace
from services.buckets import Buckets
from services.dead_letters import SpoolDown
from services.feeds import FeedLost
from services.ingest.door import problems
from services.ingest.door.ledger import Answer
from services.ingest.door.limits import Places
from services.ingest.door.push_handler import Post, PushHandler
from services.ingest.door.signatures import Head, Keys, Signed, check_digest
from services.ingest.gate import NotJudged
from services.logs import describe
from services.outages import Outage
from services.problems import Problem, of_http
from services.settings import DoorSettings


@dataclass(slots=True)
class Gate:
    """Lets a request in, in this order: form, age, signature, stop, rate, place, size, digest.

    Only what a key proved has a place, and with it memory for a body.
    """

    handlers: Mapping[str, PushHandler]
    keys: Keys
    settings: DoorSettings
    clock: Callable[[], float]
    places: Places = field(init=False)
    buckets: Buckets = field(init=False)
    outage: Outage = field(init=False)

    def __post_init__(self) -> None:
        self.places = Places(self.settings.concurrent)
        self.buckets = Buckets(self.settings.rate, self.settings.burst, time.monotonic)
        log = structlog.get_logger("door")
        self.outage = Outage(partial(log.warning, "nothing can be taken"), partial(log.info, "taken again"))

    async def take(self, name: str, request: Request) -> Answer:
        """The answer to a push. Raises Problem."""
        handler = self.handlers.get(name)
        if handler is None or request.url.query:
            raise Problem(404, "no-route", "There is nothing at this path.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in handler.push.content_types:
            raise Problem(415, "content-type", "The body is of a type that was not agreed.")
        signed = Signed.of(request.headers)
        window = self.settings.window_seconds
        if not signed.young(self.clock(), window):
            raise problems.signature()
        # path and method as the application sees them; no other part of the address is asked to be signed
        head = Head(request.method, str(request.url), request.headers)
        text = self.keys.check(handler.system.name, signed, head)
        request.state.client = signed.key
        handler.check_paused()
        handler.refusals.check(signed.key)
        if seconds := self.buckets.take(signed.key):
            raise problems.rate(seconds)
        with self.places.one():
            body = await self._body(request)
            check_digest(head, body)
            followed = trace(request.headers.get(TRACEPARENT, ""))
            post = Post(signed.key, signed.nonce, text, signed.created + window, body, followed)
            return await _kept(handler, post, self.outage)

    async def _body(self, request: Request) -> bytes:
        """All of it, unless it is too much or too slow. Raises Problem."""
        most = self.settings.max_bytes
        if int(request.headers.get("content-length") or 0) > most:
            raise problems.too_large("bytes")
        body = bytearray()
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                async for piece in request.stream():
                    body += piece
                    if len(body) > most:
                        raise problems.too_large("bytes")
        except TimeoutError:
            raise Problem(408, "slow", "The body did not come in time.") from None
        except ClientDisconnect:
            raise Problem(400, "broken-off", "The body broke off.") from None
        return bytes(body)


async def _kept(handler: PushHandler, post: Post, outage: Outage) -> Answer:
    """The answer, all of it durable. What cannot be kept is not taken, and counts nowhere. Raises Problem."""
    try:
        answer = await handler.answer(post)
    except (BusDown, UnknownTopic, SpoolDown, FeedLost, NotJudged) as error:
        outage.met(error, 1)
        raise problems.unavailable() from None
    except MessageTooLarge:
        raise problems.too_large("bytes") from None
    outage.over()
    return answer


def create_app(
    handlers: Mapping[str, PushHandler], keys: Keys, settings: DoorSettings, clock: Callable[[], float] = time.time
) -> FastAPI:
    """The door over open handlers."""
    app = FastAPI(title="visabus door", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)
    gate = Gate(handlers, keys, settings, clock)

    @app.post("/push/{name}")
    async def push(name: str, request: Request) -> Response:
        """A signed message."""
        since = time.monotonic()
        answer = await gate.take(name, request)
        _log(request, 200, since, answer)
        return Response(orjson.dumps(answer.body), 200, {"Cache-Control": "no-store"}, "application/json")

    @app.get("/healthz")
    async def alive() -> dict[str, str]:
        """Whether the process runs."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        """Whether the feeds are this door's."""
        if any(handler.ledger.lost for handler in handlers.values()):
            raise problems.unavailable()
        return {"status": "ready"}

    return app


def _log(request: Request, status: int, since: float, answer: Answer) -> None:
    """Who sent how much; never a record or its reason."""
    counts = {name: answer.body[name] for name in ("read", "refused")}
    milliseconds = round((time.monotonic() - since) * 1_000)
    client = request.state.client
    structlog.get_logger("door").info("taken", client=client, status=status, milliseconds=milliseconds, **counts)


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    client = getattr(request.state, "client", None)  # where the signature proved it
    structlog.get_logger("door").info("not taken", client=client, status=error.status, reason_code=error.kind)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return of_http(error).response()


async def _bug(request: Request, error: Exception) -> Response:
    structlog.get_logger("door").error("door failed", **describe(error))
    return Problem(500, "internal", "The door failed; nothing is known to be kept. Send the same again.").response()
