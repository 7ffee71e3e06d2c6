"""Every row of the rules against a table of its own, and every change of a row against that table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from domain import students
from domain.stories import ZONES, Story
from domain.students import Student

from schemas.events import Action, Evidence, Inspection, Request
from schemas.events import Fact as StatusFact
from services.domain import resolve, rules
from services.domain.accounting import last_day
from services.domain.facts import Fact
from services.domain.history import Stay
from services.domain.rules import Basis, Rule

I94, DURATION = "I-94", "D/S"
TABLE: tuple[tuple[str, str, str, str | int, bool], ...] = (
    # classes, rule, citation, a date / days where there is none / duration of status, whether one may ask for more
    ("B1 B2", "visitor", "8 CFR 214.2(b)(1)-(2)", I94, True),
    ("WB WT", "visa-waiver", "INA 217(a)(1), 248(a)(4)", 90, False),
    ("GB GMB GMT GT", "guam-waiver", "INA 214(a)(1), 248(a)(4); 8 CFR 212.1(q), 214.1(c)(3)(viii)", 45, False),
    ("K1 K2", "fiance", "8 CFR 214.2(k)", 90, False),
    ("K3 K4", "spouse-of-citizen", "8 CFR 214.2(k)(8), (10); INA 248(a)(1)", I94, True),
    ("C1 D1 D2", "transit-crew", "8 CFR 214.2(c), (d)", 29, False),
    ("C2 C3 C4", "official-transit", "8 CFR 214.2(c), 214.1(c)(3)(ii)", I94, False),
    (
        "E1 E2 E3 E3R H1B H1B1 HSC L1 L1A L1B O1 O1A O1B TC TN TN1 TN2",
        "petition-based",
        "8 CFR 214.1(l)",
        I94,
        True,
    ),
    (
        "E1S E1Y E2S E2Y E3D E3S E3Y H4 L2 L2S L2Y O3 P4 R2 TB TD",
        "worker-family",
        "8 CFR 214.2(e)(4), (h)(9)(iv), (l)(7)(ii)",
        I94,
        True,
    ),
    ("H1C H3 H3A H3B", "trainee", "8 CFR 214.2(h)(7), (h)(9)(iii)", I94, True),
    ("O2", "support-personnel", "8 CFR 214.2(o)(6)(iii)", I94, True),
    ("P1 P1A P1B P1S P2 P2S P3 P3S", "performer", "8 CFR 214.2(p)", I94, True),
    ("Q1 Q2 Q3", "cultural-exchange", "8 CFR 214.2(q)", I94, True),
    ("R1", "religious-worker", "8 CFR 214.2(r)(6)", I94, True),
    ("CW1 CW2", "transitional-worker", "8 CFR 214.2(w)(13), (16)", I94, True),
    ("E2C", "cnmi-investor", "8 CFR 214.2(e)(23)", I94, True),
    ("F3 M3", "commuter-student", "8 CFR 214.2(f)(18)(iii), (m)(19)(iii)", I94, True),
    ("S1 S2 S5 S6 S7", "informant", "INA 214(k)(2); 8 CFR 214.2(t)(12)", I94, False),
    ("T1 T2 T3 T4 T5 T6", "trafficking-victim", "INA 214(o)(7); 8 CFR 214.204(p), 214.212", I94, True),
    ("U1 U2 U3 U4 U5", "crime-victim", "INA 214(p)(6); 8 CFR 214.14(g)", I94, True),
    ("V1 V2 V3", "family-of-resident", "8 CFR 214.15(g)", I94, True),
    ("TPS", "protected-status", "INA 244(f)(4)", I94, True),
    (
        "FSM MIS PAL PLW RMI",
        "compact-state",
        "48 U.S.C. 1901, 1931 (Compacts, sec. 141); 8 CFR 212.1(d)",
        DURATION,
        True,
    ),
    ("A1 A2 G1 G2 G3 G4", "official", "8 CFR 214.2(a), (g)", DURATION, True),
    ("A3 G5", "official-household", "8 CFR 214.2(a)(1), (g)(1)", I94, True),
    (
        "N1 N2 N3 N4 N5 N6 NATO1 NATO2 NATO3 NATO4 NATO5 NATO6",
        "nato",
        "8 CFR 214.2(s)",
        DURATION,
        True,
    ),
    ("N7 NATO7", "nato-household", "8 CFR 214.2(s)(1)(ii)", I94, True),
    ("N8 N9", "special-immigrant-family", "INA 101(a)(15)(N); 8 CFR 214.2(n)", I94, True),
    ("I I1", "media", "8 CFR 214.2(i)", DURATION, True),
    ("M1 M2", "vocational-student", "8 CFR 214.2(m)(5), (m)(10)", I94, True),
    ("F1 F2", "student", "8 CFR 214.2(f)(5)", I94, True),  # without a record in SEVIS
    ("J1 J2", "exchange-visitor", "8 CFR 214.2(j)(1)(ii)", I94, True),
    ("ZZ", "no-rule", "", "", False),
    (
        "CC CP DA DE DT OAR PAR PI UHP",
        "parole",
        "INA 212(d)(5)(A); 8 CFR 212.5",
        I94,
        False,
    ),
)
DAYS = (date(1999, 12, 31), date(2024, 2, 28), date(2025, 1, 10), date(2060, 7, 1))
NEAR, FAR = timedelta(5), timedelta(400)
EXAMPLES: dict[str, tuple[str, str]] = {
    "pending": ("timely-application", "8 CFR 214.1(c)(4), 248.1(b)"),
    "approved": ("approved-application", "8 CFR 214.1(c), 248"),
    "denied": ("denied-application", "INA 212(a)(9)(B)(iv)"),
    "adjustment": ("adjustment", "INA 245"),
    "victim adjusting": ("status-extended", "INA 214(o)(7)(C), (p)(6)"),
    "resident": ("no-longer-nonimmigrant", "INA 101(a)(15), 245"),
    "asylum": ("no-longer-nonimmigrant", "INA 101(a)(15), 245"),
    "naturalised": ("no-longer-nonimmigrant", "INA 101(a)(15), 245"),
    "refused": ("not-admitted", "INA 235(a)(4), (b)(1)"),
    "left": ("departure", "8 CFR 215.8, 231.2"),
    "later": ("later-admission", "8 CFR 231.2"),
    "paroled": ("parole-over", "INA 212(d)(5)(A); 8 CFR 212.5(e)"),
    "reinstated": ("reinstated", "8 CFR 214.2(f)(16)(ii)"),
    "corrected": ("corrected-by-inspection", "8 CFR 235.1(h), 235.2"),
    "paroled again": ("parole-extended", "INA 212(d)(5)(A); 8 CFR 212.5"),
    "out of status": ("out-of-status", "INA 237(a)(1)(C)(i); 8 CFR 214.1(l)(2)"),
    "contradicted": ("departure-contradicted", "8 CFR 231.2, 214.1(c), 248.1"),
    "impossible": ("impossible-date", "8 CFR 103.2(b)(16)(i)"),
    "over": ("period-over", "INA 222(g), 237(a)(1)(B)"),
}
D = date(2025, 1, 10)
END = date(2025, 4, 10)


@cache
def _facts(
    admission_class: str, day: date, until: date | str | None, applied: bool, paroled: bool = False
) -> tuple[Fact, ...]:
    inspection = Inspection.PAROLED if paroled else Inspection.ADMITTED
    story = Story().admitted(day, admission_class, until, inspection=inspection)
    if applied:
        story.extended(day + timedelta(2), day + timedelta(3), until=day + FAR)
    return tuple(story.facts())


def _stay(*case: object) -> Stay:
    (history,) = resolve.persons(_facts(*case))  # type: ignore[arg-type]
    return history.stays[0]


def _expected(kind: str | int, day: date, until: date | str | None) -> str | None:
    stated = until if isinstance(until, date) else None
    if kind == DURATION:
        return DURATION if stated is None else stated.isoformat()
    if kind == I94:
        return stated.isoformat() if stated else None
    if isinstance(kind, int):
        return (stated or day + timedelta(kind - 1)).isoformat()
    return None


def _wrong(admission_class: str, line: tuple[str, str, str, str | int, bool], paroled: bool = False) -> Iterator[str]:
    _, rule, citation, kind, extendable = line
    for day in DAYS:
        for until in (day + NEAR, day + FAR, None, DURATION):
            stay = _stay(admission_class, day, until, False, paroled)
            first, last = stay.timeline[0], _expected(kind, day, until)
            if (stay.authorised_until, stay.admission_class) != (last, admission_class):
                yield f"{admission_class} {day} {until}: {stay.authorised_until}, not {last}"
            if (first.rule, first.citation) != ((rule, citation) if last else ("no-rule", "")):
                yield f"{admission_class} {day} {until}: {first.rule}, {first.citation}"
            if len(stay.timeline) != (1 if last in (None, DURATION) else 2):
                yield f"{admission_class} {day} {until}: {len(stay.timeline)} pieces"
    if kind == "":
        return
    asked = [piece.reason for piece in _stay(admission_class, D, D + NEAR, True, paroled).timeline]
    if ("application approved" in asked) != extendable:
        yield f"{admission_class}: {asked} after an application"
    (history,) = resolve.persons(_changed(admission_class, paroled))
    changed = [piece.reason for piece in history.stays[0].timeline]
    if ("application approved" in changed) != (extendable and admission_class not in UNCHANGEABLE):
        yield f"{admission_class}: {changed} after a change of status"


UNCHANGEABLE = ("K3", "K4")
"""Classes that may be extended and not changed: INA 248(a)(1)."""


@cache
def _changed(admission_class: str, paroled: bool) -> tuple[Fact, ...]:
    """A change of status that was granted."""
    inspection = Inspection.PAROLED if paroled else Inspection.ADMITTED
    story = Story().admitted(D, admission_class, D + NEAR, inspection=inspection)
    story.extended(D + timedelta(2), D + timedelta(3), until=D + FAR, admission_class="O1", asks=Request.CHANGE_CLASS)
    return tuple(story.facts())


@cache
def _ended(admission_class: str) -> tuple[Fact, ...]:
    """An admission that names a SEVIS record, terminated soon after it."""
    story = Student(admission_class=admission_class).came(D, until=END, names=1).created(D - FAR, D + FAR)
    return tuple(story.terminated(D + NEAR).facts())


STUDENTS = ("F1", "F2", "J1", "J2", "M1", "M2")


def problems(of: frozenset[str] | None = None) -> Iterator[str]:
    """What the rules say otherwise than the table, of some classes or all."""
    for line in TABLE:
        for admission_class in line[0].split():
            if of is not None and admission_class not in of:
                continue
            yield from _wrong(admission_class, line)
            (history,) = resolve.persons(_ended(admission_class))
            words = {piece.outcome for piece in history.stays[0].timeline}
            if ("TERMINATED" in words) != (admission_class in STUDENTS):
                yield f"{admission_class}: {words} with a terminated record"
    if of is None or not of.isdisjoint(STUDENTS):
        yield from students.problems(DAYS)
    yield from _wrong("B2", TABLE[-1], paroled=True)
    for name, expected in EXAMPLES.items():
        (history,) = resolve.persons(_example(name))[-1:]
        line = history.stays[0].timeline
        last = (
            line[-1]
            if name in ("over", "paroled")
            else [one for one in line if one.outcome != "OVERSTAY_SUSPECTED"][-1]
        )
        if (last.rule, last.citation) != expected:
            yield f"{name}: {last.rule}, {last.citation}"


@cache
def _example(name: str) -> tuple[Fact, ...]:
    story = Story().admitted(D, until=END, inspection=Inspection.REFUSED if name == "refused" else Inspection.ADMITTED)
    facts = {
        "resident": StatusFact.PERMANENT_RESIDENT,
        "asylum": StatusFact.ASYLUM_GRANTED,
        "naturalised": StatusFact.NATURALISED,
    }
    if name == "pending":
        story.extended(END)
    elif name == "approved":
        story.extended(END, END, until=END + FAR)
    elif name == "denied":
        story.extended(END, END + NEAR, Action.DENIED)
    elif name == "victim adjusting":
        story = Story().admitted(D, "U1", END).extended(END, form="I-485")
    elif name == "adjustment":
        story.extended(END, form="I-485")
    elif name == "left":
        story.left(END)
    elif name == "later":
        story.admitted(END, until=END + NEAR, which=2)
    elif name in facts:
        story.fact(END, facts[name])
    elif name in ("paroled", "paroled again"):
        story = Story().admitted(D, until=END, inspection=Inspection.PAROLED)
        if name == "paroled again":
            story.applied(END, Action.APPROVED, form="I-94", granted_until=END + NEAR)
    elif name == "corrected":
        story.applied(END, Action.APPROVED, form="I-94", granted_until=END + NEAR)
    elif name == "out of status":
        story = Story().admitted(D, "H1B", END).fact(D, StatusFact.EMPLOYMENT_ENDED)
    elif name == "reinstated":
        student = Student().came(D, names=1).created(D - NEAR, date(9999, 12, 31)).terminated(D + NEAR)
        student.extended(D + NEAR, END, until=DURATION, admission_class="F1")
        return tuple(student.facts())
    elif name == "contradicted":
        story.left(D + NEAR, evidence=Evidence.MANIFEST).extended(END + FAR)
    elif name == "impossible":
        story.left(date(2039, 1, 1))
    return tuple(story.facts())


def test_the_table() -> None:
    """All rows say what the table says, and the table names all classes."""
    assert list(problems()) == []
    named = {admission_class for line in TABLE for admission_class in line[0].split()} | {"H2A", "H2B", "H2R", *CHNV}
    assert named >= {admission_class for rule in (*rules.RULES, *rules.PAROLE) for admission_class in rule.classes}


CHNV = frozenset({"CHP", "HHP", "NHP", "VHP"})
"""Classes of the parole that a notice ended: test_dated_rows.py."""
DATED = {"agricultural-worker-2009", "seasonal-worker-1990", "seasonal-worker", "media-prc-2020", "media-prc"}
"""Rows that begin or end on a day, or are for some citizenships alone: test_dated_rows.py."""


def _mutants(rule: Rule) -> Iterator[Rule]:
    dated = rule.basis in (Basis.I94_DATE, Basis.DATED_PROGRAM)
    yield replace(rule, id=rule.id + "x")
    yield replace(rule, citation=rule.citation + " ")
    yield replace(rule, extendable=not rule.extendable)
    if rule.extendable:
        yield replace(rule, changeable=not rule.changeable)
    for basis in Basis:
        if basis is not rule.basis:
            yield replace(rule, basis=basis, days=rule.days or (90 if basis is Basis.COUNTED else 0))
    yield from (replace(rule, classes=rule.classes - {one}) for one in rule.classes - CHNV)
    yield from (replace(rule, days=rule.days + by) for by in (-1, 1) if rule.days)
    yield from (replace(rule, months=rule.months + by) for by in (-1, 1) if rule.months)
    if dated or rule.grace_days:
        yield replace(rule, grace_days=rule.grace_days + 1)
    if rule.grace_days:
        yield replace(rule, grace_days=rule.grace_days - 1)
    if rule.basis is Basis.PROGRAM:
        yield replace(rule, withdrawal_days=rule.withdrawal_days + 1)
    if rule.withdrawal_days:
        yield replace(rule, withdrawal_days=rule.withdrawal_days - 1)
    if rule.basis is Basis.PROGRAM:
        yield replace(rule, filed_in_grace=rule.filed_in_grace ^ {"change_class"})
        yield replace(rule, filed_in_grace=rule.filed_in_grace ^ {"extend"})
    if rule.training:
        yield from (replace(rule, training=rule.training ^ {reason}) for reason in students.REASONS)
    yield replace(rule, classes=rule.classes | {"ZZ"})
    yield from (replace(rule, since=day + timedelta(1)) for day in DAYS)
    yield from (replace(rule, through=day - timedelta(1)) for day in DAYS)


@pytest.mark.law(4, "any change of a row of the rules")
@pytest.mark.law(4, planted="a changed row, day, class or citation of the rules")
@pytest.mark.slow
@pytest.mark.parametrize(
    "row", [place for place, row in enumerate((*rules.RULES, *rules.PAROLE)) if row.id not in DATED]
)
def test_no_row_can_change_unnoticed(row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changes in a row, the table disagrees."""
    rows = (*rules.RULES, *rules.PAROLE)
    for mutant in _mutants(rows[row]):
        changed = (*rows[:row], mutant, *rows[row + 1 :])
        monkeypatch.setattr(rules, "RULES", changed[:-1])
        monkeypatch.setattr(rules, "PAROLE", changed[-1:])
        assert next(problems(rows[row].classes | {"ZZ"}), None), mutant


