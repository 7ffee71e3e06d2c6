"""Ports of entry and visa-issuing posts: three letters each, and no airports."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from adapters.converters import post
from schemas.ports import _ports, _posts, is_post, port


@pytest.mark.parametrize(
    ("code", "zone", "name"),
    [
        ("LOS", "America/Los_Angeles", "LOS ANGELES, CA"),
        ("SFR", "America/Los_Angeles", "SAN FRANCISCO, CA"),
        ("NYC", "America/New_York", "NEW YORK, NY"),
        ("AGA", "Pacific/Guam", "AGANA, GU"),
        ("SAI", "Pacific/Guam", "SAIPAN, SPN"),
        ("PHU", "America/Detroit", "PORT HURON, MI"),
        ("TOR", "America/Toronto", "TORONTO, CANADA"),
        ("POE", "America/Denver", "PORT OF EL PASO, TX"),
        ("EPI", "America/Los_Angeles", "EASTPORT, ID"),
    ],
)
def test_a_port_and_the_zone_of_its_times(code: str, zone: str, name: str) -> None:
    known = port(code)
    assert known is not None
    assert (known.zone, known.name, known.somewhere) == (zone, name, True)


@pytest.mark.parametrize("code", ["XXX", "888", "UNK", "AUH", "FRG"])
def test_what_is_not_reported_is_no_place(code: str) -> None:
    known = port(code)
    assert known is not None
    assert (known.zone, known.somewhere) == ("", False)


def test_the_tables_have_what_their_sources_have() -> None:
    assert (len(_ports()), len(_posts())) == (660 + 13, 211)
    assert all(len(code) in (2, 3) for code in _ports())
    assert {ZoneInfo(known.zone).key for known in _ports().values() if known.zone}


def test_posts() -> None:
    assert all(is_post(code) for code in ("BNS", "SPL", "BGT", "GUZ", "SHG", "MNL", "MTR"))
    assert not is_post("LAX")
    assert post("BGT", "POST") == "BGT"
    for wrong in ("LAX", "", None, [], 7):
        with pytest.raises(ValueError, match=r"POST .* is no visa post"):
            post(wrong, "POST")
    assert port("QQQ") is None
