"""How often what happens in the synthetic population: every share in one place, printed with each run's counts."""

from __future__ import annotations

from collections.abc import Mapping

VISITORS = 0.62
"""Share of persons who travel on a visa (B-1, B-2); the others come under the waiver (WB, WT)."""
BUSINESS = 0.3
"""Share of stays that are for business: B-1, WB."""
TRIPS = (0.45, 0.3, 0.15, 0.07, 0.03)
"""How many trips, from one, a person makes, those cut off by the beginning of the records included."""
RENEWED = 0.12
"""Share of persons with several trips who renew the passport between two of them."""

LAST = {
    # the last trip of a visitor with a visa: what becomes of it
    "left": 0.22,
    "left_last_day": 0.04,
    "left_last_day_elsewhere": 0.03,
    "left_hours_late_elsewhere": 0.02,
    "left_one_day_late": 0.03,
    "left_late": 0.04,
    "refused": 0.03,
    "present": 0.12,
    "overstay": 0.06,
    "ended_uncovered": 0.04,
    "extended_left": 0.04,
    "extended_late": 0.015,
    "extended_present": 0.03,
    "extended_by_cbp": 0.015,
    "extension_pending": 0.04,
    "second_extension_pending": 0.01,
    "healed_present": 0.01,
    "denied_left_before": 0.015,
    "denied_left_after": 0.015,
    "denied_present": 0.015,
    "denied_early_left": 0.01,
    "withdrawn_left": 0.015,
    "filed_late_left": 0.015,
    "filed_late_present": 0.015,
    "changed_class": 0.03,
    "adjusted": 0.025,
    "adjustment_pending": 0.025,
    "adjustment_denied": 0.015,
}
LAST_WAIVER = {
    # the same under the waiver: no extension, no change of class
    "left": 0.36,
    "left_last_day": 0.06,
    "left_last_day_elsewhere": 0.03,
    "left_hours_late_elsewhere": 0.02,
    "left_one_day_late": 0.04,
    "left_late": 0.05,
    "refused": 0.04,
    "present": 0.14,
    "overstay": 0.09,
    "ended_uncovered": 0.05,
    "no_extension_left": 0.02,
    "no_extension_present": 0.02,
    "adjusted": 0.03,
    "adjustment_pending": 0.03,
    "adjustment_denied": 0.02,
}
EARLIER = {
    # trips before the last one; "unobserved": left, and no system reported it
    "left": 0.63,
    "left_last_day": 0.05,
    "left_last_day_elsewhere": 0.02,
    "left_hours_late_elsewhere": 0.01,
    "left_one_day_late": 0.03,
    "left_late": 0.04,
    "refused": 0.04,
    "unobserved": 0.1,
    "extended_left": 0.05,
    "denied_left_before": 0.01,
    "denied_left_after": 0.01,
    "withdrawn_left": 0.01,
}
EARLIER_WAIVER = {
    "left": 0.7,
    "left_last_day": 0.05,
    "left_last_day_elsewhere": 0.02,
    "left_hours_late_elsewhere": 0.01,
    "left_one_day_late": 0.03,
    "left_late": 0.03,
    "refused": 0.04,
    "unobserved": 0.1,
    "no_extension_left": 0.02,
}

DAY_ONLY = 0.04
"""Share of departures of which only the day is known."""
BY_SEA, BY_LAND = 0.08, 0.1
FAMILY = 0.12
"""Share of persons with a member of the family who travels along on all trips, of those who apply for nothing."""
VISA_REVOKED = 0.02
ESTA_REVOKED, ESTA_LATER = 0.02, 0.05
"""Share of authorisations to travel that are revoked; of travellers who ask for another one that is not approved."""
REMOVED, CHARGED = 0.3, 0.4
"""Share of late departures that are removals; of overstays with a removal case."""
RELEASED, ORDERED, PROCEEDINGS_ENDED = 0.4, 0.3, 0.4
"""Of removal cases: released from custody meanwhile; ordered removed; of the others, ended without an order."""
ASYLUM, ASYLUM_ABANDONED = 0.12, 0.05
"""Share of those present who have asked for asylum; of late departures of persons who had."""
ASYLUM_DECISION = {"": 0.4, "granted": 0.2, "referred": 0.25, "denied": 0.15}
NATURALISATION, NATURALISATION_BY_SERVICE = 0.6, 0.25
"""Share of residents, and of workers, who have asked to be naturalised: many more than in life, so that some are."""
NATURALISATION_DECIDED, NATURALISATION_DENIED = 0.7, 0.15
UNREPORTED = 0.35
"""Share of persons still there after their period, by the records, who left in truth and can show it."""
OTHER_CLOCK = 0.5
"""Share of crossings for which a system that keeps a clock of its own has another time, by up to 20 minutes."""
SINGLE_NAME, PARTIAL_BIRTH, LONG_NAME, SEX_X = 0.015, 0.01, 0.01, 0.005


STUDENTS = 0.12
"""Share of persons who come to study or on exchange, where SEVIS is written."""
STUDENT_CLASS = {"F-1": 0.6, "J-1": 0.28, "M-1": 0.12}
STUDENT = {
    # what becomes of an F-1's last stay
    "student_present": 0.12,
    "student_extended": 0.06,
    "student_extended_left": 0.04,
    "student_level": 0.05,
    "student_shortened_left": 0.03,
    "student_left_before": 0.06,
    "student_left_in_grace": 0.07,
    "student_left_last_day": 0.04,
    "student_left_late": 0.05,
    "student_in_grace": 0.06,
    "student_overstay": 0.05,
    "student_ended_uncovered": 0.03,
    "student_training": 0.06,
    "student_training_left": 0.04,
    "student_cap_gap": 0.04,
    "student_cap_gap_ended": 0.03,
    "student_withdrawn_left": 0.03,
    "student_withdrawn_late": 0.02,
    "student_withdrawn_present": 0.02,
    "student_terminated_left": 0.03,
    "student_terminated_present": 0.04,
    "student_reactivated": 0.03,
    "student_terminated_by_mistake": 0.03,
    "student_without_record": 0.03,
}
_F_ALONE = frozenset(kind for kind in STUDENT if "cap_gap" in kind or "withdrawn" in kind)
EXCHANGE = {kind: share for kind, share in STUDENT.items() if kind not in _F_ALONE}
VOCATIONAL = {
    kind: share
    for kind, share in EXCHANGE.items()
    if kind
    not in (
        # no longer than the date on the I-94, which rules by itself
        "student_extended",
        "student_extended_left",
        "student_level",
        "student_training",
        "student_training_left",
        "student_without_record",
        "student_shortened_left",
        "student_left_last_day",
    )
}
VACATION = 0.25
"""Share of students who went home and came back in the middle of the program."""
CORRECTED_STEP = 0.12
"""Share of changes of a program that first come with a wrong last day."""


def table(module: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return every rate of a module (its `vars`; of this one if not given) by its name."""
    named = globals() if module is None else module
    return {name.lower(): value for name, value in named.items() if name.isupper() and name[0] != "_"}
