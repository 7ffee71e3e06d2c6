"""The table of CLAIMS 3 as it stands when the records end, in SQLite. Written from the interface document alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from services.simulator.clock import iso_stamp

COLUMNS: tuple[tuple[str, str], ...] = (
    ("action_id", "INTEGER PRIMARY KEY"),
    ("row_version", "INTEGER NOT NULL"),
    ("receipt_number", "TEXT NOT NULL"),
    ("form_type", "TEXT NOT NULL"),
    ("action_code", "TEXT NOT NULL"),
    ("action_date", "TEXT NOT NULL"),
    ("filed_date", "TEXT"),
    ("a_number", "TEXT"),
    ("i94_number", "TEXT"),
    ("family_name", "TEXT"),
    ("given_name", "TEXT"),
    ("date_of_birth", "TEXT"),
    ("sex", "TEXT"),
    ("country_of_citizenship", "TEXT"),
    ("passport_number", "TEXT"),
    ("passport_country", "TEXT"),
    ("current_class", "TEXT"),
    ("requested_class", "TEXT"),
    ("requested_until", "TEXT"),
    ("granted_class", "TEXT"),
    ("granted_until", "TEXT"),
    ("valid_from", "TEXT"),
    ("new_i94_number", "TEXT"),
    ("void_flag", "TEXT NOT NULL"),
    ("last_update_ts", "TEXT NOT NULL"),
    ("requested_action", "TEXT"),
    ("t_u_vawa_flag", "TEXT"),
    ("service_center", "TEXT"),
    ("examiner_id", "TEXT"),
)
_INSERT = f"INSERT INTO benefit_action VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Action:
    """One row. Days are texts; None is NULL."""

    action_id: int
    row_version: int
    receipt_number: str
    form_type: str
    action_code: str
    action_date: str
    filed_date: str | None
    a_number: str | None
    i94_number: str | None
    family_name: str | None
    given_name: str | None
    date_of_birth: str | None
    sex: str | None
    country_of_citizenship: str | None
    passport_number: str | None
    passport_country: str | None
    current_class: str | None
    requested_class: str | None
    requested_until: str | None
    granted_class: str | None
    granted_until: str | None
    valid_from: str | None
    new_i94_number: str | None
    void_flag: str
    last_update_ts: str
    requested_action: str | None
    t_u_vawa_flag: str | None
    service_center: str
    examiner_id: str


_values = tuple(name for name, _ in COLUMNS)


class Actions:
    """The table while it is filled."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        # a file that is made anew each time needs no journal
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS)
        self._database.execute(f"CREATE TABLE benefit_action ({columns})")
        self._held: list[tuple[object, ...]] = []
        self.rows = self.filtered = self.voided = self.changed = 0

    def add(self, action: Action) -> None:
        """Put a row in."""
        self._held.append(tuple(getattr(action, name) for name in _values))
        self.rows += 1
        self.filtered += action.form_type == "I-765"
        self.voided += action.void_flag == "Y"
        self.changed += action.row_version > 1
        if len(self._held) >= _BATCH:
            self._flush()

    def finish(self, complete_through: int) -> None:
        """Write the clock, index and views, and close."""
        self._flush()
        database = self._database
        database.execute("CREATE INDEX benefit_action_updated ON benefit_action (last_update_ts, action_id)")
        database.execute("CREATE TABLE benefit_clock (complete_through TEXT NOT NULL)")
        database.execute("INSERT INTO benefit_clock VALUES (?)", (timestamp(complete_through),))
        database.execute("CREATE VIEW visabus_benefit_action AS SELECT * FROM benefit_action")
        database.execute("CREATE VIEW visabus_benefit_clock AS SELECT complete_through FROM benefit_clock")
        database.commit()
        database.close()

    def _flush(self) -> None:
        self._database.executemany(_INSERT, self._held)
        self._database.commit()
        self._held.clear()


def timestamp(at: int) -> str:
    """Return an instant as the table has it, with six decimals."""
    return iso_stamp(at) + ".000000Z"
