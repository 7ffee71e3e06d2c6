"""XML documents of a header and records, one level below the root: cut by expat, read and checked record by record.

Two parsers, each for what it does best. Expat walks through the document as it comes and tells where in the bytes each
child of the root begins and ends; it keeps nothing, and stops at a document type declaration, so that there are no
entities to expand or to fetch. What was cut out is read by lxml (hardened) and checked against the XSD alone: a bad
record costs only itself. Every byte is in the `raw` of exactly one read. A small document in which nothing is odd or
wrong takes a short way, lxml alone, which says the same of it. An lxml parser that is fed piece by piece was
not taken: it shares a dictionary with its thread, and a batch is read on by whichever thread is free.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from io import BytesIO
from itertools import chain
from threading import Lock
from typing import Any, BinaryIO, cast
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from lxml import etree

from adapters.core import BadRecord, Closing, Header, Met, Note, Read, Record
from adapters.fields import Fields as Reading
from adapters.formats.xml_message import content_of
from adapters.formats.xml_plain import parsed, root_begins
from adapters.formats.xml_safe import NAME, OutOfBounds, check_element, safe_parser, surely_bounded
from adapters.formats.xml_valid import fits, is_nil, unmark

Fields = Mapping[str, Any]
_BLOCK = 2**16
_BLANKS = " \t\r\n"
_CODECS = {
    "utf-8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""Encodings that expat and Python read alike; with others what a byte means depends on the machine."""


def accept(_: Reading) -> None:
    """No more to check in a header."""


@dataclass(frozen=True, slots=True)
class XmlBatchFormat:
    """Reads such documents. `schema` has the header and each kind of record as elements of their own.

    A record's fields are its content, and the element's name as `@element`. Content is text, or a mapping with
    attributes as `@name`; blanks are collapsed, no element comes twice beside itself. With `repeats` it is as
    `XmlMessageFormat` has it: elements may come several times, be nil, or refer to others of the record. The closing
    comes once the document was read to its end and the header's `count` agrees. `check` looks at a header and raises
    ValueError; without a header that holds no record is read.
    """

    schema: etree.XMLSchema
    namespace: str
    root: str
    header: str
    records: frozenset[str]
    count: str
    check: Callable[[Reading], None] = accept
    repeats: bool = False
    longest: int = 2**20  # bytes of a record with what stands before it
    lock: Lock = field(default_factory=Lock, compare=False, repr=False)  # a schema has one log for all threads

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        data, more = stream.read(_BLOCK), stream.read(_BLOCK)
        if not more and (reads := _small(self, data)) is not None:
            yield from reads
            return
        reading = _Reading(self, _Cutter(self))
        for piece in chain(filter(None, (data, more)), iter(partial(stream.read, _BLOCK), b"")):
            yield from reading.take(piece)
        yield from reading.end()

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A record behind its header, at its number; that the document breaks off behind it is no matter."""
        if met.context is None or met.ordinal is None:
            reason = "nothing says which header it stood behind: read its batch again"
            yield BadRecord(reason, place=met.place, raw=raw)
            return
        for read in self.read(BytesIO(met.context + raw)):
            if isinstance(read, Record):
                yield replace(read, number=met.ordinal)
                return
            if not isinstance(read, Note):
                yield read
                return


class _Refused(Exception):
    """The document is not read on; the message says why, `line` from where."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Why a child of the root is refused, and the line where that shows if it is not where it begins."""

    why: str
    line: int | None = None

    def of(self, cut: _Cut, raw: bytes) -> BadRecord:
        """The refusal."""
        where = f", wrong in line {self.line}" if self.line not in (None, cut.line) else ""
        return BadRecord(self.why, place=f"line {cut.line}{where}", raw=raw)


@dataclass(slots=True)
class _Cut:
    """A child of the root: where its start tag begins, and where what follows it does."""

    start: int
    line: int
    stray: bool  # text before it
    last: int = 0  # where its end tag begins; behind it if the start tag is the end tag as well
    end: int = 0
    beyond: str = ""  # why it is out of bounds, if so