PAIRS = (
    "TIMELY",
    "APPROVED",
    "DENIED",
    "ADJUSTMENT",
    "VICTIM_ADJUSTING",
    "RESIDENT",
    "REFUSED",
    "LEFT",
    "LATER_ADMISSION",
    "OVER",
    "VIOLATION",
    "REINSTATED",
    "CAP_GAP",
    "PAROLE_OVER",
    "CORRECTED",
    "PAROLED_AGAIN",
    "OUT_OF_STATUS",
    "CONTRADICTED",
    "IMPOSSIBLE",
)


@pytest.mark.law(4, "the rules' citations")
@pytest.mark.slow
@pytest.mark.parametrize("name", PAIRS)
def test_no_citation_can_change_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for rules that are no row."""
    rule, citation = getattr(rules, name)
    for mutant in ((rule + "x", citation), (rule, citation + " ")):
        monkeypatch.setattr(rules, name, mutant)
        assert next(problems(), None), mutant


def test_facts_that_end_a_nonimmigrant_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is missed when it is left out."""
    for fact in rules.LEAVES_NONIMMIGRANT:
        with monkeypatch.context() as patch:
            patch.setattr(rules, "LEAVES_NONIMMIGRANT", rules.LEAVES_NONIMMIGRANT - {fact})
            assert next(problems(), None), fact


