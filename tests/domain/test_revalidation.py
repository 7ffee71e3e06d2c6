"""A short trip on an unexpired I-94: the stay goes on for the rest of the admission."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from domain.stories import NEW_YORK, ZONES, Story, second

from schemas.events import Action
from schemas.events import Fact as StatusFact
from services.domain import rules

D, END = date(2025, 1, 10), date(2025, 4, 10)
OUT = D + timedelta(20)
ONE = timedelta(1)
REVALIDATED = ("automatic-revalidation", "22 CFR 41.112(d); 8 CFR 214.1(b)")


def trip(back: date, which: int = 1, admission_class: str = "B2", zone: str = NEW_YORK) -> Story:
    """Admitted until END, away from OUT, and let in again without a date."""
    story = Story(zone).admitted(D, admission_class, END)
    return story.left(OUT).admitted(back, None, None, which=which)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("away", "goes_on"), [(1, True), (29, True), (30, True), (31, False)])
def test_thirty_days_away(zone: str, away: int, goes_on: bool) -> None:
    """The day before, the day, the day after."""
    back = OUT + timedelta(away)
    story = trip(back, zone=zone)
    first, again = story.line(0), story.line(1)
    assert [word for word, _ in first] == ["IN_STATUS", "DEPARTED_IN_TIME"]
    over = second(zone, END + ONE, "00:00:00")
    expected = [("IN_STATUS", second(zone, back)), ("OVERSTAY_SUSPECTED", over)]
    assert (again == expected) is goes_on
    stay = story.stay(1)
    if goes_on:
        assert (stay.authorised_until, stay.admission_class, stay.admitted_as) == (END.isoformat(), "B2", None)
        assert (stay.timeline[0].rule, stay.timeline[0].citation) == REVALIDATED
        assert stay.timeline[0].evidence == tuple(sorted((story.ids[0], story.ids[2])))
    else:
        assert [word for word, _ in again] == ["UNDETERMINED"]


def test_thirty_days_are_thirty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another number of days shows."""
    for days_, word in ((29, "UNDETERMINED"), (30, "IN_STATUS"), (31, "IN_STATUS")):
        monkeypatch.setattr(rules, "REVALIDATION_DAYS", days_)
        assert trip(OUT + timedelta(30)).line(1)[0][0] == word
    assert trip(OUT + timedelta(31)).line(1)[0][0] == "IN_STATUS"


@pytest.mark.slow
def test_a_commuter_of_thousands_of_trips() -> None:
    """Every one goes on with the first admission, and costs what the first trip costs."""
    story = Story().admitted(D, "B2", D + timedelta(9_000))
    for trips in range(3_000):
        day, hour = D + timedelta(1 + trips // 4), trips % 4 * 5
        story.left(day, f"{hour + 1:02d}:00:00").admitted(day, None, None, f"{hour + 3:02d}:00:00")
    stays = story.history().stays
    assert len(stays) == 3_001
    assert {stay.authorised_until for stay in stays} == {(D + timedelta(9_000)).isoformat()}
    assert {stay.timeline[-1].outcome for stay in stays[:-1]} == {"DEPARTED_IN_TIME"}
    assert [piece.outcome for piece in stays[-1].timeline] == ["IN_STATUS", "OVERSTAY_SUSPECTED"]


def test_another_number_is_another_admission() -> None:
    """And one with a date speaks for itself."""
    assert trip(OUT + ONE, which=2).line(1)[0][0] == "UNDETERMINED"
    later = END + timedelta(90)
    fresh = Story().admitted(D, until=END).left(OUT).admitted(OUT + ONE, until=later)
    assert fresh.stay(1).authorised_until == later.isoformat()


def test_a_waiver_goes_on_for_the_balance() -> None:
    """The ninety days run from the first admission."""
    story = Story().admitted(D, "WT").left(OUT).admitted(OUT + ONE, "WT")
    assert story.stay(1).authorised_until == (D + timedelta(89)).isoformat()
    other = Story().admitted(D, "WT").left(OUT).admitted(OUT + ONE, "WT", which=2)
    assert other.stay(1).authorised_until == (OUT + timedelta(90)).isoformat()


def test_an_i94_that_was_over() -> None:
    """Who comes back on it after its date was admitted to nothing that is known."""
    story = Story().admitted(D, until=OUT + timedelta(3)).left(OUT).admitted(OUT + timedelta(3), None)
    assert [word for word, _ in story.line(1)] == ["IN_STATUS", "OVERSTAY_SUSPECTED"]
    story = Story().admitted(D, until=OUT + timedelta(3)).left(OUT).admitted(OUT + timedelta(4), None)
    assert [word for word, _ in story.line(1)] == ["UNDETERMINED"]
    assert story.last(1).reason == "admitted again on an I-94 that was over"


def test_what_was_pending_goes_on() -> None:
    """Applications and protections are the admission's, and trips may follow each other."""
    story = trip(OUT + ONE).extended(END)
    assert [word for word, _ in story.line(1)] == ["IN_STATUS", "PENDING"]
    denied = trip(OUT + ONE).extended(END, END + timedelta(30), Action.DENIED)
    assert denied.line(1)[-1] == ("OVERSTAY_SUSPECTED", second(NEW_YORK, END + timedelta(31), "00:00:00"))
    protected = trip(OUT + ONE).fact(END, StatusFact.TPS, until=END + timedelta(9))
    assert [word for word, _ in protected.line(1)] == ["IN_STATUS", "IN_STATUS", "OVERSTAY_SUSPECTED"]
    twice = trip(OUT + ONE).left(OUT + timedelta(9)).admitted(OUT + timedelta(12), None)
    assert twice.line(2)[-1] == ("OVERSTAY_SUSPECTED", second(NEW_YORK, END + ONE, "00:00:00"))
    assert twice.left(END).last(2).outcome == "DEPARTED_IN_TIME"
    assert [word for word, _ in twice.line(1)] == ["IN_STATUS", "DEPARTED_IN_TIME"]


def test_a_departure_that_nobody_saw() -> None:
    """The stay before is closed by the later admission, which goes on all the same."""
    story = Story().admitted(D, until=END).admitted(OUT, None)
    assert [word for word, _ in story.line(0)] == ["IN_STATUS", "CLOSED_UNOBSERVED"]
    assert [word for word, _ in story.line(1)] == ["IN_STATUS", "OVERSTAY_SUSPECTED"]
