"""An XML message that is whole in memory, as it is pushed or answered: a root with one record after another.

For documents of any size there is `xml_batch`. Here a message has an upper size, so a record may hold what it likes,
elements that come several times among it. Expat stops at a document type declaration, so there are no entities to
expand or fetch, and says where in the bytes each child of the root begins where their names leave doubt; lxml reads the
message and checks each record by itself against the XSD. Every byte is in the `raw` of exactly one read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, BinaryIO
from xml.parsers import expat

from lxml import etree

from adapters.core import BadRecord, Header, Met, Read, Record
from adapters.formats.xml_plain import plain
from adapters.formats.xml_safe import OutOfBounds, check_bounds, safe_parser
from adapters.formats.xml_valid import fits, is_nil, unmark

Fields = Mapping[str, Any]
ENCODINGS = frozenset({"utf-8", "us-ascii", "iso-8859-1"})
"""Expat and libxml2 read these alike; with others the two might cut a message in different places."""
_USUAL = 65_536
"""More bytes than nearly all messages have."""
_TURN = Lock()
"""A schema keeps what was wrong in itself, and messages are read in several threads."""
_QUOTED = re.compile(r"(?<=: )'.*' is not|The value '.*' is not", re.DOTALL)
_SPACE = re.compile(r"\{[a-z]+:[^}]*\}")
_LINE = re.compile(r", line \d+\Z")


def nameless(_: Fields) -> str | None:
    """Records that nothing tells apart before they are mapped."""
    return None


@dataclass(frozen=True, slots=True)
class XmlMessageFormat:
    """Reads such messages. `root` and `record` are `{namespace}name`; `schema` has the record as an element.

    A record's fields are its content: a mapping of local names to all that stands under them, text without outer
    blanks or a mapping again; with `attributes` also those, as `@name`, and the text beside them as `#`. What stands
    before the first record is the header, whose fields are the root's attributes. `named` finds the key in the content
    of a record, which may be broken.
    """

    schema: etree.XMLSchema
    root: str
    record: str
    named: Callable[[Fields], str | None] = nameless
    longest: int = 4_000_000
    attributes: bool = False

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        data = stream.read(min(_USUAL, self.longest))
        if len(data) == _USUAL:  # a large message: memory for the largest is not asked for with each
            data += stream.read(self.longest - len(data))
        more = stream.read(self.longest) if len(data) == self.longest else b""
        if not more:
            yield from self._message(data)
            return
        reason = f"a message of more than {self.longest} bytes"
        yield BadRecord(reason, place="byte 0", raw=data)
        offset = len(data)
        while more:
            yield BadRecord(reason, place=f"byte {offset}", raw=more)
            offset += len(more)
            more = stream.read(self.longest)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """One record of a message, behind what stood before the first; the message's end is no matter."""
        data = raw if met.context is None else met.context + raw
        yield from self._message(data if met.context is None else data + _Cutter().end_of(data))

    def _message(self, data: bytes) -> Iterator[Read]:
        cutter = _Cutter()
        try:
            check_bounds(data)
            message = plain(data)
            if message is None:
                cutter.check(data)
                message = etree.fromstring(data, safe_parser())
            children = list(message)
            starts = _starts_of(children, data)
            if starts is None:
                cutter.cut(data)
                starts = cutter.starts
        except (_Refused, etree.LxmlError, ValueError) as error:
            yield BadRecord(_why(error), place=f"line {cutter.line}", raw=data)
            return
        if message.tag != self.root or len(children) != len(starts):
            yield BadRecord(f"the root is {_local(message)!r}, not {self.root}", place="line 1", raw=data)
            return
        yield from self._cut(data, message, children, starts)

    def _cut(
        self, data: bytes, message: etree._Element, children: list[etree._Element], starts: list[tuple[int, int]]
    ) -> Iterator[Read]:
        ends = [at for at, _ in starts[1:]] + [len(data)]
        head = data[: starts[0][0]] if starts else data
        header = _attributes(message)
        if _stray(message.text):
            yield BadRecord("text before the first record", place="line 1", raw=head)
        else:
            yield Header("head", head, header)
        for number, (child, (start, line), end) in enumerate(zip(children, starts, ends, strict=False), 1):
            yield self._record(child, header, number, f"record {number}, line {line}", data[start:end])

    def _record(self, child: etree._Element, header: Fields, number: int, place: str, raw: bytes) -> Read:
        content = _content_with_attributes(child) if self.attributes else content_of(child, raw)
        if child.tag != self.record:
            return BadRecord(f"an element {_local(child)!r} where records are expected", place=place, raw=raw)
        wrong = "text behind the record" if _stray(child.tail) else _wrong(self.schema, child)
        if wrong is not None and _MARKED.search(raw) and _wrong(self.schema, _unmarked(child)) is None:
            wrong = None
        if wrong is not None:
            known = self.named(content) if isinstance(content, dict) else None
            return BadRecord(wrong, place=place, raw=raw, record=known)
        return Record(place, raw, content if isinstance(content, dict) else {"": [content]}, header, number)


