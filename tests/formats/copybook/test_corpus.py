"""Fields of copybooks as the standard allows them, each with its bytes and value, written by hand from the rules.

IBM Enterprise COBOL for z/OS, Language Reference (PICTURE, USAGE, SIGN, OCCURS, REDEFINES) and the Principles of
Operation (sign codes of decimal data). Bytes are hexadecimal, text is EBCDIC code page 037.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from formats.copybook.test_copybook import copybook

from adapters.formats.layout import Choice, Layout, Undecodable

FIELDS: dict[str, tuple[str, str, Any]] = {
    "text": ("PIC X(5)", "C7C1D9C3C9", "GARCI"),
    "text by letters alone": ("PIC A(3)", "C1C2C3", "ABC"),
    "text spelled out": ("PIC XXX", "C1C240", "AB"),
    "text that is blank": ("PIC X(4)", "40404040", ""),
    "text never set": ("PIC X(4)", "00000000", ""),
    "text with a blank at its begin": ("PIC X(3)", "40C140", " A"),
    "text beyond ASCII": ("PIC X(4)", "D5FED569", "NÚNÑ"),
    "text with brackets": ("PIC X(4)", "BABBB05F", "[]^¬"),
    "text of digits and others": ("PIC 99X(2)", "F1F2C1C2", "12AB"),
    "printed": ("PIC ZZ9.99-", "4040F7 4B F5F0 60".replace(" ", ""), "  7.50-"),
    "printed with a point": ("PIC 9(3).9(2)", "F0F1F24BF5F0", "012.50"),
    "printed with a sign that floats": ("PIC -(3)9V99", "4060F1F2F5F0", " -1250"),
    "printed as money": ("PIC $Z,ZZ9.99CR", "5B4040F1F2F34BF5F0C3D9", "$  123.50CR"),
    "printed as a day": ("PIC 99/99/9(4)", "F0F161F3F161F2F0F2F5", "01/31/2025"),
    "zoned": ("PIC 9(4)", "F0F0F4F2", 42),
    "zoned, spelled out": ("PIC 999", "F0F0F7", 7),
    "zoned, greatest": ("PIC 9(18)", "F9" * 18, 10**18 - 1),
    "zoned, 31 digits": ("PIC 9(31)", "F1" * 31, int("1" * 31)),
    "zoned with decimals": ("PIC 9(3)V99", "F1F2F3F4F5", Decimal("123.45")),
    "zoned of decimals alone": ("PIC V999", "F1F2F3", Decimal("0.123")),
    "overpunched plus A": ("PIC S9(3)", "F1F2C1", 121),
    "overpunched plus I": ("PIC S9(3)", "F0F0C9", 9),
    "overpunched plus nought": ("PIC S9(3)", "F0F1C0", 10),
    "overpunched minus J": ("PIC S9(3)", "F1F2D1", -121),
    "overpunched minus R": ("PIC S9(3)", "F0F0D9", -9),
    "overpunched minus nought": ("PIC S9(3)", "F0F1D0", -10),
    "overpunched with the other minus": ("PIC S9(3)", "F0F1B5", -15),
    "overpunched with the other plus": ("PIC S9(3)", "F0F1A5", 15),
    "overpunched and unsigned": ("PIC S9(3)", "F0F1F5", 15),
    "overpunched minus zero": ("PIC S9(3)", "F0F0D0", 0),
    "overpunched in front": ("PIC S9(3) SIGN IS LEADING", "D1F2F3", -123),
    "overpunched with decimals": ("PIC S9(2)V9", "F1F2D5", Decimal("-12.5")),
    "sign of its own in front": ("PIC S9(3) SIGN LEADING SEPARATE", "60F1F2F3", -123),
    "sign of its own behind": ("PIC S9(3) SIGN IS TRAILING SEPARATE CHARACTER", "F1F2F34E", 123),
    "packed": ("PIC S9(5) COMP-3", "12345C", 12345),
    "packed minus": ("PIC S9(5) COMP-3", "12345D", -12345),
    "packed of even digits": ("PIC S9(4) COMP-3", "01234C", 1234),
    "packed and unsigned": ("PIC 9(5) COMP-3", "12345F", 12345),
    "packed, unsigned, with a plus": ("PIC 9(3) COMP-3", "123C", 123),
    "packed with sign A": ("PIC S9(3) COMP-3", "123A", 123),
    "packed with sign B": ("PIC S9(3) COMP-3", "123B", -123),
    "packed with sign E": ("PIC S9(3) COMP-3", "123E", 123),
    "packed minus zero": ("PIC S9(3) COMP-3", "000D", 0),
    "packed by its long name": ("PIC S9(3) USAGE IS PACKED-DECIMAL", "123C", 123),
    "packed by its middle name": ("PIC S9(3) COMPUTATIONAL-3", "123D", -123),
    "packed with decimals": ("PIC S9(3)V99 COMP-3", "12345D", Decimal("-123.45")),
    "packed, one digit": ("PIC S9 COMP-3", "7C", 7),
    "packed, 31 digits": ("PIC S9(31) COMP-3", "9" * 31 + "C", 10**31 - 1),
    "binary of two bytes": ("PIC S9(4) COMP", "FFFF", -1),
    "binary, greatest of two bytes": ("PIC 9(4) COMP", "270F", 9999),
    "binary of four bytes": ("PIC S9(5) COMP", "FFFE7961", -99999),
    "binary, greatest of four bytes": ("PIC 9(9) BINARY", "3B9AC9FF", 999_999_999),
    "binary of eight bytes": ("PIC S9(10) COMP-4", "FFFFFFFFFFFFFFFE", -2),
    "binary, greatest of eight bytes": ("PIC 9(18) COMPUTATIONAL", "0DE0B6B3A763FFFF", 10**18 - 1),
    "binary with decimals": ("PIC S9(3)V9 COMP", "FFF6", Decimal("-1.0")),
    "table": ("PIC X OCCURS 3 TIMES", "C1C2C3", ["A", "B", "C"]),
    "table of packed": ("PIC S9(3) COMP-3 OCCURS 2", "123C456D", [123, -456]),
    "table of one": ("PIC 9 OCCURS 1 TIMES", "F7", [7]),
    "value that is no matter": ("PIC 9(2) VALUE 17", "F0F1", 1),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_read(name: str) -> None:
    clauses, data, value = FIELDS[name]
    layout = Layout.of(copybook("01 R.", f"   05 A {clauses}.", "   05 Z PIC X."))
    said = layout.decode(bytes.fromhex(data) + b"\xe9")
    assert said == {"A": value, "Z": "Z"}
    assert layout.decode(layout.encode(said)) == said


RECORDS: dict[str, tuple[list[str], str, dict[str, Any]]] = {
    "groups in groups": (
        ["05 A.", "   10 B.", "      15 C PIC X.", "   10 D PIC 9."],
        "C1F1",
        {"A": {"B": {"C": "A"}, "D": 1}},
    ),
    "levels of any distance": (["02 A.", "   49 B PIC X."], "C1", {"A": {"B": "A"}}),
    "fillers": (["05 A PIC X.", "05 FILLER PIC X(2).", "05 B PIC X."], "C10102C2", {"A": "A", "B": "B"}),
    "a filler without its name": (["05 A PIC X.", "05 PIC X(2).", "05 B PIC X."], "C10102C2", {"A": "A", "B": "B"}),
    "a table of groups": (
        ["05 T OCCURS 2 TIMES.", "   10 A PIC X.", "   10 B PIC 9."],
        "C1F1C2F2",
        {"T": [{"A": "A", "B": 1}, {"A": "B", "B": 2}]},
    ),
    "a table in a table": (
        ["05 T OCCURS 2.", "   10 A PIC 9 OCCURS 2."],
        "F1F2F3F4",
        {"T": [{"A": [1, 2]}, {"A": [3, 4]}]},
    ),
    "a table of as many as told": (
        ["05 N PIC 9.", "05 T OCCURS 0 TO 3 TIMES DEPENDING ON N PIC X.", "05 E PIC X."],
        "F2C1C2C5",
        {"N": 2, "T": ["A", "B"], "E": "E"},
    ),
    "a table of none": (
        ["05 N PIC 9.", "05 T OCCURS 0 TO 3 TIMES DEPENDING ON N PIC X.", "05 E PIC X."],
        "F0C5",
        {"N": 0, "T": [], "E": "E"},
    ),
    "a count that is packed": (
        ["05 N PIC S9 COMP-3.", "05 T PIC X OCCURS 1 TO 2 DEPENDING ON N."],
        "1CC1",
        {"N": 1, "T": ["A"]},
    ),
    "storage described again, shorter": (
        ["05 K PIC X.", "05 A PIC X(3).", "05 B REDEFINES A PIC 9.", "05 E PIC X."],
        "C2F74040C5",
        {"K": "B", "B": 7, "E": "E"},
    ),
    "storage described three times": (
        ["05 K PIC X.", "05 A PIC X(2).", "05 B REDEFINES A PIC 99.", "05 C REDEFINES A PIC S9(3) COMP-3."],
        "C3123D",
        {"K": "C", "C": -123},
    ),
    "a table of up to so many": (
        ["05 N PIC 9(2).", "05 T OCCURS 80 DEPENDING ON N.", "   10 A PIC X."],
        "F0F2C1C2",
        {"N": 2, "T": [{"A": "A"}, {"A": "B"}]},
    ),
    "a table with keys and indexes": (
        [
            "05 T OCCURS 2 TIMES ASCENDING KEY IS A B",
            "     DESCENDING KEY B INDEXED BY I J.",
            "   10 A PIC X.",
            "   10 B PIC 9.",
        ],
        "C1F1C2F2",
        {"T": [{"A": "A", "B": 1}, {"A": "B", "B": 2}]},
    ),
    "tables of as many as told in a table": (
        [
            "05 D PIC 9.",
            "05 T OCCURS 2.",
            "   10 N PIC 9.",
            "   10 A PIC X OCCURS 0 TO 3 DEPENDING ON N.",
            "   10 B PIC X OCCURS 1 TO 2 DEPENDING ON D.",
            "05 E PIC X.",
        ],
        "F1 F2C1C2C5 F0C6 C7".replace(" ", ""),
        {"D": 1, "T": [{"N": 2, "A": ["A", "B"], "B": ["E"]}, {"N": 0, "A": [], "B": ["F"]}], "E": "G"},
    ),
    "storage described twice in each entry of a table": (
        ["05 T OCCURS 2.", "   10 K PIC X.", "   10 A PIC X(2).", "   10 B REDEFINES A PIC S9(3) COMP-3."],
        "C1C2C3C2123D",
        {"T": [{"K": "A", "A": "BC"}, {"K": "B", "B": -123}]},
    ),
    "a filler with fields in it": (
        ["05 FILLER.", "   10 A PIC X.", "   10 FILLER PIC X.", "05 OCCURS 2.", "   10 B PIC 9.", "05 FILLER PIC X."],
        "C140F1F240",
        {"FILLER-1": {"A": "A"}, "FILLER-2": [{"B": 1}, {"B": 2}]},
    ),
    "storage of what redefines": (
        ["05 K PIC X.", "05 A PIC X(2).", "05 B REDEFINES A PIC 99.", "05 C PIC S9(3) COMP-3 REDEFINES B."],
        "C3123D",
        {"K": "C", "C": -123},
    ),
    "conditions between fields": (["05 A PIC X.", "   88 YES VALUE 'Y'.", "05 B PIC X."], "E8C2", {"A": "Y", "B": "B"}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_read(name: str) -> None:
    lines, data, said = RECORDS[name]
    choices = {"A": Choice("K", {"A": "A", "B": "B", "C": "C"})} if "K PIC X" in " ".join(lines) else {}
    layout = Layout.of(copybook("01 R.", *(f"   {line}" for line in lines)), choices=choices)
    assert layout.decode(bytes.fromhex(data)) == said
    assert layout.decode(layout.encode(said)) == said


# Shapes of copybooks as they are published with readers and mainframe samples: files of sales, of accounts, exports.

SALES = """
000100*   RECORD LENGTH IS 27.
000200        03  SALES-STORE-KEY.                                        SALES020
000300            05 SALES-KEYCODE-NO      PIC X(08).                     SALES020
000400            05 SALES-STORE-NO        PIC S9(03)   COMP-3.
000500        03  SALES-DATE               PIC S9(07)   COMP-3.
000600        03  SALES-DEPT-NO            PIC S9(03)   COMP-3.
000700        03  SALES-QTY-SOLD           PIC S9(9)    COMP-3.
000800        03  SALES-PRICE              PIC S9(9)V99 COMP-3.
"""


@pytest.mark.parametrize("level", ["01", "77", "05"])
def test_a_record_that_is_one_field(level: str) -> None:
    layout = Layout.of(copybook(f"{level} PRINT-LINE PIC X(3)."))
    assert (layout.length, layout.decode(b"\xc1\xc2\x40")) == (3, {"PRINT-LINE": "AB"})


@pytest.mark.parametrize("seen", ["GLOBAL", "IS GLOBAL", "EXTERNAL", "IS EXTERNAL"])
def test_which_programs_see_a_record_is_no_matter(seen: str) -> None:
    layout = Layout.of(copybook(f"01  R {seen}.", "    05  A OCCURS 1 TIME PIC X."))
    assert layout.decode(b"\xc1") == {"A": ["A"]}


def test_a_copybook_that_is_copied_below_a_record() -> None:
    layout = Layout.of(SALES)
    assert (layout.record.name, layout.length) == ("RECORD", 27)
    assert layout.decode(bytes.fromhex("F6F9F6F8F4F5F5F8 020C 0040118C 280C 000000001C 00000001900C")) == {
        "SALES-STORE-KEY": {"SALES-KEYCODE-NO": "69684558", "SALES-STORE-NO": 20},
        "SALES-DATE": 40118,
        "SALES-DEPT-NO": 280,
        "SALES-QTY-SOLD": 1,
        "SALES-PRICE": Decimal("19.00"),
    }


EXPORT = copybook(
    "01  EXPORT-RECORD.",
    "    05  REC-TYPE                   PIC X(1).",
    "    05  STAMP                      PIC X(10).",
    "    05  STAMP-R REDEFINES STAMP.",
    "        10  STAMP-DAY              PIC X(8).",
    "        10  FILLER                 PIC X(2).",
    "    05  SEQUENCE-NUM               PIC 9(9) COMP.",
    "    05  RECORD-DATA                PIC X(20).",
    "    05  CUSTOMER-DATA REDEFINES RECORD-DATA.",
    "        10  CUST-ID                PIC 9(09) COMP.",
    "        10  PHONES OCCURS 2 TIMES.",
    "            15  PHONE              PIC X(05).",
    "        10  SCORE                  PIC 9(03) COMP-3.",
    "        10  FILLER                 PIC X(04).",
    "    05  ACCOUNT-DATA REDEFINES RECORD-DATA.",
    "        10  BALANCE                PIC S9(10)V99 COMP-3.",
    "        10  LIMIT                  PIC S9(6)V99.",
    "        10  DEBIT                  PIC S9(5) COMP.",
    "        10  FILLER                 PIC X(01).",
)


def test_an_export_of_several_kinds_of_records() -> None:
    layout = Layout.of(EXPORT, choices={"RECORD-DATA": Choice("REC-TYPE", {"C": "CUSTOMER-DATA", "A": "ACCOUNT-DATA"})})
    assert layout.length == 35
    head = {"STAMP": "2025-10-16", "SEQUENCE-NUM": 7}
    begin = "F2F0F2F560F1F060F1F6 00000007"
    customer = "C3" + begin + "0000002A F5F5F5F1F2 F5F5F540 40 700F 40404040"
    assert layout.decode(bytes.fromhex(customer)) == {
        "REC-TYPE": "C",
        **head,
        "CUSTOMER-DATA": {"CUST-ID": 42, "PHONES": [{"PHONE": "55512"}, {"PHONE": "555"}], "SCORE": 700},
    }
    account = "C1" + begin + "0000000001234D F0F0F1F0F0F0F0C5 FFFFFFFF 40"
    assert layout.decode(bytes.fromhex(account)) == {
        "REC-TYPE": "A",
        **head,
        "ACCOUNT-DATA": {"BALANCE": Decimal("-12.34"), "LIMIT": Decimal("1000.05"), "DEBIT": -1},
    }


def test_two_tables_of_as_many_as_told_one_behind_the_other() -> None:
    layout = Layout.of(
        copybook(
            "01 Location-Details.",
            "   03 months               pic s99.",
            "   03 sales occurs 1 to 12",
            "             depending on months.",
            "      05 sales-count       pic s9(3).",
            "   03 total-sales          pic s9(3)v99.",
            "   03 week-no              pic s99.",
            "   03 filler occurs 1 to 52",
            "             depending on week-no.",
            "      05 purchase-count    pic s9(3) comp-3.",
            "   03 total-purchase-count pic s9(3).",
        )
    )
    assert layout.decode(bytes.fromhex("F0C2 F0F0C1 F0F0D2 F0F1F2F3D0 F0C1 012C F0F1C2")) == {
        "MONTHS": 2,
        "SALES": [{"SALES-COUNT": 1}, {"SALES-COUNT": -2}],
        "TOTAL-SALES": Decimal("-12.30"),
        "WEEK-NO": 1,
        "FILLER-1": [{"PURCHASE-COUNT": 12}],
        "TOTAL-PURCHASE-COUNT": 12,
    }


def test_the_corpus_sees_a_wrong_reader() -> None:
    """A reader that takes the other minus for a plus would not pass."""
    clauses, data, value = FIELDS["packed with sign B"]
    layout = Layout.of(copybook("01 R.", f"   05 A {clauses}."))
    with pytest.raises(Undecodable):
        layout.decode(bytes.fromhex(data[:-1] + "9"))
    assert layout.decode(bytes.fromhex(data[:-1] + "A")) != {"A": value}
