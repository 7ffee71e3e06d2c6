"""Short stories about one traveller, told by canonical events: what the tests of rules are written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from populations import World, make

from schemas import codec
from schemas.events import (
    Action,
    AnyEvent,
    Arrival,
    Departure,
    Evidence,
    Extension,
    Inspection,
    Name,
    Operation,
    Request,
    Revision,
    Status,
    Subject,
)
from schemas.events import Fact as StatusFact
from schemas.identifiers import Identifier, Scheme
from schemas.ids import event_id
from schemas.moments import Moment
from services.domain import resolve, rules
from services.domain.coverage import Source, coverage_of
from services.domain.facts import Fact, fact_of
from services.domain.history import Answer, History, Interval, Stay

NEW_YORK = "America/New_York"
ZONES = (NEW_YORK, "America/Los_Angeles", "Pacific/Guam", "Pacific/Honolulu")
EVER = dict.fromkeys(rules.ABSENCE_SOURCES, ((0, 2**60),))
"""Departures are complete for good."""
KNOWN = datetime(2030, 1, 1, tzinfo=UTC)
PASSPORT = Identifier.of(Scheme.PASSPORT, "P1234567", "GBR")
NAME = Name(family="SMITH", given="ANA")


def second(zone: str, day: date, clock: str = "12:00:00") -> int:
    """A wall clock's second since 1970."""
    return int(datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone)).timestamp())


def moment(zone: str, day: date, clock: str | None) -> Moment:
    """A wall clock's moment, or the whole day."""
    if clock is None:
        return Moment.whole_day(day, zone)
    return Moment.instant(datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone)), zone)


def number(which: int) -> Identifier:
    """An I-94 number."""
    return Identifier.of(Scheme.I94, f"{which:011d}")


@dataclass
class Story:
    """One traveller's events; everything happens in one zone unless said."""

    zone: str = NEW_YORK
    events: list[AnyEvent] = field(default_factory=list)
    world: World = field(default_factory=lambda: World(1))

    def admitted(
        self,
        day: date,
        admission_class: str | None = "B2",
        until: date | str | None = None,
        clock: str | None = "12:00:00",
        inspection: Inspection = Inspection.ADMITTED,
        which: int | None = 1,
        **more: object,
    ) -> Story:
        """An application for admission."""
        named = () if which is None else (number(which),)
        fields = {
            "class_of_admission": admission_class,
            "admitted_until": until,
            "inspection": inspection,
            "port": "JFK",
        } | more
        return self._tell(Arrival, moment(self.zone, day, clock), (PASSPORT, *named), **fields)

    def left(
        self,
        day: date,
        clock: str | None = "12:00:00",
        evidence: Evidence = Evidence.INSPECTED,
        zone: str | None = None,
        which: int | None = None,
        **more: object,
    ) -> Story:
        """A departure."""
        named = () if which is None else (number(which),)
        return self._tell(
            Departure, moment(zone or self.zone, day, clock), (PASSPORT, *named), evidence=evidence, **more
        )

    def applied(
        self,
        day: date,
        action: Action = Action.FILED,
        receipt: int = 1,
        *,
        form: str = "I-539",
        clock: str | None = None,
        zone: str | None = None,
        which: int | None = 1,
        new: int | None = None,
        **more: object,
    ) -> Story:
        """A step of an application; `new` is the number that an approval brings."""
        receipt_number = f"EAC{receipt:010d}"
        named = (PASSPORT, Identifier.of(Scheme.RECEIPT, receipt_number))
        named += tuple(number(one) for one in (which, new) if one is not None)
        asks = Request.ADJUST if form == "I-485" else Request.EXTEND
        fields = {"receipt": receipt_number, "form": form, "asks": asks, "action": action, "system": "CLAIMS3"} | more
        return self._tell(Extension, moment(zone or self.zone, day, clock), named, **fields)

    def extended(
        self, filed: date, decided: date | None = None, action: Action = Action.APPROVED, **more: object
    ) -> Story:
        """An application to stay longer with its decision; `until` and `admission_class` are what was granted."""
        receipt = int(str(more.pop("receipt", 1)))
        zone = str(more.pop("zone", self.zone))
        granted = {"granted_until": more.pop("until", None), "granted_class": more.pop("admission_class", None)}
        self.applied(filed, receipt=receipt, zone=zone, filed_on=filed, **more)
        return self if decided is None else self.applied(decided, action, receipt, zone=zone, **granted, **more)

    def met(self, system: str, day: date, clock: str | None = "12:00:00", **more: object) -> Story:
        """An encounter on arriving, told by whoever admits nobody."""
        at = moment(self.zone, day, clock)
        fields = {"fact": StatusFact.ENCOUNTER, "port": "JFK", "mode": "air"} | more
        return self._tell(Status, at, (PASSPORT,), system=system, **fields)

    def fact(self, day: date, fact: StatusFact, **more: object) -> Story:
        """A fact about the traveller's status."""
        return self._tell(Status, moment(self.zone, day, None), (PASSPORT,), system="CLAIMS3", fact=fact, **more)

    def retracted(self) -> Story:
        """The last event is taken back."""
        last = self.events[-1]
        identity = event_id(last.system, last.record, last.part, 2, last.revision.digest, 1)
        revision = Revision(number=2, digest=last.revision.digest)
        update = {"id": identity, "revision": revision, "operation": Operation.RETRACT}
        self.events.append(last.model_copy(update=update))
        return self

    def _tell(self, kind: type[AnyEvent], at: Moment, named: tuple[Identifier, ...], **fields: object) -> Story:
        subject = Subject(names=(NAME,), birth="1980-02-03", sex="F", citizenship=("GBR",), identifiers=named)
        record = self.world.number("T")
        known = KNOWN + timedelta(seconds=self.world.count)
        self.events.append(
            make(kind, self.world, record=record, known=known, occurred_at=at, subject=subject, **fields)
        )
        return self

    @property
    def ids(self) -> list[str]:
        """The event ids in the order of telling."""
        return [str(event.id) for event in self.events]

    def facts(self) -> list[Fact]:
        """What correlation reads."""
        return [fact_of(codec.encode(event)) for event in self.events]

    def history(self) -> History:
        """The one person that all of this is about."""
        (history,) = resolve.persons(self.facts())
        return history

    def stay(self, which: int = 0) -> Stay:
        """A stay."""
        return self.history().stays[which]

    def answer(
        self,
        day: date,
        clock: str = "12:00:00",
        coverage: dict[Source, tuple[tuple[int, int], ...]] | None = None,
        which: int = 0,
    ) -> Answer:
        """What is said of a stay at a wall clock of the story's zone."""
        given = resolve.answer(
            self.stay(which), second(self.zone, day, clock), coverage_of(EVER if coverage is None else coverage)
        )
        assert given is not None
        return given

    def outcome(self, day: date, clock: str = "12:00:00", which: int = 0) -> str:
        """The outcome alone."""
        return self.answer(day, clock, which=which).outcome

    def line(self, which: int = 0) -> list[tuple[str, int]]:
        """Outcomes and since when."""
        return [(piece.outcome, piece.since) for piece in self.stay(which).timeline]

    def last(self, which: int = 0) -> Interval:
        """What holds in the end."""
        return self.stay(which).timeline[-1]
