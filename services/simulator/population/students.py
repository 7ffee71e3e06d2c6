"""Students and exchange visitors: programs as SEVIS is told of them, and the stays that they carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from services.simulator.clock import DAY, end_of
from services.simulator.population import ports, rates
from services.simulator.population.numbers import Numbers
from services.simulator.population.plans import Crossing, Passport, Program, Span, Stay, Step
from services.simulator.rng import Choice, Rng
from services.simulator.truth.verdict import GRACE, VIOLATION, WITHDRAWAL

APRIL_SINCE = date(2025, 1, 17).toordinal()
"""From that day on a cap-gap runs to 1 April; before, to 1 October."""


@dataclass(slots=True)
class Course:
    """A program while it is drawn: who, where, how long; `left` None: still here."""

    admission_class: str
    port: str
    zone: str
    arrived: int = 0
    ends: int = 0
    left: int | None = None
    known: bool = True  # to SEVIS
    steps: list[Step] = field(default_factory=list)

    @property
    def grace(self) -> int:
        """Days to prepare for departure."""
        return GRACE[self.admission_class]


class Students:
    """Draws the stays of students."""

    def __init__(self, seed: int, span: Span, numbers: Numbers) -> None:
        self._rng = Rng(f"students {seed}")
        self._span = span
        self._numbers = numbers
        self._classes = Choice(rates.STUDENT_CLASS)
        self._kinds = {
            "F-1": Choice(rates.STUDENT),
            "J-1": Choice(rates.EXCHANGE),
            "M-1": Choice(rates.VOCATIONAL),
        }

    def stays(self, passport: Passport) -> tuple[Stay, ...]:
        """Return the stays of one student, in one program."""
        port = self._rng.one(ports.AIR)
        course = Course(self._classes.draw(self._rng.random), port, ports.ZONES[port])
        kind = self._kinds[course.admission_class].draw(self._rng.random)
        KINDS[kind](self, course)
        if course.arrived < self._span.first:
            kind, course = "student_present", Course(course.admission_class, port, course.zone)
            self._present(course)
        first = self._home_before(course)
        program = self._program(course, first[0] if first else course.arrived) if course.known else None
        last = self._stay(kind, course, program, passport, course.arrived, self._leaving(kind, course))
        if first is None:
            return (last,)
        way_home = self._rng.crossing(self._rng.one(ports.OUT), "A", first[1])
        return self._stay("student_vacation", course, program, passport, first[0], way_home), last

    def _home_before(self, course: Course) -> tuple[int, int] | None:
        """Return an earlier arrival in the same program and the departure to a vacation; most have none."""
        home = course.arrived - self._rng.between(15, 40)
        arrived = home - self._rng.between(60, 120)
        likely = course.known and self._rng.chance(rates.VACATION)
        return (arrived, home) if likely and arrived >= self._span.first and course.admission_class != "M-1" else None

    def _program(self, course: Course, began: int) -> Program:
        registered = began + self._rng.between(3, 25)
        steps = [Step("Registration", registered, registered, course.ends), *course.steps]
        kept = sorted((step for step in steps if step.processed <= self._span.last), key=lambda step: step.processed)
        return Program(
            self._numbers.sevis(),
            course.admission_class.replace("-", ""),
            began - self._rng.between(30, 120),
            course.ends,
            tuple(self._mended(step) for step in kept),
        )

    def _mended(self, step: Step) -> Step:
        """Now and then the last day was wrong at first."""
        day = step.processed + self._rng.between(1, 6)
        plain = step.period_end and not step.mended and step.element != "Complete"
        if plain and day <= self._span.last and self._rng.chance(rates.CORRECTED_STEP):
            return replace(step, wrong=step.period_end + self._rng.between(1, 40), mended=day)
        return step

    def _stay(
        self,
        kind: str,
        course: Course,
        program: Program | None,
        passport: Passport,
        arrived: int,
        departure: Crossing | None,
    ) -> Stay:
        return Stay(
            kind=kind,
            inspection="A",
            admission_class=course.admission_class,
            arrival=self._rng.crossing(course.port, "A", arrived),
            number=self._numbers.i94(),
            last_day=min(course.ends + course.grace, _year(arrived)) if course.admission_class == "M-1" else 0,
            departure=departure,
            seen=True,
            applications=(),
            passport=passport,
            program=program,
        )

    def _leaving(self, kind: str, course: Course) -> Crossing | None:
        if course.left is None:
            return None
        if kind == "student_left_last_day":
            port = course.port if course.port in ports.OUT else "JFK"
            second = self._rng.between(20 * 3600, DAY - 60)
            if ports.ZONES[port] == course.zone:
                return self._rng.crossing(port, "A", course.left, second)
        return self._rng.crossing(self._rng.one(ports.OUT), "A", course.left)

    def _lasts(self, course: Course, low: int, high: int, after: int) -> None:
        """Lay out a program of `low` to `high` days, in the records with `after` days behind it."""
        days = self._rng.between(low, high)
        course.arrived = self._rng.between(self._span.first, self._span.last - days - after)
        course.ends = course.arrived + days

    def _ended(self, course: Course, low: int, high: int) -> None:
        """Lay out a program that ended `low` to `high` days before the records do."""
        course.ends = self._span.last - self._rng.between(low, high)
        course.arrived = course.ends - self._rng.between(100, 250)

    def _complete(self, course: Course, ends: int) -> None:
        """Told a few days later, or (some records just run out) not at all."""
        if self._rng.chance(0.8):
            course.steps.append(Step("Complete", ends, ends + self._rng.between(0, 5), ends))

    def _change(self, course: Course, element: str, more: int) -> None:
        """The program ends later, told in time."""
        processed = course.ends - self._rng.between(6, 40)
        course.steps.append(Step(element, processed, processed, course.ends + more))

    def _present(self, course: Course) -> None:
        course.arrived = self._rng.between(max(self._span.first, self._span.last - 300), self._span.last - 5)
        course.ends = self._span.last + self._rng.between(60, 330)

    def _extended(self, course: Course) -> None:
        self._ended(course, 0, 100)
        self._change(course, "ProgramExtension", self._rng.between(170, 500))

    def _extended_left(self, course: Course) -> None:
        more = self._rng.between(30, 90)
        self._lasts(course, 90, 150, more + course.grace)
        self._change(course, "ProgramExtension", more)
        course.left = course.ends + more + self._rng.between(1, course.grace - 1)

    def _level(self, course: Course) -> None:
        self._ended(course, 0, 100)
        element = "EducationLevel" if course.admission_class == "F-1" else "ProgramChange"
        self._change(course, element, self._rng.between(170, 500))

    def _shortened_left(self, course: Course) -> None:
        self._lasts(course, 120, 200, 0)
        processed = course.ends - self._rng.between(60, 80)
        shortened = processed + self._rng.between(5, 20)
        course.steps.append(Step("ShortenProgram", processed, processed, shortened))
        course.left = shortened + self._rng.between(1, course.grace - 1)

    def _left_before(self, course: Course) -> None:
        self._lasts(course, 100, 200, 0)
        course.left = course.ends - self._rng.between(5, 40)

    def _left_in_grace(self, course: Course) -> None:
        self._lasts(course, 90, 200, course.grace)
        self._complete(course, course.ends)
        course.left = course.ends + self._rng.between(2, course.grace - 1)

    def _left_last_day(self, course: Course) -> None:
        self._lasts(course, 90, 200, course.grace)
        self._complete(course, course.ends)
        course.left = course.ends + course.grace - (0 if course.port in ports.OUT else 1)

    def _left_late(self, course: Course) -> None:
        late = self._rng.between(2, 50)
        self._lasts(course, 90, 180, course.grace + late)
        self._complete(course, course.ends)
        course.left = course.ends + course.grace + late

    def _in_grace(self, course: Course) -> None:
        self._ended(course, 0, course.grace - 10)
        self._complete(course, course.ends)

    def _overstay(self, course: Course) -> None:
        self._ended(course, course.grace + 3, course.grace + 120)
        self._complete(course, course.ends)

    def _ended_uncovered(self, course: Course) -> None:
        """The days of grace run out after the last covered instant and before the question."""
        last = self._span.last - 2
        while end_of(last, course.zone) <= self._span.records_end:
            last += 1
        course.ends = last - course.grace
        course.arrived = course.ends - self._rng.between(100, 250)
        self._complete(course, course.ends)

    def _train(self, course: Course, days: int) -> int:
        """Training after the program, authorised before it ends; its last day."""
        element = "OPTEmployment" if course.admission_class == "F-1" else "AcademicTraining"
        begins = course.ends + self._rng.between(1, course.grace - 5)
        processed = course.ends - self._rng.between(10, 40)
        course.steps.append(Step(element, begins, processed, begins + days))
        course.steps.append(Step("Complete", course.ends, course.ends + 1, course.ends))
        return begins + days

    def _training(self, course: Course) -> None:
        self._ended(course, 5, 150)
        self._train(course, 180 + self._rng.between(0, 180))

    def _training_left(self, course: Course) -> None:
        self._lasts(course, 90, 150, 60 + 2 * course.grace)
        course.left = self._train(course, 60) + self._rng.between(1, course.grace - 1)

    def _cap_gap(self, course: Course) -> None:
        self._ended(course, 5, 120)
        course.steps.append(Step("Complete", course.ends, course.ends + 1, course.ends))
        course.steps.append(Step("CapGapExtension", course.ends, course.ends - 3, _cap_gap_end(course.ends)))

    def _cap_gap_ended(self, course: Course) -> None:
        """The petition was denied: the period is corrected to the day of the denial."""
        self._ended(course, 40, 130)
        course.steps.append(Step("Complete", course.ends, course.ends + 1, course.ends))
        denied = course.ends + self._rng.between(10, 35)
        course.steps.append(
            Step(
                "CapGapExtension",
                course.ends,
                course.ends - 3,
                denied,
                mended=denied + 1,
                wrong=_cap_gap_end(course.ends),
            )
        )

    def _terminated(self, course: Course, reason: str, after: int) -> int:
        self._lasts(course, 150, 250, 0)
        day = course.arrived + self._rng.between(40, 90)
        course.ends = max(course.ends, day + 60)
        if day + after > self._span.last:
            course.arrived -= 100
            course.ends -= 100
            day -= 100
        course.steps.append(Step("Terminate", day, day + self._rng.between(0, 3), reason=reason))
        return day

    def _withdrawn_left(self, course: Course) -> None:
        course.left = self._terminated(course, WITHDRAWAL, 20) + self._rng.between(1, 14)

    def _withdrawn_late(self, course: Course) -> None:
        course.left = self._terminated(course, WITHDRAWAL, 60) + self._rng.between(17, 50)

    def _withdrawn_present(self, course: Course) -> None:
        self._terminated(course, WITHDRAWAL, 5)

    def _terminated_left(self, course: Course) -> None:
        course.left = self._terminated(course, VIOLATION, 50) + self._rng.between(3, 45)

    def _terminated_present(self, course: Course) -> None:
        self._terminated(course, VIOLATION, 5)

    def _reactivated(self, course: Course) -> None:
        day = self._terminated(course, VIOLATION, 60) + self._rng.between(10, 45)
        resumed = max(course.ends, self._span.last + self._rng.between(30, 200))
        course.steps.append(Step("Reactivate", day, day + 1, resumed))

    def _by_mistake(self, course: Course) -> None:
        self._present(course)
        day = course.arrived + 2
        course.steps.append(Step("Terminate", day, day, reason=VIOLATION, mended=day + 1, void=True))

    def _without_record(self, course: Course) -> None:
        course.known = False
        if self._rng.chance(0.5):
            self._left_before(course)
        else:
            self._present(course)


def _year(arrived: int) -> int:
    """Return the last day of a year that begins on a day, the longest admission to a vocational school."""
    day = date.fromordinal(arrived)
    if (day.month, day.day) == (2, 29):
        return date(day.year + 1, 2, 28).toordinal()
    return day.replace(year=day.year + 1).toordinal() - 1


def _cap_gap_end(ends: int) -> int:
    """Return the last day of a cap-gap that carries a status ended on that day."""
    year = date.fromordinal(ends).year
    october = date(year, 10, 1).toordinal()
    if ends > october:
        year += 1
        october = date(year, 10, 1).toordinal()
    return october if ends < APRIL_SINCE else date(year + 1, 4, 1).toordinal()


KINDS: dict[str, Callable[[Students, Course], None]] = {
    "student_present": Students._present,
    "student_extended": Students._extended,
    "student_extended_left": Students._extended_left,
    "student_level": Students._level,
    "student_shortened_left": Students._shortened_left,
    "student_left_before": Students._left_before,
    "student_left_in_grace": Students._left_in_grace,
    "student_left_last_day": Students._left_last_day,
    "student_left_late": Students._left_late,
    "student_in_grace": Students._in_grace,
    "student_overstay": Students._overstay,
    "student_ended_uncovered": Students._ended_uncovered,
    "student_training": Students._training,
    "student_training_left": Students._training_left,
    "student_cap_gap": Students._cap_gap,
    "student_cap_gap_ended": Students._cap_gap_ended,
    "student_withdrawn_left": Students._withdrawn_left,
    "student_withdrawn_late": Students._withdrawn_late,
    "student_withdrawn_present": Students._withdrawn_present,
    "student_terminated_left": Students._terminated_left,
    "student_terminated_present": Students._terminated_present,
    "student_reactivated": Students._reactivated,
    "student_terminated_by_mistake": Students._by_mistake,
    "student_without_record": Students._without_record,
}
"""What becomes of a student."""
