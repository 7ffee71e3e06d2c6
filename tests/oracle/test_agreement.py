"""The product agrees with the second calculator, on random histories and on those that stand for a point of law."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from oracle import comparing
from oracle.calculator import outcome
from oracle.casebook import Entry, Question, histories, read
from oracle.comparing import as_lines, differences, shrunk
from oracle.edges import ROWS, Row
from oracle.histories import History, World, history
from oracle.product import Stays, product
from oracle.reading import Event
from services.domain import rules

SEED = "2026-11-29"


def _agree(number: int, where: Path) -> None:
    """Compare so many histories; write those that differ, shrunk, as JSON lines."""
    print(f"seeds {SEED}/0 to {SEED}/{number - 1}")
    differing = []
    for each in range(number):
        result = history(f"{SEED}/{each}")
        if differences(result):
            smallest = shrunk(result)
            differing.append(as_lines(smallest, differences(smallest)))
    path = where / "differing.jsonl"
    path.write_text("\n".join(differing))
    assert not differing, f"{len(differing)} of {number} differ, see {path}:\n{differing[0]}"


def test_two_hundred_random_histories_have_the_outcome_of_the_law(tmp_path: Path) -> None:
    _agree(200, tmp_path)


@pytest.mark.law(
    4,
    "a second calculator, day by day and slow, written from the law's text without reading the rules, says the "
    "same of 2,000 random histories at boundary instants in seven zones (200 in `make test-unit`)",
)
@pytest.mark.slow
def test_two_thousand_random_histories_have_the_outcome_of_the_law(tmp_path: Path) -> None:
    _agree(2_000, tmp_path)


def _wrong(entry: Entry, question: Question) -> list[str]:
    """What the product and the second calculator say of a question, each where it is not what the law says."""
    events = entry.events()
    said = [reply for _, reply in sorted(product(events, question.on, question.known_at).items())]
    second = [answer.outcomes for answer in outcome(events, question.on, question.known_at).values()]
    wrong = []
    if len(said) != len(question.right) or any(o not in r for (o, _), r in zip(said, question.right, strict=False)):
        wrong.append(f"{question.line} {entry.name}: product {said}, right {question.right}: {entry.why}")
    if len(second) != len(question.right) or any(not {*o} & {*r} for o, r in zip(second, question.right, strict=False)):
        wrong.append(f"{question.line} {entry.name}: oracle {second}, right {question.right}: {entry.why}")
    return wrong


@pytest.mark.law(4, "small histories as data, each with its section of the law and asked at the moments of a boundary")
@pytest.mark.parametrize("entry", histories(), ids=lambda entry: entry.name)
def test_what_stands_on_a_page_has_the_right_outcomes(entry: Entry) -> None:
    assert [wrong for question in entry.questions for wrong in _wrong(entry, question)] == []


@pytest.mark.law(4, "for each class its last lawful moment and the next one, there and gone")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.classes.split()[0]}-{row.citizen}-{row.day}-{row.status}")
def test_every_class_ends_when_the_law_says(row: Row) -> None:
    assert [wrong for entry in row.entries() for question in entry.questions for wrong in _wrong(entry, question)] == []


def test_every_class_of_the_rules_has_its_edge() -> None:
    named = {cls for row in ROWS for cls in row.classes.split()}
    assert {cls for row in (*rules.RULES, *rules.PAROLE) for cls in row.classes} <= named


@pytest.mark.parametrize(
    ("page", "reason"),
    [("came B2 2026-07-09 2026-01-12", "before the first"), ("= a: b\n? 2026-07-09 noon", "no question"),
     ("= a: b\n? 2026-07-09 12:00: GONE", "no outcome: GONE"), ("= a: b\nwent 2026-07-09", "2: no word .*went"),
     ("= a: b\nleft 2026-07-09 at=09:00", "2: no word .*at")],
)  # fmt: skip
def test_a_line_that_is_no_history_is_refused(page: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(read(page))


@pytest.mark.law(4, planted="days counted in UTC and not where they happen")
def test_a_product_that_counts_days_in_utc_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_utc(events: list[Event], as_of: datetime, known_at: datetime | None = None) -> Stays:
        moved = [{**e, "occurred_at": _in_utc(e["occurred_at"])} if "occurred_at" in e else e for e in events]
        return product(moved, as_of, known_at)

    monkeypatch.setattr(comparing, "product", in_utc)

    assert any(differences(history(f"{SEED}/{each}")) for each in range(200))


def _in_utc(moment: dict[str, Any]) -> dict[str, Any]:
    return moment if moment["precision"] == "day" else {**moment, "zone": "UTC"}


def test_a_history_that_differs_is_shrunk_to_what_the_difference_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(Random(SEED))
    world.arrive(date(2026, 1, 12), "B2", date(2026, 7, 9), port="JFK")
    world.fact("visa_issued", date(2025, 12, 1))
    world.depart(date(2026, 7, 1), "biometric", whole_day=True)
    whole = History(SEED, "by hand", world.events, datetime(2026, 8, 1, tzinfo=UTC))
    monkeypatch.setattr(comparing, "product", lambda *_: {})

    smallest = shrunk(whole)

    assert [event["kind"] for event in smallest.events] == ["arrival", "departure"]
    assert as_lines(smallest, differences(smallest)).count("\n") == 3
