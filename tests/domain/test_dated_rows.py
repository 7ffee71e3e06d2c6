"""Rows that begin or end on a day, or hold for some citizenships alone, against literals; and every change of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from domain.stories import NAME, NEW_YORK, ZONES, Story, number, second
from domain.test_rules import CHNV, DATED

from schemas.events import Fact as StatusFact
from schemas.events import Inspection, Request, Subject
from schemas.identifiers import Identifier, Scheme
from services.domain import notices, rules
from services.domain.applications import local_day
from services.domain.notices import Notice
from services.domain.rules import Rule

ONE = timedelta(1)
CHANGE = date(2025, 1, 17)
D = date(2025, 3, 1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def of(story: Story, code: str) -> Story:
    """The same traveller with another citizenship."""
    ids = (Identifier.of(Scheme.PASSPORT, "P1234567", code), number(1))
    for place, event in enumerate(story.events):
        subject = Subject(names=(NAME,), birth="1980-02-03", sex="F", citizenship=(code,), identifiers=ids)
        story.events[place] = event.model_copy(update={"subject": subject})
    return story


def line(story: Story) -> list[tuple[str, date, str]]:
    """Outcomes, the day with which each begins, and the rule."""
    stay = story.stay()
    return [(piece.outcome, local_day(piece.since, stay.zone), piece.rule) for piece in stay.timeline]


OVER = "period-over"
H2_RULE = "8 CFR 214.2(h)(5)(viii)(B), (h)(6)(vii)(A), (h)(13)(i)(C); 89 FR 103202"
SEASONAL: tuple[tuple[str, date, str, str, int, int | None], ...] = (
    # class, day of admission, rule, citation, days of grace, days after the employment
    ("H2A", CHANGE - ONE, "agricultural-worker-2009", "8 CFR 214.2(h)(5)(viii)(B) as of 73 FR 76891", 30, 0),
    ("H2B", CHANGE - ONE, "seasonal-worker-1990", "8 CFR 214.2(h)(13)(i)(A) before 89 FR 103202", 10, 0),
    ("H2R", CHANGE - ONE, "seasonal-worker-1990", "8 CFR 214.2(h)(13)(i)(A) before 89 FR 103202", 10, 0),
    ("H2A", CHANGE, "seasonal-worker", H2_RULE, 30, 60),
    ("H2B", CHANGE, "seasonal-worker", H2_RULE, 30, 60),
    ("H2R", CHANGE, "seasonal-worker", H2_RULE, 30, 60),
)


def problems() -> Iterator[str]:
    """What the rows say otherwise."""
    for admission_class, day, rule, citation, grace, employment in SEASONAL:
        yield from _seasonal(admission_class, day, (rule, citation), grace, employment)
    for code, day, rule, citation in (
        ("CHN", date(2020, 5, 7), "media", "8 CFR 214.2(i)"),
        ("CHN", date(2020, 5, 8), "media-prc-2020", "8 CFR 214.2(i)(2); 85 FR 27645"),
        ("CHN", date(2022, 10, 12), "media-prc-2020", "8 CFR 214.2(i)(2); 85 FR 27645"),
        ("CHN", date(2022, 10, 13), "media-prc", "8 CFR 214.2(i)(2); 85 FR 27645, 87 FR 61959"),
        ("HKG", date(2021, 1, 10), "media", "8 CFR 214.2(i)"),
        ("HKG", date(2025, 1, 10), "media", "8 CFR 214.2(i)"),
        ("GBR", date(2021, 1, 10), "media", "8 CFR 214.2(i)"),
    ):
        for admission_class in ("I", "I1"):
            yield from _media(admission_class, code, day, (rule, citation))


def _seasonal(
    admission_class: str, day: date, source: tuple[str, str], grace: int, employment: int | None
) -> Iterator[str]:
    rule, citation = source
    end = day + days(100)
    story = Story().admitted(day, admission_class, end)
    expected = [
        ("IN_STATUS", day, rule),
        ("IN_GRACE", end + ONE, rule),
        ("OVERSTAY_SUSPECTED", end + days(grace + 1), OVER),
    ]
    if line(story) != expected or story.stay().timeline[0].citation != citation:
        yield f"{admission_class} {day}: {line(story)}"
    for by, outcome in ((grace, "DEPARTED_IN_TIME"), (grace + 1, "DEPARTED_LATE")):
        left = Story().admitted(day, admission_class, end).left(end + days(by)).last().outcome
        if left != outcome:
            yield f"{admission_class} {day}: {left} after {by} days"
    for asks in (Request.EXTEND, Request.CHANGE_CLASS):
        filed = Story().admitted(day, admission_class, end).applied(end + days(2), asks=asks, filed_on_paper=False)
        if (filed.last().outcome == "PENDING") != (rule != "seasonal-worker-1990"):
            yield f"{admission_class} {day}: {asks} filed in the days of grace is {filed.last().outcome}"
    if Story().admitted(day, admission_class, end).extended(end).last().outcome != "PENDING":
        yield f"{admission_class} {day}: no extension"
    ended = Story().admitted(day, admission_class, end).fact(day, StatusFact.EMPLOYMENT_ENDED)
    words = line(ended)[1:]
    gone = [
        ("TERMINATED", day + days(1 + (employment or 0)), "out-of-status"),
        ("OVERSTAY_SUSPECTED", end + ONE, OVER),
    ]
    if employment:
        gone.insert(0, ("IN_GRACE", day + ONE, "employment-ended"))
    if words != gone:
        yield f"{admission_class} {day}, without employment: {words}"


def _media(admission_class: str, code: str, day: date, source: tuple[str, str]) -> Iterator[str]:
    dated = of(Story().admitted(day, admission_class, day + days(80)), code).stay()
    if (dated.timeline[0].rule, dated.timeline[0].citation) != source or len(dated.timeline) != 2:
        yield f"{admission_class} {code} {day}: {dated.timeline}"
    endless = of(Story().admitted(day, admission_class, "D/S"), code).stay()
    if endless.timeline[0].outcome != ("UNDETERMINED" if source[0] != "media" else "IN_STATUS"):
        yield f"{admission_class} {code} {day}: {endless.timeline} for duration of status"


def test_the_rows() -> None:
    assert list(problems()) == []


def _mutants(row: Rule) -> Iterator[Rule]:
    yield replace(row, id=row.id + "x")
    yield replace(row, citation=row.citation + " ")
    yield from (replace(row, classes=row.classes - {one}) for one in row.classes)
    yield from (replace(row, since=row.since + by * ONE) for by in (-1, 1) if row.since != date.min)
    yield from (replace(row, through=row.through + by * ONE) for by in (-1, 1) if row.through != date.max)
    if row.citizenship:
        yield from (replace(row, citizenship=other) for other in (frozenset({"HKG"}), frozenset({"CHN", "HKG"})))
        return
    yield from (replace(row, grace_days=row.grace_days + by) for by in (-1, 1))
    yield replace(row, employment_days=(row.employment_days or 0) + 1)
    yield replace(row, employment_days=None)
    yield replace(row, filed_in_grace=row.filed_in_grace ^ {"extend"})
    yield replace(row, filed_in_grace=row.filed_in_grace ^ {"change_class"})
    yield replace(row, extendable=False)


@pytest.mark.parametrize("name", sorted(DATED))
def test_no_dated_row_can_change_unnoticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = next(place for place, row in enumerate(rules.RULES) if row.id == name)
    rows = rules.RULES
    for mutant in _mutants(rows[place]):
        monkeypatch.setattr(rules, "RULES", (*rows[:place], mutant, *rows[place + 1 :]))
        if mutant.since < rows[place].since or mutant.through > rows[place].through:
            # another row holds on that day: the one that comes first decides
            monkeypatch.setattr(rules, "RULES", (mutant, *rows[:place], *rows[place + 1 :]))
        assert next(problems(), None), mutant


# what a notice ended: the last day by the notice, and as the courts left it
ENDED: dict[str, tuple[date, date, str]] = {
    "AFG": (date(2025, 7, 14), date(2025, 7, 14), "90 FR 20309"),
    "CMR": (date(2025, 8, 4), date(2025, 8, 4), "90 FR 23697"),
    "NPL": (date(2025, 8, 5), date(2025, 8, 20), "90 FR 24151; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    "HND": (date(2025, 9, 8), date(2025, 9, 8), "90 FR 30089; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    "NIC": (date(2025, 9, 8), date(2025, 9, 8), "90 FR 30086; National TPS Alliance v. Noem, 9th Cir. 26-199"),
    "VEN": (
        date(2025, 11, 7), date(2025, 11, 7),
        "90 FR 43225, 90 FR 9040; Noem v. National TPS Alliance, No. 25A326 (U.S. Oct. 3, 2025)",
    ),
    "SYR": (date(2025, 11, 21), date(2026, 7, 27), "90 FR 45398; Mullin v. Doe, No. 25-1083 (U.S. June 25, 2026)"),
    "SSD": (date(2026, 1, 5), date(2026, 8, 7), "90 FR 50484; African Communities Together v. Noem, 25-cv-13939"),
    "MMR": (date(2026, 1, 26), date(2026, 8, 7), "90 FR 53378; Aung Doe v. Noem, 25-cv-15483 (N.D. Ill.)"),
    "HTI": (date(2026, 2, 3), date(2026, 7, 27), "90 FR 54733; Trump v. Miot, No. 25-1084 (U.S. June 25, 2026)"),
    "ETH": (date(2026, 2, 13), date(2026, 8, 18), "90 FR 58028; African Communities Together v. Noem, 26-cv-10278"),
    "SOM": (date(2026, 3, 17), date(2026, 8, 14), "91 FR 1547; African Communities Together v. Noem, 26-cv-11201"),
    "YEM": (date(2026, 5, 4), date(2026, 7, 20), "91 FR 10402; Doe v. Noem, 26-cv-02103 (S.D.N.Y.)"),
}  # fmt: skip
GRANTED = date(2024, 6, 1)
PAROLE_ENDED = (date(2025, 4, 24), date(2025, 5, 30), "90 FR 13611; Noem v. Doe, No. 24A1079 (U.S. May 30, 2025)")


def protected(code: str, until: date | None, given: date = GRANTED, zone: str = NEW_YORK) -> Story:
    """A visitor whose date is over, under temporary protected status."""
    more: dict[str, Any] = {} if until is None else {"until": until}
    story = Story(zone).admitted(date(2024, 1, 10), "B2", date(2024, 7, 9))
    return of(story.fact(given, StatusFact.TPS, **more), code)


def paroled(admission_class: str, until: date, program: str | None = None) -> Story:
    """A person paroled in a class, or under a program that a fact names."""
    story = Story().admitted(date(2024, 1, 10), admission_class, until, inspection=Inspection.PAROLED)
    return story if program is None else story.fact(date(2024, 1, 10), StatusFact.PAROLE, reason=program, until=until)


def notice_problems() -> Iterator[str]:
    """What the notices say otherwise."""
    for code, (noticed, ended, citation) in ENDED.items():
        for until in (noticed, ended + days(400), None):
            story = protected(code, until)
            last = line(story)[-1]
            if last != ("OVERSTAY_SUSPECTED", ended + ONE, f"tps-{code.lower()}") or story.last().citation != citation:
                yield f"{code} until {until}: {line(story)}, {story.last().citation}"
        before = protected(code, noticed - ONE)
        if line(before)[-1] != ("OVERSTAY_SUSPECTED", noticed, OVER):
            yield f"{code} until the day before: {line(before)}"
        later = protected(code, ended + days(900), ended + ONE)
        if later.outcome(ended + days(800)) != "IN_STATUS":
            yield f"{code} under a later designation: {line(later)}"
    spared = protected("VEN", date(2026, 10, 2), date(2025, 2, 5))
    if spared.outcome(date(2026, 10, 2)) != "IN_STATUS" or line(spared)[-1][:2] != (
        "OVERSTAY_SUSPECTED",
        date(2026, 10, 3),
    ):
        yield f"papers given by 5 February 2025: {line(spared)}"
    for until, given in ((date(2026, 10, 2), date(2025, 2, 6)), (date(2026, 10, 1), date(2025, 2, 5))):
        if protected("VEN", until, given).outcome(date(2025, 11, 8)) != "OVERSTAY_SUSPECTED":
            yield f"papers of {given} until {until}"
    if protected("SLV", date(2026, 9, 9)).outcome(date(2026, 9, 9)) != "IN_STATUS":
        yield "El Salvador has no notice"
    yield from _parole_problems()


def _parole_problems() -> Iterator[str]:
    _, ended, citation = PAROLE_ENDED
    for admission_class in sorted(CHNV):
        story = paroled(admission_class, date(2026, 1, 9))
        if line(story)[1:] != [("OVERSTAY_SUSPECTED", ended + ONE, "parole-chnv")] or story.last().citation != citation:
            yield f"{admission_class}: {line(story)}"
        if paroled(admission_class, ended).stay().authorised_until != ended.isoformat():
            yield f"{admission_class} up to the day"
    named = paroled("PAR", date(2026, 1, 9), "CHNV")
    if named.stay().authorised_until != ended.isoformat() or line(named)[-1][1] != ended + ONE:
        yield f"named by a fact: {line(named)}"
    if paroled("PAR", date(2026, 1, 9), "U4U").outcome(date(2026, 1, 9)) != "IN_STATUS":
        yield "another program"
    if paroled("UHP", date(2026, 1, 9)).outcome(date(2026, 1, 9)) != "IN_STATUS":
        yield "another class"


def test_the_notices() -> None:
    """Every designation and program that was ended, to the day, the courts included."""
    assert list(notice_problems()) == []
    assert {code for row in notices.NOTICES for code in row.citizenship} == ENDED.keys()


def _notice_mutants(row: Notice) -> Iterator[Notice]:
    yield replace(row, id=row.id + "x")
    yield replace(row, citation=row.citation + " ")
    yield replace(row, ended=row.ended + ONE)
    yield replace(row, ended=row.ended - ONE)
    yield replace(row, fact="x")
    if row.carries:
        yield replace(row, noticed=row.noticed + ONE)
        yield replace(row, noticed=row.noticed - ONE)
        yield replace(row, citizenship=frozenset())
    yield from (replace(row, programs=row.programs - {one}) for one in row.programs)
    if row.spared is not None and row.spared_by is not None:
        yield replace(row, spared=row.spared + ONE)
        yield replace(row, spared_by=row.spared_by + ONE)
        yield replace(row, spared_by=row.spared_by - ONE)


@pytest.mark.parametrize("place", range(len(notices.NOTICES)))
def test_no_notice_can_change_unnoticed(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = notices.NOTICES
    for mutant in _notice_mutants(rows[place]):
        monkeypatch.setattr(notices, "NOTICES", (*rows[:place], mutant, *rows[place + 1 :]))
        assert next(notice_problems(), None), mutant


@pytest.mark.parametrize("zone", ZONES)
def test_a_notice_ends_a_day_of_the_port(zone: str) -> None:
    """To the last second of its day, wherever that is."""
    ended = ENDED["HTI"][1]
    story = protected("HTI", date(2026, 2, 3), zone=zone)
    assert story.outcome(ended, "23:59:59") == "IN_STATUS"
    assert story.outcome(ended + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"
    assert story.last().since == second(zone, ended + ONE, "00:00:00")
    assert story.last().reason == "temporary protected status ended by notice"
