"""Applications for admission that were refused or withdrawn."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, left, paroled
from oracle.law_cases.case import right


def refused(w: World, day: str, inspection: str = "refused", port: str = "JFK") -> None:
    """Applied for admission in vain."""
    w.arrive(d(day), "B2", None, port=port, inspection=inspection, at=at(day, port=port))


@right("DEPARTED_LATE", "NOT_ADMITTED", on=at("2026-11-20"), why="INA 235(a)(4): withdrawn; the stay before was late")
def left_late_then_withdrew(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-20"))
    refused(w, "2026-11-02", "withdrawn")
    left(w, at("2026-11-03"))


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", on=at("2026-06-01"), why="INA 235(a)(1): who applies is outside")
def refused_inside_the_date_of_an_open_stay(w: World) -> None:
    came(w, "B2", "2026-07-09")
    refused(w, "2026-05-04")
    left(w, at("2026-05-05"), evidence="removal")


@right("NOT_ADMITTED", "IN_STATUS", on=at("2026-06-01"), why="INA 235(b): the refusal is no stay, the admission is")
def refused_then_admitted_later(w: World) -> None:
    refused(w, "2026-03-02")
    came(w, "B2", "2026-09-30", "2026-04-01")


@right("NOT_ADMITTED", "OVERSTAY_SUSPECTED", on=at("2026-10-02"), why="the refusal's removal is not that of the stay")
def refused_and_removed_then_admitted_and_over(w: World) -> None:
    refused(w, "2026-03-02")
    left(w, at("2026-03-03"), evidence="removal")
    came(w, "B2", "2026-10-01", "2026-04-01")


@right("NOT_ADMITTED", on=at("2026-06-01"), why="nobody was admitted, nothing is over")
def withdrawn_and_no_departure_known(w: World) -> None:
    refused(w, "2026-03-02", "withdrawn")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-01", 12), why="before the application in vain the stay was open and over")
def refused_later_than_asked_about(w: World) -> None:
    came(w, "B2", "2026-07-09")
    refused(w, "2026-11-02")


@right("DEPARTED_IN_TIME", "NOT_ADMITTED", on=at("2026-11-20"), why="left by a carrier on the last day; removed later")
def manifest_then_refused_and_removed(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    left(w, at("2026-07-09", 20), evidence="manifest_closed")
    refused(w, "2026-11-02", port="LAX")
    left(w, at("2026-11-03", port="LAX"), "LAX", "removal")


@right("CLOSED_UNOBSERVED", "IN_STATUS", on=at("2026-11-20"), why="paroled: an application for admission all the same")
def paroled_while_a_stay_was_open(w: World) -> None:
    came(w, "B2", "2026-07-09")
    paroled(w, "DT", "2026-12-15", "2026-11-02")


@right("NOT_ADMITTED", "DEPARTED_LATE", on=at("2026-11-20"), why="a departure behind the later admission is its own")
def withdrew_in_guam_admitted_in_honolulu(w: World) -> None:
    refused(w, "2026-03-02", "withdrawn", "GUM")
    left(w, at("2026-03-02", 22, port="GUM"), "GUM")
    came(w, "B2", "2026-10-01", "2026-04-01", "HNL")
    left(w, at("2026-10-02", 0, 30, "HNL"), "HNL")
