"""The second calculator against the cases of the law, and the product against the second calculator."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oracle.calculator import outcome
from oracle.cousins import ALL as COUSINS
from oracle.kin import ALL as KIN
from oracle.neighbours import ALL as NEIGHBOURS
from oracle.siblings import ALL as SIBLINGS
from oracle.siblings import Sibling

CASES = sorted((Path(__file__).parents[1] / "domain" / "cases" / "law").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_gives_the_right_outcome(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text())

    answers = outcome(case["events"], datetime.fromisoformat(case["as_of"]))

    admissions = [each for each in answers.values() if each.outcome != "NOT_ADMITTED"]
    assert admissions[-1].outcomes == (case["right"],), case["why"]


@pytest.mark.parametrize("sibling", [*SIBLINGS, *COUSINS, *KIN, *NEIGHBOURS], ids=lambda sibling: sibling.name)
def test_the_oracle_gives_the_right_outcome_of_a_sibling(sibling: Sibling) -> None:
    answers = outcome(sibling.events(), sibling.on, sibling.known_at)

    assert len(answers) == len(sibling.right)
    for answer, right in zip(answers.values(), sibling.right, strict=True):
        assert right in answer.outcomes, sibling.why
