"""The law of optional values proves itself: an adapter that refuses a record for one is seen."""

from __future__ import annotations

from typing import Any

import pytest
from systems.contract import contract_suite

from adapters.fields import Fields


@pytest.mark.parametrize("name", ["ADIS", "CLAIMS4"])
@pytest.mark.law(2, "a wrong optional value costs itself; the planted bug, one that costs the record, is seen")
def test_a_wrong_optional_value_that_costs_the_record_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def needed(said: Fields, field: str, convert: Any, *, event: bool = False) -> Any:
        return said.present(field, convert)

    suite: Any = contract_suite(name)()
    suite.test_a_wrong_optional_value_costs_itself()
    monkeypatch.setattr(Fields, "optional", needed)
    with pytest.raises(AssertionError, match="refuses the record"):
        suite.test_a_wrong_optional_value_costs_itself()
