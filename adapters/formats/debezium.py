"""Debezium's change records, of PostgreSQL and MariaDB, and those of a change table, which have the same shape.

A stream has a line for each message of the log (`adapters.messages`), or the bare value of one. A value is the envelope
of Debezium (`op`, `before`, `after`, `source`), with Connect's schema around it (`schemas.enable`) or without. What a
value means is decided by the declared type of its column (`debezium_values`), never by its look.

**Identity.** A record is a table and the key of a row; of a deletion the key is all that can be relied on, because the
rest of `before` is made up unless the whole row is the replica identity.

**Order.** `position` only grows for a row, though the log's position goes backward between transactions that ran at
once and is shared by rows written together: two transactions that change one row do so one after the other, so of one
row the position of a later change is higher. A row of a snapshot stands `in_flight` bytes below the snapshot's: what
a transaction wrote before the snapshot and committed after it is streamed with a position before the snapshot.

**All rows at once.** A TRUNCATE is one message without a key: `Emptied`, at its position in that order. What the host
makes of it takes back every record of the table that has come before.

**The clock.** A row of the table `clock` says through when all that was committed is in the stream before it: the end
of a stretch (`Closing`), from `complete_since` through `complete_through`. One of a snapshot says nothing: the rows of
the other tables may stand behind it.

**What was not sent.** A large value that did not change comes as a placeholder, or as null where its type has none; a
generated column is not in the stream. Such columns are no fields of the record, and `unknown` names them: the mapping
leaves standing what was said of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from json import loads as exact_loads
from typing import Any, BinaryIO, ClassVar

import orjson

from adapters.converters import instant
from adapters.core import BadRecord, Closing, Emptied, Header, Met, Note, Outside, Read, Record, Unreadable
from adapters.formats.debezium_values import (
    BY_BINLOG,
    Column,
    Decode,
    Placeholder,
    Schema,
    column_of,
    declared,
    from_binlog,
    plain_of,
)
from adapters.messages import CHANGE_TABLE, Message, message_of

META = ("table", "key", "op", "position", "committed", "unknown")
"""Fields that every record may have beside its columns."""
WHOLE = ("c", "r", "u")
_BINLOG = re.compile(r".*?\.?0*([0-9]+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NULLS = (b"null", b'{"schema":null,"payload":null}')
"""How converters write a null that is not left to the log."""
_SCHEMAS = 256
"""Schemas that are kept ready: one for each version of a table that is met."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the interface: the columns that are read, with their SQL types, and its primary key among them.

    `full`: the whole row is its replica identity, so that null is always NULL. `partitions`: a pattern of the names of
    the tables that hold its rows, where they are published by themselves; rows of both are rows of this table.
    """

    columns: Mapping[str, str]
    key: tuple[str, ...]
    full: bool = False
    partitions: str | None = None


@dataclass(frozen=True, slots=True)
class DebeziumFormat:
    """Reads such records of some tables; one of another table is a record without columns.

    `epoch` is raised by one when positions begin anew: another server took over, or a backup was restored. `clock`: the
    owner's table that says through when the stream is complete, if the interface has one.
    """

    takes_messages: ClassVar[bool] = True
    anything: ClassVar[bool] = True  # values may be of any type
    tables: Mapping[str, Table]
    epoch: int = 0
    clock: str | None = None
    in_flight: int = 2**24
    placeholder: str = Placeholder().text
    longest: int = 16 * 2**20
    _kept: dict[bytes, Mapping[str, Column]] = field(default_factory=dict, init=False, compare=False, repr=False)
    _named: dict[str, str | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.epoch < 8:
            raise ValueError("an epoch from 0 to 7")
        for name, table in self.tables.items():
            if not table.key or not set(table.key) <= set(table.columns):
                raise ValueError(f"the key of {name} is not among its columns")
            for sql in table.columns.values():
                declared(sql)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every message, each refused one in its place. Raises nothing but errors of the stream."""
        line = 0
        while raw := stream.readline(self.longest):
            line += 1
            place = f"line {line}"
            if len(raw) == self.longest and not raw.endswith(b"\n"):
                yield BadRecord(f"a message of more than {self.longest} bytes", place=place, raw=raw)
                while raw := stream.readline(self.longest):
                    yield BadRecord(f"a message of more than {self.longest} bytes, its rest", place=place, raw=raw)
                    if raw.endswith(b"\n"):
                        break
            else:
                yield self._one(raw, place, line)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A message again."""
        yield self._one(raw, met.place, met.ordinal or 0)

    def field_names(self) -> Sequence[str]:
        """What records say of themselves, and the columns of all tables."""
        return tuple(dict.fromkeys((*META, *(name for table in self.tables.values() for name in table.columns))))

    def render(self, raw: bytes) -> Iterator[str]:
        """The record field by field. Raises ValueError if it is none."""
        read = self._one(raw, "", 0)
        if isinstance(read, BadRecord):
            raise ValueError(read.reason)
        for name, value in read.fields.items():
            shown = f"> {value.reason}" if isinstance(value, Unreadable) else "NULL" if value is None else repr(value)
            yield f"  {name:<28} {shown}"

    # --- one message ------------------------------------------------------------------------------------------

    def _one(self, raw: bytes, place: str, number: int) -> Read:
        try:
            return self._read(_message(raw), raw, place, number)
        except (ValueError, RecursionError) as error:  # orjson's is a ValueError
            return BadRecord(_plain_reason(error), place=place, raw=raw)

    def _read(self, message: Message, raw: bytes, place: str, number: int) -> Read:
        if message.value is None or message.value.strip() in _NULLS:
            what = "a message of nothing" if message.key in (None, *_NULLS) else "a tombstone"
            return Outside(place, raw, {"what": what})
        value, columns = self._value(message.value)
        if "op" not in value:
            return _note(value, raw, place)
        op, source = value["op"], value.get("source")
        if op == "m":
            return Note(place, raw, {"what": "a message of the application"})
        if op not in ("c", "r", "u", "d", "t") or not isinstance(source, dict):
            raise ValueError(f"op {str(op)[:9]!r} is no operation of Debezium, or nothing says where it comes from")
        if self.clock is not None and str(source.get("table")).upper() == self.clock.upper():
            return _closing(value, raw, place)
        name = self._table(source.get("table"))
        if op == "t":
            return self._emptied(source, name, raw, place)
        fields: dict[str, Any] = {"table": name or str(source.get("table"))[:100]}
        if name is not None:
            fields |= self._row(value, source, message, name, columns)
        return Record(place, raw, fields, {}, number)

    def _emptied(self, source: Mapping[str, Any], name: str | None, raw: bytes, place: str) -> Note:
        """What a TRUNCATE says. Raises ValueError for a part of a table: which rows were in it is told by nobody.

        The message has no key: where the topic has several partitions its transport says what that comes to.
        """
        if name is None:
            return Note(place, raw, {"what": "another table was emptied at once (TRUNCATE)"})
        if str(source.get("table")).upper() != name.upper():
            raise ValueError(
                f"a partition of {name} was emptied at once (TRUNCATE), and nothing says which rows it had: let the"
                " owner tell them as deleted"
            )
        committed = _committed(source)
        at = datetime.fromisoformat(committed) if committed is not None else None
        what = {"what": "all rows of a table are gone at once (TRUNCATE)", "table": name}
        return Emptied(place, raw, what, f"{name} ", self._position(source, "t"), at)

    def _row(
        self,
        value: Mapping[str, Any],
        source: Mapping[str, Any],
        message: Message,
        name: str,
        columns: Mapping[str, Column] | None,
    ) -> dict[str, Any]:
        op, table = value["op"], self.tables[name]
        row = value.get("before" if op == "d" else "after")
        if op != "d" and not isinstance(row, dict):
            raise ValueError(f"op {op} without the row after it")
        if columns is None:
            columns = self._declared(name, plain=source.get("connector") == CHANGE_TABLE)
        if op != "r" and source.get("connector") in ("mariadb", "mysql"):
            other = {each: column for each, column in columns.items() if column.name in BY_BINLOG}
            columns = {
                **columns,
                **{each: replace(column, decode=_of_binlog(column)) for each, column in other.items()},
            }
        known = self._key(message.key, row, table, columns)
        unknown: list[str] = []
        if op != "d" and isinstance(row, dict):
            moved = any(header == "__debezium.oldkey" for header, _ in message.headers)
            hides = source.get("connector") == "postgresql" and (op == "u" or moved) and not table.full
            cells, unknown = self._cells(row, table, columns, hides=hides)
            known |= cells
        fields: dict[str, Any] = {
            "key": f"{name} " + "/".join(str(known[part]) for part in table.key),
            "op": op,
            "position": self._position(source, op),
            "committed": _committed(source),
        }
        if unknown:
            fields["unknown"] = unknown
        return fields | known

    def _cells(
        self, row: Mapping[str, Any], table: Table, columns: Mapping[str, Column], *, hides: bool
    ) -> tuple[dict[str, Any], list[str]]:
        """The values of a row by the interface's names, and the names of those that were not sent."""
        there = {name.upper(): each for name, each in row.items()}
        cells: dict[str, Any] = {}
        unknown: list[str] = []
        for name in table.columns:
            spelt = name.upper()
            column = columns.get(spelt)
            if spelt not in there or column is None:
                unknown.append(name)
                continue
            value = there[spelt]
            if value is None:
                if hides and column.hides:
                    unknown.append(name)
                else:
                    cells[name] = None
            elif column.is_placeholder(value):
                unknown.append(name)
            else:
                cells[name] = _decoded(column, value, name)
        return cells, unknown

    def _key(self, key: bytes | None, row: Any, table: Table, columns: Mapping[str, Column]) -> dict[str, Any]:
        """The values of the primary key. Raises ValueError."""
        at: Any = row
        if key is not None and key.strip() not in _NULLS:
            at = self._value(key)[0]
        if not isinstance(at, dict):
            raise ValueError("nothing says which row it is: the key of the message is null")
        there = {name.upper(): each for name, each in at.items()}
        results: dict[str, Any] = {}
        for name in table.key:
            value, column = there.get(name.upper()), columns.get(name.upper())
            if value is None or column is None:
                raise ValueError(f"{name} of the key is absent")
            decoded = _decoded(column, value, name)
            if isinstance(decoded, Unreadable):
                raise ValueError(decoded.reason)
            if decoded in (0, ""):  # what Debezium puts for a key that the replica identity does not have
                raise ValueError(f"{name} of the key is {decoded!r}: the replica identity is not the primary key")
            results[name] = decoded
        return results

    def _table(self, named: Any) -> str | None:
        """The interface's table of that name, or whose partition has it."""
        if not isinstance(named, str):
            raise ValueError("nothing says which table it is of")
        if named not in self._named:
            if len(self._named) > 10_000:
                self._named.clear()
            self._named[named] = next((name for name, table in self.tables.items() if _is_of(named, name, table)), None)
        return self._named[named]

    def _position(self, source: Mapping[str, Any], op: str) -> int:
        """A number that only grows for a row. Raises ValueError."""
        connector = source.get("connector")
        if connector == CHANGE_TABLE:
            position = _whole(source.get("sequence"))
        elif connector == "postgresql":
            position = _lsn(source)
            position = max(0, position - self.in_flight) if op == "r" else position
        else:  # the files of a binary log, where each row of an event has a number
            match = _BINLOG.fullmatch(str(source.get("file")))
            if match is None or len(match[1]) > 6:
                raise ValueError(f"{connector} {str(source.get('file'))[:40]!r} is no source whose order is known")
            row = min(_whole(source.get("row") or 0), 1023)
            position = (int(match[1]) << 42) + (min(_whole(source.get("pos")), 2**32 - 1) << 10) + row
        if not 0 <= position < 2**60:
            raise ValueError("a position out of all range")
        return (self.epoch << 60) + position

    # --- JSON and schemas -------------------------------------------------------------------------------------

    def _value(self, data: bytes) -> tuple[dict[str, Any], Mapping[str, Column] | None]:
        """A payload, with the columns of its schema if it has one. Raises ValueError."""
        if data.startswith(b'{"schema":{'):
            end = data.find(b',"payload":')
            columns = self._kept.get(data[:end])
            if columns is not None:
                payload = orjson.loads(data[end + 11 : data.rstrip().rfind(b"}")])
                return self._payload(payload, data, columns), columns
        value = orjson.loads(data)
        if not isinstance(value, dict):
            raise ValueError("no object")
        if set(value) != {"schema", "payload"}:
            return value, None
        columns = None if value["schema"] is None else self._columns(value["schema"])
        if columns is not None and data.startswith(b'{"schema":{') and _is_head(data, value["schema"]):
            if len(self._kept) >= _SCHEMAS:
                self._kept.clear()
            self._kept[data[: data.find(b',"payload":')]] = columns
        return self._payload(value["payload"], data, columns or {}), columns

    def _payload(self, payload: Any, data: bytes, columns: Mapping[str, Column]) -> dict[str, Any]:
        exact = [name for name, column in columns.items() if column.exact]
        row = payload.get("after") if exact and isinstance(payload, dict) else None
        if isinstance(row, dict) and any(type(row[each]) is float for each in row if each.upper() in exact):
            payload = exact_loads(data, parse_float=Decimal)["payload"]  # `decimal.format=NUMERIC`
        if not isinstance(payload, dict):
            raise ValueError("no object in it")
        return payload

    def _columns(self, schema: Any) -> Mapping[str, Column] | None:
        """The columns of a row by the schema of its envelope; None of a schema that is no envelope's."""
        fields = {each.get("field"): each for each in _fields(schema)}
        row = fields.get("after") or fields.get("before")
        if row is None:
            return None
        return {str(each.get("field")).upper(): self._column(each) for each in _fields(row)}

    def _column(self, schema: Schema) -> Column:
        try:
            return column_of(schema, Placeholder(self.placeholder))
        except ValueError as error:
            reason = str(error)

            def refuse(_: Any) -> Any:
                raise ValueError(reason)

            return Column(refuse, lambda _: False)

    def _declared(self, name: str, *, plain: bool) -> Mapping[str, Column]:
        """The columns as the interface declares them, for records without a schema."""
        mark = f"{name} {plain}".encode()
        columns = self._kept.get(mark)
        if columns is None:
            made = plain_of if plain else self._column
            columns = {each.upper(): made(declared(sql)) for each, sql in self.tables[name].columns.items()}
            self._kept[mark] = columns
        return columns


