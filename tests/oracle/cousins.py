"""Further small histories of the same kinds, written from the law's text by a second reader."""

from __future__ import annotations

from datetime import UTC, datetime

from oracle.histories import KNOWN, World
from oracle.reading import Event
from oracle.siblings import ALL as SIBLINGS
from oracle.siblings import LONG_AGO, Sibling, at, came, d, decides, files, left, left_on, right

_EARLIER = len(SIBLINGS)


def program(w: World, cls: str, end: str, day: str = "2023-01-05") -> None:
    """A program in SEVIS, and its end."""
    w.sevis("program", "sevis_active", d(day), cls, "created", d(end))


def mended(w: World, until: str, cls: str | None, day: str) -> None:
    """The inspecting agency mends its own record."""
    event = w.correct(d(day), d("2026-12-01"), cls)
    event["granted_until"] = until
    w.reseal(event)


def again(w: World, event: Event, number: int = 2, **changes: object) -> None:
    """A later revision of an event."""
    event = {**event, "revision": {"number": number, "digest": ""}, **changes}
    w.events.append(event)
    w.reseal(event)


# --- classes and periods ---------------------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-03-01"), why="8 CFR 214.2(e)(23): E-2C, to the date on the I-94")
def e2c_inside_the_date(w: World) -> None:
    came(w, "E2C", "2027-01-10", port="GUM")


@right("IN_STATUS", on=at("2026-03-01"), why="8 CFR 214.2(f)(18)(iii): F-3, a border commuter student, to a date")
def f3_inside_the_date(w: World) -> None:
    w.citizenship = "MEX"
    came(w, "F3", "2026-05-20")


@right("OVERSTAY_SUSPECTED", on=at("2026-05-21"), why="8 CFR 214.2(f)(18)(iii): a fixed date and no D/S")
def f3_date_over(w: World) -> None:
    w.citizenship = "MEX"
    came(w, "F3", "2026-05-20")


@right("IN_STATUS", on=at("2026-03-01"), why="8 CFR 214.15(g): V-1 to the date on the I-94")
def v1_inside_the_date(w: World) -> None:
    came(w, "V1", "2028-01-10")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-10"), why="INA 101(a)(15)(H)(iii): H-3 to a date")
def h3_date_over(w: World) -> None:
    came(w, "H3", "2026-10-09")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="Compact of Free Association with Palau: no limit of time")
def palauan_left_after_years(w: World) -> None:
    w.citizenship = "PLW"
    came(w, "PAL", "D/S", "2022-02-01", "GUM")
    left(w, at("2026-10-01", port="HNL"), "HNL")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(i)(2), 85 FR 27645: not of a passport of Hong Kong")
def i_of_hong_kong_with_duration_of_status(w: World) -> None:
    w.citizenship = "HKG"
    came(w, "I", "D/S")


@right("IN_STATUS", on=at("2026-11-20"), why="8 CFR 214.2(a)(1): A-1 while accredited")
def a1_after_years(w: World) -> None:
    came(w, "A1", "D/S", "2020-02-01")


@right("DEPARTED_LATE", on=at("2026-09-01"), why="8 CFR 214.2(s)(2): NATO-7 to a date")
def nato7_left_a_day_late(w: World) -> None:
    came(w, "N7", "2026-07-09")
    left_on(w, "2026-07-10")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 252.1(d): twenty-nine days; 214.1(c)(3): no extension")
def d1_extension_gives_nothing(w: World) -> None:
    came(w, "D1", "2026-07-09", "2026-06-10")
    files(w, "2026-07-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="INA 248(a)(1): no change of class from D")
def d2_change_gives_nothing(w: World) -> None:
    came(w, "D2", "2026-07-09", "2026-06-10", "LAX")
    files(w, "2026-07-01", "change_class", "B2")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="the last day of a crewman's landing, by the clock where he left")
def d1_left_on_the_twenty_ninth_day(w: World) -> None:
    came(w, "D1", "2026-07-09", "2026-06-11")
    left(w, at("2026-07-09", 23, 55, "HNL"), "HNL")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="INA 248(a)(1): no change of class from C")
def c1_change_gives_nothing(w: World) -> None:
    came(w, "C1", "2026-07-09", "2026-06-11")
    files(w, "2026-07-01", "change_class", "B2")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="INA 248(a)(1), 8 CFR 248.2(a): no change of class from K")
def k1_change_gives_nothing(w: World) -> None:
    came(w, "K1", "2026-07-09", "2026-04-10")
    files(w, "2026-07-01", "change_class", "B2")


