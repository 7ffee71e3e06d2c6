"""ACRIMe: queries on a person's status and their answers, to statuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import Any

from adapters.converters import choice, text
from adapters.core import Feed, System
from adapters.dates import moment_of
from adapters.fields import Fields
from adapters.formats.tagged import Tagged
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.file_drop import FileDrop
from schemas.events import Status
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment

CENTRE = "AX"
ORI, CONTROL, OFFENCE, ALIEN = (
    re.compile(each) for each in ("[A-Z0-9]{9}", "[A-Z0-9]{1,10}", "[0-9]{4}", "[0-9]{8,9}")
)
LONGEST_REASON = 200
PERSON = Person(
    "FAMILY",
    ("GIVEN",),
    "DOB",
    "SEX",
    numbers=(Number(Scheme.FIN, "FIN"), Number(Scheme.FBI, "FBI")),
    birth_as=lambda value, _: value,  # as read
)


def logged(message: Fields) -> datetime:
    """Return when it was logged. Raises ValueError."""
    return moment_of(int(message["LOGGED"]), "LOGGED")


def agency(message: Fields) -> str:
    """Return the agency that asks, or is answered. Raises ValueError."""
    ends = ("SENDER", "DESTINATION") if message["KEY"] == "IAQ" else ("DESTINATION", "SENDER")
    one, centre = (message[name] for name in ends)
    if centre != CENTRE:
        raise ValueError(f"{ends[1]} {centre[:9]!r}, {CENTRE} expected")
    if not ORI.fullmatch(one):
        raise ValueError(f"{ends[0]} {one[:9]!r} is no ORI of nine characters")
    return str(one)


def key(message: Fields) -> str:
    """Return agency, control field and year; without a control field the number in the log. Raises ValueError."""
    control = message["CONTROL"]
    if not CONTROL.fullmatch(control):
        return f"LOG/{message['LOG-NUMBER']}"
    answer = "/RESP" if message["KEY"] == "IAR" else ""
    return f"{agency(message)}/{control}/{message['LOGGED'][:4]}{answer}"


def birth(latest: date, value: Any, what: str) -> str:
    """Return a date of birth, MMDDYY or CCYYMMDD, that lies before a day. Raises ValueError."""
    if not isinstance(value, str) or not (value.isascii() and value.isdecimal()) or len(value) not in (6, 8):
        raise ValueError(f"{what} is neither MMDDYY nor CCYYMMDD")
    try:
        if len(value) == 8:
            return date(int(value[:4]), int(value[4:6]), int(value[6:])).isoformat()
        day = date(2000 + int(value[4:]), int(value[:2]), int(value[2:4]))
        return (day if day <= latest else day.replace(year=day.year - 100)).isoformat()
    except ValueError:
        raise ValueError(f"{what} is no date") from None


def alien(value: Any, what: str) -> str:
    """Return an A-number of eight or nine digits. Raises ValueError."""
    if not isinstance(value, str) or not ALIEN.fullmatch(value):
        raise ValueError(f"{what} is no A-number of eight or nine digits")
    return value


def offence(value: Any, what: str) -> str:
    """Return an offence by its code. Raises ValueError."""
    if not isinstance(value, str) or not OFFENCE.fullmatch(value):
        raise ValueError(f"{what} is no code of four digits")
    return value


def subject(message: Fields) -> Any:
    """Return the person that is asked about, or meant. Raises ValueError if nothing tells who it is."""
    family, _, given = (message.optional("NAM", text) or "").partition(",")
    day = logged(message).date()
    known = {name: message.optional(name, text) for name in ("SEX", "FIN", "FBI")}
    person = {"FAMILY": family.strip(), "GIVEN": given.strip(), "DOB": message.optional("DOB", partial(birth, day))}
    more = []
    if number := message.optional("ARN", alien):
        more.append(Identifier.spelled(Scheme.A_NUMBER, number))
    if not CONTROL.fullmatch(message["CONTROL"]):
        if message["CONTROL"]:
            message.lose("CONTROL", "the control field is none of up to ten letters and digits")
    else:
        case = f"{agency(message)}-{message['CONTROL']}-{day.year}"
        more.append(Identifier.spelled(Scheme.CASE, case, "ACRIME"))
    return PERSON.of(Fields(person | known, message.lost), more)


def says(message: Fields) -> Iterator[Says]:
    """Yield that the status was queried, or what the centre answered. Raises ValueError."""
    agency(message)
    if message["KEY"] == "IAQ":
        words = [f"query {message.need('PUR', choice('C', 'F'))}"]
        if not message.text("NAM"):
            raise ValueError("NAM is absent")
        if message.optional("CUS", choice("Y", "N")) == "Y":
            words.append("in custody")
        if code := message.optional("OFF", offence):
            words.append(f"offence {code}")
        reason = ", ".join(words)
    else:
        sentence = message.optional("STA", text)
        reason = f"answer: {sentence}" if sentence else "answer"
        if message.optional("DET", choice("Y", "N")) == "Y":
            reason = f"{reason[: LONGEST_REASON - 20]}, detainer asked for"
    fields = {"occurred_at": Moment.instant(logged(message)), "subject": subject(message), "fact": "status_queried"}
    yield Says(Status, fields | {"reason": reason[:LONGEST_REASON]})


def skips(message: Fields) -> str | None:
    """Return the rule that leaves a message out. Raises ValueError."""
    if message["KEY"] not in ("IAQ", "IAR"):
        return "acrime.other_message"
    if message["KEY"] == "IAQ":
        return None
    if message.need("TYP", choice("ACK", "RESP")) == "ACK":
        return "acrime.acknowledgement"
    named = any(message.optional(name, text) for name in ("NAM", "ARN", "FIN"))
    return None if named else "acrime.no_record"


FORMAT = Tagged(lines=frozenset({"IAR"}), closed=frozenset({"IAQ"}))
MAPPING = Mapper(
    key=key,
    version=lambda record: int(record.fields["LOG-NUMBER"]),
    says=says,
    recorded=logged,
    skips=skips,
)
ADAPTER = System(
    "ACRIME",
    title="ACRIMe, status queries by law enforcement",
    owner="ICE",
    number=15,
    emits=("status",),
    covers=(),
    facts=("status_queried",),
    identifiers=("a_number", "case", "fbi", "fin"),
    mapping_version=1,
    feeds=(Feed("queue", AmqpQueue(), MAPPING, FORMAT), Feed("files", FileDrop(pattern="ACRIME.*"), MAPPING, FORMAT)),
)
