"""Petitions that were granted and then withdrawn or revoked."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, decides, files, left, program
from oracle.law_cases.case import right


def ported(w: World, granted: str = "2026-02-20") -> None:
    """An H-1B goes to another employer."""
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-02-02", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, granted, "approved", until="2028-12-31", form="I-129", receipt="WAC0000000002", system="ELIS")


def extended(w: World) -> None:
    """The employer's petition is granted anew, and withdrawn."""
    came(w, "H1B", "2026-01-31", "2025-01-12")
    files(w, "2026-01-02", form="I-129", system="ELIS")
    decides(w, "2026-02-20", "approved", until="2028-12-31", form="I-129", system="ELIS")
    decides(w, "2026-06-10", "withdrawn", form="I-129", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="the employment that ended was the one before: 8 CFR 214.1(l)(2)")
def ported_and_the_old_employment_ended(w: World) -> None:
    ported(w)
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000001")


@right("TERMINATED", on=at("2026-09-01"), why="the employment that ended was the new one")
def ported_and_the_new_employment_ended(w: World) -> None:
    ported(w)
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000002")


@right("IN_STATUS", on=at("2026-03-01"), why="8 CFR 214.2(h)(11)(ii): revoked by the withdrawal, and not before")
def petition_before_it_was_withdrawn(w: World) -> None:
    extended(w)


@right("IN_GRACE", on=at("2026-08-09", 23, 30), why="8 CFR 214.2(h)(11)(ii), 214.1(l)(2): sixty days")
def petition_withdrawn_sixtieth_day(w: World) -> None:
    extended(w)


@right("TERMINATED", on=at("2026-08-10"), why="INA 222(g): out of status, and the date granted is not over")
def petition_withdrawn_sixty_first_day(w: World) -> None:
    extended(w)


@right("TERMINATED", on=at("2026-09-01"), why="8 CFR 235.1(h): an I-94 that was mended is no petition of its own")
def petition_withdrawn_and_the_i94_mended_before(w: World) -> None:
    came(w, "H1B", "2026-01-31", "2025-01-12")
    files(w, "2026-01-02", form="I-129", system="ELIS")
    decides(w, "2026-02-20", "approved", until="2028-12-31", form="I-129", system="ELIS")
    w.correct(d("2026-04-10"), d("2028-12-30"))
    decides(w, "2026-06-10", "withdrawn", form="I-129", system="ELIS")


@right("TERMINATED", on=at("2026-09-01"), why="8 CFR 214.1(l)(2); an I-94 that was mended is no petition of its own")
def employment_of_the_first_petition_ended_and_the_i94_mended_before(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.correct(d("2025-02-10"), d("2027-07-10"))
    w.fact("employment_ended", d("2026-03-15"), receipt="WAC0000000001")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 222(g): left before the date that had been granted")
def petition_withdrawn_and_left(w: World) -> None:
    extended(w)
    left(w, at("2026-09-20"))


@right(
    "IN_STATUS", on=at("2026-09-01"), why="8 CFR 214.2(h)(11)(ii): the petition of the employer before ended nothing"
)
def petition_of_the_employer_before_withdrawn(w: World) -> None:
    extended(w)
    files(w, "2026-03-02", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-04-20", "approved", until="2029-02-28", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(h)(11)(ii): a petition that never began gave no date")
def petition_withdrawn_before_it_began(w: World) -> None:
    came(w, "L1", "2026-07-09", "2025-07-10")
    files(w, "2026-05-04", form="I-129", system="ELIS")
    decides(w, "2026-06-01", "approved", until="2028-07-09", valid="2026-07-10", form="I-129", system="ELIS")
    decides(w, "2026-06-15", "withdrawn", form="I-129", system="ELIS")
    left(w, at("2026-07-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 103.5(a)(5): reopened and denied, nothing was granted")
def extension_reopened_and_denied(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    decides(w, "2026-08-03", "approved", until="2027-01-09", system="ELIS")
    decides(w, "2026-09-01", "denied", system="ELIS")


@right("IN_GRACE", on=at("2025-10-01"), why="8 CFR 214.2(f)(5)(vi): withdrawn before October, sixty days as a student")
def cap_gap_petition_granted_then_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", "2028-09-30", "2025-10-01", form="I-129", system="ELIS")
    decides(w, "2025-09-10", "withdrawn", "change_class", form="I-129", system="ELIS")


@right("PENDING", on=at("2026-04-15"), why="USCIS, 28 September 2018: may stay while the change is pending")
def cap_gap_reported_by_sevis_over_and_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    w.sevis("cap-gap", "sevis_active", d("2025-06-01"), "F1", "cap-gap", d("2026-04-01"))
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="and so leaves in time while it is")
def cap_gap_over_and_left_while_pending(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    left(w, at("2026-08-10"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 214.2(f)(5)(vi): the next petition came out of status")
def cap_gap_denied_and_another_petition_filed_late(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    files(w, "2025-04-05", "change_class", "H1B", form="I-129", system="ELIS")
    decides(w, "2025-08-01", "denied", "change_class", form="I-129", system="ELIS")
    files(w, "2026-07-01", "change_class", "H1B", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("PENDING", on=at("2026-05-20"), why="USCIS, 28 September 2018: another employer's petition is pending still")
def cap_gap_over_and_one_of_two_petitions_withdrawn(w: World) -> None:
    came(w, "F1", "D/S", "2024-08-12")
    program(w, "F1", "2025-05-31", "2024-06-01")
    for receipt in ("IOE0000000001", "IOE0000000002"):
        files(w, "2025-04-05", "change_class", "H1B", form="I-129", receipt=receipt, system="ELIS")
    decides(w, "2026-05-15", "withdrawn", "change_class", form="I-129", receipt="IOE0000000002", system="ELIS")
