"""EOIR: cases, proceedings and appeals of the courts to statuses. Transfers are no ends, orders no departures."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from adapters.converters import choice, code, country, day, whole_day
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.tables import TABLE, Table, TabTables, disagreements
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.file_drop import FileDrop
from adapters.transports.snapshot import Snapshot, number_of
from schemas.country_codes import EOIR
from schemas.events import Handling, Status, Subject
from schemas.identifiers import Scheme

CODES: dict[str, Any] = tomllib.loads(files("adapters.systems.eoir").joinpath("codes.toml").read_text())
DECISIONS: dict[str, dict[str, str]] = CODES["decisions"]
COMPLETION, APPEAL = code(CODES["completions"]), code(CODES["appeals"])
CASE_TYPE = code({case_type: case_type for case_type in DECISIONS})
OFFICE = "America/New_York"
LETTER, NATION = r"[A-Z0-9]", r"[A-Z?<>]{2,3}"
"""Forms of codes in the tables."""
CHARGED = ("RMV", "DEP", "EXC")
FEARS = ("AOC", "WHO", "CFR", "RFR")
CASE = Table(
    "A_TblCase",
    key="IDNCASE",
    columns=tuple(
        """IDNCASE ALIEN_CITY ALIEN_STATE ALIEN_ZIPCODE UPDATED_ZIPCODE UPDATED_CITY NAT LANG CUSTODY SITE_TYPE
        E_28_DATE ATTY_NBR CASE_TYPE UPDATE_SITE LATEST_HEARING LATEST_TIME LATEST_CAL_TYPE UP_BOND_DATE UP_BOND_RSN
        CORRECTIONAL_FAC RELEASE_MONTH RELEASE_YEAR INMATE_HOUSING DATE_OF_ENTRY C_ASY_TYPE C_BIRTHDATE C_RELEASE_DATE
        UPDATED_STATE ADDRESS_CHANGEDON ZBOND_MRG_FLAG SEX DATE_DETAINED DATE_RELEASED LPR DETENTION_DATE
        DETENTION_LOCATION DCO_LOCATION DETENTION_FACILITY_TYPE CASEPRIORITY_CODE A_NUMBER LAST_NAME
        FIRST_NAME""".split()
    ),
    dates=("E_28_DATE", "LATEST_HEARING", "DATE_OF_ENTRY", "ADDRESS_CHANGEDON", "DATE_DETAINED", "DATE_RELEASED"),
    codes={"ALIEN_STATE": r"[A-Z]{2}", "ALIEN_ZIPCODE": r"[`0-9-]{3,11}", "NAT": NATION, "CUSTODY": LETTER,
           "CASE_TYPE": r"[A-Z]{3}", "SEX": LETTER, "C_ASY_TYPE": LETTER, "C_BIRTHDATE": r"[0-9]{1,2}/[0-9]{4}",
           "A_NUMBER": r"A[0-9]{7,9}"},
    texts=("ALIEN_CITY", "UPDATED_CITY", "LAST_NAME", "FIRST_NAME"),
    needs=("IDNCASE", "ALIEN_CITY", "NAT", "CASE_TYPE", "C_ASY_TYPE", "DATE_DETAINED", "DATE_RELEASED"),
)  # fmt: skip
PROCEEDING = Table(
    "B_TblProceeding",
    key="IDNPROCEEDING",
    columns=tuple(
        """IDNPROCEEDING IDNCASE OSC_DATE INPUT_DATE BASE_CITY_CODE HEARING_LOC_CODE IJ_CODE TRANS_IN_DATE
        PREV_HEARING_LOC PREV_HEARING_BASE PREV_IJ_CODE TRANS_NBR HEARING_DATE HEARING_TIME DEC_TYPE DEC_CODE DEPORTED_1
        DEPORTED_2 OTHER_COMP APPEAL_RSVD APPEAL_NOT_FILED COMP_DATE ABSENTIA VENUE_CHG_GRANTED TRANSFER_TO
        DATE_APPEAL_DUE_STATUS TRANSFER_STATUS CUSTODY CASE_TYPE NAT LANG SCHEDULED_HEAR_LOC CORRECTIONAL_FAC CRIM_IND
        IHP AGGRAVATE_FELON DATE_DETAINED DATE_RELEASED A_NUMBER LAST_NAME FIRST_NAME""".split()
    ),
    dates=("OSC_DATE", "INPUT_DATE", "TRANS_IN_DATE", "HEARING_DATE", "COMP_DATE", "VENUE_CHG_GRANTED",
           "DATE_APPEAL_DUE_STATUS", "DATE_DETAINED", "DATE_RELEASED"),
    codes={"IDNCASE": r"[0-9]+", "DEC_TYPE": LETTER, "DEC_CODE": LETTER, "DEPORTED_1": NATION,
           "DEPORTED_2": NATION, "OTHER_COMP": LETTER, "APPEAL_RSVD": LETTER, "APPEAL_NOT_FILED": LETTER,
           "ABSENTIA": LETTER, "TRANSFER_STATUS": LETTER, "CUSTODY": LETTER, "CASE_TYPE": r"[A-Z]{3}",
           "NAT": NATION, "A_NUMBER": r"A[0-9]{7,9}"},
    texts=("LAST_NAME", "FIRST_NAME"),
    needs=("IDNPROCEEDING", "IDNCASE", "OSC_DATE", "DEC_CODE", "OTHER_COMP", "COMP_DATE", "CASE_TYPE", "NAT"),
)  # fmt: skip
APPEALS = Table(
    "tblAppeal",
    key="IDNAPPEAL",
    columns=tuple(
        """IDNAPPEAL IDNCASE IDNPROCEEDING STRAPPEALCATEGORY STRAPPEALTYPE DATAPPEALFILED STRFILEDBY DATATTORNEYE27
        DATBIADECISION STRBIADECISION STRBIADECISIONTYPE STRCASETYPE STRLANG STRNAT STRPROCEEDINGIHP STRCUSTODY
        STRPROBONO A_NUMBER""".split()
    ),
    dates=("DATAPPEALFILED", "DATATTORNEYE27", "DATBIADECISION"),
    codes={"IDNCASE": r"[0-9]+", "IDNPROCEEDING": r"[0-9]+", "STRAPPEALCATEGORY": r"[A-Za-z]{2}",
           "STRFILEDBY": LETTER, "STRBIADECISION": r"\S{3}", "STRBIADECISIONTYPE": LETTER,
           "STRCASETYPE": r"[A-Z]{3}", "STRNAT": NATION, "A_NUMBER": r"A[0-9]{7,9}"},
    needs=("IDNAPPEAL", "IDNCASE", "STRAPPEALTYPE", "DATAPPEALFILED", "STRFILEDBY", "STRBIADECISION", "STRCASETYPE"),
)  # fmt: skip
TABLES = (CASE, PROCEEDING, APPEALS)
NUMBERS = (
    Number(Scheme.CASE, "IDNCASE", issued_by="EOIR", needed=True),
    Number(Scheme.A_NUMBER, "A_NUMBER"),
)
_MONTH = re.compile(r"0?([1-9]|1[0-2])/([0-9]{4})")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?: [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)?")


def month(value: Any, what: str) -> str:
    """The month of birth, M/YYYY, as YYYY-MM. Raises ValueError."""
    known = _MONTH.fullmatch(value)
    if known is None:
        raise ValueError(f"{what} is no month")
    return f"{known[2]}-{int(known[1]):02}"


def sex(value: Any, what: str) -> str | None:
    """F or M; N and U say nothing. Raises ValueError."""
    if value not in ("F", "M", "N", "U"):
        raise ValueError(f"{what} is not F, M, N or U")
    return value if value in ("F", "M") else None


def moment_day(value: Any, what: str) -> date:
    """The day of a moment. Raises ValueError."""
    known = _DAY.fullmatch(value)
    if known is None:
        raise ValueError(f"{what} {value!r} is no day")
    return day(known[1], what)


NATIONALITY = country(EOIR)
OF_CASE = Person(
    "LAST_NAME", ("FIRST_NAME",), "C_BIRTHDATE", "SEX", "NAT", NUMBERS, birth_as=month, sex_as=sex,
    citizenship_as=NATIONALITY,
)  # fmt: skip
OF_PROCEEDING = Person("LAST_NAME", ("FIRST_NAME",), citizenship="NAT", numbers=NUMBERS, citizenship_as=NATIONALITY)
NUMBERED = Person(numbers=NUMBERS)


def key(row: Fields) -> str:
    """The table and the number of its row. Raises ValueError."""
    table = next((each for each in TABLES if each.name == row.text(TABLE)), None)
    if table is None or not (number := row.text(table.key)):
        raise ValueError("a row of no table, or without its number")
    return f"{table.name}/{number}"


def case(row: Fields) -> Iterator[Says]:
    """Custody. Raises ValueError."""
    row.need("CASE_TYPE", CASE_TYPE)
    who = OF_CASE.of(row)
    for column, fact in (("DATE_DETAINED", "detained"), ("DATE_RELEASED", "released")):
        on = row.present(column, moment_day)
        if on is not None:
            yield _said(who, fact, on, None, fact)


def proceeding(row: Fields) -> Iterator[Says]:
    """The charge, and the decision if it is one that holds. Raises ValueError."""
    case_type, who = row.need("CASE_TYPE", CASE_TYPE), OF_PROCEEDING.of(row)
    charged = row.optional("OSC_DATE", moment_day, event=True)
    if charged is not None and case_type in CHARGED:
        yield _said(who, "proceedings_started", charged, case_type, "started")
    name = "DEC_CODE" if row.text("DEC_CODE") else "OTHER_COMP"
    fact = row.optional(name, code(DECISIONS[case_type]) if name == "DEC_CODE" else COMPLETION)
    if not fact:
        return
    on = row.need("COMP_DATE", moment_day)
    reserved = row.text("APPEAL_RSVD") in ("A", "B") and row.optional("APPEAL_NOT_FILED", choice("Y", "N")) != "Y"
    if reserved and fact in ("removal_order", "asylum_denied"):
        return  # it is not final
    absent = " absentia" if row.text("ABSENTIA") == "Y" else ""
    yield _said(who, fact, on, f"{case_type} {row.text(name)}{absent}", "decision")


def appeal(row: Fields) -> Iterator[Says]:
    """A stay of removal by the appeal, and what the Board decides. Raises ValueError."""
    case_type, who = row.need("STRCASETYPE", CASE_TYPE), NUMBERED.of(row)
    if row.text("STRFILEDBY") not in ("A", "B") or case_type not in CHARGED:
        return
    filed = row.optional("DATAPPEALFILED", moment_day, event=True)
    if filed is not None:
        yield _said(who, "removal_stayed", filed, f"{case_type} appeal", "filed")
    fact = row.optional("STRBIADECISION", APPEAL)
    if fact:
        on = row.need("DATBIADECISION", moment_day)
        yield _said(who, fact, on, f"{case_type} appeal {row.text('STRBIADECISION')}", "decision")


def _said(who: Subject, fact: str, on: date, reason: str | None, part: str) -> Says:
    why = "after-proceedings" if fact == "voluntary_departure" else reason
    return Says(Status, {"occurred_at": whole_day(on, OFFICE), "subject": who, "fact": fact, "reason": why}, part)


KINDS: Mapping[str, tuple[Callable[[Fields], Iterator[Says]], str]] = {
    CASE.name: (case, "no-custody"),
    PROCEEDING.name: (proceeding, "no-effect"),
    APPEALS.name: (appeal, "no-effect"),
}


def says(row: Fields) -> Iterable[Says] | Filtered:
    """What a row tells, or the rule by which it tells nothing. Raises ValueError."""
    tells, rule = KINDS[str(row[TABLE])]
    return list(tells(row)) or Filtered(rule)


def skips(row: Fields) -> str | None:
    """Appeals of anything but a judge's decision of a case. Raises ValueError."""
    if row.text(TABLE) != APPEALS.name:
        return None
    of_judge = (row.text("STRAPPEALCATEGORY") or "IJ").upper() == "IJ"
    return None if of_judge and row["STRAPPEALTYPE"] == "Case Appeal" else "other-appeals"


