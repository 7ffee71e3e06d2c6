"""EVUS: enrolments of holders of ten-year visas, to statuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from adapters.converters import code, day, instant, text, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says, vouching
from adapters.transports.rest_poll import NumberedPages, RestPoll
from schemas.events import Status
from schemas.identifiers import Scheme
from schemas.moments import Moment

STATUS = code({"PENDING": "pending", "ENROLLED": "approved", "UNSUCCESSFUL": "denied", "RESCINDED": "revoked"})
HOLDER = Person(
    "familyName",
    ("givenNames",),
    "dateOfBirth",
    "sex",
    numbers=(
        Number(Scheme.VISA, "visa/foil", needed=True),
        Number(Scheme.PASSPORT, "passport/number", issuer="passport/issuer"),
    ),
)


def number(item: Fields) -> str:
    """The number of the enrolment. Raises ValueError."""
    result = item.need("enrollmentNumber", text)
    if not (8 <= len(result) <= 16 and result.isascii() and result.isalnum() and result == result.upper()):
        raise ValueError("enrollmentNumber is not of 8 to 16 capitals and digits")
    return result


def valid_until(item: Fields) -> date | None:
    """The last day: of the enrolment, the visa or the passport, whichever is first."""
    last = [item.optional("validTo", day)]
    last += [at.optional("expires", day) for at in (item.group("visa"), item.group("passport")) if at is not None]
    return min(filter(None, last), default=None)


def says(item: Fields) -> Iterator[Says]:
    """The enrolment, and that it was rescinded, where it was. Raises ValueError."""
    common: dict[str, Any] = {"subject": HOLDER.of(item), "reason": "evus"}
    kind, now = item.need("status", STATUS), Moment.instant(item.need("statusAt", instant))
    if kind in ("approved", "revoked"):
        since = whole_day(item.need("validFrom", day), "America/New_York")
        fields = {"occurred_at": since, "fact": "esta_approved", "until": valid_until(item)}
        yield Says(Status, common | fields, part="approved")
    if kind != "approved":
        yield Says(Status, common | {"occurred_at": now, "fact": f"esta_{kind}"}, part=kind)


MAPPING = Mapper(
    key=number,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda item: item.need("modifiedAt", instant),
    says=says,
    vouches=vouching("status"),
)
POLL = RestPoll(
    path="/v1/enrollments",
    pages=NumberedPages(size=200, total="total"),
    since="modifiedSince",
    changed="modifiedAt",
    ordered=True,
    clock="asOf",
    begin="2016-11-29T00:00:00Z",
    token="/oauth/token",  # noqa: S106 - where tokens are given
)
ADAPTER = System(
    "EVUS",
    title="EVUS, enrolments of holders of ten-year visas",
    owner="CBP",
    number=32,
    emits=("status",),
    covers=("status",),
    facts=("esta_approved", "esta_denied", "esta_pending", "esta_revoked"),
    identifiers=("visa", "passport"),
    mapping_version=1,
    feeds=(Feed("enrollments", POLL, MAPPING, JsonPage()),),
)
