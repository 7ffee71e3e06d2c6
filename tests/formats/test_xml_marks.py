"""What toolkits write beside values, `xsi:nil` and `xsi:type`, costs no record where the schema does not have it."""

from __future__ import annotations

from io import BytesIO

import pytest
from lxml import etree

from adapters.core import BadRecord, Record
from adapters.formats.xml_batch import XmlBatchFormat
from adapters.formats.xml_message import XmlMessageFormat

SCHEMA = etree.XMLSchema(
    etree.fromstring("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"
 elementFormDefault="qualified"><xs:element name="Head"><xs:complexType><xs:sequence><xs:element name="Count"
 type="xs:int"/></xs:sequence></xs:complexType></xs:element><xs:element name="Row"><xs:complexType><xs:sequence>
 <xs:element name="Name" type="xs:string"/><xs:element name="Born" type="xs:date" minOccurs="0"/></xs:sequence>
 </xs:complexType></xs:element></xs:schema>""")
)
MESSAGE = XmlMessageFormat(SCHEMA, "{urn:x}Batch", "{urn:x}Row")
BATCH = XmlBatchFormat(SCHEMA, "urn:x", "Batch", "Head", frozenset({"Row"}), "Count")
OPENED = '<Batch xmlns="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ('<Born i:nil="true"/>', None),
        ('<Born i:nil=" 1 "></Born>', None),
        ('<Born i:nil="false">1990-05-05</Born>', "1990-05-05"),
        ('<Born i:nil="0" i:type="x:date">1990-05-05</Born>', "1990-05-05"),
        ('<Born i:type="x:date">1990-05-05</Born>', "1990-05-05"),
    ],
)
def test_marks_beside_values_cost_nothing(born: str, expected: str | None) -> None:
    row = f"<Row><Name>A</Name>{born}</Row>"
    for format, head in ((MESSAGE, ""), (BATCH, "<Head><Count>1</Count></Head>")):
        results = list(format.read(BytesIO(f"{OPENED}{head}{row}</Batch>".encode())))
        assert not [each for each in results if isinstance(each, BadRecord)]
        (record,) = (each for each in results if isinstance(each, Record))
        value = record.fields.get("Born")
        assert (value[0] if isinstance(value, tuple) else value) == expected


def test_a_mark_that_is_none_is_told() -> None:
    message = f'{OPENED}<Row><Name>A</Name><Born i:nil="perhaps">1990-05-05</Born></Row></Batch>'
    assert any(isinstance(each, BadRecord) for each in MESSAGE.read(BytesIO(message.encode())))
