"""What mappings share: the envelope's derived fields, and a value that does not fit told as a refused record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import wraps
from typing import Any

import orjson
from pydantic import ValidationError

from adapters.core import BadRecord, Mapped, Mapping_, Note, Origin, Record
from schemas.events import Revision
from schemas.ids import digest, event_id

Envelope = dict[str, Any]


def refusing(mapping: Mapping_) -> Mapping_:
    """The mapping with ValueError (and so pydantic's) turned into BadRecord, its place and bytes kept."""

    @wraps(mapping)
    def careful(entry: Record | Note, origin: Origin) -> Mapped:
        try:
            return mapping(entry, origin)
        except ValueError as error:
            raise BadRecord(_reason(error), place=entry.place, raw=entry.raw) from None

    return careful


def _reason(error: ValueError) -> str:
    """Names the field and what is wrong, not the person: reasons go into logs and receipts."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def revision(number: int, content: Mapping[str, Any]) -> Revision:
    """The revision of that number; its digest is over all that the mapping reads."""
    return Revision(number=number, digest=digest(orjson.dumps(content, option=orjson.OPT_SORT_KEYS, default=str)))


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


def chosen(table: Mapping[str, Any], code: str, what: str) -> Any:
    """What a code of a table means. Raises ValueError."""
    if code not in table:
        raise ValueError(f"{what}: {code!r} is in no code table")
    return table[code]
