"""What XML Schema calls valid and libxml2 does not: blanks around dates, times and durations (part 2, 4.3.6)."""

from __future__ import annotations

import pytest
from lxml import etree

from adapters.formats.xml_valid import fits

XS = "http://www.w3.org/2001/XMLSchema"


def schema_of(kind: str) -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.XML(
            f'<xs:schema xmlns:xs="{XS}"><xs:element name="r"><xs:complexType><xs:sequence>'
            f'<xs:element name="v" type="xs:{kind}"/></xs:sequence><xs:attribute name="a" type="xs:{kind}"/>'
            "</xs:complexType></xs:element></xs:schema>"
        )
    )


VALUES = {
    "date": "2026-11-29",
    "dateTime": "2026-11-29T24:00:00Z",
    "time": "23:59:59.5",
    "gYear": "2026",
    "gYearMonth": "2026-11",
    "gMonthDay": "--11-29",
    "gMonth": "--11",
    "gDay": "---29",
    "duration": "-P1Y2M",
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("around", [" {} ", "\n{}\t", "{}\r\n", "{}"])
def test_blanks_are_no_part_of_a_date_a_time_or_a_duration(kind: str, around: str) -> None:
    value = around.format(VALUES[kind])
    root = etree.Element("r", a=value)
    etree.SubElement(root, "v").text = value
    assert fits(schema_of(kind), root)


@pytest.mark.parametrize("value", ["2026-13-01", " 2026-02-30 ", "soon", "", "2026-11-29 2026-11-30"])
def test_what_is_no_date_is_none_without_its_blanks(value: str) -> None:
    root = etree.Element("r")
    etree.SubElement(root, "v").text = value
    assert not fits(schema_of("date"), root)


def test_a_text_keeps_its_blanks_and_what_is_valid_is_left_alone() -> None:
    root = etree.Element("r")
    etree.SubElement(root, "v").text = " 2026-11-29 "
    assert fits(schema_of("string"), root)
    assert root[0].text == " 2026-11-29 "
