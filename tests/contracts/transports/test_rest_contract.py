"""The common contract of transports, for REST in each of its styles, against a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import random
import resource
from typing import Any

import pytest
from contracts.transports.rest_service import (
    CLOCK,
    Reply,
    Request,
    Service,
    forget,
    format_of,
    poll,
    poll_until_down,
    records,
    served,
    transport,
    vouched,
)

from adapters.core import SourceDown

ALL = ("cursor", "page", "total", "link", "items")
SOON: dict[str, dict[str, Any]] = {style: {"again": 0.0} if style == "items" else {} for style in ALL}
"""Items that failed are asked again at once."""


def styled(style: str, count: int = 8) -> Service:
    forget()
    known = Service(style=style)
    for number in range(count):
        known.put(f"K{number}")
    return known


def latest(known: Service) -> set[tuple[str, int]]:
    return {(item["id"], item["number"]) for item in known.items.values()}


@pytest.mark.parametrize("style", ALL)
async def test_all_is_read_once_and_then_what_changed(style: str) -> None:
    async with served(styled(style)) as known:
        batches, positions = await poll(known.url, transport(style))
        assert sorted(records(batches)) == sorted(latest(known))
        assert vouched(batches) == [CLOCK]
        assert await poll(known.url, transport(style), positions[-1]) == ([], [])
        known.put("K3")
        known.put("K9")
        known.clock = "2025-03-15T05:00:00.000000Z"
        batches, _ = await poll(known.url, transport(style), positions[-1])
        assert records(batches) == [("K3", 9), ("K9", 10)]
        assert vouched(batches) == [known.clock]


@pytest.mark.parametrize("style", ALL)
async def test_it_resumes_at_every_position(style: str) -> None:
    async with served(styled(style)) as known:
        whole, positions = await poll(known.url, transport(style))
        for done, position in enumerate(positions, 1):
            rest, after = await poll(known.url, transport(style), position)
            assert records(whole[:done]) + records(rest) == records(whole)
            assert vouched(whole[:done]) + vouched(rest) == [CLOCK]
            assert (after or [position])[-1] == positions[-1]


@pytest.mark.parametrize("style", ALL)
async def test_a_batch_read_again_is_the_same(style: str) -> None:
    async with served(styled(style)) as known:
        connection = transport(style).open(known.url, format_of(style))
        async for batch in connection.batches(None):
            once = [read async for read in batch.records()]
            again = [read async for read in batch.records()]
            assert [(read.place, read.raw) for read in once] == [(read.place, read.raw) for read in again]
        await connection.close()


@pytest.mark.parametrize("style", ALL)
async def test_down_at_every_request_and_back(style: str) -> None:
    """The server goes away before each of its answers in turn: what was read before stands, the rest comes later."""
    known = styled(style)
    async with served(known):
        whole, _ = await poll(known.url, transport(style))
        requests = len(known.asked)
    for at in range(requests):
        forget()
        known.asked.clear()
        known.before = lambda request, at=at: Reply(b"x", cut=0) if len(known.asked) > at else None
        async with served(known):
            batches, positions, why = await poll_until_down(known.url, transport(style, **SOON[style]))
            position = (positions or [None])[-1]
            # of the last item alone nothing tells whether it or the service is at fault: it waits
            assert "broke off" in why or (style == "items" and position["waiting"])
        with pytest.raises(SourceDown, match="cannot be reached"):
            await poll(known.url, transport(style), position)
        known.before = lambda request: None
        async with served(known):
            rest, _ = await poll(known.url, transport(style), position)
        assert sorted(records(batches) + records(rest)) == sorted(records(whole))
        assert vouched(batches) + vouched(rest) == [CLOCK]


@pytest.mark.parametrize("style", ALL)
async def test_stopped_at_any_moment_nothing_is_lost(style: str) -> None:
    """The reading task is cancelled at any await; the last position that was handed out is gone on with."""
    async with served(styled(style)) as known:
        whole, _ = await poll(known.url, transport(style))
        for steps in range(1, 120, 7):
            forget()
            taken: list[Any] = []
            at: list[Any] = [None]

            async def read(taken: list[Any] = taken, at: list[Any] = at) -> None:
                connection = transport(style).open(known.url, format_of(style))
                try:
                    async for batch in connection.batches(None):
                        taken.append([read async for read in batch.records()])
                        at[0] = batch.after
                finally:
                    await connection.close()

            task = asyncio.create_task(read())
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            rest, _ = await poll(known.url, transport(style), at[0])
            assert sorted(records(taken) + records(rest)) == sorted(records(whole))


@pytest.mark.parametrize("style", ALL)
async def test_what_moves_while_pages_are_read_is_not_missed(style: str) -> None:
    """Items change and go between any two requests, so that pages shift; once all is quiet every last version is read.

    `ordered` is not said, so nothing rests on the order of the pages.
    """
    for seed in range(6):
        rng = random.Random(seed)
        known = styled(style, 15)
        known.second = 0  # all changes lie far apart, so that the overlap cannot hide what was missed
        for number in range(15):
            known.second += 3_000
            known.put(f"K{number}")

        def move(request: Request, known: Service = known, rng: random.Random = rng) -> None:
            if len(known.asked) < 40 and rng.random() < 0.6:
                key = rng.choice(sorted(known.items))
                if rng.random() < 0.3 and len(known.items) > 6:
                    del known.items[key]
                else:
                    known.put(key)

        known.after = move
        taken: list[Any] = []
        position: Any = None
        async with served(known):
            for turn in range(20):
                batches, positions, why = await poll_until_down(known.url, transport(style, overlap=0), position)
                assert not why or "shift faster" in why
                taken += batches
                position = (positions or [position])[-1]
                if turn > 15:
                    known.after = lambda request: None
        assert latest(known) <= set(records(taken)), f"seed {seed}"


async def test_a_service_that_gives_fewer_records_than_asked_for_is_read_to_its_end() -> None:
    async with served(styled("page")) as known:
        known.most = 2
        batches, _ = await poll(known.url, transport("page"))
        assert sorted(records(batches)) == sorted(latest(known))


@pytest.mark.parametrize("beyond", [400, 404, 416])
async def test_a_page_beyond_the_last_may_be_an_error(beyond: int) -> None:
    async with served(styled("page", 6)) as known:
        known.before = lambda request: Reply(b"", beyond) if request.query.get("page") == "3" else None
        batches, _ = await poll(known.url, transport("page"))
        assert sorted(records(batches)) == sorted(latest(known))


@pytest.mark.parametrize(
    ("body", "status", "headers", "why"),
    [
        (b"", 200, {}, "nothing"),
        (b"  \n", 200, {}, "nothing"),
        (b"<!DOCTYPE html><p>sign in", 200, {}, "HTML"),
        (b"sign in", 200, {"Content-Type": "text/html; charset=utf-8"}, "HTML"),
        (b'{"items": [{"id": "K', 200, {}, "cut short or no JSON"),
        (b'{"other": 1}', 200, {}, "no page of this interface"),
        (gzip.compress(b'{"items": []}', mtime=0)[:-12], 200, {"Content-Encoding": "gzip"}, "no page|broke off"),
        (b"\x00\xff" * 50, 200, {"Content-Encoding": "gzip"}, "broke off"),
        (b"", 500, {}, "answered 500"),
        (b"", 302, {"Location": "http://127.0.0.1:1/"}, "answered 302: it points to 127.0.0.1, and is not followed"),
        (b"", 401, {}, "answered 401: it does not take these credentials"),
        (b"", 403, {}, "answered 403"),
        (b"", 429, {"Retry-After": "7"}, "answered 429: too many requests; it asks to be left alone for 7 s"),
        (b"x" * 5_000, 200, {}, "more than 4000 bytes"),
    ],
)
@pytest.mark.parametrize("style", ALL)
async def test_garbage_is_a_source_down_in_words_and_loses_nothing(
    style: str, body: bytes, status: int, headers: dict[str, str], why: str
) -> None:
    async with served(styled(style)) as known:
        known.before = lambda request: Reply(body, status, headers)
        with pytest.raises(SourceDown, match=why):
            await poll(known.url, transport(style, limit=4_000))
        known.before = lambda request: None
        batches, _ = await poll(known.url, transport(style, limit=4_000))
        assert sorted(records(batches)) == sorted(latest(known))


async def test_a_packed_answer_is_read_whole_in_all_its_members() -> None:
    """gzip may come in several members (RFC 1952 section 2.2); one that is cut anywhere is no answer."""
    async with served(styled("cursor", 3)) as known:
        body = known._answer(Request("/v1/items", {}, {}, b"")).body
        packed = gzip.compress(body[:50], mtime=0) + gzip.compress(b"") + gzip.compress(body[50:])
        for cut in range(1, len(packed), 9):
            known.before = lambda request, cut=cut: Reply(packed[:cut], headers={"Content-Encoding": "gzip"})
            with pytest.raises(SourceDown, match=r"broke off|no page of this interface"):
                await poll(known.url, transport("cursor"))
        known.before = lambda request: Reply(packed, headers={"Content-Encoding": "gzip"})
        batches, _ = await poll(known.url, transport("cursor"))
        assert sorted(records(batches)) == sorted(latest(known))
        bomb = gzip.compress(b" " * 10**8, mtime=0)
        known.before = lambda request: Reply(bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(SourceDown, match="more than 1000000 bytes"):
            await poll(known.url, transport("cursor", limit=10**6))


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("style", ALL)
async def test_an_answer_cut_at_any_byte_is_sent_again_whole(style: str, length: bool) -> None:
    async with served(styled(style, 2)) as known:
        known.before = lambda request: None
        body = known._answer(Request("/v1/items", {}, {}, b"")).body
        for cut in range(0, len(body), 11):
            known.before = lambda request, cut=cut: Reply(body, cut=cut, length=length)
            with pytest.raises(SourceDown, match=r"broke off|no page of this interface"):
                await poll(known.url, transport(style))
        known.before = lambda request: None
        batches, _ = await poll(known.url, transport(style))
        assert sorted(records(batches)) == sorted(latest(known))


async def test_a_slow_service_is_waited_for_and_one_that_drips_is_not() -> None:
    async with served(styled("cursor", 2)) as known:
        body = known._answer(Request("/v1/items", {}, {}, b"")).body
        known.before = lambda request: Reply(body, drip=0.001)
        batches, _ = await poll(known.url, transport("cursor"))
        assert sorted(records(batches)) == sorted(latest(known))
        known.before = lambda request: Reply(body, drip=0.05)
        with pytest.raises(SourceDown, match=r"has not answered within 1 s"):
            await poll(known.url, transport("cursor", patience=1.0))
        known.before = lambda request: Reply(body, drip=5.0)
        with pytest.raises(SourceDown, match="does not answer: ReadTimeout"):
            await poll(known.url, transport("cursor", timeout=1.0))


@pytest.mark.parametrize(("answer", "entries"), [(b"", 0), (None, 3)])
async def test_no_content_is_no_change(answer: bytes | None, entries: int) -> None:
    async with served(styled("cursor", entries)) as known:
        _, positions = await poll(known.url, transport("cursor"))
        known.before = lambda request: Reply(b"", 204)
        assert await poll(known.url, transport("cursor"), positions[-1]) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("style", ["cursor", "items"])
async def test_a_hundred_megabytes_in_bounded_memory(style: str) -> None:
    known = styled(style, 0)
    filler = "x" * 100_000
    for number in range(1_000):
        known.put(f"K{number}", filler=filler if style == "cursor" else "")
    if style == "items":
        known.before = lambda request: (
            Reply.of({"case": known.items[request.path.rsplit("/", 1)[1]] | {"filler": filler}})
            if request.path.startswith("/v1/items/")
            else None
        )
    known.most = 20
    async with served(known):
        count, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        connection = transport(style, together=10) if style == "items" else transport(style)
        opened = connection.open(known.url, format_of(style))
        async for batch in opened.batches(None):
            count += len(records([[read async for read in batch.records()]]))
        await opened.close()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert count == 1_000
    assert grown < 60_000, f"{grown} KB more for 100 MB"


@pytest.mark.parametrize("style", ALL)
async def test_whatever_goes_wrong_every_last_version_is_read_in_the_end(style: str) -> None:
    """Answers fail in all ways, items change, the process dies with batches that it has not saved: random worlds."""
    for seed in range(6):
        rng = random.Random(f"{style} {seed}")
        known = styled(style, 7)
        ways = [
            Reply(b"{}", 500),
            Reply(b"{}", 503),
            Reply(b"{}", 429, {"Retry-After": "0"}),
            Reply(b"<html>", 200, {"Content-Type": "text/html"}),
            Reply(b"", 200),
            Reply(b'{"items": [', 200),
            Reply(b'{"items": []}', cut=5),
            Reply(b"{}", 401),
        ]

        def wrong(request: Request, known: Service = known, rng: random.Random = rng, ways: Any = ways) -> Reply | None:
            if rng.random() < 0.2:
                known.put(rng.choice(sorted(known.items)))
            return rng.choice(ways) if rng.random() < 0.25 else None

        known.before = wrong
        taken: list[Any] = []
        position: Any = None
        async with served(known):
            for turn in range(24):
                if turn == 16:
                    known.before = lambda request: None
                batches, positions, _ = await poll_until_down(known.url, transport(style, **SOON[style]), position)
                saved = len(positions) if turn >= 16 else rng.randint(0, len(positions))
                taken += batches[:saved]
                position = (positions[:saved] or [position])[-1]
                if rng.random() < 0.3:
                    forget()
        assert latest(known) <= set(records(taken)), f"seed {seed}"
        assert vouched(taken) == [CLOCK], f"seed {seed}"