def test_a_new_row_moves_later_admissions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of law is a row that begins and one that ends; the day of admission decides."""
    change = date(2025, 6, 1)
    visitor = rules.RULES[0]
    old = replace(visitor, through=change - timedelta(1))
    new = replace(visitor, id="visitor-2025", basis=Basis.COUNTED, days=30, since=change)
    cases = [("B2", change + timedelta(by), None, False) for by in (-200, -1, 0, 1, 200)]
    before = [_stay(*case) for case in cases]
    monkeypatch.setattr(rules, "RULES", (old, new, *rules.RULES[1:]))
    after = [_stay(*case) for case in cases]
    assert after[:2] == before[:2]
    assert [stay.timeline[0].rule for stay in after[2:]] == ["visitor-2025"] * 3
    days = [case[1] + timedelta(29) for case in cases[2:]]
    assert [stay.authorised_until for stay in after[2:]] == [day.isoformat() for day in days]


@pytest.mark.parametrize("zone", ZONES)
def test_a_new_row_moves_later_parole_only(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day at the port decides; where no row holds, nothing is known, whatever the class would allow."""
    change = date(2025, 6, 1)
    (row,) = rules.PAROLE
    rows = (replace(row, through=change - timedelta(1)), replace(row, id="parole-2025", since=change + timedelta(1)))
    monkeypatch.setattr(rules, "PAROLE", rows)
    for by, rule in ((-1, "parole"), (0, "no-rule"), (1, "parole-2025")):
        for admission_class, inspection in (("PAR", Inspection.ADMITTED), ("B2", Inspection.PAROLED)):
            for clock in ("00:00:00", "23:59:59"):
                day = change + timedelta(by)
                story = Story(zone).admitted(day, admission_class, day + NEAR, clock, inspection)
                first = story.stay().timeline[0]
                assert (first.rule, first.outcome == "UNDETERMINED") == (rule, rule == "no-rule")
                assert last_day(story.stay()) is None  # nobody expects the paroled to leave, by whichever row


