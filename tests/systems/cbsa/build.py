"""Files of CBSA built from plain words."""

from __future__ import annotations

from typing import Any

Fields = dict[str, str]
ENTRY: Fields = {
    "RECORD_ID": "CA0000000017",
    "ACTION": "N",
    "FIRST_NAME": "MARIA",
    "MIDDLE_NAME": "JOSE",
    "LAST_NAME": "GARCIA LOPEZ",
    "BIRTH_DATE": "1987-05-23",
    "NATIONALITY": "SPAIN",
    "SEX": "F",
    "DOCUMENT_TYPE": "PASSPORT",
    "DOCUMENT_NUMBER": "PAA123456",
    "ISSUING_COUNTRY": "SPAIN",
    "ENTRY_DATE": "2025-03-14",
    "ENTRY_TIME": "21:30",
    "PORT": "FORT ERIE",
    "UPDATED": "2025-03-15T08:00:00Z",
}


def entry(number: int = 17, **changes: str) -> str:
    """A detail with some of its values otherwise."""
    return "|".join(["D", *(ENTRY | {"RECORD_ID": f"CA{number:010}"} | changes).values()])


def file(
    *entries: str,
    sequence: str = "412",
    count: int | None = None,
    since: str = "2025-03-14T04:00:00Z",
    through: str = "2025-03-15T04:00:00Z",
    **changes: Any,
) -> bytes:
    """A whole file."""
    version, again = changes.get("version", "1"), changes.get("again", sequence)
    head = f"H|{version}|{sequence}|2025-03-15T09:00:00Z|{since}|{through}"
    return "\n".join([head, *entries, f"T|{again}|{len(entries) if count is None else count}", ""]).encode()


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    known = {
        "entry": file(entry()),
        "the-other-side-has-another-clock": file(
            entry(1, ENTRY_DATE="2025-03-15", ENTRY_TIME="00:30", PORT="Woodstock Road"),
            entry(2, ENTRY_DATE="2025-03-14", ENTRY_TIME="23:30", PORT="COUTTS"),
        ),
        "clocks-that-are-set": file(
            entry(1, ENTRY_DATE="2024-11-03", ENTRY_TIME="01:30"), entry(2, ENTRY_DATE="2025-03-09", ENTRY_TIME="02:30")
        ),
        "by-air": file(entry(1, PORT="TORONTO PEARSON INTL AIRPORT"), entry(2, ACTION="C", PORT="AÉROPORT DE QUÉBEC")),
        "the-day-alone": file(entry(1, ENTRY_TIME=""), entry(2, ENTRY_TIME="25:00"), entry(3, PORT="NIAGARA FALLS")),
        "the-country-is-a-name": file(
            entry(1, NATIONALITY="Korea, Republic of", ISSUING_COUNTRY="SOUTH KOREA"),
            entry(2, NATIONALITY="FRA", ISSUING_COUNTRY="FRA"),
            entry(3, NATIONALITY="ATLANTIS", ISSUING_COUNTRY="ATLANTIS"),
            entry(4, ISSUING_COUNTRY=""),
        ),
        "documents-of-other-kinds": file(
            entry(1, DOCUMENT_TYPE="NEXUS", DOCUMENT_NUMBER="98123456", ISSUING_COUNTRY=""),
            entry(2, DOCUMENT_TYPE="LIBRARY-CARD"),
            entry(3, DOCUMENT_TYPE="", DOCUMENT_NUMBER=""),
        ),
        "correction-and-deletion": file(
            entry(1, ENTRY_TIME="09:30"), entry(1, ACTION="C"), entry(2), entry(2, ACTION="D")
        ),
        "names": file(
            entry(1, FIRST_NAME="", MIDDLE_NAME="", LAST_NAME="FNU"),
            entry(2, FIRST_NAME="MADONNA", MIDDLE_NAME="", LAST_NAME="", BIRTH_DATE="1958-08"),
            entry(3, FIRST_NAME="", MIDDLE_NAME="", LAST_NAME=""),
        ),
        "who-is-in-it-in-2012": file(entry(), since="2012-09-30T04:00:00Z", through="2013-01-31T04:00:00Z"),
        "who-is-in-it-in-2014": file(entry(), since="2012-09-30T04:00:00Z", through="2014-01-31T04:00:00Z"),
        "who-is-in-it-in-2025": file(entry(), since="2012-09-30T04:00:00Z"),
        "wrong-optional-values": file(
            entry(1, BIRTH_DATE="1987-02-30", SEX="Q", DOCUMENT_NUMBER="??"), entry(2, SEX="U", PORT="")
        ),
        "wrong-values": file(
            entry(1, RECORD_ID="CA17"),
            entry(2, ACTION="X"),
            entry(3, ENTRY_DATE="14/03/2025"),
            entry(4, UPDATED="2025-03-15"),
            entry(5, ENTRY_DATE="2025-03-20"),
            entry(6, FIRST_NAME="", MIDDLE_NAME="", LAST_NAME="", DOCUMENT_NUMBER=""),
            entry(7),
        ),
        "wrong-count": file(entry(), count=2),
        "another-trailer": file(entry(), again="413"),
        "cut-short": file(entry())[:-20],
        "another-version": file(entry(), version="2"),
        "sequence-that-is-none": file(entry(), sequence="0"),
        "coverage-that-runs-backwards": file(entry(), since="2025-03-16T04:00:00Z"),
        "lines-of-another-system": file(entry()).replace(b"\n", b"\r\n"),
        "empty": file(),
    }
    return {f"{name}/input.txt": data for name, data in known.items()}
