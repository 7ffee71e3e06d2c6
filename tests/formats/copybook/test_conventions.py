"""What compilers do differently, and what few copybooks have: floats, COMP-5, P, N, RENAMES, tables that do not slide.

The bytes marked as GnuCOBOL's were written by GnuCOBOL 3.1.2 (`cobc -std=ibm`) from the values beside them.
"""

from __future__ import annotations

import math
from decimal import Decimal
from struct import pack

import pytest
from formats.copybook.test_copybook import copybook
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats import ebcdic
from adapters.formats.ebcdic import ENTERPRISE, GNU, Conventions
from adapters.formats.layout import Layout, Undecodable

GNU_ASCII = Conventions(minus=GNU.minus, ascii=True, floats="ieee-little", native="little", tables="fixed")
ALL = copybook(
    "01 REC.",
    "   05 A COMP-1.",
    "   05 B COMP-2.",
    "   05 C PIC S9(4) COMP-5.",
    "   05 D PIC S9(9) COMP-5.",
    "   05 E PIC S9(5)V99 COMP-3.",
    "   05 G PIC 9(3)PPP COMP-3.",
    "   05 H PIC VPP99.",
    "   05 I PIC S9(4) COMP.",
)
VALUES = {
    "A": 1.5,
    "B": -118.625,
    "C": -2,
    "D": 123456789,
    "E": Decimal("-123.45"),
    "G": 123000,
    "H": Decimal("0.0012"),
    "I": -300,
}


def test_a_record_as_gnucobol_wrote_it() -> None:
    data = bytes.fromhex("0000c03f0000000000a85dc0feff15cd5b070012345d000f3132fed4")
    layout = Layout.of(ALL, "latin-1", conventions=GNU_ASCII)
    written = VALUES | {"G": 0}  # a bug of this release: MOVE 123000 TO a packed 9(3)PPP writes 000F
    assert layout.decode(data) == written
    assert layout.decode_by_field(data) == written


def test_the_same_record_as_a_mainframe_has_it() -> None:
    layout = Layout.of(ALL)
    data = layout.encode(VALUES)
    # 1.5 is 16^1 * 0x180000 / 16^6, 118.625 is 16^2 * 0x76A / 16^3 (Principles of Operation)
    assert data.hex() == "41180000" + "c276a00000000000" + "fffe" + "075bcd15" + "0012345d" + "123f" + "f1f2" + "fed4"
    assert layout.decode(data) == VALUES


def test_a_wrong_convention_gives_other_numbers_without_an_error() -> None:
    """Why they come from the sender."""
    data = Layout.of(ALL).encode(VALUES)
    other = Layout.of(ALL, conventions=Conventions(floats="ieee-big", native="little")).decode(data)
    assert other["A"] == 9.5
    assert other["D"] != VALUES["D"]
    packed = Layout.of(copybook("01 R.", "   05 A PIC S9(3) COMP-3."), conventions=GNU).decode(bytes.fromhex("123b"))
    assert packed == {"A": 123}
    assert Layout.of(copybook("01 R.", "   05 A PIC S9(3) COMP-3.")).decode(bytes.fromhex("123b")) == {"A": -123}


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e70, max_value=1e70))
def test_ibm_floats_are_read_as_they_are_written(value: float) -> None:
    result = ebcdic.read_float(ebcdic.write_float(value, 8, "ibm"), "ibm")
    assert math.isclose(result, value, rel_tol=2**-52, abs_tol=1e-75)
    single = ebcdic.read_float(ebcdic.write_float(value, 4, "ibm"), "ibm")
    assert math.isclose(single, value, rel_tol=2**-20, abs_tol=1e-75)


