"""A SOAP service polled over a real HTTP server on loopback, which checks each request by the schema of the WSDL."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from lxml import etree

from adapters.core import BadRecord, Batch, Closing, Credentials, Header, Read, Record, SourceDown
from adapters.formats.xml_message import XmlMessageFormat
from adapters.transports.soap_call import SOAP_11, SOAP_12, _loaded, built
from adapters.transports.soap_poll import SoapPoll

HERE = Path(__file__).parent / "soap"
SPACE = "urn:example:changes"
SCHEMA = etree.XMLSchema(etree.parse(HERE / "changes.xsd"))
FORMAT = XmlMessageFormat(
    etree.XMLSchema(etree.parse(HERE / "changes.xsd")),
    f"{{{SPACE}}}GetChangesResponse",
    f"{{{SPACE}}}Item",
    attributes=True,
)
POLL = SoapPoll(
    HERE / "changes.wsdl",
    "GetChanges",
    f"{{{SPACE}}}GetChangesResponse",
    since="Since",
    changed="@changedAt",
    page="Page",
    clock="asOf",
    begin="2025-01-01T00:00:00Z",
    timeout=5.0,
)
CLOCK = "2025-03-15T04:00:00.000000Z"
PAGE = 3
Reply = tuple[int, dict[str, str], bytes]


def item(key: int, at: str, more: str = "") -> str:
    return f'<c:Item changedAt="2025-03-14T{at}:00Z"><c:Key>{key}</c:Key>{more}</c:Item>'


def enveloped(body: str, space: str = SOAP_11, header: str = "") -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{space}" xmlns:c="{SPACE}">{head}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault_11(code: str, text: str) -> bytes:
    return enveloped(f"<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>")


def fault_12(code: str, text: str, sub: str = "") -> bytes:
    more = f"<s:Subcode><s:Value>c:{sub}</s:Value></s:Subcode>" if sub else ""
    said = f'<s:Reason><s:Text xml:lang="en">{text}</s:Text></s:Reason>'
    return enveloped(f"<s:Fault><s:Code><s:Value>s:{code}</s:Value>{more}</s:Code>{said}</s:Fault>", SOAP_12)


@dataclass
class Owner:
    """The owner's service: items with a key and a last change, three to a page."""

    items: dict[int, tuple[str, str]] = field(default_factory=dict)
    clock: str = CLOCK
    space: str = SOAP_11
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)
    before: Callable[[dict[str, str]], Reply | None] = lambda asked: None
    pause: float = 0.0
    url: str = ""

    def put(self, *changes: tuple[int, str]) -> None:
        self.items.update({key: (at, "") for key, at in changes})

    def reply(self, headers: dict[str, str], body: bytes) -> Reply:
        time.sleep(self.pause)
        self.envelopes.append(body)
        self.headers.append(headers)
        request = etree.fromstring(body).find(f"{{{SOAP_11}}}Body/*")
        assert request is not None
        if not SCHEMA.validate(request):
            return 500, {}, fault_11("s:Client", "not by the schema")
        asked = {etree.QName(each).localname: each.text or "" for each in request}
        self.asked.append(asked)
        if (special := self.before(asked)) is not None:
            return special
        results = sorted(
            (at, key, more) for key, (at, more) in self.items.items() if f"2025-03-14T{at}:00" >= asked["Since"][:19]
        )
        if "Page" in asked:  # behind the last of the page before: what changes meanwhile shifts nothing
            at, _, key = asked["Page"].partition("/")
            results = [each for each in results if each[:2] > (at, int(key))]
        following = f' nextPage="{results[PAGE - 1][0]}/{results[PAGE - 1][1]}"' if len(results) > PAGE else ""
        items = "".join(item(key, at, more) for at, key, more in results[:PAGE])
        body_of = f'<c:GetChangesResponse asOf="{self.clock}"{following}>{items}</c:GetChangesResponse>'
        return 200, {}, enveloped(body_of, self.space)


