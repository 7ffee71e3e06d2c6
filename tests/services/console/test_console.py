"""The console's routes: who may what, what is kept of it, and from a refusal to its replay."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from toy_border import border
from toy_door import Lines
from toy_source import once, settings, toy, world

from adapters.core import Met, Read
from bus.embedded import EmbeddedBus
from schemas.events import Handling
from services.api import development
from services.audit import AuditLog, keys_of, open_audit, open_reading
from services.cli.console import console_of
from services.console.app import FILES
from services.correlator import process
from services.ingest import gate, now, run
from services.redaction import Veil
from services.settings import Settings
from services.store import open_store
from services.wiring import topics

PURPOSE = "overstay-review"
EVERY = ("operations:read", "records:read", "operations:write", "status:read", "timeline:read")
WHOLE = (*EVERY, "confidential:read")


@dataclass
class World:
    """A console over a real bus, store and audit log."""

    path: Path
    settings: Settings
    bus: EmbeddedBus
    audit: AuditLog
    client: httpx.AsyncClient

    def token(self, *scopes: str, purposes: tuple[str, ...] = (PURPOSE,), subject: str = "someone") -> dict[str, str]:
        token = development.token(
            self.settings.api,
            self.settings.data_dir,
            subject=subject,
            client="tests",
            scopes=scopes,
            purposes=purposes,
            now=datetime.now(UTC),
            ttl=600,
        )
        return {"Authorization": f"Bearer {token}", "Visabus-Purpose": PURPOSE}

    async def verbs(self) -> list[str]:
        async with open_reading(self.settings.audit_url, keys_of(self.settings).seal) as reading:
            return [row.verb async for row in reading.rows()]


@asynccontextmanager
async def _world(tmp_path: Path, **api: Any) -> AsyncIterator[World]:
    at = settings(tmp_path)
    at = at.model_copy(update={"api": at.api.model_copy(update=api)})
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    store = await open_store(at.store_url)
    audit = await open_audit(at.audit_url, keys_of(at), lambda: datetime.now(UTC))
    trust = development.trust_of(at.api, at.data_dir)
    async with console_of(at, trust, audit, store) as app:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
            yield World(tmp_path, at, bus, audit, client)
    await audit.close()
    await store.close()
    await bus.close()


@pytest.fixture
async def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": toy(tmp_path).system})
    async with _world(tmp_path) as opened:
        yield opened


READS = {
    "/console/api/overview": ("operations:read",),
    "/console/api/history/hour": ("operations:read",),
    "/console/api/systems/TOY": ("operations:read",),
    "/console/api/dead-letters": ("operations:read",),
    "/console/api/dead-letters/list?system=TOY&feed=lines&reason=x": ("operations:read", "records:read"),
    "/console/api/trace?about=TOY+1": ("operations:read", "records:read"),
    "/console/api/matches": ("operations:read", "records:read"),
}


@pytest.mark.parametrize("path", READS)
async def test_nothing_is_told_without_each_scope(console: World, path: str) -> None:
    assert (await console.client.get(path)).status_code == 401
    assert (await console.client.get(path, headers={"Authorization": "Bearer x"})).status_code == 401
    needed = READS[path]
    for left_out in needed:
        others = [scope for scope in EVERY if scope != left_out]
        assert (await console.client.get(path, headers=console.token(*others))).status_code == 403
    await _ingest(console, "good 1")
    assert (await console.client.get(path, headers=console.token(*needed))).status_code == 200


async def test_records_need_a_purpose_that_the_token_permits(console: World) -> None:
    await _ingest(console, "good 1")
    path = "/console/api/trace?about=TOY+1"
    headers = console.token(*EVERY)
    del headers["Visabus-Purpose"]
    assert (await console.client.get(path, headers=headers)).status_code == 400
    assert (await console.client.get(path, headers=console.token(*EVERY, purposes=("audit",)))).status_code == 403


async def test_to_read_is_not_to_write(console: World) -> None:
    reader = console.token("operations:read", "records:read")
    asked = {"ids": ["0000"], "why": "mended"}
    path = "/console/api/dead-letters/replay"
    assert (await console.client.post(path, json=asked, headers=reader)).status_code == 403
    ref = {"system": "TOY", "record": "1"}
    word = {"one": ref, "other": ref, "same": True, "why": "seen"}
    assert (await console.client.post("/console/api/matches", json=word, headers=reader)).status_code == 403


async def _ingest(console: World, *lines: str, name: str = "a.txt") -> None:
    (console.path / name).write_text("".join(f"{line}\n" for line in lines))
    await once(console.path, console.bus)


async def _get(console: World, path: str, scopes: tuple[str, ...] = EVERY) -> Any:
    response = await console.client.get(path, headers=console.token(*scopes))
    assert response.status_code == 200, response.text
    return response.json()


async def _post(console: World, path: str, body: Any, scopes: tuple[str, ...] = EVERY) -> Any:
    response = await console.client.post(path, json=body, headers=console.token(*scopes))
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_feed_is_held_and_let_go_on(console: World) -> None:
    await _ingest(console, "good 1")
    path = "/console/api/feeds/TOY/lines"
    assert (await _post(console, f"{path}/pause", {"why": "being mended"}))["done"]
    (feed,) = (await _get(console, "/console/api/systems/TOY"))["feeds"]
    assert (feed["state"], feed["paused_by"], feed["why"]) == ("paused", "someone", "being mended")
    await _ingest(console, "good 2", name="b.txt")
    assert len((await world(console.bus)).ids()) == 1
    await _post(console, f"{path}/resume", {"why": "mended"})
    await _ingest(console, "good 2", name="b.txt")
    assert len((await world(console.bus)).ids()) == 2
    assert (await console.verbs())[-2:] == ["console feeds pause", "console feeds resume"]


async def test_a_bad_file_is_shown_and_withdrawn_whole(console: World) -> None:
    await _ingest(console, "good 1", "two 2", "skip 3")
    await _ingest(console, "good 4", name="b.txt")
    asked = {"system": "TOY", "batch": "a.txt", "why": "test data, says the owner"}
    preview = await _post(console, "/console/api/retract", asked, WHOLE)
    assert (preview["done"], preview["records"], preview["events"], preview["kinds"]) == (False, 2, 3, {"status": 3})
    assert len((await world(console.bus)).events) == 4
    plain = await _post(console, "/console/api/retract", asked)  # TOY's records may be marked: their number would tell
    assert (plain["needs"], plain["records"], plain["events"]) == ("confidential:read", None, None)
    assert (await _post(console, "/console/api/retract", asked | {"yes": True}, WHOLE))["records"] == 2
    taken_back = {event.record for event in (await world(console.bus)).events if event.operation == "retract"}
    assert taken_back == {"1", "2"}
    again = await _post(console, "/console/api/retract", asked, WHOLE)
    assert (again["records"], again["left_alone_retracted"]) == (0, 2)
    verbs = await console.verbs()
    assert "console retract batch confidential:read" in verbs
    assert verbs.count("console retract batch (dry run) confidential:read") == 2
    assert verbs.count("console retract batch (dry run)") == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [({"batch": "x.txt"}, 404), ({"system": "NONE"}, 404), ({"why": "  "}, 422), ({"why": "a\nb"}, 422)],
)
async def test_no_withdrawal_without_a_file_and_a_reason(console: World, change: dict[str, str], status: int) -> None:
    await _ingest(console, "good 1")
    asked = {"system": "TOY", "batch": "a.txt", "why": "see", "yes": True} | change
    response = await console.client.post("/console/api/retract", json=asked, headers=console.token(*EVERY))
    assert response.status_code == status
    assert {event.operation for event in (await world(console.bus)).events} == {"assert"}


async def test_to_withdraw_needs_the_right_to_write(console: World) -> None:
    asked = {"system": "TOY", "batch": "a.txt", "why": "see"}
    headers = console.token("operations:read", "records:read")
    assert (await console.client.post("/console/api/retract", json=asked, headers=headers)).status_code == 403


async def test_from_a_file_on_it_is_read_again(console: World) -> None:
    await _ingest(console, "good 1")
    await _ingest(console, "good 2", name="b.txt")
    path = "/console/api/feeds/TOY/lines/rewind"
    asked = {"why": "a new mapping", "before": "b.txt"}
    assert (await _post(console, path, asked))["again"]["batches"] == 1
    unknown = await console.client.post(path, json=asked | {"before": "x.txt"}, headers=console.token(*EVERY))
    assert unknown.status_code == 404
    assert (await _post(console, path, asked | {"yes": True}))["done"]
    await once(console.path, console.bus)
    assert sorted((await world(console.bus)).ids().values()) == [1, 2]


async def test_what_is_read_again_is_told_before_it_is_done(console: World) -> None:
    await _ingest(console, "good 1", "bad x")
    path = "/console/api/feeds/TOY/lines/rewind"
    preview = await _post(console, path, {"why": "a new mapping"})
    assert (preview["done"], preview["again"]["batches"], preview["again"]["records"]) == (False, 1, 2)
    await _ingest(console, "good 1", "bad x")
    assert set((await world(console.bus)).ids().values()) == {1}
    assert (await _post(console, path, {"why": "a new mapping", "yes": True}))["done"]
    await _ingest(console, "good 1", "bad x")
    assert set((await world(console.bus)).ids().values()) == {2}
    assert (await console.verbs())[-2:] == ["console feeds rewind (dry run)", "console feeds rewind"]


async def test_a_batch_that_waits_is_shown_and_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.setattr("adapters.registry.systems", lambda: {"I94": border(folder).system})
    at = settings(tmp_path, hold_above=0)
    async with _world(tmp_path) as console:
        for name, line in (("001.txt", "arrive 1"), ("002.txt", "leave 1 9")):
            (folder / name).write_text(line)
            await run(at, [border(folder)], once=True, bus=console.bus, clock=now)
            await process.run(at, once=True, stop=asyncio.Event())
        await _wait(console)
        (feed,) = (await _get(console, "/console/api/systems/I94"))["feeds"]
        assert (feed["state"], feed["waiting"]["batch"], feed["waiting"]["changed"]) == ("waiting", "002.txt", 1)
        path = "/console/api/feeds/I94/lines/release"
        asked = {"why": "the owner says so", "waiting": "another one"}
        unseen = await console.client.post(path, json=asked, headers=console.token(*EVERY))
        assert (unseen.status_code, unseen.json()["type"]) == (409, "urn:visabus:problem:another-waits")
        assert (await _post(console, path, asked | {"waiting": feed["waiting"]["id"]}))["done"]
        await run(at, [border(folder)], once=True, bus=console.bus, clock=now)
        assert "out 1" in {event.record for event in (await world(console.bus)).events}
        again = await console.client.post(path, json={"why": "see"}, headers=console.token(*EVERY))
        assert (again.status_code, again.json()["type"]) == (409, "urn:visabus:problem:nothing-waits")
        assert (await console.verbs())[-1] == "console feeds release"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("TOY/none/pause", {"why": "see"}, 404),
        ("NONE/lines/pause", {"why": "see"}, 404),
        ("TOY/lines/stop", {"why": "see"}, 422),
        ("TOY/lines/pause", {}, 422),
        ("TOY/lines/pause", {"why": "   "}, 422),
        ("TOY/lines/pause", {"why": "two\nlines"}, 422),
        ("TOY/lines/rewind", {"why": "see", "yes": True}, 409),  # it was never read
        ("TOY/lines/rewind", {"why": "see", "before": "a.txt"}, 409),
        ("TOY/lines/pause", {"why": "see", "before": "a.txt"}, 422),
        ("TOY/lines/pause", {"why": "see", "waiting": "an id"}, 422),
        ("TOY/lines/release", {"why": "see"}, 409),  # nothing waits
        ("TOY/lines/reject", {"why": "see"}, 409),
    ],
)
async def test_no_order_without_a_feed_and_a_reason(console: World, path: str, body: Any, status: int) -> None:
    response = await console.client.post(f"/console/api/feeds/{path}", json=body, headers=console.token(*EVERY))
    assert response.status_code == status, response.text
    assert await console.verbs() == ["audit begin"]


async def test_an_order_that_cannot_be_signed_is_refused(console: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.console.feeds.give", None)
    app: Any = console.client._transport.app  # type: ignore[attr-defined]
    app.state.console = replace(app.state.console, unsigned=lambda system: f"no key of {system}")
    path = "/console/api/feeds/TOY/lines/pause"
    response = await console.client.post(path, json={"why": "see"}, headers=console.token(*EVERY))
    assert (response.status_code, response.json()["type"]) == (409, "urn:visabus:problem:no-key")


async def test_to_hold_a_feed_needs_the_right_to_write(console: World) -> None:
    path = "/console/api/feeds/TOY/lines/pause"
    for scopes in (("operations:read", "records:read"), ("operations:write",), ()):
        response = await console.client.post(path, json={"why": "see"}, headers=console.token(*scopes))
        assert response.status_code in (401, 403)
    assert (await console.client.post(path, json={"why": "see"})).status_code == 401
    given = console.token("operations:read", "operations:write")
    assert (await console.client.post(path, json={"why": "see"}, headers=given)).status_code == 200


async def test_from_a_refusal_to_its_replay(console: World) -> None:
    await _ingest(console, "good 1", "refuse 2")
    await _wait(console)
    (group,) = (await _get(console, "/console/api/dead-letters"))["groups"]
    assert (group["system"], group["waiting"], group["reason"]) == ("TOY", 1, "refused by the mapping")
    letter = await _get(console, f"/console/api/dead-letters/{group['example']}", WHOLE)
    assert [line["text"].strip() for line in letter["lines"]]
    assert (letter["place"], letter["record"]) == ("line 2", "2")
    mended = {"data": b64encode(b"good 2").decode()}
    path = f"/console/api/dead-letters/{letter['id']}/check"
    assert (await _post(console, path, {}, WHOLE))["outcome"] == "refused"
    before = (await world(console.bus)).ids()
    assert (await _post(console, path, mended, WHOLE))["outcome"] in ("publish", "refused")
    assert (await world(console.bus)).ids() == before  # a check sends nothing
    verbs = await console.verbs()
    assert {f"console dead-letters {verb} confidential:read" for verb in ("show", "check")} <= set(verbs)
    replayed = {"ids": [letter["id"]], "why": "mended by hand", **mended}
    (result,) = (await _post(console, "/console/api/dead-letters/replay", replayed, WHOLE))["results"]
    assert result["id"] == letter["id"]
    assert (await console.verbs())[-1] == "console dead-letters replay mended confidential:read"


class _Again(Lines):
    """Lines of which each can be read again alone."""

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """The line, as one of a file."""
        return self.read(BytesIO(raw))


async def test_a_replay_that_would_change_much_is_shown_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    system = border(folder).system
    readable = replace(system, feeds=tuple(replace(each, format=_Again()) for each in system.feeds))
    monkeypatch.setattr("adapters.registry.systems", lambda: {"I94": readable})
    monkeypatch.setattr(gate, "gate_of", lambda at, orders, bus: gate.Gate(0, at.store_url, orders, bus))
    async with _world(tmp_path) as console:
        for name, line in (("001.txt", "arrive 1"), ("002.txt", "none 1")):
            (folder / name).write_text(line)
            await run(console.settings, [border(folder)], once=True, bus=console.bus, clock=now)
        await process.run(console.settings, once=True, stop=asyncio.Event())
        await _wait(console)
        (group,) = (await _get(console, "/console/api/dead-letters"))["groups"]
        asked = {"ids": [group["example"]], "why": "mended", "data": b64encode(b"leave 1 9").decode()}
        path = "/console/api/dead-letters/replay"
        held = await console.client.post(path, json=asked, headers=console.token(*WHOLE))
        assert (held.status_code, held.json()["type"]) == (409, "urn:visabus:problem:held")
        assert "would change 1 outcomes (1 DEPARTURE_UNKNOWN -> DEPARTED_LATE)" in held.json()["detail"]
        assert "out 1" not in {event.record for event in (await world(console.bus)).events}
        (result,) = (await _post(console, path, asked | {"release": True}, WHOLE))["results"]
        assert result["outcome"] == "publish"
        replays = [verb for verb in await console.verbs() if "replay" in verb]
        shown = "console dead-letters replay mended"
        assert replays == [f"{shown} confidential:read", f"{shown} released confidential:read"]
        assert "out 1" in {event.record for event in (await world(console.bus)).events}


async def test_a_plain_operator_sees_where_and_why_and_neither_bytes_nor_values(console: World) -> None:
    await _ingest(console, "good 1", "refuse 2")
    await _wait(console)
    (group,) = (await _get(console, "/console/api/dead-letters"))["groups"]
    address = f"/console/api/dead-letters/{group['example']}"
    letter = await _get(console, address)
    assert (letter["place"], letter["reason"]) == ("line 2", "refused by the mapping")
    assert (letter["data"], letter["lines"], letter["record"]) == (None, [], None)
    assert letter["needs"] == "confidential:read"
    checked = await _post(console, f"{address}/check", {})
    assert (checked["outcome"], checked["lines"]) == ("refused", [])
    listed = "/console/api/dead-letters/list?system=TOY&feed=lines&reason=refused+by+the+mapping"
    (plain,) = (await _get(console, listed))["letters"]
    assert (plain["place"], plain["record"]) == ("line 2", None)
    (whole,) = (await _get(console, listed, WHOLE))["letters"]
    assert whole["record"] == "2"
    (replayed,) = (await _post(console, "/console/api/dead-letters/replay", {"ids": [letter["id"]], "why": "see"}))[
        "results"
    ]
    assert replayed["outcome"] == "refused"


async def test_bytes_that_may_not_be_told_cannot_be_replaced(console: World) -> None:
    await _ingest(console, "good 1", "refuse 2")
    await _wait(console)
    (group,) = (await _get(console, "/console/api/dead-letters"))["groups"]
    mended = {"data": b64encode(b"good 2").decode()}
    for path, body in (
        (f"{group['example']}/check", mended),
        ("replay", {"ids": [group["example"]], "why": "mended by hand", **mended}),
    ):
        path = f"/console/api/dead-letters/{path}"
        refused = await console.client.post(path, json=body, headers=console.token(*EVERY))
        assert refused.status_code == 403
        assert "confidential:read" in refused.text


async def test_of_a_system_marked_by_law_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marked = replace(toy(tmp_path).system, marks=(Handling.ASYLUM,))
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": marked})
    async with _world(tmp_path) as console:
        await _ingest(console, "refuse 1")
        await _wait(console)
        (group,) = (await _get(console, "/console/api/dead-letters", WHOLE))["groups"]
        assert (await _get(console, "/console/api/dead-letters"))["groups"] == []
        for path in ("overview", "systems/TOY"):
            assert (await _get(console, f"/console/api/{path}"))["dead_letters"] == []
            assert len((await _get(console, f"/console/api/{path}", WHOLE))["dead_letters"]) == 1
        problems = [await _get(console, "/console/api/overview", scopes) for scopes in (EVERY, WHOLE)]
        assert ["dead letter" in " ".join(each["problems"]) for each in problems] == [False, True]
        listed = "/console/api/dead-letters/list?system=TOY&feed=lines&reason=refused+by+the+mapping"
        assert (await _get(console, listed)) == {"letters": [], "more": 0}
        assert (await _get(console, "/console/api/systems/TOY"))["receipts"] == []
        asked = {"ids": [group["example"]], "why": "mended"}
        assert (await _post(console, "/console/api/dead-letters/replay", asked)) == {"results": []}
        unknown = "00000000-0000-0000-0000-000000000000"
        for path in ("/console/api/dead-letters/{}", "/console/api/trace?about=TOY+1"):
            real, none = path.format(group["example"]), path.format(unknown).replace("TOY+1", "TOY+9")
            answers = [await console.client.get(each, headers=console.token(*EVERY)) for each in (real, none)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert _but_the_request(answers[0]) == _but_the_request(answers[1])
            assert await _get(console, real, WHOLE)
        asked = {"system": "TOY", "batch": "a.txt", "why": "see"}
        answers = [
            await console.client.post(
                "/console/api/retract", json=asked | {"batch": name}, headers=console.token(*EVERY)
            )
            for name in ("a.txt", "none.txt")
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert _but_the_request(answers[0]) == _but_the_request(answers[1])
        assert len((await _get(console, listed, WHOLE))["letters"]) == 1
        assert len((await _get(console, "/console/api/systems/TOY", WHOLE))["receipts"]) == 1
        assert "console trace confidential:read" in await console.verbs()


async def test_a_mark_that_comes_late_hides_what_was_open(console: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is judged again for each look: all dead letters are read for it."""
    await _ingest(console, "good 1", "refuse 2")
    await _wait(console)
    judged = []
    existing = Veil.existing

    async def counted(self: Veil, letters: Any) -> Any:
        judged.append(len(letters))
        return [] if late else await existing(self, letters)

    late = False
    monkeypatch.setattr(Veil, "existing", counted)
    for _ in range(3):
        assert len((await _get(console, "/console/api/dead-letters"))["groups"]) == 1
    assert judged == [1]
    late = True
    monkeypatch.setattr("services.console.open_flow._MARKED_LATE", 0.0)
    monkeypatch.setattr("services.console.open_flow._SHARE", 0)
    assert (await _get(console, "/console/api/dead-letters"))["groups"] == []


