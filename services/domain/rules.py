"""The law as dated data: one row per group of classes and period of validity, each with its citation.

A row applies to admissions from `since` up to and including `through`; the admission's own local day decides, so a
change of law moves later admissions only. Days are counted in the zone of the port of entry.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from schemas.outcomes import Outcome

ONE_DAY = timedelta(days=1)


class Basis(Enum):
    """Where the last authorised day comes from. A date on the I-94 counts wherever there is one."""

    I94_DATE = "the date on the I-94"
    COUNTED = "the date on the I-94, or a number of days from admission"
    MONTHS = "a number of months from admission"
    DURATION = "duration of status, or the date on the I-94"
    PROGRAM = "duration of status, as long as the program in SEVIS; a date on the I-94 ends it until that is changed"
    DATED_PROGRAM = "the date on the I-94; grace inside it once the program in SEVIS is over"


LOOKED_AT = date(2026, 11, 29)
"""When the sources of the rows below were last looked at, if a row does not say otherwise."""
READ_AGAIN = date(2026, 11, 30)
"""When the words of the cited sections were read again, in the Code of Federal Regulations as of September 2026 and
Title 8 of the United States Code as of July 2026."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long one may stay. `days` and `months` count the day of admission as the first.

    `employment_days`: what is left, inside the period, when the employment ends on which the class rests (None: it
    rests on none); the row that holds for the class on the day of that end says it, not that of the admission;
    `changeable`: whether a change of status may be asked for where an extension may;
    `withdrawal_days`: grace after an authorised withdrawal from a program; `filed_in_grace`: what may be asked for in
    the days of grace; `training`: the reasons of periods that carry status beyond the program's end; `citizenship`:
    a row for some citizenships alone, which comes before the others.
    """

    id: str
    classes: frozenset[str]
    basis: Basis
    citation: str
    days: int = 0
    months: int = 0
    grace_days: int = 0
    employment_days: int | None = None
    withdrawal_days: int = 0
    filed_in_grace: frozenset[str] = frozenset()
    training: frozenset[str] = frozenset()
    extendable: bool = True
    changeable: bool = True
    citizenship: frozenset[str] = frozenset()
    since: date = date.min
    through: date = date.max
    looked_at: date = LOOKED_AT


def _classes(text: str) -> frozenset[str]:
    return frozenset(text.split())


H2_CHANGE = date(2025, 1, 17)
"""The first day of 89 FR 103202."""
EMPLOYMENT_DAYS_SINCE = date(2017, 1, 17)
"""The first day of 81 FR 82398: an employment that ended before left no days."""
EXTEND_OR_CHANGE = frozenset({"extend", "change_class"})
RULES: tuple[Rule, ...] = (
    Rule("visitor", _classes("B1 B2"), Basis.I94_DATE, "8 CFR 214.2(b)(1)-(2)"),
    Rule("visa-waiver", _classes("WB WT"), Basis.COUNTED, "INA 217(a)(1), 248(a)(4)", days=90, extendable=False),
    Rule(
        # Not covered: the fourteen days of 8 CFR 212.1(r), which no record tells apart; the date on the I-94 has them.
        "guam-waiver",
        _classes("GB GMB GMT GT"),
        Basis.COUNTED,
        "INA 214(a)(1), 248(a)(4); 8 CFR 212.1(q), 214.1(c)(3)(viii)",
        days=45,
        extendable=False,
        looked_at=READ_AGAIN,
    ),
    Rule("fiance", _classes("K1 K2"), Basis.COUNTED, "8 CFR 214.2(k)", days=90, extendable=False),
    Rule(
        "spouse-of-citizen",
        _classes("K3 K4"),
        Basis.I94_DATE,
        "8 CFR 214.2(k)(8), (10); INA 248(a)(1)",
        changeable=False,
        looked_at=date(2026, 11, 30),
    ),
    Rule("transit-crew", _classes("C1 D1 D2"), Basis.COUNTED, "8 CFR 214.2(c), (d)", days=29, extendable=False),
    Rule("official-transit", _classes("C2 C3 C4"), Basis.I94_DATE, "8 CFR 214.2(c), 214.1(c)(3)(ii)", extendable=False),
    Rule(
        "petition-based",
        _classes("E1 E2 E3 E3R H1B H1B1 HSC L1 L1A L1B O1 O1A O1B TC TN TN1 TN2"),
        Basis.I94_DATE,
        "8 CFR 214.1(l)",
        employment_days=60,
        looked_at=READ_AGAIN,
    ),
    # The spouse's and children's classes follow the principal's period, and say nothing of an employment of their own.
    # E1S to L2Y: the codes of spouses (S) and children (Y) since 30 January 2022; E3R is a returning principal (22 CFR
    # 41.12).
    Rule(
        "worker-family",
        _classes("E1S E1Y E2S E2Y E3D E3S E3Y H4 L2 L2S L2Y O3 P4 R2 TB TD"),
        Basis.I94_DATE,
        "8 CFR 214.2(e)(4), (h)(9)(iv), (l)(7)(ii)",
    ),
    Rule(
        "agricultural-worker-2009",
        _classes("H2A"),
        Basis.I94_DATE,
        "8 CFR 214.2(h)(5)(viii)(B) as of 73 FR 76891",
        grace_days=30,
        employment_days=0,
        filed_in_grace=EXTEND_OR_CHANGE,
        through=H2_CHANGE - ONE_DAY,
    ),
    Rule(
        # The days are a term of the admission ("will be admitted for an additional period"), so its day says which:
        # who came before the change has the ten of that day, whenever the date lies.
        "seasonal-worker-1990",
        _classes("H2B H2R"),
        Basis.I94_DATE,
        "8 CFR 214.2(h)(13)(i)(A) before 89 FR 103202",
        grace_days=10,
        employment_days=0,
        through=H2_CHANGE - ONE_DAY,
        looked_at=READ_AGAIN,
    ),
    Rule(
        "seasonal-worker",
        _classes("H2A H2B H2R"),
        Basis.I94_DATE,
        "8 CFR 214.2(h)(5)(viii)(B), (h)(6)(vii)(A), (h)(13)(i)(C); 89 FR 103202",
        grace_days=30,
        employment_days=60,
        filed_in_grace=EXTEND_OR_CHANGE,
        since=H2_CHANGE,
        looked_at=READ_AGAIN,
    ),
    Rule("trainee", _classes("H1C H3 H3A H3B"), Basis.I94_DATE, "8 CFR 214.2(h)(7), (h)(9)(iii)", employment_days=0),
    Rule("support-personnel", _classes("O2"), Basis.I94_DATE, "8 CFR 214.2(o)(6)(iii)", employment_days=0),
    # not among the classes of 8 CFR 214.1(l)(2): out of status as soon as the employment is over
    Rule("performer", _classes("P1 P1A P1B P1S P2 P2S P3 P3S"), Basis.I94_DATE, "8 CFR 214.2(p)", employment_days=0),
    Rule("cultural-exchange", _classes("Q1 Q2 Q3"), Basis.I94_DATE, "8 CFR 214.2(q)", employment_days=0),
    Rule("religious-worker", _classes("R1"), Basis.I94_DATE, "8 CFR 214.2(r)(6)", employment_days=0),
    Rule("transitional-worker", _classes("CW1 CW2"), Basis.I94_DATE, "8 CFR 214.2(w)(13), (16)", employment_days=0),
    Rule("cnmi-investor", _classes("E2C"), Basis.I94_DATE, "8 CFR 214.2(e)(23)"),
    Rule("commuter-student", _classes("F3 M3"), Basis.I94_DATE, "8 CFR 214.2(f)(18)(iii), (m)(19)(iii)"),
    Rule(
        "informant", _classes("S1 S2 S5 S6 S7"), Basis.I94_DATE, "INA 214(k)(2); 8 CFR 214.2(t)(12)", extendable=False
    ),
    Rule(
        "trafficking-victim", _classes("T1 T2 T3 T4 T5 T6"), Basis.I94_DATE, "INA 214(o)(7); 8 CFR 214.204(p), 214.212"
    ),
    Rule("crime-victim", _classes("U1 U2 U3 U4 U5"), Basis.I94_DATE, "INA 214(p)(6); 8 CFR 214.14(g)"),
    Rule("family-of-resident", _classes("V1 V2 V3"), Basis.I94_DATE, "8 CFR 214.15(g)"),
    Rule("protected-status", _classes("TPS"), Basis.I94_DATE, "INA 244(f)(4)"),
    Rule(
        "compact-state",
        _classes("FSM MIS PAL PLW RMI"),
        Basis.DURATION,
        "48 U.S.C. 1901, 1931 (Compacts, sec. 141); 8 CFR 212.1(d)",
    ),
    Rule("official", _classes("A1 A2 G1 G2 G3 G4"), Basis.DURATION, "8 CFR 214.2(a), (g)", looked_at=READ_AGAIN),
    Rule(
        "official-household",
        _classes("A3 G5"),
        Basis.I94_DATE,
        "8 CFR 214.2(a)(1), (g)(1)",
        looked_at=READ_AGAIN,
    ),
    Rule("nato", _classes("N1 N2 N3 N4 N5 N6 NATO1 NATO2 NATO3 NATO4 NATO5 NATO6"), Basis.DURATION, "8 CFR 214.2(s)"),
    Rule("nato-household", _classes("N7 NATO7"), Basis.I94_DATE, "8 CFR 214.2(s)(1)(ii)"),
    Rule("special-immigrant-family", _classes("N8 N9"), Basis.I94_DATE, "INA 101(a)(15)(N); 8 CFR 214.2(n)"),
    Rule(
        "media-prc-2020",
        _classes("I I1"),
        Basis.I94_DATE,
        "8 CFR 214.2(i)(2); 85 FR 27645",
        citizenship=frozenset({"CHN"}),
        since=date(2020, 5, 8),
        through=date(2022, 10, 12),
    ),
    Rule(
        "media-prc",
        _classes("I I1"),
        Basis.I94_DATE,
        "8 CFR 214.2(i)(2); 85 FR 27645, 87 FR 61959",
        citizenship=frozenset({"CHN"}),
        since=date(2022, 10, 13),
    ),
    Rule("media", _classes("I I1"), Basis.DURATION, "8 CFR 214.2(i)"),
    Rule(
        "student",
        _classes("F1 F2"),
        Basis.PROGRAM,
        "8 CFR 214.2(f)(5)",
        grace_days=60,
        withdrawal_days=15,
        filed_in_grace=frozenset({"change_class"}),
        training=frozenset({"practical-training", "cap-gap"}),
        looked_at=READ_AGAIN,
    ),
    Rule(
        # Not covered: the requirement of two years at home (INA 212(e)), which bars some changes of status; a change
        # of status filed within the days of grace, on which sources disagree.
        "exchange-visitor",
        _classes("J1 J2"),
        Basis.PROGRAM,
        "8 CFR 214.2(j)(1)(ii)",
        grace_days=30,
        training=frozenset({"academic-training"}),
    ),
    Rule(
        # The year of 8 CFR 214.2(m)(5) binds the officer who writes the date, and not the date that was written. Not
        # covered: extensions beyond three years in all (8 CFR 214.2(m)(10)). The grace lies inside the date.
        "vocational-student",
        _classes("M1 M2"),
        Basis.DATED_PROGRAM,
        "8 CFR 214.2(m)(5), (m)(10)",
        grace_days=30,
        training=frozenset({"practical-training"}),
    ),
)
"""F and J without a record in SEVIS are UNDETERMINED, behind a date on the I-94 if there is one; M then has the date on
the I-94, and no grace in it. What a notice ends before its date stands in `services.domain.notices`.
"""

FIXED_PERIODS_FROM: date | None = None
"""The switch: the day on which 91 FR 44976 (17 July 2026) takes effect; None while it does not.

