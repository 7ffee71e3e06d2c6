"""BOOKINGS: visits to an office, to encounters."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.converters import day, instant, text, whole, whole_day
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says, Vouches
from adapters.transports.rest_poll import RestPoll
from schemas.events import Status
from schemas.identifiers import Scheme

NUMBERS = (
    Number(Scheme.I94, "number", needed=True),
    Number(Scheme.PASSPORT, "passport/number", issuer="passport/state"),
)
PERSON = Person(birth="born", numbers=NUMBERS)


def key(item: Fields) -> str:
    """The key of a record. Raises ValueError."""
    result = item.need("id", text)
    if not result:
        raise ValueError("id is blank")
    return result


def says(item: Fields) -> Iterator[Says]:
    """The encounter. Raises ValueError."""
    seen = whole_day(item.need("day", day), "America/New_York")
    yield Says(Status, {"occurred_at": seen, "subject": PERSON.of(item), "fact": "encounter", "reason": "visit"})


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What a poll is complete for."""
    said = Fields(closing.fields)
    since, through = said.need("since", instant), said.need("through", instant)
    yield Vouches(f"through {said['through']}", int(through.timestamp()), "status", since, through, through)


MAPPING = Mapper(
    key=key,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda item: item.need("changed", instant),
    retracted=lambda item: item.get("cancelled") is True,
    says=says,
    vouches=vouches,
)
POLL = RestPoll(path="/v1/visits", since="since", changed="changed", clock="as_of", token="/token")
ADAPTER = System(
    "BOOKINGS",
    title="BOOKINGS, visits to an office",
    owner="ACME",
    number=29,
    emits=("status",),
    identifiers=("i94", "passport"),
    mapping_version=1,
    feeds=(Feed("pages", POLL, MAPPING, JsonPage()),),
)
