"""CIS: the index of A-files, a full extract every night, to statuses; a copy of what others decided."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from typing import Any

from adapters.converters import (
    code,
    country,
    digits_day,
    digits_instant,
    month_first_birth,
    month_first_day,
    symbol,
    text,
    whole_day,
)
from adapters.core import Feed, System
from adapters.fields import Converter, Fields
from adapters.formats.control import Control
from adapters.formats.fixed import FixedFormat
from adapters.formats.layout import Choice, Layout
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.file_drop import FileDrop
from adapters.transports.snapshot import Snapshot, number_of
from schemas.confidential import mark_of_class, mark_of_permit
from schemas.countries import UNKNOWN_ISSUER
from schemas.country_codes import INS_ALPHA
from schemas.events import Handling, Name, Status, Subject
from schemas.identifiers import Scheme
from schemas.ports import port

HERE = files("adapters.systems.cis")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
KIND = code(CODES["kinds"])
WASHINGTON = "America/New_York"
ALIEN = Number(Scheme.A_NUMBER, "A-NUMBER", needed=True)
PERSON = Person(
    "LAST-NAME",
    ("FIRST-NAME", "MIDDLE-NAME"),
    "BIRTH-DATE",
    "SEX",
    "CITIZENSHIP-COUNTRY",
    (
        ALIEN,
        Number(Scheme.FIN, "FIN"),
        Number(Scheme.I94, "I94-NUMBER"),
        Number(Scheme.PASSPORT, "PASSPORT", issued_by=UNKNOWN_ISSUER),
        Number(Scheme.FBI, "FBI-NUMBER"),
    ),
    birth_as=month_first_birth,
    citizenship_as=country(INS_ALPHA),
)
BODIES = Choice("RECORD-TYPE", {"H": "HEADER-BODY", "D": "DETAIL-BODY", "T": "TRAILER-BODY"})
KINDS = Choice("RECORD-KIND", {"I": "IMMIGRANT-DATA", "E": "EAD-DATA", "B": "CARD-DATA", "P": "PETITION-DATA"})
_KEY = re.compile(r"[0-9]{9}")


def check(header: Fields) -> None:
    """Check that it is the header of an extract of this interface. Raises ValueError."""
    for name, expected in (("INTERFACE-ID", "USCISCIS"), ("INTERFACE-VERSION", 100)):
        if header[name] != expected:
            raise ValueError(f"{name} {header[name]!r}, {expected!r} expected")
    if not header["EXTRACT-SEQUENCE"]:
        raise ValueError("EXTRACT-SEQUENCE is zero")


def key(row: Fields) -> str:
    """The A-number. Raises ValueError."""
    if not _KEY.fullmatch(text(row["A-NUMBER"], "A-NUMBER")):
        raise ValueError("A-NUMBER is not nine digits")
    return f"A{row['A-NUMBER']}"


def subject(row: Fields) -> Subject:
    """Whom the file is about, by all names and numbers. Raises ValueError."""
    who = PERSON.of(row)
    known = list(who.names)
    for at, family, given in (
        (row, "ALIAS-LAST-NAME", "ALIAS-FIRST-NAME"),
        *((each, "MORE-LAST-NAME", "MORE-FIRST-NAME") for each in row.groups("MORE-ALIASES")),
    ):
        names = {"family": at.text(family) or at.text(given) or "", "given": at.text(given) or ""}
        if names["family"]:
            known.append(Name(**names if at.text(family) else names | {"given": ""}))
    return who.model_copy(update={"names": tuple(dict.fromkeys(known))})


def opened(row: Fields) -> dict[str, Any]:
    """When the file was opened, and what kind it is. Raises ValueError."""
    kind, office = row.need("RECORD-KIND", KIND), row.optional("FCO", symbol)
    reason = f"{kind} at {office}" if office else kind
    return {
        "occurred_at": whole_day(row.need("DATE-FILE-OPEN", month_first_day), WASHINGTON),
        "fact": "file_opened",
        "reason": reason,
    }


def if_set(convert: Converter[date]) -> Converter[date | None]:
    """A day; zero is none."""

    def converted(value: Any, what: str) -> date | None:
        return convert(value, what) if value != 0 else None

    return converted


DAY, DAY_MONTH_FIRST = if_set(digits_day), if_set(month_first_day)


def facts(row: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the row tells besides the file, by part. Raises ValueError."""
    entered = row.optional("DATE-OF-ENTRY", DAY_MONTH_FIRST)
    if entered is not None:
        at = port(row.text("PORT-OF-ENTRY") or "")
        zone = at.zone if at is not None and at.zone else WASHINGTON
        reason = f"entry at {at.code}" if at is not None else "entry"
        yield "entry", {"occurred_at": whole_day(entered, zone), "fact": "encounter", "reason": reason}
    if (immigrant := row.group("IMMIGRANT-DATA")) is not None:
        for part, name, fact in (
            ("resident", "RESIDENT-SINCE", "permanent_resident"),
            ("citizen", "NATURALISED-ON", "naturalised"),
        ):
            since = immigrant.optional(name, DAY)
            if since is not None:
                yield part, {"occurred_at": whole_day(since, WASHINGTON), "fact": fact}
    if (permit := row.group("EAD-DATA")) is not None:
        since, until = permit.optional("EAD-FROM", DAY), permit.optional("EAD-UNTIL", DAY)
        if since is not None:
            fields = {"fact": "work_authorised", "until": until, "reason": permit.optional("EAD-CATEGORY", symbol)}
            yield "work", {"occurred_at": whole_day(since, WASHINGTON), **fields}
    for number, move in enumerate(row.groups("FILE-MOVES"), 1):
        if to := move.optional("MOVED-TO", symbol):
            moved = move.optional("MOVED-ON", DAY)
            if moved is not None:
                fields = {"fact": "file_moved", "reason": to}
                yield f"move-{number}", {"occurred_at": whole_day(moved, WASHINGTON), **fields}


