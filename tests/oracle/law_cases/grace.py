"""Days of grace."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, files, left, left_on, program
from oracle.law_cases.case import right

TERMS = "8 CFR 214.2(h)(5)(viii)(B), (h)(6)(vii)(A): days are a term of the admission, by the law of its day"


@right("IN_GRACE", on=at("2026-07-19", 23, 59), why="8 CFR 214.1(l)(1): ten days, where endorsed")
def tn_tenth_endorsed_day(w: World) -> None:
    came(w, "TN", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="8 CFR 214.1(l)(1): at most ten days, whatever was written")
def tn_eleventh_endorsed_day(w: World) -> None:
    came(w, "TN", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-25"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-12"), why="8 CFR 214.1(l)(1) names no visitor")
def b2_endorsed_days_give_nothing(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("DEPARTED_IN_TIME", on=at("2026-12-01"), why="8 CFR 214.2(f)(5)(iv): the sixtieth day, where he left")
def f1_left_on_the_sixtieth_day_from_hawaii(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    left(w, at("2026-07-30", 23, 59, "HNL"), "HNL")


@right("DEPARTED_LATE", on=at("2026-11-01"), why="the sixty-first")
def f1_left_on_the_sixty_first_day(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2026-05-31"))
    left(w, at("2026-07-31", 0, 5))


@right(
    "DEPARTED_IN_TIME", on=at("2026-11-01"), why="8 CFR 214.2(f)(5)(iv): fifteen days behind an authorised withdrawal"
)
def f1_left_fifteen_days_behind_a_withdrawal(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "authorized-withdrawal")
    left_on(w, "2026-03-16")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="8 CFR 214.2(j)(1)(ii): thirty days, not sixty")
def j2_thirty_days_over(w: World) -> None:
    came(w, "J2", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "J2", "created", d("2026-05-31"))


@right("TERMINATED", on=at("2026-06-01"), why="a violation ends D/S with no grace, and is no overstay")
def j1_terminated(w: World) -> None:
    came(w, "J1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "J1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "J1", "violation")


@right("IN_GRACE", on=at("2026-07-19", 23, 50), why="8 CFR 214.2(p)(12): ten days behind the petition")
def p1_tenth_endorsed_day(w: World) -> None:
    came(w, "P1", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("IN_GRACE", on=at("2026-07-15"), why="8 CFR 214.2(o)(10): O-2 too")
def o2_endorsed_days(w: World) -> None:
    came(w, "O2", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("IN_GRACE", on=at("2026-07-15"), why="8 CFR 214.2(h)(13)(i)(A): ten days for any H but H-2, so H-3")
def h3_endorsed_days(w: World) -> None:
    came(w, "H3", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("IN_GRACE", on=at("2026-07-15"), why="8 CFR 214.1(l)(1): and his or her dependents")
def l2_endorsed_days(w: World) -> None:
    came(w, "L2", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-15"), why="8 CFR 214.2(r) and 214.1(l)(1) know no such days for R")
def r1_endorsed_days_give_nothing(w: World) -> None:
    came(w, "R1", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("DEPARTED_IN_TIME", on=at("2025-06-01"), why="8 CFR 214.2(h)(5)(viii)(B), since 2009: thirty days for H-2A")
def h2a_thirty_days_in_2024(w: World) -> None:
    came(w, "H2A", "2024-10-31", "2024-03-01")
    left(w, at("2024-11-30", 22))


@right("DEPARTED_LATE", on=at("2025-06-01"), why="and no more")
def h2a_thirty_one_days_in_2024(w: World) -> None:
    came(w, "H2A", "2024-10-31", "2024-03-01")
    left(w, at("2024-12-01", 10))


@right("DEPARTED_LATE", on=at("2025-06-01"), why="8 CFR 214.2(h)(13)(i)(A) before 89 FR 103202: H-2B had ten days")
def h2b_fifteen_days_in_2024(w: World) -> None:
    came(w, "H2B", "2024-10-31", "2024-03-01")
    left(w, at("2024-11-15", 10))


@right("IN_GRACE", on=at("2025-04-15"), why="89 FR 103202: in force when the work was lost, whenever admitted")
def h2b_sixty_days_of_an_earlier_admission(w: World) -> None:
    came(w, "H2B", "2025-09-30", "2024-12-01")
    w.fact("employment_ended", d("2025-03-01"))


@right("TERMINATED", on=at("2025-02-10"), why="8 CFR 214.2(h)(13)(i): no sixty days for H-2B before 17 January 2025")
def h2b_lost_the_work_the_day_before(w: World) -> None:
    came(w, "H2B", "2025-09-30", "2024-12-01")
    w.fact("employment_ended", d("2025-01-16"))


@right("TERMINATED", on=at("2016-11-15"), why="81 FR 82398: no sixty days before 17 January 2017")
def h1b_lost_his_work_in_2016(w: World) -> None:
    came(w, "H1B", "2018-09-30", "2015-10-01")
    w.fact("employment_ended", d("2016-10-15"))


@right("IN_GRACE", on=at("2017-03-10"), why="81 FR 82398: in force when the work was lost, whenever admitted")
def h1b_admitted_before_the_sixty_days(w: World) -> None:
    came(w, "H1B", "2018-09-30", "2015-10-01")
    w.fact("employment_ended", d("2017-02-01"))


@right("IN_GRACE", on=at("2026-05-14", 23, 30), why="8 CFR 214.1(l)(2) names O-1")
def o1_sixtieth_day(w: World) -> None:
    came(w, "O1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("TERMINATED", on=at("2026-03-20"), why="8 CFR 214.1(l)(2) does not name O-2")
def o2_has_no_sixty_days(w: World) -> None:
    came(w, "O2", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("TERMINATED", on=at("2026-03-20"), why="8 CFR 214.1(l)(2) does not name R-1")
def r1_has_no_sixty_days(w: World) -> None:
    came(w, "R1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("OVERSTAY_SUSPECTED", on=at("2026-05-10"), why="8 CFR 214.1(l)(2): never past the date on the I-94")
def tn_sixty_days_cut_at_the_date(w: World) -> None:
    w.citizenship = "MEX"
    came(w, "TN", "2026-05-09", "2023-05-10")
    w.fact("employment_ended", d("2026-04-15"))


@right("IN_GRACE", on=at("2024-02-29", 23, 50), why="8 CFR 214.2(f)(5)(iv): 31 December 2023 + 60 is the leap day")
def f1_sixtieth_day_is_a_leap_day(w: World) -> None:
    came(w, "F1", "D/S", "2023-01-10")
    program(w, "F1", "2023-12-31")


@right("OVERSTAY_SUSPECTED", on=at("2024-03-01", 12), why="the sixty-first")
def f1_day_behind_the_leap_day(w: World) -> None:
    came(w, "F1", "D/S", "2023-01-10")
    program(w, "F1", "2023-12-31")


@right("DEPARTED_IN_TIME", on=at("2024-04-01"), why="8 CFR 214.2(j)(1)(ii): 31 January 2024 + 30 is 1 March")
def j1_thirtieth_day_behind_a_leap_day(w: World) -> None:
    came(w, "J1", "D/S", "2023-01-10")
    program(w, "J1", "2024-01-31")
    left_on(w, "2024-03-01", "HNL")


@right("DEPARTED_LATE", on=at("2024-04-01"), why="the thirty-first")
def j1_thirty_first_day_behind_a_leap_day(w: World) -> None:
    came(w, "J1", "D/S", "2023-01-10")
    program(w, "J1", "2024-01-31")
    left_on(w, "2024-03-02", "LAX")


@right("IN_GRACE", on=at("2025-08-29"), why="8 CFR 214.2(f)(5)(iv): sixty days from an early completion")
def f1_completed_early(w: World) -> None:
    came(w, "F1", "D/S", "2023-01-10")
    program(w, "F1", "2026-05-31")
    w.sevis("program", "sevis_completed", d("2025-06-30"), "F1", "completed", d("2025-06-30"))


@right("OVERSTAY_SUSPECTED", on=at("2025-08-30"), why="the sixty-first")
def f1_completed_early_grace_over(w: World) -> None:
    came(w, "F1", "D/S", "2023-01-10")
    program(w, "F1", "2026-05-31")
    w.sevis("program", "sevis_completed", d("2025-06-30"), "F1", "completed", d("2025-06-30"))


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="8 CFR 214.2(m)(5): the date on the I-94 still holds")
def m1_left_behind_the_thirty_days_inside_the_date(w: World) -> None:
    came(w, "M1", "2027-01-09")
    program(w, "M1", "2026-06-09", "2025-11-01")
    left(w, at("2026-08-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-05-10"), why="8 CFR 214.2(m)(5): the thirty days lie inside the date")
def m1_program_ends_with_the_date(w: World) -> None:
    came(w, "M1", "2026-05-09")
    program(w, "M1", "2026-05-09", "2025-11-01")


@right("IN_GRACE", on=at("2025-07-19", 23, 30), why=TERMS)
def h2b_of_the_eve_tenth_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")


@right("OVERSTAY_SUSPECTED", on=at("2025-07-20"), why=TERMS)
def h2b_of_the_eve_eleventh_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")


@right("IN_GRACE", on=at("2025-08-08", 23, 30), why=TERMS)
def h2b_of_the_day_thirtieth_day(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-17")


@right("DEPARTED_IN_TIME", on=at("2025-09-01"), why="8 CFR 214.2(h)(5)(viii)(B) as of 73 FR 76891: H-2A had thirty")
def h2a_of_the_eve_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2025-01-16")
    left(w, at("2025-08-08", 22, 0))


@right("OVERSTAY_SUSPECTED", on=at("2025-08-01"), why="8 CFR 214.2(h)(13)(i)(A) as it was: no words on asking in them")
def h2b_of_the_eve_asks_in_the_ten_days(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-16")
    files(w, "2025-07-14", system="ELIS", form="I-129")


@right("PENDING", on=at("2025-09-01"), why="8 CFR 214.2(h)(6)(vii)(A): or to seek an extension")
def h2b_of_the_day_asks_in_the_thirty_days(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-17")
    files(w, "2025-08-05", system="ELIS", form="I-129")


@right("TERMINATED", on=at("2025-01-18"), why="no sixty days before 89 FR 103202: the employment ended on its eve")
def h2a_employment_ended_on_the_eve(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2024-12-02")
    w.fact("employment_ended", d("2025-01-16"))


@right("IN_GRACE", on=at("2025-03-18", 22, 0), why="8 CFR 214.2(h)(13)(i)(C): sixty days, by the law of that day")
def h2a_employment_ended_on_the_day(w: World) -> None:
    came(w, "H2A", "2025-07-09", "2024-12-02")
    w.fact("employment_ended", d("2025-01-17"))


@right("OVERSTAY_SUSPECTED", on=at("2025-08-20"), why="8 CFR 214.1(c)(4)(i): who failed to maintain status may not")
def h2b_out_of_status_asks_behind_the_date(w: World) -> None:
    came(w, "H2B", "2025-07-09", "2025-01-20")
    w.fact("employment_ended", d("2025-02-03"))
    files(w, "2025-08-05", system="ELIS", form="I-129")
