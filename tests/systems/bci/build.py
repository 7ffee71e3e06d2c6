"""Batches of BCI, built from plain words."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

Fields = dict[str, Any]
SPACES = (
    'xmlns:bci="urn:visabus:bci:1" xmlns:nc="http://release.niem.gov/niem/niem-core/5.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:s="http://release.niem.gov/niem/structures/5.0/"'
)
LEFT: Fields = {
    "id": "BC000000000017",
    "action": "N",
    "direction": "CA",
    "recorded": "2025-03-15T08:00:00Z",
    "local": "2025-03-14T21:30:00",
    "again": None,
    "port": "FORT ERIE",
    "foreign": None,
    "names": (("GARCIA LOPEZ", "MARIA", "JOSE"),),
    "birth": "1987-05-23",
    "nationality": ("SPAIN",),
    "sex": "F",
    "documents": (("PASSPORT", "PAA123456", "SPAIN"),),
}
CAME: Fields = LEFT | {"id": "BC000000000018", "direction": "US", "port": "BLAINE"}


def element(name: str, value: object) -> str:
    """An element, or nothing for what is absent."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def identified(name: str, value: object) -> str:
    """An element that holds an identification."""
    return "" if value is None else f"<{name}>{element('nc:IdentificationID', value)}</{name}>"


def person(said: Fields) -> str:
    """The element of the person."""
    parts = []
    for family, given, middle in said["names"]:
        names = element("nc:PersonGivenName", given) + element("nc:PersonMiddleName", middle)
        parts.append(f"<nc:PersonName>{names}{element('nc:PersonSurName', family)}</nc:PersonName>")
    if said["birth"] is not None:
        kind = {4: "nc:YearDate", 7: "nc:YearMonthDate"}.get(len(said["birth"]), "nc:Date")
        parts.append(f"<nc:PersonBirthDate>{element(kind, said['birth'])}</nc:PersonBirthDate>")
    parts += [element("bci:PersonNationalityText", each) for each in said["nationality"]]
    parts.append(element("bci:PersonSexCode", said["sex"]))
    for kind, number, country in said["documents"]:
        inner = element("bci:DocumentCategoryText", kind) + identified("bci:DocumentIdentification", number)
        inner += element("bci:DocumentIssuingCountryName", country)
        parts.append(f"<bci:TravelDocument>{inner}</bci:TravelDocument>")
    return f"<bci:Person>{''.join(parts)}</bci:Person>"


def crossing(base: Fields = LEFT, **changes: Any) -> str:
    """A record, with some of its values otherwise."""
    said = base | changes
    when = "bci:CrossingLocalDateTime" if "T" in said["local"] else "bci:CrossingLocalDate"
    parts = (
        identified("bci:CrossingIdentification", said["id"]),
        element("bci:CrossingActionCode", said["action"]),
        element("bci:CrossingDirectionCode", said["direction"]),
        element("bci:CrossingRecordedDateTime", said["recorded"]),
        element(when, said["local"]),
        element("bci:CrossingRepeatedHourIndicator", said["again"]),
        element("bci:CrossingPortName", said["port"]),
        identified("bci:ForeignRecordIdentification", said["foreign"]),
        person(said),
    )
    return f"<bci:BorderCrossing>{''.join(parts)}</bci:BorderCrossing>"


