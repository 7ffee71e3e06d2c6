"""An issuer of several codes is asked for under any of them."""

from __future__ import annotations

import pytest

from schemas.identifiers import Scheme
from services.api.authorised_lookup import _identifier


@pytest.mark.parametrize(
    ("asked", "one"), [("D", "DEU"), ("d<<", "DEU"), ("DEU", "DEU"), ("GBN", "GBR"), ("ROM", "ROU")]
)
def test_a_passport_is_found_under_every_code_of_its_issuer(asked: str, one: str) -> None:
    assert _identifier(Scheme.PASSPORT, "C01X00T47", asked).text == f"passport/{one}/C01X00T47"


def test_another_issuer_than_that_of_the_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="another issuer"):
        _identifier(Scheme.VISA, "K1234567", "USA")