@right("PENDING", on=at("2026-08-01"), why="8 CFR 214.1(c)(2), 214.2(k)(10): a K-3 may extend")
def k3_extension_pending(w: World) -> None:
    came(w, "K3", "2026-07-09", "2024-07-10")
    files(w, "2026-07-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 248(a)(1): no change from K, a K-3 neither")
def k3_change_gives_nothing(w: World) -> None:
    came(w, "K3", "2026-07-09", "2024-07-10")
    files(w, "2026-07-01", "change_class", "B2")


@right("IN_STATUS", on=at("2026-09-01"), why="INA 248(b); 8 CFR 214.14(g): U may be given to a person under the waiver")
def wt_given_u1(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    files(w, "2026-07-01", "change_class", "U1")
    decides(w, "2026-08-01", "approved", "change_class", "U1", "2030-07-31")


@right("IN_STATUS", on=at("2026-09-01"), why="INA 248(b); 8 CFR 214.204(p): T may be given to a parolee")
def parolee_given_t1(w: World) -> None:
    came(w, "PAR", "2026-07-09", inspection="paroled")
    files(w, "2026-07-01", "change_class", "T1")
    decides(w, "2026-08-01", "approved", "change_class", "T1", "2030-07-31")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 248(a)(1): no change of class from S")
def s5_change_gives_nothing(w: World) -> None:
    came(w, "S5", "2026-07-09", "2023-07-10")
    files(w, "2026-07-01", "change_class", "B2")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 214(a)(1), 212(l); 8 CFR 214.1(c)(3): 45 days, no longer")
def gmb_extension_gives_nothing(w: World) -> None:
    came(w, "GMB", "2026-07-10", "2026-05-26", "GUM")
    files(w, "2026-07-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 248(a)(4): no change of class from the Guam-CNMI waiver")
def gmt_change_gives_nothing(w: World) -> None:
    came(w, "GMT", "2026-07-10", "2026-05-26", "GUM")
    files(w, "2026-07-01", "change_class", "F1")


@right(
    "DEPARTED_IN_TIME",
    on=at("2024-03-20"),
    why="INA 217(a)(1): ninety days, that of admission the first",
)
def wt_ninety_days_over_a_leap_day(w: World) -> None:
    came(w, "WT", None, "2023-12-02")
    left(w, at("2024-02-29", 23, 50))


@right("DEPARTED_LATE", on=at("2024-03-20"), why="behind the ninety days, however counted")
def wt_ninety_one_days_over_a_leap_day(w: World) -> None:
    came(w, "WT", None, "2023-12-02")
    left_on(w, "2024-03-02")


@right("IN_STATUS", on=at("2026-02-28", 23, 50), why="8 CFR 235.1(h)(1)(i): six months from 31 August end in February")
def canadian_six_months_to_the_end_of_february(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, "2025-08-31", numbered=False)


@right("OVERSTAY_SUSPECTED", on=at("2026-03-02"), why="and are over in March")
def canadian_six_months_over_in_march(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, "2025-08-31", numbered=False)


# --- grace -----------------------------------------------------------------------------------------------------------


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


# --- paper, weekends, holidays ---------------------------------------------------------------------------------------


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


# --- applications, one after another ---------------------------------------------------------------------------------


def two_in_time(w: World) -> None:
    """Two extensions, both filed before the date."""
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-07-06", receipt="IOE0000000002")
    decides(w, "2026-08-15", "denied")


@right("PENDING", on=at("2026-10-01"), why="8 CFR 214.1(c)(4): the second was in time by itself")
def second_in_time_by_itself(w: World) -> None:
    two_in_time(w)


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the bridge is withdrawn, so the second was filed late")
def bridge_withdrawn(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-07-20", receipt="IOE0000000002")
    decides(w, "2026-08-15", "withdrawn")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the bridge reaches 1 September, the second was filed behind it")
def bridge_too_short(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    files(w, "2026-09-15", receipt="IOE0000000002")
    decides(w, "2026-09-20", "approved", until="2026-09-01")


@right("IN_STATUS", on=at("2026-11-20"), why="each was in time behind the one before it")
def two_bridges_granted(w: World) -> None:
    came(w, "B2", "2026-05-09")
    files(w, "2026-05-01")
    files(w, "2026-07-20", receipt="IOE0000000002")
    decides(w, "2026-08-15", "approved", until="2026-09-01")
    decides(w, "2026-10-01", "approved", until="2027-01-15", receipt="IOE0000000002")


@right("DEPARTED_LATE", on=at("2026-11-01"), why="INA 212(a)(9)(B): authorised up to the withdrawal and no longer")
def withdrawn_left_the_day_behind(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-09-01", "withdrawn")
    left(w, at("2026-09-02", 1))


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 103.5: reopened and approved, the denial is undone")
def denied_then_approved(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-08-01", "denied")
    decides(w, "2026-08-15", "appealed")
    decides(w, "2026-10-01", "approved", until="2027-01-09")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="INA 245: authorised while it is pending")
def k1_adjustment_left_while_pending(w: World) -> None:
    came(w, "K1", "2026-04-09", "2026-01-10")
    files(w, "2026-03-30", "adjust", form="I-485")
    left(w, at("2026-08-01"))


@right("OVERSTAY_SUSPECTED", on=at("2026-09-02"), why="8 CFR 214.2(k)(5): denied behind the ninety days")
def k1_adjustment_denied(w: World) -> None:
    came(w, "K1", "2026-04-09", "2026-01-10")
    files(w, "2026-03-30", "adjust", form="I-485")
    decides(w, "2026-09-01", "denied", "adjust", form="I-485")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(A): who leaves without advance parole has abandoned his adjustment",
)
def adjustment_abandoned_by_leaving(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "B2", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "PENDING",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(C): H-1B back as H-1B has not abandoned it",
)
def adjustment_of_an_h1b_who_travels(w: World) -> None:
    came(w, "H1B", "2026-09-09", "2025-01-10")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "H1B", "2026-09-09", "2026-04-10")


@right(
    "DEPARTED_IN_TIME",
    "PENDING",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(B), 212.5(f): back on advance parole it is pending behind the parole's date",
)
def adjustment_with_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(B): denied, a parolee has the parole's date alone",
)
def adjustment_denied_on_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")
    decides(w, "2026-10-01", "denied", "adjust", form="I-485")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-01"),
    why="8 CFR 245.2(a)(4)(ii)(C) is for who left in H-1 or L-1: a student has abandoned it",
)
def adjustment_of_a_student_back_as_h1b(w: World) -> None:
    came(w, "F1", "D/S", "2025-08-12")
    program(w, "F1", "2027-05-31")
    files(w, "2026-03-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "H1B", "2026-09-09", "2026-04-10")


@right("DEPARTED_IN_TIME", "ADJUSTED", on=at("2026-11-01"), why="INA 245(a): granted to a parolee")
def adjustment_granted_on_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    files(w, "2026-02-01", "adjust", form="I-485")
    left(w, at("2026-03-20"))
    came(w, "DA", "2026-09-09", "2026-04-10", inspection="paroled")
    decides(w, "2026-08-01", "approved", "adjust", form="I-485")


# --- cap-gap ---------------------------------------------------------------------------------------------------------


def gap(w: World, end: str, filed: str) -> None:
    """A student with a petition for a change to H-1B."""
    came(w, "F1", "D/S", "2022-08-12")
    program(w, "F1", end, "2022-06-01")
    files(w, filed, "change_class", "H1B", form="I-129")


@right("IN_GRACE", on=at("2026-04-02"), why="8 CFR 214.2(f)(5)(iv), (vi): sixty days behind the denial")
def cap_gap_denied_in_march(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2026-03-20", "denied", "change_class", form="I-129")


@right("OVERSTAY_SUSPECTED", on=at("2026-05-20"), why="and then it is over")
def cap_gap_denied_in_march_and_over(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2026-03-20", "denied", "change_class", form="I-129")


@right("IN_GRACE", on=at("2025-07-20"), why="denied within the sixty days: those still run")
def cap_gap_denied_within_the_grace(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2025-07-10", "denied", "change_class", form="I-129")


@right("IN_STATUS", on=at("2024-09-30", 23, 30), why="89 FR 103054: up to 1 October before 17 January 2025")
def cap_gap_in_2024(w: World) -> None:
    gap(w, "2024-05-31", "2024-04-05")


@right("IN_STATUS", on=at("2025-11-01"), why="8 CFR 214.2(f)(5)(vi)(A): from H-1B's first day it is H-1B")
def cap_gap_granted(w: World) -> None:
    gap(w, "2025-05-31", "2025-04-05")
    decides(w, "2025-07-10", "approved", "change_class", "H1B", until="2028-09-30", valid="2025-10-01", form="I-129")


# --- corrections, parole, protection ---------------------------------------------------------------------------------


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.3(l): the papers came, and the I-94 is mended to D/S")
def f1_papers_came(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    program(w, "F1", "2028-05-15", "2025-11-01")
    mended(w, "D/S", "F1", "2026-02-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-06-01"), why="the last correction rules")
def mended_twice(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.correct(d("2026-01-13"), d("2026-10-01"))
    w.correct(d("2026-01-15"), d("2026-05-01"))


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 212.5(e)(1): the parole's last day, where he left")
def parolee_left_on_the_last_day(w: World) -> None:
    came(w, "PAR", "2026-07-09", inspection="paroled", port="GUM")
    left(w, at("2026-07-09", 23, 40, "LAX"), "LAX")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="re-parole ends with its date like the first")
def reparole_over(w: World) -> None:
    came(w, "PAR", "2026-03-09", inspection="paroled")
    mended(w, "2026-07-09", None, "2026-03-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="INA 212(a)(9)(B)(iii)(II): not who worked without authorisation")
def asylum_pending_and_worked(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("unauthorised_work", d("2026-07-20"))


@right("PENDING", on=at("2026-10-01"), why="8 CFR 208.14(c)(1): referred to the court it is pending still")
def asylum_referred(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("asylum_referred", d("2026-08-20"))


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="denied, nothing is pending")
def asylum_denied(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("asylum_pending", d("2026-07-01"))
    w.fact("asylum_denied", d("2026-08-20"))


@right("DEPARTED_LATE", on=at("2026-11-15"), why="8 CFR 240.26(e), (f): sixty days at most at the end of proceedings")
def voluntary_departure_of_ninety_days(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("voluntary_departure", d("2026-07-09"), until=d("2026-10-07"), reason="after-proceedings")
    left(w, at("2026-09-20"))


@right("DEPARTED_IN_TIME", on=at("2026-11-15"), why="8 CFR 240.25(c): a hundred and twenty days before that")
def voluntary_departure_before_proceedings(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("voluntary_departure", d("2026-07-09"), until=d("2026-10-07"))
    left(w, at("2026-10-07", 23, 30))


@right("PENDING", on=at("2026-10-01"), why="deferred enforced departure: no unlawful presence")
def deferred_enforced_departure(w: World) -> None:
    w.citizenship = "LBR"
    came(w, "B2", "2026-07-09")
    w.fact("deferred_departure", d("2026-07-01"), until=d("2026-11-01"))


@right("DEPARTED_LATE", on=at("2026-11-01"), why="8 CFR 241: a removal is a departure")
def removed_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-09-01"), evidence="removal")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="8 CFR 241: removed inside the period")
def removed_inside_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="removal")


@right("ADJUSTED", on=at("2026-11-01"), why="INA 334: no longer a nonimmigrant")
def naturalised(w: World) -> None:
    came(w, "H1B", "2020-07-09", "2018-01-10")
    w.fact("permanent_resident", d("2020-01-10"))
    w.fact("naturalised", d("2026-03-10"))


@right("OVERSTAY_SUSPECTED", on=at("2025-12-15"), why="90 FR 20309: that of Afghanistan ended on 14 July 2025")
def tps_of_afghanistan_ended(w: World) -> None:
    w.citizenship = "AFG"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2026-11-20"))


@right("IN_STATUS", on=at("2025-06-15"), why="INA 244(f)(4): before that it held")
def tps_of_afghanistan_held(w: World) -> None:
    w.citizenship = "AFG"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2025-05-20"))
    w.fact("tps", d("2025-05-21"), until=d("2025-07-14"))


@right("OVERSTAY_SUSPECTED", on=at("2025-06-15"), why="8 CFR 244.14: withdrawn, it is over")
def tps_withdrawn(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d("2026-10-19"))
    w.fact("tps_withdrawn", d("2025-05-01"))


def back_on_parole(w: World, cls: str = "DA", inspection: str = "paroled") -> None:
    """Left, and came back with leave to travel."""
    left(w, at("2026-03-20"))
    came(w, cls, "2026-09-09", "2026-04-10", inspection=inspection)


@right(
    "DEPARTED_IN_TIME", "PENDING", on=at("2026-11-01"), why="8 CFR 208.8(a): on advance parole asylum is not abandoned"
)
def asylum_pending_and_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w)


@right(
    "DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-11-01"), why="8 CFR 208.14: denied, the parole's date is over"
)
def asylum_denied_behind_advance_parole(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w)
    w.fact("asylum_denied", d("2026-10-01"))


@right("DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-11-01"), why="8 CFR 208.8(a): without it, it is")
def asylum_abandoned_by_leaving(w: World) -> None:
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("asylum_pending", d("2026-02-01"))
    back_on_parole(w, "B2", "admitted")


@right(
    "DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-10-01"), why="INA 244(f)(3): back with leave to travel, TPS goes on"
)
def tps_and_a_trip_with_leave(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("tps", d("2026-02-01"), until=d("2026-10-19"))
    back_on_parole(w, "TPS", "admitted")


@right("DEPARTED_IN_TIME", "OVERSTAY_SUSPECTED", on=at("2026-10-20"), why="and ends with its day")
def tps_and_a_trip_with_leave_over(w: World) -> None:
    w.citizenship = "UKR"
    came(w, "B2", "2026-04-09", "2026-01-10")
    w.fact("tps", d("2026-02-01"), until=d("2026-10-19"))
    back_on_parole(w)


# --- crossings -------------------------------------------------------------------------------------------------------


@right("DEPARTED_IN_TIME", on=at("2026-05-02"), why="came at noon and left that day: one stay, in time")
def came_and_left_on_one_day(w: World) -> None:
    came(w, "B2", "2026-10-31", "2026-05-01")
    left_on(w, "2026-05-01")


@right(
    "DEPARTED_IN_TIME",
    "CLOSED_UNOBSERVED",
    "IN_STATUS",
    on=at("2026-09-01"),
    why="each departure belongs to its own stay",
)
def three_stays_the_middle_unobserved(w: World) -> None:
    came(w, "B2", "2025-07-09", "2025-01-12")
    left(w, at("2025-06-01"))
    came(w, "B2", "2026-02-09", "2025-08-10")
    came(w, "B2", "2026-12-09", "2026-06-10")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-01"), why="the later admission was somebody's mistake and taken back")
def later_admission_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    came(w, "B2", "2026-12-09", "2026-06-10")
    again(w, w.events[-1], operation="retract")


@right("DEPARTED_IN_TIME", on=at("2026-10-01"), why="fingerprints of another, taken back: the manifest stands")
def biometric_departure_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-06-01"), evidence="manifest_closed")
    left(w, at("2026-09-01"), evidence="biometric")
    again(w, w.events[-1], operation="retract")


@right("IN_STATUS", on=at("2026-06-01"), why="class and date were mended by a later revision of the record")
def arrival_corrected(w: World) -> None:
    came(w, "WT", "2026-04-11")
    again(w, w.events[-1], class_of_admission="B2", admitted_until="2026-07-09")


@right("DEPARTED_IN_TIME", on=at("2026-11-26"), why="1 November has 25 hours, and its last is in time")
def left_in_the_last_hour_of_a_long_day(w: World) -> None:
    came(w, "B2", "2026-11-01", "2026-05-02")
    left(w, at("2026-11-01", 23, 59))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="half past midnight of the day behind")
def left_in_the_first_hour_of_a_long_day(w: World) -> None:
    came(w, "B2", "2026-10-31", "2026-05-02")
    left(w, at("2026-11-01", 0, 30))


@right("IN_STATUS", on=at("2026-07-08", 22, port="HNL"), why="the day at the port of entry is 8 July still")
def honolulu_last_hours(w: World) -> None:
    came(w, "B2", "2026-07-08", port="HNL")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="nobody vouches for departures by sea")
def sea_is_not_covered(w: World) -> None:
    w.cover(LONG_AGO, KNOWN, ("air", "land"))
    came(w, "WT", "2026-07-09", "2026-04-11")


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-08-01"),
    known_at=datetime(2026, 8, 15, tzinfo=UTC),
    why="what was known by then: the departure was told later",
)
def departure_not_yet_known(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-01"))
    for event in w.events:
        event["published_at"] = "2026-08-10T12:00:00Z"
    w.events[-1]["published_at"] = "2026-08-20T12:00:00Z"


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="22 CFR 41.112(d) needs a return: entered Canada, and stayed")
def entered_canada_on_the_last_day(w: World) -> None:
    came(w, "H1B", "2026-07-09")
    w.depart(d("2026-07-09"), "foreign_entry", port="CHM", mode="land", whole_day=True)


ALL: list[Sibling] = SIBLINGS[_EARLIER:]
"""Those of this file alone."""
del SIBLINGS[_EARLIER:]
