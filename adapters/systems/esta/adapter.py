"""ESTA: authorisations to travel under the Visa Waiver Program, to statuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from adapters.converters import code, day, flag, instant, text, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says, vouching
from adapters.transports.rest_poll import CursorPages, RestPoll
from schemas.events import Status
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment

STATUS = code(
    {
        "AUTHORIZATION APPROVED": "approved",
        "AUTHORIZATION PENDING": "pending",
        "TRAVEL NOT AUTHORIZED": "denied",
    }
)
LONGEST = timedelta(days=2 * 366)
"""Two years, with the leap days that they may have."""
TRAVELLER = Person(
    "familyName", ("givenNames",), "dateOfBirth", "sex", "citizenship", (Number(Scheme.ESTA, "applicationNumber"),)
)


def number(item: Fields) -> str:
    """The number of the application. Raises ValueError."""
    return Identifier.spelled(Scheme.ESTA, item.need("applicationNumber", text))["value"]


def status(value: Any, what: str) -> str:
    """The outcome, in any case of letters. Raises ValueError."""
    return str(STATUS(" ".join(text(value, what).upper().split()), what))


def valid_until(item: Fields, passport: Fields, since: date) -> date | None:
    """The last day of an authorisation: its own, or that of the passport if that is earlier."""
    last, expires = item.optional("validTo", day), passport.optional("expires", day)
    if last is not None and not since <= last <= since + LONGEST:
        item.lose("validTo", f"validTo {last}, which is not within two years of validFrom")
        last = None
    return min(filter(None, (last, expires)), default=None) if last is not None else None


def says(item: Fields) -> Iterator[Says]:
    """The status, and that it was another before, where that is so. Raises ValueError."""
    passport = item.group("passport")
    if passport is None:
        raise ValueError("passport is absent")
    bound = Identifier.spelled(Scheme.PASSPORT, passport.need("number", text), passport.need("issuer", text))
    common = {"subject": TRAVELLER.of(item, [bound])}
    said, since = item.need("status", status), item.optional("validFrom", day, event=True)
    now = {"occurred_at": Moment.instant(item.need("statusAt", instant))}
    if since is not None and said != "pending":
        approved = {"occurred_at": whole_day(since, "America/New_York"), "until": valid_until(item, passport, since)}
        yield Says(Status, common | approved | {"fact": "esta_approved"}, part="approved")
    if said == "approved":
        if since is None:
            raise ValueError("an approved application without validFrom")
        return
    once = since is not None or any(lost.name == "validFrom" for lost in item.lost)
    kind = "revoked" if said == "denied" and once else said
    yield Says(Status, common | now | {"fact": f"esta_{kind}"}, part=kind)


MAPPING = Mapper(
    key=number,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda item: item.need("modifiedAt", instant),
    retracted=lambda item: item.present("withdrawn", flag) is True,
    says=says,
    vouches=vouching("status"),
)
POLL = RestPoll(
    path="/v1/authorizations",
    pages=CursorPages(member="nextCursor"),
    since="modifiedSince",
    changed="modifiedAt",
    ordered=True,
    clock="asOf",
    begin="2008-08-01T00:00:00Z",
    token="/oauth/token",  # noqa: S106 - where tokens are given
    per_second=10.0,
)
ADAPTER = System(
    "ESTA",
    title="ESTA, authorisations under the Visa Waiver Program",
    owner="CBP",
    number=6,
    emits=("status",),
    covers=("status",),
    facts=("esta_approved", "esta_denied", "esta_pending", "esta_revoked"),
    identifiers=("esta", "passport"),
    mapping_version=1,
    feeds=(Feed("authorizations", POLL, MAPPING, JsonPage()),),
)
