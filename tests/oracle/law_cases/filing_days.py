"""The day of receipt: paper, weekends, holidays."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, files
from oracle.law_cases.case import right


@right("PENDING", on=at("2026-07-01"), why="Saturday; Monday 25 May 2026 is Memorial Day; Tuesday is in time")
def paper_behind_memorial_day(w: World) -> None:
    came(w, "B2", "2026-05-23")
    files(w, "2026-05-26")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-01"), why="Wednesday is not")
def paper_two_days_behind_memorial_day(w: World) -> None:
    came(w, "B2", "2026-05-23")
    files(w, "2026-05-27")


@right("PENDING", on=at("2026-11-20"), why="Wednesday 11 November is Veterans Day: Thursday is in time")
def paper_behind_veterans_day(w: World) -> None:
    came(w, "B2", "2026-11-11", "2026-05-12")
    files(w, "2026-11-12")


@right("PENDING", on=at("2025-08-01"), why="Juneteenth, a Thursday in 2025: Friday is in time")
def paper_behind_juneteenth(w: World) -> None:
    came(w, "B2", "2025-06-19", "2025-01-10")
    files(w, "2025-06-20")


@right("PENDING", on=at("2025-12-01"), why="Saturday; Monday 13 October 2025 is Columbus Day; Tuesday is in time")
def paper_behind_columbus_day(w: World) -> None:
    came(w, "L1", "2025-10-11", "2024-10-12")
    files(w, "2025-10-14", form="I-129")


@right("PENDING", on=at("2024-04-15"), why="filed on the last day, a leap day")
def filed_on_a_leap_day(w: World) -> None:
    came(w, "B2", "2024-02-29", "2023-09-01")
    files(w, "2024-02-29", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2024-04-15"), why="8 CFR 214.1(c)(4): the day behind, a Friday, is late")
def filed_the_day_behind_a_leap_day(w: World) -> None:
    came(w, "B2", "2024-02-29", "2023-09-01")
    files(w, "2024-03-01", system="ELIS")


@right("PENDING", on=at("2026-07-01"), why="8 CFR 103.2(a)(7): the day received counts, not the day it was entered")
def entered_later_than_received(w: World) -> None:
    came(w, "B2", "2026-05-20")
    w.step("IOE0000000001", "filed", d("2026-06-03"), asks="extend", filed_on="2026-05-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-15"), why="not on paper, as the record says: Sunday is the last day")
def said_to_be_no_paper(w: World) -> None:
    came(w, "B2", "2026-07-12")
    w.step("IOE0000000001", "filed", d("2026-07-13"), asks="extend", filed_on_paper=False)


@right("PENDING", on=at("2026-08-15"), why="the record says that it was on paper, whatever system keeps it")
def said_to_be_paper(w: World) -> None:
    came(w, "B2", "2026-07-12")
    w.step("IOE0000000001", "filed", d("2026-07-13"), system="ELIS", asks="extend", filed_on_paper=True)


@right("PENDING", on=at("2026-08-01"), why="17 March + 60 is a Saturday: paper on Monday is in time")
def h1b_sixtieth_day_is_a_saturday(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-17"))
    files(w, "2026-05-18", "change_class", "B2")


@right("TERMINATED", on=at("2026-08-01"), why="filed behind the sixty days: late; the I-94's date is not over")
def h1b_change_filed_on_the_sixty_first_day(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-16"))
    files(w, "2026-05-18", "change_class", "B2")
