"""What mappings share: the envelope's derived fields, the person, and a value that does not fit told as a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from pydantic import ValidationError

from adapters.core import BadRecord, Filtered, Mapped, Mapping_, Note, Origin, Record
from schemas.events import AnyEvent, Revision, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment

Envelope = dict[str, Any]


def as_bad_record(mapping: Callable[[Record | Note, Origin], Sequence[AnyEvent] | Filtered]) -> Mapping_:
    """The mapping with ValueError (and so pydantic's) turned into BadRecord, its place and bytes kept."""

    @wraps(mapping)
    def careful(entry: Record | Note, origin: Origin) -> Mapped | Filtered:
        try:
            found = mapping(entry, origin)
            return found if isinstance(found, Filtered) else Mapped(found)
        except ValueError as error:
            raise BadRecord(_reason(error), place=entry.place, raw=entry.raw) from None

    return careful


def _reason(error: ValueError) -> str:
    """Names the field and what is wrong, not the person: reasons go into logs and receipts."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


def revision(number: int, content: Mapping[str, Any]) -> Revision:
    """The revision of that number; its digest is over all that the mapping reads."""
    return Revision(number=number, digest=digest(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=_told)))


def _told(value: Any) -> str:
    """What JSON cannot hold, as `str` tells it. Digests are made of it, and of moments pydantic's own is slow."""
    if type(value) is Moment:
        return f"precision={value.precision!r} zone={value.zone!r} at={value.at!r} day={value.day!r}"
    return str(value)


def envelope(
    entry: Record | Note,
    origin: Origin,
    record: str,
    revision: Revision,
    *,
    part: str = "",
    recorded_at: datetime | None = None,
) -> Envelope:
    """The fields that every event of a record has alike, the id among them."""
    return {
        "id": event_id(origin.system, record, part, revision.number, revision.digest, origin.mapping_version),
        "system": origin.system,
        "record": record,
        "place": entry.place[:200],
        "part": part,
        "revision": revision,
        "mapping_version": origin.mapping_version,
        "batch": origin.batch[:200],
        "recorded_at": recorded_at,
    }


def lookup(table: Mapping[str, Any], code: str, what: str) -> Any:
    """What a code of a table means. Raises ValueError."""
    if code not in table:
        raise ValueError(f"{what}: {code!r} is in no code table")
    return table[code]


def person(
    *,
    family: str | None,
    given: str | None,
    birth: str | None,
    sex: str | None,
    citizenship: str | None,
    identifiers: Iterable[tuple[Scheme, str | None, str | None]],
) -> Subject:
    """The subject of a record. Blank and absent are the same; a single name stands in the family name.

    Identifiers are scheme, text and issuer, left out where both are absent. Raises ValueError.
    """
    names = [{"family": family or given, "given": given or "" if family else ""}] if family or given else []
    return Subject.model_validate(
        {
            "names": names,
            "birth": birth or None,
            "sex": sex or None,
            "citizenship": [citizenship] if citizenship else [],
            "identifiers": [
                Identifier.spelled(scheme, text or "", issuer or "")
                for scheme, text, issuer in identifiers
                if text or issuer
            ],
        }
    )
