"""What an application asks for and is granted, by actions (REQUESTED_ACTION) and classes in the agency's own codes."""

from __future__ import annotations

from typing import Any

from adapters.converters import code, day, day_or_status, symbol, text
from adapters.fields import Fields
from adapters.mapper import Person
from schemas.events import Subject

FORMS = {"I-539": "extend", "I-129": "extend", "I-485": "adjust"}
"""What a form asks for. Those in no system's table move no stay."""

CONSULATE = "A"
"""Notify a consulate: nobody in the country stays longer or otherwise by it."""
asks = code({"B": "change_class", "F": "change_class", "C": "extend", "D": "extend", "E": "extend", CONSULATE: None})
"""What a code asks for, None for a notice to a consulate. Raises ValueError for any other."""
CLASSES = {"1B1": "H1B", "1B2": "H1B", "1B3": "H1B", "HSC": "H1B1"}
"""Classes in codes of the agency's own."""


def plain_class(value: Any, what: str) -> str:
    """A class as canonical events have it: capitals, without the hyphen, by the one name. Raises ValueError."""
    plain = symbol(text(value, what).upper().replace("-", ""), what)
    return CLASSES.get(plain, plain)


def consular(said: Fields, form: str, action: str) -> str | None:
    """The rule that leaves out a petition whose action, in a field, is a notice to a consulate alone."""
    asks_notice = form == "I-129" and said.optional(action, text) == CONSULATE
    return "consular-notification" if asks_notice else None


def asked(said: Fields, form: str, action: str, current: str | None, requested: str | None) -> str:
    """What an application asks for: by its form, the action in a field, and the classes."""
    if FORMS[form] != "extend":
        return FORMS[form]
    return said.optional(action, asks) or ("change_class" if requested not in (None, current) else "extend")


def granted(said: Fields, admitted: str, until: str, begins: str) -> dict[str, Any]:
    """What was granted, by the fields of the class, of the end and of the first day."""
    return {
        "granted_class": said.optional(admitted, plain_class),
        "granted_until": said.optional(until, day_or_status),
        "valid_from": said.optional(begins, day),
    }


def applicant(person: Person, said: Fields) -> Subject:
    """Whom an application is about. Raises ValueError where its receipt alone tells it."""
    who = person.of(said)
    if len(who.identifiers) == 1 and not who.names:
        raise ValueError("a receipt alone: neither name nor identifier of a person")
    return who
