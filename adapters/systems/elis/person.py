"""Whom a case is about, and the documents: the details that this project adds to the public shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.converters import code, text
from adapters.fields import Fields
from adapters.mapper import Number, Person
from adapters.text_repair import encoded_once
from schemas.country_codes import NAMES
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, Spelling

GENDER = code({"female": "F", "male": "M", "unknown": None})
AT = "answer/details/"


def country(value: Any, what: str) -> str | None:
    """A state by its full name. Raises ValueError."""
    try:
        return NAMES.state(encoded_once(text(value, what)))
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def gender(value: Any, what: str) -> str | None:
    """Female, Male or Unknown. Raises ValueError."""
    result: str | None = GENDER(text(value, what).lower(), what)
    return result


NUMBERS = (
    Number(Scheme.RECEIPT, "answer/case_status/receiptNumber", needed=True),
    Number(Scheme.A_NUMBER, AT + "aNumber"),
    Number(Scheme.I94, AT + "i94Number"),
)
NAMED = (AT + "lastName", (AT + "firstName", AT + "middleName"), AT + "dateOfBirth", AT + "gender")
PERSON = Person(
    *NAMED, AT + "countryOfCitizenship", NUMBERS, sex_as=gender, citizenship_as=country, name_as=encoded_once
)


def receipt_of(at: Fields) -> str:
    """The receipt of an entry or a case. Raises ValueError."""
    return Identifier.spelled(Scheme.RECEIPT, at.need("receiptNumber", text))["value"]


def documents(details: Fields, action: str) -> Iterator[Spelling]:
    """The passport, and the number of the I-94 that an approval gives; one that is wrong costs itself."""
    number, state = details.optional("passportNumber", text), details.optional("passportCountry", country)
    given = details.optional("newI94Number", text) if action == "approved" else None
    for scheme, name, value in (
        (Scheme.PASSPORT, "passportNumber", number if state else None),
        (Scheme.I94, "newI94Number", given),
    ):
        try:
            if value is not None:
                yield Identifier.spelled(scheme, value, state or "")
        except InvalidIdentifier as error:
            details.lose(name, f"{name}: {error.without_value()}")
