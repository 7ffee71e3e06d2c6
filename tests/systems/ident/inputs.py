"""The inputs of IDENT's cases."""

from __future__ import annotations

from systems.ident.build import ENROLMENT, ENTRY, EXIT, MERGE, SPACES, encounter, message

WITHOUT = {"names": (), "documents": (), "birth": None, "sex": None, "citizenship": ()}


def odd() -> dict[str, bytes]:
    """What is rare and right."""
    ids = [f"E00000001{number:02}" for number in range(20)]
    whole = message(encounter())
    return {
        "single-surname": message(encounter(names=(("SUPARMAN", None),))),
        "single-given-name": message(encounter(names=((None, "SUPARMAN"),))),
        "empty-names": message(encounter(names=(("", "SUPARMAN"), ("", "")))),
        "several-names": message(
            encounter(names=(("Ñandú-O'Brien", "Zoë"), ("李", "小龍"), ("  DE  LA   CRUZ ", "A & B")))
        ),
        "names-of-120": message(encounter(names=(("A" * 120, "B" * 120),))),
        "month-of-birth": message(encounter(birth="1987-05")),
        "year-of-birth": message(encounter(birth="1987")),
        "leap-day-of-birth": message(encounter(birth="1904-02-29")),
        "no-birth": message(encounter(birth=None, sex="X")),
        "several-documents": message(
            encounter(
                documents=(("P", "D", "C01X00T47"), ("P", "GBD", "000000000"), ("V", "USA", "12345678")),
                citizenship=("D", "GBN", "XXA"),
                a_numbers=("A1234567", "A012345678"),
            )
        ),
        "one-document-in-two-spellings": message(
            encounter(documents=(("P", "UNO", "c01-x00 t47"), ("P", "UNO", "C01X00T47")))
        ),
        "hour-first-pass": message(encounter(local="2024-11-03T01:30:00")),
        "hour-second-pass": message(encounter(local="2024-11-03T01:30:00", again="true")),
        "hour-not-repeated": message(encounter(local="2024-11-03T01:30:00", again="0")),
        "hour-skipped": message(encounter(local="2025-03-09T02:30:00")),
        "day-alone": message(encounter(local="2024-11-03", again="true")),
        "guam": message(encounter(port="GUM")),
        "land": message(encounter(port="PEM", mode="L", carrier=None, conveyance=None)),
        "sea": message(encounter(port="PMI", mode="S", carrier="RCL", conveyance="WONDER-12")),
        "enrolment-at-a-port": message(encounter(ENROLMENT, port="HNL")),
        "merge-with-what-is-ignored": message(encounter(MERGE, mode="A", carrier="IB", match="NOT-MATCHED")),
        "four-kinds": message(*map(encounter, (EXIT, ENTRY, ENROLMENT, MERGE))),
        "versions": message(
            encounter(),
            encounter(version=2, action="C", local="2025-03-14T21:45:00", recorded="2025-03-15T02:00:00.250000Z"),
            encounter(version=2**31 - 1, action="D", recorded="2025-03-16T00:00:00.5Z"),
        ),
        "deletions": message(
            encounter(ENTRY, version=2, action="D"),
            encounter(ENROLMENT, version=2, action="D"),
            encounter(MERGE, version=3, action="D"),
            encounter(version=3, action="D", match="NOT-MATCHED"),
        ),
        "not-matched": message(encounter(match="NOT-MATCHED"), encounter(ENTRY, match="NOT-MATCHED")),
        "category-changes": message(encounter(), encounter(ENROLMENT, id=EXIT["id"], version=2, action="C")),
        "without-fingerprints": message(
            encounter(fin=None), encounter(fin=None, id=ids[1], **WITHOUT | {"names": (("GARCIA", ""),)})
        ),
        "numbers-alone": message(
            encounter(**WITHOUT), encounter(ENROLMENT, **WITHOUT), encounter(MERGE, **WITHOUT, a_numbers=())
        ),
        "several-fingerprints": message(
            encounter(MERGE, former=("987654321", "123456", "123456789012345", "123456789")),
            encounter(former=("987654321",)),
        ),
        "ignored": message(encounter(operator=None, device=None), encounter(operator="X", device="Y")),
        "default-namespace": whole.replace(b"xmlns:ident=", b"xmlns=")
        .replace(b"<ident:", b"<")
        .replace(b"</ident:", b"</"),
        "comments": whole.replace(b"  <ident:Enc", b"<!-- <a> --> <?note x?>\n<ident:Enc").replace(
            b"JFK<", b"<!-- where --> JFK <"
        ),
        "character-data": whole.replace(b"GARCIA LOPEZ", b"<![CDATA[GARCIA]]> &#76;OPEZ"),
        "latin-1": message(encounter(names=(("NÚÑEZ", "JOSÉ"),))).decode().replace("UTF-8", "ISO-8859-1").encode("l1"),
        "byte-order-mark": b"\xef\xbb\xbf" + whole,
        "no-declaration": whole.split(b"\n", 1)[1],
    }


