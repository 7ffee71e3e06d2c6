"""What a server speaks, asked by a connection of its own: libraries keep to themselves what they met."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from links.reasons import Failure, Reason, failure_of

_HEARD = 0.7
"""Seconds within which a server that refuses a client certificate says so: TLS 1.3 tells it after the handshake."""


async def speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Whether a server answers a TLS handshake, if only by an alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (OSError, TimeoutError):
        return False
    await _ended(writer)
    return True


async def tls_failure(host: str, port: int, context: ssl.SSLContext, seconds: float) -> Failure | None:
    """Return why TLS with a server fails, during the handshake or soon after; None where it does not."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError) as error:
        return failure_of(error)
    try:
        async with asyncio.timeout(min(_HEARD, seconds)):
            await reader.read(1)
    except ssl.SSLError as error:
        return failure_of(error)
    except ConnectionError:
        return Failure(Reason.CLOSED)
    except TimeoutError:
        return None
    finally:
        await _ended(writer)
    return None


async def answers(host: str, port: int, question: bytes, seconds: float) -> bytes:
    """Return the first bytes that a server answers in clear text with; none where it does not."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question)
                return await reader.read(16)
            finally:
                await _ended(writer)
    except (OSError, TimeoutError):
        return b""


async def _ended(writer: asyncio.StreamWriter) -> None:
    """Close at once, without the other side."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
