"""Protections."""

from __future__ import annotations

from oracle.histories import World
from oracle.law_cases.build import adjusting, at, came, d, files, left, left_on, notified, paroled, protected
from oracle.law_cases.case import right


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-07-28", 12), why="90 FR 54733, in force on 27 July 2026: class TPS on the I-94"
)
def class_tps_of_haiti_ended_by_notice(w: World) -> None:
    w.citizenship = "HTI"
    came(w, "TPS", "2027-02-03", "2025-09-10")


@right("IN_STATUS", on=at("2026-07-26", 12), why="90 FR 54733 was stayed up to then")
def class_tps_of_haiti_before_the_order(w: World) -> None:
    w.citizenship = "HTI"
    came(w, "TPS", "2026-12-03", "2025-09-10")


@right("OVERSTAY_SUSPECTED", on=at("2025-09-09"), why="90 FR 30089: 8 September 2025")
def tps_of_honduras_behind_the_notice(w: World) -> None:
    protected(w, "HND", "2026-07-05")


@right("OVERSTAY_SUSPECTED", on=at("2025-11-08"), why="90 FR 43225: 7 November 2025")
def tps_of_venezuela_behind_the_notice(w: World) -> None:
    protected(w, "VEN", "2026-10-01")


@right("DEPARTED_LATE", on=at("2026-11-20"), why="90 FR 50484; 7 August 2026")
def south_sudanese_left_behind_the_order(w: World) -> None:
    protected(w, "SSD", "2027-05-03")
    left(w, at("2026-08-08"))


@right("PENDING", on=at("2026-11-20"), why="INA 212(a)(9)(B)(iii)(II): asylum pending behind an ended designation")
def tps_of_haiti_ended_with_asylum_pending(w: World) -> None:
    protected(w, "HTI", "2027-02-03")
    w.fact("asylum_pending", d("2026-03-02"))


@right("PENDING", on=at("2026-09-01"), why="8 CFR 236.21(c)(3): deferred action, a period of authorised stay")
def deferred_action(w: World) -> None:
    came(w, "B2", "2005-07-09", "2005-01-10")
    w.fact("deferred_action", d("2025-03-03"), until=d("2027-03-02"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="deferred action was over when he left")
def deferred_action_over_and_left(w: World) -> None:
    came(w, "B2", "2005-07-09", "2005-01-10")
    w.fact("deferred_action", d("2024-03-03"), until=d("2026-03-02"))
    left(w, at("2026-03-04"))


@right("IN_STATUS", on=at("2026-03-01"), why="INA 221(i), 237(a)(1)(B): a visa revoked moves no date on the I-94")
def visa_revoked_inside_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("visa_revoked", d("2026-02-02"))


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="8 CFR 217.3(a): a departure within the days granted, day alone")
def wb_satisfactory_departure_day_alone(w: World) -> None:
    came(w, "WB", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-30"))
    left_on(w, "2026-07-30", "GUM")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 217.3(a) is of the waiver, and not of visitors")
def b2_satisfactory_departure_gives_nothing(w: World) -> None:
    came(w, "B2", "2026-07-09")
    w.fact("satisfactory_departure", d("2026-07-08"), until=d("2026-07-30"))


@right("DEPARTED_LATE", on=at("2026-11-20"), why="INA 240B(a)(2): 120 days; the hundred and twenty-first")
def voluntary_departure_a_day_late(w: World) -> None:
    came(w, "B2", "2026-01-20", "2025-07-21")
    w.fact("voluntary_departure", d("2026-04-01"), until=d("2026-07-30"))
    left(w, at("2026-07-31"))


@right("ADJUSTED", on=at("2026-11-20"), why="INA 209, 208: a refugee in the country, no nonimmigrant")
def asylum_granted_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-01-20", "2025-07-21")
    w.fact("asylum_pending", d("2026-03-02"))
    w.fact("asylum_granted", d("2026-06-01"))


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 245.2(a)(5): denied; nothing of it is left behind that day"
)
def adjustment_denied_behind_the_date(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right("DEPARTED_IN_TIME", on=at("2026-11-20"), why="left while the adjustment was pending: authorised on that day")
def left_while_adjusting(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-09-10"))


@right(
    "DEPARTED_IN_TIME", "IN_STATUS", on=at("2026-11-20"), why="8 CFR 245.2(a)(4)(ii)(C): abandoned, but admitted anew"
)
def adjusting_and_back_as_a_visitor(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-07-08"))
    came(w, "B2", "2027-02-09", "2026-08-10")


@right(
    "DEPARTED_IN_TIME",
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-20"),
    why="8 CFR 245.2(a)(4)(ii): abandoned; the new date over",
)
def adjusting_and_back_as_a_visitor_and_over(w: World) -> None:
    came(w, "B2", "2026-07-09")
    adjusting(w, "2026-07-01")
    left(w, at("2026-07-08"))
    came(w, "WT", "2026-11-07", "2026-08-10")


@right("OVERSTAY_SUSPECTED", on=at("2025-06-01"), why="90 FR 13611 in force on 30 May 2025; 8 CFR 212.5(e)")
def parole_of_the_program_as_a_fact(w: World) -> None:
    w.citizenship = "CUB"
    came(w, "B2", "2024-12-09", "2024-06-10")
    w.fact("parole", d("2024-12-01"), until=d("2026-11-30"), reason="CHNV")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 212.5(e)(1)(ii): automatically at its end")
def ukrainian_parole_over(w: World) -> None:
    w.citizenship = "UKR"
    paroled(w, "UHP", "2026-10-09", "2024-10-10")


@right(
    "OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 248(a): of an alien admitted; Sanchez v. Mayorkas, 593 U.S. 409"
)
def parolee_in_tps_asks_for_a_change(w: World) -> None:
    w.citizenship = "UKR"
    paroled(w, "UHP", "2026-03-09", "2024-03-10")
    w.fact("tps", d("2024-06-03"), until=d("2026-10-19"))
    files(w, "2026-09-01", "change_class", "F1", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="8 CFR 212.5(e)(2)(i): noticed, whatever had extended it")
def parole_in_place_ended_twice(w: World) -> None:
    came(w, "B2", "2025-07-09", "2025-01-10")
    w.fact("parole", d("2025-07-01"), until=d("2027-06-30"))
    notified(w, "2026-09-01")
    notified(w, "2026-10-01")


@right("IN_STATUS", on=at("2026-11-20"), why="INA 214(p)(6): extended during the pendency of an adjustment")
def u1_adjustment_pending_behind_the_date(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-09")


@right("IN_STATUS", on=at("2026-11-20"), why="INA 214(p)(6): extended, though an extension is pending as well")
def u1_adjustment_and_extension_pending(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    files(w, "2026-06-25")
    adjusting(w, "2026-07-01")


@right("PENDING", on=at("2026-11-20"), why="INA 214(o)(7)(C): behind its denial the extension asked for is pending yet")
def t1_adjustment_denied_and_extension_pending(w: World) -> None:
    came(w, "T1", "2026-07-09", "2022-07-10")
    files(w, "2026-06-25")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-20"), why="INA 214(o)(7)(C): and not behind its denial")
def t1_adjustment_denied_behind_the_date(w: World) -> None:
    came(w, "T1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-01")
    adjusting(w, "2026-10-01", "denied")


@right(
    "PENDING", on=at("2026-11-20"), why="8 CFR 245.24(b)(2)(ii): who holds the status no longer has none that goes on"
)
def u1_adjustment_filed_late(w: World) -> None:
    came(w, "U1", "2026-07-09", "2022-07-10")
    adjusting(w, "2026-07-30")
