"""One runner over the cases of all systems."""

from __future__ import annotations

import pytest
from systems.cases import Case, cases, told

from adapters.registry import systems

LEAST = {"I94": 12, "CLAIMS3": 8, "SEVIS": 42}
ODD = {"edifact": "apis", "copybook": "i94", "batches of XML": "sevis", "messages of XML": "ident"}
"""Formats that come from elsewhere, and the system whose cases are of each."""


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_gives_what_is_expected(case: Case) -> None:
    events, errors = told(case)
    assert events == case.expected("expected.json")
    assert errors == case.expected("expected.err")
    assert events or errors


def test_every_system_has_its_cases() -> None:
    counts = {name: sum(case.folder.parent.name == name.lower() for case in cases()) for name in systems()}
    assert all(counts[name] >= LEAST.get(name, 8) for name in counts), counts


@pytest.mark.parametrize("format", ODD)
def test_thirty_odd_inputs_of_each_format_are_read_to_the_last_record(format: str) -> None:
    """Refusing everything is no way to pass: events and no refusal."""
    whole = [
        case.name
        for case in cases()
        if case.folder.parent.name == ODD[format]
        and case.expected("expected.json")
        and all(": filtered by " in line for line in case.expected("expected.err").splitlines())
    ]
    assert len(whole) >= 30
