"""A REST service polled over a real HTTP server on loopback: pages, tokens, overlap, errors."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from adapters.core import Closing, Credentials, Read, Record, SourceDown
from adapters.formats.json_page import JsonPage
from adapters.transports import http_client
from adapters.transports.rest_poll import CursorPages, LinkedPages, NumberedPages, RestPoll

Reply = tuple[int, dict[str, str], bytes]
CLOCK = "2025-03-15T04:00:00.000000Z"


@dataclass
class Owner:
    """The owner's service: items with a key and a last change, three to a page."""

    items: list[dict[str, Any]] = field(default_factory=list)
    clock: str = CLOCK
    style: str = "cursor"
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    before: Callable[[str, dict[str, str]], Reply | None] = lambda path, query: None
    tokens: int = 0
    token: str | None = None  # the one that is believed; none: nobody has to show one
    url: str = ""

    def put(self, *changes: tuple[int, str]) -> None:
        for key, at in changes:
            self.items = [each for each in self.items if each["id"] != key]
            self.items.append({"id": key, "changed": f"2025-03-14T{at}:00Z"})

    def reply(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        self.asked.append((path, query, headers))
        if (special := self.before(path, query)) is not None:
            return special
        if self.token is not None and headers.get("authorization") != f"Bearer {self.token}":
            return 401, {}, b""
        since = query.get("since", "")
        results = sorted((each for each in self.items if each["changed"] >= since), key=lambda each: each["changed"])
        at = int(query.get("cursor") or query.get("at") or (int(query.get("page", "1")) - 1) * 3)
        more = at + 3 < len(results)
        page: dict[str, Any] = {"items": results[at : at + 3], "as_of": self.clock}
        extra = {}
        if self.style == "cursor" and more:
            page["next_cursor"] = str(at + 3)
        if self.style == "link" and more:
            extra["Link"] = f'</v1/items?since={since}&at={at + 3}>; rel="next"'
        return 200, extra, json.dumps(page).encode()


@pytest.fixture
def owner() -> Iterator[Owner]:
    known = Owner()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send(*known.reply(parts.path, query, headers))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            good = b64encode(b"visabus:s%26cret").decode()
            if self.headers["authorization"] != f"Basic {good}" or form["grant_type"] != ["client_credentials"]:
                self.send(401, {}, b"")
                return
            known.tokens += 1
            known.token = f"token {known.tokens}"
            self.send(200, {}, json.dumps({"access_token": known.token, "expires_in": 3600}).encode())

        def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    http_client._TOKENS.clear()
    yield known
    server.shutdown()
    server.server_close()


POLL = RestPoll(path="/v1/items", since="since", changed="changed", clock="as_of", begin="2025-01-01T00:00:00Z")


async def poll(owner: Owner, position: Any = None, transport: RestPoll = POLL, **given: Any) -> tuple[list[Read], Any]:
    """What one poll brings, and where it ends."""
    results: list[Read] = []
    service = transport.open(owner.url, JsonPage(), **given)
    try:
        async for batch in service.batches(position):
            results += [read async for read in batch.records()]
            position = batch.after
    finally:
        await service.close()
    return results, position


def keys(reads: list[Read]) -> list[int]:
    return [read.fields["id"] for read in reads if isinstance(read, Record)]


STYLES = {
    "cursor": CursorPages(),
    "page": NumberedPages(size=3),
    "link": LinkedPages(),
}


@pytest.mark.parametrize("style", STYLES)
async def test_all_pages_are_read_once_and_then_what_changed(owner: Owner, style: str) -> None:
    owner.style = style
    transport = RestPoll(
        path="/v1/items", pages=STYLES[style], since="since", changed="changed", clock="as_of", begin=POLL.begin
    )
    owner.put(*((number, f"10:{number:02}") for number in range(8)))
    reads, position = await poll(owner, None, transport)
    assert keys(reads) == list(range(8))
    assert [read.fields for read in reads if isinstance(read, Closing)] == [
        {"since": "2025-01-01T00:00:00.000000Z", "through": CLOCK}
    ]
    assert await poll(owner, position, transport) == ([], position)
    owner.put((3, "10:40"), (9, "10:41"))
    owner.clock = "2025-03-15T05:00:00Z"
    reads, position = await poll(owner, position, transport)
    assert keys(reads) == [3, 9]
    assert [read.fields["since"] for read in reads if isinstance(read, Closing)] == [CLOCK]


async def test_a_change_that_commits_late_is_found_within_the_overlap(owner: Owner) -> None:
    owner.put((1, "10:00"), (2, "10:30"))
    _, position = await poll(owner)
    owner.put((3, "10:20"))
    reads, _ = await poll(owner, position)
    assert keys(reads) == [3]


async def test_a_poll_that_broke_off_goes_on_with_its_next_page(owner: Owner) -> None:
    owner.put(*((number, f"10:{number:02}") for number in range(7)))
    service = POLL.open(owner.url, JsonPage())
    async for batch in service.batches(None):
        position = batch.after
        break
    await service.close()
    reads, _ = await poll(owner, position)
    assert keys(reads) == [3, 4, 5, 6]
    assert owner.asked[1][1]["cursor"] == "3"


async def test_a_cursor_that_is_known_no_more_begins_the_poll_anew(owner: Owner) -> None:
    owner.put(*((number, f"10:{number:02}") for number in range(7)))
    service = POLL.open(owner.url, JsonPage())
    async for batch in service.batches(None):
        position = batch.after
        break
    await service.close()
    gone = {"left": 1}

    def before(path: str, query: dict[str, str]) -> Reply | None:
        if query.get("cursor") and gone["left"]:
            gone["left"] = 0
            return 410, {}, b""
        return None

    owner.before = before
    reads, _ = await poll(owner, position)
    assert keys(reads) == [3, 4, 5, 6], "what was taken is passed over"


async def test_tokens_are_fetched_once_and_again_when_one_is_refused(owner: Owner) -> None:
    transport = RestPoll(path="/v1/items", since="since", changed="changed", token="/oauth/token")
    owner.put((1, "10:00"))
    owner.token = "none yet"
    who = Credentials("visabus", "s&cret")
    reads, position = await poll(owner, None, transport, credentials=who)
    assert keys(reads) == [1]
    await poll(owner, position, transport, credentials=who)
    assert owner.tokens == 1
    owner.token = "another"
    owner.put((2, "10:01"))
    reads, _ = await poll(owner, position, transport, credentials=who)
    assert (keys(reads), owner.tokens) == ([2], 2)
    assert "s&cret" not in repr(who)
    with pytest.raises(ValueError, match="user and secret"):
        transport.open(owner.url, JsonPage())
    with pytest.raises(SourceDown, match="answered 401"):
        await poll(owner, None, transport, credentials=Credentials("visabus", "wrong"))


async def test_basic_authentication_where_there_are_no_tokens(owner: Owner) -> None:
    await poll(owner, credentials=Credentials("visabus", "secret"))
    assert owner.asked[0][2]["authorization"] == f"Basic {b64encode(b'visabus:secret').decode()}"


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("999999", 3600.0), ("soon", 0.0)])
async def test_a_source_that_asks_to_be_left_alone_is(owner: Owner, said: str, seconds: float) -> None:
    owner.before = lambda path, query: (429, {"Retry-After": said}, b"")
    with pytest.raises(SourceDown, match="answered 429") as caught:
        await poll(owner)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, {}, b""), "answered 500"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "answered 302"),
        ((200, {}, b"<html>sign in</html>"), "no page of this interface"),
        ((200, {}, b'{"items": [' + b" " * 2_000), "more than 1000 bytes"),
        ((200, {}, b'{"items": [], "next_cursor": "9"}'), "came twice"),
        ((200, {}, b'{"items": [], "next_cursor": 9}'), "came twice"),
        ((200, {}, b'{"items": [], "next_cursor": {"at": 9}}'), "cannot be sent back"),
        ((200, {}, b'{"items": [], "next_cursor": "\\ud800"}'), "cannot be sent back"),
        ((200, {}, b'{"items": [], "next_cursor": "\xe9"}'), "cannot be sent back"),
    ],
)
async def test_an_answer_that_is_none_is_a_source_down(owner: Owner, answer: Reply, why: str) -> None:
    owner.before = lambda path, query: answer
    with pytest.raises(SourceDown, match=why):
        await poll(owner, None, RestPoll(path="/v1/items", limit=1_000))


