"""An API over events made by hand: a store in memory, a real audit log, a clock that stands where it is put."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI

from schemas.codec import encode
from schemas.events import (
    Action,
    AnyEvent,
    Arrival,
    Coverage,
    Decision,
    Departure,
    Evidence,
    Extension,
    Mode,
    Name,
    RecordRef,
    Request,
    Revision,
    Status,
    Subject,
)
from schemas.events import (
    Fact as Said,
)
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from services.api.app import create_app
from services.api.tokens import Trust, shared_secret
from services.audit import Audit, AuditKeys, AuditLog, Row, open_audit
from services.domain.coverage import Coverage as Complete
from services.domain.coverage import complete
from services.domain.facts import MICRO, Fact, fact_of
from services.domain.identity import keys_of
from services.domain.pools import Pool
from services.keyring import Keyring
from services.store.contract import Beat, Snapshot, StoreDown

KEYS = AuditKeys(Keyring.of(b"s" * 32), Keyring.of(b"n" * 32))
SECRET = b"a secret of the tests, 32 bytes or more"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ZONE = "America/New_York"
ISSUER = "https://issuer.example"


class MemoryReads:
    """`services.store.contract.Reads` over a list of facts."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.down = False
        self.beats: list[Beat] = []

    def take(self, *events: AnyEvent) -> None:
        self.facts += [fact_of(encode(event)) for event in events]

    @asynccontextmanager
    async def one_state(self) -> AsyncIterator[MemoryReads]:
        yield self

    async def snapshot(self, key: int, known_at: int | None = None, *, confidential: bool = False) -> Snapshot:
        self._up()
        pools, coverage = await self.pools([key]), await self.coverage(known_at)
        return Snapshot(
            pools,
            coverage,
            await self.cutoffs(confidential=confidential),
            await self.known_through(confidential=confidential),
        )

    async def pools(self, keys: Sequence[int]) -> list[Pool]:
        self._up()
        results = [fact for fact in self.facts if fact.kind != "coverage"]
        return [Pool(results)] if any(set(keys) & set(keys_of(fact)) for fact in results) else []

    async def cutoffs(self, *, confidential: bool = False) -> dict[int, tuple[int, int]]:
        self._up()
        return {}

    async def coverage(self, known_at: int | None = None) -> Complete:
        self._up()
        return complete([fact for fact in self.facts if fact.kind == "coverage"], known_at)

    async def known_through(self, *, confidential: bool = False) -> int | None:
        self._up()
        return max((fact.known for fact in self.facts if confidential or not fact.handling), default=None)

    async def histories(self) -> AsyncIterator[bytes]:
        self._up()
        for line in ():
            yield line

    async def all_pools(self) -> AsyncIterator[Pool]:
        self._up()
        yield Pool(self.facts)

    async def quarantined(self, *, confidential: bool = False) -> dict[int, str]:
        return {}

    async def backlog(self) -> int:
        self._up()
        return 0

    async def heartbeats(self) -> list[Beat]:
        return self.beats

    async def ping(self) -> None:
        self._up()

    def _up(self) -> None:
        if self.down:
            raise StoreDown("gone")


