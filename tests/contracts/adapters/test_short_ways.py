"""Where a reader has a short way for what most files hold, it says there what the long way says, of any bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import pytest
from formats.copybook.test_copybook import copybook, layouts, values
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from strategies import moments
from systems.i94.build import LAYOUT

from adapters.dates import moment_of
from adapters.fields import Fields
from adapters.formats import edifact, plan, xml_batch, xml_message, xml_plain
from adapters.formats.ebcdic import Conventions
from adapters.formats.edifact import Outside, Piece, Run, Segment, Tokens
from adapters.formats.layout import Layout, Undecodable

# --- segments ----------------------------------------------------------------------------------------------------

HEAD = b"UNA:+.? 'UNB+UNOA:4+LA:ZZ+USCSAPIS:ZZ+241101:1436+1++APIS'UNH+1+PAXLST:D:05B:UN:IATA'"
FRAGMENTS = (
    b"NAD+FL+++SOARES:LARISSA'", b"ATT+2++F'", b"\r\nDTM+329:19940528'\r\n", b" ", b"\n", b"?", b"'", b"+", b":", b"??",
    b"NAD+FL+++O?'HARA:ANN'", b"N\nAT+2+BRA'", b"nat+2+BRA'", b"NATX+2'", b"FTX+\x00'", b"FTX+\xe9'", b"FTX+\x7f'",
    b"UNA:+.? '", b"UNA:+.?\n'", b"UNA+:.?*~", b"UNA:+.  \n", b"NAD+A:B~", b"UNB\x1dUNOB\x1f4\x1dA\x1c",
    b"UNB+UNOC:3+A'", b"UNB+UNOW:4+A'", b"UNB+WHAT:4+A'", b"FTX+\xc3\xa9'", b"FTX+\xc2\xa0'", b"UNT+2+1'",
    b"UNZ+1+1'", b"UNZX+1'", b"x" * 300, b"RFF+" + b"9" * 8180 + b"'", b" " * 8190 + b"RFF+1'",
    b" " * 8191 + b"RFF+1'", b"RFF+AVF" + b" " * 9000,
)  # fmt: skip


class LongWay(Tokens):
    """Every segment looked at closely."""

    __slots__ = ()

    def _plain(self) -> Run | None:
        return None


def reported(tokens: Tokens) -> list[object]:
    """Each segment and what is outside, with its place and bytes, and what was counted where an interchange may end."""
    results: list[object] = []
    before = ""
    for piece in tokens.pieces():
        if isinstance(piece, Outside):
            results += [dict(tokens.tolerated), piece]
            before = ""
            continue
        start = 0
        for segment, end in zip(piece.segments, piece.ends, strict=True):
            if segment.tag == "UNA" or (segment.tag == "UNB" and before != "UNA"):
                assert len(piece.segments) == 1, "what is counted may be of another interchange"
                results.append(dict(tokens.tolerated))
            results.append((segment, piece.offset + start, piece.raw[start:end]))
            start, before = end, segment.tag
        assert start == len(piece.raw)
    return [*results, dict(tokens.tolerated)]


def agree(rest: bytes) -> None:
    """Both ways say the same of an interchange that goes on so, or is met after it."""
    for data in (HEAD + rest, rest + HEAD + rest):
        assert reported(Tokens(BytesIO(data))) == reported(LongWay(BytesIO(data)))


@given(st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=8), max_size=30).map(b"".join))
@example(b"NAD+FL+++O?'HARA:ANN'FTX+A'")
@example(b"\r\n".join(FRAGMENTS))
def test_segments_are_the_same_by_the_short_way_and_by_the_long_one(rest: bytes) -> None:
    agree(rest)


def test_a_short_way_that_forgets_line_ends_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = edifact._plain_segment

    def wrong(blanks: str, component: str, element: str, release: str, text: str) -> Segment | None:
        return right(blanks, component, element, release, text.replace("\n", ""))

    edifact._short_ways.cache_clear()
    monkeypatch.setattr(edifact, "_plain_segment", wrong)
    with pytest.raises(AssertionError):
        agree(b"N\nAT+2+BRA'")
    edifact._short_ways.cache_clear()


def test_segments_counted_with_another_interchange_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edifact, "_BOUNDS", frozenset())
    with pytest.raises(AssertionError):
        agree(b"\r\nUNB+UNOA:4+A'\r\nNAT+2+BRA'")


def test_the_short_way_is_taken() -> None:
    closely: list[int] = []

    class Counting(Tokens):
        """Tells how often a segment is looked at closely."""

        __slots__ = ()

        def _segment(self) -> Iterator[Piece]:
            closely.append(1)
            yield from super()._segment()

    pieces = list(Counting(BytesIO(HEAD + b"NAD+FL+++SOARES:LARISSA'\r\n" * 1000)).pieces())
    assert sum(len(piece.segments) for piece in pieces if isinstance(piece, Run)) == 1003
    assert len(closely) < 10


# --- records by copybook -----------------------------------------------------------------------------------------


def by_field(layout: Layout, data: bytes) -> dict[str, Any] | str:
    """What the long way says: the fields, or what is wrong with them."""
    try:
        return layout.decode_by_field(data)
    except Undecodable as error:
        return str(error)


def alike(layout: Layout, data: bytes) -> bool:
    """The plan says what the long way says, types and order of the fields too, or leaves it to that; whether it did."""
    if layout.plan is None:
        raise AssertionError("no plan")
    planned = layout.plan.read(data)
    assert planned is None or repr(planned) == repr(by_field(layout, data))
    return planned is not None


@pytest.mark.slow
@settings(deadline=None)
@given(st.data())
def test_a_plan_reads_what_was_written_and_nothing_else_than_the_long_way(data: st.DataObject) -> None:
    layout = data.draw(layouts())
    raw = bytearray(layout.encode(data.draw(values(layout.record))))
    alike(layout, bytes(raw))
    for _ in range(3):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        alike(layout, bytes(raw))
    alike(layout, data.draw(st.binary(max_size=300)))


I94_DETAIL = LAYOUT.encode(
    {
        "RECORD-TYPE": "D",
        "DETAIL-BODY": {
            "TXN-TYPE": "A",
            "TXN-NUMBER": 17,
            "FAMILY-NAME": "PEÑA",
            "ARRIVAL-DATA": {"ADMISSION-CLASS": "B2", "ADMITTED-UNTIL": 20250314},
        },
    }
)
PLACES = st.tuples(st.integers(0, LAYOUT.length - 1), st.integers(0, 255))


@given(st.lists(PLACES, max_size=4), st.sampled_from("HDT?"), st.sampled_from("ADX?"))
def test_a_plan_with_choices_reads_what_the_long_way_reads(changes: list[tuple[int, int]], one: str, two: str) -> None:
    raw = bytearray(I94_DETAIL)
    raw[:2] = (one + two).encode("cp037")
    for place, byte in changes:
        raw[place] = byte
    alike(LAYOUT, bytes(raw))


def test_nearly_all_is_read_by_plan() -> None:
    assert alike(LAYOUT, I94_DETAIL)
    assert not alike(LAYOUT, I94_DETAIL[:-1])
    assert not alike(LAYOUT, I94_DETAIL + b"@")


def test_a_plan_that_takes_any_half_byte_for_a_sign_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytearray(LAYOUT.encode({"RECORD-TYPE": "D", "DETAIL-BODY": {"TXN-TYPE": "D", "TXN-NUMBER": 17}}))
    raw[8] = raw[8] & 0xF0 | 0xD
    assert not alike(LAYOUT, bytes(raw))
    monkeypatch.setattr(plan, "_PLUS", "cdf")
    with pytest.raises(AssertionError):
        alike(LAYOUT, bytes(raw))


def test_where_places_are_not_fixed_or_bytes_no_characters_there_is_no_plan() -> None:
    table = copybook("01 R.", "  05 N PIC 9.", "  05 T OCCURS 0 TO 5 DEPENDING ON N PIC X.")
    assert Layout.of(table).plan is None
    one = copybook("01 R.", "  05 N PIC 9.")
    assert all(Layout.of(one, page).plan is not None for page in ("cp037", "cp500"))
    text = Conventions(ascii=True)
    assert all(Layout.of(one, page, conventions=text).plan is None for page in ("ascii", "utf-8", "latin-1"))
    assert Layout.of(copybook("01 R.", "  05 T OCCURS 9999 PIC X.")).plan is None


# --- elements ----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(("A", "a.b", "é", "x" * 90, "n:A", "n:b-c"))
TEXTS = st.text("A \t\n\r\u00a0\u3000é,<>&}{", max_size=12).map(escape)


def markup(name: str, inside: str) -> str:
    """An element, with its namespaces and a few attributes."""
    return f"<{name} xmlns='urn:one' xmlns:n='urn:two' a=' x  y ' n:b='1'>{inside}</{name}>"


ELEMENTS = st.recursive(
    st.builds(markup, NAMES, TEXTS), lambda inner: st.builds(markup, NAMES, st.lists(inner).map("".join)), max_leaves=8
).map(lambda text: etree.fromstring(text.encode()))


def batched(element: etree._Element) -> dict[str, Any]:
    """What `xml_batch` takes from an element, by the library's own names and the XSD's rule for a token."""
    results = {f"@{name}": token(str(value)) for name, value in element.items() if not str(name).startswith("{")}
    for child in element:
        results[etree.QName(child).localname] = batched(child) if len(child) else token(child.text or "")
    return results


def token(text: str) -> str:
    """Blanks of XML around a value taken away, those inside counted once."""
    return " ".join(re.split("[ \t\r\n]+", text.strip(" \t\r\n")))


def pushed(element: etree._Element) -> Any:
    """What `xml_message` takes from an element, by the library's own names."""
    if not len(element):
        return " ".join((element.text or "").split())
    by_name: dict[str, list[Any]] = {}
    for child in element:
        by_name.setdefault(str(etree.QName(child).localname)[:80], []).append(pushed(child))
    return {name: tuple(each) if all(isinstance(one, str) for one in each) else each for name, each in by_name.items()}


