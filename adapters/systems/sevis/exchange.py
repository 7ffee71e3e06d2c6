"""The public documents of the SEVIS batch interface: what schools and sponsors ask for, and the log of what came of it.

A request counts once the transaction log says that it was applied. So requests are read together with their log, as an
archive has both; a document of requests alone is read as well, and each of its requests has no log then.

Names of elements are compared without their namespace: the public schemas leave elements unqualified, and files of the
test system and old ones qualify them in ways of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.parsers import expat

from lxml import etree

from adapters.core import BadRecord, Header, Outside, Read, Record
from adapters.formats.xml_safe import OutOfBounds, check_bounds, safe_parser

UPLOADS = {"SEVISBatchCreateUpdateStudent": "student", "SEVISBatchCreateUpdateEV": "exchange visitor"}
LOG = "TransactionLog"
REQUESTS = frozenset({"Student", "ExchangeVisitor"})
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
FORM = b"%PDF-"
"""How a printed form begins, which SEVIS hands out in one archive with the log."""
LONGEST = 2**24
"""Bytes of a document: 500 requests have a tenth of it."""
_DEEPEST = 60
_BLOCK = 2**16

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Reads such documents.

    A record is a request, or a dependent who is created with a principal. Its fields are its content by local names
    (attributes as `@name`; of an element that comes several times, the last), with `@element` (`CreateStudent`,
    `UpdateEV`, `CreateDependent`, ...), `@batch`, `@principal` (of a dependent, its request), and `@log`, what the log
    says of it, where there is one.
    """

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """One document. Raises nothing but errors of the stream."""
        pieces: list[bytes] = []
        size = 0
        while size <= LONGEST and (piece := stream.read(_BLOCK)):
            pieces.append(piece)
            size += len(piece)
        data = b"".join(pieces)
        if size <= LONGEST:
            yield from self._documents([("", data)])
            return
        at = 0
        while data:
            yield BadRecord(f"a document of more than {LONGEST} bytes", place=f"byte {at}", raw=data)
            at += len(data)
            data = stream.read(_BLOCK)

    def read_members(self, members: Sequence[tuple[str, bytes]]) -> Iterator[Read]:
        """The documents of an archive, each request with what the logs say of it."""
        yield from self._documents(members)

    def _documents(self, members: Sequence[tuple[str, bytes]]) -> Iterator[Read]:
        uploads: list[_Document] = []
        logs: list[_Document] = []
        for name, data in members:
            if data.startswith(FORM):
                yield Outside(name or "line 1", data, {"what": "a printed form"})
                continue
            document = _Document.of(name, data)
            if isinstance(document, BadRecord):
                yield document
            elif document.kind == LOG:
                logs.append(document)
            elif document.kind in UPLOADS:
                uploads.append(document)
            else:
                expected = ", ".join((*UPLOADS, LOG))
                yield document.refused(f"the root is {document.kind[:80]!r}, none of {expected}")
        logs_by_time = sorted(logs, key=_made, reverse=True)
        for upload in uploads:
            mine = next((log for log in logs_by_time if _of_one_batch(upload.root, log.root)), None)
            yield from upload.requests(content(mine.root) if mine is not None else None)
        for log in logs:
            if any(_of_one_batch(upload.root, log.root) for upload in uploads):
                yield Outside(log.place(1), log.data)
            else:
                yield Record(log.place(1), log.data, {"@element": LOG, "@batch": _batch(log.root)}, number=1)


