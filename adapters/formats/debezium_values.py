"""Values of Debezium's change records, decoded by what their column is declared to be and never by how they look.

What a column is comes with the record (Connect's schema: a type and the name of a logical type) or, where records have
no schema, from the interface: `declared` gives for a SQL type the schema that Debezium makes of it by its defaults
(`time.precision.mode=adaptive`, `decimal.handling.mode=precise`, `binary.handling.mode=bytes`). Names and encodings:
Debezium's documentation of its PostgreSQL and MariaDB connectors, "Data type mappings", and `io.debezium.time`.

A decoded value is what JSON can hold: days `YYYY-MM-DD`, times of day, moments without a zone, moments in UTC with `Z`,
decimals as text of all their digits, bytes as `hex ...`; `infinity` and `-infinity` where PostgreSQL has them.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from hashlib import md5
from typing import Any
from uuid import UUID

Schema = Mapping[str, Any]
Decode = Callable[[Any], Any]
"""What a value that is not null means. Raises ValueError."""

BY_BINLOG = frozenset({"io.debezium.time.ZonedTimestamp", "io.debezium.data.Uuid"})
"""Types whose values a binary log has otherwise than a snapshot."""
FOREVER, EVER = "infinity", "-infinity"
_FIRST = date(1583, 1, 1)
"""Before it a snapshot counts by one calendar and a stream by another, and BC is lost in one of them."""
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LEAST, _MOST = _FIRST.toordinal() - _EPOCH_DAY, date(9999, 12, 31).toordinal() - _EPOCH_DAY
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (of moments without a zone)
_DAYS = {-622191234: FOREVER, -625821272: EVER, -2147472692: FOREVER, -2147472691: EVER}
"""Infinite days: the first two as a snapshot has them, the others as a stream has them."""
_MOMENTS = {9223372036825200000: FOREVER, -9223372036832400000: EVER}
"""Infinite moments without a zone, whatever their unit."""
_DAY = 86_400 * 10**6
_CONTEXT = Context(prec=20_000)
INLINE_DIGITS = 28
"""A numeric of so many digits always lies in its row: PostgreSQL moves out nothing of less than 24 bytes."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a column's values are read. `is_placeholder` knows what stands for a large value that did not change.

    `hides`: whether null stands for such a value too, so that only a full replica identity tells NULL from it.
    """

    decode: Decode
    is_placeholder: Callable[[Any], bool]
    hides: bool = False
    exact: bool = False  # whether digits would be lost if numbers were read as floating point
    name: str = ""  # of the logical type


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What `unavailable.value.placeholder` makes of each type, for its default or a value of the owner's."""

    text: str = "__debezium_unavailable_value"

    def matches(self, schema: Schema) -> Callable[[Any], bool]:
        """Whether a value of a column of that schema is the placeholder."""
        kind, name, data = schema.get("type"), schema.get("name"), self.text.encode()
        if kind == "array":
            items = schema.get("items") or {}
            if items.get("type") in ("int32", "int64"):
                return _equals(list(data))
            if items.get("name") == "io.debezium.data.Uuid":
                return _equals([str(UUID(bytes=md5(data, usedforsecurity=False).digest(), version=3))])
            inner = self.matches(items)
            return lambda value: type(value) is list and len(value) == 1 and inner(value[0])
        if kind == "string" and name == "io.debezium.data.Json":
            return lambda value: value == self.text or value == f'{{"{self.text}":"{self.text}"}}'
        if kind == "string":
            return _equals(self.text)
        if kind == "bytes" and name is None:
            return lambda value: type(value) is str and _unpacked(value) == data
        if kind == "map":
            return lambda value: type(value) is dict and list(value) == [self.text]
        return _never


