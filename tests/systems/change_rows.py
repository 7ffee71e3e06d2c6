"""Messages of captured rows, built from plain words, as a topic of Debezium without schemas has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from adapters.formats.debezium_values import declared
from adapters.messages import CHANGE_TABLE, Message, line_of

COMMITTED = datetime(2026, 3, 1, 14, 30)  # noqa: DTZ001 (in UTC, as all here)
UNAVAILABLE = "__debezium_unavailable_value"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def encoded(sql: str, value: Any) -> Any:
    """A value as Debezium writes it by its defaults; what is no text of its type stands as it is."""
    name = str(declared(sql).get("name", ""))
    if not isinstance(value, str):
        return value
    try:
        if name.endswith(".Date"):
            return {"infinity": -2147472692}.get(value) or (date.fromisoformat(value) - _EPOCH.date()).days
        if name.endswith("Timestamp") and not name.endswith("ZonedTimestamp"):
            micros = (datetime.fromisoformat(value) - _EPOCH).total_seconds() * 10**6 if value != "infinity" else 0
            return int(micros) or 9223372036825200000
    except ValueError:
        return value
    return value


def change(
    tables: Mapping[str, Any],
    table: str,
    row: Mapping[str, Any],
    op: str = "c",
    position: int = 1000,
    moved: str = "",
    at: datetime = COMMITTED,
    **source: Any,
) -> bytes:
    """A message. `moved`: the header of a key that changed. Columns that the interface does not have are kept."""
    columns, key = tables[table].columns, tables[table].key
    body = {name: encoded(columns[name], value) if name in columns else value for name, value in row.items()}
    where = {"connector": "postgresql", "table": table.lower(), "lsn": position, "sequence": f'[null,"{position}"]'}
    where |= {"ts_us": int((at - _EPOCH).total_seconds() * 10**6), "schema": "public"} | source
    lower = {name.lower(): value for name, value in body.items()}
    value = {"before": lower if op == "d" else None, "after": None if op == "d" else lower, "source": where, "op": op}
    named = json.dumps({name.lower(): body[name] for name in key})
    headers = [(f"__debezium.{moved}key", b"{}")] if moved else []
    headers.append(("__debezium.context.taskId", b"0"))
    return line_of(Message(json.dumps(value).encode(), named.encode(), headers))


def tombstone(key: Mapping[str, Any]) -> bytes:
    """What follows a deletion."""
    return line_of(Message(None, json.dumps(key).encode(), [("__debezium.context.taskId", b"0")]))


def beside() -> list[bytes]:
    """What a connector says beside the rows."""
    values: list[Any] = [
        {"ts_ms": 1_796_004_123_806},
        {"status": "BEGIN", "id": "946:41146400", "event_count": None, "data_collections": None, "ts_ms": 1},
        {"source": {"connector": "postgresql"}, "databaseName": "x", "ddl": "ALTER TABLE", "tableChanges": []},
    ]
    lines = [line_of(Message(json.dumps(value).encode(), b'{"serverName":"x"}')) for value in values]
    return [*lines, line_of(Message(None, None))]


def from_table(table: str, row: Mapping[str, Any], key: Mapping[str, Any], op: str = "c", number: int = 1) -> bytes:
    """A message of a change table: values as the database itself writes them."""
    source = {"connector": CHANGE_TABLE, "table": table, "sequence": number, "ts_us": 1_772_375_400_000_000}
    value = {"op": op, "after": None if op == "d" else dict(row), "source": source}
    return line_of(Message(json.dumps(value).encode(), json.dumps(dict(key)).encode()))


def with_schema(line: bytes, columns: Mapping[str, str]) -> bytes:
    """The same message as a converter with `schemas.enable` writes it."""
    body = json.loads(line)
    fields = [{**declared(sql), "field": name.lower(), "optional": True} for name, sql in columns.items()]
    row = {"type": "struct", "fields": fields, "optional": True, "name": "x.Value"}
    schema = {"type": "struct", "fields": [{**row, "field": "before"}, {**row, "field": "after"}], "name": "x.Envelope"}
    whole = json.dumps({"schema": schema, "payload": json.loads(body["value"])}, separators=(",", ":"))
    key = json.dumps({"schema": {"type": "struct", "fields": []}, "payload": json.loads(body["key"])})
    return line_of(Message(whole.encode(), key.encode()))