def test_days_of_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who leaves within them left in time; filing in them is too late; what is pending bridges from their end on."""
    monkeypatch.setattr(rules, "RULES", (replace(rules.RULES[0], grace_days=10), *rules.RULES[1:]))
    story = Story().admitted(D, until=END)
    assert [word for word, _ in story.line()] == ["IN_STATUS", "IN_GRACE", "OVERSTAY_SUSPECTED"]
    assert story.stay().authorised_until == END.isoformat()
    assert story.outcome(END, "23:59:59") == "IN_STATUS"
    assert story.outcome(END + timedelta(1), "00:00:00") == "IN_GRACE"
    assert story.outcome(END + timedelta(10), "23:59:59") == "IN_GRACE"
    assert story.outcome(END + timedelta(11), "00:00:00") == "OVERSTAY_SUSPECTED"
    for by, outcome in ((10, "DEPARTED_IN_TIME"), (11, "DEPARTED_LATE")):
        assert Story().admitted(D, until=END).left(END + timedelta(by)).last().outcome == outcome
    for by, outcome in ((0, "PENDING"), (1, "OVERSTAY_SUSPECTED")):
        assert Story().admitted(D, until=END).extended(END + timedelta(by)).last().outcome == outcome


def test_evidence_has_its_order() -> None:
    """The published order, and a booking alone closes nothing."""
    assert rules.EVIDENCE_ORDER == (
        "biometric", "inspected", "removal", "foreign_entry", "manifest_closed", "manifest", "shown", "booking",
    )  # fmt: skip
    assert set(rules.EVIDENCE_ORDER) == {one.value for one in Evidence}
    assert set(rules.EVIDENCE_ORDER) - rules.ACCEPTED == {"shown", "booking"}