def handling(row: Fields) -> Iterator[Handling]:
    """Whether there is, or may be, an application for asylum."""
    if (row.get("CASE_TYPE") or row.get("STRCASETYPE")) in FEARS or row.get("C_ASY_TYPE"):
        yield Handling.ASYLUM


def gone(row: Fields) -> Iterator[Says]:
    """The retraction of a row, whatever it told. Raises ValueError."""
    known = (row.optional(name, moment_day) for name in ("OSC_DATE", "DATAPPEALFILED", "DATE_DETAINED"))
    on = next((each for each in known if each is not None), date(1970, 1, 1))
    yield _said(NUMBERED.of(row), "proceedings_started", on, None, "started")


def sequence(header: Mapping[str, Any], name: str) -> int | None:
    """The day in the name of an extract; None where there is none."""
    known = re.search(r"(?<![0-9])20[0-9]{6}(?![0-9])", name)
    return int(known[0]) if known is not None else None


FORMAT = TabTables(TABLES, {"GENDER": "SEX", "PREV_HEARING_IJ_CODE": "PREV_IJ_CODE"}, nothing=("N/A",))
MAPPING = Mapper(key=key, version=number_of, skips=skips, says=says, gone=gone, handling=handling)
STAGE = Snapshot(
    FileDrop(pattern="*.zip", unwrap="zip", limit=2**36),
    key=key,
    keep=(
        *(TABLE, "IDNCASE", "IDNPROCEEDING", "IDNAPPEAL", "A_NUMBER", "OSC_DATE", "DATAPPEALFILED", "DATE_DETAINED"),
        *("CASE_TYPE", "STRCASETYPE", "C_ASY_TYPE"),
    ),
    sequence=sequence,
    complete=lambda notes: disagreements(notes, TABLES),
)
ADAPTER = System(
    "EOIR",
    title="EOIR, the immigration courts",
    owner="DOJ",
    number=29,
    emits=("status",),
    covers=(),
    facts=(
        "asylum_denied",
        "asylum_granted",
        "detained",
        "proceedings_ended",
        "proceedings_started",
        "released",
        "relief_granted",
        "removal_order",
        "removal_stayed",
        "voluntary_departure",
    ),
    identifiers=("case", "a_number"),
    mapping_version=1,
    feeds=(Feed("extracts", STAGE, MAPPING, FORMAT),),
)
