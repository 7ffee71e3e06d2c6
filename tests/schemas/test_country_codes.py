"""Codes of countries: six sets, none of which is another, each a table with its source."""

from __future__ import annotations

from importlib.resources import files

import pytest

from adapters.converters import country
from schemas.countries import STATES, citizenship
from schemas.country_codes import (
    CLAIMS_NUMERIC,
    EOIR,
    ICAO,
    INS_ALPHA,
    INS_NUMERIC,
    NAMES,
    SEVIS,
    CountryCodes,
)

SETS = (INS_ALPHA, INS_NUMERIC, CLAIMS_NUMERIC, SEVIS, EOIR, ICAO, NAMES)
TABLES = [one for one in SETS if one.table]


@pytest.mark.parametrize("of", SETS, ids=lambda of: of.called)
def test_every_code_stands_for_a_code_of_icao_or_for_no_country(of: CountryCodes) -> None:
    assert all(state is None or (state in STATES and citizenship(state) == state) for state in of.codes.values())
    assert None in of.codes.values() or of in (ICAO,)


@pytest.mark.parametrize("of", TABLES, ids=lambda of: of.table)
def test_a_table_names_its_source_and_date_and_has_no_code_twice(of: CountryCodes) -> None:
    lines = files("schemas").joinpath(f"data/countries/{of.table}.tsv").read_text(encoding="utf-8").splitlines()
    head = " ".join(line for line in lines if line.startswith("#"))
    assert "20" in head, "a year"
    assert "/" in head, "a repository"
    spelt = [of.spelt(line.split("\t")[0]) for line in lines if not line.startswith("#")]
    assert len(spelt) == len(set(spelt)) == len(of.codes)


def test_the_tables_have_what_their_sources_have() -> None:
    variants = 33
    counts = {of.table: len(of.codes) for of in TABLES}
    assert counts["ins_alpha"] == 433 + variants
    assert counts["ins_numeric_i94"] == 289
    assert counts["ins_numeric_claims"] == 240
    for use, count in {"citizenship": 258, "issuer": 293, "birth": 307}.items():
        assert sum(_has(code, use) for code in SEVIS.codes) == count


def _has(code: str, use: str) -> bool:
    try:
        SEVIS.state(code, use)  # type: ignore[arg-type]  # one of the three
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("of", "code", "state"),
    [
        (INS_ALPHA, "RALIA", "AUS"),
        (INS_ALPHA, "STRIA", "AUT"),
        (INS_ALPHA, "AUSTR", "PYF"),
        (INS_ALPHA, "UINEA", "GIN"),
        (INS_ALPHA, "INICA", "DMA"),
        (INS_ALPHA, "NIGE", "NER"),
        (INS_ALPHA, "NIGIA", "NGA"),
        (INS_ALPHA, "DECON", "COD"),
        (INS_ALPHA, "CONGO", "COG"),
        (INS_ALPHA, "BELAR", "BLR"),
        (INS_ALPHA, "BYELA", "BLR"),
        (INS_ALPHA, "SRBIA", "SRB"),
        (INS_ALPHA, "SERBI", "SCG"),
        (INS_ALPHA, "KV", "RKS"),
        (INS_ALPHA, "KOSOV", "RKS"),
        (INS_ALPHA, "DR", "DOM"),
        (INS_ALPHA, "UK", "GBR"),
        (INS_ALPHA, " mexic ", "MEX"),
        (INS_ALPHA, "ESAL", "SLV"),
        (INS_ALPHA, "H0NDU", "HND"),
        (INS_ALPHA, "INNER", "CHN"),
        (INS_ALPHA, "OUTER", "MNG"),
        (INS_ALPHA, "NKORE", "PRK"),
        (INS_ALPHA, "USSR", "SOV"),
        (INS_ALPHA, "STATE", "XXA"),
        (INS_ALPHA, "UNKNO", None),
        (INS_ALPHA, "SHIP", None),
        (INS_NUMERIC, "582", "MEX"),
        (INS_NUMERIC, "135", "GBR"),
        (INS_NUMERIC, "209", "JPN"),
        (INS_NUMERIC, "574", "CAN"),
        (INS_NUMERIC, "0", "XXA"),
        (INS_NUMERIC, "00582", "MEX"),
        (INS_NUMERIC, "187", None),
        (INS_NUMERIC, "54", None),
        (INS_NUMERIC, "999", None),
        (CLAIMS_NUMERIC, "180", "GBR"),
        (CLAIMS_NUMERIC, "252", "JPN"),
        (CLAIMS_NUMERIC, "582", "MEX"),
        (SEVIS, "AS", "AUS"),
        (SEVIS, "AU", "AUT"),
        (SEVIS, "CH", "CHN"),
        (SEVIS, "GM", "DEU"),
        (SEVIS, "RS", "RUS"),
        (SEVIS, "RI", "SRB"),
        (SEVIS, "U3", "XXA"),
        (SEVIS, "U5", None),
        (EOIR, "BZ", "BLR"),
        (EOIR, "BS", "BLR"),
        (EOIR, "BH", "BLZ"),
        (EOIR, "RS", "SRB"),
        (EOIR, "GE", "DEU"),
        (EOIR, "NA", "ANT"),
        (EOIR, "??", None),
        (EOIR, "<A>", None),
        (ICAO, "D", "DEU"),
        (ICAO, "GBN", "GBN"),
        (NAMES, "MEXICO", "MEX"),
        (NAMES, "CHINA, PEOPLES REPUBLIC OF", "CHN"),
        (NAMES, "People's Republic of China", "CHN"),
        (NAMES, "China, People\u2019s Republic of", "CHN"),
        (NAMES, "Côte d'Ivoire", "CIV"),
        (NAMES, "COTE D'IVOIRE", "CIV"),
        (NAMES, "CÃ´te d'Ivoire", "CIV"),
        (NAMES, "IVORY COAST", "CIV"),
        (NAMES, "KOREA, NORTH", "PRK"),
        (NAMES, "South Korea", "KOR"),
        (NAMES, "KOREA, REPUBLIC OF", "KOR"),
        (NAMES, "ST. VINCENT- GRENADINES", "VCT"),
        (NAMES, "Saint Kitts and Nevis", "KNA"),
        (NAMES, "Trinidad & Tobago", "TTO"),
        (NAMES, "DEM REP OF THE CONGO", "COD"),
        (NAMES, "DEM. REP. OF THE CONGO", "COD"),
        (NAMES, "Congo", "COG"),
        (NAMES, "MICRONESIA, FEDERATED STATES OF", "FSM"),
        (NAMES, "Bahamas, The", "BHS"),
        (NAMES, "Türkiye", "TUR"),
        (NAMES, "UNITED STATES OF AMERICA", "USA"),
        (NAMES, "UNKNOWN", None),
    ],
)
def test_what_a_code_stands_for(of: CountryCodes, code: str, state: str | None) -> None:
    assert of.state(code) == state