def wrong_settings(config: Mapping[str, str]) -> list[str]:
    """What in a connector's configuration makes it send other than this format reads, or harms the database it reads.

    The configuration is that of Connect (`GET /connectors/NAME/config`): what it does not name has its default.
    """
    results = []
    for side in ("key", "value"):
        if "JsonConverter" not in config.get(f"{side}.converter", ""):
            results.append(f"{side}.converter is not named here: what the worker uses is not known")
        elif config.get(f"{side}.converter.replace.null.with.default", "true") != "false":
            results.append(
                f"{side}.converter.replace.null.with.default is not false: NULL comes as the column's default"
            )
    expected = {"decimal.handling.mode": "precise", "binary.handling.mode": "bytes"}
    if config.get("value.converter.schemas.enable", "true") == "false":
        expected |= {"time.precision.mode": "adaptive", "interval.handling.mode": "numeric"}
    for name, value in expected.items():
        if config.get(name, value) != value and config.get("value.converter.schemas.enable", "true") == "false":
            results.append(f"{name} is {config[name]}: without a schema values are read as of {value}")
    if "Postgres" in config.get("connector.class", ""):
        if config.get("publication.autocreate.mode", "all_tables") == "all_tables":
            results.append("publication.autocreate.mode is all_tables: UPDATE and DELETE fail on tables without a key")
    elif config.get("enable.time.adjuster", "true") != "false":
        results.append("enable.time.adjuster is not false: years below 100 move by 2000")
    skipped = config.get("skipped.operations", "t")
    if skipped.strip() != "none":
        results.append(f"skipped.operations is {skipped}, not none: what is skipped is told by nothing (t: TRUNCATE)")
    for each in filter(None, map(str.strip, config.get("transforms", "").split(","))):
        kind = config.get(f"transforms.{each}.type", "")
        results += [] if kind.endswith(".RegexRouter") else [f"transform {each}: what it changes is not known"]
    return results


