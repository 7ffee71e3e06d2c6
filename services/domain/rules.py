"""The law as dated data: one row per group of classes and period of validity, each with its citation.

A row applies to admissions from `since` up to and including `through`; the admission's own local day decides, so a
change of law moves later admissions only. Days are counted in the zone of the port of entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from schemas.outcomes import Outcome


class Basis(Enum):
    """Where the last authorised day comes from."""

    I94_DATE = "the date on the I-94"
    DAYS = "a number of days from admission"
    CAPPED = "the date on the I-94, at most a number of days from admission"
    MONTHS = "a number of months from admission"
    DURATION = "duration of status"
    PROGRAM = "duration of status, as long as the program in SEVIS"
    DATED_PROGRAM = "the date on the I-94, capped; grace inside it once the program in SEVIS is over"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one may stay. `days` and `months` count the day of admission as the first.

    `employment_days`: what is left, inside the period, when the employment ends on which the class rests;
    `withdrawal_days`: grace after an authorised withdrawal from a program; `training`: the reasons of periods that
    carry status beyond the program's end.
    """

    id: str
    classes: frozenset[str]
    basis: Basis
    citation: str
    days: int = 0
    months: int = 0
    grace_days: int = 0
    employment_days: int = 0
    withdrawal_days: int = 0
    training: frozenset[str] = frozenset()
    extendable: bool = True
    since: date = date.min
    through: date = date.max


RULES: tuple[Rule, ...] = (
    Rule("visitor", frozenset({"B1", "B2"}), Basis.I94_DATE, "8 CFR 214.2(b)(1)-(2)"),
    Rule(
        "visa-waiver",
        frozenset({"WB", "WT"}),
        Basis.CAPPED,
        "INA 217(a)(1), 248(a)(4)",
        days=90,
        extendable=False,
    ),
    Rule(
        "guam-waiver",
        frozenset({"GMT", "GMB"}),
        Basis.CAPPED,
        "8 CFR 212.1(q)",
        days=45,
        extendable=False,
    ),
    Rule("fiance", frozenset({"K1"}), Basis.CAPPED, "8 CFR 214.2(k)", days=90, extendable=False),
    Rule("transit-crew", frozenset({"C1", "D1", "D2"}), Basis.CAPPED, "8 CFR 214.2(c), (d)", days=29, extendable=False),
    Rule(
        # Not covered: the spouse's and children's own classes (H-4, L-2, O-3, TD), which come without a petition.
        "petition-based",
        frozenset({"H1B", "H1B1", "E1", "E2", "E3", "L1", "L1A", "L1B", "O1", "TN"}),
        Basis.I94_DATE,
        "8 CFR 214.1(l)",
        employment_days=60,
    ),
    # not among the classes of 8 CFR 214.1(l)(2), so nothing is left after the employment that could be counted
    Rule("performer", frozenset({"P1", "P2", "P3"}), Basis.I94_DATE, "8 CFR 214.2(p)"),
    Rule(
        "official", frozenset({"A1", "A2", "A3", "G1", "G2", "G3", "G4", "G5"}), Basis.DURATION, "8 CFR 214.2(a), (g)"
    ),
    Rule("nato", frozenset(f"NATO{number}" for number in range(1, 8)), Basis.DURATION, "8 CFR 214.2(s)"),
    Rule("media", frozenset({"I", "I1"}), Basis.DURATION, "8 CFR 214.2(i)"),
    Rule(
        # Not covered: an admission to a date for want of papers (Form I-515A); the program counts all the same.
        "student",
        frozenset({"F1", "F2"}),
        Basis.PROGRAM,
        "8 CFR 214.2(f)(5)",
        grace_days=60,
        withdrawal_days=15,
        training=frozenset({"practical-training", "cap-gap"}),
    ),
    Rule(
        # Not covered: the requirement of two years at home (INA 212(e)), which bars some changes of status.
        "exchange-visitor",
        frozenset({"J1", "J2"}),
        Basis.PROGRAM,
        "8 CFR 214.2(j)(1)(ii)",
        grace_days=30,
        training=frozenset({"academic-training"}),
    ),
    Rule(
        # Not covered: extensions beyond three years in all (8 CFR 214.2(m)(10)); the grace lies inside the date.
        "vocational-student",
        frozenset({"M1", "M2"}),
        Basis.DATED_PROGRAM,
        "8 CFR 214.2(m)(5), (m)(10)",
        months=12,
        grace_days=30,
        training=frozenset({"practical-training"}),
    ),
)
"""F and J are UNDETERMINED without a record in SEVIS; M then has the date on the I-94, and no grace in it."""

