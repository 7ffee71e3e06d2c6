"""For each class: its last lawful moment and the next one, there and gone. The dates are those of the law's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from oracle.casebook import Entry, read

DATED = (
    *("B1 B2 WB WT K1 K2 K3 K4 C1 C2 C3 C4 D1 D2 E1 E2 E3 E3R H1B H1B1 HSC L1 L1A L1B O1 O1A O1B TC TN TN1 TN2",),
    *("E1S E1Y E2S E2Y E3D E3S E3Y H4 L2 L2S L2Y O3 P4 R2 TB TD H1C H3 H3A H3B O2 P1 P1A P1B P1S P2 P2S P3 P3S",),
    *("Q1 Q2 Q3 R1 CW1 CW2 E2C F3 M3 S1 S2 S5 S6 S7 T1 T2 T3 T4 T5 T6 U1 U2 U3 U4 U5 V1 V2 V3 M1 M2 I I1",),
    *("FSM MIS PAL PLW RMI A1 A2 A3 G1 G2 G3 G4 G5 N1 N2 N3 N4 N5 N6 N7 N8 N9 NATO1 NATO2 NATO3 NATO4 NATO5",),
    "NATO6 NATO7 GB GMB GT GMT",
)


@dataclass(frozen=True)
class Row:
    """Classes, the date on the I-94, and the last lawful day, grace included."""

    classes: str
    until: str = "2026-07-09"
    status: str = "2026-07-09"  # the last day in status
    grace: int = 0
    day: str = "2026-01-12"
    more: str = ""  # words of the arrival
    citizen: str = "GBR"
    program: bool = False

    def entries(self) -> Iterator[Entry]:
        """A history for each class and each way to end it."""
        for cls in self.classes.split():
            yield from read("\n".join(self._page(cls)))

    def _page(self, cls: str) -> Iterator[str]:
        last = date.fromisoformat(self.status)
        end = last + timedelta(self.grace)
        came = [f"citizen {self.citizen}", f"came {cls} {self.until} {self.day} {self.more}"]
        if self.program:
            came.append(f"sevis active {cls} created 2025-11-01 {self.status}")
        yield from (f"= {cls}_there: the last moment and the next", *came, f"? {last} 23:59:59: IN_STATUS")
        if self.grace:
            yield from (f"? {last}+1 00:00: IN_GRACE", f"? {end} 23:59:59: IN_GRACE")
        yield f"? {end}+1 00:00: OVERSTAY_SUSPECTED"
        yield from (f"= {cls}_left_in_time: the last moment", *came, f"left {end} hour=23:59:59")
        yield "? 2026-11-20 12:00: DEPARTED_IN_TIME"
        yield from (
            f"= {cls}_left_late: the next",
            *came,
            f"left {end}+1 hour=00:00",
            "? 2026-11-20 12:00: DEPARTED_LATE",
        )


ROWS = (
    *(Row(classes) for classes in DATED),
    Row("TPS", citizen="LBN"),
    Row("I I1", citizen="CHN"),  # 85 FR 27645, 87 FR 61959
    Row("CC CP DA DE DT OAR PAR PI UHP CHP HHP NHP VHP", more="how=paroled"),  # 8 CFR 212.5(e)
    Row("H2A H2B H2R", grace=30),  # 89 FR 103202
    Row("H2A", "2025-07-09", "2025-07-09", 30, "2025-01-16"),  # 73 FR 76891
    Row("H2B H2R", "2025-07-09", "2025-07-09", 10, "2025-01-16"),  # 8 CFR 214.2(h)(13)(i)(A) as it was
    Row("H2A H2B H2R", "2025-07-09", "2025-07-09", 30, "2025-01-17"),
    Row("WB WT K1 K2", "-", "2026-04-11"),  # ninety days, 12 January being the first
    Row("GB GMB GT GMT", "-", "2026-02-25"),  # forty-five
    Row("C1 D1 D2", "-", "2026-02-09"),  # twenty-nine
    Row("B1 B2", "-", "2026-07-11", more="number=no", citizen="CAN"),  # six months: 8 CFR 235.1(h)(1)(i)
    Row("F1 F2", "D/S", grace=60, program=True),
    Row("J1 J2", "D/S", grace=30, program=True),
)
