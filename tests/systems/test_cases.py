"""The cases of all systems together; each is run by the suite of its system."""

from __future__ import annotations

import pytest
from systems.cases import HERE, cases

from adapters.registry import systems

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
