"""Applications: what is known of each receipt, when it was filed, and whether that was in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from schemas.moments import zone
from services.domain import programs, rules
from services.domain.facts import Fact, end_of_day, instant
from services.domain.holidays import business_day

PETITION_FORM = "I-129"
INSPECTION_FORM = "I-94"
"""The form of what the inspecting agency decides by itself: a deferred inspection, a new date, a class mended."""


@dataclass(slots=True)
class Application:
    """All that is known of one receipt."""

    receipt: str
    decided: Fact | None
    filed_at: int
    asks: str
    evidence: tuple[str, ...]
    inspection: bool = False  # decided by the inspecting agency without being asked
    paper: bool = True
    starts: date | None = None  # the first day asked for or granted
    bridges: bool = False  # asks for the class to which a student's status is carried over
    void: bool = False  # leaves no period of authorised stay behind
    protected: bool = False  # filed by a person who was held to maintain status: INA 244(f)(4)
    revoked: Fact | None = None  # the step that ended what had been granted and had begun

    @property
    def adjusts(self) -> bool:
        """Whether it asks for permanent residence."""
        return self.asks == "adjust"

    @property
    def action(self) -> str:
        """What became of it so far."""
        return self.decided.body["action"] if self.decided else "pending"

    def never_begun(self) -> Application:
        """The same where what had been granted was taken back before it began, so that it granted nothing."""
        granted = "" if self.decided is None else self.decided.uuid
        ended = () if self.revoked is None else (self.revoked.uuid,)
        evidence = tuple(sorted({*self.evidence, *ended} - {granted}))
        return replace(self, decided=self.revoked, evidence=evidence, revoked=None)

    def granted_by(self, second: int) -> bool:
        """Whether it had been approved by a second."""
        return self.decided is not None and self.action == "approved" and self.decided.start < second

    def in_time(self, deadline: int, zone_name: str) -> bool:
        """Whether it was filed before a second at which a local day is over.

        Paper is in time on the next business day after a Saturday, a Sunday or a federal holiday (8 CFR 1.2).
        """
        if self.filed_at < deadline or not self.paper or abs(deadline) >= programs.FOREVER:
            return self.filed_at < deadline
        last = business_day(local_day(deadline - 1, zone_name))
        return self.filed_at < programs.over(last.toordinal(), zone_name)


def applications_of(facts: Sequence[Fact], zone_name: str) -> list[Application]:
    """The applications by receipt in the order of filing. An appeal leaves the last decision as it is."""
    by_receipt: dict[str, list[Fact]] = {}
    for fact in facts:
        by_receipt.setdefault(fact.body["receipt"], []).append(fact)
    applications = [_application(receipt, steps, zone_name) for receipt, steps in by_receipt.items()]
    return sorted(applications, key=lambda one: (one.filed_at, one.evidence))


def _application(receipt: str, steps: Sequence[Fact], zone_name: str) -> Application:
    filed = next((step for step in steps if step.body["action"] == "filed"), None)
    decisions = [step for step in steps if step.body["action"] in ("approved", "denied", "withdrawn")]
    asks = steps[0].body["asks"]
    starts = next((step.body["valid_from"] for step in steps if "valid_from" in step.body), None)
    revoked = _revoked(decisions)
    if revoked is not None:
        decisions = [step for step in decisions if step.body["action"] == "approved"]
    return Application(
        receipt,
        decisions[-1] if decisions else None,
        filed_at(steps, zone_name),
        asks,
        tuple(sorted(step.uuid for step in steps if step is filed or step in decisions[-1:])),
        revoked=revoked,
        inspection=steps[0].body["form"] == INSPECTION_FORM,
        paper=_on_paper(steps),
        starts=None if starts is None else date.fromisoformat(starts),
        bridges=asks == "change_class"
        and any(step.body.get("requested_class") == rules.CAP_GAP_CLASS for step in steps),
    )


def _revoked(decisions: Sequence[Fact]) -> Fact | None:
    """The step by which an approved petition ended once it had begun; None where there is none.

    Withdrawn by the employer, it is revoked by that (8 CFR 214.2(h)(11)(ii), (l)(9)(ii), (o)(8)(ii), (p)(10)(ii)): the
    status that rested on it is over, and the date that had been granted is none that nobody granted. A petition that
    ended before its first day granted nothing; nor did an application that was reopened and denied (8 CFR 103.5(a)(5)).
    """
    granted = [step for step in decisions if step.body["action"] == "approved"]
    if not granted or decisions[-1].body["action"] == "approved" or decisions[-1].body["form"] != PETITION_FORM:
        return None
    last = decisions[decisions.index(granted[-1]) + 1]  # a second word of it moves no day
    begins = granted[-1].body.get("valid_from")
    begun = granted[-1].day if begins is None else max(granted[-1].day, date.fromisoformat(begins).toordinal())
    return last if begun <= last.day else None


def _on_paper(steps: Sequence[Fact]) -> bool:
    """What the record says of it; else whether the system that tells of the case holds filings on paper."""
    stated = next((step.body["filed_on_paper"] for step in steps if "filed_on_paper" in step.body), None)
    if stated is not None:
        return bool(stated)
    return steps[0].system not in rules.ONLINE_SYSTEMS


def filed_at(steps: Sequence[Fact], zone_name: str) -> int:
    """The second of filing. A day, wherever it was written down, is that day at the port of entry."""
    filed_on = next((step.body["filed_on"] for step in steps if "filed_on" in step.body), None)
    if filed_on is not None:
        return programs.over(date.fromisoformat(filed_on).toordinal() - 1, zone_name)
    step = next((step for step in steps if step.body["action"] == "filed"), steps[0])
    return end_of_day(step.day - 1, zone_name) if step.whole_day else step.start


def decision_over(decided: Fact, zone_name: str) -> int:
    """The second at which the day of a decision is over at the port of entry."""
    day = decided.day if decided.whole_day else local_day(decided.start, zone_name).toordinal()
    return end_of_day(day, zone_name)


def local_day(second: int, zone_name: str) -> date:
    """The calendar day at a port."""
    return instant(second).astimezone(zone(zone_name)).date()
