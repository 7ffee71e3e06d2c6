"""I-94: nightly files by copybook to arrivals, departures, extensions and coverage."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files
from itertools import takewhile
from typing import Any, Literal

from adapters.core import Feed, Mapped, Note, Origin, Record, System
from adapters.dates import birth_of, day_of, moment_of
from adapters.formats.control import Control
from adapters.formats.fixed import FixedFormat
from adapters.formats.layout import Choice, FieldError, Layout
from adapters.mapping import chosen, envelope, person, refusing, revision
from adapters.transports.file_drop import open_drop
from schemas.events import Arrival, Coverage, Departure, Extension, Operation, Subject
from schemas.identifiers import Scheme
from schemas.moments import Moment, zone

Fields = Mapping[str, Any]

HERE = files("adapters.systems.i94")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
LAYOUT = Layout.of(
    HERE.joinpath("record.cpy").read_text(),
    choices={
        "RECORD-BODY": Choice("RECORD-TYPE", {"H": "HEADER-BODY", "D": "DETAIL-BODY", "T": "TRAILER-BODY"}),
        "TYPE-DATA": Choice("TXN-TYPE", {"A": "ARRIVAL-DATA", "D": "DEPARTURE-DATA", "X": "EXTENSION-DATA"}),
    },
)
IGNORED = frozenset({"PREVIOUS-SEQUENCE", "OFFICER-ID", "TERMINAL-ID"})
_HEADER = next(item for item in LAYOUT.record.children if item.name == "HEADER-BODY").children
COVERAGE = LAYOUT.record.children[0].size + sum(one.total for one in takewhile(lambda one: not one.occurs, _HEADER))
"""Where the entries of the coverage begin in a header: its one table."""
ENTRY = next(one.size for one in _HEADER if one.occurs)
"""Bytes of an entry."""
RECORDS = 10**7
"""More than a file has records: file sequence and place in the file make one number."""


def silent(detail: Fields) -> list[str]:
    """Which other fields say nothing in this record, whatever is in them."""
    found: list[str] = []
    if detail.get("TXN-TYPE") == "X":
        found += ["MODE-CODE", "CARRIER-CODE", "CONVEYANCE"]
    if detail.get("EVENT-TIME") == 999999:
        found.append("EVENT-FOLD")
    if "ARRIVAL-DATA" in detail and detail["ARRIVAL-DATA"]["ADMITTED-KIND"] in ("S", ""):
        found.append("ADMITTED-UNTIL")
    if "EXTENSION-DATA" in detail and detail["EXTENSION-DATA"]["GRANTED-KIND"] == "S":
        found.append("GRANTED-UNTIL")
    return found


def matters(fields: Fields, wrong: FieldError) -> bool:
    """Whether a field that cannot be read says anything where it stands."""
    count = fields.get("COVERAGE-COUNT")
    if count is not None and wrong.name in ("COVERAGE-SCOPE", "COVERAGE-SINCE", "COVERAGE-THROUGH"):
        return bool((wrong.offset - COVERAGE) // ENTRY < count)
    return wrong.name not in IGNORED and wrong.name not in silent(fields)


def content(detail: Fields) -> Fields:
    """All that is read of the record, as if there were nothing in what is ignored."""
    said = {name: value for name, value in detail.items() if name not in IGNORED}
    for name in silent(detail):
        if name in said:
            said[name] = ""
        else:
            part = "ARRIVAL-DATA" if "ARRIVAL-DATA" in said else "EXTENSION-DATA"
            said[part] = said[part] | {name: 0}
    return said


def coverages(header: Fields) -> list[tuple[str, datetime, datetime]]:
    """Scope, since, through of the entries in use. Raises ValueError."""
    found = []
    for entry in header["COVERAGE"][: header["COVERAGE-COUNT"]]:
        scope = chosen(CODES["scopes"], entry["COVERAGE-SCOPE"], "COVERAGE-SCOPE")
        since, through = (moment_of(entry[name], name) for name in ("COVERAGE-SINCE", "COVERAGE-THROUGH"))
        if through < since:
            raise ValueError(f"coverage of {scope} runs backwards")
        found.append((scope, since, through))
    return found


def check(header: Fields) -> None:
    """Whether it is the header of a file of this interface. Raises ValueError."""
    if (header["INTERFACE-ID"], header["INTERFACE-VERSION"]) != ("CBPI94", 100):
        raise ValueError(f"interface {header['INTERFACE-ID']!r} {header['INTERFACE-VERSION']:04}, not 'CBPI94' 0100")
    if header["FILE-SEQUENCE"] < 1 or header["COVERAGE-COUNT"] > 6:
        raise ValueError("FILE-SEQUENCE is from 1, COVERAGE-COUNT up to 6")
    day_of(header["FILE-DATE"], "FILE-DATE")
    moment_of(header["CREATED-AT"], "CREATED-AT")
    coverages(header)


FORMAT = FixedFormat(
    layout=LAYOUT,
    length=250,
    kind="RECORD-TYPE",
    header="H",
    detail="D",
    trailer="T",
    same=("FILE-SEQUENCE", "TRAILER-SEQUENCE"),
    controls=(
        Control("DETAIL-COUNT"),
        Control("ARRIVAL-COUNT", where=("TXN-TYPE", "A")),
        Control("DEPARTURE-COUNT", where=("TXN-TYPE", "D")),
        Control("EXTENSION-COUNT", where=("TXN-TYPE", "X")),
        Control("HASH-TOTAL", of="TXN-NUMBER", modulo=10**17),
    ),
    check=check,
    matters=matters,
)


def subject(detail: Fields) -> Subject:
    """What the record claims about the person. Raises ValueError."""
    return person(
        family=detail["FAMILY-NAME"],
        given=detail["GIVEN-NAME"],
        birth=birth_of(detail["BIRTH-DATE"], "BIRTH-DATE"),
        sex=detail["SEX-CODE"],
        citizenship=detail["CITIZENSHIP"],
        identifiers=(
            (Scheme.I94, detail["I94-NUMBER"], None),
            (Scheme.PASSPORT, detail["PASSPORT-NUMBER"], detail["PASSPORT-STATE"]),
            (Scheme.VISA, detail["VISA-FOIL"], None),
        ),
    )


def moment(detail: Fields) -> Moment:
    """Date and time local to the port. Raises ValueError."""
    _, place = chosen(CODES["ports"], detail["PORT-CODE"], "PORT-CODE")
    if detail["EVENT-TIME"] == 999999:
        return Moment.whole_day(day_of(detail["EVENT-DATE"], "EVENT-DATE"), place)
    if detail["EVENT-FOLD"] not in ("", "1", "2"):
        raise ValueError(f"EVENT-FOLD {detail['EVENT-FOLD']!r}")
    local = moment_of(detail["EVENT-DATE"] * 10**6 + detail["EVENT-TIME"], "EVENT-DATE and EVENT-TIME")
    local = local.replace(tzinfo=zone(place), fold=detail["EVENT-FOLD"] == "2")
    return Moment.instant(local, place)


def until(kind: str, value: int, what: str) -> date | Literal["D/S"] | None:
    """The end of a period. Raises ValueError."""
    if kind not in ("D", "S", ""):
        raise ValueError(f"kind of period {kind!r}, one of D, S or blank expected")
    return day_of(value, what) if kind == "D" else "D/S" if kind == "S" else None


def grade(code: str) -> str | None:
    """The class, which the canonical events spell as this interface does. Raises ValueError."""
    if code:
        chosen(CODES["classes"], code, "class")
    return code or None


@refusing
def events(entry: Record | Note, origin: Origin) -> Mapped:
    """The canonical event of a detail; the coverage that a right trailer vouches for."""
    if isinstance(entry, Note):
        return coverage(entry, origin) if "trailer" in entry.fields else ()
    detail = entry.fields["detail"]
    if detail["TXN-NUMBER"] < 1:
        raise ValueError("TXN-NUMBER is zero")
    number = entry.fields["header"]["FILE-SEQUENCE"] * RECORDS + entry.fields["number"]
    record = f"{detail['TXN-NUMBER']:011}"
    fields = envelope(
        entry,
        origin,
        record,
        revision(number, content(detail)),
        recorded_at=moment_of(detail["LAST-UPDATED"], "LAST-UPDATED"),
    ) | {
        "occurred_at": moment(detail),
        "subject": subject(detail),
    }
    action = detail["TXN-ACTION"]
    if action not in ("N", "C", "D"):
        raise ValueError(f"TXN-ACTION {action!r}, one of N, C, D expected")
    if action == "D":
        fields["operation"] = Operation.RETRACT
    if "EXTENSION-DATA" in detail:
        return (extension(detail["EXTENSION-DATA"], fields),)
    fields |= {
        "port": detail["PORT-CODE"],
        "mode": chosen(CODES["modes"], detail["MODE-CODE"], "MODE-CODE"),
        "carrier": detail["CARRIER-CODE"] or None,
        "conveyance": detail["CONVEYANCE"] or None,
    }
    if "DEPARTURE-DATA" in detail:
        code = detail["DEPARTURE-DATA"]["EVIDENCE-CODE"]
        return (Departure.model_validate(fields | {"evidence": chosen(CODES["evidences"], code, "EVIDENCE-CODE")}),)
    return (arrival(detail, fields),)


def arrival(detail: Fields, fields: dict[str, Any]) -> Arrival:
    """An application for admission and what came of it. Raises ValueError."""
    said = detail["ARRIVAL-DATA"]
    inspection = chosen(CODES["inspections"], said["INSPECTION-CODE"], "INSPECTION-CODE")
    if said["INSPECTION-CODE"] in "AP" and not (detail["I94-NUMBER"] and said["ADMISSION-CLASS"]):
        raise ValueError("an admission or parole without I94-NUMBER or ADMISSION-CLASS")
    return Arrival.model_validate(
        fields
        | {
            "inspection": inspection,
            "class_of_admission": grade(said["ADMISSION-CLASS"]),
            "admitted_until": until(said["ADMITTED-KIND"], said["ADMITTED-UNTIL"], "ADMITTED-UNTIL"),
        }
    )


def extension(said: Fields, fields: dict[str, Any]) -> Extension:
    """A period that CBP itself made longer. Raises ValueError."""
    if not said["GRANTED-KIND"]:
        raise ValueError("GRANTED-KIND is blank")
    granted = grade(said["GRANTED-CLASS"])
    return Extension.model_validate(
        fields
        | {
            "receipt": fields["record"],
            "form": "I-94",
            "asks": "change_class" if granted else "extend",
            "action": "approved",
            "granted_class": granted,
            "granted_until": until(said["GRANTED-KIND"], said["GRANTED-UNTIL"], "GRANTED-UNTIL"),
            "valid_from": day_of(said["VALID-FROM"], "VALID-FROM") if said["VALID-FROM"] else None,
        }
    )


def coverage(note: Note, origin: Origin) -> list[Coverage]:
    """What the file is complete for. The header was checked when it was read."""
    header = note.fields["header"]
    number = header["FILE-SEQUENCE"] * RECORDS
    found = []
    for scope, since, through in coverages(header):
        record = f"{header['FILE-DATE']:08}.{header['FILE-SEQUENCE']:06} {scope}"
        which = revision(number, {"since": since, "through": through, "made": header["CREATED-AT"]})
        fields = envelope(note, origin, record, which, recorded_at=moment_of(header["CREATED-AT"], "CREATED-AT"))
        found.append(Coverage.model_validate(fields | {"scope": scope, "since": since, "through": through}))
    return found


ADAPTER = System(
    name="I94",
    title="I-94, admissions and departures",
    owner="CBP",
    number=3,
    emits=("arrival", "departure", "extension"),
    identifiers=("i94", "passport", "visa"),
    mapping_version=1,
    feeds=(
        Feed(
            name="nightly",
            transport=open_drop,
            mapping=events,
            format=FORMAT,
            options={"pattern": "I94.D????????.S??????"},
        ),
    ),
)
