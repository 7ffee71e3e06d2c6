"""The law as dated data: one row per group of classes and period of validity, each with its citation.

A row applies to admissions from `since` up to and including `until`; the admission's own local day decides, so a
change of law moves later admissions only. Days are counted in the zone of the port of entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Basis(Enum):
    """Where the last authorised day comes from."""

    I94_DATE = "the date on the I-94"
    DAYS = "a number of days from admission"
    CAPPED = "the date on the I-94, at most a number of days from admission"
    DURATION = "duration of status"
    PROGRAM = "duration of status, as long as the program in SEVIS"
    DATED_PROGRAM = "the date on the I-94, grace inside it once the program in SEVIS is over"


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one may stay. `days` counts the day of admission as the first.

    `withdrawal_days`: grace after an authorised withdrawal from a program; `training`: the reasons of periods that
    carry status beyond the program's end.
    """

    id: str
    classes: frozenset[str]
    basis: Basis
    citation: str
    days: int = 0
    grace_days: int = 0
    withdrawal_days: int = 0
    training: frozenset[str] = frozenset()
    extendable: bool = True
    since: date = date.min
    until: date = date.max


RULES: tuple[Rule, ...] = (
    Rule("visitor", frozenset({"B1", "B2"}), Basis.I94_DATE, "8 CFR 214.2(b)(1)-(2)"),
    Rule(
        # Not covered: satisfactory departure (8 CFR 217.3(a)), which no connected system reports yet.
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
        # Not covered: the ten days that an officer may endorse and the sixty after employment ends (8 CFR 214.1(l)).
        "petition-based",
        frozenset({"H1B", "E1", "E2", "E3", "L1", "L1A", "L1B", "O1", "P1", "P2", "P3", "TN"}),
        Basis.I94_DATE,
        "8 CFR 214.1(l)",
    ),
    Rule(
        "official", frozenset({"A1", "A2", "A3", "G1", "G2", "G3", "G4", "G5"}), Basis.DURATION, "8 CFR 214.2(a), (g)"
    ),
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
        # Not covered: the limit of one year. The officer's date is taken as it stands; the grace lies inside it.
        "vocational-student",
        frozenset({"M1", "M2"}),
        Basis.DATED_PROGRAM,
        "8 CFR 214.2(m)(5), (m)(10)",
        grace_days=30,
        training=frozenset({"practical-training"}),
    ),
)
"""F and J are UNDETERMINED without a record in SEVIS; M then has the date on the I-94, and no grace in it."""

WAIVERS = frozenset({"WB", "WT"})
"""Admissions without a visa under the Visa Waiver Program, which the yearly report tells apart."""

PAROLE = Rule("parole", frozenset({"PAR", "DT", "CP"}), Basis.I94_DATE, "8 CFR 212.5", extendable=False)

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

LEAVES_NONIMMIGRANT = frozenset({"permanent_resident", "naturalised", "asylum_granted"})
EVIDENCE_ORDER = (
    "biometric",
    "inspected",
    "removal",
    "foreign_entry",
    "manifest_closed",
    "manifest",
    "booking",
)
"""Evidence of departure, strongest first."""
ACCEPTED = frozenset(EVIDENCE_ORDER) - {"booking"}
"""A booking shows an intention; it closes no stay."""
ONE_CROSSING = 24 * 3600
"""Seconds within which departures from one stay, told by several systems, are reports of one crossing."""
ABSENCE_SCOPES = ("departure:air", "departure:land", "departure:sea")
"""No departure by any of these ways: only where each is complete is a missing departure evidence."""


def rule_for(admission_class: str, admitted: date) -> Rule | None:
    """The row that holds for a class on the day of admission, or None where no row does."""
    for rule in RULES:
        if admission_class in rule.classes and rule.since <= admitted <= rule.until:
            return rule
    return None
