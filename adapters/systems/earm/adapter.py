"""EARM: removal cases to departures, and to status events of orders, detention and proceedings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lxml import etree

from adapters import niem
from adapters.converters import choice, code, country, instant, instant_at, symbol, whole_day
from adapters.converters import xml_day as day
from adapters.core import Closing, Feed, Filtered, System
from adapters.elements import only, word
from adapters.fields import Fields
from adapters.formats.xml_message import XmlMessageFormat
from adapters.mapper import Mapper, Person, Says, Vouches
from adapters.transports.soap_poll import SoapPoll
from schemas.confidential import marks_of
from schemas.country_codes import NAMES
from schemas.events import Departure, Handling, Status, Subject
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment

HERE = Path(__file__).parent
SPACE = "{urn:visabus:earm:1}"
OFFICE = "America/New_York"
AT_OFFICE = instant_at(OFFICE)
DEPARTED, NOTHING = "departed", ""
CLOSES = {
    **dict.fromkeys("035689", DEPARTED),
    **dict.fromkeys("AELZ", "proceedings_ended"),
    "B": "relief_granted",
    "7": NOTHING,  # died
    "10": NOTHING,  # a prosecution's case closed
}
"""Close codes of a case by what stands before the first hyphen of its status."""
RELEASED = (
    "paroled",
    "order of recognizance",
    "order of supervision",
    "bonded out",
    "relief granted",
    "proceedings terminated",
    "processing disposition changed",
)
LEFT = ("removed", "voluntary departure", "voluntary return")
FEARS = frozenset({"5C", "8G"})
"""Categories of withholding, and of credible fear."""
BY_THEN = timedelta(days=30)
"""So long after the end of a stay in detention the departure that it led to is dated at most."""
COLUMNS = {"SUBJID": Scheme.SUBJECT, "SUJBID": Scheme.SUBJECT, "ANUMBER": Scheme.A_NUMBER}
"""Headers of the risk table by their letters; files spell one of them in two ways."""
NUMBERS = {Scheme.A_NUMBER: "aNumber", Scheme.SUBJECT: "subjectId", Scheme.FIN: "fin"}
ISSUER = country(NAMES, of="issuer")
GENDER = code({"male": "M", "female": "F", "unknown": None})
PERSON = Person(
    family="@familyName",
    given=("@givenName",),
    birth="@birthDate",
    sex="@gender",
    citizenship="@citizenshipCountry",
    birth_as=niem.birth,
    sex_as=lambda value, what: GENDER(str(value).casefold(), what),
    citizenship_as=country(NAMES),
)
CATEGORIES = frozenset(
    "1A 1B 1C 2A 2B 3 5A 5B 5C 5D 5E 5F 8A 8B 8C 8D 8E 8F 8G 8H 8I 8K 9 10 11 12 13 14 15 16 17 H".split()
)
"""Codes of where a case stands; there is no 8J."""
_CATEGORY = re.compile(r"\[\s*([0-9A-Z]{1,3})\s*\]")
_LETTERS = re.compile(r"[^A-Z]")


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in detention: the day on which it began, and the last of its stints."""

    begin: date
    stint: Fields


def key(case: Fields) -> str:
    """The case. Raises ValueError."""
    return str(case["@caseId"])


def local(value: object, what: str) -> date:
    """The day of a day, or of a time, which is local to headquarters where it has no zone. Raises ValueError."""
    if isinstance(value, str) and "T" in value:
        return Moment.instant(AT_OFFICE(value, what), OFFICE).local_day()
    return day(value, what)


