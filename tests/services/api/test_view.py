"""The change event holds together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from schemas.view import StatusChange

BODY: dict[str, Any] = {
    "id": UUID(int=1),
    "person": "0" * 32,
    "sequence": 1,
    "at": datetime(2026, 11, 25, tzinfo=UTC),
    "outcome": "IN_STATUS",
    "reason": "admitted",
    "rule": "visitor",
    "citation": "8 CFR 214.2(b)(1)-(2)",
    "evidence": [UUID(int=2)],
    "stay": "0" * 32,
}
NOTHING = dict.fromkeys(("outcome", "reason", "rule", "citation", "stay"))


def test_a_change_survives_the_wire() -> None:
    change = StatusChange(**BODY, replaced={"outcome": "PENDING"}, formerly=["1" * 32])
    assert StatusChange.model_validate_json(change.model_dump_json()) == change


def test_a_person_that_ended_has_no_outcome() -> None:
    assert StatusChange(**{**BODY, **NOTHING, "ended": True}).outcome is None
    with pytest.raises(ValidationError, match="ended"):
        StatusChange(**BODY, ended=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 0},
        {"person": "0" * 31},
        {"outcome": None},
        {"stay": None},
        {"at": datetime(2026, 11, 25)},  # noqa: DTZ001  a time without an offset is what is to be refused
        {"outcome": "FINE"},
        {"name": "somebody"},
    ],
)
def test_a_change_that_does_not_hold_together(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StatusChange(**{**BODY, **wrong})
