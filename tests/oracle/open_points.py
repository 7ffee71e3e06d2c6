"""Points of law on which product and second calculator are known to differ, each to be decided by its source.

A difference that belongs to none of them fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable

from oracle import law
from oracle.comparing import Difference
from oracle.days import day_of
from oracle.histories import History
from oracle.reading import Event, receipts_of


def _facts(history: History, fact: str) -> list[Event]:
    return [e for e in history.events if e.get("fact") == fact]


def _arrivals(history: History) -> list[Event]:
    return [e for e in history.events if e["kind"] == "arrival"]


def _classes(history: History) -> set[str]:
    return {str(e.get("class_of_admission")) for e in _arrivals(history)}


def _worked(history: History, _: Difference) -> bool:
    return bool(_facts(history, "unauthorised_work"))


def _no_sixty_days(history: History, _: Difference) -> bool:
    return bool(_facts(history, "employment_ended")) and bool(
        _classes(history) & (law.WORKERS - law.SIXTY_DAYS - law.SIXTY_DAYS_H2)
    )


def _never_duration_of_status(history: History, difference: Difference) -> bool:
    return difference.oracle.outcome == "UNDETERMINED" and any(
        e.get("admitted_until") == "D/S" and e["class_of_admission"] in ("A3", "G5", "N7", "I")
        for e in _arrivals(history)
    )


def _readmitted(history: History, _: Difference) -> bool:
    return history.kind == "revalidation"


def _personal_information(history: History, difference: Difference) -> bool:
    return "contradict" in difference.reason or difference.product == "CLOSED_UNOBSERVED"


def _contradicted(history: History, difference: Difference) -> bool:
    return "UNDETERMINED" in difference.oracle.outcomes and any(
        e["kind"] == "departure" and e["evidence"].startswith("manifest") for e in history.events
    )


def _told_late(history: History, difference: Difference) -> bool:
    return difference.reason.startswith("no period can be computed for class")


def _cap_gap_by_business_day(history: History, _: Difference) -> bool:
    return history.kind == "cap_gap"


def _guam(history: History, _: Difference) -> bool:
    return bool(_facts(history, "satisfactory_departure")) and bool(_classes(history) & {"GMT", "GMB"})


def _granted_before_decided(history: History, _: Difference) -> bool:
    return any(
        e["kind"] == "extension"
        and e["action"] == "approved"
        and (e.get("granted_until") or "9") < day_of(e["occurred_at"]).isoformat()
        for e in history.events
    )


def _two_filings(history: History, difference: Difference) -> bool:
    receipts = {r for e in history.events if e["kind"] == "extension" for r in receipts_of(e)}
    return len(receipts) > 1 and difference.oracle.outcome == "PENDING"


def _employment_and_approval(history: History, difference: Difference) -> bool:
    return bool(_facts(history, "employment_ended")) and any(e.get("action") == "approved" for e in history.events)


OPEN: dict[str, Callable[[History, Difference], bool]] = {
    "unauthorised work before or during pendency: INA 212(a)(9)(B)(iv)(III)": _worked,
    "no sixty days for P, R and others: 8 CFR 214.1(l)(2)": _no_sixty_days,
    "A-3, G-5, NATO-7, I of the PRC with D/S: 8 CFR 214.2(a)(1), (g)(1), (i)(2)": _never_duration_of_status,
    "days of a readmission at its own port: 8 CFR 214.1(b)": _readmitted,
    "personal information in SEVIS is no presence": _personal_information,
    "an approval behind a manifest; at least UNDETERMINED": _contradicted,
    "a program first told after the arrival": _told_late,
    "cap-gap for a petition in time by the business day: 8 CFR 214.2(f)(5)(vi)": _cap_gap_by_business_day,
    "satisfactory departure in Guam has an end: 8 CFR 212.1(q)": _guam,
    "granted to a day before the decision: 8 CFR 214.1(c)(4)": _granted_before_decided,
    "an approval of one filing ends no other": _two_filings,
    "employment that ends in an approved period, or another's approved inside the sixty days": _employment_and_approval,
}

SIBLINGS = {
    "i_of_the_prc_with_duration_of_status",
    "worked_while_pending",
    "p1_has_no_sixty_days",
    "registered_after_a_manifest",
    "second_period_second_sixty_days",
}


def is_open(history: History, difference: Difference) -> bool:
    """Whether a difference belongs to a point that is known and not decided."""
    return any(of(history, difference) for of in OPEN.values())
