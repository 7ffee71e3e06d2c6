"""Every look-up: who asks, may they, for which purpose; and a row in the audit log before the answer.

A route that tells of persons takes an `AuthorisedLookup` and answers through it; there is no other way to the store.
The guard (`services.api.guard`) lets no answer out that did not come this way.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol, Self, TypeVar

import structlog
from fastapi import Depends, Header, Path, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from schemas.countries import ISSUER_OF
from schemas.identifiers import Identifier, Scheme
from schemas.view import StatusView, TimelineView
from services.api.answers import SEARCHABLE, By, ByIdentifier, ByPerson, Known, When, ids_of
from services.api.limits import Limits
from services.api.tokens import Caller, Trust, Unauthenticated
from services.audit import Audit, Clock, Entry, Result
from services.domain.facts import MICRO
from services.domain.pools import merged_facts
from services.problems import Problem
from services.store.contract import Reads, StoreDown

PURPOSE_HEADER = "Visabus-Purpose"
READING = 15.0
"""Seconds until a store that does not answer counts as gone."""
_log = structlog.get_logger()
IN_LOOP = 500
"""Facts up to which an answer is worked out in the event loop; above, a thread keeps the loop free."""


class Scope(StrEnum):
    """What a token may allow."""

    STATUS = "status:read"
    TIMELINE = "timeline:read"
    CONFIDENTIAL = "confidential:read"
    OPERATIONS = "operations:read"  # the console: the flow, without persons
    RECORDS = "records:read"  # the console: dead letters, traces, possible matches
    OPERATE = "operations:write"  # the console: replay, decide, hold and rewind feeds


class Purpose(StrEnum):
    """What a look-up may be for."""

    ADMISSION = "admission"
    BENEFIT_ADJUDICATION = "benefit-adjudication"
    ENFORCEMENT = "enforcement"
    OVERSTAY_REVIEW = "overstay-review"
    AUDIT = "audit"
    DATA_SUBJECT_REQUEST = "data-subject-request"


@dataclass(frozen=True, slots=True)
class Backing:
    """What an authorised look-up needs."""

    trust: Trust
    reads: Reads
    audit: Audit
    clock: Clock
    limits: Limits


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)")
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def rfc3339(value: object) -> datetime | None:
    """The instant that an RFC 3339 text states. Raises ValueError, without repeating the text."""
    if value is None:
        return None
    try:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValueError
        at = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("no RFC 3339 instant, such as 2026-11-25T12:00:00Z (a + is written %2B)") from None
    if not _EARLIEST <= at < _LATEST:
        raise ValueError("neither before 1900 nor after 2199")
    return at


class Instants(BaseModel):
    """The query of every look-up."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[datetime | None, BeforeValidator(rfc3339)] = Field(
        default=None, description="How things stood at this instant (RFC 3339); by default now."
    )
    known_at: Annotated[datetime | None, BeforeValidator(rfc3339)] = Field(
        default=None, description="From what was known at this instant (RFC 3339); by default everything known."
    )


View = TypeVar("View", StatusView, TimelineView)
View_co = TypeVar("View_co", StatusView, TimelineView, covariant=True)


class ViewOf(Protocol[View_co]):
    """A pure function from what is known to what is told."""

    def __call__(self, by: By, when: When, known: Known, *, confidential: bool) -> View_co:
        """The answer."""


