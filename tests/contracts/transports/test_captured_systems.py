"""EID and RAPS through real connectors: topic and change table of one database give the same events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from captured import captured, of_mariadb, of_postgres
from change_tables import blocks, statements
from connect_local import Connect
from servers import fresh_database, fresh_mariadb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.core import BadRecord, Origin, Read, Record, System
from adapters.decode import decode
from adapters.formats.debezium import DebeziumFormat
from adapters.registry import systems
from adapters.transports.change_table import ChangeTable
from schemas.codec import encode
from schemas.events import AnyEvent, stamped
from services.domain.facts import fact_of
from services.domain.records import active

EID, RAPS = systems()["EID"], systems()["RAPS"]


def format_of(system: System) -> DebeziumFormat:
    """The one format of both feeds."""
    (format,) = {id(feed.format): feed.format for feed in system.feeds}.values()
    assert isinstance(format, DebeziumFormat)
    return format


def sql(url: str, *several: str) -> None:
    """Statements, each in a transaction of its own; PostgreSQL takes scripts."""

    async def run() -> None:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            for each in several:
                if engine.dialect.name == "postgresql":
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    await driver.execute(each)
                else:
                    await connection.execute(text(each.replace(":", r"\:")))
        await engine.dispose()

    asyncio.run(run())


def of_table(url: str, format: DebeziumFormat) -> list[Read]:
    """All of a change table."""

    async def run() -> list[Read]:
        opened = ChangeTable().open(url, format)
        try:
            return [read async for batch in opened.batches(None) async for read in batch.records()]
        finally:
            await opened.close()

    return asyncio.run(run())


def events(system: System, reads: list[Read]) -> list[AnyEvent]:
    """What a system makes of reads, none refused."""
    origin, results = Origin(system.name, "changes", "b", system.mapping_version), []
    for read in reads:
        assert not isinstance(read, BadRecord), read.reason
        if isinstance(read, Record):
            outcome = decode(read, system.feeds[0], origin)
            assert outcome.refused is None, outcome.refused
            results += outcome.events
    return results


def by_record(system: System, reads: list[Read]) -> dict[str, list[dict[str, Any]]]:
    """By record what its events say one after another, without where in the log they stood."""
    results: dict[str, list[dict[str, Any]]] = {}
    for event in events(system, reads):
        body = event.model_dump(mode="json", exclude={"id", "revision", "place", "batch", "recorded_at"})
        if event.operation == "retract":
            del body["occurred_at"]
        body["operation"] = "assert" if event.operation == "amend" else body["operation"]
        results.setdefault(event.record, []).append(body)
    return results


def names(system: System, reads: list[Read], record: str) -> list[tuple[str, str]]:
    """The names that a record stands for in the end, by the rules of the domain."""
    facts = [fact_of(encode(stamped(each, datetime(2026, 1, 1, tzinfo=UTC)))) for each in events(system, reads)]
    (parts,) = [parts for parts in active(facts)[0].values() if parts[0].record == record]
    claim = parts[0].claim
    return sorted(claim.names) if claim is not None else []


@pytest.fixture
def postgres_database(quiet_postgres_server: str) -> Iterator[str]:
    """An empty database."""
    manager = fresh_database(quiet_postgres_server)
    with asyncio.Runner() as runner:
        yield runner.run(manager.__aenter__())
        runner.run(manager.__aexit__(None, None, None))


@pytest.fixture
def mariadb_database(mariadb_server: str) -> Iterator[str]:
    """An empty database."""
    manager = fresh_mariadb(mariadb_server)
    with asyncio.Runner() as runner:
        yield runner.run(manager.__aenter__())
        runner.run(manager.__aexit__(None, None, None))


def test_eid_of_postgresql(postgres_database: str, connect: Connect, kafka: str) -> None:
    format = format_of(EID)
    tables = []
    for name, table in format.tables.items():
        columns = ", ".join(f"{each} {kind}" for each, kind in table.columns.items())
        tables.append(f"CREATE TABLE {name.lower()} ({columns}, county varchar(20), PRIMARY KEY ({table.key[0]}))")
    triggers = [
        f"CREATE TRIGGER visabus_capture AFTER INSERT OR UPDATE OR DELETE ON {name.lower()} FOR EACH ROW"
        f" EXECUTE FUNCTION visabus_capture('{name.lower()}', '{table.key[0].lower()}')"
        for name, table in format.tables.items()
    ]
    sql(
        postgres_database,
        *tables,
        "ALTER TABLE eid_subject ALTER aliases SET STORAGE EXTERNAL",
        blocks("PostgreSQL")[0],
        *triggers,
    )
    aliases = "repeat('OKAFOR, MILES; ', 400)"
    person = "eid_subject_id, eid_case_id, fin, family_name, given_name, gender, citizenship_country"
    sql(
        postgres_database,
        f"INSERT INTO eid_subject ({person}, birth_date, birth_year, recorded_date, aliases) VALUES"
        f" ('770010001', '314', '1230009999', 'OKAFORIN', 'MILES', 'Male', 'NIGERIA', '1988-04-12', 1988,"
        f" '2026-02-10 09:15', {aliases})",
    )
    with captured(connect, kafka, of_postgres(postgres_database, r"public\.eid_.*"), format) as capture:
        capture.until(bool)  # the snapshot is taken: what comes from here on is of the stream
        sql(
            postgres_database,
            "UPDATE eid_subject SET gender = 'Female', county = 'BEXAR'",
            "INSERT INTO eid_event (eid_event_id, eid_subject_id, apprehension_date, apprehension_method) VALUES"
            " ('271', '770010001', '2026-02-10 08:05:01.5', 'Located'), ('272', '770010001', '2026-02-11', 'Located')",
            "UPDATE eid_event SET apprehension_method = 'Worksite Enforcement' WHERE eid_event_id = '271'",
            "DELETE FROM eid_event WHERE eid_event_id = '272'",
            "INSERT INTO eid_case (eid_case_id, eid_subject_id, case_status, book_in_date_time, book_out_date_time)"
            " VALUES ('314', '770010001', 'ACTIVE', '2026-02-10 14:30', 'infinity')",
            "UPDATE eid_case SET eid_case_id = '315', case_status = 'E-Charging Document Canceled by ICE',"
            " case_status_date = '2026-02-25'",
            "INSERT INTO eid_detainer (eid_dta_id, eid_case_id, detainer_prepare_date, biometric_match)"
            " VALUES ('55', '315', '2026-02-08 11:00', 'Y')",
        )
        capture.until(lambda records: any(each.fields["key"] == "EID_DETAINER 55" for each in records))
    both = capture.reads, of_table(postgres_database, format)
    first, second = (by_record(EID, reads) for reads in both)
    amended = first["EID_SUBJECT 770010001"].pop(), second["EID_SUBJECT 770010001"].pop()
    assert first == second
    assert [amended[0]["subject"]["names"], amended[0]["subject"]["sex"]] == [[], "F"], "the aliases were not sent"
    for reads in both:  # and stand all the same
        assert names(EID, list(reads), "EID_SUBJECT 770010001") == [("OKAFOR", "MILES"), ("OKAFORIN", "MILES")]
    assert {each["operation"] for each in first["EID_EVENT 272"]} == {"assert", "retract"}
    assert [each["part"] for each in first["EID_CASE 315"]] == ["closed", "detained"]


def test_raps_of_mariadb(mariadb_database: str, connect: Connect, kafka: str) -> None:
    format = format_of(RAPS)
    made = [
        f"CREATE TABLE `{name.lower()}` ({', '.join(f'{each} {kind}' for each, kind in table.columns.items())},"
        f" note text, PRIMARY KEY ({table.key[0]}))"
        for name, table in format.tables.items()
    ]
    made += statements(blocks("MariaDB")[0])
    for name, table in format.tables.items():
        key, row = (
            ", ".join(f"'{each}', NEW.{each}" for each in columns) for columns in (table.key, tuple(table.columns))
        )
        for when, op in (("INSERT", "c"), ("UPDATE", "u")):
            made.append(
                f"CREATE TRIGGER {name}_{op} AFTER {when} ON `{name.lower()}` FOR EACH ROW INSERT INTO visabus_change"
                f" (table_name, op, row_key, `after`) VALUES ('{name}', '{op}', JSON_OBJECT({key}), JSON_OBJECT({row}))"
            )
        made.append(
            f"CREATE TRIGGER {name}_d AFTER DELETE ON `{name.lower()}` FOR EACH ROW INSERT INTO visabus_change"
            f" (table_name, op, row_key) VALUES ('{name}', 'd', JSON_OBJECT({key.replace('NEW.', 'OLD.')}))"
        )
    sql(mariadb_database, *made, "INSERT INTO `case` VALUES ('ZNY31', 'AFFIRMATIVE', '2025-06-02', NULL)")
    with captured(connect, kafka, of_mariadb(mariadb_database, kafka), format) as capture:
        capture.until(bool)  # the snapshot is taken: what comes from here on is of the stream
        sql(
            mariadb_database,
            "INSERT INTO applicant (applicant_id, case_id, role, a_number, family_name, citizenship, filed_date,"
            " birth_date) VALUES"
            " (9001, 'ZNY31', 'PRINCIPAL', 'A099000117', 'OKAFORÍN', 'NIGIA', '2025-06-02', '1988-04-12'),"
            " (9002, 'ZNY31', 'DEPENDANT', 'A099000118', 'OKAFORÍN', 'NIGIA', '2025-06-02', NULL)",
            "UPDATE applicant SET decision = 'REFERRAL', decision_date = '2025-09-01'",
            "INSERT INTO event VALUES (70001, 'ZNY31', 'SERVED', 'REFERRAL', '2025-09-01', 'a note'),"
            " (70002, 'ZNY31', 'SERVED', 'GRANT', '2025-09-01', NULL)",
            "DELETE FROM event WHERE event_id = 70002",
        )
        capture.until(lambda records: any(each.fields.get("op") == "d" for each in records))
    first, second = by_record(RAPS, capture.reads), by_record(RAPS, of_table(mariadb_database, format))
    assert first == second
    assert set(first) == {"CASE ZNY31", "APPLICANT 9001", "APPLICANT 9002", "EVENT 70001", "EVENT 70002"}
    assert all(each["handling"] == ["asylum"] for several in first.values() for each in several)
    assert first["EVENT 70002"][-1]["operation"] == "retract"
    assert [each["fact"] for each in first["EVENT 70001"]] == ["asylum_referred", "proceedings_started"]