@pytest.mark.parametrize("of", SETS, ids=lambda of: of.called)
@pytest.mark.parametrize("text", ["", "ZZZZZ", "\0", "é" * 300, "\ud800", "ATLANTIS"])
def test_a_code_in_no_table_is_told(of: CountryCodes, text: str) -> None:
    with pytest.raises(ValueError, match=of.called):
        of.state(text)


@pytest.mark.parametrize("code", ["UR", "YO", "CZ", "GC", "YI"])
def test_states_gone_by_are_places_of_birth_and_issuers_and_nobodys_citizenship(code: str) -> None:
    assert SEVIS.state(code, "birth") == SEVIS.state(code, "issuer")
    with pytest.raises(ValueError, match="of no citizenship, but of birth and issuer alone"):
        SEVIS.state(code)


def test_the_usa_is_a_place_of_birth_alone_in_sevis() -> None:
    assert SEVIS.state("US", "birth") == "USA"
    with pytest.raises(ValueError, match="of no issuer, but of birth alone"):
        SEVIS.state("US", "issuer")


@pytest.mark.parametrize("of", SETS, ids=lambda of: of.called)
def test_the_usual_code_of_a_country_stands_for_it(of: CountryCodes) -> None:
    states = {state for state in of.codes.values() if state}
    assert all(of.state(of.code_of(state), "birth") == state for state in states)


@pytest.mark.parametrize(
    ("of", "state", "usual"),
    [
        (INS_ALPHA, "GBR", "UK"),
        (INS_ALPHA, "AUS", "RALIA"),
        (INS_ALPHA, "D", "GERMA"),
        (INS_ALPHA, "SLV", "ELSAL"),
        (INS_NUMERIC, "USA", "583"),
        (EOIR, "BLR", "BZ"),
        (NAMES, "CHN", "CHINA, PEOPLES REPUBLIC OF"),
    ],
)
def test_which_code_is_usual(of: CountryCodes, state: str, usual: str) -> None:
    assert of.code_of(state) == usual


def test_numbers_of_the_i94_and_classes_of_claims_differ_for_twelve_countries() -> None:
    i94, claims = (
        {state: {code for code in of.codes if of.codes[code] == state} for state in of.codes.values() if state}
        for of in (INS_NUMERIC, CLAIMS_NUMERIC)
    )
    apart = {state for state in i94.keys() & claims.keys() if not i94[state] & claims[state]}
    assert apart == {"POL", "GBR", "IND", "IDN", "JPN", "YEM", "TZA", "MAR", "PNG", "HND", "PAN", "PSE"}


def test_no_code_of_one_set_means_something_else_in_a_set_that_is_read_with_it() -> None:
    for one, other in [(INS_ALPHA, ICAO), (INS_NUMERIC, ICAO), (SEVIS, ICAO), (CLAIMS_NUMERIC, INS_ALPHA)]:
        both = one.codes.keys() & other.codes.keys()
        assert {code for code in both if one.codes[code] != other.codes[code]} == set()


def test_a_converter_takes_the_first_set_that_has_the_code() -> None:
    either = country(INS_ALPHA, ICAO)
    assert [either(code, "NATION") for code in ("MEXIC", "MEX", "UK", "GBR", "UNKNO")] == [
        "MEX",
        "MEX",
        "GBR",
        "GBR",
        None,
    ]
    assert country(INS_NUMERIC)(582, "NATION") == country(INS_NUMERIC)("582", "NATION") == "MEX"
    for wrong in ("QQQ", None, 3.5, True, []):
        with pytest.raises(ValueError, match=r"^NATION "):
            either(wrong, "NATION")