def _but_the_request(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name not in ("instance", "request")}


async def _wait(console: World) -> None:
    """The overview is two seconds old at most: have it made anew."""
    app: Any = console.client._transport.app  # type: ignore[attr-defined]
    await app.state.console.watch.observe()


async def test_a_system_is_shown_with_its_receipts(console: World) -> None:
    await _ingest(console, "good 1", "skip 2", "bad x")
    await _wait(console)
    plain = (await _get(console, "/console/api/systems/TOY"))["receipts"]
    assert [(each["batch"], each["read"], each["filtered"]) for each in plain] == [("a.txt", None, None)]
    system = await _get(console, "/console/api/systems/TOY", WHOLE)
    (receipt,) = system["receipts"]
    assert (receipt["batch"], receipt["read"], receipt["dead_lettered"]) == ("a.txt", 3, 1)
    assert system["feeds"][0]["last_batch"] == "a.txt"
    assert (await console.client.get("/console/api/systems/NONE", headers=console.token(*EVERY))).status_code == 404


async def test_a_trace_is_in_the_audit_log_before_it_is_told(console: World) -> None:
    await _ingest(console, "good 1")
    trace = await _get(console, "/console/api/trace?about=TOY+1")
    assert trace["records"][0]["record"] == "1"
    assert "console trace" in await console.verbs()
    unknown = await console.client.get("/console/api/trace?about=TOY+9", headers=console.token(*EVERY))
    assert unknown.status_code == 404
    assert (await console.verbs()).count("console trace") == 2


