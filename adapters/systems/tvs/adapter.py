"""TVS: faces matched at the gate to departures, as weak as a list that nothing has closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.converters import choice, day, instant, symbol, text, whole, whole_day
from adapters.core import Feed, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says
from adapters.routes import flight
from adapters.transports.http_push import HttpPush
from schemas.airports import Airport, airport
from schemas.events import Departure
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment

WASHINGTON = "America/New_York"
RESULT = choice("MATCH", "NO_MATCH", "NOT_IN_GALLERY")
PERSON = Person(
    "traveler/familyName",
    ("traveler/givenName",),
    "traveler/birthDate",
    "traveler/sex",
    "traveler/nationality",
    (Number(Scheme.PASSPORT, "traveler/documentNumber", issuer="traveler/documentIssuer"),),
)
_KEY = re.compile(r"[A-Za-z0-9-]{8,40}")
_SCHEMES = {"FIN": Scheme.FIN, "PASSPORT": Scheme.PASSPORT, "VISA": Scheme.VISA}


def key(boarding: Fields) -> str:
    """The transaction. Raises ValueError."""
    result = text(boarding["transactionId"], "transactionId")
    if not _KEY.fullmatch(result):
        raise ValueError("transactionId is not 8 to 40 letters, digits and hyphens")
    return result


def port(value: Any, what: str) -> Airport:
    """An airport. Raises ValueError."""
    known = airport(text(value, what))
    if known is None:
        raise ValueError(f"{what} {value!r} is no airport")
    return known


def matched(value: Any, what: str) -> Spelling:
    """What the gallery holds a photograph under. Raises ValueError."""
    scheme, _, rest = text(value, what).partition("/")
    if scheme not in _SCHEMES:
        raise ValueError(f"{what} is of none of {', '.join(_SCHEMES)}")
    issuer, _, number = rest.rpartition("/")
    return Identifier.spelled(_SCHEMES[scheme], number, issuer)


def voided(value: Any, what: str) -> bool:
    """Whether a record is taken back. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"{what} {value!r} is neither true nor false")
    return value


def skips(boarding: Fields) -> str | None:
    """Boardings that say nothing of a departure. Raises ValueError."""
    result = boarding.need("result", RESULT)
    if result != "MATCH":
        return result.lower().replace("_", "-")
    at = airport(text(boarding["port"], "port"))
    return "boarding-abroad" if at is not None and not at.home else None


def moment(boarding: Fields, zone: str) -> Moment:
    """When the photograph was taken, or the day of the departure where that is another. Raises ValueError."""
    left, taken = boarding.need("departureDate", day), boarding.optional("capturedAt", instant)
    at = Moment.instant(taken, zone) if taken is not None else None
    return at if at is not None and at.local_day() == left else whole_day(left, zone)


def aircraft(boarding: Fields) -> tuple[str | None, str | None]:
    """Carrier and conveyance, as far as they are known."""
    company, number = (boarding.optional(name, text) or "" for name in ("carrier", "flight"))
    try:
        named, conveyance = flight("", number, company) if number or company else (None, None)
        return named and symbol(named, "carrier"), conveyance and symbol(conveyance, "flight")
    except ValueError:
        boarding.lose("flight", "flight is none of a carrier that is named")
        return None, None


def says(boarding: Fields) -> Iterator[Says]:
    """That somebody boarded. Raises ValueError."""
    at = boarding.optional("port", port)
    carrier, conveyance = aircraft(boarding)
    known = [known] if (known := boarding.optional("matchedId", matched)) is not None else []
    fields = {
        "occurred_at": moment(boarding, at.zone if at is not None else WASHINGTON),
        "subject": PERSON.of(boarding, known),
        "port": at.code if at is not None else None,
        "mode": "air",
        "carrier": carrier,
        "conveyance": conveyance,
    }
    yield Says(Departure, fields | {"evidence": "manifest"})


MAPPING = Mapper(
    key=key,
    version=lambda record: Fields(record.fields).need("version", whole),
    recorded=lambda boarding: boarding.need("recordedAt", instant),
    retracted=lambda boarding: boarding.present("voided", voided) or False,
    skips=skips,
    says=says,
)
PUSH = HttpPush(
    called="transaction",
    key=lambda read: MAPPING.key_of(read.fields),
    content_types=frozenset({"application/json"}),
    message="messageId",
)
ADAPTER = System(
    "TVS",
    title="TVS, biometric boarding",
    owner="CBP",
    number=30,
    emits=("departure",),
    covers=(),
    evidence="biometric",
    identifiers=("passport", "fin", "visa"),
    mapping_version=1,
    feeds=(Feed("push", PUSH, MAPPING, JsonPage(items="boardings")),),
)
