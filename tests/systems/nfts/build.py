"""Files of NFTS from plain words."""

from __future__ import annotations

COLUMNS = "action type alien receipt part surviving fco section party status moved updated".split()
USUAL = {
    "action": "N",
    "type": "A",
    "alien": "A099000117",
    "fco": "NBC",
    "section": "0120",
    "party": "HOLLOWAY R",
    "status": "RECEIVED",
    "moved": "2025-03-10",
    "updated": "2025-03-10T22:15:00-04:00",
}


def detail(**words: str) -> str:
    """Return a detail: the usual one but for these words."""
    values = USUAL | words
    return "|".join(["DTL", *(values.get(name, "") for name in COLUMNS)])


def file(*details: str, sequence: str = "412", count: str | None = None, system: str = "NFTS") -> bytes:
    """Return a file of these details."""
    lines = [f"HDR|2025-03-11|{system}|{sequence}", *details, f"TRL|{len(details) if count is None else count}"]
    return "".join(f"{line}\n" for line in lines).encode()


def inputs() -> dict[str, bytes]:
    """Return the input of each case, by its path."""
    statuses = "CREATED,IN TRANSIT,RECEIVED,LOST,RETIRED,DIGITISED".split(",")
    receipt = detail(type="R", alien="", receipt="EAC2590012345", fco="VSC")
    cases = {
        "received": file(detail()),
        "every-status": file(*(detail(alien=f"A09900010{at}", status=each) for at, each in enumerate(statuses))),
        "a-file-and-temporary-files-at-once": file(
            detail(),
            detail(type="T", part="1", fco="SFR"),
            detail(type="T", part="2", fco="LOS"),
            detail(type="W", part="1"),
        ),
        "receipt-file": file(receipt, detail(receipt="EAC2590012346")),
        "receipt-file-of-a-number": file(detail(type="R", receipt="EAC2590012345")),
        "receipt-that-is-none": file(detail(type="R", receipt="EAC259", alien=""), detail()),
        "receipt-file-without-receipt": file(detail(type="R", alien="A099000117"), receipt),
        "consolidated": file(detail(alien="A090900118", surviving="A099000117", status="RETIRED")),
        "consolidated-in-a-chain": file(
            detail(alien="A090900118", surviving="A090900119"), detail(alien="A090900119", surviving="099000117")
        ),
        "consolidated-into-itself": file(detail(surviving="99000117")),
        "consolidated-into-no-number": file(detail(surviving="PENDING")),
        "numbers-of-seven-and-eight-digits": file(detail(alien="A1234567"), detail(alien="12345678")),
        "number-that-is-none": file(detail(alien="A12"), detail(alien=""), detail()),
        "correction": file(detail(action="C", fco="NRC", moved="2025-03-11", updated="2025-03-12T09:00:00-04:00")),
        "deletion": file(detail(action="D", updated="2025-03-12T09:00:00-04:00"), sequence="413"),
        "unknown-status": file(detail(status="MISLAID"), detail(alien="A099000118")),
        "unknown-type": file(detail(type="X"), detail()),
        "office-that-is-none": file(detail(fco="TEXAS"), detail(alien="A099000118", fco="")),
        "part-that-is-none": file(detail(type="T", part="one"), detail()),
        "moved-in-the-future": file(detail(moved="2026-03-10")),
        "no-such-day": file(detail(moved="2025-02-30"), detail(alien="A099000118")),
        "empty": file(),
        "count-too-high": file(detail(), count="2"),
        "count-too-low": file(detail(), detail(alien="A099000118"), count="1"),
        "count-that-is-none": file(detail(), count="one"),
        "no-trailer": file(detail()).replace(b"TRL|1\n", b""),
        "cut-inside-a-line": file(detail(), detail(alien="A099000118"))[:-40],
        "two-trailers": file(detail()) + b"TRL|1\n",
        "behind-the-trailer": file(detail()) + detail(alien="A099000118").encode() + b"\n",
        "line-with-a-bar-too-many": file(detail(), detail(section="01|20")),
        "no-header": file(detail()).split(b"\n", 1)[1],
        "two-headers": b"HDR|2025-03-11|NFTS|411\n" + file(detail()),
        "another-system": file(detail(), system="RAILS"),
        "sequence-of-nought": file(detail(), sequence="000"),
        "crlf": file(detail()).replace(b"\n", b"\r\n"),
    }
    return {f"{name}/input.txt": data for name, data in cases.items()}
