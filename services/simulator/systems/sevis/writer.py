"""Writes a person's program into the batches of SEVIS: its creation, its changes, corrections and deletions."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import iso, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.population import names
from services.simulator.population.names import plain
from services.simulator.population.plans import Passport, Person, Program, Stay, Step
from services.simulator.source import Counts, Run
from services.simulator.systems.sevis import rates
from services.simulator.systems.sevis.batches import Batches, Pairs, record, tag, tags
from services.simulator.truth.verdict import OFFICE, VIOLATION

_STUDENT_REASONS = ("UNAUTHORIZED-EMPLOYMENT", "UNAUTHORIZED-DROP", "FAILURE-TO-ENROLL", "OTHER-VIOLATION")
_EXCHANGE_REASONS = ("UNAUTHORIZED-EMPLOYMENT", "NO-INSURANCE", "PROGRAM-VIOLATION", "OTHER-VIOLATION")
APPLIED, REJECTED = "S0000", "S1056"


class SevisWriter:
    """Writes programs into the batches."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._mistakes = run.mistakes
        self._span = run.span
        self._batches = Batches(run.place, run.span.since, run.span.records_end, run.mistakes)
        self._request = 0

    def finish(self) -> Counts:
        """Complete the batches."""
        batches = self._batches
        batches.finish()
        return {
            "files": batches.files,
            "read": batches.records,
            "published": batches.records - batches.filtered,
            "filtered": batches.filtered,
            "corrections": batches.corrections,
            "deletions": batches.deletions,
            "coverage": batches.coverage,
        }

    def write(self, log: PersonLog) -> None:
        """Write all records of a person's program; most persons have none."""
        stays = [stay for stay in log.person.stays if stay.program is not None]
        if not stays or stays[0].program is None:
            return
        program, first = stays[0].program, stays[0]
        self._create(log, program, first)
        for step in program.steps:
            self._step(log, program, step)
        day = first.arrival.day + 5
        if day <= self._span.last and self._rng.chance(rates.NUMBER_STATED):
            self._number(log, program, first, day)
        if self._rng.chance(rates.ADMINISTRATIVE):
            kind = tags((("Kind", self._rng.one(("ADDRESS", "FINANCE", "REPRINT", "COURSE-LOAD"))),))
            self._send(program, "N", self._new(), tag("Administrative", kind), day)
        if self._rng.chance(rates.NOT_APPLIED):
            rejected = Step("Terminate", day, day, reason=VIOLATION)
            self._send(program, "N", self._new(), self._element(program, rejected), day, code=REJECTED)

    def _create(self, log: PersonLog, program: Program, stay: Stay) -> None:
        person = log.person
        with_passport = not plain(person) or self._rng.chance(rates.PASSPORT_STATED)
        starts = program.issued + 20
        period = (
            ("IssueReason", "I"),
            ("IssueDate", iso(program.issued)),
            ("ProgramStartDate", iso(starts)),
            ("ProgramEndDate", iso(program.ends)),
        )
        description = self._mistakes.describe(person, stay, documented=with_passport)
        content = tag("PersonalInfo", _person(description.person))
        if with_passport:
            content += tag("TravelInfo", tags(_passport(description.passport)))
        content += tag("ProgramInfo", tags(period))
        kind = "CreateEV" if program.visa_type == "J1" else "CreateStudent"
        request = self._new()
        kinds = self._send(program, "N", request, content, program.issued, kind=kind, once=True)
        self._keep(
            log, program, request, description.passport if with_passport else None, kinds=(*description.kinds, *kinds)
        )

    def _number(self, log: PersonLog, program: Program, stay: Stay, day: int) -> None:
        """Write that the school adds the number of the I-94 after the arrival."""
        description = self._mistakes.describe(log.person, stay)
        number = self._mistakes.number("i94", stay.number, description)
        sevis_id = self._mistakes.number("sevis", program.sevis_id, description)
        mistyped = replace(program, sevis_id=sevis_id)
        passport = description.passport
        content = tags((("EffectiveDate", iso(day)),)) + tag("Person", _person(description.person))
        content += tag("TravelInfo", tags((*_passport(passport), ("I94Number", number))))
        request = self._new()
        kinds = self._send(mistyped, "N", request, tag("PersonalInfo", content), day, once=True)
        self._keep(log, mistyped, request, passport, f"i94:{number}", kinds=(*description.kinds, *kinds))

    def _step(self, log: PersonLog, program: Program, step: Step) -> None:
        request = self._new()
        first = replace(step, period_end=step.wrong) if step.wrong else step
        element = self._element(program, first)
        kinds = self._send(program, "N", request, element, step.processed, once=not step.mended)
        if step.void:
            self._send(program, "D", request, element, step.mended)
            log.retract(self._system, f"{program.sevis_id}/{request}")
            return
        if step.mended:
            self._send(program, "C", request, self._element(program, step), step.mended)
        self._keep(log, program, request, None, kinds=kinds)

    def _element(self, program: Program, step: Step) -> str:
        """Return the element of an update."""
        day, last = iso(step.day), iso(step.period_end) if step.period_end else ""
        pairs: Pairs
        if step.element == "Terminate":
            reasons = _EXCHANGE_REASONS if program.visa_type == "J1" else _STUDENT_REASONS
            reason = self._rng.one(reasons) if step.reason == VIOLATION else step.reason
            pairs = (("EffectiveDate", day), ("Reason", reason))
        elif step.element == "Complete":
            pairs = (("EffectiveDate", day),)
        elif step.element == "CapGapExtension":
            pairs = (("EffectiveDate", day), ("Until", last))
        elif step.element in ("OPTEmployment", "AcademicTraining"):
            pairs = (("StartDate", day), ("EndDate", last), ("FullPartTimeIndicator", "01"))
        else:
            pairs = (("EffectiveDate", day), ("ProgramEndDate", last))
        return tag(step.element, tags(pairs))

    def _send(
        self,
        program: Program,
        action: str,
        request: str,
        content: str,
        day: int,
        *,
        kind: str = "",
        code: str = APPLIED,
        once: bool = False,
    ) -> tuple[str, ...]:
        """Into the batch of its night; what went wrong. Only what is never mended (`once`) may come late, or twice."""
        exchange = program.visa_type == "J1"
        processed = midnight(day, OFFICE) + 8 * 3600 + int(self._rng.random.random() * 8 * 3600)
        attributes = (
            ("sevisID", program.sevis_id),
            ("requestID", request),
            ("recordAction", action),
            ("visaType", program.visa_type),
        )
        data = record(kind or ("UpdateEV" if exchange else "UpdateStudent"), attributes, content, code, processed)
        filtered = code != APPLIED or content.startswith("<Administrative>")
        late = self._mistakes.late(self._batches.nights_after(processed) if once else 0)
        self._batches.add(exchange, action, processed, data, filtered=filtered, late=late)
        twice = self._mistakes.due("duplicate", possible=once)
        if twice:
            self._batches.add(exchange, action, processed, data, filtered=filtered, late=late)
        return (*(("out_of_order",) if late else ()), *(("duplicate",) if twice else ()))

    def _keep(
        self,
        log: PersonLog,
        program: Program,
        request: str,
        passport: Passport | None,
        *more: str,
        kinds: tuple[str, ...],
    ) -> None:
        identifiers = {f"sevis:{program.sevis_id}", *more}
        if passport is not None:
            identifiers.add(f"passport:{passport.state}:{passport.number}")
        log.add(self._system, f"{program.sevis_id}/{request}", identifiers, kinds)

    def _new(self) -> str:
        self._request += 1
        return f"R{self._request:07}"


def _person(person: Person) -> str:
    return tags(
        (
            ("FamilyName", names.on_paper(person.family)[:39].strip()),
            ("GivenName", names.on_paper(person.given)),
            ("BirthDate", birth_text(person.birth)),
            ("Gender", person.sex),
            ("CitizenshipCountryCode", person.citizenship),
        )
    )


def _passport(passport: Passport) -> Pairs:
    return ("PassportNumber", passport.number), ("PassportIssuingCountry", passport.state)
