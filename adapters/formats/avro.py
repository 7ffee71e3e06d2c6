"""Avro messages in the framing of a schema registry, read by the writer's schema and told by the reader's.

Source: Apache Avro 1.12 specification (schema resolution, logical types) and the wire format of Confluent's schema
registry: a magic byte 0 and an id of four bytes, big-endian, or 1 and a GUID of sixteen, before the body; or the same
in a header of the message, `__value_schema_id`, and the body alone in the value.

The library (fastavro) resolves the schemas and leaves two things to its caller: only a logical type of the *writer* is
converted, and a default of the reader's schema comes as JSON has it. Both are mended here: a field means what the
reader's schema says of it, unless the writer's says more. What comes out is what JSON can hold, so that a mapping reads
a topic of Avro as it reads one of JSON: moments in UTC with `Z`, local ones without, days as YYYY-MM-DD, decimals as
text, bytes as hexadecimal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

import orjson

from adapters.core import BadRecord, Read, Record, Unreadable

HEADER = "__value_schema_id"
CONTAINER = b"Obj\x01"
"""What an object container file begins with."""
LENGTHS = {0: 4, 1: 16}
"""Bytes of a schema's id behind its magic byte: a number, a GUID."""
_PIECE = 2**20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_ONE = date(1970, 1, 1)

SchemaId = int | UUID
Convert = Callable[[Any], Any]


class Framed(NamedTuple):
    """A message's body and the id of the schema that it was written by."""

    schema: SchemaId
    body: bytes


def framed(value: bytes, headers: Iterable[tuple[str, bytes]]) -> Framed:
    """The body of a message and its writer's schema, by its header or else by what stands before the body.

    Raises ValueError for a value without either. A body may be empty: a record without fields is.
    """
    for name, content in headers:
        if name == HEADER:
            known = _id_in(content)
            if known is None or len(content) != known[1]:
                raise ValueError(f"the header {HEADER} holds no id of a schema")
            return Framed(known[0], value)
    known = _id_in(value)
    if known is None:
        length = LENGTHS.get(value[0]) if value else None
        if length is None and value:
            raise ValueError(f"no frame of a schema registry: it begins with hex {value[:1].hex()}, 00 or 01 expected")
        raise ValueError(f"a frame of {len(value)} bytes is too short for the id of a schema")
    return Framed(known[0], value[known[1] :])


def _id_in(data: bytes) -> tuple[SchemaId, int] | None:
    """The id at the beginning, and how many bytes it takes with its magic byte."""
    length = LENGTHS.get(data[0]) if data else None
    if length is None or len(data) < 1 + length:
        return None
    number = data[1 : 1 + length]
    return (int.from_bytes(number, "big") if length == 4 else UUID(bytes=number)), 1 + length


