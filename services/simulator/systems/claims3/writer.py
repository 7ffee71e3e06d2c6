"""Writes a person into the table of CLAIMS 3: the rows of each application, as far as the records go."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import DAY, iso, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.names import plain
from services.simulator.population.plans import Application, Stay, without_hyphen
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run
from services.simulator.systems.claims3 import rates
from services.simulator.systems.claims3.table import Action, Actions, timestamp
from services.simulator.truth.verdict import OFFICE

FIRST_ACTION = 7_000_000
BY_OWNER = "I-94"
"""The form of what the owner of the I-94 does by itself; CLAIMS 3 has no row of it."""
_TIE = Choice(rates.APPLICATION_NAMES)
_OTHER_STAY = 2**31


class Claims3Writer:
    """Writes applications into the table."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._mistakes = run.mistakes
        self._actions = Actions(run.place)
        self._action = FIRST_ACTION

    def write(self, log: PersonLog) -> None:
        """Write all applications of a person."""
        stays = log.person.stays
        for index, stay in enumerate(stays):
            later = stays[index + 1].arrival.day if index + 1 < len(stays) else _OTHER_STAY
            for application in stay.applications:
                known = application.known_by(self._span.decisions_through)
                if known is not None and known.form != BY_OWNER and not known.online:
                    self._apply(log, stay, known, later)

    def finish(self) -> Counts:
        """Complete the table."""
        actions = self._actions
        actions.finish(self._span.records_end)
        return {
            "read": actions.rows,
            "published": actions.rows - actions.filtered,
            "filtered": actions.filtered,
            "changed": actions.changed,
            "voided": actions.voided,
        }

    def _apply(self, log: PersonLog, stay: Stay, application: Application, later: int) -> None:
        """Write the rows of one application, as far as they were written when the records end."""
        tie = _TIE.draw(self._rng.random)
        if max(application.filed, application.decided) >= later or (tie == "name" and not plain(log.person)):
            # another stay has begun by then, so the application must say which one it is about
            tie = "number"
        last = self._span.decisions_through
        self._row(log, stay, application, "FILED", application.filed, tie)
        middle = application.filed + 1
        if self._rng.chance(rates.ROW_VOIDED) and middle <= last and tie == "number":
            self._row(log, stay, application, "DENIED", middle, tie, void=True)
        if application.decision:
            self._row(log, stay, application, application.decision.upper(), application.decided, tie)
        appeal = application.decided + 5
        if application.decision == "denied" and appeal <= last and self._rng.chance(rates.APPEALED):
            self._row(log, stay, application, "APPEALED", appeal, "number")
        if application.form == "I-485" and self._rng.chance(rates.WORK_PERMIT):
            permit = replace(application, form="I-765", receipt=_permit(application.receipt), granted_class="")
            self._row(log, stay, permit, "FILED", application.filed, tie)

    def _row(
        self, log: PersonLog, stay: Stay, application: Application, code: str, day: int, tie: str, *, void: bool = False
    ) -> None:
        self._action += 1
        versions = 2 if void else 1
        spelt = str if not self._rng.chance(rates.CLASS_WITHOUT_HYPHEN) else without_hyphen
        updated = midnight(day, OFFICE) + 8 * 3600 + int(self._rng.random.random() * 8 * 3600)
        if void or self._rng.chance(rates.ROW_CHANGED):
            versions += not void
            updated = min(updated + int(self._rng.random.random() * 20 * DAY), self._span.records_end - 60)
        counted = not void and application.form != "I-765"
        description = Description(log.person, stay.passport)
        if counted:
            description = self._mistakes.describe(log.person, stay, documented=tie != "name")
        late = self._mistakes.late((self._span.records_end - 60 - updated) // DAY, possible=counted)
        updated += late * DAY
        self._mistakes.due("duplicate", possible=False)
        if late:
            description.kinds.append("out_of_order")
        person = description.person
        passport = description.passport if tie != "name" else None
        number = self._mistakes.number("i94", stay.number if tie == "number" else "", description, possible=counted)
        receipt = self._mistakes.number("receipt", application.receipt, description, possible=counted)
        alien = person.a_number if application.form in ("I-485", "I-765") else ""
        alien = self._mistakes.number("alien", alien, description, possible=counted)
        approved = code == "APPROVED"
        new_number = application.new_number if approved else ""
        self._actions.add(
            Action(
                action_id=self._action,
                row_version=versions,
                receipt_number=receipt,
                form_type=application.form,
                action_code=code,
                action_date=iso(day),
                filed_date=None if self._rng.chance(rates.FILED_DATE_LEFT_OUT) else iso(application.filed),
                a_number=alien or None,
                i94_number=number or None,
                family_name=names.on_paper(person.family),
                given_name=names.on_paper(person.given) or None,
                date_of_birth=birth_text(person.birth),
                sex=person.sex,
                country_of_citizenship=person.citizenship,
                passport_number=passport.number if passport else None,
                passport_country=passport.state if passport else None,
                current_class=spelt(stay.admission_class),
                requested_class=spelt(application.asked_class) or None,
                requested_until=iso(application.asked_until) if application.asked_until else None,
                granted_class=spelt(application.granted_class) or None if approved else None,
                granted_until=iso(application.granted_until) if approved and application.granted_until else None,
                valid_from=iso(day) if approved else None,
                new_i94_number=new_number or None,
                void_flag="Y" if void else "N",
                last_update_ts=timestamp(updated),
                requested_action=_requested_action(application),
                t_u_vawa_flag=None,
                service_center=receipt[:3],
                examiner_id=f"X{self._action % 900:04}",
            )
        )
        if application.form == "I-765":
            return
        key = str(self._action)
        if void:
            log.retract(self._system, key)
            return
        identifiers = {f"receipt:{receipt}"}
        identifiers |= {f"i94:{each}" for each in (number, new_number) if each}
        if passport:
            identifiers.add(f"passport:{passport.state}:{passport.number}")
        if alien:
            identifiers.add(f"a:{alien}")
        log.add(self._system, key, identifiers, description.kinds)


def _permit(receipt: str) -> str:
    """Return the receipt of the work permit filed together with an adjustment; no other application has that office."""
    return f"NBC{receipt[3:]}"


def _requested_action(application: Application) -> str | None:
    """What a petition of an employer asks for; other forms have no such code."""
    if application.form != "I-129":
        return None
    return "B" if application.asked_class else "C"
