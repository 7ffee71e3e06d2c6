"""BCI: crossings of the land borders to departures, which Canada saw, and arrivals."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import as_file, files
from typing import Any

from lxml import etree

from adapters.converters import choice, country, instant_at, sex
from adapters.core import Closing, Feed, System
from adapters.fields import Fields
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.mapper import RECORDS, Mapper, Says, Vouches, by_sequence
from adapters.niem import birth, local_moment, name, numbers, tell_lost, text, texts
from adapters.transports.sftp_drop import SftpDrop
from schemas.countries import UNKNOWN_ISSUER
from schemas.country_codes import ICAO, NAMES
from schemas.country_codes import name as plain
from schemas.events import Arrival, Departure, Subject
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment, midnight
from schemas.ports import names_an_airport, port, port_of_canada

HERE = files("adapters.systems.bci")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
AT_HOME: dict[str, str] = {plain(each): code for each, code in CODES["united-states"].items()}
RECORDED, NATIONALITY, ISSUER = instant_at("UTC"), country(NAMES, ICAO), country(NAMES, ICAO, of="issuer")
ACTION, DIRECTION = choice("N", "C", "D"), choice(*CODES["directions"])
OFFICES = {"CA": "America/Toronto", "US": "America/New_York"}
"""Where a port is not known, the day of a crossing is taken for one of this zone."""
_KEY, _OFFSET = re.compile(r"BC[0-9]{12}"), re.compile(r"T.*(?:Z|[+-][0-9]{2}:[0-9]{2})\Z")


def _schema() -> etree.XMLSchema:
    with as_file(HERE) as folder:
        return etree.XMLSchema(etree.parse(str(folder / "crossings.xsd")))


def key(crossing: Fields) -> str:
    """The number of the crossing. Raises ValueError."""
    result = next(iter(numbers(crossing, "CrossingIdentification")), "")
    if not _KEY.fullmatch(result):
        raise ValueError("CrossingIdentification is not BC and twelve digits")
    return result


def where(direction: str) -> Any:
    """A port by its name: the code of the port of the United States, and the zone of the clock that told the time."""

    def convert(value: Any, what: str) -> tuple[str, str]:
        if direction == "CA" and (abroad := port_of_canada(value)) is not None:
            return abroad.other_side, abroad.zone
        known = port(AT_HOME.get(plain(value), "")) if direction == "US" else None
        if known is None:
            raise ValueError(f"{what}: {value!r} is in no code table")
        return known.code, known.zone

    return convert


def moment(crossing: Fields, clock: str, direction: str, code: str | None) -> Moment:
    """When it was by a port's clock; its day is that of the port of the United States. Raises ValueError."""
    if code is None:
        happened = text(crossing, "CrossingLocalDate") or text(crossing, "CrossingLocalDateTime")
        if not _OFFSET.search(happened):  # the hour says nothing without the zone
            crossing = Fields({"CrossingLocalDate": (happened,)})
        return local_moment(crossing, "Crossing", OFFICES[direction])
    result = local_moment(crossing, "Crossing", clock)
    here = port(code)
    return Moment.instant(result.at, here.zone) if result.at is not None and here is not None else result


def document(said: Fields) -> Spelling | None:
    """A passport; other documents identify nobody elsewhere. Raises ValueError."""
    kind, value = text(said, "DocumentCategoryText"), next(iter(numbers(said, "DocumentIdentification")), "")
    if choice(*CODES["documents"])(kind, "DocumentCategoryText") != "PASSPORT":
        return None
    field = "DocumentIssuingCountryName"
    state = next(iter(said.several(field, [text(said, field)], ISSUER)), None)
    return Identifier.spelled(Scheme.PASSPORT, value, state or UNKNOWN_ISSUER)