@settings(deadline=None)
@given(ELEMENTS)
def test_elements_have_the_content_that_the_library_tells(element: etree._Element) -> None:
    assert repr(xml_batch._content(element)) == repr(batched(element))
    assert repr(xml_message._content(element)) == repr(pushed(element))
    name = etree.QName(element)
    for space in ("urn:one", "urn:two", ""):
        assert xml_batch._name(element, space) == (name.localname if name.namespace == space else None)


# --- where the children of a root begin --------------------------------------------------------------------------

AMONG = (
    "\n",
    "\r\n",
    "é",
    "<!--<a>-->",
    "<![CDATA[<a >]]>",
    "<?a <a/>?>",
    "<a/>",
    "<a>\n</a>",
    "<ab/>",
    "<b:a/>",
    "<x:a/>",
)
CHILDREN = ("<a/>", "<a\nc='>'/>", "<b:a/>", "<ab/>", "<é/>", f"<{'a' * 90}/>")


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Mostly children of one name, with anything between and in them."""
    among = st.lists(st.sampled_from(AMONG), max_size=3).map("".join)
    name = draw(st.sampled_from(("a", "b:a", "x:a", "é", "a" * 90)))
    children = draw(st.lists(st.builds(f"<{name}>{{}}</{name}>".format, among) | st.sampled_from(CHILDREN), max_size=5))
    text = draw(st.sampled_from(("", "\ufeff", "<?xml version='1.0'?>\n"))) + "<r xmlns:b='urn:b' xmlns:x='urn:b'>"
    between = st.sampled_from(("", "\n", "  ", "<!--<a>-->"))
    return (text + "".join(child + draw(between) for child in children) + "</r>").encode()


def cut_alike(data: bytes) -> bool:
    """The names in the bytes say where children begin as the parser does, or leave it to that; whether they did."""
    cutter = xml_message._Cutter()
    cutter.cut(data)
    result = xml_message._starts_of(list(etree.fromstring(data, xml_message.safe_parser())), data)
    assert result is None or result == cutter.starts
    return result is not None


@settings(deadline=None)
@given(documents())
@example(b"<r><a><a/></a><b/></r>")
@example(b"<a><a/></a>")
@example(b"<r>\r<a/></r>")
def test_children_begin_where_the_parser_says(data: bytes) -> None:
    cut_alike(data)


def test_nearly_all_are_found_by_name() -> None:
    assert cut_alike(b"<r>\n<a/>\n<a><b/></a></r>")
    assert not cut_alike(b"<r><a><a/></a></r>")


def test_children_of_two_names_that_are_taken_for_one_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_message, "any", lambda _: False, raising=False)
    with pytest.raises(AssertionError):
        cut_alike(b"<r><a><a/></a><b/></r>")


PIECES = (
    '<?xml version="1.0"?>', "<?xml version='1.0' encoding='UTF-8'?>\n", "<?xml version='1.1'?>",
    "<?xml encoding='x'?>", "<r>", "</r>", "<r xmlns:b='urn:b'>", "<b:a/>", "<a c='1' c='2'/>", "<a c=1/>", "&amp;",
    "<a c='<'/>", "&amp",
    "&foo;", "&#1;", "&#xFFFE;", "&#xD800;", "&#65;", "]]>", "<!--x-->", "<!DOCTYPE r>", "<?r x?>", "<?XML x?>", "\0",
    "\x01", "\x7f", "\x0c", "\t", "\r\n", "text", "é", "<:a/>", "<a:b:c/>", "<xmlns:a/>", "<a xml:space='no'/>",
    "<a xmlns='x'/>", "<é/>", "<a é='1'/>", "<a b='é'/>", "<a b='>' é='1'/>", "\ufffe", "\x85", "\U00010000",
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(PIECES[:5]), st.lists(st.sampled_from(PIECES), max_size=4).map("".join))
@example(PIECES[1], "<a/>")
def test_a_message_that_is_read_by_one_parser_is_one_to_the_other(begin: str, text: str) -> None:
    for data in (f"{begin}<r>{text}</r>".encode(), f"{begin}{text}".encode()):
        if xml_plain.plain(data) is not None:
            xml_message._Cutter().check(data)


def test_most_messages_are_read_by_one_parser() -> None:
    assert xml_plain.plain(b'<?xml version="1.0" encoding="UTF-8"?>\n<r><a>&lt;&#65;</a></r>\n') is not None
    assert xml_plain.plain(b"<r/>") is not None
    assert xml_plain.plain(b"<r><a b='>'/></r>") is not None
    assert xml_plain.plain("<r><a>é</a></r>".encode()) is not None


def test_odd_bytes_are_left_to_the_other_parser() -> None:
    assert xml_plain.plain("<?xml version='1.0' encoding='iso-8859-1'?><r>é</r>".encode()) is None
    assert xml_plain.plain("<r>é</r>".encode("latin-1")) is None
    assert xml_plain.plain(b"<r>\xed\xa0\x80</r>") is None
    assert xml_plain.plain("<r><a b='>' é='1'/></r>".encode()) is None
    assert xml_plain.plain("<r é='1'/>".encode()) is None


def test_entities_that_are_left_to_one_parser_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_plain, "plain", lambda data: etree.fromstring(data, etree.XMLParser(recover=True)))
    with pytest.raises(xml_message._Refused):
        test_a_message_that_is_read_by_one_parser_is_one_to_the_other.hypothesis.inner_test("<r>", "&foo;")


# --- texts -------------------------------------------------------------------------------------------------------


@given(st.text("A \t\n\r\x0b\u00a0\u3000\u2028é", max_size=12))
def test_blanks_are_collapsed_as_in_a_token(text: str) -> None:
    assert xml_batch._collapsed(text) == token(text)


# --- moments -----------------------------------------------------------------------------------------------------


@given(st.integers(-(10**6), 10**16) | st.datetimes().map(lambda at: int(f"{at:%Y%m%d%H%M%S}")))
@example(20240229235960)
@example(20240229235961)
@example(20230229000000)
@example(101000000)
def test_digits_are_the_moment_that_the_library_reads(digits: int) -> None:
    expected = result = None
    with suppress(ValueError):
        expected = datetime.strptime(f"{digits:014}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    with suppress(ValueError):
        result = moment_of(digits, "WHEN")
    assert result == expected


@given(moments)
def test_a_moment_counts_in_a_digest_as_pydantic_writes_it(moment: object) -> None:
    whole, text = Fields({"at": moment}), Fields({"at": str(moment)})
    assert str(whole["at"]) == text["at"]
    assert whole.digest() == text.digest()