async def test_a_decision_goes_over_the_bus_under_the_name_of_who_decided(console: World) -> None:
    one, other = {"system": "TOY", "record": "1"}, {"system": "TOY", "record": "2"}
    word = {"one": one, "other": other, "same": True, "why": "both passports seen"}
    assert await _post(console, "/console/api/matches", word) == {"decided": "same"}
    (event,) = (await world(console.bus)).events
    assert json.loads(event.model_dump_json())["by"] == "someone"
    assert "console matches decide same" in await console.verbs()
    same = await console.client.post("/console/api/matches", json=word | {"other": one}, headers=console.token(*EVERY))
    assert same.status_code == 422


async def test_every_answer_has_the_headers_of_a_closed_page(console: World) -> None:
    for path in ("/console/", "/console/app.js", "/console/style.css", "/console/none", "/console/api/overview"):
        headers = (await console.client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.name)
async def test_files_ask_no_other_host_and_hold_no_script_of_their_own(console: World, path: Path) -> None:
    response = await console.client.get(f"/console/{path.name}")
    assert response.status_code == 200
    content = response.text
    assert not re.findall(r"""(?:src|href|url|import|fetch)\W{1,3}https?://""", content)
    assert "innerHTML" not in content
    if path.suffix == ".html":
        assert not re.search(r"<script(?![^>]*src=)|style=|onclick=", content)


