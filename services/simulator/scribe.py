"""Writes down a person: what the two systems hold of the person's stays, and which records those are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from services.simulator.claims3 import Action, Actions, timestamp
from services.simulator.clock import DAY, instant, iso, midnight
from services.simulator.i94 import (
    DURATION,
    MADE_AFTER,
    Nights,
    Traveller,
    arrival_data,
    departure_data,
    detail,
    extension_data,
)
from services.simulator.noise import Mistakes, Told
from services.simulator.population import names, rates
from services.simulator.population.plans import Application, Crossing, Person, Span, Stay, without_hyphen
from services.simulator.rng import Choice
from services.simulator.truth.records import TrueRecord
from services.simulator.truth.verdict import OFFICE
from services.simulator.witnesses import Witnesses

FIRST_TRANSACTION = 40_000_000_000
FIRST_ACTION = 7_000_000
_EVIDENCE = {
    "A": Choice({"B": 0.4, "M": 0.45, "C": 0.1, "I": 0.05}),
    "S": Choice({"M": 0.7, "C": 0.2, "I": 0.1}),
    "L": Choice({"L": 0.8, "I": 0.2}),
}
_DEPARTURE = Choice(rates.DEPARTURE)
_TIE = Choice(rates.APPLICATION_NAMES)


@dataclass(slots=True)
class Page:
    """What has been written of one person so far."""

    person: Person
    records: list[TrueRecord] = field(default_factory=list)
    retracted: list[tuple[str, str]] = field(default_factory=list)
    arrivals: dict[int, str] = field(default_factory=dict)  # index of the stay -> record
    told: dict[int, frozenset[str]] = field(default_factory=dict)  # index of the stay -> who tells of the departure
    noise: tuple[str, ...] = ()  # what is wrong, where it is no single record


class Scribe:
    """Writes persons into the native files."""

    def __init__(
        self, seed: int, span: Span, nights: Nights, actions: Actions, witnesses: Witnesses, mistakes: Mistakes
    ) -> None:
        self._random = Random(f"scribe {seed}")  # noqa: S311
        self._span = span
        self._nights = nights
        self._actions = actions
        self._witnesses = witnesses
        self._mistakes = mistakes
        self._transaction = FIRST_TRANSACTION
        self._action = FIRST_ACTION

    @property
    def last_action_day(self) -> int:
        """The last day whose decisions are in the table."""
        return self._span.last + 1

    def write(self, person: Person) -> Page:
        """All records of a person."""
        person, noise = self._mistakes.person(person, self._span)
        page = Page(person, noise=noise)
        for index, stay in enumerate(person.stays):
            later = person.stays[index + 1].arrival.day if index + 1 < len(person.stays) else 2**31
            page.arrivals[index] = self._arrival(page, stay)
            for application in stay.applications:
                known = application.known_by(self.last_action_day)
                if known is None:
                    continue
                if known.form == "I-94":
                    self._by_owner(page, stay, known)
                else:
                    self._apply(page, stay, known, later)
            departure = self.recorded(stay)
            if departure is not None:
                page.told[index] = self._witnesses.of(departure)
                if "I94" in page.told[index]:
                    self._departure(page, stay, departure)
        return page

    def recorded(self, stay: Stay) -> Crossing | None:
        """The departure that the files tell of."""
        departure = stay.departure
        return departure if departure and stay.seen and _told_at(departure) <= self._span.until else None

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _traveller(self, stay: Stay, said: Told) -> Traveller:
        person = said.person
        return Traveller(
            stay.number,
            person.family,
            person.given,
            person.birth,
            person.sex,
            person.citizenship,
            said.passport,
            person.foil if person.foil and self._chance(rates.FOIL_TOLD) else "",
        )

    def _arrival(self, page: Page, stay: Stay) -> str:
        said = self._mistakes.tell(page.person, stay)
        who = self._traveller(stay, said)
        refused = stay.inspection != "A"
        stated = DURATION if stay.duration else stay.last_day
        if refused or (stay.waiver and self._chance(rates.WAIVER_DATE_LEFT_OUT)):
            stated = 0
        data = arrival_data("" if refused and self._chance(0.5) else stay.admission_class, stay.inspection, stated)
        number = self._new()
        kinds = list(said.kinds)
        if self._chance(rates.CORRECTED_ARRIVAL) and not refused:
            self._mend("A", number, who, stay.arrival, arrival_data("B2", stay.inspection, 0), data)
        else:
            self._send("A", number, who, stay.arrival, data, kinds)
        page.records.append(TrueRecord("I94", number, _told(who), tuple(kinds)))
        if not refused and self._chance(rates.DUPLICATE_ARRIVAL):
            self._duplicate(page, stay, who, data)
        return number

    def _duplicate(self, page: Page, stay: Stay, who: Traveller, data: bytes) -> None:
        """The arrival entered once more by mistake, and the entry deleted the night after."""
        night = self._nights.night_of(stay.arrival.at)
        if night + 1 >= len(self._nights):
            return
        number = self._new()
        again = replace(who, foil="")
        self._put("A", "N", night, number, stay.arrival.at + 900, again, stay.arrival, data)
        self._put("A", "D", night + 1, number, self._mended(night + 1), again, stay.arrival, data)
        page.retracted.append(("I94", number))

    def _departure(self, page: Page, stay: Stay, departure: Crossing) -> None:
        who, kinds = self._leaver(page, stay, departure)
        data = departure_data(_EVIDENCE[departure.mode].draw(self._random))
        number = self._new()
        if self._chance(rates.CORRECTED_DEPARTURE):
            wrong = replace(departure, day=departure.day - 1)
            self._mend("D", number, who, departure, data, data, wrong)
        else:
            self._send("D", number, who, departure, data, kinds)
        page.records.append(TrueRecord("I94", number, _told(who), tuple(kinds)))

    def _leaver(self, page: Page, stay: Stay, departure: Crossing) -> tuple[Traveller, list[str]]:
        """What the record of a departure says of the person."""
        number = stay.number
        for each in stay.applications:
            if each.new_number and each.decided < departure.day and self._chance(rates.NEW_NUMBER_USED):
                number = each.new_number
        told = _DEPARTURE.draw(self._random)
        named = told not in ("number_only", "document_only")
        said = self._mistakes.tell(page.person, stay, named=named, bare=named)
        if told == "number_only":
            return Traveller(number=number), []
        if told == "document_only":
            return Traveller(passport=stay.passport), []
        who = replace(self._traveller(stay, said), number="" if told == "document" else number, foil="")
        return replace(who, number="", passport=None) if said.bare else who, list(said.kinds)

    def _by_owner(self, page: Page, stay: Stay, application: Application) -> None:
        noon = 12 * 3600
        zone = stay.arrival.zone
        crossing = Crossing(
            stay.arrival.port,
            zone,
            stay.arrival.mode,
            application.decided,
            noon,
            instant(application.decided, noon, zone),
        )
        said = self._mistakes.tell(page.person, stay)
        who = self._traveller(stay, said)
        data = extension_data(application.granted_until, application.decided)
        number = self._new()
        kinds = list(said.kinds)
        self._send("X", number, who, crossing, data, kinds)
        page.records.append(TrueRecord("I94", number, _told(who), tuple(kinds)))

    def _new(self) -> str:
        """A transaction number that no other record has."""
        self._transaction += 1
        return f"{self._transaction:011}"

    def _send(self, kind: str, number: str, who: Traveller, crossing: Crossing, data: bytes, kinds: list[str]) -> None:
        """A record as it was made; what goes wrong with it is added to its kinds."""
        night = self._nights.night_of(_told_at(crossing))
        if self._mistakes.due("corrected", possible=bool(who.given) and night + 1 < len(self._nights)):
            kinds.append("corrected")
            self._mend(kind, number, who, crossing, data, data, wrong_who=self._wrong(who))
            return
        updated = _told_at(crossing) + 60 + int(self._random.random() * 1800)
        if self._chance(rates.TOLD_LATE) and night + 10 < len(self._nights):
            night += 1 + int(self._random.random() * 9)
            updated = self._mended(night)
        late = self._mistakes.late(len(self._nights) - 1 - night)
        if late:
            kinds.append("out_of_order")
            night += late
            updated = self._mended(night)
        self._put(kind, "N", night, number, updated, who, crossing, data)
        if self._mistakes.due("duplicate"):
            kinds.append("duplicate")
            self._put(kind, "N", night, number, updated, who, crossing, data)

    def _wrong(self, who: Traveller) -> Traveller:
        """The traveller as nobody is called, or was born."""
        wrong = self._mistakes.wrong(who.family, who.given, who.birth)
        return replace(who, family=wrong[0], given=wrong[1], birth=wrong[2])

    def _mend(
        self,
        kind: str,
        number: str,
        who: Traveller,
        crossing: Crossing,
        wrong: bytes,
        right: bytes,
        wrong_crossing: Crossing | None = None,
        wrong_who: Traveller | None = None,
    ) -> None:
        """First wrong, right the night after. In the last night there is no time for a mistake."""
        night = self._nights.night_of(_told_at(crossing))
        if night + 1 >= len(self._nights):
            self._send(kind, number, who, crossing, right, [])
            return
        updated = _told_at(crossing) + 60
        self._put(kind, "N", night, number, updated, wrong_who or who, wrong_crossing or crossing, wrong)
        self._put(kind, "C", night + 1, number, self._mended(night + 1), who, crossing, right)

    def _mended(self, night: int) -> int:
        """A moment of the owner's clock shortly before that night's file is made."""
        return self._nights.through(night) + int(self._random.random() * MADE_AFTER)

    def _put(
        self,
        kind: str,
        action: str,
        night: int,
        number: str,
        updated: int,
        who: Traveller,
        crossing: Crossing,
        data: bytes,
    ) -> None:
        transaction = int(number)
        record = detail(kind, action, transaction, updated, who, crossing, data)
        self._nights.add(night, transaction, record, kind, action)

    def _apply(self, page: Page, stay: Stay, application: Application, later: int) -> None:
        """The rows of one application, as far as they were written when the records end."""
        person = page.person
        tie = _TIE.draw(self._random)
        plain = bool(person.given) and not person.birth.endswith("00") and names.LONG not in person.family
        if max(application.filed, application.decided) >= later or (tie == "name" and not plain):
            # another stay has begun by then, so the application must say which one it is about
            tie = "number"
        self._row(page, stay, application, "FILED", application.filed, tie)
        middle = application.filed + 1
        if self._chance(rates.ROW_VOIDED) and middle <= self.last_action_day and tie == "number":
            self._row(page, stay, application, "DENIED", middle, tie, void=True)
        if application.decision:
            self._row(page, stay, application, application.decision.upper(), application.decided, tie)
        appeal = application.decided + 5
        if application.decision == "denied" and appeal <= self.last_action_day and self._chance(rates.APPEALED):
            self._row(page, stay, application, "APPEALED", appeal, "number")
        if application.form == "I-485" and self._chance(rates.WORK_PERMIT):
            permit = replace(application, form="I-765", receipt=_permit(application.receipt), granted_class="")
            self._row(page, stay, permit, "FILED", application.filed, tie)

    def _row(
        self, page: Page, stay: Stay, application: Application, code: str, day: int, tie: str, *, void: bool = False
    ) -> None:
        person = page.person
        self._action += 1
        approved = code == "APPROVED"
        versions = 2 if void else 1
        spelt = str if not self._chance(rates.CLASS_WITHOUT_HYPHEN) else without_hyphen
        updated = midnight(day, OFFICE) + 8 * 3600 + int(self._random.random() * 8 * 3600)
        if void or self._chance(rates.ROW_CHANGED):
            versions += not void
            updated = min(updated + int(self._random.random() * 20 * DAY), self._span.until - 60)
        said = self._mistakes.tell(person, stay, named=True)
        late = self._mistakes.late((self._span.until - 60 - updated) // DAY)
        updated += late * DAY
        self._mistakes.due("duplicate", possible=False)
        kinds = (*said.kinds, *(("out_of_order",) if late else ()))
        person, passport = said.person, said.passport
        told = set()
        if tie == "number":
            told.add(f"i94:{stay.number}")
        if tie in ("number", "passport"):
            told.add(f"passport:{passport.state}:{passport.number}")
        if approved and application.new_number:
            told.add(f"i94:{application.new_number}")
        alien = person.a_number if application.form in ("I-485", "I-765") else ""
        if alien:
            told.add(f"a:{alien}")
        told.add(f"receipt:{application.receipt}")
        has_passport = tie != "name"
        filed: str | None = iso(application.filed)
        if self._chance(rates.FILED_DATE_LEFT_OUT):
            filed = None
        self._actions.add(
            Action(
                action_id=self._action,
                row_version=versions,
                receipt_number=application.receipt,
                form_type=application.form,
                action_code=code,
                action_date=iso(day),
                filed_date=filed,
                a_number=alien or None,
                i94_number=stay.number if tie == "number" else None,
                family_name=names.on_paper(person.family),
                given_name=names.on_paper(person.given) or None,
                date_of_birth=birth_of(person.birth),
                sex=person.sex,
                country_of_citizenship=person.citizenship,
                passport_number=passport.number if has_passport else None,
                passport_country=passport.state if has_passport else None,
                current_class=spelt(stay.admission_class),
                requested_class=spelt(application.asked_class) or None,
                requested_until=iso(application.asked_until) if application.asked_until else None,
                granted_class=spelt(application.granted_class) or None if approved else None,
                granted_until=iso(application.granted_until) if approved and application.granted_until else None,
                valid_from=iso(day) if approved else None,
                new_i94_number=application.new_number or None if approved else None,
                void_flag="Y" if void else "N",
                last_update_ts=timestamp(updated),
                service_center=application.receipt[:3],
                examiner_id=f"X{self._action % 900:04}",
            )
        )
        if application.form == "I-765":
            return
        if void:
            page.retracted.append(("CLAIMS3", str(self._action)))
        else:
            page.records.append(TrueRecord("CLAIMS3", str(self._action), frozenset(told), kinds))


def _told_at(crossing: Crossing) -> int:
    """The instant whose file tells of a crossing; of one known to the day only it is noon."""
    return crossing.at if crossing.second is not None else crossing.at + DAY // 2


def _permit(receipt: str) -> str:
    """The receipt of the work permit filed together with an adjustment; no other application has that office."""
    return f"NBC{receipt[3:]}"


def birth_of(digits: str) -> str:
    """The date of birth as far as it is known."""
    year, month, day = digits[:4], digits[4:6], digits[6:]
    return year if month == "00" else f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"


def _told(who: Traveller) -> frozenset[str]:
    """The identifiers that a detail tells."""
    told = set()
    if who.number:
        told.add(f"i94:{who.number}")
    if who.passport is not None:
        told.add(f"passport:{who.passport.state}:{who.passport.number}")
    if who.foil:
        told.add(f"visa:{who.foil}")
    return frozenset(told)