class _Refused(Exception):
    """The message is not read; the text says why."""


@dataclass(slots=True)
class _Cutter:
    """Finds where the children of the root begin: place in the bytes, and line."""

    starts: list[tuple[int, int]] = field(default_factory=list)
    line: int = 1
    _root: str = ""
    _depth: int = 0

    def end_of(self, data: bytes) -> bytes:
        """The end tag of the root if it is missing."""
        try:
            self.cut(data, last=False)
        except _Refused:
            return b""  # told when it is read
        return f"</{self._root}>".encode() if self._depth else b""

    def check(self, data: bytes) -> None:
        """Whether it is a message that may be read. Raises _Refused."""
        parser = self._parser(data)
        try:
            self._parse(parser, data, last=True)
        finally:
            self.line = max(parser.CurrentLineNumber, 1)

    def cut(self, data: bytes, *, last: bool = True) -> None:
        """Raises _Refused."""
        parser = self._parser(data)
        depth = 0  # kept here: there are thousands of elements in a message

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            if depth == 0:
                self._root = name
            elif depth == 1:
                self.starts.append((parser.CurrentByteIndex, parser.CurrentLineNumber))
            depth += 1

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        try:
            self._parse(parser, data, last=last)
        finally:
            self.line, self._depth = max(parser.CurrentLineNumber, 1), depth

    def _parser(self, data: bytes) -> expat.XMLParserType:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
            raise _Refused(_encoding("utf-16"))
        parser = expat.ParserCreate()
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        return parser

    def _parse(self, parser: expat.XMLParserType, data: bytes, *, last: bool) -> None:
        try:
            parser.Parse(data, last)
        except expat.ExpatError as error:
            raise _Refused(f"not well-formed: {expat.ErrorString(error.code)}") from None
        except LookupError:
            raise _Refused("an encoding that is not understood") from None

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0":
            raise _Refused("not XML 1.0")
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise _Refused(_encoding(encoding[:40]))

    def _doctype(self, *_: object) -> None:
        raise _Refused("a document type declaration; none is read")


def _starts_of(children: list[etree._Element], data: bytes) -> list[tuple[int, int]] | None:
    """Where children of one name begin, place and line, by that name; none if that leaves any doubt.

    Each of them begins with its name in the bytes. So if the name is met as often as there are children, all the
    places are theirs: it is in no child, comment or text.
    """
    if not children or b"\r" in data:  # expat counts lines by it too
        return None
    tag, prefix = children[0].tag, children[0].prefix
    if any(child.tag != tag or child.prefix != prefix for child in children):
        return None
    local = tag[tag.rfind("}") + 1 :]
    name = f"{prefix}:{local}" if prefix else local
    if not name.isascii():
        return None
    starts: list[tuple[int, int]] = []
    line, before = 1, 0
    for result in re.finditer(rb"<" + re.escape(name.encode()) + rb"(?=[\s/>])", data):
        line += data.count(b"\n", before, result.start())
        before = result.start()
        starts.append((before, line))
    return starts if len(starts) == len(children) else None


def _encoding(name: str) -> str:
    return f"encoding {name!r}; understood are {', '.join(sorted(ENCODINGS))}"


def _why(error: Exception) -> str:
    if isinstance(error, _Refused | OutOfBounds):
        return str(error)
    # the library's text quotes names of elements, which a broken message may hold anything in
    return f"not well-formed: {type(error).__name__}"


def _stray(text: str | None) -> bool:
    return bool(text and text.strip())


def _local(element: etree._Element) -> str:
    return local_name(element.tag)


@lru_cache(maxsize=1024)
def local_name(tag: str) -> str:
    """The name without its namespace, in which libxml2 lets no brace stand."""
    return tag[tag.rfind("}") + 1 :][:80]


