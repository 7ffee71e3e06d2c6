"""Documents of travel and bookings as carriers tell them: what they identify, and what is wrong in them."""

from __future__ import annotations

import re
from functools import lru_cache

from adapters.formats.manifest import Document
from adapters.formats.mrz import plain
from schemas.countries import STATES, UNKNOWN_ISSUER
from schemas.identifiers import Identifier, Scheme, Spelling

FOIL = re.compile(r"[A-Z0-9][0-9]{7}")


def visa(foil: str, issuer: str) -> tuple[Spelling | None, tuple[tuple[str, str], ...]]:
    """A visa of the United States, and what is wrong in it; those of other states are nothing to tell."""
    if foil and issuer not in STATES:
        return None, (("LOC+91", f"LOC+91 {issuer[:9]!r} is no state: the visa's issuer is not known"),)
    if not foil or issuer != "USA":
        return None, ()
    if not FOIL.fullmatch(foil):
        return None, (("DOC", "DOC 2.1 is no number of a visa foil"),)
    return Identifier.spelled(Scheme.VISA, foil), ()


@lru_cache(maxsize=4096)  # it is told in the manifest, and again at the close-out
def paper(document: Document) -> tuple[Spelling | None, tuple[tuple[str, str], ...]]:
    """A passport or a visa of the United States, and what is wrong in it: the field and why."""
    kind, number, issuer = document
    if kind == "V":
        return visa(plain(number.upper()), issuer)
    if not number or (kind[:1] != "P" and kind):
        return None, ()
    wrong = [] if kind else [("DOC", "DOC 1.1 is blank: taken for a passport")]
    if issuer not in STATES:
        wrong.append(("LOC+91", f"LOC+91 {issuer[:9]!r} is no state: the passport's issuer is not known"))
        issuer = UNKNOWN_ISSUER
    try:
        return Identifier.spelled(Scheme.PASSPORT, number, issuer), tuple(wrong)
    except ValueError:
        return None, (*wrong, ("DOC", "DOC 2.1 is no number of a passport"))


@lru_cache(maxsize=4096)
def booked(reference: str, company: str) -> Spelling:
    """A booking at a carrier."""
    return Identifier.spelled(Scheme.BOOKING, reference, company)