@pytest.mark.parametrize("end", ["null", '""', "false", "0"])
async def test_the_last_page_has_no_cursor(owner: Owner, end: str) -> None:
    owner.before = lambda path, query: (200, {}, f'{{"items": [{{"id": 1}}], "next_cursor": {end}}}'.encode())
    reads, _ = await poll(owner, None, RestPoll(path="/v1/items"))
    assert keys(reads) == [1]


@pytest.mark.parametrize("bad", [b"\xff", b"\\ud800"])
async def test_positions_can_be_saved_whatever_a_page_holds(owner: Owner, bad: bytes) -> None:
    page = b'{"items": [{"id": 1, "changed": "' + bad + b'", "x": "' + bad + b'"}], "as_of": "' + bad + b'"}'
    owner.before = lambda path, query: (200, {"ETag": '"\xe9"'}, page)
    reads, position = await poll(owner)
    assert keys(reads) == [1]
    assert orjson.loads(orjson.dumps(position)) == position


async def test_a_service_that_is_not_there_is_a_source_down(owner: Owner) -> None:
    for url in ("http://127.0.0.1:1", "ftp://host", "http://"):
        owner.url = url
        with pytest.raises(SourceDown, match="cannot be"):
            await poll(owner)


async def test_an_unchanged_collection_is_told_by_its_etag(owner: Owner) -> None:
    transport = RestPoll(path="/v1/items")

    def before(path: str, query: dict[str, str]) -> Reply | None:
        if owner.asked[-1][2].get("if-none-match") == '"a"':
            return 304, {}, b""
        return 200, {"ETag": '"a"'}, b'{"items": [{"id": 1}]}'

    owner.before = before
    reads, position = await poll(owner, None, transport)
    assert keys(reads) == [1]
    assert await poll(owner, position, transport) == ([], position)
    assert owner.asked[-1][2]["if-none-match"] == '"a"'