async def test_what_is_no_file_of_the_page_is_not_served(console: World) -> None:
    for path in ("/console/app.py", "/console/..%2fapp.py", "/console/../app.py", "/console/%2e%2e/app.py"):
        assert (await console.client.get(path)).status_code == 404


async def test_a_body_without_end_is_refused(console: World) -> None:
    body = {"ids": [], "why": "x" * 600_000}
    response = await console.client.post("/console/api/dead-letters/replay", json=body, headers=console.token(*EVERY))
    assert response.status_code == 413


async def test_one_subject_asks_so_often_and_another_is_not_touched(tmp_path: Path) -> None:
    """As of the API: refused before anything is looked at, told how long to wait, and counted."""
    async with _world(tmp_path, burst=3, rate=0.001) as console:
        answers = [await console.client.get("/console/api/overview", headers=console.token(*EVERY)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        other = await console.client.get("/console/api/overview", headers=console.token(*EVERY, subject="another"))
        assert other.status_code == 200


async def test_many_traces_that_find_nothing_raise_one_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _world(tmp_path, not_found_alarm=3) as console:
        for number in range(5):
            path = f"/console/api/trace?about=I94+{number}"
            assert (await console.client.get(path, headers=console.token(*EVERY))).status_code == 404
    assert capsys.readouterr().out.count("many look-ups of one subject find no one") == 1
