"""The yearly account: its words by example, its sums over random worlds, and planted mistakes that it has to see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from domain import laws
from domain.stories import EVER, NEW_YORK, Story, second
from domain.students import Student
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Fact as StatusFact
from schemas.events import Inspection
from services.domain import accounting, resolve
from services.domain.accounting import Cell, Key, Report, Unbalanced, fiscal_year, last_day
from services.domain.coverage import complete, coverage_of
from services.domain.pools import Pool

D = date(2024, 10, 1)
END = date(2025, 3, 31)
ONE = timedelta(1)
LATER = second(NEW_YORK, date(2026, 6, 1))


def account(*stories: Story, year: int = 2025, as_of: int = LATER) -> Report:
    """The account of some people, one story each."""
    report = Report(year, as_of, coverage_of(EVER))
    for story in stories:
        report.add(story.history())
        report.count(story.facts())
    return report


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2024, 9, 30), 2024), (date(2024, 10, 1), 2025), (date(2025, 1, 1), 2025), (date(2025, 9, 30), 2025)],
)
def test_the_fiscal_year(day: date, year: int) -> None:
    """It begins on 1 October, in the days of the port of entry."""
    assert fiscal_year(day) == year
    for zone in ("America/New_York", "Pacific/Guam"):
        for clock in ("00:00:00", "23:59:59"):
            story = Story(zone).admitted(day, until=day + ONE, clock=clock)
            assert account(story, year=year).total.admissions == 1
            assert account(story, year=year - 1).total.admissions == 0


def test_each_outcome_is_counted_once() -> None:
    """Who came in the year, and what has become of each."""
    report = account(
        Story().admitted(D, until=END).left(END),
        Story().admitted(D, until=END).left(END + ONE),
        Story().admitted(D, until=END),
        Story().admitted(D, until=END).extended(END),
        Story().admitted(D, until=END).admitted(END + ONE, until=END + 2 * ONE, which=2),
        Story().admitted(D, inspection=Inspection.REFUSED),
        Story().admitted(D, admission_class=None),
        Story().admitted(D, "WT").left(D + ONE),
        Story().admitted(D - ONE, until=END),  # last year's, but expected to leave in this
    )
    total = report.total.as_json()
    assert {word: count for word, count in total["outcomes"].items() if count} == {
        "DEPARTED_IN_TIME": 2,
        "DEPARTED_LATE": 1,
        "CLOSED_UNOBSERVED": 1,
        "UNDETERMINED": 1,
        "PENDING": 1,
        "OVERSTAY_SUSPECTED": 2,
    }
    assert (total["admissions"], report.refused) == (8, 1)
    assert (total["expected_departures"], total["overstays"]) == (8, 4)
    assert total["overstay_rate"] == 0.5
    assert [key for key in report.cells if key.waiver] == [Key("WT", "GBR", True)]
    report.close()


def test_expected_departures() -> None:
    """The last authorised day decides, and it has to be over; nobody expects the paroled to leave."""
    for last, expected in ((date(2025, 9, 30), 1), (date(2025, 10, 1), 0), (date(2024, 9, 30), 0)):
        assert account(Story().admitted(date(2024, 5, 1), until=last)).total.expected == expected
    over = second(NEW_YORK, END + ONE, "00:00:00")
    for as_of, expected in ((over - 1, 0), (over, 1)):
        assert account(Story().admitted(D, until=END), as_of=as_of).total.expected == expected
    assert account(Story().admitted(D, until=END, inspection=Inspection.PAROLED)).total.expected == 0
    assert account(Story().admitted(D, admission_class=None)).total.expected == 0


def test_duration_of_status_ends_with_its_program() -> None:
    """Or with the stay, where that was over before; where nothing ends, nobody is expected to leave."""
    student = Student().came(D, names=1).created(D - ONE, END)
    assert last_day(student.stay()) == END
    assert last_day(student.left(END - 5 * ONE).stay()) == END - 5 * ONE
    assert last_day(Student().came(D, names=1).created(D - ONE, END).left(END + 5 * ONE).stay()) == END
    assert last_day(Story().admitted(D, "A1", "D/S").stay()) is None
    assert last_day(Story().admitted(D, "A1", "D/S").left(END).stay()) == END
    assert last_day(Student().came(D).stay()) is None


def report_of(seed: int, year: int, as_of: int) -> Report:
    """The account of a random world."""
    _, facts, covers = laws.world(seed)
    report = Report(year, as_of, complete(covers))
    pool = Pool(facts)
    for history in resolve.persons(pool.facts.values()):
        report.add(history)
    report.count(pool.facts.values())
    return report


@pytest.mark.law(6, "the yearly account over random worlds: outcomes, cells, and the arrivals counted apart")
@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20), st.sampled_from((2024, 2025, 2026)), st.integers(*laws.SPAN))
def test_the_sums_close(seed: int, year: int, as_of: int) -> None:
    """In every world, at every instant, however the cells are put together."""
    report = report_of(seed, year, as_of)
    report.close()
    assert report.as_json()["closes"]
    for name in (lambda key: key.admission_class, lambda key: key.citizenship, lambda key: key.waiver):
        assert sum(cell.admissions for cell in report.by(name).values()) == report.total.admissions


def _class_left_out(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(accounting, "CLASSES", tuple(word for word in accounting.CLASSES if word != "DEPARTED_IN_TIME"))


def _outcome_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(accounting, "answer", lambda stay, as_of, coverage: None)


def _stays_lost(patch: pytest.MonkeyPatch) -> None:
    plain = Report._add
    patch.setattr(Report, "_add", lambda self, stay, code: stay.since // 86_400 % 2 or plain(self, stay, code))


def _stays_twice(patch: pytest.MonkeyPatch) -> None:
    plain = Report._add
    patch.setattr(Report, "_add", lambda self, stay, code: [plain(self, stay, code) for _ in "12"])


def _cell_replaced(patch: pytest.MonkeyPatch) -> None:
    class Forgetful(dict[Key, Cell]):
        def setdefault(self, key: Key, default: Cell | None = None) -> Cell:
            self[key] = default or Cell()
            return self[key]

    plain = Report.__init__

    def forgetful(self: Report, *arguments: object) -> None:
        plain(self, *arguments)  # type: ignore[arg-type]
        self.cells = Forgetful()

    patch.setattr(Report, "__init__", forgetful)


@pytest.mark.law(
    6, planted="in the account: a class left out, an outcome lost, stays lost or counted twice, a cell replaced"
)
@pytest.mark.parametrize("plant", [_class_left_out, _outcome_lost, _stays_lost, _stays_twice, _cell_replaced])
def test_a_planted_mistake_is_seen(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account says that it does not close."""
    plant(monkeypatch)
    report = account(*(Story().admitted(D + n * ONE, until=END).left(END) for n in range(3)))
    with pytest.raises(Unbalanced):
        report.close()
    assert not report.as_json()["closes"]


def test_out_of_status_before_the_date_is_no_overstay() -> None:
    """The date on the I-94 is the day on which a departure is expected: what ends status before it counts nothing."""

    def worker() -> Story:
        return Story().admitted(D, "H1B", END).fact(D + 9 * ONE, StatusFact.EMPLOYMENT_ENDED)

    before = second(NEW_YORK, END)
    inside = account(worker(), as_of=before)
    assert (inside.total.outcomes["TERMINATED"], inside.total.expected, inside.total.overstays) == (1, 0, 0)
    gone = account(worker().left(END), as_of=LATER)
    assert (gone.total.expected, gone.total.due["DEPARTED_IN_TIME"], gone.total.overstays) == (1, 1, 0)
    late = account(worker().left(END + ONE), as_of=LATER)
    assert (late.total.due["DEPARTED_LATE"], late.total.overstays) == (1, 1)
    there = account(worker(), as_of=LATER)
    assert (there.total.due["OVERSTAY_SUSPECTED"], there.total.overstays) == (1, 1)
    assert last_day(worker().stay()) == END
    for report in (inside, gone, late, there):
        report.close()
