"""Duration of status, and dates in its classes."""

from __future__ import annotations

from datetime import UTC, datetime

from oracle.histories import World
from oracle.law_cases.build import at, came, d, left, program
from oracle.law_cases.case import right


@right(
    "UNDETERMINED",
    on=at("2026-09-01"),
    why="a departure dated ten years behind its own record is never 'no departure reported'",
)
def departure_in_2036(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, datetime(2036, 7, 1, 16, tzinfo=UTC))


@right(
    "IN_STATUS",
    on=at("2026-11-15"),
    why="91 FR 44976 is postponed (D. Mass. 1:26-cv-13799): D/S, and no date of the new rule",
)
def f1_admitted_in_october_2026(w: World) -> None:
    came(w, "F1", "D/S", "2026-10-02")
    w.sevis("program", "sevis_active", d("2026-06-01"), "F1", "created", d("2031-05-31"))


@right("IN_GRACE", on=at("2026-11-15"), why="and sixty days of grace, not thirty")
def f1_sixty_days_in_november_2026(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2026-09-30"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(g)(1): the date on the I-94 counts wherever there is one")
def g4_with_a_date_left_late(w: World) -> None:
    came(w, "G4", "2026-07-09")
    left(w, at("2026-07-10", 8))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(s)(1): a date on the I-94 counts")
def n3_with_a_date_over(w: World) -> None:
    came(w, "N3", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59), why="85 FR 27645, 87 FR 61959: to the date, its last minute")
def i_of_the_prc_last_minute(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "2026-07-09")


@right("UNDETERMINED", on=at("2026-07-10"), why="8 CFR 214.3(l): a date for want of papers, and the program runs")
def j2_to_a_date_over_program_active(w: World) -> None:
    came(w, "J2", "2026-02-11")
    program(w, "J2", "2027-05-31")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="left before the date for want of papers")
def f2_to_a_date_left_before_it(w: World) -> None:
    came(w, "F2", "2026-02-11")
    program(w, "F2", "2027-05-31")
    left(w, at("2026-02-11", 23))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="the date on the I-94 counts wherever there is one")
def palauan_with_a_date_over(w: World) -> None:
    w.citizenship = "PLW"
    came(w, "PAL", "2026-07-09", port="GUM")
