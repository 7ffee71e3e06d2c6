"""EOIR as the simulator has it: two full extracts of the courts' tables, packed, with the counts of their rows."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schemas.country_codes import EOIR
from services.simulator.clock import digits, iso, moment, utc_day
from services.simulator.log import PersonLog
from services.simulator.noise import Description
from services.simulator.population.rates import table
from services.simulator.rng import Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.eoir import rates

ADDED = "A_NUMBER LAST_NAME FIRST_NAME".split()
COLUMNS = {
    "A_TblCase": """IDNCASE ALIEN_CITY ALIEN_STATE ALIEN_ZIPCODE UPDATED_ZIPCODE UPDATED_CITY NAT LANG CUSTODY
        SITE_TYPE E_28_DATE ATTY_NBR CASE_TYPE UPDATE_SITE LATEST_HEARING LATEST_TIME LATEST_CAL_TYPE UP_BOND_DATE
        UP_BOND_RSN CORRECTIONAL_FAC RELEASE_MONTH RELEASE_YEAR INMATE_HOUSING DATE_OF_ENTRY C_ASY_TYPE C_BIRTHDATE
        C_RELEASE_DATE UPDATED_STATE ADDRESS_CHANGEDON ZBOND_MRG_FLAG Sex DATE_DETAINED DATE_RELEASED LPR
        DETENTION_DATE DETENTION_LOCATION DCO_LOCATION DETENTION_FACILITY_TYPE CASEPRIORITY_CODE""".split() + ADDED,
    "B_TblProceeding": """IDNPROCEEDING IDNCASE OSC_DATE INPUT_DATE BASE_CITY_CODE HEARING_LOC_CODE IJ_CODE
        TRANS_IN_DATE PREV_HEARING_LOC PREV_HEARING_BASE PREV_IJ_CODE TRANS_NBR HEARING_DATE HEARING_TIME DEC_TYPE
        DEC_CODE DEPORTED_1 DEPORTED_2 OTHER_COMP APPEAL_RSVD APPEAL_NOT_FILED COMP_DATE ABSENTIA VENUE_CHG_GRANTED
        TRANSFER_TO DATE_APPEAL_DUE_STATUS TRANSFER_STATUS CUSTODY CASE_TYPE NAT LANG SCHEDULED_HEAR_LOC
        CORRECTIONAL_FAC CRIM_IND IHP AGGRAVATE_FELON DATE_DETAINED DATE_RELEASED""".split() + ADDED,
    "tblAppeal": """idnAppeal idncase idnProceeding strAppealCategory strAppealType datAppealFiled strFiledBy
        datAttorneyE27 datBIADecision strBIADecision strBIADecisionType strCaseType strLang strNat strProceedingIHP
        strCustody strProbono A_NUMBER""".split(),
}  # fmt: skip
CITIES = (
    ("EL PASO", "TX", "79901"),
    ("SAN DIEGO", "CA", "92101"),
    ("NEW YORK", "NY", "10001"),
    ("MIAMI", "FL", "33101"),
)
Row = dict[str, str]


@dataclass(slots=True)
class Step:
    """A row of a table as it is from a day on; `gone` from that day on it is in no extract any more."""

    table: str
    number: int
    first: int
    row: Row
    later: tuple[tuple[int, Row], ...] = ()  # days, and what changes with them
    gone: int = 0
    filtered: bool = False

    def at(self, day: int) -> Row | None:
        """Return the row as it stands at the end of a day, None where it is not there."""
        if day < self.first or (self.gone and day >= self.gone):
            return None
        row = dict(self.row)
        for since, changes in self.later:
            row |= changes if since <= day else {}
        return row


@dataclass(slots=True)
class EoirWriter:
    """Writes the extracts, once all persons are known."""

    run: Run
    steps: list[Step] = field(default_factory=list)
    numbers: dict[str, int] = field(
        default_factory=lambda: {"A_TblCase": 7_000_000, "B_TblProceeding": 9_000_000, "tblAppeal": 5_000_000}
    )
    rng: Rng = field(init=False)
    last: int = field(init=False)  # day of the second extract
    first: int = field(init=False)  # and of the first

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.last = utc_day(self.run.span.records_end) - 1
        self.first = self.last - rates.MONTH

    def write(self, log: PersonLog) -> None:
        """Write the cases of a person: of a removal, and of an application for asylum that was referred."""
        removal, asylum = log.person.removal, log.person.asylum
        referred = asylum is not None and asylum.decision == "referred"
        charged = removal.charged if removal is not None else asylum.decided if asylum is not None and referred else 0
        if not charged or charged > self.last:
            return
        description = self.run.mistakes.describe(log.person, log.person.stays[-1], documented=False)
        alien = self.run.mistakes.number("alien", log.person.a_number, description)
        for step in self._case(log, description, alien, charged):
            self.steps.append(step)
            key = f"{step.table}/{step.number}"
            if step.first > self.last:
                continue
            if step.gone and step.first <= self.first:
                log.retract(self.run.system, key)
            elif not step.gone and not step.filtered:
                log.add(self.run.system, key, {f"a:{alien}"} if alien else set(), description.kinds)

    def finish(self) -> Counts:
        """Write both extracts; a row counts again where it changed, and once more where it is gone."""
        self.run.place.mkdir()
        read = filtered = 0
        for day in (self.first, self.last):
            self._extract(day)
        for step in self.steps:
            before, after = step.at(self.first), step.at(self.last)
            times = (before is not None) + (after != before)
            read += times
            filtered += times if step.filtered else 0
        return {"read": read, "published": read - filtered, "filtered": filtered}

    def _case(self, log: PersonLog, described: Description, alien: str, charged: int) -> Iterator[Step]:
        person, removal = described.person, log.person.removal
        city, state, code = self.rng.one(CITIES)
        nation = EOIR.code_of(person.citizenship)
        added = {"A_NUMBER": alien, "LAST_NAME": person.family, "FIRST_NAME": person.given}
        case = self._number("A_TblCase")
        row = added | {
            "ALIEN_CITY": city.replace(" ", "\t") if self.rng.chance(rates.SHIFTED) else city,
            **{"ALIEN_STATE": state, "ALIEN_ZIPCODE": code, "NAT": nation, "LANG": "SP", "SITE_TYPE": "M"},
            **{"CUSTODY": "N", "CASE_TYPE": "RMV", "Sex": person.sex if person.sex in "FM" else "N"},
            "C_BIRTHDATE": f"{int(person.birth[4:6])}/{person.birth[:4]}" if person.birth[4:6] != "00" else "N/A",
            "C_ASY_TYPE": "I" if removal is None else "",
        }
        custody: list[tuple[int, Row]] = []
        if removal is not None and removal.booked:
            custody.append((removal.booked, {"DATE_DETAINED": _moment(removal.booked), "CUSTODY": "D"}))
        if removal is not None and removal.released:
            custody.append((removal.released, {"DATE_RELEASED": _moment(removal.released), "CUSTODY": "R"}))
        yield Step("A_TblCase", case, charged, row, tuple(custody), filtered=not custody)
        common = added | {"IDNCASE": str(case), "NAT": nation, "LANG": "SP", "CASE_TYPE": "RMV"}
        common |= {"OSC_DATE": _moment(charged), "INPUT_DATE": _moment(charged), "BASE_CITY_CODE": city[:3]}
        if self.rng.chance(rates.MOVED):
            moved = charged + 5
            ends = {"OTHER_COMP": "C", "COMP_DATE": _moment(moved), "TRANSFER_STATUS": "V", "TRANSFER_TO": "XXX"}
            yield Step("B_TblProceeding", self._number("B_TblProceeding"), charged, common, ((moved, ends),))
        decided, decision = self._decision(log, nation)
        number = self._number("B_TblProceeding")
        later = ((decided, decision),) if decided else ()
        yield Step("B_TblProceeding", number, charged, common, later)
        yield from self._besides(log, common, case, number, decided, charged)

    def _decision(self, log: PersonLog, nation: str) -> tuple[int, Row]:
        """Return the day of the decision, 0 for none, and what the proceeding has from then on."""
        removal = log.person.removal
        if removal is None or not (removal.ordered or removal.ended):
            return 0, {}
        day = removal.ordered or removal.ended
        row = {"DEC_TYPE": "O", "COMP_DATE": _moment(day), "APPEAL_NOT_FILED": "Y"}
        if not removal.ordered:
            return day, row | {"DEC_CODE": "T"}
        absent = "Y" if self.rng.chance(rates.ABSENT) else "N"
        return day, row | {"DEC_CODE": "X", "DEPORTED_1": nation, "ABSENTIA": absent, "APPEAL_RSVD": "B"}

    def _besides(
        self, log: PersonLog, common: Row, case: int, proceeding: int, decided: int, charged: int
    ) -> Iterator[Step]:
        """Yield an appeal, a proceeding of bond, and a case by mistake, now and then."""
        removal = log.person.removal
        stays = removal is not None and bool(removal.ordered) and not removal.executed
        if stays and self.rng.chance(rates.APPEALED):
            row = {
                **{"idncase": str(case), "idnProceeding": str(proceeding), "A_NUMBER": common["A_NUMBER"]},
                **{"strAppealCategory": "IJ", "strAppealType": "Case Appeal", "datAppealFiled": _moment(decided + 10)},
                **{"strFiledBy": "A", "strCaseType": "RMV", "strNat": common["NAT"], "strLang": "SP"},
            }
            yield Step("tblAppeal", self._number("tblAppeal"), decided + 10, row)
        if removal is not None and removal.booked and self.rng.chance(rates.BOND):
            row = common | {"CASE_TYPE": "BND", "OSC_DATE": ""}
            yield Step("B_TblProceeding", self._number("B_TblProceeding"), charged, row, filtered=True)
        if self.rng.chance(rates.MISTAKEN):
            row = common | {"IDNCASE": str(self._number("A_TblCase"))}
            number = self._number("B_TblProceeding")
            yield Step("B_TblProceeding", number, charged, row, gone=self.first + 1)

    def _number(self, name: str) -> int:
        self.numbers[name] += 1
        return self.numbers[name]

    def _extract(self, day: int) -> None:
        """Write the extract of a day, alike for equal seeds."""
        made = moment((day + 1 - 719_163) * 86_400).timetuple()[:6]
        counts: list[str] = []
        with zipfile.ZipFile(self.run.place / f"EOIR-{digits(day)}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, columns in COLUMNS.items():
                rows = [
                    {columns[0]: str(step.number)} | row
                    for step in self.steps
                    if step.table == name and (row := step.at(day)) is not None
                ]
                lines = ["\t".join(columns), *("\t".join(row.get(each, "") for each in columns) for row in rows)]
                counts.append(f"{name}\t{len(rows)}")
                data = "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")
                archive.writestr(zipfile.ZipInfo(f"{name}.csv", made), data)
            archive.writestr(zipfile.ZipInfo("Count.txt", made), "".join(f"{line}\r\n" for line in counts))


def _moment(day: int) -> str:
    return f"{iso(day)} 00:00:00.000"


class Eoir(Source):
    """The courts, which give out their tables each month."""

    system = "EOIR"
    place = "eoir"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EoirWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the extracts."""
        return {"EOIR.extracts": {"url": place.as_uri(), "options": {"unchanged": 0}}}


SOURCE = Eoir()