@dataclass(frozen=True, slots=True)
class AuthorisedLookup:
    """One request that may be answered."""

    request: Request
    backing: Backing
    caller: Caller
    purpose: Purpose
    verb: Scope

    async def answer(self, by: By, instants: Instants, view: ViewOf[View]) -> View:
        """Answer a look-up, remembered before it is told. Raises Problem, AuditDown, StoreDown."""
        as_of = instants.as_of or self.backing.clock().astimezone(UTC)
        when = When(int(as_of.timestamp()), _micros(instants.known_at))
        try:
            answer = await self._view(by, when, view)
        except Exception:  # the store, or a bug of ours: whom the caller was after is remembered all the same
            await self._remember(by, as_of, instants.known_at, Result.FAILED, ())
            raise
        persons = tuple(ids_of(answer))
        result = Result.ANSWERED if persons else Result.NOT_FOUND
        await self._remember(by, as_of, instants.known_at, result, persons)
        if not persons:
            self.backing.limits.not_found(self.caller, self.request.state.request)
            raise Problem(404, "not-found", "No person is known under this.")
        self.request.state.audited = True
        self.request.app.state.outage.over()
        return answer

    async def _view(self, by: By, when: When, view: ViewOf[View]) -> View:
        confidential = Scope.CONFIDENTIAL in self.caller.scopes
        try:
            async with asyncio.timeout(READING):
                known = await self._known(by, when.known_at, confidential=confidential)
        except TimeoutError:
            raise StoreDown("the store did not answer in time") from None
        if len(known.facts) > IN_LOOP:
            return await asyncio.to_thread(view, by, when, known, confidential=confidential)
        return view(by, when, known, confidential=confidential)

    async def _known(self, by: By, known_at: int | None, *, confidential: bool) -> Known:
        read = await self.backing.reads.snapshot(by.key, known_at, confidential=confidential)
        # a moment of knowing that lies ahead is a clock that was wrong: nothing is known beyond the present
        now = _micros(self.backing.clock())
        through = read.known_through if now is None or read.known_through is None else min(read.known_through, now)
        return Known(merged_facts(read.pools), read.coverage, through, read.cutoffs)

    async def _remember(
        self, by: By, as_of: datetime, known_at: datetime | None, result: Result, persons: tuple[str, ...]
    ) -> None:
        await self.backing.audit.write(
            Entry(
                request=self.request.state.request,
                subject=self.caller.subject,
                client=self.caller.client,
                purpose=self.purpose.value,
                verb=_verb(self.verb, self.caller),
                looked_up=self.backing.audit.name(by.text),
                result=result,
                as_of=as_of.isoformat(),
                known_at=known_at.isoformat() if known_at else "",
                persons=persons,
                source=source_of(self.request),
                token=self.caller.token,
            )
        )


def _verb(verb: Scope, caller: Caller) -> str:
    return f"{verb} {Scope.CONFIDENTIAL}" if Scope.CONFIDENTIAL in caller.scopes else verb.value


def _micros(at: datetime | None) -> int | None:
    return None if at is None else int(at.replace(microsecond=0).timestamp()) * MICRO + at.microsecond


BEARER = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="An access token of the configured issuer, with scopes (`scope`) and purposes (`purposes`).",
    auto_error=False,
)
CHALLENGE = 'Bearer realm="visabus"'


async def authorised_lookup(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)],
    purpose: Annotated[str | None, Header(alias=PURPOSE_HEADER, description="What the look-up is for.")] = None,
) -> AuthorisedLookup:
    """Authenticate and authorise a request. Raises Problem (401, 429, 403, 400), AuditDown."""
    (verb,) = map(Scope, scopes.scopes)  # a route without a scope is no route
    backing: Backing = request.app.state.backing
    caller = await authenticated(request, backing.trust, backing.clock, bearer)
    backing.limits.allow(caller)
    stated = _purpose(purpose)
    if verb not in caller.scopes:
        await _refuse(request, backing, caller, verb, stated, "scope")
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{verb}"'
        raise Problem(403, "scope", f"This needs the scope {verb}.", headers={"WWW-Authenticate": challenge})
    if len(request.headers.getlist(PURPOSE_HEADER)) != 1 or stated is None:
        detail = f"State what the look-up is for in the header {PURPOSE_HEADER}: one of {', '.join(Purpose)}."
        raise Problem(400, "purpose-missing", detail)
    if stated not in caller.purposes:
        await _refuse(request, backing, caller, verb, stated, "purpose")
        raise Problem(403, "purpose", "The token does not permit look-ups for this purpose.")
    return AuthorisedLookup(request, backing, caller, stated, verb)


def _purpose(text: str | None) -> Purpose | None:
    return Purpose(text) if text in set(Purpose) else None


async def authenticated(
    request: Request, trust: Trust, clock: Clock, bearer: HTTPAuthorizationCredentials | None
) -> Caller:
    """Return who asks, by the only bearer token of the request. Raises Problem (401)."""
    if bearer is None or len(request.headers.getlist("authorization")) != 1:
        raise Problem(401, "token-missing", "A bearer token is needed.", headers={"WWW-Authenticate": CHALLENGE})
    try:
        return await trust.caller(bearer.credentials, clock().timestamp())
    except Unauthenticated as error:
        request.state.code = error.code  # for the log: whoever holds a bad token need not know what is bad about it
        challenge = f'{CHALLENGE}, error="invalid_token"'
        raise Problem(401, "token", "The token is not valid.", headers={"WWW-Authenticate": challenge}) from None


async def _refuse(
    request: Request, backing: Backing, caller: Caller, verb: Scope, purpose: Purpose | None, reason: str
) -> None:
    await backing.audit.write(
        Entry(
            request=request.state.request,
            subject=caller.subject,
            client=caller.client,
            purpose=purpose.value if purpose else "",
            verb=verb.value,
            looked_up=backing.audit.name(await _asked(request)),
            result=Result.REFUSED,
            reason=reason,
            source=source_of(request),
            token=caller.token,
        )
    )