@pytest.fixture
def owner() -> Iterator[Owner]:
    known = Owner()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            status, more, answer = known.reply(headers, body)
            self.send_response(status)
            for name, value in ({"Content-Type": "text/xml", "Content-Length": str(len(answer))} | more).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(answer)
            except ConnectionError:  # who asked has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    known.url = f"http://127.0.0.1:{server.server_port}/changes"
    yield known
    server.shutdown()
    server.server_close()


async def polled(
    owner: Owner, position: Any = None, transport: SoapPoll = POLL, **given: Any
) -> list[tuple[Batch, list[Read]]]:
    """The batches of one poll, each with what it holds."""
    service = transport.open(owner.url, FORMAT, **given)
    try:
        return [(batch, [read async for read in batch.records()]) async for batch in service.batches(position)]
    finally:
        await service.close()


async def poll(owner: Owner, position: Any = None, transport: SoapPoll = POLL, **given: Any) -> tuple[list[Read], Any]:
    """What one poll brings, and where it ends."""
    batches = await polled(owner, position, transport, **given)
    return [read for _, reads in batches for read in reads], batches[-1][0].after if batches else position


def keys(reads: list[Read]) -> list[int]:
    return [int(read.fields["Key"][0]) for read in reads if isinstance(read, Record)]


# --- polls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [SOAP_11, SOAP_12])
async def test_all_pages_are_read_once_and_then_what_changed(owner: Owner, space: str) -> None:
    owner.space = space
    owner.put(*((number, f"10:{number:02}") for number in range(1, 9)))
    reads, position = await poll(owner)
    assert keys(reads) == list(range(1, 9))
    assert [read.fields for read in reads if isinstance(read, Closing)] == [
        {"since": "2025-01-01T00:00:00.000000Z", "through": CLOCK}
    ]
    assert await poll(owner, position) == ([], position)
    owner.put((3, "10:40"), (9, "10:41"))
    owner.clock = "2025-03-15T05:00:00Z"
    reads, _ = await poll(owner, position)
    assert keys(reads) == [3, 9]
    assert [read.fields["since"] for read in reads if isinstance(read, Closing)] == [CLOCK]
    assert owner.headers[0]["soapaction"] == '"urn:example:changes/GetChanges"'


async def test_a_change_that_commits_late_is_read_within_the_overlap(owner: Owner) -> None:
    owner.put((1, "10:00"), (2, "10:30"))
    _, position = await poll(owner)
    owner.put((3, "10:20"))
    reads, _ = await poll(owner, position)
    assert keys(reads) == [3]


async def test_a_poll_is_taken_up_behind_every_page(owner: Owner) -> None:
    owner.put(*((number, f"10:{number:02}") for number in range(1, 11)))
    whole = await polled(owner)
    assert len(whole) == 4
    for stop in range(len(whole)):
        reads, _ = await poll(owner, whole[stop][0].after)
        assert keys(reads) == list(range(1 + PAGE * (stop + 1), 11))


async def test_a_batch_says_the_same_again(owner: Owner) -> None:
    owner.put(*((number, f"10:{number:02}") for number in range(1, 5)))
    once, again = await polled(owner), await polled(owner)
    assert [(batch.name, batch.content, batch.after) for batch, _ in once] == [
        (batch.name, batch.content, batch.after) for batch, _ in again
    ]
    batch, reads = once[0]
    assert [read async for read in batch.records()] == reads


async def test_a_page_that_is_known_no_more_begins_the_poll_anew_and_once(owner: Owner) -> None:
    owner.put(*((number, f"10:{number:02}") for number in range(1, 8)))
    position = (await polled(owner))[0][0].after
    refusals = [1]

    def before(asked: dict[str, str]) -> Reply | None:
        if asked.get("Page") and refusals:
            refusals.pop()
            return 500, {}, fault_11("s:Client.Page", "no such page 4711")
        return None

    owner.before = before
    reads, _ = await poll(owner, position)
    assert keys(reads) == [4, 5, 6, 7], "what was taken is passed over"
    refusals += [1] * 5
    with pytest.raises(SourceDown, match=r"refused \(Client.Page\): no such page \.\.\."):
        await poll(owner, position)


