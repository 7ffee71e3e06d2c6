"""The closed list of what can be said of one admission. Complete, disjoint; every admission has exactly one."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome classes in their order of precedence: where several would apply, the first listed is meant."""

    NOT_ADMITTED = "NOT_ADMITTED"  # refused, or the application withdrawn: no admission to count
    DEPARTED_IN_TIME = "DEPARTED_IN_TIME"  # left on or before the last authorised day
    DEPARTED_LATE = "DEPARTED_LATE"  # left after it: out-of-country overstay
    CLOSED_UNOBSERVED = "CLOSED_UNOBSERVED"  # a later admission shows a departure that nobody reported
    ADJUSTED = "ADJUSTED"  # no longer a nonimmigrant
    UNDETERMINED = "UNDETERMINED"  # contradiction, or class or period missing
    IN_STATUS = "IN_STATUS"
    IN_GRACE = "IN_GRACE"
    PENDING = "PENDING"  # a period of authorised stay rests on an undecided application or a protection
    TERMINATED = "TERMINATED"  # duration of status ended by a violation
    OVERSTAY_SUSPECTED = "OVERSTAY_SUSPECTED"  # over, no departure, and departures known complete past the end
    DEPARTURE_UNKNOWN = "DEPARTURE_UNKNOWN"  # over, no departure, departures not known complete past the end


ORDER: tuple[Outcome, ...] = tuple(Outcome)
