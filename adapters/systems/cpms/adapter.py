"""CPMS: pushed events of biometric appointments and cards to status events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.converters import choice, day, instant, symbol, text, whole
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.http_push import HttpPush
from schemas.confidential import marks_of_forms
from schemas.events import Handling, Status
from schemas.identifiers import Scheme
from schemas.moments import Moment

OFFICE = "America/New_York"
FACTS = {
    "APPOINTMENT_SCHEDULED": "biometrics_scheduled",
    "CAPTURED": "biometrics_taken",
    "NO_SHOW": "biometrics_missed",
    "CARD_PRODUCED": "card_produced",
}
RULES = {"REUSED": "reused", **dict.fromkeys(("CARD_ORDERED", "CARD_MAILED", "CARD_RETURNED"), "card-on-its-way")}
TYPE = choice(*FACTS, *RULES)
CODES = {"FTA0": "CAPTURED", "LDF": "CARD_PRODUCED"}
PERSON = Person(
    family="applicant/familyName",
    given=("applicant/givenName",),
    birth="applicant/birthDate",
    numbers=(
        Number(Scheme.A_NUMBER, "aNumber"),
        Number(Scheme.FIN, "fin"),
        Number(Scheme.RECEIPT, "receiptNumber"),
        Number(Scheme.CARD, "cardNumber"),  # in the form of a receipt, and none
    ),
)


def key(event: Fields) -> str:
    """The event's id. Raises ValueError."""
    result = event.need("eventId", text)
    if not result.strip():
        raise ValueError("eventId is blank")
    return result


def says(event: Fields) -> Iterable[Says] | Filtered:
    """What the event says. Raises ValueError."""
    kind = event.need("type", TYPE)
    stated = event.optional("code", choice(*CODES))
    if stated is not None and CODES[stated] != kind:
        event.lose("code", f"code: {stated} beside the type {kind}")
    if kind in RULES:
        return Filtered(RULES[kind])
    happened = Moment.instant(event.need("occurredAt", instant), OFFICE)
    scheduled = kind == "APPOINTMENT_SCHEDULED"
    fields: dict[str, Any] = {
        "occurred_at": happened,
        "subject": PERSON.of(event),
        "fact": FACTS[kind],
        "until": event.optional("appointmentDate", day) if scheduled else None,
        "reason": event.optional("office", symbol),
    }
    return (Says(Status, fields),)


def handling(event: Fields) -> Iterator[Handling]:
    """What the law makes confidential, by the form."""
    return marks_of_forms(event.optional("formType", text))


MAPPING = Mapper(
    key=key,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda event: event.need("recordedAt", instant),
    retracted=lambda event: event.need("action", choice("N", "C", "D")) == "D",
    says=says,
    handling=handling,
)
PUSH = HttpPush(
    called="event", key=lambda read: MAPPING.key_of(read.fields), content_types=frozenset({"application/json"})
)
ADAPTER = System(
    "CPMS",
    title="CPMS, biometric appointments and cards",
    owner="USCIS",
    number=24,
    emits=("status",),
    covers=(),
    facts=("biometrics_missed", "biometrics_scheduled", "biometrics_taken", "card_produced"),
    identifiers=("a_number", "fin", "receipt", "card"),
    mapping_version=1,
    feeds=(Feed("push", PUSH, MAPPING, JsonPage(items="events", longest=PUSH.limit)),),
)
