"""An application for adjustment and a trip abroad: 8 CFR 245.2(a)(4)(ii). And what victims are given in any class."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from domain.stories import Story

from schemas.events import Action, Inspection, Request
from schemas.events import Fact as StatusFact
from services.domain import rules

D, END = date(2025, 1, 10), date(2025, 4, 10)
OUT, BACK, UNTIL = date(2025, 2, 10), date(2025, 3, 1), date(2025, 9, 1)
BEHIND = UNTIL + timedelta(30)
KEEPING = (("H1B", "H4", "L1", "L1A", "L1B", "L2", "L2S", "L2Y"), ("K3", "K4"), ("V1", "V2", "V3"))
VICTIMS = ("T1", "T2", "T3", "T4", "T5", "T6", "U1", "U2", "U3", "U4", "U5")


ABROAD = (StatusFact.ASYLUM_PENDING, StatusFact.TPS, StatusFact.DEFERRED_ACTION)
LONG = {"until": BEHIND + timedelta(400)}
KEPT: tuple[tuple[StatusFact, dict[str, date], StatusFact | None], ...] = (
    (StatusFact.ASYLUM_PENDING, {}, StatusFact.ASYLUM_DENIED),
    (StatusFact.TPS, LONG, StatusFact.TPS_WITHDRAWN),
    (StatusFact.DEFERRED_ACTION, LONG, None),
    (StatusFact.DEFERRED_DEPARTURE, LONG, None),
    (StatusFact.PAROLE, LONG, None),
)


def travelled(before: str, back: str, inspection: Inspection = Inspection.ADMITTED) -> Story:
    """Filed for adjustment, left, and came back to a date."""
    story = Story().admitted(D, before, END).applied(D + timedelta(9), form="I-485").left(OUT)
    return story.admitted(BACK, back, UNTIL, which=2, inspection=inspection)


def problems() -> Iterator[str]:
    """What is said otherwise than by the law."""
    every = [cls for family in KEEPING for cls in family]
    for family in KEEPING:
        for back in family:
            if travelled(family[0], back).outcome(BEHIND, which=1) != "PENDING":
                yield f"{family[0]} back as {back} has abandoned it"
            other = next(cls for cls in every if cls not in family)
            if travelled(other, back).outcome(BEHIND, which=1) != "OVERSTAY_SUSPECTED":
                yield f"{other} back as {back} has not"
    for before, back in (("B2", "B2"), ("F1", "H1B"), ("E2", "E2"), ("K1", "K3"), ("TN", "TN"), ("O1", "O1")):
        if travelled(before, back).outcome(BEHIND, which=1) != "OVERSTAY_SUSPECTED":
            yield f"{before} back as {back} has not abandoned it"
    for back in ("DA", "PAR", "DT"):
        if travelled("B2", back, Inspection.PAROLED).outcome(BEHIND, which=1) != "PENDING":
            yield f"paroled as {back}"
    for fact, more, ends in KEPT:
        for back, inspection, goes_on in (
            ("DA", Inspection.PAROLED, True),
            ("TPS", Inspection.ADMITTED, True),
            ("B2", Inspection.ADMITTED, False),
        ):
            story = Story().admitted(D, "B2", END).fact(D + timedelta(9), fact, **more).left(OUT)
            story.admitted(BACK, back, UNTIL, which=2, inspection=inspection)
            word = story.outcome(BEHIND, which=1)
            if (word in ("PENDING", "IN_STATUS")) != (goes_on and fact in ABROAD):
                yield f"{fact} back as {back}: {word}"
            if ends is not None and story.fact(BEHIND, ends).outcome(BEHIND + timedelta(1), which=1) in (
                "PENDING",
                "IN_STATUS",
            ):
                yield f"{fact} and {ends}"
    for cls in VICTIMS:
        story = Story().admitted(D, "WT", END).applied(D + timedelta(9), asks=Request.CHANGE_CLASS)
        more = {"granted_class": cls, "granted_until": UNTIL, "asks": Request.CHANGE_CLASS}
        if story.applied(END, Action.APPROVED, **more).outcome(UNTIL) != "IN_STATUS":
            yield f"{cls} given under the waiver"
    given = Story().admitted(D, "WT", END).applied(D + timedelta(9), asks=Request.CHANGE_CLASS)
    given.applied(END, Action.APPROVED, granted_class="F1", granted_until=UNTIL, asks=Request.CHANGE_CLASS)
    if given.outcome(UNTIL) != "OVERSTAY_SUSPECTED":
        yield "F-1 given under the waiver"


def test_who_keeps_an_adjustment_abroad_and_what_victims_are_given() -> None:
    assert list(problems()) == []


@pytest.mark.parametrize("cls", [cls for family in KEEPING for cls in family])
def test_no_class_that_keeps_it_can_change_unnoticed(cls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "KEEPS_ADJUSTMENT", tuple(family - {cls} for family in rules.KEEPS_ADJUSTMENT))
    assert next(problems(), None)


@pytest.mark.parametrize("cls", [*VICTIMS, "F1"])
def test_no_class_of_victims_can_change_unnoticed(cls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "VICTIMS", rules.VICTIMS ^ {cls})
    assert next(problems(), None)


def test_families_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "KEEPS_ADJUSTMENT", (frozenset().union(*rules.KEEPS_ADJUSTMENT),))
    assert next(problems(), None)


def test_an_adjustment_granted_when_the_person_is_back_was_not_abandoned() -> None:
    """Whatever the class; denied or undecided it was."""
    story = travelled("B2", "B2").applied(BACK + timedelta(60), Action.APPROVED, form="I-485")
    assert story.outcome(BACK + timedelta(59), which=1) == "IN_STATUS"
    assert story.outcome(BEHIND, which=1) == "ADJUSTED"
    assert story.outcome(BEHIND, which=0) == "DEPARTED_IN_TIME"
    denied = travelled("B2", "DA", Inspection.PAROLED).applied(UNTIL + timedelta(9), Action.DENIED, form="I-485")
    assert denied.outcome(UNTIL + timedelta(9), which=1) == "PENDING"
    assert denied.outcome(BEHIND, which=1) == "OVERSTAY_SUSPECTED"


def test_it_goes_on_through_several_trips_and_not_beyond_one_that_abandons_it() -> None:
    story = travelled("B2", "DA", Inspection.PAROLED).left(UNTIL - timedelta(60))
    again, last = UNTIL - timedelta(30), UNTIL + timedelta(200)
    story.admitted(again, "DA", last, which=3, inspection=Inspection.PAROLED)
    assert story.outcome(last + timedelta(5), which=2) == "PENDING"
    broken = travelled("B2", "B2").left(UNTIL - timedelta(60))
    broken.admitted(again, "DA", last, which=3, inspection=Inspection.PAROLED)
    assert broken.outcome(last + timedelta(5), which=2) == "OVERSTAY_SUSPECTED"


@pytest.mark.parametrize("fact", [*sorted(rules.KEPT_ABROAD), "deferred_departure", "parole"])
def test_no_fact_that_is_kept_abroad_can_change_unnoticed(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "KEPT_ABROAD", rules.KEPT_ABROAD ^ {fact})
    assert next(problems(), None)


def test_no_other_class_is_that_of_tps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "TPS_CLASS", "B2")
    assert next(problems(), None)


def test_what_was_lost_before_a_trip_is_not_kept() -> None:
    """Asylum and work without permission; asylum denied before the trip; and a later stay is marked like the first."""
    story = Story().admitted(D, "B2", END).fact(D + timedelta(9), StatusFact.ASYLUM_PENDING)
    for lost in (StatusFact.UNAUTHORISED_WORK, StatusFact.ASYLUM_DENIED):
        other = Story().admitted(D, "B2", END).fact(D + timedelta(9), StatusFact.ASYLUM_PENDING)
        other.fact(D + timedelta(20), lost).left(OUT)
        other.admitted(BACK, "DA", UNTIL, which=2, inspection=Inspection.PAROLED)
        assert other.outcome(BEHIND, which=1) == "OVERSTAY_SUSPECTED"
    story.left(OUT).admitted(BACK, "DA", UNTIL, which=2, inspection=Inspection.PAROLED)
    assert story.stay(1).handling == story.stay(0).handling == ("asylum",)