def subject(said: Fields) -> Subject:
    """Whom it is about. Raises ValueError."""
    born = next(iter(said.groups("PersonBirthDate")), Fields({}))
    dates, sexes = [text(born, each) for each in born], [text(said, "PersonSexCode")]
    documents = said.several("TravelDocument", said.groups("TravelDocument"), lambda each, _: document(each))
    known = {(each["issuer"], each["value"]): each for each in documents if each is not None}
    countries = said.several("PersonNationalityText", texts(said, "PersonNationalityText"), NATIONALITY)
    return Subject.model_validate(
        {
            "names": [each for each in map(name, said.groups("PersonName")) if each is not None],
            "birth": next(iter(said.several("PersonBirthDate", dates, birth)), None),
            "sex": next(iter(said.several("PersonSexCode", sexes, sex)), None),
            "citizenship": list(dict.fromkeys(state for state in countries if state is not None)),
            "identifiers": list(known.values()),
        }
    )


def skips(crossing: Fields) -> str | None:
    """Entries by air into Canada: whoever lands there may come from anywhere."""
    return "by-air" if names_an_airport(text(crossing, "CrossingPortName") or "") else None


def says(crossing: Fields) -> Iterator[Says]:
    """A departure, or an arrival. Raises ValueError."""
    direction = DIRECTION(text(crossing, "CrossingDirectionCode"), "CrossingDirectionCode")
    field = "CrossingPortName"
    if not (named := text(crossing, field)):
        crossing.lose(field, f"{field} is not told")
    code, clock = next(iter(crossing.several(field, [named], where(direction))), (None, ""))
    happened = moment(crossing, clock, direction, code)
    who = subject(next(iter(crossing.groups("Person")), Fields({})))
    tell_lost(crossing)
    fields: dict[str, Any] = {"occurred_at": happened, "subject": who, "port": code, "mode": "land"}
    if direction == "US":
        yield Says(Arrival, fields)
        return
    copied = next(iter(numbers(crossing, "ForeignRecordIdentification")), None)
    origin = {"origin": {"system": "CBSA", "record": copied}} if copied else {}
    yield Says(Departure, fields | origin | {"evidence": "foreign_entry"})


def coverage(header: Fields) -> tuple[datetime, datetime] | None:
    """Since and through, if the batch vouches for anything. Raises ValueError."""
    if not (said := header.group("Coverage")):
        return None
    return said.period("CoverageSinceDateTime", "CoverageThroughDateTime", RECORDED, "Coverage")


def check(header: Fields) -> None:
    """What the schema cannot say of a header. Raises ValueError."""
    header.need("BatchCreatedDateTime", RECORDED)
    coverage(header)


def vouches(closing: Closing) -> Iterator[Vouches]:
    """What the batch is complete for, for those who are in it by that time."""
    header = Fields(closing.header)
    period, sequence = coverage(header), int(header["BatchSequenceNumeric"])
    if period is None:
        return
    first: date
    for scope, first in CODES["populations"].items():
        since = max(period[0], midnight(first, OFFICES["CA"]))
        if since <= period[1]:
            made = header.need("BatchCreatedDateTime", RECORDED)
            yield Vouches(f"batch {sequence} {scope}", sequence * RECORDS, scope, since, period[1], made)


FORMAT = XmlBatchFormat(
    schema=_schema(),
    namespace="urn:visabus:bci:1",
    root="CrossingBatch",
    header="BatchHeader",
    records=frozenset({"BorderCrossing"}),
    count="CrossingQuantity",
    check=check,
    repeats=True,
)
MAPPING = Mapper(
    key=key,
    version=by_sequence("BatchSequenceNumeric"),
    recorded=lambda said: RECORDED(text(said, "CrossingRecordedDateTime"), "CrossingRecordedDateTime"),
    retracted=lambda said: ACTION(text(said, "CrossingActionCode"), "CrossingActionCode") == "D",
    skips=skips,
    says=says,
    taken_back=lambda said: says(said) if text(said, "CrossingActionCode") != "N" else (),
    vouches=vouches,
)
ADAPTER = System(
    "BCI",
    title="BCI, crossings by land",
    owner="CBP",
    number=7,
    emits=("arrival", "departure"),
    covers=("departure:everybody", "departure:foreigners"),
    evidence="foreign_entry",
    identifiers=("passport",),
    mapping_version=1,
    feeds=(Feed("batches", SftpDrop(pattern="BCI.D????????.S??????.xml"), MAPPING, FORMAT, ("BatchSequenceNumeric",)),),
)
