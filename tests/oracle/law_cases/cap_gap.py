"""Cap-gap."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, decides, files, left, program
from oracle.law_cases.case import right


def gap(w: World, end: str, filed: str) -> None:
    """A student with a petition for a change to H-1B."""
    came(w, "F1", "D/S", "2022-08-12")
    program(w, "F1", end, "2022-06-01")
    files(w, filed, "change_class", "H1B", form="I-129")


@right(
    "IN_STATUS", on=at("2026-04-01", 23, 50), why="8 CFR 214.2(f)(5)(vi): up to 1 April of the fiscal year asked for"
)
def cap_gap_last_day(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129")


@right("IN_STATUS", on=at("2025-11-15"), why="not to 1 October any more (since 17 January 2025)")
def cap_gap_in_november(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129")


@right(
    "OVERSTAY_SUSPECTED", on=at("2025-11-15"), why="filed behind the sixty days: no cap-gap, nothing pending in time"
)
def cap_gap_filed_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-03-31"))
    files(w, "2025-06-04", "change_class", "H1B", form="I-129")


@right("IN_GRACE", on=at("2026-04-02"), why="8 CFR 214.2(f)(5)(iv), (vi): sixty days behind the denial")
def cap_gap_denied_in_march(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2026-03-20", "denied", "change_class", form="I-129")


@right("OVERSTAY_SUSPECTED", on=at("2026-05-20"), why="and then it is over")
def cap_gap_denied_in_march_and_over(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2026-03-20", "denied", "change_class", form="I-129")


@right("IN_GRACE", on=at("2025-07-20"), why="denied within the sixty days: those still run")
def cap_gap_denied_within_the_grace(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2025-07-10", "denied", "change_class", form="I-129")


@right("IN_STATUS", on=at("2024-09-30", 23, 30), why="89 FR 103054: up to 1 October before 17 January 2025")
def cap_gap_in_2024(w: World) -> None:
    gap(w, "2024-05-31", "2024-04-05")


@right("IN_STATUS", on=at("2025-11-01"), why="8 CFR 214.2(f)(5)(vi)(A): from H-1B's first day it is H-1B")
def cap_gap_granted(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", until="2028-09-30", valid="2025-10-01", form="I-129")


@right(
    "PENDING",
    on=at("2026-04-02"),
    why="8 CFR 214.2(f)(5)(vi): ends on 1 April; then as USCIS said on 28 September 2018",
)
def cap_gap_over_and_still_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("PENDING", on=at("2026-04-15"), why="8 CFR 214.2(h)(2)(i)(I): filed in November, so of the year that runs")
def cap_gap_of_the_year_that_runs(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-11-30", "2024-06-01")
    files(w, "2025-11-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-04-01", 22), why="the same, to 1 April")
def cap_gap_of_the_year_that_runs_last_day(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-11-30", "2024-06-01")
    files(w, "2025-11-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_GRACE", on=at("2025-11-20"), why="sixty days behind the withdrawal")
def cap_gap_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-10-20", "withdrawn", "change_class", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2025-08-20"), why="granted in July from October: carried over between")
def cap_gap_granted_and_not_begun(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", "2028-09-30", "2025-10-01", form="I-129", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(f)(5)(vi): left in the cap-gap")
def left_in_the_cap_gap(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    left(w, at("2026-02-10"))