def source_of(request: Request) -> str:
    """The address that the request came from: of a proxy that is believed, what it says."""
    return request.client.host if request.client is not None else ""


async def _asked(request: Request) -> str:
    """What a refused request was after, spelt as if it had been answered where that can be."""
    if request.method == "POST":
        try:
            return _question(await request.body()).by().text
        except (Problem, RequestValidationError):
            return ""
    texts = {name: str(value) for name, value in request.path_params.items()}
    try:
        if "person_id" in texts:
            return ByPerson(bytes.fromhex(texts["person_id"])).text
        return _identifier(Scheme(texts["scheme"]), texts["value"], texts.get("issuer", "")).text
    except (KeyError, ValueError):
        return "/".join(texts.values())


def _identifier(scheme: Scheme, value: str, issuer: str) -> Identifier:
    if scheme not in SEARCHABLE:
        raise ValueError("not searchable")
    identifier = Identifier.of(scheme, value, issuer)
    asked = issuer.strip().upper().rstrip("<")
    if scheme is Scheme.PASSPORT:
        asked = ISSUER_OF.get(asked, asked)
    if asked and identifier.issuer != asked:
        raise ValueError("another issuer")
    return identifier


SchemeInPath = Annotated[Scheme, Path(description=f"One of {', '.join(SEARCHABLE)}.")]
ValueInPath = Annotated[str, Path(min_length=1, max_length=40, description="The number, in any usual spelling.")]
IssuerInPath = Annotated[str, Path(min_length=1, max_length=12, description="ICAO 9303 code of the issuing state.")]
PersonInPath = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="A person id, of today or of the past.")]


async def by_identifier(scheme: SchemeInPath, value: ValueInPath) -> By:
    """Whom the path asks for."""
    return _by(scheme, value, "")


async def by_issued(scheme: SchemeInPath, issuer: IssuerInPath, value: ValueInPath) -> By:
    """Whom the path asks for, by a number that needs its issuer."""
    return _by(scheme, value, issuer)


async def by_person(person_id: PersonInPath) -> By:
    """Whom the path asks for."""
    return ByPerson(bytes.fromhex(person_id))


def _by(scheme: Scheme, value: str, issuer: str) -> By:
    try:
        return ByIdentifier(_identifier(scheme, value, issuer))
    except ValueError:
        detail = (
            f"No number by which persons are found: one of {', '.join(SEARCHABLE)}, in its own form; "
            "a passport as passport/{issuing state}/{number}."
        )
        raise Problem(422, "identifier", detail) from None


class Question(Instants):
    """The body of a look-up: a number, or a person's id, and the two instants."""

    scheme: Scheme | None = Field(default=None, description=f"One of {', '.join(SEARCHABLE)}.")
    issuer: str | None = Field(default=None, min_length=1, max_length=12, description="For a passport or a subject.")
    value: str | None = Field(default=None, min_length=1, max_length=40, description="The number, spelt as usual.")
    person: str | None = Field(default=None, pattern="^[0-9a-f]{32}$", description="A person id instead of a number.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        number = (self.scheme, self.value, self.issuer)
        if self.person is not None and any(each is not None for each in number):
            raise ValueError("a person, or a scheme and a value; not both")
        if self.person is None and (self.scheme is None or self.value is None):
            raise ValueError("a person, or a scheme and a value")
        return self

    def by(self) -> By:
        """Whom it asks for. Raises Problem."""
        if self.person is not None:
            return ByPerson(bytes.fromhex(self.person))
        if self.scheme is None or self.value is None:
            raise ValueError("a question without a number")
        return _by(self.scheme, self.value, self.issuer or "")


def _question(body: bytes) -> Question:
    """Raises RequestValidationError."""
    try:
        given = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        mistake = {"type": "json", "loc": ("body",), "msg": ""}
        raise RequestValidationError([mistake]) from None
    try:
        return Question.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in mistakes]) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


async def question(request: Request) -> Question:
    """The question in the body of a look-up that is authorised. Raises Problem, RequestValidationError."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "content-type", "The body of a look-up is application/json.")
    if request.url.query:
        raise Problem(422, "query", "A look-up by its body has no query: as_of and known_at stand in the body.")
    return _question(await request.body())


def lookup_for(scope: Scope) -> Any:
    """The dependency of a route for this scope."""
    return Security(authorised_lookup, scopes=[scope.value])


StatusLookup = Annotated[AuthorisedLookup, lookup_for(Scope.STATUS)]
TimelineLookup = Annotated[AuthorisedLookup, lookup_for(Scope.TIMELINE)]
Identified = Annotated[By, Depends(by_identifier)]
Issued = Annotated[By, Depends(by_issued)]
Person = Annotated[By, Depends(by_person)]