class _Cutter:
    """Finds the children of the root in a document that comes in pieces. Keeps no content."""

    def __init__(self, format: XmlBatchFormat) -> None:
        self._format = format
        self._stray = False
        self._open: _Cut | None = None
        self.half: _Cut | None = None  # read to its end tag; how long that is, is not known yet
        self.cuts: list[_Cut] = []
        self.codec = "utf-8"  # unless the first bytes say another
        self.tag = (b"", b"")  # the root's start tag with its namespaces alone, and its end tag
        self.stray = False  # text behind the last record
        self._expat = expat.ParserCreate()
        self._expat.XmlDeclHandler = self._declaration
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.StartElementHandler = self._root
        self._inside = self._handlers_inside()

    def _handlers_inside(self) -> tuple[Callable[..., None], Callable[..., None]]:
        """What takes the tags inside a child of the root, nearly all there are: how deep they are, and their bounds."""
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if attributes or len(name) > NAME:
                self._bound(name, attributes)

        def stop(_: str) -> None:
            nonlocal depth
            if depth:
                depth -= 1
            else:
                self._child_ends()

        return start, stop

    def feed(self, data: bytes, *, last: bool) -> None:
        """Take the next piece. Raises _Refused."""
        try:
            self._expat.Parse(data, last)
        except expat.ExpatError as error:
            raise _Refused(f"not well-formed: {expat.ErrorString(error.code)}", error.lineno) from None

    @property
    def line(self) -> int:
        """Where it stands."""
        return self._expat.CurrentLineNumber

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0":
            raise _Refused(f"XML {version[:10]}", self.line)
        if encoding is None:
            return
        codec = _CODECS.get(encoding.lower())
        if codec is None:
            raise _Refused(f"encoding {encoding[:40]!r}; understood are {', '.join(_CODECS)}", self.line)
        self.codec = codec

    def _doctype(self, *_: object) -> None:
        raise _Refused("a document type declaration, which is not read", self.line)

    def _bound(self, name: str, attributes: dict[str, str]) -> None:
        """Note the first tag of a child that is out of bounds: the child is not parsed then."""
        try:
            check_element(name, attributes)
        except OutOfBounds as error:
            if self._open is not None:
                self._open.beyond = self._open.beyond or str(error)

    def _child_begins(self, name: str, attributes: dict[str, str]) -> None:
        at = self._expat.CurrentByteIndex
        self._close_until(at)
        self._open, self._stray = _Cut(at, self.line, self._stray), False
        self._bound(name, attributes)
        self._listen(between=False)
        self._expat.StartElementHandler, self._expat.EndElementHandler = self._inside

    def _child_ends(self) -> None:
        if self._open is not None:
            self._open.last = self._expat.CurrentByteIndex
            self.half, self._open = self._open, None
        self._listen(between=True)

    def _root_ends(self, _: str) -> None:
        self._close_until(self._expat.CurrentByteIndex)
        self.stray = self._stray
        self._listen(between=False)

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        try:
            check_element(name, attributes)
            spaces = [(key, value) for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")]
            resolved, self.tag = _resolved(name, tuple(spaces))
        except OutOfBounds as error:
            raise _Refused(str(error), self.line) from None
        except (etree.LxmlError, ValueError):
            raise _Refused("a root whose name or namespace is none", self.line) from None
        if resolved != (self._format.namespace, self._format.root):
            expected = f"{self._format.root} in {self._format.namespace}"
            raise _Refused(f"the root is {name[:80]!r}, {expected} expected", self.line)
        self._listen(between=True)

    def _listen(self, *, between: bool) -> None:
        """Between two records everything is told, because the first thing there ends the record before it."""
        self._expat.CharacterDataHandler = self._text if between else None
        self._expat.DefaultHandler = self._other if between else None
        if between:
            self._expat.StartElementHandler, self._expat.EndElementHandler = self._child_begins, self._root_ends

    def _text(self, text: str) -> None:
        self._close_until(self._expat.CurrentByteIndex)
        self._stray = self._stray or bool(text.strip(_BLANKS))

    def _other(self, _: str) -> None:
        self._close_until(self._expat.CurrentByteIndex)

    def _close_until(self, end: int) -> None:
        if self.half is not None:
            self.half.end = end
            self.cuts.append(self.half)
            self.half = None


@dataclass(slots=True)
class _Reading:
    """What is known of a document half read."""

    format: XmlBatchFormat
    cutter: _Cutter
    held: bytearray = field(default_factory=bytearray)  # bytes that no read has yet
    base: int = 0  # place of the first of them in the document
    begin: bytes = b""  # the first two, which tell UTF-16
    header: Fields | None = None
    number: int = 0
    broken: tuple[str, str] | None = None  # reason and place; nothing is read behind it

    def take(self, data: bytes) -> Iterator[Read]:
        """What the next piece completes."""
        self.begin = (self.begin + data[:2])[:2]
        self.held += data
        if self.broken is None:
            yield from self._feed(data, last=False)
        while self.broken is not None and len(self.held) >= self.format.longest:
            yield self._rest()

    def end(self) -> Iterator[Read]:
        """What the end of the document says."""
        if self.broken is None:
            yield from self._feed(b"", last=True)
        if self.broken is None:
            yield self._closing()
        while self.held:
            yield self._rest()

    def _feed(self, data: bytes, *, last: bool) -> Iterator[Read]:
        refused = None
        try:
            self.cutter.feed(data, last=last)
        except _Refused as error:
            refused = error
        cuts, self.cutter.cuts = self.cutter.cuts, []
        yield from map(self._read, cuts)
        if refused is None and len(self.held) > self.format.longest:
            refused = _Refused(f"more than {self.format.longest} bytes without the end of a record", self.cutter.line)
        if refused is not None:
            yield from self._break_off(refused)

    def _break_off(self, refused: _Refused) -> Iterator[Read]:
        """The document cannot be read on. A record whose end tag was seen stands."""
        half = self.cutter.half
        if half is not None and (cut := self._finished(half)) is not None:
            yield self._read(cut)
        self.broken = (f"{refused}; the rest of the document cannot be told apart", f"line {refused.line}")
        if not self.held:
            yield self._rest()

    def _rest(self) -> BadRecord:
        """Bytes that cannot be told apart, as many as a dead letter may well hold."""
        why, place = self.broken or ("", "")
        at = self.base
        return BadRecord(why, place=f"{place}, byte {at}", raw=self._cut_off(min(len(self.held), self.format.longest)))

    def _finished(self, half: _Cut) -> _Cut | None:
        """A record of which only the length of its end tag is not known, if it has one."""
        tail = self.held[half.last - self.base :].decode(self._codec, "replace")
        tag = tail[: tail.find(">") + 1].encode(self._codec, "replace")
        for end in (half.last, half.last + len(tag)):
            cut = replace(half, end=end)
            if not isinstance(self._element(cut), _Wrong):
                return cut
        return None

    def _read(self, cut: _Cut) -> Read:
        """One child of the root."""
        result = self._element(cut)
        raw = self._cut_off(cut.end - self.base)
        if isinstance(result, _Wrong):
            self.number += 1
            return result.of(cut, raw)
        name = _name(result, self.format.namespace)
        if name == self.format.header:
            return self._take_header(result, cut, raw)
        self.number += 1
        wrong = self._wrong(result, name, cut)
        if wrong is not None:
            return wrong.of(cut, raw)
        fields = _fields(self.format, result, raw) | {"@element": name}
        return Record(f"line {cut.line}", raw, fields, self.header or {}, self.number)

    def _wrong(self, element: etree._Element, name: str | None, cut: _Cut) -> _Wrong | None:
        if name not in self.format.records:
            known = ", ".join(sorted(self.format.records))
            return _Wrong(f"{etree.QName(element).localname[:80]!r} is none of {known}")
        if cut.stray:
            return _Wrong("text between the records")
        if self.header is None:
            return _Wrong("no header that can be read stands before it")
        return self._invalid(element, cut)

    def _take_header(self, element: etree._Element, cut: _Cut, raw: bytes) -> Read:
        wrong = _Wrong("text before the header") if cut.stray else self._invalid(element, cut)
        if self.header is not None:
            wrong = _Wrong("a second header")
        header = {} if wrong else _content(element)
        if wrong is None:
            try:
                self.format.check(Reading(header))
            except ValueError as error:
                wrong = _Wrong(str(error))
        if wrong is not None:
            return wrong.of(cut, raw)
        self.header = header
        return Header(f"line {cut.line}", raw, header)

    def _closing(self) -> Read:
        place, raw = f"line {self.cutter.line}", self._cut_off(len(self.held))
        if self.header is None:
            return BadRecord("the document ends without a header that can be read", place=place, raw=raw)
        if self.cutter.stray:
            return BadRecord("text behind the records", place=place, raw=raw)
        said = self.header[self.format.count]
        if int(said) != self.number:
            result = f"{self.format.count} is {said}, the document has {self.number} records"
            return BadRecord(result, place=place, raw=raw)
        return Closing(place, raw, header=self.header)

    def _element(self, cut: _Cut) -> etree._Element | _Wrong:
        """The element in its namespaces, or why it is none."""
        start, end = (at - self.base for at in (cut.start, cut.end))
        opening, closing = self.cutter.tag
        try:
            data = bytes(self.held[start:end])
            if self._codec != "utf-8":  # which the parser checks by itself
                data = data.decode(self._codec).encode()
            if cut.beyond:
                return _Wrong(cut.beyond)
            element = etree.fromstring(b"".join((opening, data, closing)), safe_parser())[0]
        except UnicodeDecodeError:
            return _Wrong(f"characters that are none in {self._codec}")
        except etree.XMLSyntaxError as error:
            why = _PLACE.sub("", error.msg or "")[:200]
            return _Wrong(f"not well-formed: {why}", cut.line + (error.lineno or 1) - 1)
        return _unmarked(element) if b":nil" in data or b":type" in data else element

    def _invalid(self, element: etree._Element, cut: _Cut) -> _Wrong | None:
        """What is not as the schema has it, without the value: reasons go into logs and receipts."""
        with self.format.lock:
            if fits(self.format.schema, element):
                return None
            error = next(iter(cast(Iterable[Any], self.format.schema.error_log)))
        return _Wrong(_without_values(error.message), cut.line + error.line - 1)

    @property
    def _codec(self) -> str:
        return _by_first_bytes(self.begin) or self.cutter.codec

    def _cut_off(self, size: int) -> bytes:
        data = bytes(self.held[:size])
        del self.held[:size]
        self.base += size
        return data


def _small(format: XmlBatchFormat, data: bytes) -> list[Read] | None:
    """What is in a small document, read by lxml alone; None if anything in it is odd or wrong, for the long way."""
    begins = root_begins(data)
    if begins is None or b"\r" in data or len(data) > format.longest or not surely_bounded(data):
        return None  # expat counts lines by \r too
    root = parsed(data)
    if root is None or _name(root, format.namespace) != format.root or _stray(root.text):
        return None
    children = list(root)
    pieces = _pieces(children, data, begins)
    if pieces is None or any(_stray(child.tail) for child in children):
        return None
    for child, (_, raw) in zip(children, pieces, strict=True):
        if b":nil" in raw or b":type" in raw:
            _unmarked(child)
    with format.lock:
        if not all(fits(format.schema, child) for child in children):
            return None
    return _right(format, children, pieces, data)


def _pieces(children: list[etree._Element], data: bytes, begins: int) -> list[tuple[int, bytes]] | None:
    """The line where each child of the root begins, and its bytes with those before it; None if that is in doubt.

    `data` is plain, so an end tag that is met as often as there are children of its name ends each of them, where each
    has one: of one without content that is in doubt.
    """
    if not all(len(child) or child.text for child in children):
        return None
    tags = [_end_tag(child.tag, child.prefix) for child in children]
    kinds = set(tags)
    if len(kinds) > _KINDS or any(data.count(tag) != tags.count(tag) for tag in kinds):
        return None
    pieces: list[tuple[int, bytes]] = []
    line, counted, end, after = 1, 0, 0, begins + 1
    for tag in tags:
        start = data.index(b"<", after)
        line, counted = line + data.count(b"\n", counted, start), start
        after = data.index(tag, start) + len(tag)
        pieces.append((line, data[end:after]))
        end = after
    return pieces


def _right(
    format: XmlBatchFormat, children: list[etree._Element], pieces: list[tuple[int, bytes]], data: bytes
) -> list[Read] | None:
    """The reads of a document whose children are valid; None if it is none of a header and records as it counts."""
    if not children or _name(children[0], format.namespace) != format.header:
        return None
    line, raw = pieces[0]
    header = _content(children[0])
    try:
        format.check(Reading(header))
    except ValueError:
        return None
    reads: list[Read] = [Header(f"line {line}", raw, header)]
    end = len(raw)
    for number, (child, (line, raw)) in enumerate(zip(children[1:], pieces[1:], strict=True), 1):
        name = _name(child, format.namespace)
        if name not in format.records:
            return None
        fields = _fields(format, child, raw) | {"@element": name}
        reads.append(Record(f"line {line}", raw, fields, header, number))
        end += len(raw)
    if int(header[format.count]) != len(children) - 1:
        return None
    return [*reads, Closing(f"line {data.count(_LINE) + 1}", data[end:], header=header)]


@lru_cache(maxsize=64)
def _resolved(name: str, spaces: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], tuple[bytes, bytes]]:
    """A root's namespace and local name, and its start tag, with its namespaces alone, and end tag.

    Raises LxmlError, ValueError.
    """
    declared = "".join(f" {key}={quoteattr(value)}" for key, value in spaces)
    opening, closing = f"<{name}{declared}>".encode(), f"</{name}>".encode()
    said = etree.QName(etree.fromstring(opening + closing, safe_parser()))
    return (said.namespace or "", said.localname), (opening, closing)