def test_floats_of_ibm_by_hand() -> None:
    for text, value in (
        ("00000000", 0.0),
        ("c276a000", -118.625),
        ("42640000", 100.0),
        ("40800000", 0.5),
        ("7fffffff", (1 - 16**-6) * 16.0**63),
    ):
        assert ebcdic.read_float(bytes.fromhex(text), "ibm") == value
        assert ebcdic.write_float(value, 4, "ibm").hex() == text
    for big in (1e80, -1e80):
        with pytest.raises(ValueError, match="does not fit"):
            ebcdic.write_float(big, 8, "ibm")


def test_a_float_that_is_no_number_is_refused() -> None:
    layout = Layout.of(copybook("01 R.", "   05 A COMP-1."), conventions=Conventions(floats="ieee-big"))
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(Undecodable, match="no finite number"):
            layout.decode(pack(">f", value))


def test_comp_5_has_all_values_of_its_bytes() -> None:
    layout = Layout.of(copybook("01 R.", "   05 A PIC 9(4) COMP-5.", "   05 B PIC S9(4) COMP-5."))
    assert layout.decode(b"\xff\xff\x80\x00") == {"A": 65535, "B": -32768}
    assert layout.encode({"A": 65535, "B": -32768}) == b"\xff\xff\x80\x00"
    with pytest.raises(ValueError, match="does not fit into 2 bytes"):
        layout.encode({"A": 65536})


@pytest.mark.parametrize(
    ("picture", "digits", "value"),
    [
        ("9(3)PPP", "123", 123_000),
        ("9(3)P(3)V", "123", 123_000),
        ("S99P", "12", 120),
        ("VPP99", "12", Decimal("0.0012")),
        ("PP99", "12", Decimal("0.0012")),
        ("SP(3)9(2)", "12", Decimal("0.00012")),
    ],
)
def test_places_that_are_not_kept(picture: str, digits: str, value: int | Decimal) -> None:
    layout = Layout.of(copybook("01 R.", f"   05 A PIC {picture}."))
    data = digits.encode("cp037")
    assert layout.decode(data) == {"A": value}
    assert layout.length == len(digits)
    if not picture.startswith("S"):
        assert layout.encode({"A": value}) == data


def test_national_text() -> None:
    layout = Layout.of(copybook("01 R.", "   05 A PIC N(6).", "   05 B PIC N(2) USAGE NATIONAL.", "   05 C PIC X."))
    data = "李 OTTO".encode("utf-16-be") + "é ".encode("utf-16-be") + "Z".encode("cp037")
    assert layout.length == 17
    assert layout.decode(data) == {"A": "李 OTTO", "B": "é", "C": "Z"}
    assert layout.encode({"A": "李 OTTO", "B": "é", "C": "Z"}) == data
    with pytest.raises(Undecodable, match="A at byte 0"):
        layout.decode(b"\xd8\x00" * 6 + data[12:])
    with pytest.raises(ValueError, match="7 characters in 6"):
        layout.encode({"A": "SEVEN77"})


def test_another_name_for_fields() -> None:
    layout = Layout.of(
        copybook(
            "01 R.",
            "   05 COUNTRY PIC X(2).",
            "   05 AREA-CODE PIC 9(3).",
            "   05 REST.",
            "      10 NUMBER-PART PIC X(4).",
            "      10 AMOUNT PIC S9(3) COMP-3.",
            "   66 PHONE RENAMES COUNTRY THRU NUMBER-PART.",
            "   66 ZONE-CODE RENAMES AREA-CODE.",
        )
    )
    fields = layout.decode("CH041ABCD".encode("cp037") + bytes.fromhex("123c"))
    assert fields["PHONE"] == "CH041ABCD"
    assert fields["ZONE-CODE"] == 41
    assert fields["REST"] == {"NUMBER-PART": "ABCD", "AMOUNT": 123}


TABLE = copybook(
    "01 R.",
    "   05 N PIC 9(2).",
    "   05 T PIC X(2) OCCURS 1 TO 5 TIMES DEPENDING ON N.",
    "   05 Z PIC X(1).",
)
TWO = {"N": 2, "T": ["AA", "BB"], "Z": "Z"}


