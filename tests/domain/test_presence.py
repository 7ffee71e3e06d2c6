"""Departures that later facts contradict, departures that cannot be, and returns without a record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from domain.stories import NAME, PASSPORT, Story, number
from domain.students import Student

from schemas.events import Action, Evidence, Handling, Inspection, Request, Subject
from schemas.events import Fact as StatusFact
from schemas.identifiers import Identifier, Scheme
from services.domain import facts as facts_module
from services.domain import resolve, rules
from services.domain.coverage import NOTHING

D, END = date(2025, 1, 10), date(2025, 7, 9)
ONE = timedelta(1)
LEFT = date(2025, 3, 14)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def visitor(evidence: Evidence = Evidence.MANIFEST_CLOSED) -> Story:
    """On a manifest, and perhaps not aboard."""
    return Story().admitted(D, until=END).left(LEFT, evidence=evidence)


def fingerprints(story: Story, day: date, **more: Any) -> Story:
    """Taken at a place in the country."""
    return story.fact(day, StatusFact.ENCOUNTER, **{"port": "JFK", "reason": "enrolment"} | more)


LATER: dict[str, Callable[[Story, date], Story]] = {
    "an extension is filed": lambda story, day: story.applied(day),
    "a change is filed": lambda story, day: story.applied(day, asks=Request.CHANGE_CLASS),
    "residence is asked for": lambda story, day: story.applied(day, form="I-485"),
    "an extension is approved": lambda story, day: story.applied(day, Action.APPROVED, granted_until=END + days(100)),
    "fingerprints": fingerprints,
    "an appointment": lambda story, day: story.fact(day, StatusFact.BIOMETRICS_TAKEN),
    "asylum is asked for": lambda story, day: story.fact(day, StatusFact.ASYLUM_PENDING),
    "a detainer": lambda story, day: story.fact(day, StatusFact.DETAINER_LODGED),
    "leave to depart": lambda story, day: story.fact(day, StatusFact.VOLUNTARY_DEPARTURE, until=END + days(9)),
    "days to depart": lambda story, day: story.fact(day, StatusFact.SATISFACTORY_DEPARTURE, until=END + days(9)),
    "a registration": lambda story, day: story.fact(
        day, StatusFact.SEVIS_ACTIVE, reason="registered", until=END, class_of_admission="F1", part="program"
    ),
}


@pytest.mark.parametrize("evidence", [Evidence.MANIFEST, Evidence.MANIFEST_CLOSED])
@pytest.mark.parametrize("what", LATER)
def test_what_only_somebody_present_can_cause_contradicts_a_manifest(what: str, evidence: Evidence) -> None:
    """Neither is known then: that the person left, or is there. And the reason says why."""
    story = LATER[what](visitor(evidence), LEFT + days(30))
    assert story.outcome(LEFT - ONE) == "IN_STATUS"
    for day in (LEFT + ONE, LEFT + days(40), END + days(20), END + days(900)):
        answer = story.answer(day)
        assert answer.outcome == "UNDETERMINED", day
        assert answer.reason == "a carrier told of a departure; what came later only a person in the country can cause"
        assert set(story.ids[1:3]) <= set(answer.evidence)
    assert story.stay().departed is None


@pytest.mark.parametrize("what", LATER)
def test_it_contradicts_nothing_stronger_and_nothing_later(what: str) -> None:
    """An officer's word stands; what was done before the flight, or on its day, says nothing."""
    for evidence in (Evidence.BIOMETRIC, Evidence.INSPECTED, Evidence.FOREIGN_ENTRY, Evidence.REMOVAL):
        assert LATER[what](visitor(evidence), LEFT + days(30)).last().outcome == "DEPARTED_IN_TIME"
    assert LATER[what](visitor(), LEFT - days(5)).last().outcome == "DEPARTED_IN_TIME"
    assert LATER[what](visitor(), LEFT + ONE).last().outcome == "DEPARTED_IN_TIME"
    again = LATER[what](visitor().admitted(LEFT + days(60), until=END + days(90), which=2), LEFT + days(70))
    assert again.last(0).outcome == "DEPARTED_IN_TIME"


