"""Stories of students and exchange visitors, and a table of their own for what the rows of the rules say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from domain.stories import KNOWN, NAME, NEW_YORK, PASSPORT, Story, moment, number, second
from populations import make

from schemas.events import Arrival, Request, Status, Subject
from schemas.events import Fact as StatusFact
from schemas.identifiers import Identifier, Scheme
from services.domain import resolve
from services.domain.facts import Fact
from services.domain.history import Stay

DURATION = "D/S"
ONE = timedelta(1)


def sevis(which: int) -> Identifier:
    """A SEVIS ID."""
    return Identifier.of(Scheme.SEVIS, f"N{which:010d}")


@dataclass
class Student(Story):
    """One student's events. SEVIS tells of itself in New York's days, and names the person only at first."""

    admission_class: str = "F1"

    def came(self, day: date, *, until: date | str | None = DURATION, names: int = 0, which: int = 1) -> Student:
        """An admission; `names`: the SEVIS ID on its record."""
        ids = (PASSPORT, number(which), *((sevis(names),) if names else ()))
        fields = {"class_of_admission": self.admission_class, "admitted_until": until, "port": "JFK"}
        self._tell(Arrival, moment(self.zone, day, "12:00:00"), ids, **fields)
        return self

    def program(
        self, day: date, until: date | None, reason: str = "extended", which: int = 1, **more: object
    ) -> Student:
        """The program runs from a day to another."""
        return self._report(StatusFact.SEVIS_ACTIVE, day, "program", which, until=until, reason=reason, **more)

    def created(self, day: date, until: date, which: int = 1, **more: object) -> Student:
        """The record is made."""
        return self.program(day, until, "created", which, **more)

    def completed(self, day: date, which: int = 1) -> Student:
        """The program is over."""
        return self._report(StatusFact.SEVIS_COMPLETED, day, "program", which, until=day, reason="completed")

    def terminated(self, day: date, reason: str | None = "violation", which: int = 1, **more: object) -> Student:
        """The record is ended."""
        return self._report(StatusFact.SEVIS_TERMINATED, day, "program", which, reason=reason, **more)

    def works(self, day: date, until: date, reason: str = "practical-training", which: int = 1) -> Student:
        """Training or other work, or the cap-gap."""
        part = "cap-gap" if reason == "cap-gap" else "employment"
        return self._report(StatusFact.SEVIS_ACTIVE, day, part, which, until=until, reason=reason)

    def _report(self, fact: StatusFact, day: date, part: str, which: int, **more: object) -> Student:
        subject = Subject(identifiers=(sevis(which),))
        if more.get("reason") == "created":
            ids = (sevis(which), PASSPORT)
            subject = Subject(names=(NAME,), birth="1980-02-03", sex="F", citizenship=("GBR",), identifiers=ids)
        fields = {"system": "SEVIS", "part": part, "fact": fact, "class_of_admission": self.admission_class} | more
        at = moment(NEW_YORK, day, None)
        record = self.world.number("S")
        known = KNOWN + timedelta(seconds=self.world.count)
        self.events.append(
            make(Status, self.world, record=record, known=known, occurred_at=at, subject=subject, **fields)
        )
        return self

    def days(self, which: int = 0) -> list[tuple[str, date]]:
        """Outcomes and the day at the port of entry with which each begins."""
        return [(piece.outcome, _day(self.zone, piece.since)) for piece in self.stay(which).timeline]


def _day(zone: str, since: int) -> date:
    return datetime.fromtimestamp(since, ZoneInfo(zone)).date()


# A second telling of the rows: classes, rule, citation, days of grace, after a withdrawal, what reaches beyond the end.
ROWS: tuple[tuple[str, str, str, int, int, str], ...] = (
    ("F1 F2", "student", "8 CFR 214.2(f)(5)", 60, 15, "practical-training cap-gap"),
    ("J1 J2", "exchange-visitor", "8 CFR 214.2(j)(1)(ii)", 30, 0, "academic-training"),
    ("M1 M2", "vocational-student", "8 CFR 214.2(m)(5), (m)(10)", 30, 0, "practical-training"),
)
REASONS = ("practical-training", "academic-training", "cap-gap", "curricular-training", "off-campus-employment")
LONG = timedelta(100)
CAP_GAP = ("cap-gap", "8 CFR 214.2(f)(5)(vi)")
VIOLATION = ("program-terminated", "8 CFR 214.2(f), (j), (m)")


@cache
def _facts(admission_class: str, day: date, what: str, by: int) -> tuple[Fact, ...]:
    """A program of a hundred days from the admission on and what happens to it; an M has 130 days on the I-94."""
    end = day + LONG
    story = Student(admission_class=admission_class).came(
        day, until=end + timedelta(30) if admission_class[0] == "M" else DURATION
    )
    story.created(day - timedelta(90), end)
    if what == "approved":
        story.extended(day + ONE, day + 2 * ONE, form="I-129", until=end + LONG, admission_class="H1B")
    elif what in REASONS:
        story.works(end + timedelta(by), end + timedelta(200), what)
    elif what != "runs":
        story.terminated(end - timedelta(50), what)
    return tuple(story.facts())


def _stay(*case: object) -> Stay:
    (history,) = resolve.persons(_facts(*case))  # type: ignore[arg-type]
    return history.stays[0]


def _line(stay: Stay) -> list[tuple[str, int, str, str]]:
    return [(one.outcome, one.since, one.rule, one.citation) for one in stay.timeline]


def problems(days: tuple[date, ...]) -> Iterator[str]:
    """What the rules say otherwise than the rows."""
    for classes, rule, citation, grace, withdrawal, training in ROWS:
        for admission_class in classes.split():
            if _stay(admission_class, days[0], "approved", 0).admission_class != "H1B":
                yield f"{admission_class}: no change of status"
            for asks in (Request.CHANGE_CLASS, Request.EXTEND):
                if admission_class[0] != "M":
                    allowed = admission_class[0] == "F" and asks is Request.CHANGE_CLASS
                    yield from _wrong_filing(admission_class, days[1], asks, allowed)
            for day in days:
                yield from _wrong(admission_class, day, (rule, citation), (grace, withdrawal), training)
                for reason in REASONS:
                    yield from _wrong_training(admission_class, day, reason, grace, reason in training.split())


def _wrong(
    admission_class: str, day: date, row: tuple[str, str], grace: tuple[int, int], training: str
) -> Iterator[str]:
    def begins(by: int) -> int:
        return second(NEW_YORK, day + LONG + timedelta(by), "00:00:00")

    admitted = ("IN_STATUS", second(NEW_YORK, day), *row)
    over = ("period-over", "INA 222(g), 237(a)(1)(B)")
    runs = [admitted, ("IN_GRACE", begins(1), *row), ("OVERSTAY_SUSPECTED", begins(1 + grace[0]), *over)]
    left = [admitted, ("OVERSTAY_SUSPECTED", begins(-49 + grace[1]), *over)]
    if grace[1]:
        left.insert(1, ("IN_GRACE", begins(-49), *row))
    if admission_class[0] == "M":
        left = [admitted, ("IN_GRACE", begins(-49), *row), runs[-1]]  # the date on the I-94 stands
        if (actual := _line(_stay(admission_class, day, "administrative", 0))) != runs:
            yield f"{admission_class} {day}: {actual} where SEVIS says nothing"
    ended = [admitted, ("TERMINATED", begins(-49), *VIOLATION)]
    if admission_class[0] == "M":
        ended.append(("OVERSTAY_SUSPECTED", begins(31), *over))
    for what, expected in (("runs", runs), ("authorized-withdrawal", left), ("violation", ended)):
        actual = _line(_stay(admission_class, day, what, 0))
        if actual != expected:
            yield f"{admission_class} {day} {what}: {actual}, not {expected}"


def _wrong_filing(admission_class: str, day: date, asks: Request, allowed: bool) -> Iterator[str]:
    story = Student(admission_class=admission_class).came(day).created(day - timedelta(90), day + LONG)
    for by in (1, 29):
        story.events[2:] = []
        story.applied(day + LONG + timedelta(by), asks=asks)
        if (story.last().outcome == "PENDING") != allowed:
            yield f"{admission_class}: {asks} filed {by} days behind the program: {story.last().outcome}"


def _wrong_training(admission_class: str, day: date, reason: str, grace: int, beyond: bool) -> Iterator[str]:
    last = day + LONG + timedelta(200)
    for by in (1, grace + 1, grace + 2):
        actual = _stay(admission_class, day, reason, by)
        words = [(one.outcome, one.rule) for one in actual.timeline]
        carried = ("IN_STATUS", "cap-gap" if reason == "cap-gap" else words[0][1]) in words[1:]
        if admission_class[0] == "M":
            carried = "IN_GRACE" not in dict(words)
        if carried != (beyond and by <= grace + 1):
            yield f"{admission_class} {day} {reason} {by}: {words}"
        ends = second(NEW_YORK, last + timedelta(1), "00:00:00")
        if carried and admission_class[0] != "M" and actual.timeline[-2].since != ends:
            yield f"{admission_class} {day} {reason} {by}: ends {actual.timeline[-2].since}, not {ends}"
        if reason == "cap-gap" and carried and actual.timeline[1].citation != CAP_GAP[1]:
            yield f"{admission_class} {day} {reason} {by}: {actual.timeline[1].citation}"
