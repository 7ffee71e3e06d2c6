"""The second calculator against the cases of the law, and the product against the second calculator."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oracle.calculator import outcome
from oracle.law_cases import ALL, Case

CASES = sorted((Path(__file__).parents[1] / "domain" / "cases" / "law").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_gives_the_right_outcome(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text())

    answers = outcome(case["events"], datetime.fromisoformat(case["as_of"]))

    admissions = [each for each in answers.values() if each.outcome != "NOT_ADMITTED"]
    assert admissions[-1].outcomes == (case["right"],), case["why"]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_the_oracle_gives_the_right_outcome_of_a_small_history(case: Case) -> None:
    answers = outcome(case.events(), case.on, case.known_at)

    assert len(answers) == len(case.right)
    for answer, right in zip(answers.values(), case.right, strict=True):
        assert right in answer.outcomes, case.why
