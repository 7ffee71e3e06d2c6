"""Airports, carriers and states from kept sources: complete, with zones, one spelling for each."""

from __future__ import annotations

import re
from importlib.resources import files
from zoneinfo import available_timezones

import pytest

from schemas.airports import HOME, _airports, airport
from schemas.carriers import _iata_of, carrier
from schemas.countries import ALPHA2, ISSUER_OF, ISSUERS, STATES, citizenship, issuer
from schemas.identifiers import Identifier, Scheme


def test_airports_are_those_of_the_world() -> None:
    known = _airports()
    assert sum(len(code) == 3 for code in known) > 7_500
    assert sum(len(code) == 4 for code in known) > 10_000
    assert {one.zone for one in known.values()} <= available_timezones()
    assert {one.country for one in known.values()} <= STATES
    assert len({one.country for one in known.values()}) > 230


@pytest.mark.parametrize(
    ("code", "country", "zone", "home"),
    [
        ("CLE", "USA", "America/New_York", True),
        ("KCLE", "USA", "America/New_York", True),
        ("ANC", "USA", "America/Anchorage", True),
        ("SJU", "USA", "America/Puerto_Rico", True),
        ("GUM", "GUM", "Pacific/Guam", True),
        ("SPN", "MNP", "Pacific/Saipan", True),
        ("PPG", "ASM", "Pacific/Pago_Pago", False),  # no part of the United States: 8 U.S.C. 1101(a)(38)
        ("PRN", "RKS", "Europe/Belgrade", False),
        ("EGLL", "GBR", "Europe/London", False),
        ("NYC", "USA", "America/New_York", True),  # a city with several airports
        ("LON", "GBR", "Europe/London", False),
    ],
)
def test_an_airport_has_its_country_and_zone(code: str, country: str, zone: str, home: bool) -> None:
    one = {"KCLE": "CLE", "EGLL": "LHR"}.get(code, code)
    assert airport(code) == (one, country, zone, home)


def test_what_is_no_airport_is_none() -> None:
    assert [airport(code) for code in ("", "QQQ", "jfk", "JF", "XXXX")] == [None] * 5
    assert len(HOME) == 5


def test_carriers_have_two_codes_and_events_one() -> None:
    assert [carrier(code) for code in ("BAW", "DLH", "UAL", "FFT", "ITY", "AF", "XYZ")] == [
        "BA",
        "LH",
        "UA",
        "F9",
        "AZ",
        "AF",  # already it
        "XYZ",  # in no table: its code stands
    ]
    assert len(_iata_of()) > 800
    assert all(re.fullmatch("[A-Z]{3}", icao) for icao in _iata_of())
    assert all(re.fullmatch("[A-Z][A-Z0-9]|[0-9][A-Z]", iata) for iata in _iata_of().values())


def test_states_are_in_one_table_with_its_source() -> None:
    text = files("schemas").joinpath("data/states.tsv").read_text()
    assert text.startswith("# Codes of states")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert len(rows) == len({code for code, *_ in rows}) == len(STATES)
    assert all(re.fullmatch("[A-Z]{3}|D", code) for code in STATES)
    assert len(ALPHA2) == 250  # ISO 3166-1 and XK
    assert all(ISSUER_OF[same] == same for same in ISSUERS)


def test_nationalities_of_britons_are_their_own_and_their_passports_have_one_issuer() -> None:
    for code in ("GBD", "GBN", "GBO", "GBP", "GBS"):
        assert (issuer(code), citizenship(code)) == ("GBR", code)
    for code, one in (("D", "DEU"), ("d<<", "DEU"), ("ROM", "ROU"), ("XXK", "RKS"), ("XKX", "RKS"), ("ZAR", "COD")):
        assert issuer(code) == citizenship(code) == one
    for code in ("UNO", "UNA", "XXA", "XXB", "XXC", "XXX", "EUE", "XOM"):
        assert issuer(code) == citizenship(code) == code
    for code in ("", "GB", "GER", "<<<", "DE"):
        with pytest.raises(ValueError, match="no ICAO 9303 code"):
            citizenship(code)


@pytest.mark.parametrize(("former", "now"), [("VDR", "VNM"), ("HVO", "BFA"), ("RHO", "ZWE"), ("KSV", "RKS")])
def test_a_code_that_was_withdrawn_is_read_and_never_written(former: str, now: str) -> None:
    assert issuer(former) == citizenship(former) == now
    assert former not in STATES
    assert now in ISSUERS
    assert Identifier.of(Scheme.PASSPORT, "C4471988", former) == Identifier.of(Scheme.PASSPORT, "C4471988", now)