@dataclass
class Maker:
    """Makes events. Each is known a minute after the one before unless said otherwise."""

    known: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    made: int = 0
    revisions: dict[str, int] = field(default_factory=dict)

    def envelope(self, record: str, system: str = "I94", **more: Any) -> dict[str, Any]:
        self.made += 1
        number = self.revisions[system + record] = self.revisions.get(system + record, 0) + 1
        body = digest(f"{record}/{number}".encode())
        part = more.get("part", "")
        stamp = more.pop("known", None) or self.known + timedelta(minutes=self.made)
        return {
            "id": event_id(system, record, part, number, body, 1),
            "system": system,
            "record": record,
            "place": f"line {self.made}",
            "revision": Revision(number=number, digest=body),
            "mapping_version": 1,
            "batch": "by hand",
            "published_at": stamp,
            **more,
        }

    def subject(
        self,
        number: str | None = "123456789A1",
        *,
        passport: str | None = None,
        name: str = "Canaria",
        birth: str | None = "1980-02-03",
        a_number: str | None = None,
    ) -> Subject:
        results = []
        if number:
            results.append(Identifier.of(Scheme.I94, number))
        if passport:
            results.append(Identifier.of(Scheme.PASSPORT, passport, "GBR"))
        if a_number:
            results.append(Identifier.of(Scheme.A_NUMBER, a_number))
        return Subject(
            names=(Name(family=name, given="Zizi"),), birth=birth, citizenship=("GBR",), identifiers=tuple(results)
        )

    def arrival(
        self, record: str, on: date, until: date | None, *, subject: Subject | None = None, **more: Any
    ) -> Arrival:
        return Arrival(
            occurred_at=Moment.instant(datetime(on.year, on.month, on.day, 17, tzinfo=UTC), ZONE),
            subject=subject or self.subject(),
            port="JFK",
            mode=Mode.AIR,
            class_of_admission="B2",
            admitted_until=until,
            **self.envelope(record, **more),
        )

    def departure(self, record: str, on: date, *, subject: Subject | None = None, **more: Any) -> Departure:
        return Departure(
            occurred_at=Moment.whole_day(on, ZONE),
            subject=subject or self.subject(),
            evidence=Evidence.BIOMETRIC,
            mode=Mode.AIR,
            **self.envelope(record, **more),
        )

    def filing(
        self,
        record: str,
        on: date,
        *,
        action: Action = Action.FILED,
        asks: Request = Request.EXTEND,
        until: date | None = None,
        subject: Subject | None = None,
        **more: Any,
    ) -> Extension:
        return Extension(
            occurred_at=Moment.whole_day(on, ZONE),
            subject=subject or self.subject(),
            receipt="IOE0123456789",
            form="I-539",
            asks=asks,
            action=action,
            filed_on=on if action is Action.FILED else None,
            granted_until=until,
            **self.envelope(record, "C3", **more),
        )

    def status(self, record: str, on: date, fact: Said, *, subject: Subject | None = None, **more: Any) -> Status:
        return Status(
            occurred_at=Moment.whole_day(on, ZONE),
            subject=subject or self.subject(),
            fact=fact,
            **self.envelope(record, "GLOBAL", **more),
        )

    def coverage(self, through: datetime, *modes: str, known: datetime | None = None) -> list[Coverage]:
        return [
            Coverage(
                scope=f"departure:{mode}",
                since=datetime(2020, 1, 1, tzinfo=UTC),
                through=through,
                **self.envelope(f"coverage {mode} {through.isoformat()}", known=known),
            )
            for mode in modes or ("air", "land", "sea")
        ]

    def decision(self, one: RecordRef, other: RecordRef, *, same: bool, **more: Any) -> Decision:
        record = f"decision {one.record} {other.record}"
        return Decision(
            one=one, other=other, same=same, by="officer", why="looked", **self.envelope(record, "DESK", **more)
        )


def token_of(
    scope: str = "status:read timeline:read",
    purposes: Sequence[str] = ("admission",),
    *,
    key: Any = SECRET,
    algorithm: str = "HS256",
    headers: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """A token; claims given as None are left out."""
    at = int(NOW.timestamp())
    body = {
        "iss": ISSUER,
        "aud": "visabus",
        "sub": "officer-7",
        "azp": "portal",
        "iat": at,
        "nbf": at,
        "exp": at + 600,
        "scope": scope,
        "purposes": purposes if isinstance(purposes, str) else list(purposes),
        **claims,
    }
    return jwt.encode(
        {name: value for name, value in body.items() if value is not None},
        key,
        algorithm,
        {"typ": "at+jwt"} | (headers or {}),
    )


@dataclass
class World:
    """Everything that a test of the API touches."""

    app: FastAPI
    client: httpx.AsyncClient
    reads: MemoryReads
    audit: AuditLog
    make: Maker
    token: Callable[..., str]
    now: datetime = NOW
    keys: AuditKeys = KEYS

    async def ask(
        self,
        path: str,
        token: str | None = None,
        purpose: str | None = "admission",
        *,
        method: str = "GET",
        body: object = None,
    ) -> httpx.Response:
        """GET, or POST a body, with a token that may look up, unless another is given."""
        headers = {"authorization": f"Bearer {self.token() if token is None else token}"}
        if purpose is not None:
            headers["visabus-purpose"] = purpose
        return await self.client.request(method, path, headers=headers, json=body if method == "POST" else None)

    async def rows(self) -> list[Row]:
        return [row async for row in self.audit.rows()][1:]  # behind that which begins every log

    def micros(self, at: datetime) -> int:
        return int(at.timestamp()) * MICRO


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://visabus.example")


@pytest.fixture(scope="session")
def new_maker() -> Callable[[], Maker]:
    return Maker


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def token() -> Callable[..., str]:
    return token_of


@pytest.fixture
def open_client() -> Callable[[FastAPI], httpx.AsyncClient]:
    return client_of


@pytest.fixture
def trust() -> Trust:
    return Trust(ISSUER, "visabus", shared_secret(SECRET))


@pytest.fixture
async def audit(tmp_path: Path) -> AsyncIterator[AuditLog]:
    log = await open_audit(f"sqlite+aiosqlite:///{tmp_path}/audit.db", KEYS, lambda: NOW)
    yield log
    await log.close()


@pytest.fixture
def build(trust: Trust) -> Callable[[MemoryReads, Audit], FastAPI]:
    return lambda reads, log: create_app(trust, reads, log, lambda: NOW)


@pytest.fixture
async def world(trust: Trust, audit: AuditLog, make: Maker) -> AsyncIterator[World]:
    reads = MemoryReads()
    app = create_app(trust, reads, audit, lambda: NOW)
    async with client_of(app) as client:
        yield World(app, client, reads, audit, make, token_of)
