"""Histories of one person with the outcome that the law gives, asked as lawyers ask: by `visabus answer`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.answering import answers, read

CASES = sorted((Path(__file__).parent / "cases" / "law").glob("*.json"))


def answer_to(case: dict[str, Any]) -> dict[str, Any]:
    """The answer for the one person of a case."""
    known = read(json.dumps(event).encode() for event in case["events"])
    assert not known.bad
    (line,) = answers(known, int(datetime.fromisoformat(case["as_of"]).timestamp()))
    body: dict[str, Any] = json.loads(line)
    return body


def test_all_cases_are_there() -> None:
    assert len(CASES) == 38


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_outcome_is_the_laws(path: Path) -> None:
    """The right value of the case, by a rule with its citation."""
    case = json.loads(path.read_text())
    body = answer_to(case)
    assert body["outcome"] == case["right"], f"{case['title']}: {body['reason']}; {case['why']}"
    assert body["citation"]
    assert body["evidence"]
