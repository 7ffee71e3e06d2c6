"""Points of law on which product and second calculator are known to differ, each to be decided by its source.

A difference that belongs to none of them fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from oracle.comparing import Difference
from oracle.days import closed, day_of
from oracle.histories import History
from oracle.reading import Event, receipts_of


def _steps(history: History, action: str) -> list[Event]:
    return [e for e in history.events if e["kind"] == "extension" and e["action"] == action]


def _told_late(history: History, difference: Difference) -> bool:
    """No program is told that had begun by the arrival."""
    return difference.product == "UNDETERMINED" and ("SEVIS" in difference.reason or "no period" in difference.reason)


def _cap_gap_by_business_day(history: History, difference: Difference) -> bool:
    behind = [e for e in _steps(history, "filed") if closed(day_of(e["occurred_at"]) - timedelta(days=1))]
    return history.kind == "cap_gap" and bool(behind)


def _granted_before_decided(history: History, difference: Difference) -> bool:
    return {"PENDING", "DEPARTED_IN_TIME"} & {*difference.oracle.outcomes} != set() and any(
        (e.get("granted_until") or "9") < day_of(e["occurred_at"]).isoformat() for e in _steps(history, "approved")
    )


def _two_filings(history: History, difference: Difference) -> bool:
    receipts = {receipt for e in _steps(history, "filed") for receipt in receipts_of(e)}
    return len(receipts) > 1 and difference.oracle.outcome == "PENDING" and bool(_steps(history, "approved"))


OPEN: dict[str, Callable[[History, Difference], bool]] = {
    "a program first told after the arrival: adapters/systems/sevis/README.md": _told_late,
    "cap-gap for a petition in time by the business day: 8 CFR 214.2(f)(5)(vi), 1.2": _cap_gap_by_business_day,
    "granted to a day before the decision: 8 CFR 214.1(c)(4)": _granted_before_decided,
    "an approval of one filing ends no other: 8 CFR 214.1(c)(4), 248.1(b)": _two_filings,
}


def is_open(history: History, difference: Difference) -> bool:
    """Whether a difference belongs to a point that is known and not decided."""
    return any(of(history, difference) for of in OPEN.values())
