"""The clock of RAPS: coverage tells of nobody (8 CFR 208.6), and what it vouches for is bounded by what was refused."""

from __future__ import annotations

from systems.contract import content
from systems.raps.build import clock, row, step

from adapters.decode import decode_file
from adapters.registry import systems
from schemas.events import AnyEvent, Coverage, PersonEvent

TICK = clock("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z", 9000)


def events(*lines: bytes) -> list[AnyEvent]:
    return [event for read in decode_file(systems()["RAPS"], b"".join(lines), name="b") for event in read.events]


def test_coverage_is_the_same_whoever_applied() -> None:
    """Neither id nor content of a coverage event tells of the records before it."""
    (alone,) = events(TICK)
    *_, beside = events(row("CASE"), row("APPLICANT"), step(1, "SERVED", "GRANT"), TICK)
    assert isinstance(alone, Coverage)
    assert content(alone) == content(beside)
    assert alone.id == beside.id
    assert (alone.system, alone.scope) == ("RAPS", "status")


def test_every_event_of_a_person_is_confidential_and_coverage_names_no_person() -> None:
    several = events(row("CASE"), row("APPLICANT"), row("CASE", "d", 2000), TICK)
    assert all(event.handling for event in several if isinstance(event, PersonEvent))
    assert [type(event) for event in several].count(Coverage) == 1
    assert not {"subject", "identifiers"} & several[-1].model_dump().keys()


def test_a_refused_change_withholds_what_the_clock_of_its_page_vouches_for() -> None:
    assert not [each for each in events(row("CASE", CASE_KIND="NONE"), TICK) if isinstance(each, Coverage)]
