"""Identity by Splink and status by DuckDB's SQL, over canonical events: the nearest that a user could put together.

`python splink_app.py EVENTS.jsonl AS_OF RECORDS.parquet STAYS.parquet`. What counts of each record, who claims what,
and the stays are SQL; which claims are of one person Splink says, set up and trained as in `visabus evaluate --splink`.
What SQL of this length leaves out: everything of the law but the last day of an admission, approved extensions,
adjustment and the day of departure; caps; vetoes; corrections known later; the dates from which an answer holds;
evidence.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pandas

sys.path.insert(0, str(Path(__file__).parents[3]))

from services.evaluation.splink_baseline import clustered

EVENTS = """
CREATE TABLE event AS SELECT *, row_number() OVER () AS line FROM read_json(?, format = 'newline_delimited', columns = {
  kind: 'VARCHAR', operation: 'VARCHAR', system: 'VARCHAR', record: 'VARCHAR', part: 'VARCHAR',
  revision: 'STRUCT(number UBIGINT)', recorded_at: 'TIMESTAMPTZ',
  occurred_at: 'STRUCT("at" TIMESTAMPTZ, "day" DATE)',
  subject: 'STRUCT(names STRUCT(family VARCHAR, given VARCHAR)[], birth VARCHAR, sex VARCHAR, citizenship VARCHAR[],
    identifiers STRUCT(scheme VARCHAR, issuer VARCHAR, value VARCHAR)[])',
  inspection: 'VARCHAR', class_of_admission: 'VARCHAR', admitted_until: 'VARCHAR', evidence: 'VARCHAR',
  action: 'VARCHAR', granted_until: 'VARCHAR', fact: 'VARCHAR'})
WHERE kind IN ('arrival', 'departure', 'extension', 'status')
"""
COUNTING = """
CREATE TABLE counting AS SELECT *, coalesce(occurred_at['at'], occurred_at['day']::TIMESTAMPTZ) AS happened,
  list_sort(list_distinct(list_transform(
    subject.identifiers, lambda each: concat_ws('/', each.scheme, each.issuer, each.value)))) AS numbers
FROM (SELECT * FROM event QUALIFY row_number() OVER (
  PARTITION BY system, record, part ORDER BY revision.number DESC, recorded_at DESC, line DESC) = 1)
WHERE operation <> 'retract'
"""
CLAIMS = """
CREATE TABLE claim AS SELECT row_number() OVER () - 1 AS unique_id, * FROM (
  SELECT upper(subject.names[1].family) AS family, upper(subject.names[1].given) AS given,
    CASE WHEN length(subject.birth) = 10 THEN subject.birth END AS birth, subject.sex AS sex,
    subject.citizenship[1] AS citizenship, numbers, list({system: system, record: record, part: part}) AS told_by
  FROM counting GROUP BY ALL)
"""
STAYS = """
COPY (
WITH person AS (
  SELECT told.system, told.record, told.part, home.person
  FROM (SELECT unique_id, unnest(told_by) AS told FROM claim) JOIN home USING (unique_id)),
told AS (SELECT counting.*, person.person FROM counting JOIN person USING (system, record, part)),
arrival AS (
  SELECT *, lead(happened) OVER (PARTITION BY person ORDER BY happened) AS next_at FROM told
  WHERE kind = 'arrival' AND system = 'I94'),
departure AS (
  SELECT person, happened FROM told WHERE kind = 'departure' AND evidence IS DISTINCT FROM 'booking'),
facts AS (
  SELECT arrival.system, arrival.record, arrival.inspection, arrival.class_of_admission, arrival.happened,
    arrival.next_at, min(departure.happened) AS left_at, any_value(arrival.admitted_until) AS admitted_until
  FROM arrival LEFT JOIN departure ON departure.person = arrival.person AND departure.happened > arrival.happened
    AND (arrival.next_at IS NULL OR departure.happened < arrival.next_at)
  GROUP BY ALL),
granted AS (
  SELECT arrival.system, arrival.record, max(told.granted_until) AS granted_until,
    bool_or(told.kind = 'status' AND told.fact = 'adjusted') AS adjusted
  FROM arrival JOIN told ON told.person = arrival.person AND told.happened > arrival.happened
    AND (arrival.next_at IS NULL OR told.happened < arrival.next_at)
  WHERE (told.kind = 'extension' AND told.action = 'approved') OR (told.kind = 'status' AND told.fact = 'adjusted')
  GROUP BY ALL),
due AS (
  SELECT facts.*, granted.adjusted,
    try_cast(greatest(coalesce(facts.admitted_until, ''), coalesce(granted.granted_until, '')) AS DATE) AS last_day
  FROM facts LEFT JOIN granted USING (system, record))
SELECT system, record, CASE
  WHEN inspection <> 'admitted' THEN 'NOT_ADMITTED'
  WHEN left_at IS NOT NULL AND (last_day IS NULL OR left_at::DATE <= last_day) THEN 'DEPARTED_IN_TIME'
  WHEN left_at IS NOT NULL THEN 'DEPARTED_LATE'
  WHEN next_at IS NOT NULL THEN 'CLOSED_UNOBSERVED'
  WHEN adjusted THEN 'ADJUSTED'
  WHEN last_day IS NULL OR last_day >= $as_of::DATE THEN 'IN_STATUS'
  ELSE 'OVERSTAY_SUSPECTED' END AS outcome
FROM due) TO '{place}' (FORMAT parquet)
"""


def main() -> None:
    """Do all of it."""
    events, as_of, records, stays = sys.argv[1:5]
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(EVENTS, [events])
    connection.execute(COUNTING)
    connection.execute(CLAIMS)
    rows = connection.execute(
        "SELECT DISTINCT split_part(unnest(numbers), '/', 1) AS scheme FROM claim ORDER BY scheme"
    ).fetchall()
    schemes = [scheme for (scheme,) in rows if scheme != "booking"]  # one booking is of a family
    columns = ", ".join(
        f"nullif(list_filter(numbers, lambda each: starts_with(each, '{scheme}/')), []) AS of_{scheme}"
        for scheme in schemes
    )
    frame = connection.execute(f"SELECT unique_id, family, given, birth, sex, citizenship, {columns} FROM claim").df()
    homes = clustered(frame, schemes)
    connection.execute("CREATE TABLE home (unique_id BIGINT, person BIGINT)")
    connection.register("homes", pandas.DataFrame(homes.items(), columns=["unique_id", "person"]))
    connection.execute("INSERT INTO home SELECT * FROM homes")
    connection.execute(
        f"""COPY (SELECT DISTINCT told.system AS system, told.record AS record, person FROM (
        SELECT unique_id, unnest(told_by) AS told FROM claim) JOIN home USING (unique_id))
        TO '{records}' (FORMAT parquet)"""
    )
    connection.execute(STAYS.replace("{place}", stays), {"as_of": as_of})


if __name__ == "__main__":
    main()
