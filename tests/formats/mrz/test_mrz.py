"""Machine-readable zones: the specimens of ICAO Doc 9303, numbers that go on, wrong digits, fields by themselves."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats.mrz import MrzError, Zone, names, plain, read
from schemas.identifiers import check_digit

TODAY = date(2025, 3, 14)
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"  # part 4, appendix
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"  # part 6
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"  # part 5
MRV_A = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"  # part 7
MRV_B = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"
ANNA = {"issuer": "UTO", "family": "ERIKSSON", "given": "ANNA MARIA", "sex": "F", "wrong": ()}


def fields(zone: Zone, *those: str) -> dict[str, object]:
    return {name: getattr(zone, name) for name in those}


@pytest.mark.parametrize(
    ("text", "kind", "number", "citizenship", "birth", "expires", "optional"),
    [
        (TD3, "TD3", "L898902C3", "UTO", "1974-08-12", "2012-04-15", "ZE184226B"),
        (TD2, "TD2", "D23145890", "UTO", "1974-08-12", "2012-04-15", ""),
        (TD1, "TD1", "D23145890", "UTO", "1974-08-12", "2012-04-15", ""),
        (MRV_A, "MRV-A", "L8988901C", "XXX", "1940-09-07", "2096-12-10", "6ZE184226B"),
        (MRV_B, "MRV-B", "L8988901C", "XXX", "1940-09-07", "2096-12-10", ""),
    ],
)
def test_the_specimens_of_the_standard(
    text: str, kind: str, number: str, citizenship: str, birth: str, expires: str, optional: str
) -> None:
    zone = read(text, TODAY)
    assert fields(zone, *ANNA) == ANNA
    assert (zone.kind, zone.number, zone.citizenship) == (kind, number, citizenship)
    assert (zone.birth, zone.expires, zone.optional) == (birth, expires, optional)
    assert read(text.replace("\n", ""), TODAY) == read(text.split("\n"), TODAY) == zone


@pytest.mark.parametrize(
    ("text", "kind", "optional"),
    [
        # part 5, appendix: the number D23145890734 goes on behind its ninth character
        ("I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<", "TD1", ""),
        ("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8", "TD2", ""),
    ],
)
def test_a_number_of_more_than_nine_characters_goes_on_in_the_optional_data(
    text: str, kind: str, optional: str
) -> None:
    zone = read(text, TODAY)
    assert (zone.kind, zone.number, zone.optional, zone.wrong) == (kind, "D23145890734", optional, ())
    assert (zone.family, zone.given, zone.birth) == ("STEVENSON", "PETER JOHN", "1934-07-12")
    assert "number" in read(text.replace("7349", "7348"), TODAY).wrong


def test_germany_has_one_letter_and_its_number_no_vowel() -> None:
    zone = read("P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\nC01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4", TODAY)
    assert (zone.issuer, zone.citizenship, zone.number, zone.wrong) == ("D", "D", "C01X00T47", ())


@pytest.mark.parametrize(
    ("at", "wrong"), [(0, "number"), (13, "birth"), (21, "expires"), (28, "optional"), (43, "composite")]
)
def test_a_wrong_check_digit_names_its_field(at: int, wrong: str) -> None:
    first, second = TD3.split("\n")
    other = "3" if second[at] != "3" else "4"
    zone = read([first, second[:at] + other + second[at + 1 :]], TODAY)
    assert wrong in zone.wrong
    assert "composite" in zone.wrong


@pytest.mark.parametrize(
    ("field", "birth"),
    [
        ("740812", "1974-08-12"),
        ("250314", "2025-03-14"),
        ("250315", "1925-03-15"),  # else to come
        ("25<<<<", "2025"),
        ("2504<<", "1925-04"),
        ("<<<<<<", None),
        ("741301", None),
        ("74<<01", None),
    ],
)
def test_dates_of_birth_as_far_as_they_are_known(field: str, birth: str | None) -> None:
    second = f"{TD3[45:58]}{field}{check_digit(field)}{TD3[65:]}"
    zone = read([TD3[:44], second], TODAY)
    assert zone.birth == birth
    assert "birth" not in zone.wrong


@pytest.mark.parametrize(
    "text", ["", "P<UTO", TD3[:-1], TD3.lower(), TD3.replace("ANNA", "ÄNNA"), TD1.replace("\n", "\n\n<")]
)
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(MrzError):
        read(text, TODAY)


@given(st.text("AB01<\n ", max_size=130))
def test_any_text_is_a_zone_or_refused(text: str) -> None:
    try:
        read(text, TODAY)
    except MrzError:
        return


def test_fields_by_themselves() -> None:
    assert [plain(text) for text in ("D<<", "AB<123456", "<<<", "L898902C<")] == ["D", "AB 123456", "", "L898902C"]
    assert names("VAN<DER<MUELLEN<<JOHANNA<<<") == ("VAN DER MUELLEN", "JOHANNA")
    assert names("ARKFREITH<<<<") == ("ARKFREITH", "")
