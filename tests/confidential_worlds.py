"""Two worlds that differ by what the law keeps confidential, driven by the same steps, and every way out of a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

import httpx
import jwt
import orjson
from correlation import Driver
from populations import again, bytes_of, world_of

from schemas.events import AnyEvent, Decision, Handling, Operation, PersonEvent
from schemas.identifiers import Identifier
from services.api.answers import SEARCHABLE
from services.api.app import create_app
from services.api.tokens import Trust, shared_secret
from services.audit import AuditKeys, open_audit
from services.correlator.changes import unpack_changes
from services.correlator.deadlines import fire_due
from services.domain.accounting import Report
from services.domain.coverage import coverage_of_joined
from services.domain.facts import MICRO, fact_of
from services.domain.history import history_of
from services.export import lines
from services.keyring import Keyring
from services.matches import possible
from services.store import Store, open_store

_KEYS = AuditKeys(Keyring.of(b"s" * 32), Keyring.of(b"n" * 32))
SECRET = b"a secret of the tests, 32 bytes or more"
FIRST, LAST = 1_704_000_000, 1_790_000_000
Ref = tuple[str, str]


@dataclass
class Worlds:
    """Batches of events: all of them, those that may be told, all with hidden records taken back openly."""

    whole: list[list[AnyEvent]] = field(default_factory=list)
    open: list[list[AnyEvent]] = field(default_factory=list)
    taken_back: list[list[AnyEvent]] = field(default_factory=list)
    hidden: set[Ref] = field(default_factory=set)
    late: bool = False  # whether something was open before it was hidden


def worlds_of(seed: int, *, share: float = 0.3, late: bool = True, first: int = 0) -> Worlds:
    """Worlds of a seed. Of some records the marks come with all versions, with a later one, or the retraction.

    `first`: where its numbers begin.
    """
    rng = Random(seed)
    events, _ = world_of(seed, torn=bool(seed % 2), first=first)
    records = sorted({(one.system, one.record) for one in events if isinstance(one, PersonEvent)})
    fates = {}
    for record in records:
        if rng.random() < share:
            fates[record] = rng.choice(["always", "later", "retraction", "corrected"] if late else ["always"])
    steps: list[tuple[AnyEvent | None, AnyEvent | None, AnyEvent | None]] = []
    for one in events:
        fate = fates.get((one.system, one.record))
        if fate is None or not isinstance(one, PersonEvent):
            gone = isinstance(one, Decision) and any((ref.system, ref.record) in fates for ref in (one.one, one.other))
            steps.append((one, None if gone else one, one))
        elif fate == "always":
            steps.append((_marked(one, rng), None, None))
        else:
            steps.append((one, None, one))
    worlds = Worlds(hidden=set(fates), late=any(fate != "always" for fate in fates.values()))
    rng.shuffle(steps)
    for record, fate in sorted(fates.items()):
        mine = [one for one in events if (one.system, one.record) == record and isinstance(one, PersonEvent)]
        if fate == "always":
            continue
        last = max(mine, key=lambda one: one.revision.number)
        number = last.revision.number + 1
        # anywhere among the others, also before what it replaces
        later = again(last, number=number, operation=Operation.ASSERT, handling=(rng.choice(list(Handling)),))
        back = again(last, number=number, operation=Operation.RETRACT, handling=())
        if fate == "retraction":
            later = again(last, number=number, operation=Operation.RETRACT, handling=(rng.choice(list(Handling)),))
        steps.insert(rng.randrange(len(steps) + 1), (later, None, back))
        if fate == "corrected":  # the last that is known of it is a retraction without a mark, of what has one
            last_word = again(last, number=number + 1, operation=Operation.RETRACT, handling=())
            steps.insert(rng.randrange(len(steps) + 1), (last_word, None, back))
    while steps:
        size = rng.choice((1, 2, 5, 20, 60))
        batch, steps = steps[:size], steps[size:]
        for at, place in enumerate((worlds.whole, worlds.open, worlds.taken_back)):
            place.append([step[at] for step in batch if step[at] is not None])
    return worlds


def _marked(event: PersonEvent, rng: Random) -> PersonEvent:
    return event.model_copy(update={"handling": (rng.choice(list(Handling)),)})


@dataclass
class Heard:
    """A store that heard a world, and what it told on the plain topic and on the confidential one."""

    store: Store
    directory: Path
    plain: list[bytes] = field(default_factory=list)
    confidential: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def heard(directory: Path, batches: Sequence[Sequence[AnyEvent]]) -> AsyncIterator[Heard]:
    """A store that heard batches, a clock going on with each; all is resolved and told after each."""
    directory.mkdir()  # noqa: ASYNC240 - nothing else runs
    store = await open_store(f"sqlite:///{directory}/store.db")
    result = Heard(store, directory)
    driver = Driver(store.writer)
    try:
        for number, batch in enumerate(batches):
            driver.now = FIRST + (number + 1) * (LAST - FIRST) // len(batches)
            if batch:
                await driver.append(bytes_of(list(batch)))
            await driver.finish()
            async with store.writer.begin() as tx:
                while await fire_due(tx, 3, driver.now, coverage_of_joined(await tx.coverage())):
                    pass
                for row, blob, confidential in await tx.changes(100_000):
                    (result.confidential if confidential else result.plain).extend(unpack_changes(blob))
                    await tx.delete_changes([row])
        yield result
    finally:
        await store.close()


def numbers_of(worlds: Worlds) -> list[str]:
    """Paths of all whom anybody could ask for, with persons and numbers that nobody has."""
    facts = [fact_of(raw) for batch in worlds.whole for raw in bytes_of(batch)]
    texts = sorted({text for fact in facts for text in fact.identifiers if text.split("/")[0] in SEARCHABLE})
    paths = [f"/v1/status/{text}" for text in map(_asked, texts) if text]
    handles = sorted({fact.handle.hex() for fact in facts if fact.claim is not None})
    return [*paths, *(f"/v1/persons/{each}" for each in handles), f"/v1/persons/{'0' * 32}", "/v1/status/i94/9"]


def _asked(text: str) -> str:
    identifier = Identifier.parse(text)
    issued = identifier.scheme.value in ("passport",)
    return f"{identifier.scheme.value}/{identifier.issuer + '/' if issued else ''}{identifier.value}"


async def answers_of(world: Heard, paths: Sequence[str], rng: Random) -> dict[str, object]:
    """All that who lacks the right is told, by way out; ids of requests left out, which are random."""
    as_of = rng.randrange(FIRST, LAST)
    known_at = rng.randrange(FIRST, LAST)
    out: dict[str, object] = {}
    for name, options in {
        "now": {}, "as of": {"as_of": as_of}, "known at": {"known_at": known_at * MICRO},
    }.items():  # fmt: skip
        async with aclosing(lines(world.store.reads, **options)) as export:
            out[f"export {name}"] = [line async for line in export]
    async with aclosing(possible(world.store.reads)) as matches:
        out["matches"] = [asdict(match) async for match in matches]
    report = Report(2024, as_of, await world.store.reads.coverage())
    async for line in world.store.reads.histories():
        report.add(history_of(line))
    async for pool in world.store.reads.all_pools():
        report.count(pool.facts.values())
    out["report"] = orjson.dumps(report.as_json())
    now = datetime.fromtimestamp(LAST, UTC)
    audit = await open_audit(f"sqlite+aiosqlite:///{world.directory}/audit.db", _KEYS, lambda: now)
    seconds = count(step=60)  # so that no caller is slowed down
    trust, reads = Trust("https://issuer.example", "visabus", shared_secret(SECRET)), world.store.reads
    app = create_app(trust, reads, audit, lambda: now, elapsed=lambda: float(next(seconds)))
    then, as_known = f"as_of={_written(as_of)}", f"known_at={_written(known_at)}"
    instants = ("", f"?{then}", f"?{as_known}", f"?{then}&{as_known}")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://visabus.example") as client:
        for path in rng.sample(paths, min(20, len(paths))):
            for each in (path, f"{path}/timeline" if "persons" in path else path.replace("status", "timeline")):
                for when in instants:
                    response = await client.get(f"{each}{when}", headers=_HEADERS)
                    number = response.headers["visabus-request"].encode()
                    headers = [(name, value.replace(number, b"-")) for name, value in response.headers.raw]
                    out[f"GET {each}{when}"] = (response.status_code, headers, response.content.replace(number, b"-"))
    rows = [row async for row in audit.rows()]
    out["audit"] = [(row.looked_up, row.result, row.persons, row.reason) for row in rows]
    await audit.close()
    return out


def _written(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")


def _token() -> str:
    body = {
        "iss": "https://issuer.example", "aud": "visabus", "sub": "officer-7", "azp": "portal", "iat": LAST,
        "nbf": LAST, "exp": LAST + 600, "scope": "status:read timeline:read", "purposes": ["admission"],
    }  # fmt: skip
    return jwt.encode(body, SECRET, "HS256", {"typ": "at+jwt"})


_HEADERS = {"authorization": f"Bearer {_token()}", "visabus-purpose": "admission"}


def folded(changes: Sequence[bytes]) -> dict[str, object]:
    """What a subscriber holds of each person at the end; numbers have no gap."""
    state: dict[str, dict[str, object]] = {}
    for body in changes:
        change = orjson.loads(body)
        before = state.get(change["person"], {"sequence": 0})
        assert change["sequence"] == before["sequence"] + 1
        state[change["person"]] = change
    return {
        person: {name: change[name] for name in ("outcome", "reason", "rule", "citation", "evidence", "stay")}
        for person, change in state.items()
        if not change["ended"]
    }