def numbers(case: Fields) -> list[Spelling]:
    """A-number and subject, as the risk table has them where the case has none; FIN and passports."""
    known = {scheme: case.text(f"@{field}") for scheme, field in NUMBERS.items()}
    for table in case.groups("RiskAssessment"):
        for column in table.groups("Column"):
            scheme = COLUMNS.get(_LETTERS.sub("", (column.text("@name") or "").upper()))
            if scheme is not None:
                known[scheme] = known[scheme] or column.text("#")
    results: list[Spelling] = []
    for scheme, field in NUMBERS.items():
        results += case.several(field, [known[scheme]], _of(scheme))
    for document in case.groups("TravelDocument"):
        number, state = document.text("@number") or "", document.optional("@issuingCountry", ISSUER)
        results += case.several("TravelDocument", [number], _of(Scheme.PASSPORT, state or ""))
    return results


def _of(scheme: Scheme, issuer: str = "EID") -> Callable[[object, str], Spelling]:
    return lambda value, _: Identifier.spelled(scheme, str(value), issuer)


def stays(case: Fields) -> dict[str, Stay]:
    """Stays in detention by their begin; each stint repeats its stay, the last of them counts."""
    by_begin = {}
    for stint in case.groups("Stint"):
        begin = stint.optional("@stayBookIn", local)
        if begin is not None:
            by_begin[str(stint["@stayBookIn"])[:19]] = Stay(begin, stint)
    return dict(sorted(by_begin.items()))


def ended(stay: Stay, ways: tuple[str, ...]) -> date | None:
    """The day on which a stay ended, if it ended in one of these ways."""
    over = stay.stint.optional("@stayBookOut", local)
    reason = (stay.stint.text("@stayReleaseReason") or "").casefold()
    return over if reason.startswith(ways) else None


def departures(case: Fields, held: dict[str, Stay], close: str, who: Subject) -> Iterator[Says]:
    """The departure that closed the case, and those of stays before it. One a stay, however many stints repeat it."""
    said = only(case, "Departure")
    left = said.optional("@date", local)
    port = said.optional("@port", symbol)
    if left is None and close == DEPARTED:
        case.lose("Departure", "Departure: the case is closed by one, and has no date of it")
    elif left is None and said.text("@country"):
        case.lose("Departure", "Departure: a country without a date")
    elif left is not None and close != DEPARTED:
        case.lose("Departure", "Departure: a date of one in a case that none has closed")
    elif left is not None:
        yield Says(Departure, _when(left, who) | {"port": port, "evidence": "removal"}, "departure")
    for begin, stay in held.items():
        out, own = ended(stay, LEFT), stay.stint.optional("@departedDate", local)
        if out is None or own is None or own == left or not out <= own <= out + BY_THEN:
            continue  # held, released, or the departure of the case repeated
        yield Says(Departure, _when(own, who) | {"evidence": "removal"}, f"departure of {begin}")


def detention(held: dict[str, Stay], who: Subject) -> Iterator[Says]:
    """The begin of each stay, and its end where it ended in the country."""
    for begin, stay in held.items():
        yield Says(Status, _when(stay.begin, who) | {"fact": "detained"}, f"detained {begin}")
        out = ended(stay, RELEASED)
        if out is not None:
            yield Says(Status, _when(out, who) | {"fact": "released"}, f"released {begin}")


def _when(day: date, who: Subject) -> dict[str, object]:
    return {"occurred_at": whole_day(day, OFFICE), "subject": who}


def close_of(case: Fields) -> str:
    """How the case was closed: DEPARTED, a fact, or nothing where it is open."""
    head, hyphen, _ = word(case, "Status").partition("-")
    closed_by = head.strip().upper()
    if not hyphen:
        return NOTHING
    if closed_by not in CLOSES:
        case.lose("Status", f"Status: {closed_by[:10]!r} is no close code")
    return CLOSES.get(closed_by, NOTHING)


def category_of(value: str, what: str) -> str:
    """The code in brackets. Raises ValueError."""
    match = _CATEGORY.match(value.strip().upper())
    if match is None or match[1] not in CATEGORIES:
        raise ValueError(f"{what} {value[:10]!r} begins with no category of a case")
    return match[1]


