"""XML is parsed only within bounds: attributes of an element, lengths of names, depth; and finding out costs little."""

from __future__ import annotations

import time
from io import BytesIO
from typing import Any

import pytest
from lxml import etree

from adapters.core import BadRecord
from adapters.formats import xml_safe
from adapters.formats.xml_safe import ATTRIBUTES, NAME, OutOfBounds, check_bounds
from adapters.registry import systems

IDENT = systems()["IDENT"].feed("push").format


def attributes(count: int, value: str = "1") -> str:
    return " ".join(f'a{number}="{value}"' for number in range(count))


WITHIN = [
    f"<a {attributes(ATTRIBUTES)}/>",
    f"<a {attributes(ATTRIBUTES, '>')}/>",
    f"<a {attributes(ATTRIBUTES, chr(39) * 9)}/>",
    f"<{'n' * NAME}/>",
    f'<a {"n" * NAME}="1"/>',
    f'<a b="{"x" * 100_000}"/>',
    f"<a>{'x' * 100_000}</a>",
    f"<a>{attributes(1_000)}</a>",
    f"<a><!-- <b {attributes(1_000)} --></a>",
    f"<a><![CDATA[ x <b {attributes(1_000)} ]]></a>",
    '<a><![CDATA[ five <6 o"clock ]]></a>',
    f"<a{' ' * 10_000}b='1'/>",
    "<a>" + f"<b {attributes(ATTRIBUTES)}/>" * 1_000 + "</a>",
    "",
    "<a",
    f"<a {attributes(1_000)}",  # not well-formed: the parser says so
]
BEYOND = [
    f"<a {attributes(ATTRIBUTES + 1)}/>",
    f"<a {attributes(ATTRIBUTES + 1, '>')}/>",
    f"<a {attributes(ATTRIBUTES + 1).replace(chr(34), chr(39))}/>",
    f"<a><b/>{'x' * 9}<c {attributes(ATTRIBUTES + 1)}></c></a>",
    f"<a {' '.join(f'xmlns:n{number}={chr(34)}u{chr(34)}' for number in range(ATTRIBUTES + 1))}/>",
    f"<{'n' * (NAME + 1)}/>",
    f'<a {"n" * (NAME + 1)}="1"/>',
    f'<a b="1" {"n" * (NAME + 1)}="1" c="1"/>',
]


@pytest.mark.parametrize("text", WITHIN, ids=range(len(WITHIN)))
def test_within_bounds(text: str) -> None:
    check_bounds(text.encode())


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", BEYOND, ids=range(len(BEYOND)))
def test_beyond_bounds(text: str, codec: str) -> None:
    etree.fromstring(text.encode())  # libxml2 has no objection
    with pytest.raises(OutOfBounds):
        check_bounds(text.encode(codec))


@pytest.mark.parametrize("text", BEYOND, ids=range(len(BEYOND)))
def test_a_message_beyond_bounds_is_one_refused_record(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Any:
        (result,) = IDENT.read(BytesIO(text.encode()))
        assert isinstance(result, BadRecord)
        return result.reason

    assert "more than" in read()
    monkeypatch.setattr("adapters.formats.xml_message.check_bounds", lambda data: None)  # planted: nobody asks
    assert "more than" not in read()


ATTACKS = {
    "attributes": b"<a " + b"".join(b'a%d="1" ' % number for number in range(330_000)) + b"/>",
    "one name": b"<" + b"a" * 4_000_000 + b"/>",
    "open tags": b"<a" * 2_000_000,
    "open values": b'<a "' * 1_000_000,
    "deep": b"<a>" * 500_000 + b"</a>" * 500_000,
    "wide": b"<a>" + b"<b/>" * 990_000 + b"</a>",
    "many names": b"<a>" + b"".join(b"<b%d/>" % number for number in range(350_000)) + b"</a>",
    "full tags": b"<a>" + (b"<b " + attributes(ATTRIBUTES).encode() + b"/>") * 7_000 + b"</a>",
    "entities": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><a>' + b"&b;" * 1_000_000 + b"</a>",
    "letters and open tags": "<a>é".encode() + b"<" * 1_900_000 + b">" * 1_900_000,
    "references": b"<a>" + b"&#65;" * 790_000 + b"</a>",
}


@pytest.mark.parametrize("body", ATTACKS.values(), ids=ATTACKS)
def test_no_body_of_four_megabytes_takes_long(body: bytes) -> None:
    body = body[:4_000_000]
    since = time.process_time()
    for read in IDENT.read(BytesIO(body)):
        assert read.raw
    assert time.process_time() - since < 8
    since = time.process_time()
    xml_safe._SUSPECT.search(body)
    assert time.process_time() - since < 1, "each byte is read once"
