"""The copybook reader on layouts of all kinds, not only on those of our systems."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.core import Unreadable
from adapters.formats.copybook import CopybookError, Item, Usage, parse
from adapters.formats.ebcdic import Conventions
from adapters.formats.layout import Choice, Layout, Undecodable


def copybook(*lines: str) -> str:
    """Lines in the reference format: text from column 8 on."""
    return "\n".join(" " * 7 + line for line in lines)


ORDER = copybook(
    "01  ORDER-RECORD.",
    "    05  CUSTOMER        PIC X(5).",
    "    05  BALANCE         PIC S9(5)V99 COMP-3.",
    "    05  RATE            PIC SV999 USAGE IS DISPLAY.",
    "    05  DELTA PIC S9(4) SIGN IS LEADING SEPARATE CHARACTER.",
    "    05  GAMMA           PIC S9(3) SIGN TRAILING SEPARATE.",
    "    05  OMEGA           PIC S9(3) SIGN LEADING.",
    "    05  SMALL-COUNT     PIC S9(4) COMP.",
    "    05  MIDDLE-COUNT    PIC 9(9) BINARY.",
    "    05  LARGE-COUNT     PIC S9(18) COMP-4.",
    "    05  LINE-COUNT      PIC 99.",
    "    05  FILLER          PIC XX.",
    "    05  ORDER-LINE OCCURS 0 TO 5 TIMES DEPENDING ON LINE-COUNT.",
    "        10  ARTICLE     PIC A(3).",
    "        10  PRICE       PIC 9(3)V9 PACKED-DECIMAL OCCURS 2 TIMES.",
    "    05  CLOSING         PIC X.",
    "        88  CLOSED      VALUE 'Y' 'J'.",
    "        88  OTHERWISE   VALUES ARE 'A' THRU 'F'.",
)


def test_bytes_of_a_record_that_was_written_by_hand() -> None:
    layout = Layout.of(ORDER)
    data = (
        "MUSTR".encode("cp037")
        + bytes.fromhex("0012345D")  # -123.45
        + bytes.fromhex("F1F2C3")  # +0.123
        + "-0042".encode("cp037")
        + "007+".encode("cp037")
        + bytes.fromhex("D0F1F2")  # -012, sign in the first byte
        + bytes.fromhex("FFFE")
        + bytes.fromhex("3B9AC9FF")
        + (-1).to_bytes(8, "big", signed=True)
        + "02".encode("cp037")
        + b"\x00\xff"
        + "ABC".encode("cp037")
        + bytes.fromhex("00123F00456F")
        + "DEF".encode("cp037")
        + bytes.fromhex("09999F00000F")
        + "Y".encode("cp037")
    )
    assert layout.decode(data) == {
        "CUSTOMER": "MUSTR",
        "BALANCE": Decimal("-123.45"),
        "RATE": Decimal("0.123"),
        "DELTA": -42,
        "GAMMA": 7,
        "OMEGA": -12,
        "SMALL-COUNT": -2,
        "MIDDLE-COUNT": 999_999_999,
        "LARGE-COUNT": -1,
        "LINE-COUNT": 2,
        "ORDER-LINE": [
            {"ARTICLE": "ABC", "PRICE": [Decimal("12.3"), Decimal("45.6")]},
            {"ARTICLE": "DEF", "PRICE": [Decimal("999.9"), Decimal("0.0")]},
        ],
        "CLOSING": "Y",
    }
    assert layout.length == 88
    assert layout.encode(layout.decode(data)) == data.replace(b"\x00\xff\xc1", b"\x40\x40\xc1")


def test_conditions_are_kept_with_their_values() -> None:
    closing = parse(ORDER).children[-1]
    assert [(each.name, each.values) for each in closing.conditions] == [
        ("CLOSED", ("Y", "J")),
        ("OTHERWISE", (("A", "F"),)),
    ]


def test_the_same_storage_described_twice() -> None:
    text = copybook(
        "01  R.",
        "    05  KIND            PIC X.",
        "    05  BODY            PIC X(4).",
        "    05  NUMBERS REDEFINES BODY.",
        "        10  ONE         PIC 9(2).",
        "        10  TWO         PIC 9(4) COMP.",
        "    05  LONGER REDEFINES BODY PIC X(6).",
        "    05  BEHIND          PIC X.",
    )
    choice = {"BODY": Choice("KIND", {"N": "NUMBERS", "L": "LONGER", "B": "BODY"})}
    layout = Layout.of(text, "ascii", choice, conventions=Conventions(ascii=True))
    assert layout.length == 8
    numbers = Layout.of(text, "cp037", choice)
    assert numbers.decode(b"\xd5\xf1\xf2\x01\x00\x40\x40\xe9") == {
        "KIND": "N",
        "NUMBERS": {"ONE": 12, "TWO": 256},
        "BEHIND": "Z",
    }
    assert layout.decode(b"LABCDEFZ") == {"KIND": "L", "LONGER": "ABCDEF", "BEHIND": "Z"}
    assert layout.decode(b"BABCD  Z")["BODY"] == "ABCD"
    with pytest.raises(Undecodable, match="KIND at byte 1: 'Q' selects no layout of BODY"):
        layout.decode(b"QABCDEFZ")
    assert Layout.of(text, "ascii", conventions=Conventions(ascii=True)).decode(b"QABCDEFZ")["BODY"] == "ABCD"
    for fields in ({"KIND": "L", "LONGER": "ABCDEF", "BEHIND": "Z"}, {"KIND": "B", "BODY": "AB", "BEHIND": "Z"}):
        assert layout.decode(layout.encode(fields)) == fields


def test_reference_format() -> None:
    text = "\n".join(
        [
            "000100* a comment                                                       ABCDEFGH",
            "000200 01  REC.                                                         ABCDEFGH",
            "      / another",
            "000300     05  A-FIELD PIC X(3)",
            "000400          VALUE 'it''s. long'.",
            "000500     05  B-LONG-NA",
            "000600-        ME      PIC 9(2) VALUE 1.",
            "       05  C-FIELD PICTURE IS X VALUE SPACE. 05 D-FIELD PIC X.",
        ]
    )
    record = parse(text)
    assert [(item.name, item.size) for item in record.children] == [
        ("A-FIELD", 3),
        ("B-LONG-NAME", 2),
        ("C-FIELD", 1),
        ("D-FIELD", 1),
    ]


def test_listing_and_comments_in_lines_are_no_text() -> None:
    record = parse(
        copybook(
            "  EJECT", "01 R. *> all of it. PIC 9.", "  SKIP1.", "  05 A PIC X(3) VALUE '*>x'. *>A", "  05 B PIC X."
        )
    )
    assert [(item.name, item.size) for item in record.children] == [("A", 3), ("B", 1)]
    with pytest.raises(CopybookError, match=r"line 1: column 7 holds 'R'; text begins in column 8"):
        parse("  01  RECORD.")


def test_of_several_records_one_is_read_by_its_name() -> None:
    text = copybook(
        "01  ORDER-RECORD.",
        "    03  RECORD-TYPE  PIC XX.",
        "    03  PRICE        PIC 99V999.",
        "01  Place-Record REDEFINES ORDER-RECORD.",
        "    03  RECORD-TYPE  PIC XX.",
        "    03  PLACE OCCURS 2.",
        "        05  NUMBER-OF PIC 9(4).",
    )
    assert Layout.of(text, record="order-record").length == 7
    place = Layout.of(text, record="PLACE-RECORD")
    assert place.length == 10
    with pytest.raises(CopybookError, match="no record LINE; there are ORDER-RECORD, PLACE-RECORD"):
        parse(text, "LINE")


def test_a_usage_of_a_group_holds_for_its_numbers() -> None:
    record = parse(copybook("01 R USAGE COMP-3.", "  05 A PIC 9(5).", "  05 G.", "    10 B PIC S9(3) COMP."))
    assert [record.children[0].usage, record.children[1].children[0].usage] == [Usage.PACKED, Usage.BINARY]
    assert record.size == 5


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["01 R.", "   05 A PIC S9(3).99."], "line 2: PIC S9(3).99 is not understood"),
        (["01 R.", "   05 A PIC 9(3)9(."], "line 2: PIC 9(3)9( is not understood"),
        (["01 R.", "   05 A PIC ZZ9 COMP-3."], "line 2: A: text cannot be PACKED-DECIMAL"),
        (
            ["01 R.", "   05 T OCCURS 2.", "     10 N PIC 9.", "   05 A PIC X OCCURS 1 TO 3 DEPENDING ON N."],
            "line 4: A depends on N, no whole number before it",
        ),
        (["01 R.", "   05 A PIC X(3)", "   05 B PIC X."], "line 3: 05 is not understood"),
        (["01 R.", "   05 A PIC 9(4) COMP-1."], "line 2: A: COMP-1 has no picture"),
        (["01 R.", "   05 A PIC 9(4) SYNC."], "line 2: SYNC is not understood"),
        (["01 R.", "   05 A PIC X COMP-3."], "line 2: A: text cannot be PACKED-DECIMAL"),
        (["01 R.", "   05 A PIC 9(19) COMP."], "line 2: A: binary numbers have at most 18 digits"),
        (["01 R.", "   05 A PIC 9(32)."], "line 2: PIC 9(32) has 32 digits, at most 31"),
        (["01 R.", "   05 A PIC X(0)."], "line 2: A has no length"),
        (
            ["01 R.", "   05 A PIC X.", "   66 B RENAMES C."],
            "line 3: B renames C, which is no field of its own in the record",
        ),
        (
            ["01 R.", "   05 A PIC X.", "   05 B PIC X.", "   66 C RENAMES B THRU A."],
            "line 4: C renames B through A, which stands before it",
        ),
        (
            ["01 R.", "   05 A PIC X OCCURS 2.", "   66 B RENAMES A."],
            "line 3: B renames A, which is no field of its own in the record",
        ),
        (["66 B RENAMES A."], "line 1: B renames fields of no record"),
        (["01 R.", "   05 A PIC X.", "   66 B PIC X."], "line 3: level 66 without RENAMES: B"),
        (
            ["01 R.", "   05 A PIC X.", "   05 B REDEFINES C PIC X."],
            "line 3: B redefines C, which does not stand before it",
        ),
        (["01 R.", "   05 B REDEFINES R PIC X."], "line 2: B redefines R, which does not stand before it"),
        (["01 R.", "   05 A PIC X OCCURS 2.", "   05 B REDEFINES A PIC X."], "line 3: B redefines a table"),
        (["01 R.", "   05 A PIC X OCCURS 1 TO 3."], "line 2: OCCURS 1 TO 3 is not understood"),
        (["01 R.", "   05 A PIC X OCCURS 1 TO 3 DEPENDING ON N."], "line 2: A depends on N, no whole number before it"),
        (["01 R.", "   05 A PIC X.", "      10 B PIC X."], "line 3: B stands below A, which has a picture"),
        (["01 R.", "   05 A."], "line 2: A has neither picture nor fields"),
        (["01 R.", "   05 A PIC X.", "01 S.", "   05 B PIC X."], "line 3: a second record; say which is meant: R, S"),
        (["01 R.", "   05 A PIC X.", "01 R.", "   05 B PIC X."], "line 3: a second record R"),
        (["77 A PIC X.", "01 B.", "  05 C PIC X."], "line 2: a second record; say which is meant: A, B"),
        (["01 R.", "   05 A PIC X.", "      88 B VALUE 'X'", "   05 C PIC X."], "line 4: 'C' is no value"),
        (["01 R.", "   05 A PIC X VALUE B."], "line 2: 'B' is no value"),
        (["01 R.", "   05 A PIC X.", "   05 A PIC 9."], "line 3: a second A in R"),
        (["01 R.", "   05 A PIC X.", "   05 B PIC X.", "   05 A REDEFINES B PIC X."], "line 4: a second A in R"),
        (["01 R.", "   05 A PIC X COMP-2."], "line 2: A: COMP-2 has no picture"),
        (["01 R.", "   05 A PIC X(4) COMP-5."], "line 2: A: text cannot be COMP-5"),
        (["01 R.", "   05 A PIC 9P9."], "line 2: PIC 9P9 is not understood"),
        (["01 R.", "   05 A PIC 9(4)P(28)."], "line 2: PIC 9(4)P(28) has 32 digits, at most 31"),
        (["01 R.", "   05 A PIC 9(4) BLANK WHEN ZERO."], "line 2: BLANK is not understood"),
        (["01 R.", "   05 A PIC X(4) JUSTIFIED RIGHT."], "line 2: JUSTIFIED is not understood"),
        (["01 R.", "   05 A PIC G(4)."], "line 2: PIC G(4) is not understood"),
        (["01 R.", "   05 A PIC 9(4) NATIONAL."], "line 2: A: only pictures of N are understood as NATIONAL"),
        (["01 R.", "   05 A PIC N(4) COMP-3."], "line 2: A: text cannot be PACKED-DECIMAL"),
        (
            ["01 R.", "   05 A OCCURS 1 TO UNBOUNDED PIC X."],
            "line 2: the greatest number of occurrences: 'UNBOUNDED' is no number",
        ),
        (["01 R.", "   05 A PIC X VALUE 'X."], "line 2: a literal without an end"),
        (["01 R.", "   05 A PIC X"], "line 2: the last entry has no full stop"),
        (["01 R.", "   05 A PIC X SIGN LEADING."], "line 2: A: SIGN needs a signed DISPLAY number"),
        (["01 R.", "   05 A PIC X.", "   88 B."], "line 3: a condition without VALUE"),
        (["COPY OTHER."], "line 1: a level number: 'COPY' is no number"),
        ([""], "line 1: no record"),
        (["01 R.", "   05 A PIC."], "line 2: a picture is missing"),
        (["01 R.", "   05 A PIC X PIC X."], "line 2: A has two pictures"),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(lines: list[str], message: str) -> None:
    with pytest.raises(CopybookError) as caught:
        parse(copybook(*lines))
    assert str(caught.value) == message


def test_every_wrong_field_is_named_with_offset_and_bytes() -> None:
    layout = Layout.of(
        copybook("01 R.", " 05 A PIC 9(3).", " 05 B PIC S9(3) COMP-3.", " 05 C PIC 9(4) COMP.", " 05 D PIC X(2).")
    )
    with pytest.raises(Undecodable) as caught:
        layout.decode(b"\xf1\x40\xf3" + b"\x12\x3a" + b"\xff\xff" + b"\xc1\xc2")
    assert [str(error) for error in caught.value.errors] == [
        "A at byte 0: byte 1 holds no digit (hex f1 40 f3)",
        "C at byte 5: 65535 has more than 4 digits (hex ff ff)",
    ]
    assert caught.value.partial == {
        "A": Unreadable("A at byte 0: byte 1 holds no digit (hex f1 40 f3)"),
        "B": 123,
        "C": Unreadable("C at byte 5: 65535 has more than 4 digits (hex ff ff)"),
        "D": "AB",
    }
    with pytest.raises(Undecodable, match=r"B at byte 3: sign half-byte 4 is no sign \(hex 12 34\)"):
        layout.decode(b"\xf1\xf2\xf3\x12\x34\x00\x01\xc1\xc2")
    with pytest.raises(Undecodable, match="D at byte 7: 1 of 2 bytes"):
        layout.decode(b"\xf1\xf2\xf3\x12\x3c\x00\x01\xc1")
    with pytest.raises(Undecodable, match="R at byte 9: 1 bytes too many"):
        layout.decode(b"\xf1\xf2\xf3\x12\x3c\x00\x01\xc1\xc2\xc3")


@pytest.mark.parametrize(("sign", "value"), [("A", 12), ("B", -12), ("C", 12), ("D", -12), ("E", 12), ("F", 12)])
def test_all_signs(sign: str, value: int) -> None:
    layout = Layout.of(copybook("01 R.", " 05 P PIC S9(3) COMP-3.", " 05 Z PIC S9(2)."))
    assert layout.decode(bytes.fromhex(f"012{sign}F1{sign}2")) == {"P": value, "Z": value}


def test_values_of_conditions() -> None:
    record = parse(
        copybook(
            "01 R.",
            "   05 A PIC X.",
            "      88 LOW-ONE  VALUE X'00' LOW-VALUES ALL '*'.",
            "      88 SOME     VALUES ARE 'A' THRU 'C', 'it''s'",
            "                  WHEN SET TO FALSE IS 'Z'.",
            "   05 N PIC S9.",
            "      88 BELOW    VALUES -5 THROUGH -1 +2.",
        )
    )
    assert [[condition.values for condition in item.conditions] for item in record.children] == [
        [("X'00'", "LOW-VALUES", "*"), (("A", "C"), "it's")],
        [(("-5", "-1"), "+2")],
    ]


def test_a_count_out_of_its_range_is_refused() -> None:
    text = copybook("01 R.", " 05 N PIC 9.", " 05 T PIC X OCCURS 1 TO 3 TIMES DEPENDING ON N.", " 05 E PIC X.")
    layout = Layout.of(text)
    assert layout.decode(b"\xf2\xc1\xc2\xc3") == {"N": 2, "T": ["A", "B"], "E": "C"}
    for count in (b"\xf0", b"\xf4", b"\x40"):
        with pytest.raises(Undecodable, match="from 1 to 3 expected"):
            layout.decode(count + b"\xc1\xc2\xc3\xc4\xc5")


# --- any layout, any content -------------------------------------------------------------------------------------

_NUMBERS = ["", " COMP", " COMP-3", " SIGN LEADING SEPARATE", " SIGN TRAILING SEPARATE", " SIGN LEADING"]


@st.composite
def fields(draw: st.DrawFn, depth: int = 0) -> tuple[str, str]:
    """A field's picture and clauses, or the group marker."""
    kind = draw(st.sampled_from(["text", "number", "group"] if depth < 2 else ["text", "number"]))
    occurs = draw(st.sampled_from(["", "", " OCCURS 2 TIMES", " OCCURS 3"]))
    if kind == "text":
        return "field", f"PIC X({draw(st.integers(1, 12))}){occurs}"
    if kind == "group":
        return "group", occurs
    whole, scale = draw(st.integers(1, 9)), draw(st.integers(0, 4))
    signed = draw(st.booleans())
    usage = draw(st.sampled_from(_NUMBERS if signed else _NUMBERS[:3]))
    point = f"V9({scale})" if scale else ""
    return "field", f"PIC {'S' if signed else ''}9({whole}){point}{usage}{occurs}"


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    lines = ["01 R."]
    count = 0

    def level(depth: int) -> None:
        nonlocal count
        for _ in range(draw(st.integers(1, 4))):
            kind, text = draw(fields(depth))
            count += 1
            lines.append(f"   {depth * 5 + 5:02} F{count} {text}.")
            if kind == "group":
                level(depth + 1)

    level(0)
    return Layout(parse(copybook(*lines)))


