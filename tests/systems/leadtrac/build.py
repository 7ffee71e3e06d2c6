"""Files of LeadTrac from plain words."""

from __future__ import annotations

COLUMNS = (
    "lead action type subject source source_record family given birth sex citizenship "
    "sevis i94 passport state alien opened closed reason step office updated"
).split()
USUAL = {
    "lead": "L0001",
    "action": "N",
    "type": "O",
    "subject": "S77001",
    "source": "ADIS",
    "source_record": "AD900117",
    "family": "GARCIA LOPEZ",
    "given": "MARIA",
    "birth": "1987-05-23",
    "sex": "F",
    "citizenship": "ESP",
    "i94": "123456789A1",
    "passport": "XDA123456",
    "state": "ESP",
    "opened": "2025-03-10",
    "step": "ENRICH",
    "office": "SFR",
    "updated": "2025-03-10T22:15:00-04:00",
}
CLOSED = {"closed": "2025-04-02", "reason": "DEPARTED", "updated": "2025-04-03T08:00:00-04:00"}


def lead(**words: str) -> str:
    """Return a detail: the usual lead but for these words."""
    values = USUAL | words
    return "|".join(["D", *(values.get(name, "") for name in COLUMNS)])


def file(
    *leads: str, version: str = "1", sequence: str = "41", count: int | None = None, trailer: bool = True
) -> bytes:
    """Return a file of these details."""
    lines = [f"H|{version}|{sequence}|2025-04-04T05:00:00Z", *leads]
    if trailer:
        lines.append(f"T|{sequence}|{len(leads) if count is None else count}")
    return ("\n".join(lines) + "\n").encode()


def inputs() -> dict[str, bytes]:
    """Return the input of each case, by its path."""
    student = lead(
        lead="L0002", type="V", source="SEVIS", source_record="N0012345678", sevis="N0012345678", alien="A099000117"
    )
    cases = {
        "opened": file(lead()),
        "status-violator": file(student),
        "closed": file(lead(**CLOSED)),
        "closed-for-every-reason": file(
            *(
                lead(lead=f"L{number}", **CLOSED | {"reason": reason})
                for number, reason in enumerate(("ADJUSTED", "PENDING", "NOT-LOCATED", "ARRESTED", ""), 1)
            )
        ),
        "two-leads-on-one-subject": file(lead(), lead(lead="L0003", type="V", opened="2025-03-09")),
        "correction": file(lead(action="C", family="GARCIA", updated="2025-03-12T09:00:00-04:00"), sequence="42"),
        "deletion": file(lead(action="D", updated="2025-03-12T09:00:00-04:00"), sequence="43"),
        "organisation": file(lead(type="G", family="SMALL SCHOOL OF ENGLISH"), lead(lead="L0004")),
        "origin-half-known": file(lead(source_record=""), lead(lead="L0005", source="")),
        "unknown-source": file(lead(source="ESTA")),
        "unknown-reason": file(lead(**CLOSED | {"reason": "MOVED"})),
        "unknown-type": file(lead(type="X"), lead(lead="L0006")),
        "closed-before-opened": file(lead(**CLOSED | {"closed": "2025-03-09"})),
        "opened-in-the-future": file(lead(opened="2026-03-10")),
        "identifiers-alone": file(lead(family="", given="", birth="", sex="", citizenship="")),
        "nobody": file(lead(family="", given="", subject="", i94="", passport="", state="")),
        "identifiers-that-are-none": file(lead(sevis="12345", i94="12", passport="XDA123456", state="", alien="ABC")),
        "part-of-a-birth-and-sex-unknown": file(lead(birth="1987", sex="U")),
        "empty": file(),
        "wrong-count": file(lead(), count=2),
        "no-trailer": file(lead(), trailer=False),
        "other-version": file(lead(), version="2"),
        "line-too-short": file("D|L0007|N|O", lead()),
        "blank-key": file(lead(lead="")),
        "crlf": file(lead()).replace(b"\n", b"\r\n"),
    }
    return {f"{name}/input.txt": data for name, data in cases.items()}
