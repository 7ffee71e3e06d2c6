"""Writes down what SEVIS is told of a person's program: the record's creation, its changes, corrections, deletions."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import iso, midnight
from services.simulator.noise import Mistakes
from services.simulator.population import names, rates
from services.simulator.population.plans import Passport, Person, Program, Span, Stay, Step
from services.simulator.rng import Rng
from services.simulator.scribe import Page, birth_of
from services.simulator.sevis import Batches, Pairs, record, tag, tags
from services.simulator.truth.records import TrueRecord
from services.simulator.truth.verdict import OFFICE, VIOLATION

_STUDENT_REASONS = ("UNAUTHORIZED-EMPLOYMENT", "UNAUTHORIZED-DROP", "FAILURE-TO-ENROLL", "OTHER-VIOLATION")
_EXCHANGE_REASONS = ("UNAUTHORIZED-EMPLOYMENT", "NO-INSURANCE", "PROGRAM-VIOLATION", "OTHER-VIOLATION")
APPLIED, REJECTED = "S0000", "S1056"


class Registrar:
    """Writes programs into SEVIS' batches."""

    def __init__(self, seed: int, span: Span, batches: Batches, mistakes: Mistakes) -> None:
        self._rng = Rng(f"registrar {seed}")
        self._mistakes = mistakes
        self._span = span
        self._batches = batches
        self._request = 0

    def write(self, page: Page) -> None:
        """All records of a person's program; most people have none."""
        stays = [stay for stay in page.person.stays if stay.program is not None]
        if not stays or stays[0].program is None:
            return
        program, first = stays[0].program, stays[0]
        self._create(page, program, first)
        for step in program.steps:
            self._step(page, program, step)
        day = first.arrival.day + 5
        if day <= self._span.last and self._rng.chance(rates.NUMBER_TOLD):
            self._number(page, program, first, day)
        if self._rng.chance(rates.ADMINISTRATIVE):
            kind = tags((("Kind", self._rng.one(("ADDRESS", "FINANCE", "REPRINT", "COURSE-LOAD"))),))
            self._send(program, "N", self._new(), tag("Administrative", kind), day)
        if self._rng.chance(rates.NOT_APPLIED):
            rejected = Step("Terminate", day, day, reason=VIOLATION)
            self._send(program, "N", self._new(), self._told(program, rejected), day, code=REJECTED)

    def _create(self, page: Page, program: Program, stay: Stay) -> None:
        person = page.person
        plain = bool(person.given) and not person.birth.endswith("00") and names.LONG not in person.family
        with_passport = not plain or self._rng.chance(rates.PASSPORT_TOLD)
        starts = program.issued + 20
        period = (
            ("IssueReason", "I"),
            ("IssueDate", iso(program.issued)),
            ("ProgramStartDate", iso(starts)),
            ("ProgramEndDate", iso(program.ends)),
        )
        said = self._mistakes.tell(person, stay)
        content = tag("PersonalInfo", _person(said.person))
        if with_passport:
            content += tag("TravelInfo", tags(_passport(said.passport)))
        content += tag("ProgramInfo", tags(period))
        kind = "CreateEV" if program.visa_type == "J1" else "CreateStudent"
        request = self._new()
        kinds = self._send(program, "N", request, content, program.issued, kind=kind, once=True)
        self._keep(page, program, request, said.passport if with_passport else None, kinds=(*said.kinds, *kinds))

    def _number(self, page: Page, program: Program, stay: Stay, day: int) -> None:
        """The school adds the number of the I-94 after the arrival."""
        said = self._mistakes.tell(page.person, stay)
        content = tags((("EffectiveDate", iso(day)),)) + tag("Person", _person(said.person))
        content += tag("TravelInfo", tags((*_passport(said.passport), ("I94Number", stay.number))))
        request = self._new()
        kinds = self._send(program, "N", request, tag("PersonalInfo", content), day, once=True)
        self._keep(page, program, request, said.passport, f"i94:{stay.number}", kinds=(*said.kinds, *kinds))

    def _step(self, page: Page, program: Program, step: Step) -> None:
        request = self._new()
        first = replace(step, until=step.wrong) if step.wrong else step
        told = self._told(program, first)
        kinds = self._send(program, "N", request, told, step.told, once=not step.mended)
        if step.void:
            self._send(program, "D", request, told, step.mended)
            page.retracted.append(("SEVIS", f"{program.sevis_id}/{request}"))
            return
        if step.mended:
            self._send(program, "C", request, self._told(program, step), step.mended)
        self._keep(page, program, request, None, kinds=kinds)

    def _told(self, program: Program, step: Step) -> str:
        """The element of an update."""
        day, until = iso(step.day), iso(step.until) if step.until else ""
        pairs: Pairs
        if step.element == "Terminate":
            reasons = _EXCHANGE_REASONS if program.visa_type == "J1" else _STUDENT_REASONS
            reason = self._rng.one(reasons) if step.reason == VIOLATION else step.reason
            pairs = (("EffectiveDate", day), ("Reason", reason))
        elif step.element == "Complete":
            pairs = (("EffectiveDate", day),)
        elif step.element == "CapGapExtension":
            pairs = (("EffectiveDate", day), ("Until", until))
        elif step.element in ("OPTEmployment", "AcademicTraining"):
            pairs = (("StartDate", day), ("EndDate", until), ("FullPartTimeIndicator", "01"))
        else:
            pairs = (("EffectiveDate", day), ("ProgramEndDate", until))
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
        page: Page,
        program: Program,
        request: str,
        passport: Passport | None,
        *more: str,
        kinds: tuple[str, ...],
    ) -> None:
        told = {f"sevis:{program.sevis_id}", *more}
        if passport is not None:
            told.add(f"passport:{passport.state}:{passport.number}")
        page.records.append(TrueRecord("SEVIS", f"{program.sevis_id}/{request}", frozenset(told), kinds))

    def _new(self) -> str:
        self._request += 1
        return f"R{self._request:07}"


def _person(person: Person) -> str:
    return tags(
        (
            ("FamilyName", names.on_paper(person.family)[:39].strip()),
            ("GivenName", names.on_paper(person.given)),
            ("BirthDate", birth_of(person.birth)),
            ("Gender", person.sex),
            ("CitizenshipCountryCode", person.citizenship),
        )
    )


def _passport(passport: Passport) -> Pairs:
    return ("PassportNumber", passport.number), ("PassportIssuingCountry", passport.state)
