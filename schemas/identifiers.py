"""Identifiers as validated value types: scheme, issuer, one canonical spelling.

Sources of the rules: ICAO Doc 9303 parts 3 to 7 (passports, visas, issuing-state codes, check digits), the
nonimmigrant admission number as used since May 2019, 8 CFR 103.2 practice for receipts, 8 CFR 214.3 for SEVIS IDs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from schemas.countries import ISSUER_OF, STATES


class Scheme(StrEnum):
    """What kind of number it is, and so who may have issued it."""

    I94 = "i94"
    SEVIS = "sevis"
    RECEIPT = "receipt"
    A_NUMBER = "a_number"
    PASSPORT = "passport"
    VISA = "visa"
    FIN = "fin"
    ESTA = "esta"
    BOOKING = "booking"
    CASE = "case"
    VISA_APPLICATION = "visa_application"
    SUBJECT = "subject"  # a person as one system numbers persons: of EID and its kin, of LeadTrac
    FBI = "fbi"  # one per set of fingerprints, in the FBI's index
    CARD = "card"  # of a card that was produced; looks like a receipt and is none

    __hash__ = str.__hash__
    """In C; that of an enum is a function of Python, and dearer than what is looked up with it."""


class InvalidIdentifier(ValueError):
    """The text is no identifier of its scheme; the message says why."""

    def without_value(self) -> str:
        """Why, without the text: reasons go into logs and receipts."""
        return _VALUE.sub("", str(self))


_VALUE = re.compile(r"^(['\"]).*\1:? ", re.DOTALL)
_RECEIPT_OFFICES = "EAC|LIN|SRC|WAC|MSC|NBC|YSC|IOE"
_PATTERNS: dict[Scheme, re.Pattern[str]] = {
    # eleven digits, or nine digits, a letter or digit, a digit (since May 2019)
    Scheme.I94: re.compile(r"\d{9}[A-Z0-9]\d"),
    Scheme.SEVIS: re.compile(r"N\d{10}"),
    Scheme.RECEIPT: re.compile(rf"(?:{_RECEIPT_OFFICES})\d{{10}}"),
    Scheme.A_NUMBER: re.compile(r"A\d{9}"),
    Scheme.PASSPORT: re.compile(r"[A-Z0-9]{3,20}"),
    Scheme.VISA: re.compile(r"[A-Z0-9]\d{7}"),
    Scheme.FIN: re.compile(r"\d{4,15}"),  # 4 to 10 in CIS, longer ones by other interfaces
    Scheme.ESTA: re.compile(r"[A-Z0-9]{16}"),
    Scheme.BOOKING: re.compile(r"[A-Z0-9]{5,8}"),
    Scheme.CASE: re.compile(r"[A-Z0-9-]{3,30}"),
    Scheme.VISA_APPLICATION: re.compile(r"[A-Z0-9]{8,14}"),
    Scheme.SUBJECT: re.compile(r"[A-Z0-9]{3,20}"),
    Scheme.FBI: re.compile(r"[A-Z0-9]{4,12}"),
    Scheme.CARD: re.compile(r"[A-Z]{3}\d{10}"),
}
_ISSUERS: dict[Scheme, str] = {
    Scheme.I94: "CBP",
    Scheme.SEVIS: "ICE",
    Scheme.RECEIPT: "USCIS",
    Scheme.A_NUMBER: "USCIS",
    Scheme.VISA: "DOS",
    Scheme.FIN: "OBIM",
    Scheme.ESTA: "CBP",
    Scheme.VISA_APPLICATION: "DOS",
    Scheme.FBI: "FBI",
    Scheme.CARD: "USCIS",
}
_ISSUER = re.compile(r"[A-Z0-9:]{1,12}")
_NOISE = re.compile(r"[\s./<-]+")
"""In a machine-readable zone a filler stands for a blank or hyphen, and behind a number for nothing."""
_FIELD = re.compile(r"([A-Z0-9]+)<+[0-9]")
_FIELD_LENGTH = 10


def canonical(scheme: Scheme, issuer: str, value: str) -> bool:
    """Whether the model would take these as they are: for whoever reads what was written without it."""
    fixed = _ISSUERS.get(scheme)
    if not (_ISSUER.fullmatch(issuer) if fixed is None else issuer == fixed):
        return False
    return _has_form(scheme, value) and (scheme is not Scheme.PASSPORT or issuer in STATES)


def text_of(scheme: Scheme, issuer: str, value: str) -> str:
    """`scheme/issuer/value` in the one spelling under which identifiers are compared: D is DEU."""
    owner = ISSUER_OF.get(issuer, issuer) if scheme is Scheme.PASSPORT else issuer
    return f"{scheme.value}/{owner}/{value}"


def _has_form(scheme: Scheme, value: str) -> bool:
    return value.isascii() and _PATTERNS[scheme].fullmatch(value) is not None


def _described() -> Iterator[JsonDict]:
    """What the canonical form is, in the words of JSON Schema."""
    for scheme, pattern in _PATTERNS.items():
        then: JsonDict = {"value": {"pattern": f"^({pattern.pattern})$"}}
        if scheme in _ISSUERS:
            then["issuer"] = {"const": _ISSUERS[scheme]}
        elif scheme is Scheme.PASSPORT:
            then["issuer"] = {"enum": [*sorted(STATES)]}
        yield {"if": {"properties": {"scheme": {"const": scheme.value}}}, "then": {"properties": then}}


class Spelling(TypedDict):
    """The fields of an identifier."""

    scheme: Scheme
    issuer: str
    value: str


class Identifier(BaseModel):
    """One identifier, canonical. Build it with `Identifier.of`, which normalises; the constructor only accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"allOf": list(_described())})

    scheme: Scheme
    issuer: Annotated[str, Field(pattern=r"^[A-Z0-9:]{1,12}$")]
    value: Annotated[str, Field(min_length=3, max_length=30)]

    @model_validator(mode="after")
    def _canonical(self) -> Self:
        if not _has_form(self.scheme, self.value):
            raise InvalidIdentifier(f"{self.value!r} is not a {self.scheme.value}")
        fixed = _ISSUERS.get(self.scheme)
        if fixed is not None and self.issuer != fixed:
            raise InvalidIdentifier(f"a {self.scheme.value} is issued by {fixed}, not {self.issuer!r}")
        if self.scheme is Scheme.PASSPORT and self.issuer not in STATES:
            raise InvalidIdentifier(f"{self.issuer!r} is no ICAO 9303 issuing state")
        return self

    @classmethod
    def of(cls, scheme: Scheme, text: str, issuer: str = "") -> Identifier:
        """The canonical identifier that `text` spells.

        `issuer` is needed for passports (ICAO 9303 state), bookings (carrier), cases and subjects (system). Raises
        InvalidIdentifier.
        """
        return cls(**cls.spelled(scheme, text, issuer))

    @classmethod
    def spelled(cls, scheme: Scheme, text: str, issuer: str = "") -> Spelling:
        """What `of` makes the identifier of: for whoever builds a model of many at once, which checks each again.

        Raises InvalidIdentifier.
        """
        if not text.isascii():  # before it is made upper case, which turns ß into SS
            raise InvalidIdentifier(f"{text!r} is not a {scheme.value}")
        if text.isalnum():  # as nearly all are
            value = text.upper()
        elif scheme is Scheme.CASE:
            value = text.strip().upper()
        elif not text.strip():
            raise InvalidIdentifier(f"a {scheme.value} needs its number")
        else:
            value = _NOISE.sub("", _unchecked(scheme, text.strip().upper()))
        if scheme is Scheme.A_NUMBER:
            digits = value.removeprefix("A")
            if not digits.isdecimal() or not 7 <= len(digits) <= 9:
                raise InvalidIdentifier(f"{text!r} is not an A-number: A and 7 to 9 digits")
            value = "A" + digits.zfill(9)
        if not _PATTERNS[scheme].fullmatch(value):
            raise InvalidIdentifier(f"{text!r} is not a {scheme.value}")
        owner = _ISSUERS.get(scheme) or issuer.strip().upper().rstrip("<")
        if not owner:
            raise InvalidIdentifier(f"a {scheme.value} needs its issuer")
        if scheme is Scheme.PASSPORT:
            if owner not in ISSUER_OF:
                raise InvalidIdentifier(f"{owner!r} is no ICAO 9303 issuing state")
            owner = ISSUER_OF[owner]
        if not _ISSUER.fullmatch(owner):
            raise InvalidIdentifier(f"{issuer!r} cannot be an issuer")
        return {"scheme": scheme, "issuer": owner, "value": value}

    @property
    def text(self) -> str:
        """`scheme/issuer/value`, unique and stable; the spelling that keys are hashed from."""
        return text_of(self.scheme, self.issuer, self.value)

    @classmethod
    def parse(cls, text: str) -> Identifier:
        """The reverse of `text`; `scheme/value` is enough where the scheme has one issuer. Raises InvalidIdentifier."""
        head, _, rest = text.partition("/")
        try:
            scheme = Scheme(head.lower())
        except ValueError:
            raise InvalidIdentifier(f"{head!r} is no scheme; one of {', '.join(Scheme)}") from None
        issuer, slash, value = rest.rpartition("/")
        return cls.of(scheme, value, issuer if slash else "")