It was to be 15 September 2026. D. Mass. postponed it nationwide on 14 September 2026 (5 U.S.C. 705, 1:26-cv-13799); the
government appealed on 30 September 2026 (1st Cir. 26-2112). If the order falls, this day is the one change.
"""
FIXED_PERIODS: tuple[Rule, ...] = (
    Rule(
        "student-fixed",
        _classes("F1 F2"),
        Basis.DATED_PROGRAM,
        "8 CFR 214.2(f)(5); 91 FR 44976",
        grace_days=30,
        training=frozenset({"practical-training", "cap-gap"}),
    ),
    Rule(
        "exchange-visitor-fixed",
        _classes("J1 J2"),
        Basis.DATED_PROGRAM,
        "8 CFR 214.2(j)(1)(ii); 91 FR 44976",
        grace_days=30,
        training=frozenset({"academic-training"}),
    ),
    Rule(
        "media-prc-fixed",
        _classes("I I1"),
        Basis.COUNTED,
        "8 CFR 214.2(i); 91 FR 44976",
        days=90,
        citizenship=frozenset({"CHN"}),
    ),
    Rule("media-fixed", _classes("I I1"), Basis.COUNTED, "8 CFR 214.2(i); 91 FR 44976", days=240),
)
"""Rows for admissions from the day of the switch on. The date on the I-94 has the days of grace in it."""
TRANSITION_YEARS = 4
"""F and J admitted for duration of status keep it up to the end of the program as it stood on the day of the switch, no
longer than this many years from then, with the days of grace that they had."""
TRANSITION_DAYS = 240
"""I admitted for duration of status keep it for this many days from the day of the switch."""

WAIVERS = frozenset({"WB", "WT"})
"""Admissions without a visa under the Visa Waiver Program, which the yearly report tells apart."""

PAROLE: tuple[Rule, ...] = (
    Rule(
        "parole",
        _classes("CC CHP CP DA DE DT HHP NHP OAR PAR PI UHP VHP"),
        Basis.I94_DATE,
        "INA 212(d)(5)(A); 8 CFR 212.5",
        extendable=False,
        looked_at=READ_AGAIN,
    ),
)
"""For a person who was paroled, in whatever class. Parole is no admission (INA 101(a)(13)(B))."""

CANADIAN: tuple[Rule, ...] = (
    Rule("canadian-visitor", frozenset({"B1", "B2"}), Basis.MONTHS, "8 CFR 235.1(h), 212.1(a)", months=6),
)
"""Citizens of Canada who were let in as visitors without an I-94: a number of months from the last entry."""
LAND_RETURN = frozenset({"CAN"})
"""Citizens who may come back by land without a record, so that the first departure ends the admission: 8 CFR
235.1(h)(1)(i)."""


@dataclass(frozen=True, slots=True)
class Protection:
    """What a fact about a person allows, whatever the class says, from its day to the day that it names.

    Where it and the period say two things, the outcome counts that comes first in the closed list. `days`: so many at
    most behind its own day, or behind the end of the period where it begins there (`behind`); 0: no limit. `reason`:
    the word of the fact that makes this row and no other; `open`: lasts without a day; `ended_by`: the facts that end
    it, when their day is over; `unless`: the fact that takes all of it, where it happens meanwhile; `failed`: what the
    answer says of a person who is still there behind it.
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
    unless: str = ""
    failed: str = ""
    since: date = date.min
    through: date = date.max
    looked_at: date = LOOKED_AT


