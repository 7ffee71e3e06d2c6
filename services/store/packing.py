"""Blobs: msgpack, then zstd at a quick level. A pool's history shrinks to half."""

from __future__ import annotations

from collections.abc import Iterable

import zstandard

from services.domain.pools import Pool, pack_again

_compressor = zstandard.ZstdCompressor(level=-1, write_content_size=True)
_decompressor = zstandard.ZstdDecompressor()
MAX_BYTES = 512 * 1024 * 1024
_SMALL = 400
"""Below so many bytes compressing costs more than it saves; a blob's first byte says which it is."""


def squeeze(data: bytes) -> bytes:
    """The blob of some bytes."""
    if len(data) < _SMALL:
        return b"\0" + data
    return b"\1" + _compressor.compress(data)


def unsqueeze(blob: bytes) -> bytes:
    """The bytes of a blob."""
    if blob[:1] == b"\0":
        return blob[1:]
    return _decompressor.decompress(blob[1:], max_output_size=MAX_BYTES)


def pack_pool(pool: Pool) -> bytes:
    """A pool's blob."""
    return squeeze(pool.pack())


def pack_pool_again(claims: Iterable[bytes], rows: Iterable[tuple[int, bytes]]) -> bytes:
    """The blob of a pool of what is packed already. See `services.domain.pools.pack_again`."""
    return squeeze(pack_again(claims, rows))


def unpack_pool(blob: bytes) -> Pool:
    """A blob's pool."""
    return Pool.unpack(unsqueeze(blob))
