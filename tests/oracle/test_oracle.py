"""The second calculator against the cases of the law."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oracle.calculator import outcome

CASES = sorted((Path(__file__).parents[1] / "domain" / "cases" / "law").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_gives_the_right_outcome(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text())

    answers = outcome(case["events"], datetime.fromisoformat(case["as_of"]))

    admissions = [each for each in answers.values() if each.outcome != "NOT_ADMITTED"]
    assert admissions[-1].outcomes == (case["right"],), case["why"]