async def test_a_link_to_another_host_is_not_followed(owner: Owner) -> None:
    owner.before = lambda path, query: (200, {"Link": '<http://127.0.0.1:1/x>; rel="next"'}, b'{"items": []}')
    with pytest.raises(SourceDown, match="another host"):
        await poll(owner, None, RestPoll(path="/v1/items", pages=LinkedPages()))


async def test_a_position_of_another_version_is_understood(owner: Owner) -> None:
    owner.put((1, "10:00"), (2, "10:30"))
    _, position = await poll(owner)
    owner.put((3, "10:31"))
    older = {name: value for name, value in position.items() if name not in ("top", "behind", "records")}
    reads, _ = await poll(owner, older | {"passes": 1})
    assert keys(reads) == [3]


async def test_the_position_stays_small(owner: Owner) -> None:
    owner.put(*((number, f"10:{number % 60:02}") for number in range(40)))
    transport = RestPoll(path="/v1/items", since="since", changed="changed", window=10)
    reads, position = await poll(owner, None, transport)
    assert sorted(keys(reads)) == list(range(40))
    assert len(position["seen"]) == 10


def test_a_page_as_a_file_stands_for_the_service(tmp_path: Path) -> None:
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"items": [{"id": 1}], "as_of": CLOCK}))
    reads = list(POLL.offline(page, JsonPage()))
    assert keys(reads) == [1]
    assert isinstance(reads[-1], Closing)
    more = json.dumps({"items": [], "as_of": CLOCK, "next_cursor": "2"}).encode()
    assert not any(isinstance(read, Closing) for read in POLL.offline(more, JsonPage()))
    assert not any(isinstance(read, Closing) for read in POLL.offline(b"{", JsonPage()))


def test_what_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="since and changed come together"):
        RestPoll(path="/", since="since")
    with pytest.raises(ValueError, match="pages need a format"):
        POLL.open("http://host", None)


@pytest.mark.parametrize(("total", "vouched"), [(1, True), (2, False), ("2", True), (None, True)])
def test_a_counted_page_as_a_file_vouches_if_it_has_all(total: object, vouched: bool) -> None:
    transport = RestPoll(path="/", pages=NumberedPages(total="all"), clock="as_of")
    page = json.dumps({"items": [{"id": 1}], "all": total, "as_of": CLOCK}).encode()
    assert any(isinstance(read, Closing) for read in transport.offline(page, JsonPage())) is vouched