def says(row: Fields) -> Iterator[Says]:
    """That there is a file, and what it tells. Raises ValueError."""
    common: dict[str, Any] = {"subject": subject(row)}
    system, record = row.optional("SOURCE-SYSTEM", symbol), row.optional("SOURCE-RECORD", text)
    if system is not None and record is not None:
        common["origin"] = {"system": system, "record": record}
    admitted = {"class_of_admission": row.optional("CLASS-OF-ADMISSION", symbol)}
    yield Says(Status, common | admitted | opened(row), part="file")
    for part, fields in facts(row):
        yield Says(Status, common | fields, part=part)


def gone(row: Fields) -> Iterator[Says]:
    """A file that the index has no more. Raises ValueError."""
    yield Says(Status, opened(row) | {"subject": Person(numbers=(ALIEN,)).of(row)}, part="file")


def handling(row: Fields) -> Iterator[Handling]:
    """What the class, the category of a permit, or the system that it comes from betrays."""
    permit = row.group("EAD-DATA")
    if (mark := mark_of_class(row.text("CLASS-OF-ADMISSION"))) is not None:
        yield mark
    if permit is not None and (mark := mark_of_permit(permit.text("EAD-CATEGORY"))) is not None:
        yield mark
    if row.text("SOURCE-SYSTEM") == "RAPS":
        yield Handling.ASYLUM


FORMAT = FixedFormat(
    layout=Layout.of(HERE.joinpath("record.cpy").read_text(), choices={"RECORD-BODY": BODIES, "KIND-DATA": KINDS}),
    length=900,
    kind="RECORD-TYPE",
    same=("EXTRACT-SEQUENCE", "TRAILER-SEQUENCE"),
    controls=(Control("DETAIL-COUNT"), Control("IMMIGRANT-COUNT", where=("RECORD-KIND", "I"))),
    check=check,
)
MAPPING = Mapper(
    key=key,
    version=number_of,
    recorded=lambda row: row.need("LAST-UPDATED", digits_instant),
    handling=handling,
    says=says,
    gone=gone,
)
EXTRACT = Snapshot(
    FileDrop(pattern="CIS.D????????.S?????????"),
    key=key,
    keep=("A-NUMBER", "RECORD-KIND", "DATE-FILE-OPEN", "FCO", "CLASS-OF-ADMISSION", "SOURCE-SYSTEM"),
    sequence=lambda header, name: int(header["EXTRACT-SEQUENCE"]),
)
ADAPTER = System(
    "CIS",
    title="CIS, the index of A-files",
    owner="USCIS",
    number=17,
    emits=("status",),
    covers=(),
    facts=("encounter", "file_moved", "file_opened", "naturalised", "permanent_resident", "work_authorised"),
    identifiers=("a_number", "fin", "i94", "passport", "fbi"),
    mapping_version=1,
    feeds=(Feed("nightly", EXTRACT, MAPPING, FORMAT),),
)