def _by_first_bytes(data: bytes) -> str | None:
    """UTF-16 shows in the first two bytes, with or without a mark."""
    if data in (b"\xff\xfe", b"<\0"):
        return "utf-16-le"
    return "utf-16-be" if data in (b"\xfe\xff", b"\0<") else None


def _unmarked(element: etree._Element) -> etree._Element:
    """The element without those in it that are nil: they say what absent ones say, whatever the schema lets be nil.

    Types beside values (xsi:type) say nothing either, nor does it that one is not nil.
    """
    unmark(element)
    for each in filter(is_nil, list(element.iter("*"))):
        parent = each.getparent()
        if parent is not None and each is not element:
            parent.remove(each)
    return element


@lru_cache(maxsize=1024)
def _end_tag(tag: str, prefix: str | None) -> bytes:
    """The end tag of an element as it is mostly written."""
    name = tag[tag.rfind("}") + 1 :]
    return f"</{prefix}:{name}>".encode() if prefix else f"</{name}>".encode()


def _stray(text: str | None) -> bool:
    """Whether there is more than blanks in a text between elements."""
    return bool(text and text.strip(_BLANKS))


def _fields(format: XmlBatchFormat, record: etree._Element, raw: bytes) -> dict[str, Any]:
    """What is in a record."""
    if not format.repeats:
        return _content(record)
    content = content_of(record, raw.replace(b"\0", b""))  # the names are ASCII in UTF-16, too
    return content if isinstance(content, dict) else {"": [content]}