def batch(
    *crossings: str, sequence: int = 412, count: int | None = None, coverage: tuple[str, str] | None = None
) -> bytes:
    """A batch with its header."""
    number = len(crossings) if count is None else count
    period = ""
    if coverage is not None:
        since, through = coverage
        inner = element("bci:CoverageSinceDateTime", since) + element("bci:CoverageThroughDateTime", through)
        period = f"<bci:Coverage>{inner}</bci:Coverage>"
    head = element("bci:BatchSequenceNumeric", sequence) + element("bci:BatchCreatedDateTime", "2025-03-15T09:00:00Z")
    head += element("bci:CrossingQuantity", number) + period
    lines = [f"<bci:BatchHeader>{head}</bci:BatchHeader>", *crossings]
    body = "\n".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<bci:CrossingBatch {SPACES}>\n{body}\n</bci:CrossingBatch>\n'.encode()
    )


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    nil = crossing().replace("<bci:PersonSexCode>F<", '<bci:PersonSexCode xsi:nil="true"><')
    refers = crossing().replace("<nc:PersonName>", '<nc:PersonName s:id="a">', 1)
    refers = refers.replace("<nc:PersonBirthDate>", '<nc:PersonName s:ref="a"/><nc:PersonBirthDate s:ref="gone">', 1)
    return {
        f"{name}/input.xml": data
        for name, data in {
            "into-canada": batch(crossing()),
            "into-the-united-states": batch(crossing(CAME), crossing(CAME, id="BC000000000019", port="NOGALES")),
            "the-other-side-has-another-clock": batch(
                # half past midnight in New Brunswick is still the day before in Maine
                crossing(local="2025-03-15T00:30:00", port="WOODSTOCK ROAD"),
                # Saskatchewan's clocks are never set; Montana's are an hour behind them in winter, equal in summer
                crossing(
                    id="BC000000000020", local="2025-07-14T23:30:00", recorded="2025-07-16T00:00:00Z", port="REGWAY"
                ),
            ),
            "the-hour-that-comes-twice": batch(
                *(
                    crossing(
                        id=f"BC00000000003{number}",
                        local="2025-11-02T01:30:00",
                        recorded="2025-11-03T00:00:00Z",
                        again=again,
                    )
                    for number, again in enumerate((None, "true", "perhaps"))
                ),
                crossing(id="BC000000000034", local="2025-03-09T02:30:00"),
            ),
            "the-day-alone": batch(crossing(local="2025-03-14"), crossing(CAME, local="2025-03-14")),
            "with-an-offset": batch(
                crossing(local="2025-03-14T21:30:00-05:00", port="Fort-Erie"),
                crossing(id="BC000000000027", local="2025-03-14T21:30:00-05:00", port="NOWHERE"),
            ),
            "the-country-is-a-name": batch(
                crossing(
                    documents=(("PASSPORT", "PAA123456", "Korea, Republic of"),), nationality=("SOUTH KOREA", "FRA")
                ),
                crossing(
                    id="BC000000000021", documents=(("PASSPORT", "PAA123456", "ATLANTIS"),), nationality=("ATLANTIS",)
                ),
                crossing(id="BC000000000022", documents=(("PASSPORT", "PAA123456", None),)),
            ),
            "documents-of-other-kinds": batch(
                crossing(documents=(("TRUSTED-TRAVELER-CARD", "988123456", None), ("PASSPORT", "PAA123456", "SPAIN"))),
                crossing(CAME, documents=(("BIRTH-CERTIFICATE", "1", None),)),
                crossing(CAME, id="BC000000000023", documents=(("LIBRARY-CARD", "1", None),)),
            ),
            "a-copy-of-what-canada-has": batch(
                crossing(foreign="CA2025000123"), crossing(CAME, foreign="CA2025000124")
            ),
            "entries-by-air": batch(
                crossing(port="TORONTO PEARSON INTL AIRPORT"),
                crossing(id="BC000000000024", port="Aéroport de Montréal", action="C"),
            ),
            "a-port-of-no-table": batch(
                crossing(port="NIAGARA FALLS"),
                crossing(CAME, port="FORT ERIE"),
                crossing(id="BC000000000024", port=None),
            ),
            "who-is-in-it-in-2012": batch(crossing(), coverage=("2012-09-30T00:00:00Z", "2013-02-01T00:00:00Z")),
            "who-is-in-it-in-2014": batch(crossing(), coverage=("2012-09-30T00:00:00Z", "2014-02-01T00:00:00Z")),
            "who-is-in-it-in-2025": batch(crossing(), coverage=("2012-09-30T00:00:00Z", "2025-03-15T05:00:00Z")),
            "correction-and-deletion": batch(
                crossing(local="2025-03-13T21:30:00"),
                crossing(action="C"),
                crossing(CAME, action="D"),
            ),
            "names": batch(
                crossing(names=(("FNU", None, None),)),
                crossing(CAME, names=((None, "MADONNA", None), ("CICCONE", "MADONNA", "LOUISE")), birth="1958"),
            ),
            "nil-and-references": batch(nil, refers.replace("00017", "00025")),
            "wrong-optional-values": batch(
                crossing(birth="1987-02-30", sex="Q", documents=(("PASSPORT", "??", "SPAIN"),)),
                crossing(id="BC000000000026", birth="2030-01-01", sex="U"),
            ),
            "wrong-codes": batch(
                crossing(action="X"),
                crossing(direction="MX"),
                crossing(id="BC17"),
                crossing(local="2025-02-30T10:00:00"),
                crossing(recorded="yesterday"),
                crossing(names=(), documents=()),
                crossing(local="2025-03-20T10:00:00"),
            ),
            "wrong-count": batch(crossing(), count=2, coverage=("2025-03-01T00:00:00Z", "2025-03-15T05:00:00Z")),
            "coverage-that-runs-backwards": batch(
                crossing(), coverage=("2025-03-15T05:00:00Z", "2025-03-01T00:00:00Z")
            ),
            "cut-short": batch(crossing(), crossing(CAME))[:-400],
            "another-schema": batch(crossing()).replace(b"bci:PersonSexCode", b"bci:PersonGender"),
            "empty": batch(),
        }.items()
    }
