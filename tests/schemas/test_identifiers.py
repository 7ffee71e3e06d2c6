"""Identifiers: one canonical spelling each, and whatever is none refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import FORMS, identifiers, texts

from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, check_digit

ISSUED_BY_ONE = sorted(set(Scheme) - {Scheme.PASSPORT, Scheme.BOOKING, Scheme.CASE, Scheme.SUBJECT})
SPELT_LOOSELY = st.sampled_from(sorted(set(Scheme) - {Scheme.CASE}))


@given(one=identifiers())
def test_the_canonical_spelling_stays(one: Identifier) -> None:
    assert re.fullmatch(FORMS[one.scheme], one.value)
    assert Identifier.of(one.scheme, one.value, one.issuer) == one


@given(one=identifiers())
def test_text_and_back(one: Identifier) -> None:
    assert one.text == f"{one.scheme}/{one.issuer}/{one.value}"
    assert Identifier.parse(one.text) == one
    assert Identifier.parse(one.text.lower()) == one


@given(one=identifiers(st.sampled_from(ISSUED_BY_ONE)))
def test_the_only_issuer_need_not_be_said(one: Identifier) -> None:
    assert Identifier.parse(f"{one.scheme}/{one.value}") == one


@given(one=identifiers(SPELT_LOOSELY), data=st.data())
def test_blanks_strokes_and_small_letters_do_not_matter(one: Identifier, data: st.DataObject) -> None:
    noise = st.sampled_from(["", " ", "-", ".", "/", "  "])
    spelt = "".join(data.draw(noise) + char for char in one.value.lower())
    assert Identifier.of(one.scheme, f" {spelt} ", one.issuer) == one
    assert Identifier.of(one.scheme, f"{one.value}<<<", one.issuer) == one


@settings(max_examples=200)
@given(scheme=st.sampled_from(Scheme), text=texts(15, 0), issuer=texts(4, 0) | st.sampled_from(["DEU", "AA"]))
def test_any_text_is_canonical_or_refused(scheme: Scheme, text: str, issuer: str) -> None:
    try:
        one = Identifier.of(scheme, text, issuer)
    except InvalidIdentifier:
        return
    assert re.fullmatch(FORMS[scheme], one.value)
    assert Identifier.of(scheme, one.value, one.issuer) == one


@pytest.mark.parametrize("value", ["12345678901", "123456789A1", "00000000000"])
def test_admission_numbers_old_and_new(value: str) -> None:
    """Eleven digits; since May 2019 the tenth place may be a letter."""
    assert Identifier.of(Scheme.I94, value).text == f"i94/CBP/{value}"


@pytest.mark.parametrize("wrong", ["1234567890", "123456789012", "123456789AA", "A2345678901", "12345678A01", ""])
def test_what_is_no_admission_number(wrong: str) -> None:
    with pytest.raises(InvalidIdentifier):
        Identifier.of(Scheme.I94, wrong)


@pytest.mark.parametrize("spelt", ["A1234567", "a 001-234-567", "001234567", "1234567", "A01234567"])
def test_a_numbers_are_filled_with_zeros(spelt: str) -> None:
    assert Identifier.of(Scheme.A_NUMBER, spelt).value == "A001234567"


@pytest.mark.parametrize("wrong", ["A123456", "A1234567890", "B1234567", "AA1234567", "", "A", "A١٢٣٤٥٦٧"])
def test_what_is_no_a_number(wrong: str) -> None:
    with pytest.raises(InvalidIdentifier):
        Identifier.of(Scheme.A_NUMBER, wrong)


@pytest.mark.parametrize("office", ["EAC", "LIN", "SRC", "WAC", "MSC", "NBC", "YSC", "IOE"])
def test_receipts_of_every_office(office: str) -> None:
    one = Identifier.of(Scheme.RECEIPT, f"{office.lower()}-26-123-45678")
    assert one.text == f"receipt/USCIS/{office}2612345678"


@pytest.mark.parametrize("wrong", ["XYZ2612345678", "EAC261234567", "EAC26123456789", "EAC26123456A8", "2612345678"])
def test_what_is_no_receipt(wrong: str) -> None:
    with pytest.raises(InvalidIdentifier):
        Identifier.of(Scheme.RECEIPT, wrong)


def test_a_card_s_number_is_no_receipt() -> None:
    """Three letters and ten digits both: what it is, its field says, and the two never meet."""
    card, receipt = Identifier.of(Scheme.CARD, "src 9099000117"), Identifier.of(Scheme.RECEIPT, "SRC9099000117")
    assert (card.text, receipt.text) == ("card/USCIS/SRC9099000117", "receipt/USCIS/SRC9099000117")


@pytest.mark.parametrize("wrong", ["123", "1234567890123456", "12A4", ""])
def test_what_is_no_fingerprint_number(wrong: str) -> None:
    """Four digits at least, and no fixed length."""
    assert Identifier.of(Scheme.FIN, "1234").value == "1234"
    with pytest.raises(InvalidIdentifier):
        Identifier.of(Scheme.FIN, wrong)


@pytest.mark.parametrize("scheme", [Scheme.PASSPORT, Scheme.BOOKING, Scheme.CASE, Scheme.SUBJECT])
def test_some_schemes_need_their_issuer(scheme: Scheme) -> None:
    with pytest.raises(InvalidIdentifier, match="needs its issuer"):
        Identifier.of(scheme, "AB1234")
    with pytest.raises(InvalidIdentifier, match="needs its issuer"):
        Identifier.parse(f"{scheme}/AB1234")


def test_an_issuer_alone_is_no_passport() -> None:
    with pytest.raises(InvalidIdentifier, match="needs its number"):
        Identifier.of(Scheme.PASSPORT, " ", "FRA")


def test_passports_are_issued_by_states() -> None:
    assert Identifier.of(Scheme.PASSPORT, "c01x00t47", "deu").text == "passport/DEU/C01X00T47"
    with pytest.raises(InvalidIdentifier, match="issuing state"):
        Identifier.of(Scheme.PASSPORT, "C01X00T47", "GER")
    with pytest.raises(ValidationError, match="issuing state"):
        Identifier(scheme=Scheme.PASSPORT, issuer="GER", value="C01X00T47")


@pytest.mark.parametrize(
    ("reported", "one"),
    [
        *(("D", "DEU"), ("D<<", "DEU"), ("DEU", "DEU"), ("ROM", "ROU"), ("XXK", "RKS"), ("XKX", "RKS"), ("UNO", "UNO")),
        *((code, "GBR") for code in ("GBR", "GBD", "GBN", "GBO", "GBP", "GBS")),
    ],
)
def test_an_issuer_of_several_codes_is_one(reported: str, one: str) -> None:
    text = f"passport/{one}/C01X00T47"
    assert Identifier.of(Scheme.PASSPORT, "C01X00T47", reported).text == text
    assert Identifier.parse(f"passport/{reported}/C01X00T47").text == text
    if not reported.endswith("<"):  # and where an event says it as its document does
        assert Identifier(scheme=Scheme.PASSPORT, issuer=reported, value="C01X00T47").text == text


@pytest.mark.parametrize(
    ("reported", "value"),
    [
        ("AB<123456", "AB123456"),
        ("AB 123456", "AB123456"),
        ("D23145890<7", None),
        ("L898902C<3", "L898902C"),
        ("AB<1234568", "AB123456"),  # nine places and the check digit
        ("AB<1234561", "AB1234561"),  # no check digit: a number of its own
        ("C01X00T47<<<<", "C01X00T47"),
    ],
)
def test_fillers_of_a_machine_readable_zone_stand_for_blanks(reported: str, value: str | None) -> None:
    assert Identifier.of(Scheme.PASSPORT, reported, "D").value == (value or "D231458907")


@pytest.mark.parametrize("value", ["c01x00t47", " C01X00T47", "C01X00T47<", "C01-X00", "", "12345678901\n"])
def test_the_constructor_only_accepts(value: str) -> None:
    for scheme in (Scheme.PASSPORT, Scheme.I94):
        with pytest.raises(ValidationError):
            Identifier(scheme=scheme, issuer="D", value=value)


@pytest.mark.parametrize("spelt", ["ß12", "ﬁ1234", "١٢٣٤٥٦٧٨٩١٢"])
def test_letters_that_only_look_alike_or_turn_into_others(spelt: str) -> None:
    for scheme in (Scheme.PASSPORT, Scheme.I94):
        with pytest.raises(InvalidIdentifier):
            Identifier.of(scheme, spelt, "D")
    with pytest.raises(ValidationError):
        Identifier(scheme=Scheme.I94, issuer="CBP", value=spelt)


def test_another_issuer_than_the_only_one() -> None:
    with pytest.raises(ValidationError, match="issued by CBP"):
        Identifier(scheme=Scheme.I94, issuer="ICE", value="12345678901")
    assert Identifier.of(Scheme.I94, "12345678901", "ICE").issuer == "CBP"


def test_what_is_no_scheme() -> None:
    with pytest.raises(InvalidIdentifier, match="no scheme; one of"):
        Identifier.parse("driving_licence/123")


@pytest.mark.parametrize(
    ("text", "digit"),
    [
        ("520727", "3"),  # the examples of ICAO Doc 9303 part 3, appendix A to section 4
        ("AB2134<<<", "5"),
        ("HA672242<658022549601086<<<<<<<<<<<<<<0", "8"),
        ("D231458907<<<<<<<<<<<<<<<34071279507122<<<<<<<<<<", "2"),
        ("L898902C3", "6"),  # the specimen passport of part 4
        ("740812", "2"),
        ("120415", "9"),
        ("ZE184226B<<<<<", "1"),
        ("L898902C3674081221204159ZE184226B<<<<<1", "0"),
        ("ab2134<<<", "5"),
        ("", "0"),
    ],
)
def test_check_digits(text: str, digit: str) -> None:
    assert check_digit(text) == digit


@pytest.mark.parametrize(
    ("spelt", "number"),
    [
        ("AB2134<<<5", "AB2134"),
        ("ab2134<<<5", "AB2134"),
        (" D2314589<7 ", "D2314589"),
        ("AB2134<<<", "AB2134"),
        ("AB2134<<<<", "AB2134"),
    ],
)
def test_a_document_number_with_its_check_digit_is_the_number(spelt: str, number: str) -> None:
    assert Identifier.of(Scheme.PASSPORT, spelt, "D").value == number


@pytest.mark.parametrize("wrong", ["AB2134<<<4", "AB2143<<<5", "A82134<<<5", "<<<<<<<<<0"])
def test_a_wrong_check_digit_is_no_document_number(wrong: str) -> None:
    with pytest.raises(InvalidIdentifier):
        Identifier.of(Scheme.PASSPORT, wrong, "D")


@given(number=st.from_regex("[A-Z0-9][0-9]{7}", fullmatch=True), data=st.data())
def test_a_slip_in_a_visa_number_shows(number: str, data: st.DataObject) -> None:
    digit = check_digit(f"{number}<")
    assert Identifier.of(Scheme.VISA, f"{number}<{digit}").value == number
    at = data.draw(st.integers(1, 7))
    other = data.draw(st.sampled_from([each for each in "0123456789" if each != number[at]]))
    with pytest.raises(InvalidIdentifier, match="check digit"):
        Identifier.of(Scheme.VISA, f"{number[:at]}{other}{number[at + 1 :]}<{digit}")


@pytest.mark.parametrize("text", ["AB 2134", "Ä", "١", "AB-1", "1\n"])
def test_what_cannot_stand_in_a_machine_readable_zone(text: str) -> None:
    with pytest.raises(ValueError, match="machine-readable"):
        check_digit(text)


@given(text=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<", min_size=1, max_size=20), data=st.data())
def test_one_wrong_digit_shows(text: str, data: st.DataObject) -> None:
    digits = [index for index, char in enumerate(text) if char.isdigit()]
    if not digits:
        return
    index = data.draw(st.sampled_from(digits))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[index]]))
    assert check_digit(text) != check_digit(text[:index] + other + text[index + 1 :])