WAIVERS = frozenset({"WB", "WT"})
"""Admissions without a visa under the Visa Waiver Program, which the yearly report tells apart."""

PAROLE: tuple[Rule, ...] = (
    Rule("parole", frozenset({"PAR", "DT", "CP"}), Basis.I94_DATE, "8 CFR 212.5", extendable=False),
)
"""Whoever was paroled, in whatever class."""

CANADIAN: tuple[Rule, ...] = (
    Rule("canadian-visitor", frozenset({"B1", "B2"}), Basis.MONTHS, "8 CFR 235.1(h), 212.1(a)", months=6),
)
"""Citizens of Canada who were let in as visitors without an I-94: so many months from the last entry."""


@dataclass(frozen=True, slots=True)
class Protection:
    """What a fact about a person allows, whatever the class says, from its day to the day that it names.

    Where it and the period say two things, the outcome counts that comes first in the closed list. `days`: so many at
    most behind its own day, or behind the end of the period where it begins there (`behind`); 0: no limit. `reason`:
    the word of the fact that makes this row and no other; `open`: lasts without a day; `ended_by`: the facts that end
    it, when their day is over; `failed`: what the answer says of a person who is still there behind it.
    """

    id: str
    fact: str
    outcome: Outcome
    wording: str
    citation: str
    days: int = 0
    classes: frozenset[str] = frozenset()  # none: any
    behind: bool = False
    open: bool = False
    reason: str = ""
    ended_by: str = ""
    failed: str = ""
    since: date = date.min
    through: date = date.max


ENDORSABLE = frozenset({"H1B", "E1", "E2", "E3", "L1", "L1A", "L1B", "O1", "P1", "P2", "P3", "TN"})
PROTECTIONS: tuple[Protection, ...] = (
    Protection(
        # Not covered: whether it is bona fide, and work without permission meanwhile, which ends the protection.
        "asylum-pending",
        "asylum_pending",
        Outcome.PENDING,
        "asylum application pending",
        "INA 212(a)(9)(B)(iii)(II), 208",
        open=True,
        ended_by="asylum_denied",
    ),
    Protection(
        # Not covered: that a filing during it is in time (INA 244(f)(4) with 245 and 248).
        "temporary-protected-status",
        "tps",
        Outcome.IN_STATUS,
        "temporary protected status",
        "INA 244(f)(4)",
        ended_by="tps_withdrawn",
    ),
    Protection(
        "deferred-departure",
        "deferred_departure",
        Outcome.PENDING,
        "enforced departure deferred",
        "Presidential memorandum, by country",
    ),
    Protection(
        "voluntary-departure",
        "voluntary_departure",
        Outcome.PENDING,
        "voluntary departure granted",
        "INA 240B(a); 8 CFR 240.25",
        days=120,
        failed="did not leave by the day of voluntary departure: as under an order of removal",
    ),
    Protection(
        "voluntary-departure-after-proceedings",
        "voluntary_departure",
        Outcome.PENDING,
        "voluntary departure granted",
        "INA 240B(b); 8 CFR 240.26",
        days=60,
        reason="after-proceedings",
        failed="did not leave by the day of voluntary departure: as under an order of removal",
    ),
    Protection("parole-in-place", "parole", Outcome.IN_STATUS, "paroled", "8 CFR 212.5"),
    Protection(
        "satisfactory-departure",
        "satisfactory_departure",
        Outcome.IN_GRACE,
        "satisfactory departure granted",
        "8 CFR 217.3(a)",
        days=30,
        classes=frozenset({"WB", "WT"}),
        behind=True,
        failed="did not leave within the days of satisfactory departure",
    ),
    Protection(
        "days-endorsed",
        "days_endorsed",
        Outcome.IN_GRACE,
        "days endorsed on the I-94",
        "8 CFR 214.1(l)(1), 214.2(o)(10), (p)(12)",
        days=10,
        classes=ENDORSABLE,
        behind=True,
    ),
)