def column_of(schema: Schema, placeholder: Placeholder | None = None) -> Column:
    """The column of a schema as Connect's JSON converter writes it. Raises ValueError for a type that is not known."""
    kind, name = schema.get("type"), schema.get("name")
    decode = _decode_of(kind, name, schema)
    digits = int((schema.get("parameters") or {}).get("connect.decimal.precision", 2**31))
    items = (schema.get("items") or {}).get("type")
    hides = (
        (kind == "array" and items not in ("int32", "int64", "string", "bytes"))
        or (name in (_DECIMAL, _VARIABLE) and digits > INLINE_DIGITS)
        or name in ("io.debezium.data.Bits", "io.debezium.data.Enum.Array")
        or (kind == "array" and (schema.get("items") or {}).get("name") in _HIDDEN_ITEMS)
    )
    return Column(decode, (placeholder or Placeholder()).matches(schema), hides, name == _DECIMAL, str(name or ""))


def from_binlog(column: Column, value: Any) -> Any:
    """A value of MariaDB's stream as its snapshot has it. Raises ValueError where that cannot be told.

    The zero of a TIMESTAMP, which has no value before the first second of 1970, comes as 1970; a UUID comes without its
    last bytes as far as they are zero, and with as many zeros in front.
    """
    if column.name == "io.debezium.time.ZonedTimestamp" and value == "1970-01-01T00:00:00Z":
        return None
    if column.name == "io.debezium.data.Uuid" and isinstance(value, str) and value.startswith("00"):
        digits = value.replace("-", "")
        shift = 0
        while digits.startswith("00") and shift < 16:
            digits, shift = digits[2:] + "00", shift + 1
            if re.fullmatch(r".{12}[1-8].{3}[89ab].{15}", digits):  # as RFC 9562 has version and variant
                return str(UUID(digits))
        raise ValueError("a UUID that may have been shifted on its way")
    return value


def plain_of(schema: Schema) -> Column:
    """The column for values that a database has written as JSON itself, as a change table has them."""
    name, kind = schema.get("name"), schema.get("type")
    if kind == "array":
        item = plain_of(schema["items"]).decode
        return Column(lambda value: _array(value, item), _never)
    return Column(_PLAIN.get(str(name), _PLAIN.get(str(kind), _as_it_is)), _never, False, name in (_DECIMAL, _VARIABLE))


# --- logical types -----------------------------------------------------------------------------------------------

_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_VARIABLE = "io.debezium.data.VariableScaleDecimal"
_HIDDEN_ITEMS = ("io.debezium.data.Enum", "io.debezium.time.ZonedTimestamp", "io.debezium.time.ZonedTime")
"""Arrays of what is text to Connect and for which Debezium has no placeholder all the same."""


def _decode_of(kind: Any, name: Any, schema: Schema) -> Decode:
    if name in _BY_NAME:
        return _BY_NAME[name](schema)
    if kind == "array":
        item = column_of(schema.get("items") or {}).decode
        return lambda value: _array(value, item)
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    raise ValueError(f"{kind} {name or ''} is no type that Debezium is known to write".replace("  ", " "))


def _array(value: Any, item: Decode) -> list[Any]:
    if type(value) is not list:
        raise ValueError("no array")
    return [None if each is None else item(each) for each in value]


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no whole number")
    return value


def _number(value: Any) -> Any:
    """A floating-point number; JSON has no others than finite ones, so the converter writes those as text."""
    if type(value) in (int, float) or value in ("NaN", "Infinity", "-Infinity"):
        return value
    raise ValueError("no number")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("no text")
    return value


def _filled(value: Any) -> str:
    """A text without the blanks behind it: columns of a fixed width are filled with them."""
    return _text(value).rstrip(" ")


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def _as_it_is(value: Any) -> Any:
    return value


def _unpacked(value: Any) -> bytes:
    try:
        return b64decode(_text(value), validate=True)
    except ValueError:
        raise ValueError("no base64") from None


def _octets(value: Any) -> str:
    return "hex " + _unpacked(value).hex()


