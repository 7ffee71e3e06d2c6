"""Points of law on which product and second calculator are known to differ, each to be decided by its source.

A difference that belongs to none of them fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from oracle import law
from oracle.comparing import Difference
from oracle.days import day_of
from oracle.histories import History
from oracle.reading import Event


def _steps(history: History, action: str) -> list[Event]:
    return [e for e in history.events if e["kind"] == "extension" and e["action"] == action]


def _reported_late(history: History, difference: Difference) -> bool:
    """No program is told that had begun by the arrival."""
    return difference.product == "UNDETERMINED" and ("SEVIS" in difference.reason or "no period" in difference.reason)


def _to_a_date_and_terminated(history: History, difference: Difference) -> bool:
    """F or J admitted to a date that is over; the program was terminated, then he left."""
    students = [
        e for e in history.events if e["kind"] == "arrival" and e["class_of_admission"] in law.GRACE_OF_PROGRAMS
    ]
    return difference.product == "DEPARTED_IN_TIME" and any(e["admitted_until"] != "D/S" for e in students)


def _other_filings(history: History, difference: Difference) -> bool:
    return difference.product == "TERMINATED" and any(e["asks"] == "adjust" for e in _steps(history, "filed"))


def _worked_while_adjusting(history: History, difference: Difference) -> bool:
    worked = any(e.get("fact") == "unauthorised_work" for e in history.events)
    return worked and any(e["asks"] == "adjust" for e in _steps(history, "filed"))


def _pending_before_filed(history: History, difference: Difference) -> bool:
    day = history.as_of.date() - timedelta(days=1)
    return difference.product == "PENDING" and any(day_of(e["occurred_at"]) > day for e in _steps(history, "filed"))


def _granted_before_decided(history: History, difference: Difference) -> bool:
    return {"PENDING", "DEPARTED_IN_TIME"} & {*difference.oracle.outcomes} != set() and any(
        (e.get("granted_until") or "9") < day_of(e["occurred_at"]).isoformat() for e in _steps(history, "approved")
    )


OPEN: dict[str, Callable[[History, Difference], bool]] = {
    "a program first told after the arrival: adapters/systems/sevis/README.md": _reported_late,
    "F or J to a date that is over, then terminated: 8 CFR 214.2(f)(5)(iv), 214.3(l)": _to_a_date_and_terminated,
    "an adjustment is pending whatever else is filed: INA 245": _other_filings,
    "unauthorised work ends no pending adjustment: INA 212(a)(9)(B)(iv)": _worked_while_adjusting,
    "nothing is pending before it is filed": _pending_before_filed,
    "granted to a day before the decision: 8 CFR 214.1(c)(4)": _granted_before_decided,
}


def is_open(history: History, difference: Difference) -> bool:
    """Whether a difference belongs to a point that is known and not decided."""
    return any(of(history, difference) for of in OPEN.values())