@dataclass(frozen=True, slots=True)
class _Document:
    """A document that is well-formed."""

    name: str
    data: bytes
    root: etree._Element
    starts: list[tuple[int, int]]  # byte and line of each record's start tag, in order

    @classmethod
    def of(cls, name: str, data: bytes) -> _Document | BadRecord:
        """The document, or why it is none."""
        place = f"{name}, line {{}}" if name else "line {}"
        cuts = _Cuts()
        try:
            check_bounds(data)
            cuts.cut(data)
            root = etree.fromstring(data, safe_parser())
        except (expat.ExpatError, etree.LxmlError, LookupError, ValueError) as error:
            reason = (
                str(error)
                if isinstance(error, _NotReadError | OutOfBounds)
                else f"not well-formed: {type(error).__name__}"
            )
            return BadRecord(reason, place=place.format(cuts.line), raw=data)
        return cls(name, data, root, cuts.starts)

    @property
    def kind(self) -> str:
        """The root's local name."""
        return _local(self.root)

    def place(self, line: int) -> str:
        """A line of the document."""
        return f"{self.name}, line {line}" if self.name else f"line {line}"

    def refused(self, reason: str) -> BadRecord:
        """The document as one that is not read."""
        return BadRecord(reason, place=self.place(1), raw=self.data)

    def requests(self, log: Fields | None) -> Iterator[Read]:
        """All requests and created dependents, in order, with what the log of the batch says of each."""
        elements = list(_records(self.root))
        if len(elements) != len(self.starts):
            yield self.refused("requests that cannot be told apart")
            return
        ends = [*(at for at, _ in self.starts[1:]), len(self.data)]
        yield Header(self.place(1), self.data[: self.starts[0][0]] if self.starts else self.data)
        known = _Log(log) if log is not None else None
        principal: Fields = {}
        count = 0
        for number, (element, (start, line), end) in enumerate(zip(elements, self.starts, ends, strict=False), 1):
            fields = content(element)
            fields["@element"] = _local(_parent(element))
            fields["@batch"] = _batch(self.root)
            if _local(element) == "Dependent":
                count += 1
                fields["@principal"] = principal.get("@requestID", "")
                said = known.dependent(fields, fields["@principal"], count) if known else None
            else:
                principal, count = fields, 0
                said = known.request(fields.get("@requestID", "")) if known else None
            if said is not None:
                fields["@log"] = said
            yield Record(self.place(line), self.data[start:end], fields, number=number)


class _NotReadError(ValueError):
    """The document is not read; the text says why."""


@dataclass(slots=True)
class _Cuts:
    """Where records begin: the children of `CreateStudent` and its like, and created dependents."""

    starts: list[tuple[int, int]] = field(default_factory=list)
    line: int = 1
    _path: list[str] = field(default_factory=list)

    def cut(self, data: bytes) -> None:
        """Walk through a document. Raises ExpatError, _NotReadError."""
        parser = expat.ParserCreate()

        def start(name: str, _: dict[str, str]) -> None:
            self._path.append(name.rpartition(":")[2])
            if len(self._path) > _DEEPEST:
                raise _NotReadError(f"more than {_DEEPEST} elements inside each other")
            depth = len(self._path)
            if (depth == 3 and self._path[2] in REQUESTS and self._path[0] in UPLOADS) or (
                depth == 5 and self._path[3:] == ["CreateDependent", "Dependent"] and self._path[2] in REQUESTS
            ):
                self.starts.append((parser.CurrentByteIndex, parser.CurrentLineNumber))

        def end(_: str) -> None:
            self._path.pop()

        def doctype(*_: object) -> None:
            raise _NotReadError("a document type declaration, which is not read")

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.StartDoctypeDeclHandler = doctype
        try:
            parser.Parse(data, True)
        finally:
            self.line = parser.CurrentLineNumber