async def test_the_position_stays_small(owner: Owner) -> None:
    owner.put(*((number, f"10:{number % 60:02}") for number in range(1, 41)))
    reads, position = await poll(owner, None, replace(POLL, window=10))
    assert sorted(keys(reads)) == list(range(1, 41))
    assert len(position["seen"]) == 10


async def test_a_change_in_the_future_does_not_hide_what_comes_before_it(owner: Owner) -> None:
    to_come = (datetime.now(UTC) + timedelta(days=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = f'<c:GetChangesResponse><c:Item changedAt="{to_come}"><c:Key>1</c:Key></c:Item></c:GetChangesResponse>'
    owner.before = lambda asked: (200, {}, enveloped(body))
    _, position = await poll(owner)
    assert position["high"] == ""


async def test_many_pages_are_read_in_bounded_memory(owner: Owner) -> None:
    """A hundred megabytes, a page at a time."""
    filler = "<c:Text>" + "x" * 1_000_000 + "</c:Text>"

    def before(asked: dict[str, str]) -> Reply | None:
        number = int(asked.get("Page", "1"))
        following = f' nextPage="{number + 1}"' if number < 100 else ""
        return (
            200,
            {},
            enveloped(f"<c:GetChangesResponse{following}>{item(number, '10:00', filler)}</c:GetChangesResponse>"),
        )

    owner.before = before
    service = POLL.open(owner.url, FORMAT)
    tracemalloc.start()
    count = 0
    try:
        async for batch in service.batches(None):
            count += len([read async for read in batch.records() if isinstance(read, Record)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await service.close()
    assert count == 100
    assert peak < 40e6


# --- what an answer may be -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, {}, b""), "answered 200 with nothing in it"),
        ((202, {}, b""), "answered 202"),
        ((500, {}, b""), "answered 500 with nothing in it"),
        ((403, {}, b"<html/>"), "answered 403"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "answered 302"),
        ((200, {}, b"<html>sign in</html>"), "no envelope of SOAP"),
        ((200, {}, b"not XML"), "not well-formed"),
        ((200, {}, enveloped("<c:GetChangesResponse>")[:-40]), "not well-formed"),
        ((200, {}, b'<!DOCTYPE x [<!ENTITY e "y">]><x>&e;</x>'), "document type declaration"),
        ((200, {}, enveloped("")), "0 elements in the body"),
        ((200, {}, enveloped("<c:GetChangesResponse/><c:Other/>")), "2 elements in the body"),
        ((200, {}, enveloped("<c:GetOtherResponse/>")), "'GetOtherResponse', GetChangesResponse expected"),
        ((200, {}, enveloped("<GetChangesResponse/>")), "GetChangesResponse expected"),
        ((500, {}, enveloped("<c:GetChangesResponse/>")), "answered 500 without a fault"),
        (
            (200, {}, enveloped("<c:GetChangesResponse/>", header='<c:Key s:mustUnderstand="1"/>')),
            "has to be understood",
        ),
        ((200, {}, enveloped("<c:GetChangesResponse/>", "urn:other")), "no envelope of SOAP 1.1 or 1.2"),
        ((200, {"Content-Type": 'multipart/related; type="application/xop+xml"'}, b"--x"), "attachments"),
        ((200, {}, enveloped("<c:GetChangesResponse>text</c:GetChangesResponse>")), "no page of this interface"),
        ((200, {}, enveloped(f"<c:GetChangesResponse>{' ' * 20_000}</c:GetChangesResponse>")), "more than 10000 bytes"),
        ((200, {"Content-Length": "9000"}, enveloped("<c:GetChangesResponse/>")), "cannot be reached"),
        ((200, {}, enveloped('<c:GetChangesResponse nextPage="9"/>')), "came twice"),
    ],
)
async def test_an_answer_that_is_none_is_a_source_down(owner: Owner, answer: Reply, why: str) -> None:
    owner.before = lambda asked: answer
    with pytest.raises(SourceDown, match=why):
        await poll(owner, None, replace(POLL, limit=10_000, timeout=2.0))


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (
            fault_11("s:Server", "the database A12345678 is away"),
            r"the service failed \(Server\): the database \.\.\. is away",
        ),
        (fault_11("s:VersionMismatch", ""), r"failed \(VersionMismatch\)"),
        (fault_11("", "Bad gateway"), "a fault without a code, so of what carries the service: Bad gateway"),
        (enveloped("<s:Fault/>"), "a fault without a code"),
        (fault_11("s:Client", "since is missing"), r"refused \(Client\): since is missing"),
        (fault_12("Receiver", "later", "Busy"), r"failed \(Receiver/Busy\): later"),
        (fault_12("Sender", "no"), r"refused \(Sender\): no"),
        (fault_12("MustUnderstand", "no"), r"failed \(MustUnderstand\)"),
        (fault_12("Sender", "no").replace(SOAP_12.encode(), SOAP_11.encode()), r"refused \(Sender\): no"),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
async def test_a_fault_says_why_by_its_kind(owner: Owner, fault: bytes, why: str, status: int) -> None:
    owner.before = lambda asked: (status, {}, fault)
    with pytest.raises(SourceDown, match=why):
        await poll(owner)


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("999999", 3600.0), ("soon", 0.0), (None, 0.0)])
async def test_a_source_that_asks_to_be_left_alone_is(owner: Owner, said: str | None, seconds: float) -> None:
    owner.before = lambda asked: (503, {} if said is None else {"Retry-After": said}, b"")
    with pytest.raises(SourceDown, match="answered 503") as caught:
        await poll(owner)
    assert caught.value.retry_after == seconds