@dataclass(frozen=True, slots=True)
class Avro:
    """Decodes such messages. `reader`: the reader's schema, a record, as its JSON has it."""

    reader: Mapping[str, Any]
    _parsed: Any = field(init=False, compare=False, repr=False)
    _convert: Convert = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_parsed", parsed(self.reader))
        object.__setattr__(self, "_convert", _converter(self.reader, {}, ""))

    def decode(self, body: bytes, writer: Any) -> dict[str, Any]:
        """The fields of a body that was written by a schema. Raises ValueError."""
        from fastavro import schemaless_reader

        stream = BytesIO(body)
        try:
            value: Any = schemaless_reader(stream, writer, self._parsed)
        except MemoryError:
            raise ValueError("a length in it is beyond all memory") from None
        except Exception as error:  # of many classes, by where the bytes first make no sense
            raise ValueError(_why(error)) from None
        if left := len(body) - stream.tell():
            raise ValueError(f"{left} bytes behind the record: it was written by another schema")
        return self._fields(value)

    def offline(self, stream: BinaryIO) -> Iterator[Read]:
        """The records of an object container file, from its beginning. Raises nothing but errors of the stream."""
        from fastavro import block_reader

        start = stream.read(len(CONTAINER))
        if start != CONTAINER:
            yield from _no_container(start, stream)
            return
        number = 0
        try:
            stream.seek(0)
            for at, block in enumerate(block_reader(stream, reader_schema=self._parsed), 1):
                last = number + block.num_records
                try:
                    for value in block:
                        number += 1
                        yield self.record(self._fields(value), f"record {number}", number)
                except Exception as error:  # as above
                    yield BadRecord(f"records {number} to {last}: {_why(error)}", place=f"block {at}", raw=b"")
                number = last
        except Exception as error:  # as above
            yield BadRecord(f"no container file behind here: {_why(error)}", place=f"record {number + 1}", raw=b"")

    def record(self, fields: dict[str, Any], place: str, number: int = 0) -> Record:
        """A record of fields; what is kept of it is their JSON."""
        shown = {name: None if isinstance(value, Unreadable) else value for name, value in fields.items()}
        return Record(place, orjson.dumps(shown, default=_reason), fields, {}, number)

    def field_names(self) -> Sequence[str]:
        """The fields of the reader's schema that hold values, those of groups in it among them."""
        return tuple(dict.fromkeys(_leaves(self.reader)))

    def _fields(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("no record")
        converted: dict[str, Any] = self._convert(value)
        return converted


def _leaves(schema: Any) -> Iterator[str]:
    """The names of the fields below a record that hold no record themselves."""
    for each in schema["fields"]:
        inner = list(_records(each["type"]))
        if not inner:
            yield str(each["name"])
        for one in inner:
            yield from _leaves(one)


def _records(schema: Any) -> Iterator[Any]:
    """The records that a type has in it, as far as they stand there and not by name."""
    if isinstance(schema, list):
        for each in schema:
            yield from _records(each)
    elif isinstance(schema, dict):
        if schema["type"] == "record":
            yield schema
        else:
            for name in ("type", "items", "values"):
                yield from _records(schema.get(name))


def parsed(schema: Any, known: dict[str, Any] | None = None) -> Any:
    """A schema that messages can be read by; `known` are those that it refers to by name. Raises ValueError."""
    from fastavro import parse_schema

    try:
        return parse_schema(schema, named_schemas=known, _force=True)
    except Exception as error:  # of many classes, by what is wrong with it
        raise ValueError(f"no schema of Avro: {_why(error)}") from None


def _no_container(start: bytes, stream: BinaryIO) -> Iterator[Read]:
    at = 0
    while raw := start + stream.read(_PIECE - len(start)):
        yield BadRecord("no object container file of Avro", place=f"byte {at}", raw=raw)
        at, start = at + len(raw), b""


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:160].rstrip(": ")


def _reason(value: Any) -> Any:
    return value.reason if isinstance(value, Unreadable) else str(value)


# --- what the reader's schema says of a value ----------------------------------------------------------------------


def _converter(schema: Any, named: dict[str, Convert], space: str) -> Convert:
    """What turns a value that the library has read into what JSON can hold."""
    if isinstance(schema, list):
        return _union([(_kind(each), _converter(each, named, space)) for each in schema])
    if isinstance(schema, str):
        if schema in _PLAIN:
            return _PLAIN[schema]
        name = schema if "." in schema or not space else f"{space}.{schema}"
        return lambda value: named[name](value)
    kind = schema["type"]
    if isinstance(kind, dict | list):
        return _converter(kind, named, space)
    if kind in ("record", "error", "enum", "fixed"):
        name, space = _full(schema, space)
        named[name] = _named(schema, kind, named, space)
        return named[name]
    if kind == "array":
        item = _converter(schema["items"], named, space)
        return lambda value: [item(each) for each in value]
    if kind == "map":
        entry = _converter(schema["values"], named, space)
        return lambda value: {name: entry(each) for name, each in value.items()}
    return _logical(schema) or _converter(kind, named, space)


def _full(schema: Mapping[str, Any], space: str) -> tuple[str, str]:
    """A name with its namespace, and that namespace."""
    name = str(schema["name"])
    if "." in name:
        return name, name.rpartition(".")[0]
    space = str(schema.get("namespace", space))
    return (f"{space}.{name}" if space else name), space


