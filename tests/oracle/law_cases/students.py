"""Students' and exchange visitors' programs."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, files, left, left_on, program
from oracle.law_cases.case import right


@right("TERMINATED", on=at("2026-12-31"), why="the date on the I-94 still holds")
def m1_terminated_inside_the_date(w: World) -> None:
    came(w, "M1", "2027-01-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-12-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="behind the date the stay is an overstay")
def m1_terminated_behind_the_date(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")


@right("DEPARTED_LATE", on=at("2026-08-10"), why="behind the date")
def m1_terminated_left_behind_the_date(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M1", "violation")
    left(w, at("2026-07-10", 1))


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-07-10"),
    why="8 CFR 214.2(m)(10): a longer program moves no date without Form I-539",
)
def m1_program_extended_date_over(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))
    w.sevis("program", "sevis_active", d("2026-05-01"), "M1", "extended", d("2026-12-09"))


@right("IN_GRACE", on=at("2026-07-01"), why="8 CFR 214.2(m)(5): thirty days behind the program, inside the date")
def m1_grace(w: World) -> None:
    came(w, "M1", "2026-07-09")
    w.sevis("program", "sevis_active", d("2025-11-01"), "M1", "created", d("2026-06-09"))


@right(
    "IN_GRACE", on=at("2026-10-29"), why="8 CFR 214.2(f)(5)(iv): sixty days behind the training, too (30 August + 60)"
)
def f1_grace_behind_training(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-07-01"), "F1", "practical-training", d("2026-08-30"))


@right("OVERSTAY_SUSPECTED", on=at("2025-10-01"), why="training that begins behind the days of grace revives nothing")
def f1_training_that_begins_too_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-09-01"), "F1", "practical-training", d("2026-08-30"))


@right("OVERSTAY_SUSPECTED", on=at("2025-09-01"), why="curricular training lies inside the program")
def f1_curricular_training_extends_nothing(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-05-01"), "F1", "curricular-training", d("2026-08-30"))


@right("TERMINATED", on=at("2025-09-01"), why="training counts up to a later termination and not beyond it")
def f1_terminated_during_training(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "F1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-06-01"), "F1", "practical-training", d("2026-05-30"))
    w.sevis("program", "sevis_terminated", d("2025-08-01"), "F1", "violation")


@right("IN_STATUS", on=at("2026-05-01"), why="a reactivation undoes a termination by being later")
def f1_reactivated(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "violation")
    w.sevis("program", "sevis_active", d("2026-04-15"), "F1", "reactivated", d("2028-05-31"))


@right("UNDETERMINED", on=at("2026-05-01"), why="an administrative end says neither violation nor grace")
def f1_terminated_administratively(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    w.sevis("program", "sevis_active", d("2025-06-01"), "F1", "created", d("2028-05-31"))
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "F1", "administrative")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="22 CFR 62.23(f): academic training, then thirty days")
def j1_left_thirty_days_behind_training(w: World) -> None:
    came(w, "J1", "D/S", "2024-08-12")
    w.sevis("program", "sevis_active", d("2024-06-01"), "J1", "created", d("2025-05-31"))
    w.sevis("employment", "sevis_active", d("2025-06-15"), "J1", "academic-training", d("2026-05-31"))
    left_on(w, "2026-06-30", "LAX")


@right("PENDING", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(vi)(A): of an F-1 student, of no dependent")
def f2_with_a_petition_of_her_own(w: World) -> None:
    came(w, "F2", "D/S")
    program(w, "F2", "2026-05-20")
    files(w, "2026-05-11", "change_class", "H1B", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(vi)(D): the dependents of a student in the cap-gap")
def f2_of_a_student_in_the_cap_gap(w: World) -> None:
    came(w, "F2", "D/S")
    program(w, "F2", "2026-05-20")
    w.sevis("cap-gap", "sevis_active", d("2026-05-20"), "F2", "cap-gap", d("2027-04-01"))


@right("IN_GRACE", on=at("2026-07-19", 22, 0), why="8 CFR 214.2(f)(5)(iv): sixty days behind the course of study")
def f1_sixtieth_day(w: World) -> None:
    came(w, "F1", "D/S")
    program(w, "F1", "2026-05-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-06-05"), why="8 CFR 214.2(f)(5)(iv): fifteen days for a withdrawal")
def f1_sixteenth_day_behind_a_withdrawal(w: World) -> None:
    came(w, "F1", "D/S")
    program(w, "F1", "2027-05-20")
    w.sevis("program", "sevis_terminated", d("2026-05-20"), "F1", "authorized-withdrawal")


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 214.2(f)(7), the rule 91 FR 44976 being postponed: for D/S still")
def f1_admitted_behind_the_day_of_the_postponed_rule(w: World) -> None:
    came(w, "F1", "D/S", "2026-09-21")
    program(w, "F1", "2030-05-31", "2026-08-03")


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(8): transferred inside the sixty days, a new program")
def f1_transferred_in_the_grace(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2026-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-07-20"), "F1", "transferred", d("2028-05-31"))


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(f)(5)(ii): another level, the next degree")
def f1_next_level(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2026-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-05-20"), "F1", "change-of-level", d("2028-05-31"))


@right("IN_GRACE", on=at("2026-06-15"), why="8 CFR 214.2(f)(5)(iv): shortened, sixty days behind the new end")
def f1_shortened(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2027-06-02", "2024-06-01")
    w.sevis("program", "sevis_active", d("2026-04-20"), "F1", "shortened", d("2026-05-29"))


@right(
    "DEPARTED_IN_TIME",
    on=at("2026-11-20"),
    why="8 CFR 248.1(b): a change filed in the sixty days, pending when he left",
)
def f1_left_while_a_change_waits(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2026-05-31")
    files(w, "2026-07-30", "change_class", "B2", system="ELIS")
    left(w, at("2026-09-30"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(j)(1)(ii): thirty days; the thirty-first, in Guam")
def j1_left_guam_on_the_thirty_first_day(w: World) -> None:
    came(w, "J1", "D/S", "2025-08-12")
    program(w, "J1", "2026-05-31")
    left(w, at("2026-07-01", 6, port="GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(j)(1)(ii): thirty days; the thirtieth, in Honolulu")
def j2_left_honolulu_on_the_thirtieth_day(w: World) -> None:
    came(w, "J2", "D/S", "2025-08-12")
    program(w, "J2", "2026-05-31")
    left(w, at("2026-06-30", 23, 30, "HNL"), "HNL")


@right("PENDING", on=at("2026-11-20"), why="8 CFR 214.2(m)(10): an extension filed inside the date")
def m1_extension_pending(w: World) -> None:
    came(w, "M1", "2026-07-09")
    program(w, "M1", "2026-06-09", "2025-11-01")
    files(w, "2026-06-01", system="ELIS")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(m)(5): the date holds; a day behind it in Guam")
def m2_left_a_day_late(w: World) -> None:
    came(w, "M2", "2026-07-09")
    program(w, "M2", "2026-06-09", "2025-11-01")
    left(w, at("2026-07-10", 1, port="GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="the date on the I-94 holds, terminated or not")
def m2_terminated_and_left_on_the_last_day(w: World) -> None:
    came(w, "M2", "2026-07-09")
    program(w, "M2", "2026-06-09", "2025-11-01")
    w.sevis("program", "sevis_terminated", d("2026-03-01"), "M2", "violation")
    left(w, at("2026-07-09", 23, 30, "HNL"), "HNL")


@right("UNDETERMINED", on=at("2026-11-20"), why="a program that ends before its form was issued is an impossible date")
def f1_program_ends_before_its_form(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2024-05-31", "2025-06-01")