def values(item: Item) -> st.SearchStrategy[Any]:
    """What a field may hold."""
    one: st.SearchStrategy[Any]
    if item.picture is None:
        one = st.fixed_dictionaries({child.name: values(child) for child in item.children})
    elif not item.picture.numeric:
        one = st.text("ABCXYZ019 .-/<é", max_size=item.picture.width).map(lambda text: text.rstrip())
    else:
        top = 10**item.picture.width - 1
        whole = st.integers(-top if item.picture.signed else 0, top)
        scale = item.picture.scale
        one = whole.map(lambda number: Decimal(number).scaleb(-scale)) if scale else whole
    if item.occurs is None:
        return one
    return st.lists(one, min_size=item.occurs.most, max_size=item.occurs.most)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_written_is_read_again(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    said = data.draw(values(layout.record))
    raw = layout.encode(said)
    assert len(raw) == layout.length
    assert layout.decode(raw) == said


@settings(max_examples=150, deadline=None)
@given(layouts(), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(layout: Layout, raw: bytes) -> None:
    try:
        said = layout.decode(raw)
    except Undecodable as error:
        refused = error.errors
    else:
        assert layout.decode(layout.encode(said)) == said
        return
    assert refused


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_a_copybook_or_is_refused(text: str) -> None:
    for attempt in (text, copybook(*text.splitlines()), copybook("01 R.", *text.splitlines())):
        with suppress(CopybookError):
            assert parse(attempt).size >= 1
