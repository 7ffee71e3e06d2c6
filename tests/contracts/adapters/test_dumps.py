"""Databases and dumps of the systems whose feed polls a database, as `decode` reads them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from systems.claims3.build import ROW, database, dump, insert, row
from systems.claims3.inputs import CLOCK
from systems.contract import judge

from adapters.decode import Decoded, decode_file
from adapters.registry import systems
from adapters.transports.database_file import LONGEST_ROW

CLAIMS3 = systems()["CLAIMS3"]
WHOLE = database(insert([row(), row(action_id=4712)]) + CLOCK)


def reasons(results: list[Decoded]) -> list[str]:
    """Why something was refused."""
    judge(results)
    return [result.refused.reason for result in results if result.refused is not None]


@pytest.mark.parametrize("name", ["plain.db", "50% of #1? ä.db"])
def test_a_database_is_read_where_it_lies(tmp_path: Path, name: str) -> None:
    """The same as from its bytes, and nothing is left beside it."""
    path = tmp_path / name
    path.write_bytes(WHOLE)
    path.chmod(0o400)
    assert list(decode_file(CLAIMS3, path, name="b")) == list(decode_file(CLAIMS3, WHOLE, name="b"))
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_rows_that_are_in_the_log_of_a_database_are_read(tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    path.write_bytes(database(insert([row()])))
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("PRAGMA journal_mode = WAL")
        owner.execute("PRAGMA wal_autocheckpoint = 0")
        owner.execute("INSERT INTO benefit_clock VALUES ('2025-11-03T00:00:00.000000Z')")
        owner.execute("UPDATE benefit_action SET row_version = 2")
        owner.commit()
        before = path.read_bytes()
        results = list(decode_file(CLAIMS3, path))
        assert path.read_bytes() == before
    assert [event.kind for result in results for event in result.events] == ["extension", "coverage"]
    assert results[0].events[0].revision.number == 2


@pytest.mark.parametrize("reported", ["2025-08-21 14:03:11.25+00", "2025-08-21 10:03:11.250000-04:00"])
def test_a_dump_may_have_the_timestamps_of_postgresql(reported: str) -> None:
    """The event is the one that the poll gives."""
    (one,) = decode_file(CLAIMS3, dump([row()]).encode(), name="b")
    (other,) = decode_file(CLAIMS3, dump([row(last_update_ts=reported)]).encode(), name="b")
    assert one.events
    assert other.events == one.events
    for wrong in ("2025-08-21 14:03:11", "2025-08-21", "yesterday", "2025-08-21T14:03:11Z"):
        assert reasons(list(decode_file(CLAIMS3, dump([row(last_update_ts=wrong)]).encode()))) == [
            f"last_update_ts {wrong!r} is no timestamp"
        ]


def test_names_in_a_database_may_be_no_text() -> None:
    """Found by the fuzzer: what SQLite says of such a name is no text either."""
    (reason,) = reasons(list(decode_file(CLAIMS3, WHOLE.replace(b"CREATE VIEW", b"CREATE VIE\xff"))))
    assert reason.startswith("no database of this interface: 'utf-8' codec can't decode byte 0xff")


def test_sizes_in_a_database_may_be_damaged() -> None:
    """Found by the fuzzer: SQLite says then that it has no memory."""
    results = list(decode_file(CLAIMS3, Path(__file__).with_name("damaged.db")))
    assert reasons(results)[-1].startswith("no database of this interface: ")
    assert not any(result.events for result in results)


def test_a_value_in_a_database_may_be_too_long() -> None:
    """No more memory than a row may take."""
    long = database(insert([row(), row(action_id=4712), row(action_id=4713, family_name="F" * (LONGEST_ROW + 1))]))
    results = list(decode_file(CLAIMS3, long))
    assert results[0].events
    assert reasons(results) == ["no database of this interface: string or blob too big"]


@pytest.mark.parametrize(
    "endless",
    [
        b"x" * (LONGEST_ROW + 1),
        b"\xff" * (LONGEST_ROW + 1),
        b'"' + b'\n","' * (LONGEST_ROW // 4),
        b'"' + b"x\n" * 70_000,
        b"1," * LONGEST_ROW,
    ],
    ids=["a line", "no text", "a row of many lines", "a value", "values"],
)
def test_a_row_without_end_is_not_waited_for(endless: bytes) -> None:
    good = dump([row()]).encode()
    results = list(decode_file(CLAIMS3, good + endless))
    assert results[0].events
    (reason,) = reasons(results)
    assert reason.startswith("no CSV: ")


def test_rows_together_may_be_longer_than_one_may_be() -> None:
    """What is counted is counted from the begin of a row."""
    names = ",".join([*ROW, "remarks"])
    line = dump([row()]).splitlines()[1]
    text = names + "\n" + f'{line},"{"x" * 40_000}\n{"y" * 40_000}"\n' * 30
    assert len(text) > 2 * LONGEST_ROW
    results = list(decode_file(CLAIMS3, text.encode()))
    assert reasons(results) == []
    assert len(results) == 30
