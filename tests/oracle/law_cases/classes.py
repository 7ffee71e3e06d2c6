"""Classes of admission, their codes and periods."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import at, came, d, decides, files, left, left_on
from oracle.law_cases.case import right


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(g)(1): G-5 to a date, three years at most")
def g5_date_over(w: World) -> None:
    came(w, "G5", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59), why="the date counts to its end, at the port of entry")
def n7_last_minute(w: World) -> None:
    came(w, "N7", "2026-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="an A-2 admitted to a date has that date")
def a2_with_a_date_over(w: World) -> None:
    came(w, "A2", "2026-07-09")


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 214.2(s)(1): NATO-6 (N6) for duration of status")
def n6_duration_of_status(w: World) -> None:
    came(w, "N6", "D/S")


@right("UNDETERMINED", on=at("2026-06-01"), why="8 CFR 214.2(i)(2): never D/S on a passport of the PRC")
def i_of_the_prc_with_duration_of_status(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "D/S")


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(i)(1)")
def i_of_japan_with_duration_of_status(w: World) -> None:
    w.citizenship = "JPN"
    came(w, "I", "D/S")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="8 CFR 214.2(i)(2), 87 FR 61959: a date")
def i_of_the_prc_left_a_day_late(w: World) -> None:
    w.citizenship = "CHN"
    came(w, "I", "2026-07-09")
    left(w, at("2026-07-10", 0, 1))


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-02-10"), why="admitted to a date for want of papers, and no program is on record"
)
def f1_to_a_date_program_terminated(w: World) -> None:
    came(w, "F1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "F1", "created", d("2025-12-31"))
    w.sevis("program", "sevis_completed", d("2025-11-15"), "F1", "completed", d("2025-11-15"))


@right("IN_STATUS", on=at("2026-02-08", 23, 59), why="Form I-515A: inside the date")
def j1_to_a_date_last_minute(w: World) -> None:
    came(w, "J1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "J1", "created", d("2028-05-15"))


@right("UNDETERMINED", on=at("2026-02-09"), why="as A05, of a J-1")
def j1_to_a_date_over(w: World) -> None:
    came(w, "J1", "2026-02-08", "2026-01-10")
    w.sevis("program", "sevis_active", d("2025-11-01"), "J1", "created", d("2028-05-15"))


@right("DEPARTED_IN_TIME", on=at("2026-09-01"), why="Compact of Free Association, sec. 141: no limit of time")
def marshall_islander_left_after_years(w: World) -> None:
    w.citizenship = "MHL"
    came(w, "RMI", "D/S", "2021-02-01", "GUM")
    left(w, at("2026-08-01", port="HNL"), "HNL")


@right("IN_STATUS", on=at("2026-07-10", 9, port="GUM"), why="GMT: 45 days, the date on the I-94")
def guam_visitor_last_day(w: World) -> None:
    came(w, "GMT", "2026-07-10", "2026-05-27", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-10"), why="8 CFR 214.2(r)(6): a date")
def r1_date_over(w: World) -> None:
    came(w, "R1", "2026-10-09")


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 214.2(w): CW-1 to a date")
def cw1_left_on_the_last_day(w: World) -> None:
    came(w, "CW1", "2026-07-09", port="GUM")
    left(w, at("2026-07-09", 23, 50, "GUM"), "GUM")


@right("UNDETERMINED", on=at("2026-03-01"), why="no date, no D/S, and no length by law")
def h1b_without_a_period(w: World) -> None:
    came(w, "H1B", None)


@right("IN_STATUS", on=at("2026-07-01"), why="8 CFR 235.1(h)(1)(i): six months of a Canadian visitor without an I-94")
def canadian_without_an_i94(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, numbered=False)


@right("OVERSTAY_SUSPECTED", on=at("2026-07-20"), why="the same, behind them")
def canadian_without_an_i94_over(w: World) -> None:
    w.citizenship = "CAN"
    came(w, "B2", None, numbered=False)


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


@right("IN_STATUS", on=at("2026-11-01"), why="8 CFR 214.2(e)(4): the spouse of an E-2, E2S on the I-94 since 2022")
def e2s_inside_the_date(w: World) -> None:
    came(w, "E2S", "2027-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="8 CFR 214.2(e)(4): the child of an E-1, E1Y, to the date")
def e1y_date_over(w: World) -> None:
    came(w, "E1Y", "2026-07-09")


@right("IN_GRACE", on=at("2026-07-19"), why="8 CFR 214.1(l)(1): ten days, and for the dependents")
def e3y_tenth_endorsed_day(w: World) -> None:
    came(w, "E3Y", "2026-07-09")
    w.fact("days_endorsed", d("2026-01-12"), until=d("2026-07-19"))


@right("IN_STATUS", on=at("2026-06-01"), why="8 CFR 214.2(e)(4): no employment of her own on which E2S would rest")
def e2s_employment_ended(w: World) -> None:
    came(w, "E2S", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("IN_GRACE", on=at("2026-05-01", 23, 30), why="22 CFR 41.12: E3R is a returning E-3; 8 CFR 214.1(l)(2): day 60")
def e3r_sixtieth_day(w: World) -> None:
    came(w, "E3R", "2027-01-10")
    w.fact("employment_ended", d("2026-03-02"))


@right("TERMINATED", on=at("2026-05-02"), why="8 CFR 214.1(l)(2): sixty consecutive days, not sixty-one")
def e3r_sixty_first_day(w: World) -> None:
    came(w, "E3R", "2027-01-10")
    w.fact("employment_ended", d("2026-03-02"))


@right("TERMINATED", on=at("2026-03-03"), why="8 CFR 214.1(l)(2) does not name P: nor the support of a P-3")
def p3s_employment_ended(w: World) -> None:
    came(w, "P3S", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("IN_GRACE", on=at("2026-04-20"), why="8 CFR 214.1(l)(2) names H-1B1, of which HSC is a code")
def hsc_employment_ended(w: World) -> None:
    came(w, "HSC", "2026-07-09")
    w.fact("employment_ended", d("2026-03-02"))


@right("OVERSTAY_SUSPECTED", on=at("2026-07-10"), why="INA 101(a)(15)(N); 8 CFR 214.2(n): N-8 to a date")
def n8_date_over(w: World) -> None:
    came(w, "N8", "2026-07-09")


@right("IN_STATUS", on=at("2026-07-09", 23, 59, "GUM"), why="8 CFR 212.1(q), GB being its code before 2009's program")
def gb_last_minute(w: World) -> None:
    came(w, "GB", "2026-07-09", "2026-05-26", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="8 CFR 214.1(c)(3)(viii): no extension under the Guam waiver")
def gt_extension_gives_nothing(w: World) -> None:
    came(w, "GT", "2026-07-09", "2026-05-26", "GUM")
    files(w, "2026-07-01", system="ELIS")


@right("IN_GRACE", on=at("2026-07-24", 23, 30, "GUM"), why="8 CFR 212.1(q)(7): not to exceed 15 days; the fifteenth")
def gmt_fifteenth_day_of_satisfactory_departure(w: World) -> None:
    came(w, "GMT", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-24"))


@right("DEPARTED_IN_TIME", on=at("2026-08-01"), why="8 CFR 212.1(q)(7): without overstaying the allotted time")
def gt_left_on_the_fifteenth_day(w: World) -> None:
    came(w, "GT", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-24"))
    left(w, at("2026-07-24", 23, 30, "GUM"), "GUM")


@right("DEPARTED_LATE", on=at("2026-08-01"), why="8 CFR 212.1(q)(7): fifteen days at most, whatever was written")
def gmb_left_on_the_sixteenth_day_of_thirty_granted(w: World) -> None:
    came(w, "GMB", "2026-07-09", "2026-05-26", "GUM")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-08-08"))
    left(w, at("2026-07-25", 9, 0, "GUM"), "GUM")


@right("DEPARTED_IN_TIME", on=at("2026-08-20"), why="8 CFR 217.3(a): thirty days under the Visa Waiver Program")
def wt_left_on_the_thirtieth_day(w: World) -> None:
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-08-08"))
    left(w, at("2026-08-08", 23, 30))


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 214(k)(2): such period may not be extended")
def s6_extension_gives_nothing(w: World) -> None:
    came(w, "S6", "2026-07-09", "2023-07-10")
    files(w, "2026-07-01", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="INA 248(a)(1): no change of class from K")
def k4_change_gives_nothing(w: World) -> None:
    came(w, "K4", "2026-07-09", "2024-07-10")
    files(w, "2026-07-01", "change_class", "F1")


@right("DEPARTED_IN_TIME", "PENDING", on=at("2026-10-10"), why="8 CFR 245.2(a)(4)(ii)(C): L-2 back in L-2")
def l2y_comes_back_with_an_adjustment_pending(w: World) -> None:
    came(w, "L2Y", "2027-01-10")
    w.step("IOE0000000009", "filed", d("2026-03-02"), asks="adjust", form="I-485", system="ELIS")
    left_on(w, "2026-05-04")
    came(w, "L2Y", "2026-10-09", "2026-06-01")


@right("IN_STATUS", on=at("2026-10-01"), why="INA 252(a)(3): 180 days for crew that transfers liquid cargo, as written")
def d1_of_a_lightering_vessel(w: World) -> None:
    came(w, "D1", "2026-11-15", "2026-06-01")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-16", 12), why="INA 252(a)(3): and not behind them")
def d1_of_a_lightering_vessel_over(w: World) -> None:
    came(w, "D1", "2026-11-15", "2026-06-01")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 214.2(c)(2): C-2 to the date on the I-94")
def c2_left_on_the_last_day(w: World) -> None:
    came(w, "C2", "2026-10-09")
    left(w, at("2026-10-09", 23, 30, "LAX"), "LAX")
