"""Each system taken away in turn: which answers get worse, and that none becomes another one without saying so."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from schemas.outcomes import Outcome
from services.cli.evaluate import Asked, Run, evaluated
from services.cli.population import sources_of
from services.domain.coverage import NOTHING, coverage_of
from services.domain.history import Answer, Stay
from services.evaluation import Said, Without, complementary
from services.evaluation.complementary import NO_STAY, NOT_KNOWN
from services.simulator import CLEAN, sources

pytestmark = pytest.mark.slow

PERSONS = 250


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One population from all systems, and each taken away from it."""
    asked = Asked(PERSONS, 3, CLEAN, sources_of(None), each=True)
    return asyncio.run(evaluated(tmp_path_factory.mktemp("run"), asked, None, None))


@pytest.fixture(scope="module")
def without(run: Run) -> dict[str, Without]:
    return {each.system: each for each in run.without}


def changes(of: Without) -> Counter[tuple[str, str]]:
    return Counter((each.outcome, each.instead) for each in of.worse)


@pytest.mark.law(1, "any system taken away: no answer becomes another one without saying so")
def test_no_answer_becomes_wrong_without_saying_so(run: Run, without: dict[str, Without]) -> None:
    assert run.comparison.sound
    assert without.keys() <= sources().keys()
    assert all(each.records for each in without.values())
    assert {system: each.unsaid for system, each in without.items() if each.unsaid} == {}
    unvouched = {system for system, each in without.items() if any(one.said is Said.UNVOUCHED for one in each.worse)}
    assert unvouched == set(), "what a system alone knows of a status it vouches for"


def test_what_is_lost_is_what_the_system_alone_knows(without: dict[str, Without]) -> None:
    """Terms of admissions, programs, applications, what persons show."""
    lost = {system: changes(each).keys() for system, each in without.items()}
    assert {instead for _, instead in lost["I94"]} >= {Outcome.DEPARTURE_UNKNOWN, NO_STAY}
    assert (Outcome.PENDING, Outcome.OVERSTAY_SUSPECTED) in lost["CLAIMS3"]
    assert (Outcome.PENDING, Outcome.OVERSTAY_SUSPECTED) in lost["ELIS"]
    assert {instead for _, instead in lost["SEVIS"]} == {Outcome.UNDETERMINED}
    assert lost["SHOWN"] == {(Outcome.UNDETERMINED, Outcome.OVERSTAY_SUSPECTED)}


def test_crossings_that_several_report_are_known_without_any_one_of_them(without: dict[str, Without]) -> None:
    """On less evidence; a departure that one system alone reported is still known by its copy."""
    for system in ("APIS", "IDENT", "TECS", "ADIS", "ATS", "BCI", "EARM"):
        assert without[system].fewer > 0, system
        assert not without[system].worse, system


def test_a_copy_alone_knows_nothing(without: dict[str, Without]) -> None:
    copies = {source.system for source in sources().values() if source.derived} & without.keys()
    assert copies
    assert {system: changes(without[system]) for system in copies if without[system].worse} == {}


def stay(since: int, key: str = "ab", departed: int | None = None) -> Stay:
    return Stay(
        id=key,
        since=since,
        zone="UTC",
        port=None,
        mode=None,
        admitted_as=None,
        admission_class=None,
        authorised_until=None,
        departed=departed,
        i94=(),
        handling=(),
        timeline=(),
    )


def given(outcome: Outcome, of: Stay) -> Answer:
    return Answer(outcome.value, "", "", "", (), of.since, of)


def test_how_an_answer_says_that_it_is_worse() -> None:
    said = complementary._said
    present = given(Outcome.OVERSTAY_SUSPECTED, stay(0))
    assert said(None, (), ()) is Said.NOT_KNOWN
    assert all(said(given(Outcome(word), stay(0)), (), ()) is Said.NOT_KNOWN for word in NOT_KNOWN)
    assert said(present, {"extension"}, ["extension"]) is Said.COVERAGE
    assert said(present, {"departure"}, ["departure:air"]) is Said.COVERAGE
    assert said(present, {"departure"}, ["extension"]) is Said.NO_DEPARTURE
    assert said(present, {"status"}, ["extension"]) is Said.UNVOUCHED
    late = given(Outcome.DEPARTED_LATE, stay(0, departed=9))
    assert said(late, {"departure"}, ()) is Said.NOT_AT_ALL, "another departure is no missing one"


def test_the_same_stay_among_others_is_the_nearest_begun_within_a_day() -> None:
    others = [(each, given(Outcome.IN_STATUS, each)) for each in (stay(100, "b"), stay(400, "c"), stay(90_000, "d"))]
    assert complementary._met(stay(390), others) is others[1][1]
    assert complementary._met(stay(90_000, "c"), others) is others[1][1], "one id is one stay"
    assert complementary._met(stay(300_000), others) is None
    assert NO_STAY not in {outcome.value for outcome in Outcome}


def test_the_coverage_of_a_system_goes_with_it() -> None:
    scopes = {("I94", "departure:air"): [(0, 9)], ("SEVIS", "status"): [(0, 9)], ("I94", "arrival:air"): [(0, 9)]}
    left, lost = complementary._less(coverage_of(scopes), "I94")
    assert lost == ("arrival:air", "departure:air")
    assert left == coverage_of({("SEVIS", "status"): [(0, 9)]})
    assert complementary._less(NOTHING, "I94") == (NOTHING, ())


def test_a_run_says_what_each_system_adds(run: Run) -> None:
    body = run.as_json()["without"]
    assert set(body) == {each.system for each in run.without}
    assert body["CLAIMS3"]["said"].keys() == {"coverage"}
    assert "without CLAIMS3: {" in run.as_text()
