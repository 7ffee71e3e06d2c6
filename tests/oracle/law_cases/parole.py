"""Parole."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, left, mended, notified, paroled
from oracle.law_cases.case import right

NOTICE = "8 CFR 212.5(e)(2)(i): terminated upon written notice"


@right("OVERSTAY_SUSPECTED", on=at("2026-05-05"), why=NOTICE)
def parole_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    notified(w, "2026-05-04")


@right("DEPARTED_IN_TIME", on=at("2026-07-01"), why=NOTICE + ", and the parolee had gone before")
def parolee_left_before_the_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    left(w, at("2026-05-03"))
    notified(w, "2026-05-04")


@right("DEPARTED_LATE", on=at("2026-07-01"), why=NOTICE)
def parolee_left_behind_the_notice(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    notified(w, "2026-05-04")
    left(w, at("2026-05-06"))


@right("UNDETERMINED", on=at("2026-05-03"), why="8 CFR 212.5(e)(1)(ii): the time of it is missing")
def parole_without_a_date(w: World) -> None:
    paroled(w, "PAR", None)
    notified(w, "2026-05-04")


@right("OVERSTAY_SUSPECTED", on=at("2026-05-05"), why=NOTICE + ", whatever the time was")
def parole_without_a_date_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", None)
    notified(w, "2026-05-04")


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 212.5: paroled anew, to a date that the fact says")
def parole_without_a_date_given_anew(w: World) -> None:
    paroled(w, "PAR", None)
    w.fact("parole", d("2026-07-01"), until=d("2026-12-31"))


@right("OVERSTAY_SUSPECTED", on=at("2026-10-06"), why=NOTICE + "; the extension by inspection as well")
def extended_parole_ended_by_notice(w: World) -> None:
    paroled(w, "PAR", "2026-07-09")
    mended(w, "2027-01-10", None, "2026-07-06")
    notified(w, "2026-10-05")


@right("DEPARTED_LATE", on=at("2026-11-20"), why=NOTICE + "; the extension by inspection as well")
def extended_parole_ended_then_left(w: World) -> None:
    paroled(w, "DT", "2026-07-09")
    mended(w, "2027-01-10", None, "2026-07-06")
    notified(w, "2026-10-05")
    left(w, at("2026-10-07"))


@right("IN_STATUS", on=at("2026-10-01"), why="8 CFR 212.5(c): another parole is another time")
def paroled_again_behind_a_notice(w: World) -> None:
    paroled(w, "PAR", "2026-07-09")
    notified(w, "2026-05-04")
    w.fact("parole", d("2026-06-01"), until=d("2026-12-31"))


@right("PENDING", on=at("2026-06-01"), why="INA 212(a)(9)(B)(iii)(II): asylum pending, parole over")
def parole_ended_with_asylum_pending(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    w.fact("asylum_pending", d("2026-04-01"))
    notified(w, "2026-05-04")


@right("PENDING", on=at("2026-06-01"), why="INA 245(a): who was paroled may ask for adjustment")
def parole_ended_with_an_adjustment_pending(w: World) -> None:
    paroled(w, "PAR", "2027-01-10")
    w.step("IOE0000000009", "filed", d("2026-03-02"), asks="adjust", form="I-485", system="ELIS")
    notified(w, "2026-05-04")


@right("OVERSTAY_SUSPECTED", on=at("2026-09-02"), why=NOTICE + ": in place, behind the date of a visitor")
def parole_in_place_ended_by_notice(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("parole", d("2026-07-01"), until=d("2027-06-30"))
    notified(w, "2026-09-01")


@right("IN_STATUS", on=at("2025-04-23"), why="90 FR 13611: up to 24 April 2025")
def venezuelan_parole_before_the_notice(w: World) -> None:
    paroled(w, "VHP", "2026-08-10", "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-02"), why="90 FR 13611; Noem v. Doe, No. 24A1079 (30 May 2025)")
def haitian_parole_behind_the_judgment(w: World) -> None:
    paroled(w, "HHP", "2026-08-10", "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-02"), why="90 FR 13611: over for all of the program, the date being lost")
def nicaraguan_parole_without_a_date(w: World) -> None:
    paroled(w, "NHP", None, "2024-08-12")


@right("OVERSTAY_SUSPECTED", on=at("2025-03-02"), why="8 CFR 212.5(e)(1)(ii): its own day came before the notice's")
def cuban_parole_over_before_the_notice(w: World) -> None:
    paroled(w, "CHP", "2025-03-01", "2023-03-02")


@right("IN_STATUS", on=at("2026-01-10"), why="90 FR 13611 names those whose parole had not expired on 24 April 2025")
def cuban_paroled_anew_behind_the_notice(w: World) -> None:
    paroled(w, "CHP", "2026-05-09", "2025-05-12")