def _message(raw: bytes) -> Message:
    """A line as a message; one that is the value alone has no key. Raises ValueError."""
    line = raw.strip()
    if not line:
        raise ValueError("an empty line")
    return message_of(line) if line.startswith((b'{"key":', b'{ "key":', b'{"value":')) else Message(line)


def _note(value: Mapping[str, Any], raw: bytes, place: str) -> Note:
    """What a connector says beside the rows. Raises ValueError."""
    if set(value) == {"ts_ms"}:
        return Note(place, raw, {"what": "a heartbeat"})
    if value.get("status") in ("BEGIN", "END") and "id" in value:
        return Note(place, raw, {"what": "a transaction's bounds"})
    if "source" in value and ("ddl" in value or "tableChanges" in value):
        return Header(place, raw, {"what": "a change of the schema"})
    raise ValueError("no change record: it has no op")


def _closing(value: Mapping[str, Any], raw: bytes, place: str) -> Note:
    """What a row of the clock says. Raises ValueError for one that says nothing."""
    row = value.get("after")
    if value["op"] in ("r", "d"):
        return Note(place, raw, {"what": "the clock as a snapshot has it" if value["op"] == "r" else "a clock removed"})
    there = {str(name).lower(): each for name, each in row.items()} if isinstance(row, dict) else {}
    since, through = (instant(there.get(name), name) for name in ("complete_since", "complete_through"))
    if through < since:
        raise ValueError("complete_through lies before complete_since")
    spelled = {"since": since, "through": through}
    return Closing(place, raw, {name: at.isoformat().replace("+00:00", "Z") for name, at in spelled.items()})