def _name(element: etree._Element, namespace: str) -> str | None:
    """The local name of an element of the namespace."""
    space, brace, name = element.tag.rpartition("}")
    return name if brace and space == f"{{{namespace}" else None


def _content(element: etree._Element) -> dict[str, Any]:
    """What is in an element that the schema has let through."""
    fields: dict[str, Any] = {}
    for attribute, value in element.items():
        name = str(attribute)
        if not name.startswith("{"):
            fields[f"@{name}"] = _collapsed(str(value))
    for child in element:
        if len(child):
            fields[_local(child.tag)] = _content(child)
        else:
            text = child.text or ""
            fields[_local(child.tag)] = text if text.isalnum() else _collapsed(text)
    return fields


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    """The name of an element without its namespace."""
    return tag[tag.rfind("}") + 1 :]


def _collapsed(text: str) -> str:
    """Blanks around are no part of a value, those inside count once (the XSD's token)."""
    if text.isprintable() and "  " not in text:  # the only printable blank is the space
        return text.strip(" ")
    return " ".join(_SEVERAL.split(text.strip(_BLANKS)))


_LINE = b"\n"
_KINDS = 32
"""So many kinds of children a small document may have: all of its bytes are looked through for each."""
_SEVERAL = re.compile(f"[{_BLANKS}]+")
_SPACE = re.compile(r"\{[^{}]*:[^{}]*\}")
_ELEMENT = re.compile(r"Element '([^']*)'(?:, attribute '([^']*)')?: (.*)", re.DOTALL)
_PLACE = re.compile(r", line \d+, column \d+$")
_VALUE = re.compile(r"(?:\[facet '\w+'\] )?(?:The value )?'.*'(?= (?:is not|has a length))", re.DOTALL)


def _without_values(message: str) -> str:
    """A message of libxml2 with names of elements as they are, and without what stands in them."""
    match = _ELEMENT.fullmatch(message)
    if match is None:
        return message[:200]
    element, attribute, rest = (_SPACE.sub("", part or "") for part in match.groups())
    text = _VALUE.sub("it", rest) if _VALUE.match(rest) else rest
    return f"{element}{'@' if attribute else ''}{attribute}: {text}"[:300]