def test_a_table_that_slides_and_one_that_does_not() -> None:
    sliding, fixed = Layout.of(TABLE), Layout.of(TABLE, conventions=GNU)
    assert sliding.decode("02AABBZ".encode("cp037")) == TWO
    data = "02AABB??????Z".encode("cp037")  # what stands behind the last entry is no matter
    assert fixed.decode(data) == TWO
    assert fixed.decode(fixed.encode(TWO)) == TWO
    assert len(fixed.encode(TWO)) == 13
    with pytest.raises(Undecodable):
        fixed.decode("02AABBZ".encode("cp037"))


def test_as_gnucobol_wrote_a_table_that_slides() -> None:
    sliding = Conventions(minus=GNU.minus, ascii=True, floats="ieee-little", native="little")
    assert Layout.of(TABLE, "latin-1", conventions=sliding).decode(bytes.fromhex("3032414142425a")) == TWO


def test_a_record_is_filled_up_to_its_greatest_length() -> None:
    layout = Layout.of(TABLE)
    for filler in ("40", "00"):
        assert layout.decode("02AABBZ".encode("cp037") + bytes.fromhex(filler) * 6) == TWO
    for wrong in ("02AABBZ".encode("cp037") + b"\x40" * 5, "02AABBZ     Q".encode("cp037")):
        with pytest.raises(Undecodable, match="bytes too many"):
            layout.decode(wrong)
    plain = Layout.of(copybook("01 R.", "   05 A PIC X."))
    with pytest.raises(Undecodable, match="1 bytes too many"):
        plain.decode(b"\xc1\x40")


def test_blank_numbers_are_absent_where_the_sender_says_so() -> None:
    text = copybook(
        "01 R.",
        "   05 A PIC 9(3).",
        "   05 B PIC S9(3)V99 COMP-3.",
        "   05 C PIC S9(2) SIGN TRAILING SEPARATE.",
        "   05 D PIC 9(4) COMP.",
    )
    data = b"\x40" * 9 + b"\x00\x05"
    with pytest.raises(Undecodable):
        Layout.of(text, conventions=ENTERPRISE).decode(data)
    layout = Layout.of(text, conventions=Conventions(blank_numbers=True))
    assert layout.decode(data) == layout.decode_by_field(data) == {"A": None, "B": None, "C": None, "D": 5}
    assert layout.encode({"D": 5}) == data
    with pytest.raises(Undecodable):  # blank in part is wrong
        layout.decode(b"\x40\xf1\xf2" + data[3:])


def test_a_page_and_digits_of_another_code_are_refused() -> None:
    zoned, text = copybook("01 R.", "   05 A PIC 99."), copybook("01 R.", "   05 A PIC XX.", "   05 B PIC 9 COMP-3.")
    with pytest.raises(ValueError, match=r"give conventions=Conventions\(ascii=True\)"):
        Layout.of(zoned, "latin-1")
    with pytest.raises(ValueError, match=r"give conventions=Conventions\(ascii=False\)"):
        Layout.of(zoned, conventions=GNU_ASCII)
    assert Layout.of(text, "latin-1").decode(b"ab\x1c") == {"A": "ab", "B": 1}


def test_numbers_in_ascii_as_gnucobol_has_them() -> None:
    layout = Layout.of(copybook("01 R.", "   05 A PIC S99.", "   05 B PIC 99."), "latin-1", conventions=GNU_ASCII)
    assert layout.decode(b"1r34") == {"A": -12, "B": 34}
    assert layout.decode(b"1234") == {"A": 12, "B": 34}
    assert all(layout.encode(layout.decode(data)) == data for data in (b"1r34", b"1234"))
    for wrong in (b"r134", b"123r", b"1 34"):
        with pytest.raises(Undecodable, match="holds no digit"):
            layout.decode(wrong)