def _unchecked(scheme: Scheme, text: str) -> str:
    """A document's number as it stands in a machine-readable zone (nine places, check digit): less the digit.

    Where the number fills its places nothing tells the digit from the number, and where fillers stand inside it alone
    a digit that is right tells it. Raises InvalidIdentifier.
    """
    if scheme not in (Scheme.PASSPORT, Scheme.VISA) or len(text) != _FIELD_LENGTH or "<" not in text[:-1]:
        return text
    right = text[-1].isdecimal() and all(char == "<" or char.isalnum() for char in text)
    right = right and check_digit(text[:-1]) == text[-1]
    if not right and _FIELD.fullmatch(text):
        raise InvalidIdentifier(f"{text!r}: the check digit is wrong")
    return text[:-1] if right else text


def check_digit(text: str) -> str:
    """The ICAO Doc 9303 part 3 check digit (weights 7-3-1; A=10 .. Z=35; filler 0) of `text`. Raises ValueError."""
    total = 0
    for index, char in enumerate(text.upper()):
        if char == "<":
            number = 0
        elif char.isascii() and char.isalnum():
            number = int(char, 36)
        else:
            raise ValueError(f"{char!r} cannot stand in a machine-readable zone")
        total += number * (7, 3, 1)[index % 3]
    return str(total % 10)