async def test_a_day_to_be_left_alone_until_is_understood(owner: Owner) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    owner.before = lambda asked: (429, {"Retry-After": at}, b"")
    with pytest.raises(SourceDown) as caught:
        await poll(owner)
    assert 60 < caught.value.retry_after <= 90


async def test_a_service_that_is_not_there_is_down_and_read_on_when_it_is_back(owner: Owner) -> None:
    owner.put((1, "10:00"))
    _, position = await poll(owner)
    there = owner.url
    for url in ("http://127.0.0.1:1/", "ftp://host", "http://", "nothing"):
        owner.url = url
        with pytest.raises(SourceDown, match="cannot be"):
            await poll(owner, position)
    owner.url = there
    owner.put((2, "10:01"))
    assert keys((await poll(owner, position))[0]) == [2]


async def test_a_slow_service_is_given_up_and_does_not_hold_the_loop(owner: Owner) -> None:
    owner.put((1, "10:00"))
    owner.pause = 0.4
    ticks = 0

    async def ticking() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    clock = asyncio.create_task(ticking())
    assert keys((await poll(owner))[0]) == [1]
    assert ticks >= 3, "others wait while it is waited for"
    with pytest.raises(SourceDown, match=r"did not answer within|cannot be reached: ReadTimeout"):
        await poll(owner, None, replace(POLL, timeout=0.2))
    clock.cancel()


async def test_a_poll_that_is_cancelled_lets_go(owner: Owner) -> None:
    owner.put((1, "10:00"))
    owner.pause = 1.0
    task = asyncio.create_task(poll(owner))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    owner.pause = 0.0
    assert keys((await poll(owner))[0]) == [1]


# --- what the schema says ------------------------------------------------------------------------------------------