@dataclass(frozen=True, slots=True)
class _Log:
    """What a transaction log says of each request."""

    fields: Fields

    def request(self, request: str) -> Fields:
        """Of a request: what is said of the whole batch, and of the request if it is named."""
        said = self._batch()
        records = self._records(request)
        if len(records) > 1:
            said["twice"] = True
        elif records:
            (record,) = records
            said |= {
                "@sevisID": record.get("@sevisID", ""),
                "ProcessDate": record.get("ProcessDate", ""),
                "status": record.get("Result", {}).get("@status", "") if isinstance(record.get("Result"), dict) else "",
            }
            added = [each for each in _several(record, "Dependent") if isinstance(each, dict)]
            if len(added) == 1:
                said["@dependentSevisID"] = added[0].get("@dependentSevisID", "")
        return said

    def dependent(self, fields: Mapping[str, Any], request: str, count: int) -> Fields:
        """Of a created dependent, who is told apart by what the sender called it, and else by its place."""
        said = self.request(request)
        said.pop("@sevisID", None)
        said.pop("@dependentSevisID", None)
        record = next(iter(self._records(request)), {})
        others = [each for each in _several(record, "Dependent") if isinstance(each, dict)]
        named = [each for each in others if _called(each) == _called(fields)] if any(_called(fields)) else []
        match = named[0] if len(named) == 1 else others[count - 1] if count <= len(others) and not named else None
        if match is not None:
            said["@sevisID"] = match.get("@dependentSevisID", "")
        return said

    def _batch(self) -> Fields:
        detail = self.fields.get("BatchDetail")
        detail = detail if isinstance(detail, dict) else {}
        stages = {name: detail.get(name) for name in ("Upload", "Process")}
        codes = {
            name: stage.get("@resultCode", "") if isinstance(stage, dict) else "" for name, stage in stages.items()
        }
        return {"@system": detail.get("@system", ""), "upload": codes["Upload"], "process": codes["Process"]}

    def _records(self, request: str) -> list[Fields]:
        """What is said of a request; the same said twice counts once."""
        detail = self.fields.get("BatchDetail")
        process = detail.get("Process") if isinstance(detail, dict) else None
        records = _several(process, "Record") if isinstance(process, dict) else ()
        mine = [each for each in records if isinstance(each, dict) and each.get("@requestID") == request]
        return [each for at, each in enumerate(mine) if each not in mine[:at]]


def _called(fields: Mapping[str, Any]) -> tuple[str, str]:
    return str(fields.get("UserDefinedA") or ""), str(fields.get("UserDefinedB") or "")


def _several(fields: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = fields.get(f"{name}*")
    if isinstance(value, list):
        return value
    return [fields[name]] if name in fields else []


def content(element: etree._Element) -> Fields:
    """Local names to text without outer blanks, or to what stands under them; `NAME*` has all of several."""
    fields: Fields = {}
    for attribute, value in element.items():
        name = str(attribute)
        if not name.startswith("{"):
            fields[f"@{name}"] = " ".join(str(value).split())
    for child in element:
        name = _local(child)
        if name == "CreateDependent":  # its dependents are records
            continue
        one: Any = content(child) if len(child) or _has_attributes(child) else _text(child)
        if name in fields:
            fields.setdefault(f"{name}*", [fields[name]]).append(one)
        fields[name] = one
    return fields


def _has_attributes(element: etree._Element) -> bool:
    """Whether an element has attributes of the interface: those of other namespaces, such as xsi:type, say nothing."""
    return any(not str(name).startswith("{") for name in element.attrib)


def _text(element: etree._Element) -> str:
    """The text without outer blanks; of a nil element none."""
    return "" if element.get(NIL) in ("true", "1") else " ".join((element.text or "").split())


def _records(root: etree._Element) -> Iterator[etree._Element]:
    for group in root:
        for request in group:
            if _local(request) in REQUESTS:
                yield request
                for created in request:
                    if _local(created) == "CreateDependent":
                        yield from (each for each in created if _local(each) == "Dependent")


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    return element if parent is None else parent


def _local(element: etree._Element) -> str:
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def _batch(root: etree._Element, name: str = "BatchID") -> str:
    header = next((each for each in root if _local(each) == "BatchHeader"), None)
    if header is None:
        return ""
    return next((" ".join((each.text or "").split()) for each in header if _local(each) == name), "")


def _of_one_batch(upload: etree._Element, log: etree._Element) -> bool:
    """Whether a log is that of an upload: numbers of batches are unique within an organisation alone."""
    organisations = {_batch(each, "OrgID") for each in (upload, log)} - {""}
    return _batch(upload) == _batch(log) and len(organisations) < 2


def _made(log: _Document) -> str:
    """When a log was made, as far as it tells: of two logs of a batch the later one counts."""
    return max((str(each.get("dateTimeStamp") or "") for each in log.root.iter("*")), default="")
