"""SAVE: verifications of status to the class that was found, and to work permits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from lxml import etree

from adapters import niem
from adapters.converters import choice, country, instant, symbol, whole_day
from adapters.converters import xml_day as day
from adapters.core import Feed, Filtered, System
from adapters.elements import only, word
from adapters.fields import Converter, Fields
from adapters.formats.xml_message import XmlMessageFormat
from adapters.mapper import Mapper, Says
from adapters.transports.soap_poll import SoapPoll
from schemas.confidential import mark_of_class, mark_of_permit, marks_of, marks_of_forms
from schemas.country_codes import ICAO, INS_ALPHA
from schemas.events import Handling, Status, Subject
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment

HERE = Path(__file__).parent
SPACE = "{urn:visabus:save:1}"
OFFICE = "America/New_York"
SUCCESS, DUPLICATE = "HS000000", "HE004000"
ADDITIONAL, ADDITIONALLY = 5, "INSTITUTE ADDITIONAL VERIFICATION"
RULES = {"P": "pending", "X": "not-applicable", "N": "not-verified"}
NUMBERS = {
    "AlienNumber": (Scheme.A_NUMBER, r"[0-9]{9}", ""),
    "I94Number": (Scheme.I94, r"[0-9A-Za-z]{11}", ""),
    "SEVISID": (Scheme.SEVIS, r"[0-9]{10}", "N"),
    "VisaNumber": (Scheme.VISA, r"[0-9A-Za-z]{8}", ""),
    "ReceiptNumber": (Scheme.CARD, r"[A-Za-z]{3}[0-9]{10}", ""),  # of a card: it looks like a receipt
}
"""Elements of the documents: what each is, its form, and what the answer leaves out before it."""
_CASE = re.compile(r"\b[A-Za-z0-9]{13}[A-Z]{2}\b")
_ADMITTED = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


def long(most: int, least: int = 1) -> Converter[str]:
    """A text of so many characters."""

    def convert(value: object, what: str) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise ValueError(f"{what} is no text of {least} to {most} characters")
        return value

    return convert


def field(said: Fields, name: str, convert: Converter[str | None]) -> str | None:
    """An optional value; one of another form costs itself."""
    return next(iter(said.several(name, [word(said, name)], convert)), None)


def a_day(said: Fields, name: str) -> date | None:
    """An optional day."""
    return next(iter(said.several(name, [word(said, name)], day)), None)


def admitted_until(said: Fields) -> date | Literal["D/S"] | None:
    """The end of the admission: the date, or else what the text says."""

    def convert(value: str, what: str) -> date | Literal["D/S"]:
        if value.upper() == "D/S":
            return "D/S"
        match = _ADMITTED.fullmatch(value)
        return day(f"{match[3]}-{match[1]}-{match[2]}" if match else value, what)

    last = a_day(said, "AdmittedToDate")
    text: date | Literal["D/S"] | None = next(
        iter(said.several("AdmittedToText", [word(said, "AdmittedToText")], convert)), None
    )
    if last is not None and text not in (None, last):
        said.lose("AdmittedToText", "AdmittedToText: another end than AdmittedToDate has")
    return last or text


def documents(said: Fields) -> Iterator[Spelling]:
    """All numbers of the document that was asked by."""
    kind = next(iter(said), "")
    document = only(said, kind)
    for name, (scheme, form, prefix) in NUMBERS.items():
        yield from said.several(name, [word(document, name)], _number(scheme, form, prefix))
    for holder in (document, only(document, "PassportCountry")):
        number, state = word(holder, "PassportNumber"), field(holder, "CountryOfIssuance", country(ICAO, of="issuer"))
        yield from said.several("PassportNumber", [number], _passport(state or ""))


def _number(scheme: Scheme, form: str, prefix: str) -> Callable[[str, str], Spelling]:
    def convert(value: str, what: str) -> Spelling:
        if not re.fullmatch(form, value):
            raise ValueError(f"{what} is not of the form {form}")
        return Identifier.spelled(scheme, prefix + value)

    return convert


def _passport(state: str) -> Callable[[str, str], Spelling]:
    return lambda value, what: Identifier.spelled(Scheme.PASSPORT, long(12, 6)(value, what), state)


def who(said: Fields, response_set: Fields) -> Subject:
    """The person: numbers of the document, name and birth as SAVE has them. Raises ValueError if nothing tells who."""
    family = field(response_set, "NonCitLastName", long(40))
    given = [field(response_set, name, long(25)) for name in ("NonCitFirstName", "NonCitMiddleName")]
    names = {
        "family": family or " ".join(filter(None, given)),
        "given": " ".join(filter(None, given)) if family else "",
    }
    citizenship = field(response_set, "NonCitCountryCitCd", country(INS_ALPHA))
    return Subject.model_validate(
        {
            "names": [names] if names["family"] else [],
            "birth": field(response_set, "NonCitBirthDate", niem.birth),
            "citizenship": [citizenship] if citizenship else [],
            "identifiers": list(documents(only(said, "DHSID"))),
        }
    )


def left_out(response: Fields, response_set: Fields) -> str | None:
    """The rule by which an answer is no finding. Raises ValueError for one that contradicts itself."""
    metadata = only(response, "ResponseMetadata")
    code, verified = word(metadata, "ResponseCode"), word(response, "LawfulPresenceVerifiedCode").upper()
    if code == DUPLICATE:
        if not _CASE.search(word(metadata, "ResponseDescriptionText")):
            raise ValueError("ResponseDescriptionText names no case that this one is a duplicate of")
        return "duplicate-case"
    if code != SUCCESS:
        return "no-answer"
    if not response_set:
        raise ValueError("InitialVerificationIndividualResponseSet is absent")
    statement = int(word(response_set, "EligStatementCd"))
    if statement == ADDITIONAL or word(response_set, "EligStatementTxt").upper() == ADDITIONALLY:
        return "additional-verification"
    return RULES.get(verified)


def says(said: Fields) -> Iterable[Says] | Filtered:
    """The finding, and the work permit. Raises ValueError."""
    response = only(said, "InitialVerificationIndividualResponse")
    response_set = only(response, "InitialVerificationIndividualResponseSet")
    rule = left_out(response, response_set)
    if rule is not None:
        return Filtered(rule)
    at: datetime = said.need("@changedAt", instant)
    fields = {
        "occurred_at": whole_day(Moment.instant(at, OFFICE).local_day(), OFFICE),
        "subject": who(said, response_set),
    }
    verified = {
        "fact": "status_verified",
        "class_of_admission": field(
            response_set, "NonCitCoaCode", lambda value, what: symbol(long(3)(value, what), what)
        ),
        "until": admitted_until(response_set),
        "reason": long(64)(word(response_set, "EligStatementTxt"), "EligStatementTxt"),
    }
    events = [Says(Status, fields | verified)]
    permit, category = a_day(response_set, "NonCitEadsExpireDate"), field(response_set, "NonCitProvOfLaw", long(4))
    if permit is not None:
        events.append(Says(Status, fields | {"fact": "work_authorised", "until": permit, "reason": category}, "work"))
    return events


def handling(said: Fields) -> Iterator[Handling]:
    """What the law makes confidential in it."""
    response_set = only(only(said, "InitialVerificationIndividualResponse"), "InitialVerificationIndividualResponseSet")
    category, admission = (word(response_set, name) for name in ("NonCitProvOfLaw", "NonCitCoaCode"))
    yield from filter(None, (mark_of_permit(category), mark_of_class(admission)))
    statement = word(response_set, "EligStatementTxt")
    yield from marks_of(statement)
    yield from marks_of_forms(statement)


MAPPING = Mapper(
    key=lambda said: str(said["@verificationId"]),
    version=lambda record: int(record.fields["@version"]),
    recorded=lambda said: said.need("@changedAt", instant),
    retracted=lambda said: said.need("@action", choice("N", "C", "D")) == "D",
    says=says,
    handling=handling,
)
POLL = SoapPoll(
    wsdl=HERE / "service.wsdl",
    operation="GetVerifications",
    answer=f"{SPACE}GetVerificationsResponse",
    since="Since",
    changed="@changedAt",
    page="Page",
)
FORMAT = XmlMessageFormat(
    etree.XMLSchema(etree.parse(HERE / "verifications.xsd")),
    f"{SPACE}GetVerificationsResponse",
    f"{SPACE}Verification",
    named=MAPPING.key_of,
    longest=POLL.limit,
    attributes=True,
)
ADAPTER = System(
    "SAVE",
    title="SAVE, verifications of status",
    owner="USCIS",
    number=25,
    emits=("status",),
    covers=(),
    facts=("status_verified", "work_authorised"),
    identifiers=("a_number", "i94", "sevis", "passport", "visa", "card"),
    mapping_version=1,
    feeds=(Feed("verifications", POLL, MAPPING, FORMAT),),
)