@pytest.mark.parametrize("what", LATER)
def test_a_later_departure_is_believed(what: str) -> None:
    """Of a person who was on a manifest, was there, and left."""
    story = LATER[what](visitor(), LEFT + days(30)).left(END, evidence=Evidence.BIOMETRIC)
    assert story.last().outcome == "DEPARTED_IN_TIME"
    assert story.last().since > story.stay().timeline[0].since
    manifest = LATER[what](visitor(), LEFT + days(30)).left(END, evidence=Evidence.MANIFEST)
    assert manifest.last().outcome == "DEPARTED_IN_TIME"


@pytest.mark.parametrize(
    "more", [{"mode": "air"}, {"port": None}, {"reason": "merge"}], ids=["at a crossing", "anywhere", "no capture"]
)
def test_not_all_fingerprints_are_taken_in_the_country(more: dict[str, Any]) -> None:
    """At a crossing they say who came; without a place they may have been taken abroad."""
    assert fingerprints(visitor(), LEFT + days(30), **more).last().outcome == "DEPARTED_IN_TIME"


def test_what_is_confidential_of_them_marks_the_stay() -> None:
    """Whatever the fact is that implies presence, its mark is the stay's."""
    for fact in (StatusFact.BIOMETRICS_TAKEN, StatusFact.DETAINER_LODGED, StatusFact.ASYLUM_PENDING):
        story = visitor().fact(LEFT + days(30), fact, handling=(Handling.ASYLUM,))
        assert story.stay().handling == ("asylum",), fact
    assert visitor().fact(LEFT + days(30), StatusFact.BIOMETRICS_TAKEN).stay().handling == ()