ENDORSABLE = _classes(
    "E1 E1S E1Y E2 E2S E2Y E3 E3D E3R E3S E3Y H1B H3 H3A H3B H4 L1 L1A L1B L2 L2S L2Y O1 O1A O1B O2 O3 P1 P1A P1B P1S"
    " P2 P2S P3 P3S P4 TB TC TD TN TN1 TN2 CW1 CW2"
)
"""Classes that may have days behind the petition on the I-94, families included: 8 CFR 214.1(l)(1), 214.2(h)(13)(i)(A),
(o)(10), (p)(12), (w)(16). R and Q know no such days."""
PROTECTIONS: tuple[Protection, ...] = (
    Protection(
        # Not covered: whether it is bona fide.
        "asylum-pending",
        "asylum_pending",
        Outcome.PENDING,
        "asylum application pending",
        "INA 212(a)(9)(B)(iii)(II), 208",
        open=True,
        ended_by="asylum_denied",
        unless="unauthorised_work",
        looked_at=READ_AGAIN,
    ),
    Protection(
        # Not covered: that a filing during it is in time (INA 244(f)(4) with 245 and 248).
        "temporary-protected-status",
        "tps",
        Outcome.IN_STATUS,
        "temporary protected status",
        "INA 244(f)(4)",
        open=True,
        ended_by="tps_withdrawn",
        looked_at=READ_AGAIN,
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
    Protection(
        "deferred-action",
        "deferred_action",
        Outcome.PENDING,
        "action deferred",
        "8 CFR 236.21(c)(3), 274a.12(c)(14)",
    ),
    Protection(
        "parole-in-place",
        "parole",
        Outcome.IN_STATUS,
        "paroled",
        "INA 212(d)(5)(A); 8 CFR 212.5",
        ended_by="parole_ended",
        looked_at=READ_AGAIN,
    ),
    Protection(
        "satisfactory-departure",
        "satisfactory_departure",
        Outcome.IN_GRACE,
        "satisfactory departure granted",
        "8 CFR 217.3(a)",
        days=30,
        classes=_classes("WB WT"),
        behind=True,
        failed="did not leave within the days of satisfactory departure",
    ),
    Protection(
        "satisfactory-departure-guam",
        "satisfactory_departure",
        Outcome.IN_GRACE,
        "satisfactory departure granted",
        "8 CFR 212.1(q)(7), (r)(7)",
        days=15,
        classes=_classes("GB GMB GMT GT"),
        behind=True,
        looked_at=READ_AGAIN,
        failed="did not leave within the days of satisfactory departure",
    ),
    Protection(
        "days-endorsed",
        "days_endorsed",
        Outcome.IN_GRACE,
        "days endorsed on the I-94",
        "8 CFR 214.1(l)(1), 214.2(h)(13)(i)(A), (o)(10), (p)(12), (w)(16)",
        days=10,
        classes=ENDORSABLE,
        behind=True,
        looked_at=READ_AGAIN,
    ),
)

WORK_DAYS = 240
"""So long work goes on behind the date, while an extension that was filed in time is pending: 8 CFR 274a.12(b)(20)."""
WORK_GOES_ON = _classes(
    "A3 CW1 E1 E2 E3 G5 H1B H1B1 H2A H2B H3 HSC I I1 J1 L1 L1A L1B O1 O1A O1B O2 P1 P1A P1B P2 P3 R1 TC TN TN1 TN2"
)
CAP_GAP_CLASS = "H1B"
CAP_GAP_FROM = "F1"
"""The class whose own petition bridges the gap; its dependents follow by what SEVIS says of them: (f)(5)(vi)(D)."""
CAP_GAP_UNTIL: tuple[tuple[date, int], ...] = ((date.min, 10), (date(2025, 1, 17), 4))
"""From which end of status on the gap is bridged up to the first of which month of the fiscal year asked for."""
ONLINE_SYSTEMS = frozenset({"ELIS"})
"""Systems whose filings are electronic; the rule of the next business day is for paper alone: 8 CFR 1.2, 103.2(a)(7);
USCIS Policy Manual vol. 1 part B ch. 6 (29 March 2023)."""
LEAVES_NONIMMIGRANT = frozenset({"permanent_resident", "naturalised", "asylum_granted"})
EMPLOYMENT_ENDED = "employment_ended"
UNAUTHORISED_WORK = "unauthorised_work"
FRIVOLOUS_FILING = "frivolous_filing"
PRESENCE = frozenset({"arrested", "detained", "released", "seen_inside"})
"""Facts by which an officer knows that somebody is in the country."""
IMPLIED_STEPS = frozenset({"approved", "filed"})
"""Steps of an application that imply somebody in the country: an extension, a change or an adjustment is asked for, and
granted, to persons who are there (8 CFR 214.1(c), 248.1(a), INA 245(a))."""
IMPLIED_REASONS = frozenset({"registered"})
"""Reasons of steps in SEVIS that say the same: a student registers where the school is (8 CFR 214.3(g)(2)(iii))."""
IMPLIED_FACTS = frozenset(
    {"asylum_pending", "biometrics_taken", "detainer_lodged", "satisfactory_departure", "voluntary_departure"}
)
"""Facts that say the same: who asks for asylum is there (INA 208(a)(1)), and who is in another agency's custody (8 CFR
287.7(a)); an appointment is in the country (8 CFR 103.16); leave to depart is given to who has not departed (8 CFR
217.3(a), INA 240B). Not what may be renewed while somebody travels with leave: protected status, deferred action."""
FINGERPRINTS = "encounter"
"""The fact of fingerprints: taken in the country, not at a crossing, they say the same."""
PAROLE_ENDED = "parole_ended"
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
KEEPS_ADJUSTMENT = (_classes("H1B H4 L1 L1A L1B L2 L2S L2Y"), _classes("K3 K4"), _classes("V1 V2 V3"))
"""Families of classes in which a person may leave and come back without abandoning an application for adjustment, as on
advance parole: 8 CFR 245.2(a)(4)(ii)(B)-(D). Any other departure abandons it (A).

Not covered: proceedings, and whether the employer is the same, which no record says.
"""
KEPT_ABROAD = frozenset({"asylum_pending", "tps", "deferred_action"})
"""Facts whose protection goes on for a person who comes back on parole or in TPS itself, so with leave to travel: 8 CFR
208.8, 212.5(f), 236.23(d)(2), 244.15; INA 244(f)(3). A person who comes back otherwise has the admission alone."""
TPS_CLASS = "TPS"
TPS_WITHDRAWN = "tps_withdrawn"
MAINTAINING = "tps"
"""The fact by which a person is held to maintain lawful status for a change of it: INA 244(f)(4)."""
VICTIMS = _classes("T1 T2 T3 T4 T5 T6 U1 U2 U3 U4 U5")
"""Classes that anybody may be given, however admitted: INA 248(b). Their status is extended while they adjust."""
VICTIM_ADJUSTING = ("status-extended", "INA 214(o)(7)(C), (p)(6)")
RESIDENT = ("no-longer-nonimmigrant", "INA 101(a)(15), 245")
REFUSED = ("not-admitted", "INA 235(a)(4), (b)(1)")
LEFT = ("departure", "8 CFR 215.8, 231.2")
LATER_ADMISSION = ("later-admission", "8 CFR 231.2")
REINSTATED_CLASSES = frozenset({"F1", "F2"})
REINSTATED = ("reinstated", "8 CFR 214.2(f)(16)(ii)")
VIOLATION = ("program-terminated", "8 CFR 214.2(f), (j), (m)")
CAP_GAP = ("cap-gap", "8 CFR 214.2(f)(5)(vi)")
OVER = ("period-over", "INA 222(g), 237(a)(1)(B)")
PAROLE_OVER = ("parole-over", "INA 212(d)(5)(A); 8 CFR 212.5(e)")
OUT_OF_STATUS = ("out-of-status", "INA 237(a)(1)(C)(i); 8 CFR 214.1(l)(2)")
CORRECTED = ("corrected-by-inspection", "8 CFR 235.1(h), 235.2")
PAROLED_AGAIN = ("parole-extended", "INA 212(d)(5)(A); 8 CFR 212.5")
CONTRADICTED = ("departure-contradicted", "8 CFR 231.2, 214.1(c), 248.1")
IMPOSSIBLE = ("impossible-date", "8 CFR 103.2(b)(16)(i)")

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
UNLAWFUL_DAYS = 180
"""Days without a right to be there behind which a person who leaves is inadmissible for three years: INA
212(a)(9)(B)(i)(I)."""
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


def rule_for(admission_class: str, admitted: date, citizenship: Collection[str] = ()) -> Rule | None:
    """The row that holds for a class on the day of admission, or None where no row does."""
    if FIXED_PERIODS_FROM is not None and admitted >= FIXED_PERIODS_FROM:
        return _held(FIXED_PERIODS, admission_class, admitted, citizenship) or _held(
            RULES, admission_class, admitted, citizenship
        )
    return _held(RULES, admission_class, admitted, citizenship)


def parole_for(admitted: date) -> Rule | None:
    """The same for a person who was paroled on a day."""
    return next((rule for rule in PAROLE if rule.since <= admitted <= rule.through), None)


def canadian_for(admission_class: str, admitted: date) -> Rule | None:
    """The same for a citizen of Canada who has no number of admission."""
    return _held(CANADIAN, admission_class, admitted)


def _held(
    rows: tuple[Rule, ...], admission_class: str, admitted: date, citizenship: Collection[str] = ()
) -> Rule | None:
    for rule in rows:
        mine = not rule.citizenship or not rule.citizenship.isdisjoint(citizenship)
        if admission_class in rule.classes and mine and rule.since <= admitted <= rule.through:
            return rule
    return None


def protection_for(fact: str, reason: str, admission_class: str, admitted: date) -> Protection | None:
    """The row for a fact, its reason, the class and the day of admission, or None where no row holds."""
    row_of = None
    for row in PROTECTIONS:
        meant = row.fact == fact and row.reason in ("", reason) and (not row.classes or admission_class in row.classes)
        if meant and row.since <= admitted <= row.through and (row_of is None or row.reason):
            row_of = row
    return row_of


def cap_gap_until(filed: date, ended: date, starts: date | None = None) -> date:
    """The last day of the cap-gap of a petition filed on a day, for a status that ended on another.

    `starts`: the first day asked for, where the petition says it. The fiscal year asked for is the one in which that
    day lies. Else it is that of the filing, which comes no more than six months before the first day (8 CFR
    214.2(h)(2)(i)(I)), and from April on the next one, which begins within them.
    """
    month = [first for since, first in CAP_GAP_UNTIL if since <= ended][-1]
    if starts is not None:
        begins = starts.year if starts >= date(starts.year, 10, 1) else starts.year - 1
    else:
        begins = filed.year if filed.month >= 4 else filed.year - 1
    return date(begins if month >= 10 else begins + 1, month, 1)


def transition_end(admitted: date) -> date | None:
    """The last day of the program for a person admitted for duration of status before the switch; None: no such day."""
    if FIXED_PERIODS_FROM is None or admitted >= FIXED_PERIODS_FROM:
        return None
    return FIXED_PERIODS_FROM.replace(year=FIXED_PERIODS_FROM.year + TRANSITION_YEARS)


def transition_limit(rule: Rule, admitted: date) -> date | None:
    """The last day of duration of status for a member of the foreign media admitted before the switch; None: none."""
    if FIXED_PERIODS_FROM is None or admitted >= FIXED_PERIODS_FROM:
        return None
    if not any(rule.classes & row.classes and row.basis is Basis.COUNTED for row in FIXED_PERIODS):
        return None
    return FIXED_PERIODS_FROM + timedelta(days=TRANSITION_DAYS - 1)
