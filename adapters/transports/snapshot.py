"""A stage for full extracts: each is compared with the last one, and tells only what is new, changed, or gone.

`Snapshot` stands around a transport whose batches are whole extracts: files with a header and a trailer, or a view that
is read whole (`DatabaseExtract`). An extract is read twice. The first time its keys and digests go to this machine's
disk, until its end says that it is whole; then it is compared. The second time the rows that are new or changed are
passed on as they are, and those that are gone follow as `Gone`: the mapper makes a retraction of each. So the memory
that is used does not depend on the number of rows.

What an extract held is kept in the storage of the feed (`Keeps`), which goes with the feed to any machine; see
`snapshot_state`. The position holds the transport's own position, the names of what is kept, and what was refused.

**Refused whole**, once, and named as long as none was taken since: an extract that is not whole, that is older than
the last one, that has the number of the last one and other rows, that is empty, or that lost half of its rows. But for
the first, `accept` takes it all the same: it is set to what the reason says.

**Refused rows.** A row that cannot be read is told once, as long as it stays as it is. It never looks like a deletion:
where its key can be read, that row stays as it was; where not, nothing in the extract counts as gone. The same holds
for a key that stands twice with different contents. A row that stands twice alike counts once.

**Coverage.** A full extract vouches for nothing, because rows that were refused stand in it and are not read again:
the end of an extract is a note, no `Closing`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import orjson

from adapters.core import (
    BadRecord,
    Batch,
    Changed,
    Closing,
    Connection,
    Credentials,
    Defers,
    Format,
    Gone,
    Header,
    Json,
    Keeps,
    Met,
    Note,
    Read,
    Record,
    Resent,
    SourceDown,
    Storage,
    Transport,
    Watch,
    Watched,
    reread_by,
)
from adapters.fields import Fields
from adapters.transports.offline import opened
from adapters.transports.slices import BYTES, next_few
from adapters.transports.snapshot_state import (
    LEAST_CHANGES,
    MOST_RUNS,
    Change,
    Entry,
    Run,
    State,
    Totals,
    number_in,
    odd_key,
)

NUMBER = "@extract"
"""The field of a record's header that has the number of the extract: the record's revision."""
_SOME = 500
T = TypeVar("T")


def number_of(record: Record) -> int:
    """The number of the extract in which a row became what it is, for `Mapper.version`. Raises ValueError."""
    number = record.header.get(NUMBER)
    if not isinstance(number, int):
        raise ValueError("nothing says which extract the row stands in")
    return number


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The stage. `key`: the record's key, as the mapper has it. `keep`: the fields that a retraction is made of, those
    of the key among them. `ignore`: fields whose change is none.

    `sequence`: the number of an extract from the fields of its header and its name; it only grows. Without it, or where
    it gives None, extracts are numbered from 1, behind all that the storage has. `complete`: of an extract in several
    files, what is not whole by the notes of all of them; without it one closing has to be there. `least`: the share of
    the last one's rows that an extract has to have more of; `few`: rows that may always be missing. `accept`: takes one
    extract that was refused, named as the reason names it.
    """

    inner: Transport
    key: Callable[[Fields], str]
    keep: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    sequence: Callable[[Mapping[str, Any], str], int | None] | None = None
    complete: Callable[[Sequence[Note]], Iterable[str]] | None = None
    least: float = 0.5
    few: int = 3
    accept: str = ""

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Extracts:
        """The inner transport's source. Raises what that raises."""
        return Extracts(self.inner.open(url, format, credentials), self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """An extract with nothing before it; of a tar archive its members, each an extract, in their order."""
        state, memory = State(None), _Memory()
        try:
            for name, member in _members(source):
                extract = _Extract(self, state, name)
                extract.take(self.inner.offline(member, format))
                passed = extract.judge(memory, None)
                if passed is not None:
                    yield passed.read
                    continue
                run = extract.compare(memory, [])
                yield from extract.passed_on(self.inner.offline(member, format))
                yield from extract.at_the_end()
                state.end()
                state.apply(run.names(), [part[1] for place in range(len(run.digests)) if (part := state.part(place))])
                memory = memory.beyond(extract, run)
        finally:
            state.close()

    def reread_by(self, part: object, raw: bytes, met: Met) -> Iterator[Read]:
        """A row again, with the number of its extract; one that was gone, from what was kept of it."""
        first, _, rest = (met.context or b"").partition(b"\n")
        header = _header(first)
        if header is None:
            reason = "nothing says which extract it stood in: read its file again"
            yield BadRecord(reason, place=met.place, raw=raw)
            return
        kept = _kept(raw)
        if kept is not None:
            yield Gone(met.place, raw, kept, header)
            return
        for read in reread_by(part, raw, Met(met.place, rest or None, met.ordinal)):
            yield replace(read, header={**read.header, **header}) if isinstance(read, Record) else read


def _header(line: bytes) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return {NUMBER: fields[NUMBER]} if isinstance(fields, dict) and NUMBER in fields else None


def _kept(raw: bytes) -> dict[str, Any] | None:
    """The fields of a row that was gone; None if it is a row as the source has it."""
    if not raw.startswith(_GONE):
        return None
    try:
        fields = orjson.loads(raw)["gone"]
    except orjson.JSONDecodeError:
        return None
    return dict(fields)


_GONE = b'{"gone":{'
_AGAIN = "again"
_MOST_NOTES = 10_000
_MOST_REFUSED = 100
"""So many refused extracts are named and can be accepted, the last ones."""


def _members(source: Path | bytes) -> Iterator[tuple[str, Path | bytes]]:
    with opened(source) as stream:
        if stream.peek(512)[257:262] != b"ustar":
            yield "the extract", source
            return
        try:
            with tarfile.open(fileobj=stream) as members:
                for each in members:
                    if (member := members.extractfile(each)) is not None:
                        yield each.name, member.read()
        except (tarfile.TarError, EOFError, ValueError):
            yield "the archive", b""


# --- the position ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Memory:
    """The position, unpacked."""

    inner: Json = None
    sequence: int | None = None  # of the last extract, as its owner counts
    number: int = 0  # of the last extract, as its rows are numbered
    rows: int = 0
    content: str | None = None  # of the last extract
    runs: tuple[Run, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()  # since the last one that was taken: what was refused, and the words
    back: Json = None  # the transport's own position before the first of those

    @classmethod
    def of(cls, position: Json | None) -> _Memory:
        if position is None:
            return cls()
        return cls(
            position["inner"],
            position["sequence"],
            position["number"],
            position["rows"],
            position["content"],
            tuple(Run(number, changes, tuple(digests)) for number, changes, digests in position["runs"]),
            tuple((name, words) for name, words in position["refused"]),
            position["back"],
        )

    def position(self) -> Json:
        return {
            "inner": self.inner,
            "sequence": self.sequence,
            "number": self.number,
            "rows": self.rows,
            "content": self.content,
            "runs": [[run.number, run.changes, list(run.digests)] for run in self.runs],
            "refused": [list(each) for each in self.refused],
            "back": self.back,
        }

    def without(self, name: str, words: str) -> _Memory:
        """Once an extract is refused."""
        refused = (*self.refused, (name, words))[-_MOST_REFUSED:]
        return replace(self, refused=refused, back=self.back if self.refused else self.inner)

    def kept(self) -> list[str]:
        """The names of everything in the storage that the state is made of."""
        return [name for run in self.runs for name in run.names()]

    def crowded(self, changes: int) -> bool:
        """Whether a run of all rows comes next."""
        if not self.runs:
            return True
        gathered = changes + sum(run.changes for run in self.runs[1:])
        return len(self.runs) >= MOST_RUNS or gathered > max(self.runs[0].changes, LEAST_CHANGES)

    def beyond(self, extract: _Extract, run: Run) -> _Memory:
        """Once the extract is done."""
        runs = (run,) if extract.whole_run else (*self.runs, run) if run.digests else self.runs
        sequence = extract.sequence if extract.sequence is not None else self.sequence
        return _Memory(
            self.inner, sequence, max(run.number, self.number), extract.totals.rows, extract.digest, runs, ()
        )


# --- an extract --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Passed:
    """An extract of which no row goes on: what is said of it instead, and why it is refused, if it is."""

    read: Read
    why: str = ""


@dataclass(slots=True)
class _Extract:
    """One extract: taken in, judged, compared, passed on."""

    options: Snapshot
    state: State
    name: str
    opening: Header | None = None
    closing: list[Closing] = field(default_factory=list)
    said: list[Note] = field(default_factory=list)  # where they say together whether it is whole
    resent: Resent | None = None
    last: BadRecord | None = None  # behind which there is no row
    taken: int = 0
    keyless: int = 0
    sequence: int | None = None
    number: int = 0
    whole_run: bool = False
    totals: Totals = field(default_factory=Totals)
    _checked: bool = False
    _sum: int = 0
    _pending: list[Change] = field(default_factory=list)
    _at: int = 0  # the ordinal of the next read that is passed on

    def __post_init__(self) -> None:
        self.state.begin()

    @property
    def digest(self) -> str:
        """Of the rows, whatever their order."""
        return f"{self._sum:016x}"

    # the first time

    def take(self, reads: Iterable[Read]) -> None:
        """The next reads."""
        entries: list[Entry] = []
        present: list[bytes] = []
        for read in reads:
            ordinal, self.taken = self.taken, self.taken + 1
            if isinstance(read, Note):
                self._note(read)
                continue
            self.last = read if isinstance(read, BadRecord) else None
            key, mark = self.key_of(read)
            if isinstance(read, Record) and key is not None:
                entries.append(Entry(ordinal, key, mark, self._kept(read, key)))
            else:
                entries.append(Entry(ordinal, odd_key(mark), b"", b"{}"))
                self.keyless += key is None
                present += [key] if key is not None else []
            self._sum = (self._sum + int.from_bytes(mark)) % 2**64
            if len(entries) >= _SOME:
                self.state.add(entries, present)
                entries, present = [], []
        self.state.add(entries, present)

    def _note(self, note: Note) -> None:
        if isinstance(note, Header):
            self.opening = self.opening or note
        elif isinstance(note, Closing):
            self.closing.append(note)
            self.last = None
        elif isinstance(note, Resent):
            self.resent = note
        if self.options.complete is not None and isinstance(note, Header | Closing) and len(self.said) < _MOST_NOTES:
            self.said.append(note)

    def key_of(self, read: Record | BadRecord) -> tuple[bytes | None, bytes]:
        """The key of a row, None where it cannot be read, and the digest of what is compared."""
        if isinstance(read, BadRecord):
            key = read.record
            return _spelled(key) if key else None, _mark(read.raw + read.reason.encode("utf-8", "replace"))
        try:
            key = self.options.key(Fields(read.fields))
        except ValueError:
            return None, _mark(read.raw)
        if not key:
            return None, _mark(read.raw)
        ignored = self.options.ignore
        fields = {name: value for name, value in read.fields.items() if name not in ignored}
        try:
            return _spelled(key), _mark(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS, default=str))
        except TypeError:  # numbers of more than 64 bits, characters that UTF-8 does not have
            return _spelled(key), _mark(repr(sorted(fields.items(), key=repr)).encode("utf-8", "surrogatepass"))

    def _kept(self, record: Record, key: bytes) -> bytes:
        fields = {name: _plain(record.fields.get(name)) for name in self.options.keep}
        kept = orjson.dumps(fields)
        if not self._checked:
            self._checked = True
            if _spelled(self.options.key(Fields(orjson.loads(kept)))) != key:
                raise ValueError("the fields that are kept do not give the key: a row that is gone could not be named")
        return kept

    # judged

    def judge(self, memory: _Memory, token: str | None) -> _Passed | None:
        """None if the extract is to be compared; else what to say of it. `token`: what `accept` may be set to."""
        self.totals = self.state.gather()
        if self.resent is not None and not self.totals.rows and not self.closing:
            return _Passed(self.resent)
        if self.options.complete is not None:
            if wrong := "; ".join(self.options.complete(self.said)):
                return self._refused(f"it is not whole: {wrong}")
        elif len(self.closing) != 1 or self.last is not None:
            why = "it is not whole" if len(self.closing) < 2 else f"{len(self.closing)} extracts in one batch"
            return self._refused(f"{why}: {self.last.reason}" if self.last is not None else why)
        if self.options.sequence is not None:
            try:
                header = self.opening.fields if self.opening is not None else {}
                self.sequence = self.options.sequence(header, self.name)
            except (ValueError, KeyError, TypeError) as error:
                return self._refused(f"nothing says which extract it is: {error}")
        token = token or f"{self.totals.rows} rows"
        why = self._suspicious(memory)
        if why == _AGAIN:
            return _Passed(Resent(self.name, b"", {"read as": f"extract {self.sequence}"}))
        if why and self.options.accept != token:
            return self._refused(f"{why}; accept = {token!r} takes it all the same")
        return None

    def _suspicious(self, memory: _Memory) -> str:
        """What is wrong with it beside the one before; nothing if nothing is."""
        if not memory.runs:
            return ""
        rows, before = self.totals.rows, memory.rows
        if self.sequence is not None and memory.sequence is not None and self.sequence <= memory.sequence:
            if self.sequence == memory.sequence and self.digest == memory.content:
                return _AGAIN
            older = "is older than" if self.sequence < memory.sequence else "has other rows than the"
            return f"extract {self.sequence} {older} {memory.sequence}, which is done"
        if before and not rows:
            return f"it is empty, and the one before had {before} rows"
        if rows <= before * self.options.least and before - rows > self.options.few:
            return f"it has {rows} rows, and the one before had {before}"
        return ""

    def _refused(self, why: str) -> _Passed:
        raw = self.opening.raw if self.opening is not None else b""
        return _Passed(BadRecord(f"the extract is refused whole: {why}", place="the extract", raw=raw[:4096]), why)

    # compared

    def compare(self, memory: _Memory, broken: Sequence[str]) -> Run:
        """What the extract changes, as a run that is to be kept. `broken`: names of runs that were broken off; what
        they say is in the state's doubts.
        """
        number = max(self.sequence or 0, memory.number + 1)
        if broken:
            numbers = {number_in(name) for name in broken}
            first = min(numbers)
            if first == number or (self.sequence is None and len(numbers) == 1):
                run = self._worked_out(memory, first, doubts=False)
                same = set(run.names())
                if all(name in same for name in broken if number_in(name) == first):
                    return run
            number = max(number, *(each + 1 for each in numbers))
        return self._worked_out(memory, number, doubts=bool(broken))

    def _worked_out(self, memory: _Memory, number: int, *, doubts: bool) -> Run:
        self.number = number
        self.state.compare(number, deletions=not self.keyless, doubts=doubts)
        self.totals = self.state.count(self.totals)
        changes = self.totals.new + self.totals.changed + self.totals.gone
        self.whole_run = memory.crowded(changes)
        run = self.state.write(number, whole=self.whole_run)
        self.state.index()
        return run

    def notes(self) -> Iterator[str]:
        """What is left for later, in words."""
        if self.keyless and self.totals.absent:
            yield (
                f"{self.name}: {self.totals.absent} rows are not in it and do not count as gone, "
                f"because the key of {self.keyless} others cannot be read"
            )

    # the second time

    def opening_note(self) -> Header:
        """What stands before the rows: the number of the extract, in front of the header that it has."""
        totals = self.totals
        header = self.opening.fields if self.opening is not None else {}
        fields = {
            **{name: _plain(value) for name, value in header.items()},
            NUMBER: self.number,
            "rows": totals.rows,
            "new": totals.new,
            "changed": totals.changed,
            "gone": totals.gone,
            "refused": totals.refused,
            "twice": totals.twice,
            "absent": totals.absent,
        }
        raw = orjson.dumps(fields) + b"\n" + (self.opening.raw if self.opening is not None else b"")
        place = self.opening.place if self.opening is not None else "the extract"
        return Header(place, raw, fields)

    def passed_on(self, reads: Iterable[Read]) -> Iterator[Read]:
        """Of the next reads those that are new or changed. Raises SourceDown if the extract is not what it was."""
        if self._at == 0:
            self._pending = self.state.changes(-1)
            yield self.opening_note()
        for read in reads:
            at, self._at = self._at, self._at + 1
            if self._pending and self._pending[0].ordinal == at:
                yield self._one(read, self._pending.pop(0))
                self._pending = self._pending or self.state.changes(at)
            if not self._pending:
                return

    def again(self) -> None:
        """Begin to pass on anew."""
        self._at, self._pending = 0, []

    @property
    def through(self) -> bool:
        """Whether nothing more is to come of the rows."""
        return self._at > 0 and not self._pending

    def _one(self, read: Read, change: Change) -> Read:
        if isinstance(read, Note):
            raise SourceDown(f"{self.name} became another while it was read")
        key, mark = self.key_of(read)
        if isinstance(read, Record) and key == change.key and mark == change.digest:
            kind = Changed if change.before else Record
            return kind(read.place, read.raw, read.fields, {**read.header, NUMBER: change.number}, read.number)
        if isinstance(read, Record) and key is not None and change.key == odd_key(_mark(key + mark)):
            reason = "its key stands twice in the extract, with different contents"
            return BadRecord(reason, place=read.place, raw=read.raw, record=_text(key))
        if change.key != odd_key(mark):
            raise SourceDown(f"{self.name} became another while it was read")
        return replace(read, header={**read.header, NUMBER: change.number}) if isinstance(read, Record) else read

    def at_the_end(self) -> Iterator[Read]:
        """The rows that are gone, and the end of the extract."""
        if self._at == 0:
            yield self.opening_note()
        if self._pending:
            raise SourceDown(f"{self.name} became another while it was read")
        key = b""
        while rows := self.state.gone(key):
            key = rows[-1][0]
            for _, kept, number in rows:
                raw = b'{"gone":' + kept + b"}"
                yield Gone(f"gone since extract {number}", raw, orjson.loads(kept), {NUMBER: number})
        if not self.closing:
            return
        closing = self.closing[-1]
        yield Note(closing.place, b"", {name: _plain(value) for name, value in closing.fields.items()})


def _spelled(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass").replace(b"\0", b"\1")


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")[:200]


def _mark(content: bytes) -> bytes:
    return blake2b(content, digest_size=8).digest()


def _plain(value: Any) -> Any:
    """A value as it can be kept; what cannot be read is not."""
    return value if value is None or isinstance(value, bool | int | str) else str(value)


# --- the connection ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Extracts:
    """An opened source of full extracts."""

    inner: Connection
    options: Snapshot
    storage: Storage = field(default_factory=lambda: InMemory())
    left: list[str] = field(default_factory=list)
    states: list[State] = field(default_factory=list)  # of the batches that may still be read

    def keep_in(self, storage: Storage) -> None:
        """What the extracts held is kept there."""
        self.storage = storage
        if isinstance(self.inner, Keeps):
            self.inner.keep_in(storage)

    def watch(self, before: Watch | None) -> Watch | None:
        """Have the source watched, if it can be."""
        return self.inner.watch(before) if isinstance(self.inner, Watched) else None

    def deferred(self) -> list[str]:
        """What the transport left, the extracts that are refused, and the rows that do not count as gone."""
        inner = self.inner.deferred() if isinstance(self.inner, Defers) else ()
        return [*inner, *self.left]

    async def close(self) -> None:
        """Let go of the source, and of this machine's copy of the state."""
        for state in [*self.states]:
            await self._let_go(state)
        await self.inner.close()

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each extract, as it was compared. Raises SourceDown."""
        memory = _Memory.of(position)
        self.left = [words for _, words in memory.refused]
        if self.options.accept in dict(memory.refused):  # it lies behind what was read since
            memory = replace(memory, inner=memory.back)
        async for batch in self.inner.batches(memory.inner):
            if batch.content in dict(memory.refused) and self.options.accept != batch.content:
                memory = replace(memory, inner=batch.after)
                continue
            state = await self._current(memory)
            extract = await _within(state, _Extract, self.options, state, batch.name)
            passed = await self._judged(batch, extract, memory)
            if passed is None:
                run = await self._compared(extract, memory)
                memory = replace(memory.beyond(extract, run), inner=batch.after)
                self.left = [*extract.notes()]
                yield self._batch(batch, extract, memory, run)
                continue
            await self._let_go(state)
            name = batch.content if batch.content is not None else passed.why
            known = name in dict(memory.refused)
            if passed.why and not known:
                words = f"{batch.name}: {passed.why}"
                self.left.append(words)
                memory = memory.without(name, words)
            memory = replace(memory, inner=batch.after)
            yield replace(batch, records=_alone() if known else _alone(passed.read), after=memory.position())

    async def _judged(self, batch: Batch, extract: _Extract, memory: _Memory) -> _Passed | None:
        async with aclosing(_several(batch.records())) as reads:
            async for some in reads:
                await _within(extract.state, extract.take, some)
        return await _within(extract.state, extract.judge, memory, batch.content)

    async def _compared(self, extract: _Extract, memory: _Memory) -> Run:
        """The extract as a run, which is in the storage when this returns: before any of its events is out."""
        state, kept = extract.state, set(memory.kept())
        broken = [name for name in await self.storage.names() if name not in kept and number_in(name) > memory.number]
        for name in sorted(broken):
            await _within(state, state.doubt, await self._part(name))
        run = await _within(state, extract.compare, memory, broken)
        await _within(state, state.end)
        for place in range(len(run.digests)):
            part = await _within(state, state.part, place)
            if part is not None and part[0] not in broken:
                await self.storage.keep({part[0]: part[1]})
        return run

    async def _current(self, memory: _Memory) -> State:
        """This machine's copy of the state, as the position has it: gone on with, or made anew."""
        directory = self.storage.directory
        state = await _locally(State, directory / "state.db" if directory is not None else None)
        self.states.append(state)
        wanted = [run.names() for run in memory.runs]
        held = await _within(state, state.runs)
        if held != wanted[: len(held)]:
            await _within(state, state.clear)
            held = []
        for names in wanted[len(held) :]:
            await self._apply(state, names)
        return state

    async def _apply(self, state: State, names: Sequence[str]) -> None:
        """One run, a part at a time: what was applied when that broke off is nothing."""
        await _within(state, state.begin_run)
        for name in names:
            await _within(state, state.add_part, await self._part(name))
        await _within(state, state.end_run, names)

    async def _part(self, name: str) -> bytes:
        try:
            return await self.storage.load(name)
        except KeyError:
            raise SourceDown(
                f"what the last extract held is not in the storage: {name} is missing; the bus has lost it, or another"
                " has written in its place: see who may write visabus.extracts; `visabus feeds rewind` reads all anew"
            ) from None

    async def _let_go(self, state: State) -> None:
        if state in self.states:
            self.states.remove(state)
            await _within(state, state.close)

    def _batch(self, batch: Batch, extract: _Extract, memory: _Memory, run: Run) -> Batch:
        state = extract.state

        async def records() -> AsyncIterator[Read]:
            extract.again()
            async with aclosing(_several(batch.records())) as reads:
                async for some in reads:
                    for read in await _within(state, _all, extract.passed_on, some):
                        yield read
                    if extract.through:
                        break
            ending = extract.at_the_end()
            more = True
            while more:
                few, more = await _within(state, next_few, ending, _SOME)
                for read in few:
                    yield read

        async def done() -> None:
            if batch.done is not None:
                await batch.done()
            await self._let_go(state)
            kept = set(memory.kept())
            names = await self.storage.names()
            if stale := [name for name in names if name not in kept and number_in(name) <= memory.number]:
                await self.storage.drop(stale)

        content = _mark("".join((batch.content or "", str(run.number), *run.names())).encode()).hex()
        return Batch(batch.name, records, memory.position(), done, content)


async def _locally(call: Callable[..., T], *arguments: Any) -> T:
    """What a call returns that works on this machine's disk, made in a thread. Raises SourceDown."""
    try:
        return await asyncio.to_thread(call, *arguments)
    except (sqlite3.Error, OSError) as error:
        raise SourceDown(f"the rows cannot be compared on this machine: {error}") from error


async def _within(state: State, call: Callable[..., T], *arguments: Any) -> T:
    """The same with a state, which nothing else uses meanwhile."""

    def alone() -> T:
        with state.turn:
            return call(*arguments)

    return await _locally(alone)


def _all(call: Callable[..., Iterator[Read]], *arguments: Any) -> list[Read]:
    return list(call(*arguments))


async def _several(reads: AsyncIterator[Read]) -> AsyncGenerator[list[Read], None]:
    some: list[Read] = []
    size = 0
    async for read in reads:
        some.append(read)
        size += len(read.raw)
        if len(some) == _SOME or size >= BYTES:
            yield some
            some, size = [], 0
    yield some


def _alone(*reads: Read) -> Callable[[], AsyncIterator[Read]]:
    async def records() -> AsyncIterator[Read]:
        for read in reads:
            yield read

    return records


@dataclass(slots=True)
class InMemory:
    """A storage that lasts as long as it is held: of what is opened without one."""

    values: dict[str, bytes] = field(default_factory=dict)
    directory: Path | None = None

    async def names(self) -> list[str]:
        """All names."""
        return list(self.values)

    async def load(self, name: str) -> bytes:
        """The value. Raises KeyError."""
        return self.values[name]

    async def keep(self, values: Mapping[str, bytes]) -> None:
        """Keep them."""
        self.values.update(values)

    async def drop(self, names: Sequence[str]) -> None:
        """Forget them."""
        for name in names:
            self.values.pop(name, None)