def _day(value: Any) -> str:
    days = _whole(value)
    if not _LEAST <= days <= _MOST:
        if days in _DAYS:
            return _DAYS[days]
        raise ValueError("a day before 1583 or after 9999")
    return _iso_day(days)


@lru_cache(maxsize=4096)
def _iso_day(days: int) -> str:
    return date.fromordinal(days + _EPOCH_DAY).isoformat()


def _moment(unit: int, tail: str = "") -> Decode:
    """Units since 1970; `unit` of them are a microsecond if it is positive, else so many microseconds are one."""

    def decode(value: Any) -> str:
        number = _whole(value)
        micros = number // unit if unit > 0 else number * -unit
        if not _LEAST * _DAY <= micros < (_MOST + 1) * _DAY:
            if number in _MOMENTS:
                return _MOMENTS[number]
            raise ValueError("a moment before 1583 or after 9999")
        return (_EPOCH + timedelta(microseconds=micros)).isoformat() + tail

    return decode


def _clock(unit: int) -> Decode:
    """Units since midnight; PostgreSQL has 24:00:00 too."""

    def decode(value: Any) -> str:
        number = _whole(value)
        micros = number // unit if unit > 0 else number * -unit
        if abs(micros) > 839 * 3600 * 10**6:  # as far as MariaDB's TIME goes
            raise ValueError("no time of day")
        seconds, rest = divmod(abs(micros), 10**6)
        minutes, seconds = divmod(seconds, 60)
        text = f"{'-' if micros < 0 else ''}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        return text + (f".{rest:06}" if rest else "")

    return decode


def _zoned(value: Any) -> str:
    """A moment with an offset, in UTC."""
    text = _text(value)
    if text in (FOREVER, EVER):
        return text
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no moment, or one before 1583 or after 9999") from None
    if at.tzinfo is None:
        raise ValueError("a moment without its offset")
    try:
        at = (at - (at.utcoffset() or timedelta())).replace(tzinfo=None)
    except OverflowError:
        raise ValueError("a moment before 1583 or after 9999") from None
    return _sane(at) + "Z"


def _sane(at: datetime) -> str:
    if at.date() < _FIRST:
        raise ValueError("a moment before 1583 or after 9999")
    return at.isoformat()


def _iso(read: Callable[[str], date], *, day: bool = False) -> Decode:
    """ISO 8601 text; the `isostring` mode puts a Z behind what has no zone."""

    def decode(value: Any) -> str:
        text = _text(value)
        if text in (FOREVER, EVER):
            return text
        try:
            at = read(text.removesuffix("Z").replace(" ", "T"))
        except ValueError:
            raise ValueError("no day or moment of the calendar") from None
        first = at if not isinstance(at, datetime) else at.date()
        if first < _FIRST:
            raise ValueError("a day before 1583 or after 9999")
        return at.isoformat()

    return decode


def _decimal(schema: Schema) -> Decode:
    """Big-endian two's complement in base64 with the column's scale; a number where `decimal.format=NUMERIC`."""
    scale = int((schema.get("parameters") or {}).get("scale", 0))

    def decode(value: Any) -> str:
        return _exact(value) if type(value) in (int, Decimal) else _scaled(_unpacked(value), scale)

    return decode


def _scaled(data: bytes, scale: int) -> str:
    if not data or not 0 <= scale <= 20_000 or len(data) > 8_192:
        raise ValueError("no decimal")
    unscaled = int.from_bytes(data, "big", signed=True)
    return f"{Decimal(unscaled).scaleb(-scale, _CONTEXT):f}"


def _exact(value: Any) -> str:
    try:
        return f"{Decimal(value):f}"
    except (InvalidOperation, TypeError):
        raise ValueError("no decimal") from None


def _variable(_: Schema) -> Decode:
    def decode(value: Any) -> str:
        if type(value) is not dict or set(value) != {"scale", "value"}:
            raise ValueError("no decimal with its scale")
        return _scaled(_unpacked(value["value"]), _whole(value["scale"]))

    return decode