WORK_DAYS = 240
"""So long work goes on behind the date, while an extension that was filed in time is pending: 8 CFR 274a.12(b)(20)."""
WORK_GOES_ON = frozenset(
    {"A3", "E1", "E2", "E3", "G5", "H1B", "H1B1", "I", "I1", "J1", "L1", "L1A", "L1B", "O1", "P1", "P2", "P3", "TN"}
)
CAP_GAP_CLASS = "H1B"
CAP_GAP_UNTIL: tuple[tuple[date, int], ...] = ((date.min, 10), (date(2025, 1, 17), 4))
"""From which end of status on the gap is bridged up to the first day of which month of the fiscal year asked for."""
LEAVES_NONIMMIGRANT = frozenset({"permanent_resident", "naturalised", "asylum_granted"})
EMPLOYMENT_ENDED = "employment_ended"
UNAUTHORISED_WORK = "unauthorised_work"
FRIVOLOUS_FILING = "frivolous_filing"
PRESENCE = frozenset({"seen_inside"})
"""Facts by which an officer knows that somebody is in the country."""
MOVING = (
    LEAVES_NONIMMIGRANT
    | PRESENCE
    | {EMPLOYMENT_ENDED, UNAUTHORISED_WORK, FRIVOLOUS_FILING}
    | {row.fact for row in PROTECTIONS}
    | {row.ended_by for row in PROTECTIONS if row.ended_by}
)
"""All facts about a stay that its time line may rest on."""
EMPLOYMENT = ("employment-ended", "8 CFR 214.1(l)(2)")
OWN_EVIDENCE = ("own-evidence", "8 CFR 103.2(b)(16)(i)")
REVALIDATED = ("automatic-revalidation", "22 CFR 41.112(d); 8 CFR 214.1(b)")
REVALIDATION_DAYS = 30
"""Who comes back within them on the same unexpired I-94 is there for the rest of it.

Not covered: where the trip went, which no record of a departure says; the number on the arrival's own record shows that
the officer let the old I-94 stand. Nor the visa applied for meanwhile, and the states that the rule leaves out.
"""
TIMELY = ("timely-application", "8 CFR 214.1(c)(4), 248.1(b)")
APPROVED = ("approved-application", "8 CFR 214.1(c), 248")
DENIED = ("denied-application", "INA 212(a)(9)(B)(iv)")
ADJUSTMENT = ("adjustment", "INA 245")
RESIDENT = ("no-longer-nonimmigrant", "INA 101(a)(15), 245")
REFUSED = ("not-admitted", "INA 235(a)(4), (b)(1)")
LEFT = ("departure", "8 CFR 215.8, 231.2")
LATER_ADMISSION = ("later-admission", "8 CFR 231.2")
VIOLATION = ("program-terminated", "8 CFR 214.2(f), (j), (m)")
CAP_GAP = ("cap-gap", "8 CFR 214.2(f)(5)(vi)")
OVER = ("period-over", "INA 222(g), 237(a)(1)(C)(i)")

EVIDENCE_ORDER = (
    "biometric",
    "inspected",
    "removal",
    "foreign_entry",
    "manifest_closed",
    "manifest",
    "shown",
    "booking",
)
"""Evidence of departure, strongest first."""
ACCEPTED = frozenset(EVIDENCE_ORDER) - {"shown", "booking"}
"""A booking shows an intention; it closes no stay."""
REBUTTING = frozenset({"shown"})
"""What the person alone can show (a used ticket, a stamp) closes no stay, but nobody is suspected against it."""
MANIFESTS = frozenset({"manifest_closed", "manifest"})
"""A carrier's word has been false in both directions: alone it loses to an officer who met the person later."""
ONE_CROSSING = 24 * 3600
"""Seconds within which departures from one stay, told by several systems, are reports of one crossing."""
ONE_ARRIVAL = 12 * 3600
"""Seconds within which two systems may tell of one arrival: a clock may be wrong by its zone, and who comes twice on
one day left in between."""
ONE_INSPECTION = 3600
"""Seconds within which nobody is inspected twice at one airport, whatever flight each report names."""
ONE_STEP = 30
"""Days within which two systems may date one filing or decision: one writes down the receipt, one the entry."""
ABSENCE_SOURCES = (("I94", "departure:air"), ("I94", "departure:land"), ("I94", "departure:sea"))
"""System and scope: a missing departure is evidence only where each of them is complete. A system that tells of
departures besides, however complete, stands in for none of them."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose word on a kind of event comes before others', and why. No systems: any that no other row names."""

    kind: str
    systems: frozenset[str]
    why: str