_MARKED = re.compile(rb":(?:nil|type)\s*=")
_REFERS = re.compile(rb":(?:nil|ref)\s*=")
_STRUCTURES = re.compile(r"\{http://release\.niem\.gov/niem/structures/[^}]*\}(id|ref)")


def content_of(record: etree._Element, raw: bytes) -> Any:
    """What is in a record: text, or local names with all that stands under them. `raw` are the record's bytes.

    Elements that are nil say nothing, and one that refers to another of the record stands for it.
    """
    return _referred(record) if _REFERS.search(raw) else _content(record)


def _content(element: etree._Element) -> Any:
    """Text, or local names with all that stands under them: texts in a tuple, or a list if groups are among it."""
    if not len(element):
        return _collapsed(element.text or "")
    content: dict[str, Any] = {}
    for child in element:
        name = local_name(child.tag)
        if len(child):
            if name in content:
                _put(content, name, _content(child))
            else:
                content[name] = [_content(child)]
        else:
            text = child.text or ""
            one = text if text.isalnum() else " ".join(text.split())
            if name in content:
                _put(content, name, one)
            else:
                content[name] = (one,)
    return content


def _attributes(element: etree._Element) -> dict[str, str]:
    """Attributes by their names, but for those of other namespaces."""
    return {str(name): _collapsed(str(value)) for name, value in element.items() if not str(name).startswith("{")}


def _content_with_attributes(element: etree._Element) -> Any:
    """As `_content`, with the attributes as `@name`; an element that is nil says nothing."""
    said = _attributes(element)
    if not len(element) and not said:
        return _collapsed(element.text or "")
    content: dict[str, Any] = {f"@{name}": value for name, value in said.items()}
    if not len(element) and (text := _collapsed(element.text or "")):
        content["#"] = text
    for child in element:
        if not is_nil(child):
            _put(content, local_name(child.tag), _content_with_attributes(child))
    return content


def _put(content: dict[str, Any], name: str, one: Any) -> None:
    before = content.get(name)
    if type(one) is str and type(before) is not list:
        content[name] = (one,) if before is None else (*before, one)
    else:
        content[name] = [one] if before is None else [*before, one]


def _referred(record: etree._Element) -> Any:
    """The content of a record that has elements that are nil, which say nothing, or that refer to others in it.

    What refers to nothing is left out, and named under `@lost`.
    """
    known = {said["id"]: one for one in record.iter("*") if "id" in (said := _structures(one))}
    lost: list[str] = []

    def content(element: etree._Element, depth: int) -> Any:
        by_name: dict[str, Any] = {}
        for child in element:
            refers = _structures(child).get("ref")
            meant = child if refers is None else known.get(refers)
            if meant is None or depth > _DEEPEST:
                lost.append(local_name(child.tag))
            elif refers is not None or not is_nil(child):
                one = content(meant, depth + 1) if len(meant) else _collapsed(meant.text or "")
                _put(by_name, local_name(child.tag), one)
        return by_name

    whole = content(record, 0) if len(record) else _collapsed(record.text or "")
    return whole | {"@lost": lost} if lost and isinstance(whole, dict) else whole


_DEEPEST = 20
"""Levels of a record; elements may refer to those around them."""


def _structures(element: etree._Element) -> dict[str, str]:
    """The attributes of NIEM structures that tell elements from each other."""
    named = ((_STRUCTURES.fullmatch(str(name)), str(value)) for name, value in element.items())
    return {match[1]: value for match, value in named if match is not None}


def _collapsed(text: str) -> str:
    return text if text.isalnum() else " ".join(text.split())


def _unmarked(record: etree._Element) -> etree._Element:
    """The record without elements that are nil, which say nothing, and without types and `nil="false"` beside values.

    Toolkits for SOAP write both where a schema does not have them.
    """
    copied = deepcopy(record)
    copied.tail = None
    unmark(copied)
    for element in filter(is_nil, list(copied.iter("*"))):
        above, empty = element.getparent(), not len(element) and not (element.text or "").strip()
        if above is not None and empty:
            above.remove(element)
    return copied


def _wrong(schema: etree.XMLSchema, record: etree._Element) -> str | None:
    """The first thing that does not fit: which element and which rule, without its value."""
    try:
        with _TURN:
            if not fits(schema, record):
                schema.assertValid(record)
    except etree.DocumentInvalid as error:
        return _QUOTED.sub("the value is not", _SPACE.sub("", _LINE.sub("", str(error))))[:500]
    return None