def _is_of(named: str, name: str, table: Table) -> bool:
    if named.upper() == name.upper():
        return True
    return table.partitions is not None and re.fullmatch(table.partitions, named, re.IGNORECASE) is not None


def _is_head(data: bytes, schema: Any) -> bool:
    """Whether what stands before the first `payload` is the schema and no more, so that it can be recognised again."""
    try:
        return bool(orjson.loads(data[len(b'{"schema":') : data.find(b',"payload":')]) == schema)
    except orjson.JSONDecodeError:
        return False


def _fields(schema: Any) -> list[Mapping[str, Any]]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    return [each for each in fields if isinstance(each, dict)] if isinstance(fields, list) else []


def _decoded(column: Column, value: Any, name: str) -> Any:
    try:
        return column.decode(value)
    except (ValueError, OverflowError) as error:
        return Unreadable(f"{name}: {error}")


def _of_binlog(column: Column) -> Decode:
    """What reads a column of MariaDB's stream."""

    def decode(value: Any) -> Any:
        value = from_binlog(column, value)
        return None if value is None else column.decode(value)

    return decode


def _lsn(source: Mapping[str, Any]) -> int:
    """The position in PostgreSQL's log, which rows of an incremental snapshot have in `sequence`. Raises ValueError."""
    if source.get("lsn") is not None:
        return _whole(source["lsn"])
    try:
        return int(orjson.loads(source.get("sequence") or "[]")[-1])
    except (ValueError, TypeError, LookupError):
        raise ValueError("nothing says where in the log it stood") from None


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("nothing says where in the log it stood")
    return value


def _committed(source: Mapping[str, Any]) -> str | None:
    """When the transaction was committed, by the database's clock; of a snapshot when it was taken."""
    micros, millis = source.get("ts_us"), source.get("ts_ms")
    at = micros if type(micros) is int else millis * 1000 if type(millis) is int else 0
    if not 0 < at < 2**57:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def _plain_reason(error: Exception) -> str:
    return f"no JSON: {error}" if isinstance(error, orjson.JSONDecodeError) else str(error)[:200]