def _bits(schema: Schema) -> Decode:
    """The least byte first. A column of varying length tells not how many bits a value has: whole bytes then."""
    length = int((schema.get("parameters") or {}).get("length", 2**31 - 1))

    def decode(value: Any) -> str:
        data = _unpacked(value)
        text = f"{int.from_bytes(data, 'little'):b}" if len(data) <= 4096 else ""
        if not text or len(text) > length:
            raise ValueError("more bits than the column has")
        return text.zfill(length) if length < 2**31 - 1 else text.zfill(8 * len(data))

    return decode


def _words(schema: Schema) -> Decode:
    """One of a column's labels. MariaDB's stream has a backslash before a comma in it, and its snapshot has none."""
    return lambda value: _text(value).replace("\\,", ",")


def _set(value: Any) -> list[str]:
    return [each for each in _text(value).split(",") if each]


def _year(value: Any) -> int:
    year = _whole(value)
    if year and not 1901 <= year <= 2155:
        raise ValueError("a year that YEAR does not have")
    return year


def _uuid(value: Any) -> str:
    try:
        return str(UUID(_text(value)))
    except ValueError:
        raise ValueError("no UUID") from None


def _struct(value: Any) -> Any:
    if type(value) is not dict:
        raise ValueError("no group of values")
    return value


def _fixed(decode: Decode) -> Callable[[Schema], Decode]:
    return lambda _: decode


def _equals(expected: Any) -> Callable[[Any], bool]:
    return lambda value: bool(value == expected)


def _never(_: Any) -> bool:
    return False


_BY_NAME: dict[str, Callable[[Schema], Decode]] = {
    "io.debezium.time.Date": _fixed(_day),
    "io.debezium.time.Time": _fixed(_clock(-1000)),
    "io.debezium.time.MicroTime": _fixed(_clock(1)),
    "io.debezium.time.NanoTime": _fixed(_clock(1000)),
    "io.debezium.time.Timestamp": _fixed(_moment(-1000)),
    "io.debezium.time.MicroTimestamp": _fixed(_moment(1)),
    "io.debezium.time.NanoTimestamp": _fixed(_moment(1000)),
    "io.debezium.time.ZonedTimestamp": _fixed(_zoned),
    "io.debezium.time.ZonedTime": _fixed(_text),
    "io.debezium.time.IsoDate": _fixed(_iso(date.fromisoformat)),
    "io.debezium.time.IsoTime": _fixed(_text),
    "io.debezium.time.IsoTimestamp": _fixed(_iso(datetime.fromisoformat)),
    "io.debezium.time.Year": _fixed(_year),
    "io.debezium.time.MicroDuration": _fixed(_whole),
    "io.debezium.time.NanoDuration": _fixed(_whole),
    "io.debezium.time.Interval": _fixed(_text),
    "org.apache.kafka.connect.data.Date": _fixed(_day),
    "org.apache.kafka.connect.data.Time": _fixed(_clock(-1000)),
    "org.apache.kafka.connect.data.Timestamp": _fixed(_moment(-1000)),
    _DECIMAL: _decimal,
    _VARIABLE: _variable,
    "io.debezium.data.Bits": _bits,
    "io.debezium.data.Enum": _words,
    "io.debezium.data.EnumSet": _fixed(_set),
    "io.debezium.data.Uuid": _fixed(_uuid),
}
_BY_TYPE: dict[str, Decode] = {
    **dict.fromkeys(("int8", "int16", "int32", "int64"), _whole),
    **dict.fromkeys(("float", "double"), _number),
    "boolean": _boolean,
    "string": _filled,
    "bytes": _octets,
    "struct": _struct,
    "map": _struct,
}
_PLAIN: dict[str, Decode] = {
    "io.debezium.time.Date": _iso(date.fromisoformat),
    "io.debezium.time.Timestamp": _iso(datetime.fromisoformat),
    "io.debezium.time.MicroTimestamp": _iso(datetime.fromisoformat),
    "io.debezium.time.ZonedTimestamp": _zoned,
    _DECIMAL: lambda value: _exact(str(value)) if type(value) in (int, float, Decimal) else _exact(_text(value)),
    _VARIABLE: lambda value: _exact(str(value)) if type(value) in (int, float, Decimal) else _exact(_text(value)),
    "io.debezium.data.Uuid": _uuid,
    "io.debezium.data.Json": _as_it_is,
    **dict.fromkeys(("int16", "int32", "int64"), _whole),
    **dict.fromkeys(("float", "double"), _number),
    "boolean": lambda value: bool(value) if value in (0, 1) else _boolean(value),
    "string": _filled,
}


