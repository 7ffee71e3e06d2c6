"""Ports of entry and visa-issuing posts: three letters each, and no airports."""

from __future__ import annotations

from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from adapters.converters import post
from schemas.moments import zone as zone_of
from schemas.ports import _posts, is_post, port, port_of_canada, ports


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
    assert (len(ports()), len(_posts())) == (660 + 13, 211)
    assert all(len(code) in (2, 3) for code in ports())
    assert {ZoneInfo(known.zone).key for known in ports().values() if known.zone}


def test_posts() -> None:
    assert all(is_post(code) for code in ("BNS", "SPL", "BGT", "GUZ", "SHG", "MNL", "MTR"))
    assert not is_post("LAX")
    assert post("BGT", "POST") == "BGT"
    for wrong in ("LAX", "", None, [], 7):
        with pytest.raises(ValueError, match=r"POST .* is no visa post"):
            post(wrong, "POST")
    assert port("QQQ") is None


def test_every_land_port_of_canada_has_its_other_side_and_its_clock() -> None:
    text = files("schemas").joinpath("data/ports_canada.tsv").read_text()
    names = [line.split("\t")[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(names) > 30
    for name in names:
        abroad = port_of_canada(name)
        assert abroad is not None
        assert abroad == port_of_canada(name.title().replace("-", " "))
        assert zone_of(abroad.zone)
        here = port(abroad.other_side)
        assert here is not None
        assert here.zone
    assert port_of_canada("Niagara Falls") is None


def test_the_clocks_of_the_two_sides_may_differ() -> None:
    woodstock, houlton = port_of_canada("Woodstock Road"), port("HTM")
    assert woodstock is not None
    assert houlton is not None
    assert (woodstock.zone, houlton.zone) == ("America/Moncton", "America/New_York")
