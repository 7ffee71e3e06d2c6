"""Employment that ends, and petitions of other employers."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import adjusting, at, came, d, decides, files, left, program
from oracle.law_cases.case import right


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-07-10"),
    why="behind the I-94's date the sixty days do not reach: 8 CFR 214.1(l)(2)",
)
def l1_sixty_days_cut_at_the_date(w: World) -> None:
    came(w, "L1", "2026-07-09", "2025-01-12")
    w.fact("employment_ended", d("2026-06-15"))


@right("TERMINATED", on=at("2026-05-15"), why="the sixty-first day: 15 March + 61")
def h1b1_sixty_first_day(w: World) -> None:
    came(w, "H1B1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right(
    "TERMINATED", on=at("2026-03-20"), why="8 CFR 214.1(l)(2) does not name P: out of status at once, and no overstay"
)
def p1_has_no_sixty_days(w: World) -> None:
    came(w, "P1", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("IN_GRACE", on=at("2026-05-01"), why="89 FR 103202: sixty days for H-2B since 17 January 2025")
def h2b_sixty_days(w: World) -> None:
    came(w, "H2B", "2026-12-01", "2026-01-10")
    w.fact("employment_ended", d("2026-03-15"))


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="out of status behind the sixty days, and left before the date")
def e3_left_before_the_date(w: World) -> None:
    came(w, "E3", "2026-10-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-10-01", 23, 30, "LAX"), "LAX")


@right("PENDING", on=at("2026-08-01"), why="8 CFR 214.2(h)(2)(i)(H): filed before the last day, undecided")
def ported_before_the_last_day(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))


@right("TERMINATED", on=at("2026-09-01"), why="denied behind the sixty days: out of status, and the date is not over")
def ported_and_denied(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-08-20", "denied", form="I-129", receipt="WAC0000000002")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-02"), why="and behind the date an overstay")
def ported_denied_and_date_over(w: World) -> None:
    came(w, "H1B", "2026-10-01", "2025-01-10")
    files(w, "2026-03-01", form="I-129", receipt="WAC0000000002")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-08-20", "denied", form="I-129", receipt="WAC0000000002")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 222(g): the period is the date on the I-94")
def h1b_left_on_the_ninetieth_day(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-06-13"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="and behind that date an overstay")
def o1_left_behind_the_date(w: World) -> None:
    came(w, "O1", "2026-10-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-10-02"))


@right("PENDING", on=at("2026-06-01"), why="INA 245: an adjustment filed inside the sixty days, behind them")
def l1_adjustment_filed_in_the_sixty_days(w: World) -> None:
    came(w, "L1", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    adjusting(w, "2026-05-13")


@right("TERMINATED", on=at("2026-06-01"), why="8 CFR 248.1(b): filed behind the sixty days, status is not maintained")
def tn_change_filed_on_the_sixty_first_day(w: World) -> None:
    came(w, "TN", "2027-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-05-15", "change_class", "B2", system="ELIS")


@right("IN_STATUS", on=at("2026-09-01"), why="8 CFR 248.1(b): granted in discretion, the new class holds")
def h1b_change_to_f1_granted(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    program(w, "F1", "2028-05-31", "2026-05-01")
    w.fact("employment_ended", d("2026-03-15"))
    files(w, "2026-05-10", "change_class", "F1", system="ELIS")
    decides(w, "2026-07-20", "approved", "change_class", "F1", "D/S", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="an employment that ends behind the departure ends no stay")
def employment_ended_behind_the_departure(w: World) -> None:
    came(w, "H1B", "2027-07-01", "2025-01-10")
    left(w, at("2026-03-01"))
    w.fact("employment_ended", d("2026-03-15"))


@right("IN_STATUS", on=at("2026-06-15"), why="8 CFR 214.2(h)(2)(i)(H): the new employer's petition was granted")
def ported_and_granted_behind_the_sixty_days(w: World) -> None:
    came(w, "H1B", "2026-12-31", "2025-01-10")
    files(w, "2026-03-20", form="I-129", receipt="WAC0000000002", system="ELIS")
    w.fact("employment_ended", d("2026-03-15"))
    decides(w, "2026-06-10", "approved", until="2028-12-31", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-02"), why="ported, the date came while it was pending, then denied")
def ported_and_denied_behind_the_date(w: World) -> None:
    came(w, "H1B", "2026-07-09", "2025-01-10")
    files(w, "2026-06-01", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-08-01", "denied", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("PENDING", on=at("2026-07-20"), why="8 CFR 214.2(h)(2)(i)(H): undecided behind the date")
def ported_and_pending_behind_the_date(w: World) -> None:
    came(w, "H1B", "2026-07-09", "2025-01-10")
    files(w, "2026-06-01", form="I-129", receipt="WAC0000000002", system="ELIS")
    decides(w, "2026-08-01", "denied", form="I-129", receipt="WAC0000000002", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.1(l)(2): the sixtieth day, where he left")
def e2_left_guam_on_the_sixtieth_day(w: World) -> None:
    came(w, "E2", "2026-05-14", "2025-01-10")
    w.fact("employment_ended", d("2026-03-15"))
    left(w, at("2026-05-14", 23, 30, "GUM"), "GUM")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(h)(9)(iv): the spouse has no employment on which H-4 rests")
def h4_own_work_ended(w: World) -> None:
    came(w, "H4", "2026-10-09")
    w.fact("employment_ended", d("2026-03-15"))