def test_no_word_of_presence_can_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missed() -> list[str]:
        return [what for what in LATER if LATER[what](visitor(), LEFT + days(30)).last().outcome != "UNDETERMINED"]

    assert missed() == []
    for name, value, expected in (
        (
            "IMPLIED_STEPS",
            frozenset({"approved"}),
            {"an extension is filed", "a change is filed", "residence is asked for"},
        ),
        ("IMPLIED_STEPS", frozenset({"filed"}), {"an extension is approved"}),
        ("IMPLIED_REASONS", frozenset(), {"a registration"}),
        (
            "IMPLIED_FACTS",
            frozenset(),
            {"an appointment", "asylum is asked for", "a detainer", "leave to depart", "days to depart"},
        ),
        ("FINGERPRINTS", "x", {"fingerprints"}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(rules, name, value)
            assert set(missed()) == expected, name


def canadian(*departures: tuple[date, Evidence], code: str = "CAN") -> Story:
    """By air with an I-94, and then these departures, which name it or not."""
    story = Story().admitted(D, until=END)
    for day, evidence in departures:
        story.left(day, evidence=evidence)
    for place, event in enumerate(story.events):
        ids = (Identifier.of(Scheme.PASSPORT, "P1234567", code), *((number(1),) if place == 0 else ()))
        subject = Subject(names=(NAME,), birth="1980-02-03", citizenship=(code,), identifiers=ids)
        story.events[place] = event.model_copy(update={"subject": subject})
    return story


@pytest.mark.parametrize("first", [Evidence.MANIFEST, Evidence.MANIFEST_CLOSED, Evidence.INSPECTED])
@pytest.mark.parametrize("second", [Evidence.BIOMETRIC, Evidence.MANIFEST_CLOSED])
def test_the_first_departure_of_a_canadian_ended_the_admission(first: Evidence, second: Evidence) -> None:
    """Who comes back by land leaves no record, so a later departure is of that visit; the other is on a worklist."""
    departures = ((LEFT, first), (END + days(50), second))
    story = canadian(*departures)
    assert (story.last().outcome, story.last().reason) == (
        "DEPARTED_IN_TIME",
        f"left ({first.value.replace('_', ' ')})",
    )
    assert story.history().unmatched_departures == (story.ids[2],)
    other = canadian(*departures, code="GBR")
    strongest = min((first, second), key=lambda one: rules.EVIDENCE_ORDER.index(one.value))
    late = strongest is second and (first is not second)
    assert other.last().outcome == ("DEPARTED_LATE" if late or first is second else "DEPARTED_IN_TIME")


def test_land_returns_are_canadians(monkeypatch: pytest.MonkeyPatch) -> None:
    story = canadian((LEFT, Evidence.MANIFEST), (END + days(50), Evidence.BIOMETRIC))
    assert story.last().outcome == "DEPARTED_IN_TIME"
    monkeypatch.setattr(rules, "LAND_RETURN", frozenset[str]())
    assert story.last().outcome == "DEPARTED_LATE"


def test_one_crossing_of_a_canadian_is_told_by_its_strongest_report() -> None:
    story = canadian((LEFT, Evidence.MANIFEST), (LEFT, Evidence.BIOMETRIC), (END + days(9), Evidence.BIOMETRIC))
    assert story.last().reason == "left (biometric)"


def test_a_departure_after_its_own_record_is_impossible(monkeypatch: pytest.MonkeyPatch) -> None:
    """It closes nothing, and it is not nothing: no overstay is suspected, and the reason says why."""
    recorded = datetime(2026, 3, 1, tzinfo=UTC)
    for day, outcome in (
        (date(2036, 3, 1), "UNDETERMINED"),
        (date(2026, 3, 6), "UNDETERMINED"),
        (date(2026, 3, 4), "DEPARTED_LATE"),
    ):
        story = Story().admitted(D, until=END).left(day, recorded_at=recorded)
        assert story.outcome(date(2036, 6, 1)) == outcome, day
    story = Story().admitted(D, until=END).left(date(2036, 3, 1), recorded_at=recorded)
    assert story.outcome(END) == "IN_STATUS"
    assert story.outcome(END + ONE) == "UNDETERMINED"
    assert story.last().rule == "impossible-date"
    assert story.ids[1] in story.last().evidence
    assert story.stay().departed is None
    assert resolve.answer(story.stay(), story.last().since, NOTHING) is not None
    unrecorded = Story().admitted(D, until=END)
    assert unrecorded.left(date(2036, 3, 1)).last().outcome == "UNDETERMINED"  # known in 2030
    assert Story().admitted(D, until=END).left(date(2030, 12, 1)).last().outcome == "DEPARTED_LATE"
    booked = Story().admitted(D, until=END).left(date(2036, 3, 1), recorded_at=recorded, evidence=Evidence.BOOKING)
    assert booked.last().outcome == "OVERSTAY_SUSPECTED"
    monkeypatch.setattr(facts_module, "BEYOND", 6 * 86_400)
    near = Story().admitted(D, until=END).left(date(2026, 3, 6), recorded_at=recorded)
    assert near.last().outcome == "DEPARTED_LATE"


def test_a_program_that_ends_before_its_form_was_issued() -> None:
    """An impossible date, which is no end of a program."""
    story = Student().came(D, names=1).created(D - days(30), D - days(90))
    assert [word for word, _ in story.days()] == ["UNDETERMINED"]
    mended = Student().came(D, names=1).created(D - days(30), D - days(90)).program(D + ONE, END)
    assert mended.outcome(D + days(2)) == "IN_STATUS"
    shortened = Student().came(D, names=1).created(D - days(30), END).program(D + days(50), D + days(40), "shortened")
    assert shortened.outcome(D + days(51)) == "IN_GRACE"


def test_a_status_is_that_of_the_last_admission() -> None:
    """A refused application says where the person was, and is the status of a person who has nothing else."""
    story = Story().admitted(D, until=END).left(LEFT).admitted(END, inspection=Inspection.REFUSED, which=2)
    at = int(datetime(2025, 9, 1, tzinfo=UTC).timestamp())
    status = resolve.status(story.history(), at, NOTHING)
    assert status is not None
    assert (status.outcome, status.stay.i94) == ("DEPARTED_IN_TIME", (number(1).text,))
    refused = Story().admitted(D, inspection=Inspection.WITHDRAWN)
    alone = resolve.status(refused.history(), at, NOTHING)
    assert alone is not None
    assert alone.outcome == "NOT_ADMITTED"
    assert resolve.status(story.history(), 0, NOTHING) is None
    assert PASSPORT.text in story.history().identifiers
