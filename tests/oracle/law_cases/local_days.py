"""Days where they happen."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import ZONES, at, came, clock, d, files, left, left_on
from oracle.law_cases.case import right
from oracle.reading import Event


def left_samoa(w: World, day: str, clock: str) -> None:
    """Left from Pago Pago, behind Hawaii's clock by an hour and Guam's by twenty-one: no part of INA 101(a)(38)."""
    event = w.depart(d(day), "inspected", port="HNL", whole_day=False)
    event["occurred_at"].update(zone="Pacific/Pago_Pago", at=clock)
    event["port"] = "PPG"
    w.reseal(event)


def at_port(w: World, event: Event, port: str, day: str, hour: str) -> None:
    """Say of an event that it happened at a further port."""
    instant = clock(day, hour, port).isoformat().replace("+00:00", "Z")
    event["occurred_at"] = {"precision": "instant", "zone": ZONES[port], "at": instant}
    event["port"] = port
    w.reseal(event)


def came_to(w: World, port: str, cls: str, until: str | None, day: str, hour: str = "12:00") -> None:
    """Admitted at a further port."""
    came(w, cls, until, day)
    at_port(w, w.events[-1], port, day, hour)


def left_from(w: World, port: str, day: str, hour: str, evidence: str = "inspected") -> None:
    """Left from a further port."""
    at_port(w, w.depart(d(day), evidence, port="JFK", whole_day=False), port, day, hour)


WHERE = "the day of a departure is the local day where it happened"


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="the day of departure is that of Pago Pago, still the ninth")
def left_samoa_on_the_last_day_of_guam(w: World) -> None:
    came(w, "B2", "2026-07-09", port="GUM")
    left_samoa(w, "2026-07-09", "2026-07-10T10:30:00Z")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="the day of departure is the tenth there")
def left_samoa_on_the_next_day(w: World) -> None:
    came(w, "B2", "2026-07-09", port="HNL")
    left_samoa(w, "2026-07-10", "2026-07-10T11:30:00Z")


@right("NOT_ADMITTED", "IN_STATUS", on=at("2026-03-01"), why="INA 235(a)(4): withdrawn at eight, admitted at noon")
def withdrawn_and_admitted_on_one_day(w: World) -> None:
    w.arrive(d("2026-01-12"), "B2", None, port="JFK", inspection="withdrawn", at=at("2026-01-12", 8))
    came(w, "B2", "2026-07-09")


@right("CLOSED_UNOBSERVED", "NOT_ADMITTED", on=at("2026-09-01"), why="INA 235(a)(1): who asks is outside")
def refused_while_a_filing_waits(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01", system="ELIS")
    w.arrive(d("2026-08-03"), "B2", None, port="JFK", inspection="refused", at=at("2026-08-03"))


@right("PENDING", on=at("2026-11-20"), why="8 CFR 1.2: Columbus Day behind a Saturday; paper on Tuesday is in time")
def paper_on_tuesday_behind_columbus_day(w: World) -> None:
    came(w, "B2", "2026-10-10")
    files(w, "2026-10-13")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 1.2: Wednesday is the second business day")
def paper_on_the_second_day_behind_columbus_day(w: World) -> None:
    came(w, "B2", "2026-10-10")
    files(w, "2026-10-14")


@right("DEPARTED_LATE", on=at("2026-09-01"), why="INA 240B(b)(2): not for more than sixty days")
def voluntary_departure_after_proceedings_left_on_the_sixty_first_day(w: World) -> None:
    came(w, "B2", "2026-01-20")
    w.fact("voluntary_departure", d("2026-04-01"), until=d("2026-07-01"), reason="after-proceedings")
    left(w, at("2026-06-01"))


@right("UNDETERMINED", on=at("2026-06-01"), why="8 CFR 103.2(b)(16)(i): a date before the admission is none")
def date_before_the_admission(w: World) -> None:
    came(w, "B2", "2025-12-31")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why=WHERE)
def left_adak_in_the_last_hour(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left_from(w, "ADK", "2026-07-09", "23:45")


@right("DEPARTED_LATE", on=at("2026-08-01"), why=WHERE)
def left_adak_on_the_next_day(w: World) -> None:
    came_to(w, "ANC", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "ADK", "2026-07-10", "00:10")


@right("DEPARTED_LATE", on=at("2026-03-01"), why=WHERE + ": San Juan is an hour ahead of New York in winter")
def left_san_juan_behind_midnight(w: World) -> None:
    came(w, "B2", "2026-01-09", "2025-08-12")
    left_from(w, "SJU", "2026-01-10", "00:20")


@right("DEPARTED_IN_TIME", on=at("2026-03-01"), why=WHERE)
def left_new_york_when_it_was_tomorrow_in_san_juan(w: World) -> None:
    came_to(w, "SJU", "B2", "2026-01-09", "2025-08-12")
    left(w, at("2026-01-09", 23, 40))


@right("DEPARTED_LATE", on=at("2026-08-01"), why=WHERE + ": the tenth in Saipan is the ninth in Chicago")
def left_saipan_when_it_was_the_ninth_in_chicago(w: World) -> None:
    came_to(w, "ORD", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "SPN", "2026-07-10", "06:00")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why=WHERE + ": the ninth in Phoenix is the tenth in Saipan")
def admitted_in_saipan_left_phoenix(w: World) -> None:
    came_to(w, "SPN", "B2", "2026-07-09", "2026-01-12")
    left_from(w, "PHX", "2026-07-09", "23:59:59")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="known to the day only: the tenth is behind the ninth anywhere")
def day_alone_is_the_day_behind(w: World) -> None:
    came(w, "B2", "2026-07-09", port="HNL")
    left_on(w, "2026-07-10", "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="ninety days, the first being that of the arrival there")
def wt_without_a_date_came_to_honolulu_before_midnight(w: World) -> None:
    w.arrive(d("2026-04-11"), "WT", None, port="HNL", at=at("2026-04-11", 23, 50, "HNL"))
    left(w, at("2026-07-09", 23, 30))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="INA 217(a)(1): ninety days; the ninety-first")
def wt_without_a_date_left_a_day_late(w: World) -> None:
    w.arrive(d("2026-04-11"), "WT", None, port="HNL", at=at("2026-04-11", 23, 50, "HNL"))
    left(w, at("2026-07-10", 0, 5, "HNL"), "HNL")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="INA 252(a)(2): twenty-nine days, at the crew's port")
def d1_left_anchorage_on_the_twenty_ninth_day(w: World) -> None:
    came_to(w, "ANC", "D1", None, "2026-06-11", "23:30")
    left_from(w, "ANC", "2026-07-09", "23:30")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="8 CFR 214.2(c): twenty-nine days at most")
def c1_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "C1", None, "2026-06-11")
    left(w, at("2026-07-10", 0, 10))
