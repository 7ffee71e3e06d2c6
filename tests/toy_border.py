"""A small border system for the tests of what a batch would change: a line is a record that comes, leaves or vouches.

arrive KEY CLASS        somebody came on the first day of the year, until its end
leave KEY MONTH         and left in that month
name KEY                somebody came, told by name and birth alone
marked KEY              somebody came whose record the law keeps confidential
gone KEY                the record of the arrival is taken back
through YEAR            all departures of all ways are told until that year
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toy_source import Files

from adapters.core import BadRecord, Feed, Filtered, Mapped, Note, Origin, Record, System
from schemas.events import (
    Arrival,
    Coverage,
    Departure,
    Evidence,
    Handling,
    Name,
    Operation,
    Revision,
    Subject,
)
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from services.ingest import Source

NAME = "I94"
YEAR = 2025
WAYS = ("air", "land", "sea")


def mapping(read: Record | Note, origin: Origin) -> Mapped | Filtered:
    """What the words mean."""
    word, _, rest = f"{read.fields['word']} {read.fields['key']}".partition(" ")
    key, _, value = rest.partition(" ")
    if word == "through":
        span = {"since": datetime(YEAR - 1, 1, 1, tzinfo=UTC), "through": datetime(int(key), 1, 1, tzinfo=UTC)}
        envelopes = ((way, _envelope(read, origin, f"coverage {key}", way)) for way in WAYS)
        return Mapped([Coverage(**each, scope=f"departure:{way}", **span) for way, each in envelopes])
    if word not in ("arrive", "leave", "name", "marked", "gone"):
        raise BadRecord("no such word", place=read.place, raw=read.raw, record=key)
    record = f"{'out' if word == 'leave' else 'in'} {key}"
    number = Identifier(scheme=Scheme.FIN, value=f"{int(key):09d}", issuer="OBIM")
    subject = Subject(identifiers=(number,), citizenship=("GBR",))
    if word == "name":
        name = Name(family=f"FAMILY{'ABCDEFGHIJ'[int(key) % 10] * 3}", given="JOHANNA" if int(key) < 10 else "JOHANA")
        subject = Subject(names=(name,), birth="1980-02-03", sex="F", citizenship=("GBR",))
    common: dict[str, Any] = _envelope(read, origin, record, "") | {"subject": subject}
    if word == "leave":
        at = Moment.instant(datetime(YEAR, int(value), 5, tzinfo=UTC))
        return Mapped([Departure(**common, occurred_at=at, evidence=Evidence.INSPECTED)])
    if word == "gone":
        common["operation"] = Operation.RETRACT
    handling = (Handling.ASYLUM,) if word == "marked" else ()
    return Mapped(
        [
            Arrival(
                **common,
                occurred_at=Moment.instant(datetime(YEAR, 1, 2, tzinfo=UTC)),
                class_of_admission=value or "B2",
                admitted_until=datetime(YEAR, 6, 30, tzinfo=UTC).date(),
                handling=handling,
            )
        ]
    )


def _envelope(read: Record | Note, origin: Origin, record: str, part: str) -> dict[str, Any]:
    content, number = digest(read.raw), int(origin.batch[:3])
    return {
        "id": event_id(NAME, record, part, number, content, origin.mapping_version),
        "system": NAME,
        "record": record,
        "place": read.place,
        "part": part,
        "revision": Revision(number=number, digest=content),
        "mapping_version": origin.mapping_version,
        "batch": origin.batch,
    }


def border(directory: Path) -> Source:
    """The feed on a folder; files are named 001.txt and so on, and a later one has the later word on a record."""
    feed = Feed("lines", transport=Files([]), mapping=mapping)
    system = System(NAME, "Border", "nobody", 28, ("arrival", "departure"), ("fin",), 1, (feed,))
    return Source(system, feed, str(directory))