def orders(case: Fields, who: Subject) -> Iterator[Says]:
    """The final order, which is no departure."""
    said = case.several("FinalOrder", [word(case, "FinalOrder").upper()], choice("YES", "NO", "Y", "N"))
    if said not in (["YES"], ["Y"]):
        return
    ordered = only(case, "FinalOrder").optional("@ordered", local)
    category = next(iter(case.several("Category", [word(case, "Category")], category_of)), None)
    if ordered is None:
        case.lose("FinalOrder", "FinalOrder: an order without its day")
        return
    order = {"fact": "removal_order", "reason": category}
    yield Says(Status, _when(ordered, who) | order, "order")


def closing(case: Fields, close: str, who: Subject) -> Iterator[Says]:
    """How the case was closed, if it was and not by a departure."""
    if close not in (DEPARTED, NOTHING):
        since = only(case, "Status").optional("@since", local) or case.need("@changedAt", local)
        reason = word(case, "Status").partition("-")[0].strip().upper()
        yield Says(Status, _when(since, who) | {"fact": close, "reason": reason}, "closed")


def handling(case: Fields) -> Iterator[Handling]:
    """What the category betrays, or why somebody was released: a claim of fear, or withholding that was granted."""
    category = _CATEGORY.match(word(case, "Category"))
    if category is not None and category[1] in FEARS:
        yield Handling.ASYLUM
    for stint in case.groups("Stint"):
        yield from marks_of(stint.text("@stayReleaseReason") or "")


def says(case: Fields) -> Iterable[Says] | Filtered:
    """All that the case says. Raises ValueError, also where all that it would say is wrong."""
    who = PERSON.of(only(case, "Person"), numbers(case))
    lost = len(case.lost)
    close, held = close_of(case), stays(case)
    events = [
        *departures(case, held, close, who),
        *detention(held, who),
        *orders(case, who),
        *closing(case, close, who),
    ]
    if not events and len(case.lost) > lost:
        raise ValueError(case.lost[-1].reason)
    return events or Filtered("no-step")


def taken_back(case: Fields) -> Iterator[Says]:
    """Of a case that says nothing any more, what takes back what an earlier version said. Raises ValueError."""
    if int(case["@version"]) > 1:
        who = PERSON.of(only(case, "Person"), numbers(case))
        yield Says(Status, _when(case.need("@changedAt", local), who) | {"fact": "encounter"})


def vouches(closing: Closing) -> Iterator[Vouches]:
    """Every executed removal through the owner's clock was told."""
    since, through = (instant(closing.fields[name], name) for name in ("since", "through"))
    record = f"coverage through {closing.fields['through']}"
    yield Vouches(record, int(through.timestamp()), "departure:removal", since, through, through)


MAPPING = Mapper(
    key=key,
    version=lambda record: int(record.fields["@version"]),
    recorded=lambda case: case.need("@changedAt", instant),
    retracted=lambda case: case.need("@action", choice("N", "C", "D")) == "D",
    says=says,
    handling=handling,
    taken_back=taken_back,
    vouches=vouches,
)
POLL = SoapPoll(
    wsdl=HERE / "service.wsdl",
    operation="GetCases",
    answer=f"{SPACE}GetCasesResponse",
    since="Since",
    changed="@changedAt",
    page="Page",
    clock="asOf",
    begin="2003-03-01T00:00:00Z",
)
FORMAT = XmlMessageFormat(
    etree.XMLSchema(etree.parse(HERE / "cases.xsd")),
    f"{SPACE}GetCasesResponse",
    f"{SPACE}Case",
    named=MAPPING.key_of,
    longest=POLL.limit,
    attributes=True,
)
ADAPTER = System(
    "EARM",
    title="EARM, removal cases and detention",
    owner="ICE",
    number=12,
    emits=("departure", "status"),
    covers=("departure:removal",),
    facts=("detained", "encounter", "proceedings_ended", "released", "relief_granted", "removal_order"),
    evidence="removal",
    identifiers=("a_number", "subject", "fin", "passport"),
    mapping_version=1,
    feeds=(Feed("cases", POLL, MAPPING, FORMAT),),
)
