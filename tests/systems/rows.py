"""Rows of a view as inputs of cases: dumps, SQL that fills the tables of an interface, and databases."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Iterable, Mapping
from importlib.resources import files
from io import BytesIO
from typing import Any


def dump(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> str:
    """A CSV dump of the view. Values have no commas."""
    names = list(columns)
    lines = [",".join(names)]
    lines += [",".join("" if each[name] is None else str(each[name]) for name in names) for each in rows]
    return "\n".join(lines) + "\n"


def insert(table: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into a table."""
    statements = []
    for each in rows:
        values = ", ".join("NULL" if value is None else repr(value) for value in each.values())
        statements.append(f"INSERT INTO {table} ({', '.join(each)}) VALUES ({values});\n")
    return "".join(statements)


def tables(system: str, dialect: str = "") -> str:
    """The statements of a system's `table.sql`, for a dialect where it has several."""
    text = files(f"adapters.systems.{system}").joinpath("table.sql").read_text()
    parts = text.split("-- dialect: ")
    return next(part.removeprefix(dialect) for part in parts if part.startswith(dialect)) if dialect else text


def database(statements: str) -> bytes:
    """The bytes of a SQLite database that statements make."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(statements)
        return connection.serialize()
    finally:
        connection.close()


def archive(*dumps: str) -> bytes:
    """Successive reads of a view."""
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, each in enumerate(dumps, 1):
            info = tarfile.TarInfo(f"read-{number}.csv")
            info.size = len(each.encode())
            tar.addfile(info, BytesIO(each.encode()))
    return stream.getvalue()
