"""Why no broker of a Kafka can be used: aiokafka keeps that to its log. Its types are not checked: hence `Any`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from links.probe import answers, speaks_tls, tls_failure
from links.reasons import Failure, Reason, Unusable, failure_of

_log = logging.getLogger(__name__)

_API_VERSIONS = bytes.fromhex("0000000a 0012 0000 76697361 ffff".replace(" ", ""))
"""The request ApiVersions, version 0: every broker answers it, before any login (KIP-35)."""
_VAGUE = (None, Reason.CLOSED, Reason.TIMEOUT, Reason.TLS, Reason.TLS_NONE)


async def diagnosed(options: Mapping[str, Any], seconds: float) -> Failure | None:
    """Return why a client with these options cannot use any of its servers, None if it can or it is not known.

    Takes `seconds` at most in all.
    """
    given = {name: value for name, value in options.items() if name in _OF_A_CONNECTION}
    servers = [server.rpartition(":") for server in options["bootstrap_servers"]]
    asked = [_of_one(host.strip("[]"), int(port), given, seconds) for host, _, port in servers]
    failures = await asyncio.gather(*asked)
    if any(failure is None for failure in failures):
        return None
    final = [failure for failure in failures if failure is not None and failure.reason.final]
    return final[0] if final else failures[0]


_OF_A_CONNECTION = frozenset(
    {
        "security_protocol",
        "ssl_context",
        "sasl_mechanism",
        "sasl_plain_username",
        "sasl_plain_password",
        "sasl_oauth_token_provider",
    }
)


async def _of_one(host: str, port: int, options: Mapping[str, Any], seconds: float) -> Failure | None:
    failure = await _tried(host, port, options, seconds / 2)
    if failure is None or failure.reason not in _VAGUE:
        return failure
    context = options.get("ssl_context")
    if context is None:
        return Failure(Reason.TLS_NEEDED) if await speaks_tls(host, port, seconds / 4) else failure
    if (await answers(host, port, _API_VERSIONS, seconds / 4))[4:8] == _API_VERSIONS[8:12]:
        return Failure(Reason.TLS_NONE)
    return await tls_failure(host, port, context, seconds / 4) or failure


async def _tried(host: str, port: int, options: Mapping[str, Any], seconds: float) -> Failure | None:
    """A connection with its login and one question. None if all went well."""
    from aiokafka.conn import AIOKafkaConnection  # here: it loads the client
    from aiokafka.errors import KafkaError
    from aiokafka.protocol.metadata import MetadataRequest

    limit = int(seconds * 1000)
    connection = AIOKafkaConnection(host, port, client_id="visabus", request_timeout_ms=limit, **options)
    authenticator = connection.authenticator_oauth
    connection.authenticator_oauth = lambda: _strict(authenticator())
    asked = False
    try:
        async with asyncio.timeout(seconds):
            await connection.connect()
            asked = True
            await connection.send(MetadataRequest([]))
    except (KafkaError, OSError, TimeoutError, Unusable) as error:
        _log.info("asked why Kafka cannot be used: %r", error)
        failure = failure_of(error)
        if asked and options.get("sasl_mechanism") is None and not isinstance(error, TimeoutError):
            return failure if failure is not None and failure.reason.final else Failure(Reason.CLOSED, _NO_LOGIN)
        return failure or Failure(Reason.CLOSED)
    finally:
        await _ended(connection)
    return None


def _strict(authenticator: Any) -> Any:
    """The same, which does not take the broker's refusal of a token for success, as aiokafka 0.14 does.

    The refusal comes as a challenge that is not empty (RFC 7628, section 3.2.2).
    """
    step = authenticator.step

    async def checked(challenge: bytes | None) -> Any:
        if challenge:
            raise Unusable(Failure(Reason.CREDENTIALS, "the broker does not accept the token"))
        return await step(challenge)

    authenticator.step = checked
    return authenticator


async def _ended(connection: Any) -> None:
    """Leave no connection behind: over TLS the library's own close waits for the other side."""
    closed = connection.close()
    transport = getattr(getattr(connection, "_protocol", None), "_transport", None)
    if transport is not None:
        transport.abort()
        await asyncio.wait([closed], timeout=_CLOSED)


_CLOSED = 0.5
_NO_LOGIN = "the broker ends a connection that does not log in; it may want SASL or a client certificate"