async def records_of(owner: Owner, *items: str) -> list[Read]:
    body = f"<c:GetChangesResponse>{''.join(items)}</c:GetChangesResponse>"
    owner.before = lambda asked: (200, {}, enveloped(body))
    return [read for read in (await poll(owner))[0] if isinstance(read, Record | BadRecord)]


async def test_padded_dates_times_and_durations_are_valid(owner: Owner) -> None:
    more = "<c:Day> 2026-11-29 </c:Day><c:Time>\n24:00:00\n</c:Time><c:Lasts> P1D </c:Lasts><c:Text> as it is </c:Text>"
    padded = item(1, "10:00", more).replace('Z"', 'Z "')
    (read,) = await records_of(owner, padded)
    assert isinstance(read, Record)
    assert read.fields["Day"] == ("2026-11-29",)
    assert read.fields["Time"] == ("24:00:00",)
    assert read.fields["@changedAt"] == "2025-03-14T10:00:00Z"
    assert b"as it is" in read.raw


async def test_a_record_that_is_not_by_the_schema_costs_itself_alone(owner: Owner) -> None:
    """What zeep would make None, or leave out with all that follows, is refused or read."""
    reads = await records_of(
        owner,
        item(1, "10:00", "<c:Strange/><c:Colour>red</c:Colour>"),
        item(2, "10:01", "<c:Colour>green</c:Colour>"),
        item(3, "10:02", "<c:Day>20261-02-30</c:Day>"),
        item(4, "10:03", "<c:Day>12026-01-01</c:Day><c:Text></c:Text>"),
        "<c:Other/>",
        item(5, "10:04", "<c:Time>24:00:00</c:Time>"),
    )
    refused = [read.reason for read in reads if isinstance(read, BadRecord)]
    assert len(refused) == 4
    assert "Strange" in refused[0]
    assert "green" not in refused[1]
    assert keys(reads) == [4, 5]


XS = "http://www.w3.org/2001/XMLSchema"
ANY = f'''<xs:schema xmlns:xs="{XS}" targetNamespace="{SPACE}" elementFormDefault="qualified">
  <xs:element name="i"><xs:complexType mixed="true">
    <xs:sequence><xs:element name="n" nillable="true" minOccurs="0" type="xs:date"/></xs:sequence>
    <xs:attribute name="a"/>
  </xs:complexType></xs:element>
</xs:schema>'''


def test_an_element_that_is_nil_or_has_text_beside_attributes_is_read() -> None:
    schema = etree.XMLSchema(etree.fromstring(ANY))
    message = XmlMessageFormat(schema, f"{{{SPACE}}}r", f"{{{SPACE}}}i", attributes=True)
    nil = f'<i><n xmlns:x="{XS}-instance" x:nil="true"/></i>'
    data = f'<r xmlns="{SPACE}" z="9"><i a=" 1 ">t<!-- no --></i>{nil}</r>'.encode()
    head, read, empty = list(message.read(BytesIO(data)))
    assert isinstance(head, Header)
    assert head.fields == {"z": "9"}
    assert isinstance(read, Record)
    assert (read.fields, read.header) == ({"@a": "1", "#": "t"}, {"z": "9"})
    assert isinstance(empty, Record)
    assert empty.fields == {}


# --- who asks ------------------------------------------------------------------------------------------------------


async def test_credentials_go_as_http_basic_authentication(owner: Owner) -> None:
    who = Credentials("visabus", "s&cret")
    await poll(owner, credentials=who)
    assert b64decode(owner.headers[0]["authorization"].removeprefix("Basic ")) == b"visabus:s&cret"
    assert "s&cret" not in repr(who)


async def test_credentials_go_as_a_username_token_with_a_digest(owner: Owner) -> None:
    await poll(owner, None, replace(POLL, security="username-token"), credentials=Credentials("visabus", "s&cret"))
    envelope = etree.fromstring(owner.envelopes[0])
    said = {etree.QName(each).localname: each for each in envelope.iter("{*}Username", "{*}Password", "{*}Nonce")}
    assert said["Username"].text == "visabus"
    assert str(said["Password"].get("Type")).endswith("#PasswordDigest")
    assert b"cret" not in owner.envelopes[0]
    assert "authorization" not in owner.headers[0]


