"""Zip archives of whoever writes them: member by member, in little memory, and no bomb is ever unpacked."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from typing import IO, BinaryIO, NamedTuple, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo, is_zipfile

from adapters.core import BadRecord, Closing, Format, Header, Note, Outside, Read, ReadsTogether, Record

MEMBERS = 1_000
RATIO = 200
"""So many times as large as packed a member may be: markup packs to a tenth or a thirtieth, bombs to a thousandth."""
FREE = 2**20
"""So many bytes of a member are free of the ratio: small ones that say little pack well."""
KEPT = 2**25
"""So many bytes of an archive's refused members are kept with them, packed as they are; the rest is in the archive."""
TOGETHER = 2**25
"""So many bytes have the members of an archive that are read together."""
SMALL = 2**20
"""Bytes up to which a member is unpacked once and kept until it is read."""
_BLOCK = 2**16
_DIRECTORY = 2**20  # bytes that the archive's directory may have; zipfile takes it in one read
_HEAD = b"PK"
_NESTED = b"PK\x03\x04"
_LISTED = b"PK\x01\x02"
_ENCRYPTED = 0x1
_LOCAL = struct.Struct("<26xHH")
"""What stands before a member's bytes, as far as its name and extras, whose lengths come last."""
_BEGIN = struct.Struct("<4s2xHH16xHH")
"""The same with its signature, flags and method."""
_ENTRY = struct.Struct("<4s2xHHH4xLLLHHHH6xL")
"""What an archive's directory says of a member, before its name: signature, version, flags, ..., place."""
_END = struct.pack("<4sHHHH", b"PK\x05\x06", 0, 0, 1, 1)
"""How the end of an archive begins that has one member."""
_LARGE = b"PK\x06\x07"
"""What stands twenty bytes before the end of an archive with sizes of eight bytes."""
_PLACE = struct.Struct("<LLH")
"""What stands behind that: how long the directory is, where it begins, and how long a comment is."""
_LATEST = 63
"""The version of the format that zipfile reads at the most."""
_USUAL = 0x80E
"""Flags that change nothing: how hard it was packed, sizes told behind the bytes, a name in UTF-8."""
UNREADABLE = (
    BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, struct.error, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip
"""What the standard library raises for bytes that are no archive, or not quite."""


class Bounded:
    """A stream that ends where it becomes too long or cannot be unwrapped, and remembers why.

    What was unwrapped before the end is given: `read` of `gzip.GzipFile` drops it with the error, `read1` does not.
    """

    def __init__(self, stream: BinaryIO | IO[bytes], limit: int) -> None:
        self._piece = getattr(stream, "read1", stream.read)
        self._limit = limit
        self.taken = 0
        self.problem: str | None = None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none once there is a problem."""
        if self.problem is not None:
            return b""
        allowed = self._limit - self.taken + 1
        wanted = allowed if size < 0 else min(size, allowed)
        data = b"".join(self._pieces(wanted))
        self.taken += len(data)
        if self.taken > self._limit:
            self.problem = f"more than {self._limit} bytes unwrapped"
            return b""
        return data

    def _pieces(self, wanted: int) -> Iterator[bytes]:
        """So many bytes, fewer at the end or before what cannot be unwrapped."""
        try:
            while wanted > 0 and (data := self._piece(min(wanted, _BLOCK))):
                wanted -= len(data)
                yield data
        except UNREADABLE as error:
            self.problem = f"cannot be unwrapped: {error}"


def whole_archive(stream: BinaryIO) -> bool:
    """Whether a file's end is there, if it is an archive. Leaves the stream anywhere."""
    return stream.read(len(_HEAD)) != _HEAD or is_zipfile(stream)


def read_zip(stream: BinaryIO, format: Format, limit: int) -> Iterator[Read]:
    """What the members hold, each place behind its member's name; a file that is no archive is read as it is.

    A member is unpacked to see that it is whole and no bomb before it is read, so that no record comes from damaged
    bytes: a small one into memory, others twice. Notes come last: one member that is refused spoils what the file
    vouches for. Where the format reads members together, they are read once all are unpacked.
    """
    head = stream.read(_BLOCK)
    stream.seek(0)
    if not head.startswith(_HEAD):
        yield from format.read(stream)
        return
    whole = head if len(head) < _BLOCK else None
    reader = cast(ReadsTogether, format) if _reads_together(type(format)) else None
    notes: list[Note] = []
    if whole is not None:
        if (only := _only(whole, limit)) is not None:
            name, content = only
            yield from reader.read_members([only]) if reader else _of_member(format, BytesIO(content), name, notes)
            yield from notes
            return
        stream = BytesIO(whole)
    try:
        archive = ZipFile(cast(BinaryIO, _Careful(stream)))
        members = _members(archive, stream)
    except UNREADABLE as error:
        yield BadRecord(f"no archive that can be unwrapped: {error}", place="the archive", raw=head[:4096])
        return
    room = KEPT
    together: list[tuple[str, bytes]] = []
    with archive:
        if reader is not None:
            limit = min(limit, TOGETHER)
        for member in members:
            kept: list[bytes] = []
            alone = whole if len(members) == 1 else None
            problem = _problem(archive, member, limit, kept, alone)
            if problem is not None:
                refused = _refused(problem, stream, member, room)
                room -= len(refused.raw)
                yield refused
                continue
            limit -= member.file_size
            name = _name(member)
            if reader is not None:
                together.append((name, b"".join(kept) if kept else archive.read(member)))
                continue
            with BytesIO(b"".join(kept)) if kept else archive.open(member) as unpacked:
                yield from _of_member(format, unpacked, name, notes)
    if reader is not None:
        yield from reader.read_members(together)
    yield from notes


def _of_member(format: Format, unpacked: IO[bytes], name: str, notes: list[Note]) -> Iterator[Read]:
    """What a member holds; its notes are put to the others."""
    for read in format.read(cast(BinaryIO, unpacked)):
        placed = _placed(read, name)
        if isinstance(placed, Note) and not isinstance(placed, Outside):  # of those there may be many
            notes.append(placed)
        else:
            yield placed


def _members(archive: ZipFile, stream: BinaryIO) -> list[ZipInfo]:
    """The files in the archive. Raises BadZipFile for one that is made to deceive."""
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > MEMBERS:
        raise BadZipFile(f"{len(members)} members, at most {MEMBERS}")
    size = stream.seek(0, 2)
    if sum(member.compress_size for member in members) > size:
        raise BadZipFile("its members have more bytes than the file: they overlap")
    if not members:
        raise BadZipFile("no members")
    return members


def _problem(
    archive: ZipFile, member: ZipInfo, limit: int, kept: list[bytes], alone: bytes | None = None
) -> str | None:
    """Why a member cannot be read, from what its directory says and then from its bytes, `kept` if they are few.

    `alone`: the whole archive where it is small and has nothing else.
    """
    if member.flag_bits & _ENCRYPTED:
        return "encrypted"
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return f"packed by method {member.compress_type}, only 0 (stored) and 8 (deflated) are understood"
    if member.file_size > limit:
        return f"unpacks to {member.file_size} bytes, {limit} are left"
    if member.file_size > max(FREE, RATIO * member.compress_size):
        return f"unpacks from {member.compress_size} to {member.file_size} bytes, more than {RATIO} times as many"
    if alone is not None and (content := _unpacked(alone, member)) is not None:
        kept.append(content)
        return None
    try:
        with archive.open(member) as unpacked:
            return _unsound(unpacked, member.file_size, kept)
    except UNREADABLE as error:
        return f"cannot be unwrapped: {error}"


def _only(archive: bytes, limit: int) -> tuple[str, bytes] | None:
    """The name and the content of an archive's only member, if all is as it should be; None leaves it to zipfile."""
    at = len(archive) - len(_END) - _PLACE.size
    if at < _BEGIN.size + _ENTRY.size or archive[at : at + len(_END)] != _END:
        return None
    size, start, comment = _PLACE.unpack_from(archive, at + len(_END))
    if comment or start + size != at or size < _ENTRY.size or archive[at - 20 : at - 16] == _LARGE:
        return None
    signature, version, flags, method, check, packed, unpacked, named, *more, place = _ENTRY.unpack_from(archive, start)
    spelled = archive[start + _ENTRY.size : at]
    if signature != _LISTED or version > _LATEST or any(more) or named != len(spelled) or unpacked > limit:
        return None
    name = spelled.decode("latin-1")
    if not name.isprintable() or name.endswith("/"):
        return None
    member = _Member(name, flags, method, check, packed, unpacked, place)
    content = _unpacked(archive[:start], member)
    return None if content is None else (name[:100] or "?", content)


class _Member(NamedTuple):
    """As much of a `ZipInfo` as is needed here."""

    orig_filename: str
    flag_bits: int
    compress_type: int
    CRC: int
    compress_size: int
    file_size: int
    header_offset: int


def _unpacked(archive: bytes, member: ZipInfo | _Member) -> bytes | None:
    """The only member of an archive by a short way, if all is as it should be; None leaves it to zipfile to say."""
    name = member.orig_filename
    if len(archive) < _BEGIN.size or member.header_offset or member.file_size > SMALL or not name.isascii():
        return None
    signature, flags, method, named, extra = _BEGIN.unpack_from(archive)
    start = _BEGIN.size + named
    as_said = signature == _NESTED and (flags, method) == (member.flag_bits, ZIP_DEFLATED) and not flags & ~_USUAL
    if not as_said or method != member.compress_type or archive[_BEGIN.size : start] != name.encode():
        return None
    packed = archive[start + extra : start + extra + member.compress_size]
    if len(packed) < member.compress_size:
        return None
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(packed, member.file_size + 1)
    except zlib.error:
        return None
    whole = unpacker.eof and not unpacker.unused_data and len(content) == member.file_size
    sound = whole and zlib.crc32(content) == member.CRC and not content.startswith(_NESTED)
    return content if sound else None


def _unsound(unpacked: IO[bytes], size: int, kept: list[bytes]) -> str | None:
    """What is wrong with a member's bytes; zipfile compares the checksum at their end."""
    bounded = Bounded(unpacked, size)
    nested = False
    while data := bounded.read(_BLOCK):
        nested = nested or (bounded.taken == len(data) and data.startswith(_NESTED))
        if size <= SMALL:
            kept.append(data)
    if bounded.problem is None and bounded.taken < size:
        return f"cannot be unwrapped: {bounded.taken} of {size} bytes"
    return bounded.problem or ("an archive inside the archive" if nested else None)


def _refused(problem: str, stream: BinaryIO, member: ZipInfo, room: int) -> BadRecord:
    """A member with its local header and its packed bytes: what a person needs to unpack or mend it elsewhere."""
    stream.seek(max(member.header_offset, 0))
    head = stream.read(_LOCAL.size)
    named = sum(_LOCAL.unpack(head)) if head.startswith(_NESTED) and len(head) == _LOCAL.size else 0
    raw = (head + stream.read(min(named + member.compress_size, room)))[:room]
    if len(raw) < len(head) + named + member.compress_size:
        problem += f"; {len(raw)} of its bytes are kept here, all of it in the archive"
    return BadRecord(problem, place=_name(member), raw=raw)


def _name(member: ZipInfo) -> str:
    """As far as it can be shown."""
    name = member.filename
    if not name.isprintable():
        name = "".join(char if char.isprintable() else "?" for char in name)
    return name[:100] or "?"


@lru_cache(maxsize=64)
def _reads_together(kind: type) -> bool:
    """Whether a kind of format reads the members of an archive together: a Protocol is dear to ask for each member."""
    return issubclass(kind, ReadsTogether)


def _placed(read: Read, name: str) -> Read:
    if isinstance(read, BadRecord):
        return BadRecord(read.reason, place=f"{name}, {read.place}", raw=read.raw, record=read.record)
    if isinstance(read, Record):
        return Record(f"{name}, {read.place}", read.raw, read.fields, read.header, read.number)
    if type(read) is Closing:  # as `replace` would, which is dear for every file's begin and end
        return Closing(f"{name}, {read.place}", read.raw, read.fields, read.header)
    if type(read) is Header:
        return Header(f"{name}, {read.place}", read.raw, read.fields)
    return replace(read, place=f"{name}, {read.place}")


class _Careful:
    """The archive's bytes, for zipfile: no read as large as the archive would like, no place outside of it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, 2)

    def read(self, size: int = -1) -> bytes:
        if size > _DIRECTORY:
            raise BadZipFile(f"a directory of {size} bytes")
        return self._stream.read(_DIRECTORY if size < 0 else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and not 0 <= offset <= self._size:
            raise BadZipFile("points outside of the archive")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True
