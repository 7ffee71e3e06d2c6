"""Batches of XML: what a document holds is the same in whatever pieces its bytes come, and each byte is read once."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from systems.sevis.build import NAMESPACE, batch, create, odd, several, update

from adapters.core import BadRecord, Closing, Header, Record
from adapters.formats import xml_batch
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.systems.sevis.adapter import FORMAT

DOCUMENTS = (
    batch([create(), update("Complete"), update("Transfer", prefix="p:")]).replace(
        "xmlns=", f"xmlns:p='{NAMESPACE}' xmlns=", 1
    ),
    batch(several(3), between="\n\n "),
    '<?xml version="1.0" encoding="utf-8"?>\n' + batch([create(person={"FamilyName": "Müller > & Söhne"})]) + "\n \n",
    batch([]),
)  # fmt: skip
PIECES = (
    "<", ">", "/", "'", "\n", "\r\n", " ", "\0", "\x0b", "\ufeff", "\ufffe", "é", "text", "]]>", "&#10;", "&amp;",
    "&x;", "&#0;", "<!-- -->", "<!-- </Result></UpdateStudent> -->", "<?x </BatchHeader>?>",
    "<![CDATA[</CreateStudent>]]>", "<Remarks/>", "<UpdateStudent/>", "</UpdateStudent>", "</BatchHeader>",
    "<p:UpdateEV></p:UpdateEV>", batch([])[60:200],
    " a='>'", f" xmlns='{NAMESPACE}'", " xmlns=''", " xmlns:Ö='urn:o'", " xmlns:\U00010000='urn:o'", " xml:lang='en'",
    "<?xml version='1.1'?>", "<?xml version='1.0' encoding='latin-1'?>", "<!DOCTYPE a>",
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Batches with something put in or taken away, most of it where tags begin and end."""
    text = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(0, 2))):
        tags = [result.start() for result in re.finditer("[<>]", text)]
        at = draw(st.sampled_from(tags) | st.integers(0, len(text))) + draw(st.integers(0, 1))
        piece = draw(st.sampled_from(PIECES) | st.text(max_size=3))
        text = text[:at] + piece + text[at + draw(st.sampled_from((0, 0, 0, 1, 30))) :]
    return text.encode(draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"))), "replace")


_EXPAT = re.compile(r"not well-formed: [^;]*")
"""What the parser says of a place where it cannot go on depends on how much it has seen."""


def reads(data: bytes) -> list[tuple[object, ...]]:
    """All that is told of a document."""
    return [
        (
            type(read),
            read.place,
            read.raw,
            _EXPAT.sub("not well-formed", read.reason) if isinstance(read, BadRecord) else repr(read.fields),
        )
        for read in FORMAT.read(BytesIO(data))
    ]


def in_pieces(data: bytes, size: int) -> list[tuple[object, ...]]:
    """All that is told of a document whose bytes come so many at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_batch, "_BLOCK", size)
        return reads(data)


def assert_pieces_do_not_matter(data: bytes, size: int) -> None:
    """What is told is the same as of the whole document, and every byte is in one read."""
    whole = reads(data)
    assert in_pieces(data, size) == whole
    assert b"".join(read[2] for read in whole if isinstance(read[2], bytes)) == data


@settings(max_examples=400, deadline=None)
@given(documents(), st.sampled_from((1, 2, 7, 100)))
def test_pieces_do_not_matter(data: bytes, size: int) -> None:
    assert_pieces_do_not_matter(data, size)


def both_ways(data: bytes, format: XmlBatchFormat = FORMAT) -> bool:
    """A document says the same by the short way and by the long one, if not that is left to it; whether it was not."""
    short = xml_batch._small(format, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_batch, "_small", lambda *_: None)
        assert short is None or list(format.read(BytesIO(data))) == short
    return short is not None


@settings(deadline=None)
@given(documents(), st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=2))
def test_a_small_document_says_the_same_by_both_ways(data: bytes, changes: list[tuple[int, int]]) -> None:
    both_ways(data)
    changed = bytearray(data)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    both_ways(bytes(changed))


@pytest.mark.parametrize(
    ("old", "new", "short"),
    [
        ("", "", True),
        ("<CreateStudent ", "\n  <CreateStudent\n  ", True),
        ("<CreateStudent ", "&#10;<CreateStudent ", True),
        ("</SEVISBatch>", " </SEVISBatch\n >\n\n", True),
        ("<FamilyName>", "<FamilyName>É", True),
        ("<FamilyName>", "<FamilyName>&amp;&#9; ", True),
        ("xmlns=", "a=' ' xmlns:b='urn:b' xmlns=", True),
        ("xmlns=", "a='>' xmlns=", False),
        ("</CreateStudent>", "</CreateStudent >", False),
        ("</CreateStudent>", "</CreateStudent>text", False),
        ("</CreateStudent>", "</CreateStudent><!-- -->", False),
        ("</CreateStudent>", "</CreateStudent>\r\n", False),
        ("</BatchHeader>", "</BatchHeader>text", False),
        ("<BatchHeader>", "text<BatchHeader>", False),
        ("<BatchHeader>", "<Remarks/><BatchHeader>", False),
        ("</SEVISBatch>", "<CreateStudent/></SEVISBatch>", False),
        ("<GivenName>", "<GivenName>&foo;", False),
        ("xmlns=", "a='\u00e9' xmlns=", False),
        ("xmlns=", f"{'a' * 300}='' xmlns=", False),
        ("xmlns=", " ".join(f"a{number}=''" for number in range(70)) + " xmlns=", False),
        ("RecordCount>3", "RecordCount>4", False),
        ("<CreateStudent ", "<CreateStudent unknown='' ", False),
    ],
)
def test_what_is_plain_and_right_takes_the_short_way_alone(old: str, new: str, short: bool) -> None:
    records = [create(), update("Complete"), create()]
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + batch(records, between="\n ")
    assert old in text
    assert both_ways(text.replace(old, new, 1).encode()) is short


@pytest.mark.parametrize("behind", ["", "\n", "<Second/>", "text" * 30_000])
def test_what_stands_behind_a_document_that_fills_a_block_is_read(behind: str) -> None:
    data = batch(several(3)).encode()
    data += b" " * (xml_batch._BLOCK - len(data)) + behind.encode()
    whole = reads(data)
    assert b"".join(read[2] for read in whole if isinstance(read[2], bytes)) == data
    assert in_pieces(data, 7_000) == whole
    assert (whole[-1][0] is Closing) is (not behind.strip())


@pytest.mark.parametrize("kinds", [xml_batch._KINDS, xml_batch._KINDS + 1])
def test_a_document_is_not_looked_through_for_thousands_of_names(kinds: int) -> None:
    data = b"<a>" + b"".join(b"<b%d>x</b%d>" % (number, number) for number in range(kinds)) + b"</a>"
    pieces = xml_batch._pieces(list(etree.fromstring(data)), data, 0)
    assert (pieces is None) is (kinds > xml_batch._KINDS)


def test_a_short_way_that_takes_no_notice_of_text_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_batch, "_stray", lambda _: False)
    with pytest.raises(AssertionError):
        both_ways(batch(several(3), between=" stray ").encode())


def test_odd_documents_in_pieces() -> None:
    for data in odd().values():
        assert_pieces_do_not_matter(data, 3)


def test_right_documents_are_read_whole() -> None:
    kinds = [kind for kind, *_ in reads(batch(several(3)).encode())]
    assert kinds == [Header, Record, Record, Record, Closing]


def test_a_reader_that_forgets_with_each_piece_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = xml_batch._Cutter.feed

    def forgetful(self: xml_batch._Cutter, data: bytes, *, last: bool) -> None:
        self._stray = False
        feed(self, data, last=last)

    monkeypatch.setattr(xml_batch._Cutter, "feed", forgetful)
    data = batch(several(3), between=" stray ").encode()
    assert in_pieces(data, 1) != reads(data)


NIEM = """<b:Batch xmlns:b="urn:x" xmlns:s="http://release.niem.gov/niem/structures/5.0/"
 xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b:Head><b:Count>2</b:Count></b:Head>
<b:Row><b:Name>A</b:Name><b:Name>B</b:Name><b:Born i:nil="true"/></b:Row>
<b:Row><b:Name s:id="n">C</b:Name><b:Name s:ref="n"/><b:Born s:ref="gone"/></b:Row></b:Batch>"""
_ROW = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"
 elementFormDefault="qualified"><xs:element name="Head"><xs:complexType><xs:sequence><xs:element name="Count"
 type="xs:int"/></xs:sequence></xs:complexType></xs:element><xs:element name="Row"><xs:complexType mixed="true">
 <xs:sequence><xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
 </xs:element></xs:schema>"""
_SCHEMA = etree.XMLSchema(etree.fromstring(_ROW))
NIEM_FORMAT = XmlBatchFormat(_SCHEMA, "urn:x", "Batch", "Head", frozenset({"Row"}), "Count", repeats=True)


@settings(deadline=None)
@given(st.integers(0, len(NIEM) - 1), st.integers(0, 9), st.sampled_from(("", *PIECES, "i:nil='1'", "<b:Row/>")))
def test_a_small_document_of_such_elements_says_the_same_by_both_ways(place: int, less: int, piece: str) -> None:
    both_ways((NIEM[:place] + piece + NIEM[place + less :]).encode(), NIEM_FORMAT)


def test_records_without_content_are_told_from_elements_of_their_name_inside_others() -> None:
    rows = "<Row/><p:Row><Row>x</Row></p:Row>"
    text = f"<Batch xmlns='urn:x' xmlns:p='urn:x'><Head><Count>2</Count></Head>{rows}</Batch>"
    assert not both_ways(text.encode(), NIEM_FORMAT)
    assert both_ways(text.replace("<Row/>", "<Row>y</Row>").replace("<Row>x</Row>", "x").encode(), NIEM_FORMAT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_elements_that_come_several_times_are_nil_or_refer(encoding: str) -> None:
    assert both_ways(NIEM.encode(encoding), NIEM_FORMAT) is (encoding == "utf-8")
    results = list(NIEM_FORMAT.read(BytesIO(NIEM.encode(encoding))))
    assert [dict(read.fields) for read in results if isinstance(read, Record)] == [
        {"@element": "Row", "Name": ("A", "B")},
        {"@element": "Row", "Name": ("C", "C"), "@lost": ["Born"]},
    ]
    assert isinstance(results[-1], Closing)