def _named(schema: Mapping[str, Any], kind: str, named: dict[str, Convert], space: str) -> Convert:
    if kind == "enum":
        return _text
    if kind == "fixed":
        return _logical(schema) or _bytes
    fields: dict[str, Convert] = {}
    named[_full(schema, space)[0]] = lambda value: {name: convert(value[name]) for name, convert in fields.items()}
    for each in schema["fields"]:
        fields[str(each["name"])] = _converter(each["type"], named, space)
    return named[_full(schema, space)[0]]


def _kind(schema: Any) -> str:
    """The type of a branch of a union."""
    if isinstance(schema, str):
        return schema if schema in _FITS else "record"
    kind = schema["type"]
    return kind if isinstance(kind, str) else _kind(kind)


def _union(branches: list[tuple[str, Convert]]) -> Convert:
    def convert(value: Any) -> Any:
        if value is None:
            return None
        for kind, branch in branches:
            if isinstance(value, _FITS[kind]) and not (isinstance(value, bool) and kind != "boolean"):
                try:
                    return branch(value)
                except KeyError:  # another record of the union
                    continue
        for kind, branch in branches:  # a default, as JSON has it
            if kind in ("bytes", "fixed") and isinstance(value, str):
                return branch(value)
        return _plain(value)

    return convert


def _logical(schema: Mapping[str, Any]) -> Convert | None:
    """What a logical type of the reader makes of a value that the writer gave none."""
    kind = schema.get("logicalType")
    if kind == "decimal":
        scale = int(schema.get("scale", 0))
        return lambda value: _plain(_decimal(value, scale) if isinstance(value, bytes | str) else value)
    make = _MOMENTS.get(str(kind))
    if make is None:
        return None

    def convert(value: Any) -> Any:
        if type(value) is not int:
            return _plain(value)
        try:
            return _plain(make(value))
        except (OverflowError, ValueError):
            return Unreadable(f"{value} is no {kind} of the calendar")

    return convert


def _decimal(value: bytes | str, scale: int) -> Decimal:
    data = value.encode("latin-1") if isinstance(value, str) else value
    return Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-scale)


_MOMENTS: dict[str, Callable[[int], Any]] = {
    "date": lambda days: _DAY_ONE + timedelta(days=days),
    "time-millis": lambda at: _clock(at * 1000),
    "time-micros": lambda at: _clock(at),
    "timestamp-millis": lambda at: _EPOCH + timedelta(milliseconds=at),
    "timestamp-micros": lambda at: _EPOCH + timedelta(microseconds=at),
    "timestamp-nanos": lambda at: _EPOCH + timedelta(microseconds=at // 1000),
    "local-timestamp-millis": lambda at: (_EPOCH + timedelta(milliseconds=at)).replace(tzinfo=None),
    "local-timestamp-micros": lambda at: (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=None),
    "local-timestamp-nanos": lambda at: (_EPOCH + timedelta(microseconds=at // 1000)).replace(tzinfo=None),
}


def _clock(micros: int) -> time:
    if not 0 <= micros < 86_400_000_000:
        raise ValueError
    return (_EPOCH + timedelta(microseconds=micros)).time()


def _bytes(value: Any) -> Any:
    """Bytes; a default of them is text, a character a byte."""
    return _plain(value.encode("latin-1") if isinstance(value, str) else value)


def _text(value: Any) -> Any:
    return _plain(value)


def _plain(value: Any) -> Any:
    """What JSON can hold: what the writer's logical types made of a value, too."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else Unreadable(f"{value} is no number")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)


_PLAIN: dict[str, Convert] = dict.fromkeys(("null", "boolean", "int", "long", "float", "double", "string"), _plain) | {
    "bytes": _bytes
}
_FITS: dict[str, tuple[type, ...]] = {
    "null": (),
    "boolean": (bool,),
    "int": (int, date, datetime, time),
    "long": (int, datetime, time),
    "float": (float, int),
    "double": (float, int),
    "bytes": (bytes, Decimal),
    "fixed": (bytes, Decimal),
    "string": (str, UUID, Decimal),
    "enum": (str,),
    "array": (list,),
    "map": (dict,),
    "record": (dict,),
}
"""Of each type the classes that the library reads values as."""
