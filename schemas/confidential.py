"""Codes and words that betray what the law makes confidential, on whatever record they stand.

Asylum and fear of return: 8 CFR 208.6 (refugees by the department's own policy); victims of trafficking and of other
crimes, and abused spouses and children (VAWA): 8 U.S.C. 1367; temporary protection: 8 CFR 244.16. Classes are those of
the Foreign Affairs Manual (9 FAM 502.1-3) and of USCIS's codes for adjustment, categories of work permits those of
8 CFR 274a.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from schemas.events import Handling

_DIGITS = [*map(str, range(10))]


def _classes(*begins: str) -> list[str]:
    return [begin + hyphen + digit for begin in begins for hyphen in ("", "-") for digit in _DIGITS]


CLASSES: dict[str, Handling] = {
    **dict.fromkeys(("AS", "RE", "ASY", "REF", *_classes("AS", "AY", "GA", "RE", "SY")), Handling.ASYLUM),
    **dict.fromkeys(("T", "U", "VAWA"), Handling.PROTECTED),
    **dict.fromkeys(_classes("T", "ST", "U", "SU", "B1", "B2", "B3", "BX", "IB"), Handling.PROTECTED),
    "TPS": Handling.TPS,
}
"""Classes of admission, and of those who became residents from them, with a hyphen and without."""
FACTS: dict[str, Handling] = {
    **dict.fromkeys(("asylum_pending", "asylum_granted", "asylum_referred", "asylum_denied"), Handling.ASYLUM),
    **dict.fromkeys(("tps", "tps_withdrawn"), Handling.TPS),
}
"""Facts that are confidential whether their source marks them or not."""
FORMS: dict[str, Handling] = {
    # asylum, a refugee and his family, credible and reasonable fear
    **dict.fromkeys(("I589", "I730", "I590", "I870", "I899"), Handling.ASYLUM),
    # victims, and a petition that may be an abused spouse's: the form alone does not say
    **dict.fromkeys(("I914", "I918", "I929", "I360"), Handling.PROTECTED),
    "I821": Handling.TPS,
}
"""Forms, with their supplements. I-821D, for deferred action, is none of I-821."""
PERMITS: dict[str, Handling] = {
    **dict.fromkeys(("A03", "A04", "A05", "C08"), Handling.ASYLUM),
    **dict.fromkeys(("A16", "A19", "A20", "C25", "C31"), Handling.PROTECTED),
    **dict.fromkeys(("A12", "C19"), Handling.TPS),
}
"""Categories of work permits: (c)(8) is C08."""
_FORM = re.compile(r"\b(I)[- ]?(\d{3})(?:[- ]?([A-Z]))?\b", re.IGNORECASE)
_PERMIT = re.compile(r"\(?([AC])\)?[- ]?\(?0*(\d{1,2})\)?", re.IGNORECASE)
_WORDS = {
    Handling.ASYLUM: r"ASYLUM|ASYLEES?|REFUGEES?|(?:CREDIBLE|REASONABLE) FEAR|FEAR FOUND|I-?589",
    Handling.PROTECTED: r"VAWA|TRAFFICKING|BATTERED|[TU][ -]?(?:VISA|NONIMMIGRANT)|[TU]-?[1-6] (?:VISA|NONIMMIGRANT)"
    r"|I-?914|I-?918",
    Handling.TPS: r"TEMPORARY PROTECTED STATUS|TPS|I-?821",
}
_FIND = {mark: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for mark, words in _WORDS.items()}
_ANY = re.compile("|".join(pattern.pattern for pattern in _FIND.values()), re.IGNORECASE)


def marks_of(text: str) -> Iterator[Handling]:
    """What a text in plain words betrays."""
    if _ANY.search(text) is not None:
        yield from (mark for mark, pattern in _FIND.items() if pattern.search(text) is not None)


def mark_of_class(admitted: str | None) -> Handling | None:
    """What a class betrays, however it is written."""
    return CLASSES.get(admitted.strip().upper()) if admitted else None


def mark_of_permit(category: str | None) -> Handling | None:
    """What the category of a work permit betrays: C08, C8 or (c)(8)."""
    match = _PERMIT.fullmatch(category.strip()) if category else None
    return PERMITS.get(f"{match[1].upper()}{int(match[2]):02}") if match is not None else None


def marks_of_forms(text: str | None) -> Iterator[Handling]:
    """What the numbers of forms in a text betray, supplements and other spellings included: I-918A, I918."""
    for form in _FORM.finditer(text or ""):
        mark = FORMS.get(f"I{form[2]}")
        if mark is not None and not (mark is Handling.TPS and (form[3] or "").upper() == "D"):
            yield mark


@lru_cache(maxsize=256)
def _marks_of_form(form: str) -> tuple[Handling, ...]:
    return tuple(marks_of_forms(form))


@lru_cache(maxsize=4096)  # a reason is given again and again: a flight, a code
def _marks_of_reason(reason: str) -> tuple[Handling, ...]:
    return (*marks_of(reason), *marks_of_forms(reason))


def marks_of_event(fields: Mapping[str, Any]) -> Iterator[Handling]:
    """What an event's class, fact, form or reason betrays."""
    for name in ("class_of_admission", "requested_class", "granted_class"):
        if (admitted := fields.get(name)) is not None and (mark := CLASSES.get(admitted)) is not None:
            yield mark
    if (fact := fields.get("fact")) is not None and (mark := FACTS.get(fact)) is not None:
        yield mark
    if (form := fields.get("form")) is not None:
        yield from _marks_of_form(form)
    if (reason := fields.get("reason")) is not None:
        yield from _marks_of_reason(reason)
        if fact == "work_authorised" and (mark := mark_of_permit(reason)) is not None:
            yield mark