def bad() -> dict[str, bytes]:
    """What is refused, most often beside something that stands."""
    ids = [f"E00000002{number:02}" for number in range(40)]
    whole = message(encounter())
    good = encounter(ENTRY)
    return {
        "no-bytes": b"",
        "no-xml": b"E0000000017,EXIT,JFK\n",
        "truncated": whole[:-40],
        "document-type": whole.replace(
            b"<ident:EncounterM", b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>\n<ident:EncounterM", 1
        ),
        "external-entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n' + whole.split(b"\n", 1)[1],
        "utf-16": whole.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "other-encoding": whole.replace(b"UTF-8", b"IBM037"),
        "other-root": f"<ident:Encounters {SPACES}>{good}</ident:Encounters>".encode(),
        "other-namespace": whole.replace(b"urn:visabus:ident:1", b"urn:visabus:ident:2"),
        "undeclared-prefix": whole.replace(b"xmlns:im", b"xmlns:jm").replace(
            b"<ident:PersonSex", b"<im:AlienNumberIdentification/><ident:PersonSex"
        ),
        "strangers": message("<ident:Admission/>", good, "<Encounter/>"),
        "stray-text": message(good + "what is this", encounter()),
        "not-by-the-schema": message(
            encounter(id=None),
            encounter(id=ids[1], version=0),
            encounter(id=ids[2], action="X"),
            encounter(id=ids[3], category="LOOK"),
            encounter(id=ids[4], match="PERHAPS"),
            encounter(id=ids[5], recorded="2025-03-15T01:45:12"),
            encounter(id=ids[6], local="2025-02-30T21:30:00"),
            encounter(id=ids[7], local="2025-03-14T21:30:00-04:00"),
            encounter(id=ids[8], port="NEW YORK"),
            encounter(id=ids[9], mode="R"),
            encounter(id=ids[10], sex="W"),
            encounter(id=ids[11], names=(("A" * 121, ""),)),
            encounter(id=ids[12], birth="23.05.1987"),
            encounter(id=ids[13], documents=(("Q", "ESP", "PAA123456"),)),
            encounter(id=ids[14], documents=(("P", "ESP", ""),)),
            encounter(id=ids[15]).replace("<ident:PersonSexCode>", "<ident:PersonSexCode x='y'>"),
            good,
        ),
        "not-by-the-interface": message(
            encounter(id="E17"),
            encounter(id=ids[1], port="QQQ"),
            encounter(id=ids[2], port=None),
            encounter(id=ids[3], match=None),
            encounter(ENTRY, id=ids[4], mode=None),
            encounter(ENROLMENT, id=ids[5], fin=None),
            encounter(MERGE, id=ids[6], former=()),
            encounter(MERGE, id=ids[7], former=("123456789",)),
            encounter(id=ids[8], fin="12AB"),
            encounter(id=ids[9], documents=(("P", None, "PAA123456"),)),
            encounter(id=ids[10], documents=(("P", "QQQ", "PAA123456"),)),
            encounter(id=ids[11], documents=(("V", None, "123"),)),
            encounter(id=ids[12], citizenship=("QQQ",)),
            encounter(id=ids[13], a_numbers=("A1",)),
            encounter(id=ids[14], fin=None, **WITHOUT),
            encounter(id=ids[15], conveyance="IB 6252"),
            encounter(id=ids[16], local="2025-03-14T24:00:00"),
            encounter(id=ids[17], local="0001-01-01T00:00:00"),
            encounter(id=ids[18], recorded="9999-12-31T24:00:00Z"),
            good,
        ),
    }


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    return {f"{name}/input.xml": data for name, data in (odd() | bad()).items()}