# --- the WSDL ------------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_that_a_wsdl_names_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for place, why in (("http://127.0.0.1:1/changes.xsd", "forbid|External|external"), ("../changes.xsd", "beside it")):
        wsdl = tmp_path / "in" / "changes.wsdl"
        wsdl.write_text((HERE / "changes.wsdl").read_text().replace('"changes.xsd"', f'"{place}"'))
        (tmp_path / "changes.xsd").write_text((HERE / "changes.xsd").read_text())
        _loaded.cache_clear()
        with pytest.raises(Exception, match=why):
            built(wsdl, "GetChanges", {"Since": CLOCK})


def test_a_binding_of_soap_12_makes_requests_of_it(tmp_path: Path) -> None:
    text = (HERE / "changes.wsdl").read_text().replace("wsdl/soap/", "wsdl/soap12/")
    (tmp_path / "changes.wsdl").write_text(text)
    (tmp_path / "changes.xsd").write_text((HERE / "changes.xsd").read_text())
    request = built(tmp_path / "changes.wsdl", "GetChanges", {"Since": CLOCK})
    assert etree.fromstring(request.envelope).tag == f"{{{SOAP_12}}}Envelope"
    assert request.headers["Content-Type"].startswith("application/soap+xml")


@pytest.mark.parametrize(("values", "why"), [({}, "Missing element Since"), ({"Sinc": "x"}, "Sinc")])
def test_values_that_do_not_fit_the_wsdl_are_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        built(HERE / "changes.wsdl", "GetChanges", values)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="since and changed come together"):
        replace(POLL, changed=None)
    with pytest.raises(ValueError, match="from zero on"):
        replace(POLL, window=-1)
    with pytest.raises(ValueError, match="need a format"):
        POLL.open("http://host", None)


# --- a file in place of the service ----------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [SOAP_11, SOAP_12, None])
def test_an_answer_as_a_file_stands_for_the_service(tmp_path: Path, space: str | None) -> None:
    body = f'<c:GetChangesResponse xmlns:c="{SPACE}" asOf="{CLOCK}">{item(1, "10:00")}</c:GetChangesResponse>'
    page = tmp_path / "answer.xml"
    page.write_bytes(body.encode() if space is None else enveloped(body, space))
    reads = list(POLL.offline(page, FORMAT))
    assert keys(reads) == [1]
    assert isinstance(reads[-1], Closing)
    more = body.replace("asOf", 'nextPage="2" asOf').encode()
    assert not any(isinstance(read, Closing) for read in POLL.offline(more, FORMAT))
    assert not any(isinstance(read, Closing) for read in POLL.offline(b"{", FORMAT))


def test_a_fault_as_a_file_is_refused_with_its_words() -> None:
    (read,) = POLL.offline(fault_12("Receiver", "later"), FORMAT)
    assert isinstance(read, BadRecord)
    assert read.reason == "the service failed (Receiver): later"
    (read,) = replace(POLL, limit=10).offline(b"x" * 11, FORMAT)
    assert isinstance(read, BadRecord)


async def test_the_service_is_read_while_it_changes(owner: Owner) -> None:
    """Items that change between two pages come once more, in the poll after at the latest."""
    owner.put(*((number, f"10:{number:02}") for number in range(1, 8)))

    async def slowly() -> AsyncIterator[Read]:
        service = POLL.open(owner.url, FORMAT)
        async for batch in service.batches(None):
            owner.put((1, "10:50"))
            last.append(batch.after)
            async for read in batch.records():
                yield read
        await service.close()

    last: list[Any] = []
    first = [read async for read in slowly()]
    second, _ = await poll(owner, last[-1])
    assert set(keys(first)) | set(keys(second)) == set(range(1, 8))
