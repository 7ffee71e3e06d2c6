"""The cases of all systems together; each is run by the suite of its system."""

from __future__ import annotations

from pathlib import Path

import pytest
from systems.cases import HERE, Case, cases
from systems.contract import says_nothing

from adapters.core import Feed, System
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat
from adapters.mapper import Mapper
from adapters.registry import systems
from adapters.transports.file_drop import FileDrop

ODD = {"edifact": "apis", "copybook": "i94", "batches of XML": "sevis", "messages of XML": "ident"}
"""Formats that come from elsewhere, and the system whose cases are of each."""


@pytest.mark.law(2, "any bytes at all, for every system, and every byte accounted for: the suite of each system")
@pytest.mark.law(3, "every system, by its suite")
def test_every_system_has_its_suite() -> None:
    for name in systems():
        assert f'contract_suite("{name}")' in (HERE / name.lower() / "test_system.py").read_text()


@pytest.mark.parametrize("format", ODD)
def test_thirty_odd_inputs_of_each_format_are_read_to_the_last_record(format: str) -> None:
    """Refusing everything is no way to pass: events and no refusal."""
    whole = [
        case.name
        for case in cases()
        if case.folder.parents[1].name == ODD[format]
        and case.expected("expected.json")
        and all(": filtered by " in line for line in case.expected("expected.err").splitlines())
    ]
    assert len(whole) >= 30


LINES = DelimitedFormat(header=("SEQUENCE",), detail=("KEY",), trailer=("COUNT",), controls=(Control("COUNT"),))
MAPPING = Mapper(key=lambda record: str(record["KEY"]), version=lambda record: 1, says=lambda record: ())
QUIET = System("QUIET", "Quiet", "nobody", 99, (), (), 1, (Feed("lines", FileDrop(), MAPPING, LINES),))


@pytest.mark.parametrize(
    ("text", "nothing"),
    [("H|1\nT|0\n", True), ("H|1\nD|K\nT|1\n", False), ("H|1\nT|1\n", False), ("H|1\n", False), ("", False)],
    ids=["empty", "with a record", "wrong total", "cut short", "no bytes"],
)
def test_a_case_without_events_and_refusals_is_a_whole_input_without_records(
    tmp_path: Path, text: str, nothing: bool
) -> None:
    """A system that vouches for nothing has such a case; everything else without an expected file is a mistake."""
    (tmp_path / "input.txt").write_text(text)
    assert says_nothing(QUIET, Case(tmp_path)) is nothing
