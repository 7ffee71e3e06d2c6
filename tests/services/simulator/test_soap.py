"""The SOAP service of simulated systems: pages in the order of change, and faults."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from lxml import etree

from services.simulator.soap import PAGE, ChangeLog, Records, SoapFault, element, soap_service, texts

START = 1_760_000_000


def records(place: Path, count: int) -> Records:
    log = ChangeLog(place)
    for number in reversed(range(count)):
        log.add(START + number // 3, f"K{number:05}", element("Item", {"key": str(number)}))
    log.finish(START + 10_000)
    return Records.of(place, "urn:x", "GetResponse")


def test_all_pages_together_have_each_record_once_in_the_order_of_change(tmp_path: Path) -> None:
    held = records(tmp_path / "r", 2 * PAGE + 50)
    page, keys = "", []
    while True:
        asked = {"Since": "1970-01-01T00:00:00Z"} | ({"Page": page} if page else {})
        answer = etree.fromstring(held.page(asked))
        keys += [int(each.get("key") or "") for each in answer]
        page = answer.get("nextPage") or ""
        if not page:
            break
    assert keys == list(range(2 * PAGE + 50))


def test_since_is_inclusive_and_an_unknown_page_is_a_fault(tmp_path: Path) -> None:
    held = records(tmp_path / "r", 10)
    at = held.lines[6][0]
    assert [each.get("key") for each in etree.fromstring(held.page({"Since": at}))] == ["6", "7", "8", "9"]
    with pytest.raises(SoapFault, match="no such page"):
        held.page({"Since": at, "Page": "what"})


async def test_the_service_answers_in_envelopes_and_with_faults() -> None:
    def answer(asked: object) -> str:
        if asked:
            raise SoapFault("Client", "not <this>")
        return "<ok/>"

    async with soap_service(answer) as url, httpx.AsyncClient() as http:
        body = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Get>{}</Get></s:Body></s:Envelope>'
        good, bad = [await http.post(url, content=body.format(more)) for more in ("", "<A>1</A>")]
    assert (good.status_code, bad.status_code) == (200, 500)
    assert "<ok/>" in good.text
    assert "not &lt;this&gt;" in bad.text


def test_what_is_empty_is_left_out_and_marks_are_escaped() -> None:
    assert element("a", {"b": '<"', "c": ""}) == "<a b='&lt;\"'/>"
    assert texts([("a", "x & y"), ("b", "")]) == "<a>x &amp; y</a>"
