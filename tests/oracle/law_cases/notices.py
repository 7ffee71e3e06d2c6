"""What ends by notice: designations and parole programs."""

from __future__ import annotations

from datetime import timedelta

from oracle.histories import World
from oracle.law_cases.build import at, came, d, files, left, protected
from oracle.law_cases.case import right


def _tps(w: World, state: str, until: str) -> None:
    w.citizenship = state
    came(w, "B2", "2024-07-09", "2024-01-12")
    w.fact("tps", d("2024-08-01"), until=d(until))


DAY = timedelta(days=1)


@right(
    "OVERSTAY_SUSPECTED",
    on=at("2026-11-15"),
    why="90 FR 54733; Mullin v. Doe, 25 June 2026: the designation of Haiti ended",
)
def tps_of_haiti_ended_by_notice(w: World) -> None:
    _tps(w, "HTI", "2027-06-30")


@right("OVERSTAY_SUSPECTED", on=at("2026-11-15"), why="90 FR 45398; Mullin v. Doe: the designation of Syria ended")
def tps_of_syria_ended_by_notice(w: World) -> None:
    _tps(w, "SYR", "2027-06-30")


@right("IN_STATUS", on=at("2025-06-01"), why="INA 244(f)(4): while the designation of Haiti held")
def tps_of_haiti_held(w: World) -> None:
    _tps(w, "HTI", "2026-02-03")


@right("IN_STATUS", on=at("2026-06-01"), why="no notice ended that of Ukraine before its own date")
def tps_of_ukraine_held(w: World) -> None:
    _tps(w, "UKR", "2026-10-19")


@right("OVERSTAY_SUSPECTED", on=at("2026-10-20"), why="the day behind it")
def tps_of_ukraine_over(w: World) -> None:
    _tps(w, "UKR", "2026-10-19")


@right("PENDING", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4): for a change of status, maintaining lawful status")
def change_filed_in_protected_status_that_ended(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-09-01", "change_class", "F1", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4) speaks of 245 and 248, of no extension")
def extension_filed_in_protected_status_that_ended(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-09-01", system="ELIS")


@right("OVERSTAY_SUSPECTED", on=at("2026-12-01") - 6 * DAY, why="INA 244(f)(4): during a period in which it is granted")
def change_filed_behind_protected_status(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    files(w, "2026-10-20", "change_class", "F1", system="ELIS")


@right("DEPARTED_IN_TIME", on=at("2026-11-01"), why="INA 244(a)(1): to the day of the papers, where she left")
def ukrainian_left_honolulu_on_the_last_day(w: World) -> None:
    protected(w, "UKR", "2026-10-19")
    left(w, at("2026-10-19", 23, 30, "HNL"), "HNL")


@right("OVERSTAY_SUSPECTED", on=at("2026-07-21"), why="91 FR 10402; Doe v. Noem, 26-cv-02103 (S.D.N.Y.), 20 July 2026")
def tps_of_yemen_behind_the_order(w: World) -> None:
    protected(w, "YEM", "2027-03-03")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-19"), why="90 FR 58028; 26-cv-10278, 18 August 2026")
def tps_of_ethiopia_behind_the_order(w: World) -> None:
    protected(w, "ETH", "2027-06-12")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-15"), why="91 FR 1547; 26-cv-11201, 14 August 2026")
def tps_of_somalia_behind_the_order(w: World) -> None:
    protected(w, "SOM", "2027-03-17")


@right("OVERSTAY_SUSPECTED", on=at("2025-08-21"), why="90 FR 24151; National TPS Alliance v. Noem, 20 August 2025")
def tps_of_nepal_behind_the_order(w: World) -> None:
    protected(w, "NPL", "2026-06-24")


@right("DEPARTED_LATE", on=at("2026-09-01"), why="90 FR 53378; 25-cv-15483, 7 August 2026")
def burmese_left_behind_the_order(w: World) -> None:
    protected(w, "MMR", "2027-05-25")
    left(w, at("2026-08-09"))
