"""Pairs of records that matching once judged wrongly, and those beside them, through the whole pure path.

All persons and documents are invented. `best` is what an examiner would want, `acceptable` what does no harm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from domain.pairs import Record, verdict

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "identity.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["case"].split()[0] for case in CASES])
def test_a_pair_is_judged_as_an_examiner_would(case: dict[str, Any]) -> None:
    one, other = Record.of(case["a"]), Record.of(case["b"])
    found = verdict(one, other)
    assert found in case["acceptable"]
    assert verdict(other, one) == found