# --- SQL types ---------------------------------------------------------------------------------------------------

_SQL = re.compile(r"([a-z ]+?)\s*(?:\((\d+)(?:,\s*(\d+))?\))?(\[\])?")
_SIMPLE: dict[str, Schema] = {
    **{key: {"type": "int64"} for key in ("bigint", "oid")},
    **{key: {"type": "int32"} for key in ("integer", "int")},
    **{key: {"type": "int16"} for key in ("smallint", "tinyint")},
    "boolean": {"type": "boolean"},
    "real": {"type": "float"},
    **{key: {"type": "double"} for key in ("double precision", "double")},
    **{key: {"type": "string"} for key in ("text", "varchar", "char", "inet")},
    "bytea": {"type": "bytes"},
    "date": {"type": "int32", "name": "io.debezium.time.Date"},
    "timestamptz": {"type": "string", "name": "io.debezium.time.ZonedTimestamp"},
    "timetz": {"type": "string", "name": "io.debezium.time.ZonedTime"},
    "interval": {"type": "int64", "name": "io.debezium.time.MicroDuration"},
    "uuid": {"type": "string", "name": "io.debezium.data.Uuid"},
    "json": {"type": "string", "name": "io.debezium.data.Json"},
    "jsonb": {"type": "string", "name": "io.debezium.data.Json"},
    "enum": {"type": "string", "name": "io.debezium.data.Enum"},
    "year": {"type": "int32", "name": "io.debezium.time.Year"},
}


@lru_cache
def declared(sql: str) -> Schema:
    """The schema that Debezium makes of a column by its defaults, from its SQL type. Raises ValueError.

    `timestamp` has six decimals and `timestamp(3)` three, which is another unit; MariaDB's `datetime` has none.
    """
    match = _SQL.fullmatch(sql.strip().lower())
    if match is None:
        raise ValueError(f"{sql!r} is no SQL type that is understood")
    word, first, second, array = match.groups()
    if array:
        return {"type": "array", "items": declared(sql.strip()[:-2])}
    if word in _SIMPLE:
        return _SIMPLE[word]
    digits = None if first is None else int(first)
    if word in ("timestamp", "datetime"):
        fine = (6 if word == "timestamp" else 0) if digits is None else digits
        return {"type": "int64", "name": f"io.debezium.time.{'Micro' if fine > 3 else ''}Timestamp"}
    if word == "time":
        fine = 6 if digits is None else digits
        return {"type": "int64" if fine > 3 else "int32", "name": f"io.debezium.time.{'Micro' if fine > 3 else ''}Time"}
    if word in ("numeric", "decimal"):
        if digits is None:
            return {"type": "struct", "name": _VARIABLE}
        scale = {"scale": second or "0", "connect.decimal.precision": str(digits)}
        return {"type": "bytes", "name": _DECIMAL, "parameters": scale}
    if word == "bit":
        if digits in (None, 1):
            return {"type": "boolean"}
        return {"type": "bytes", "name": "io.debezium.data.Bits", "parameters": {"length": str(digits)}}
    raise ValueError(f"{sql!r} is no SQL type that is understood")