DERIVED = frozenset({"ADIS", "CIS", "FALCON", "LEADTRAC", "PCQS"})
"""Systems that repeat what others told."""
AUTHORITY: tuple[Authority, ...] = (
    Authority("arrival", frozenset({"I94"}), "the evidence of the terms of admission: 8 CFR 1.4, 235.1(h)"),
    Authority("arrival", frozenset({"TECS"}), "the officer's record of the inspection: INA 235(a)(3)"),
    Authority("arrival", frozenset({"IDENT"}), "who was there, by fingerprints: 8 CFR 235.1(f)(1)(ii)"),
    Authority("arrival", frozenset({"BCI"}), "the port's record of a crossing by land, without its terms"),
    Authority("arrival", frozenset(), "tells of crossings, not of terms"),
    Authority("arrival", frozenset({"APIS", "ATS"}), "the carrier's word, before anybody was inspected: 8 CFR 231.1"),
    Authority("arrival", DERIVED, "derived: repeats what others told"),
    Authority("extension", frozenset({"CLAIMS3", "ELIS"}), "the case itself: 8 CFR 103.2(a)(7), (b)(19)"),
    Authority("extension", frozenset(), "hears of the case"),
    Authority("extension", DERIVED, "derived: repeats what others told"),
)
"""By kind, the strongest first. Departures are ordered by `EVIDENCE_ORDER`."""
_PLACES = {(row.kind, system): place for place, row in enumerate(AUTHORITY) for system in (row.systems or {""})}


def authority(kind: str, system: str) -> int:
    """The place of a system's word on an arrival or extension; the least counts first."""
    return _PLACES.get((kind, system), _PLACES[kind, ""])


def rule_for(admission_class: str, admitted: date) -> Rule | None:
    """The row that holds for a class on the day of admission, or None where no row does."""
    return _held(RULES, admission_class, admitted)


def parole_for(admitted: date) -> Rule | None:
    """The same for whoever was paroled on a day."""
    return next((rule for rule in PAROLE if rule.since <= admitted <= rule.through), None)


def canadian_for(admission_class: str, admitted: date) -> Rule | None:
    """The same for a citizen of Canada who has no number of admission."""
    return _held(CANADIAN, admission_class, admitted)


def _held(rows: tuple[Rule, ...], admission_class: str, admitted: date) -> Rule | None:
    for rule in rows:
        if admission_class in rule.classes and rule.since <= admitted <= rule.through:
            return rule
    return None


def protection_for(fact: str, reason: str, admission_class: str, admitted: date) -> Protection | None:
    """The row for a fact, its reason, the class and the day of admission, or None where no row holds."""
    chosen_row = None
    for row in PROTECTIONS:
        meant = row.fact == fact and row.reason in ("", reason) and (not row.classes or admission_class in row.classes)
        if meant and row.since <= admitted <= row.through and (chosen_row is None or row.reason):
            chosen_row = row
    return chosen_row


def cap_gap_until(filed: date, ended: date) -> date:
    """The last day of the cap-gap of a petition filed on a day, for a status that ended on another.

    The fiscal year asked for is the one that begins with the first 1 October from the filing on.
    """
    month = [first for since, first in CAP_GAP_UNTIL if since <= ended][-1]
    begins = filed.year if filed <= date(filed.year, 10, 1) else filed.year + 1
    return date(begins if month >= 10 else begins + 1, month, 1)
