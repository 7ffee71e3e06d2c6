"""One period of stay after another."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, decides, files, left
from oracle.law_cases.case import right


@right(
    "IN_GRACE", on=at("2026-10-15"), why="8 CFR 214.1(l)(2): once for each authorised period; the second has its own"
)
def second_period_second_sixty_days(w: World) -> None:
    came(w, "H1B", "2026-07-01", "2025-01-10")
    w.fact("employment_ended", d("2026-01-15"))
    files(w, "2026-02-01", form="I-129", receipt="WAC0000000002")
    decides(
        w,
        "2026-03-01",
        "approved",
        cls="H1B",
        until="2028-03-01",
        valid="2026-03-01",
        form="I-129",
        receipt="WAC0000000002",
    )
    w.fact("employment_ended", d("2026-09-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="and behind the granted date nothing")
def extended_and_over_again(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    decides(w, "2026-06-20", "approved", until="2026-11-09")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.1(c)(4): granted from the day on which the stay before expired")
def granted_back_to_the_date(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    decides(w, "2026-06-20", "approved", until="2026-11-09", valid="2026-05-10")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-10-01"),
    why="a pending filing of the stay before protects no later stay",
)
def filing_of_the_stay_before(w: World) -> None:
    came(w, "B2", "2026-03-09")
    files(w, "2026-03-01")
    left(w, at("2026-03-20"))
    came(w, "B2", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "IN_STATUS",
    on=at("2026-08-01"),
    why="an approval for the stay before grants the later one nothing",
)
def approval_of_the_stay_before(w: World) -> None:
    came(w, "B2", "2026-03-09")
    files(w, "2026-03-01")
    left(w, at("2026-03-05"))
    came(w, "H1B", "2026-09-09", "2026-04-10")
    decides(w, "2026-05-01", "approved", until="2026-07-01")


@right(
    "CLOSED_UNOBSERVED", "IN_STATUS", on=at("2026-10-01"), why="the employment that ended was that of the stay before"
)
def employment_of_the_stay_before(w: World) -> None:
    came(w, "H1B", "2026-12-09", "2025-03-10")
    w.fact("employment_ended", d("2026-01-15"))
    came(w, "H1B", "2028-09-09", "2026-04-10")
