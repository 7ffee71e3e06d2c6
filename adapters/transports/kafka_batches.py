"""How large a compressed batch of a Kafka log unpacks, before the client unpacks it whole: 9 kB of one can be 300 MB.

Batches have the layout of the Kafka protocol (message format v2; v0 and v1 of brokers before 0.11, whose batches are
messages within a message). What is no batch, or ends within one, is left to the client, which checks it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import unpack_from
from typing import Any

_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_MOST = {_GZIP: 1032, _SNAPPY: 64, _LZ4: 256, _ZSTD: 2**16}
"""How many times larger a codec can make what it unpacks, at most: no need to look where that is little enough."""
_OVERHEAD, _HEADER, _MAGIC = 12, 61, 16
_XERIAL = b"\x82SNAPPY\x00"
_PIECE = 2**16


@dataclass(frozen=True, slots=True)
class Oversized:
    """A batch that unpacks to more than is allowed: where it begins in the answer, its first offset, its own bytes."""

    at: int
    offset: int
    size: int


def oversized(records: bytes, limit: int) -> Oversized | None:
    """The first batch in a fetched part of a log that unpacks to more than `limit` bytes."""
    at = 0
    while at + _MAGIC + 2 <= len(records):
        offset, length = unpack_from(">qi", records, at)
        end = at + _OVERHEAD + length
        if length <= _MAGIC or end > len(records):
            break
        packed = _packed(records, at, end)
        if packed is not None and not _fits(*packed, limit):
            return Oversized(at, offset, end - at)
        at = end
    return None


def _packed(records: bytes, at: int, end: int) -> tuple[int, memoryview] | None:
    """Codec and packed bytes of a batch, None if it is not compressed."""
    whole = memoryview(records)
    if records[at + _MAGIC] >= 2:
        codec, begin = records[at + 22] & 7, at + _HEADER
    else:
        codec = records[at + 17] & 7
        begin = at + (26 if records[at + _MAGIC] else 18)
        for _ in "key", "value":  # each behind its length
            if begin + 4 > end:
                return None
            value = begin + 4
            begin = value + max(0, unpack_from(">i", records, begin)[0])
        begin = value
    return (codec, whole[begin:end]) if codec in _MOST and begin < end else None


def _fits(codec: int, packed: memoryview, limit: int) -> bool:
    if len(packed) * _MOST[codec] <= limit:
        return True
    import cramjam  # here: where there are no compressed batches it is not needed

    try:
        if codec == _GZIP:
            return _inflated(packed, limit)
        if codec == _SNAPPY:
            return _snappy(packed, limit, cramjam)
        module = cramjam.zstd if codec == _ZSTD else cramjam.lz4
        module.decompress_into(bytes(packed), bytearray(limit))
    except cramjam.DecompressionError as error:
        return "whole buffer" not in str(error)  # what is damaged is the client's to tell
    except zlib.error:
        return True
    return True


def _inflated(packed: memoryview, limit: int) -> bool:
    """Whether gzip unpacks to no more, a piece at a time."""
    left, rest = limit, bytes(packed)
    inflate = zlib.decompressobj(wbits=31)
    while rest and left >= 0:
        left -= len(inflate.decompress(rest, _PIECE))
        rest = inflate.unconsumed_tail
        if inflate.eof and inflate.unused_data:  # members behind one another are one stream
            rest, inflate = inflate.unused_data, zlib.decompressobj(wbits=31)
    return left >= 0


def _snappy(packed: memoryview, limit: int, cramjam: Any) -> bool:
    """Whether snappy says that it unpacks to no more; as one block, or in the blocks of the Java library."""
    if bytes(packed[:8]) != _XERIAL:
        return int(cramjam.snappy.decompress_raw_len(bytes(packed))) <= limit
    size, at = 0, 16
    while at + 4 <= len(packed) and size <= limit:
        (length,) = unpack_from(">i", packed, at)
        if length <= 0:
            break
        size += int(cramjam.snappy.decompress_raw_len(bytes(packed[at + 4 : at + 4 + length])))
        at += 4 + length
    return size <= limit
