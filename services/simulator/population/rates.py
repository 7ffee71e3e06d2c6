"""How often what happens in the synthetic population: every share in one place, printed with each run's counts."""

from __future__ import annotations

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
    # trips before the last one; "unobserved": left, and nobody reported it
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

WAIVER_DATE_LEFT_OUT = 0.15
"""Share of waiver admissions whose record carries no last day."""
FOIL_TOLD = 0.8
"""Share of a visa holder's arrivals whose record carries the foil."""
DEPARTURE = {"all": 0.6, "document": 0.22, "document_only": 0.08, "number_only": 0.1}
"""What a departure's record says: everything; all but the I-94 number; the passport alone; the I-94 number alone."""
NEW_NUMBER_USED = 0.5
"""Share of departures after an approval that are recorded under the new I-94 number."""
DAY_ONLY = 0.04
"""Share of departures of which only the day is known."""
BY_SEA, BY_LAND = 0.08, 0.1
CORRECTED_DEPARTURE = 0.03
"""Share of departures whose date is wrong in the first night's file and mended in the next."""
CORRECTED_ARRIVAL = 0.02
TOLD_LATE = 0.01
"""Share of records that come some nights after the file that was thought complete."""
DUPLICATE_ARRIVAL = 0.015
"""Share of arrivals entered twice, the second entry deleted in the next night's file."""
SINGLE_NAME, PARTIAL_BIRTH, LONG_NAME, SEX_X = 0.015, 0.01, 0.01, 0.005

APPLICATION_NAMES = {"number": 0.8, "passport": 0.12, "name": 0.08}
"""What ties an application to the stay: the I-94 number; the passport; name, date of birth and citizenship."""
FILED_DATE_LEFT_OUT = 0.2
CLASS_WITHOUT_HYPHEN = 0.15
ROW_CHANGED = 0.04
"""Share of rows changed in place after they were written."""
ROW_VOIDED = 0.05
"""Share of applications with a denial that was entered by mistake and voided."""
WORK_PERMIT = 0.7
"""Share of adjustments with an I-765, which moves no stay."""
APPEALED = 0.2
"""Share of denials that are appealed; an appeal leaves the denial as it is."""


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
PASSPORT_TOLD = 0.85
"""Share of records in SEVIS with the passport, where name, date of birth and citizenship tie as well."""
NUMBER_TOLD = 0.5
"""Share of students whose I-94 number the school adds after the arrival."""
CORRECTED_STEP = 0.12
"""Share of changes of a program that first come with a wrong last day."""
NOT_APPLIED, ADMINISTRATIVE = 0.1, 0.4
"""Share of students with a termination that SEVIS rejected; with a record that says nothing about status."""

TOLD_BY_MANIFEST_ALONE, TOLD_BY_BIOMETRICS_ALONE = 0.12, 0.1
"""Share of departures that APIS or IDENT alone tells, of those that it can tell."""
MANIFEST_TOO, BIOMETRICS_TOO = 0.6, 0.35
"""Share of departures that APIS or IDENT tells beside I-94."""
INBOUND = 0.75
"""Share of arrivals by air with a manifest."""
NO_CLOSE_OUT = 0.08
"""Share of departures on a manifest without a close-out, of those that I-94 tells too."""
NO_SHOW, CANCELLED = 0.08, 0.3
"""Share of stays with a booked flight that was not boarded; of those the ones cancelled before the close-out."""
LISTED_AGAIN = 0.06
"""Share of travellers whose data are sent once more before the departure."""
DOMESTIC = 0.05
"""Share of stays with a domestic flight on a manifest."""
WITHOUT_DOCUMENT = 0.06
"""Share of travellers on a manifest without a passport, where name, date of birth and citizenship tie as well."""
WITHOUT_REFERENCE = 0.2
"""Share of travellers on a manifest with a booking reference alone."""
FINGERPRINTED = 0.6
"""Share of admissions with a biometric encounter."""
FIN_ALONE = 0.3
"""Share of biometric exits of enrolled people that say the FIN and nothing else."""
NOT_MATCHED, WRONG_EXIT, CORRECTED_EXIT = 0.05, 0.03, 0.05
"""Share of stays with an exit that matched nobody; with somebody else's, deleted later; share of exits mended."""
TWO_FINS = 0.04
"""Share of enrolled people who were enrolled twice, under two FINs, and merged."""


def table() -> dict[str, object]:
    """Return every rate by its name."""
    return {name.lower(): value for name, value in globals().items() if name.isupper() and name[0] != "_"}
