"""A REST service that is asked item by item: results of items, items that fail, listings that name none."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from contracts.transports.rest_service import (
    ANSWERS,
    CLOCK,
    Reply,
    Service,
    forget,
    poll,
    poll_until_down,
    records,
    served,
    transport,
    vouched,
)

from adapters.core import BadRecord, Closing, Read, Record, SourceDown
from adapters.formats.json_page import JsonPage
from adapters.transports.rest_items import RestItems


def styled(count: int = 5) -> Service:
    forget()
    known = Service(style="items")
    for number in range(count):
        known.put(f"K{number}")
    return known


def answers(batches: list[list[Read]]) -> list[tuple[str, int, Any]]:
    """Item, status and body of what was read."""
    reads = [read for batch in batches for read in batch if isinstance(read, Record)]
    return [(read.fields["listed"]["id"], read.fields["status"], read.fields["answer"]) for read in reads]


@pytest.mark.parametrize(
    ("status", "body", "handed_on"),
    [
        (404, b'{"errors": [{"title": "no such"}]}', {"errors": [{"title": "no such"}]}),
        (410, b"", None),
        (422, b'[{"code": 1}]', None),
        (422, b"<p>malformed", None),
    ],
)
async def test_a_status_may_be_the_result_of_an_item(status: int, body: bytes, handed_on: Any) -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(body, status) if request.path == "/v1/items/K2" else None
        batches, positions = await poll(known.url, transport("items"))
        assert [each[:2] for each in answers(batches)] == [
            ("K0", 200),
            ("K1", 200),
            ("K2", status),
            ("K3", 200),
            ("K4", 200),
        ]
        assert answers(batches)[2][2] == handed_on
        assert vouched(batches) == [CLOCK]
        assert await poll(known.url, transport("items"), positions[-1]) == ([], [])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"{}", 500),
        Reply(b"{}", 502),
        Reply(b"{}", 400),
        Reply(b"", 200),
        Reply(b"[]", 200),
        Reply(b"<html>", 200),
        Reply(b'{"case": {', 200),
        Reply(b'{"case": 1}', cut=4),
        Reply(b"[" * 100_000, 200),
    ],
)
async def test_an_item_that_fails_is_asked_again_and_holds_up_no_other(reply: Reply) -> None:
    async with served(styled()) as known:
        known.before = lambda request: reply if request.path == "/v1/items/K2" else None
        batches, positions = await poll(known.url, transport("items", again=0.0))
        assert [key for key, _ in records(batches)] == ["K0", "K1", "K3", "K4"]
        assert vouched(batches) == [], "not as long as it waits"
        assert list(positions[-1]["waiting"]) == ["K2"]
        known.before = lambda request: None
        batches, positions = await poll(known.url, transport("items", again=0.0), positions[-1])
        assert [key for key, _ in records(batches)] == ["K2"]
        assert vouched(batches) == [CLOCK]
        assert positions[-1]["waiting"] == {}


async def test_what_waits_can_be_saved_whatever_its_entry_holds() -> None:
    async with served(styled(1)) as known:
        listing = b'{"items": [{"id": "K0", "changed": "2025-03-14T00:00:01Z", "x": "\xff\\ud800"}], "as_of": "x"}'
        known.before = lambda request: Reply(listing) if request.path == "/v1/items" else Reply(b"{}", 500)
        _, positions = await poll(known.url, transport("items", again=0.0))
        assert orjson.loads(orjson.dumps(positions[-1])) == positions[-1]
        known.before = lambda request: Reply(listing) if request.path == "/v1/items" else None
        batches, _ = await poll(known.url, transport("items", again=0.0), positions[-1])
        assert records(batches) == [("K0", 1)]


async def test_an_item_that_always_fails_is_given_up_with_its_status() -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(b"{}", 500) if request.path == "/v1/items/K2" else None
        position: Any = None
        taken: list[Any] = []
        for _ in range(4):
            batches, positions = await poll(known.url, transport("items", again=0.0, attempts=3), position)
            taken += batches
            position = (positions or [position])[-1]
        assert answers(taken)[-1] == ("K2", 500, None)
        assert len([each for each in answers(taken) if each[0] == "K2"]) == 1
        assert vouched(taken) == [CLOCK]


async def test_one_that_waits_is_not_asked_before_its_time_and_a_newer_entry_is() -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(b"{}", 500) if request.path == "/v1/items/K2" else None
        _, positions = await poll(known.url, transport("items"))
        known.before = lambda request: None
        batches, _ = await poll(known.url, transport("items"), positions[-1])
        assert batches == []
        known.put("K2")
        batches, positions = await poll(known.url, transport("items"), positions[-1])
        assert records(batches) == [("K2", 6)]
        assert positions[-1]["waiting"] == {}


async def test_several_that_fail_in_a_row_are_the_service() -> None:
    async with served(styled(9)) as known:
        known.before = lambda request: Reply(b"{}", 500) if request.path in ROW else None
        batches, positions, why = await poll_until_down(known.url, transport("items"))
        assert why.endswith("answered 500, for 3 items in a row")
        assert [key for key, _ in records(batches)] == ["K0", "K1"]
        known.before = lambda request: None
        rest, _ = await poll(known.url, transport("items"), positions[-1])
        assert sorted(key for key, _ in records(batches + rest)) == list(known.items)


ROW = [f"/v1/items/K{number}" for number in (2, 3, 4)]


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_what_is_refused_to_all_is_no_result_of_an_item(status: int) -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(b"{}", status) if request.path == "/v1/items/K2" else None
        batches, positions, why = await poll_until_down(known.url, transport("items"))
        assert f"answered {status}" in why
        known.before = lambda request: None
        rest, _ = await poll(known.url, transport("items"), positions[-1])
        assert [key for key, _ in records(batches + rest)] == list(known.items)


async def test_of_several_entries_for_one_item_the_last_is_asked() -> None:
    async with served(styled(1)) as known:
        entries = [{"id": "K0", "changed": f"2025-03-14T00:00:0{second}Z"} for second in (1, 2, 3)]
        page = {"items": entries, "as_of": CLOCK}
        known.before = lambda request: Reply.of(page) if request.path == "/v1/items" else None
        batches, _ = await poll(known.url, transport("items"))
        assert len([request for request in known.asked if request.path == "/v1/items/K0"]) == 1
        (record,) = [read for batch in batches for read in batch if isinstance(read, Record)]
        assert record.fields["listed"] == entries[-1]


@pytest.mark.parametrize("name", [None, 7, "", "..", "K\n", "é", "K" * 81])
async def test_an_entry_that_names_no_item_is_refused(name: Any) -> None:
    async with served(styled(1)) as known:
        page = {"items": [{"id": name, "changed": "2025-03-14T00:00:01Z"}, {"id": "K0"}], "as_of": CLOCK}
        known.before = lambda request: Reply.of(page) if request.path == "/v1/items" else None
        batches, positions = await poll(known.url, transport("items"))
        (refused,) = [read for batch in batches for read in batch if isinstance(read, BadRecord)]
        assert refused.reason == "an entry of the listing without id"
        assert records(batches) == [("K0", 1)]
        assert await poll(known.url, transport("items"), positions[-1]) == ([], [])


async def test_a_name_is_no_path() -> None:
    async with served(styled(0)) as known:
        page = {"items": [{"id": "../token?a=1", "changed": "2025-03-14T00:00:01Z"}], "as_of": CLOCK}
        known.before = lambda request: Reply.of(page) if request.path == "/v1/items" else Reply(b"{}", 404)
        await poll(known.url, transport("items"))
        assert known.asked[-1].path == "/v1/items/..%2Ftoken%3Fa%3D1"


async def test_a_body_is_handed_on_as_it_came() -> None:
    async with served(styled(1)) as known:
        body = '\ufeff {"case": {"id": "K0", "number": 1, "x": "JosÃ©", "n": 1.50}} \n'.encode()
        known.before = lambda request: Reply(body) if request.path == "/v1/items/K0" else None
        batches, _ = await poll(known.url, transport("items"))
        (record,) = [read for batch in batches for read in batch if isinstance(read, Record)]
        assert b'"answer": ' + body.strip(b"\xef\xbb\xbf \n") + b"}" in record.raw
        assert record.fields["answer"]["case"]["x"] == "JosÃ©"


def test_a_file_stands_for_the_service() -> None:
    body = json.dumps({"case": {"id": "K0", "number": 1}}).encode()
    by = transport("items")
    (record,) = [read for read in by.offline(body, ANSWERS) if isinstance(read, Record)]
    assert record.fields == {"status": 200, "answer": {"case": {"id": "K0", "number": 1}}}
    page = b'{"answers": [{"status": 404, "answer": null}], "as_of": "2025-03-15T04:00:00Z"}'
    assert [type(read) for read in by.offline(page, ANSWERS)][-1] is Closing
    (refused,) = by.offline(b"<html>", ANSWERS)
    assert isinstance(refused, BadRecord)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="items need a listing"):
        RestItems(path="/", item="/x/{}")
    with pytest.raises(ValueError, match="items need a listing"):
        RestItems(path="/", item="/x", listing=JsonPage())
    with pytest.raises(ValueError, match="from one on"):
        RestItems(path="/", item="/{}", listing=JsonPage(), together=0)
    with pytest.raises(SourceDown, match="cannot be used"):
        transport("items").open("file:///x", ANSWERS)
