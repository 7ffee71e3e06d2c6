"""A bus by its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from bus.contract import Bus
from bus.embedded import EmbeddedBus
from bus.kafka_settings import KafkaSettings

_SECURE = ("security_", "ssl_", "sasl_", "oauth_")
_SECRETS = frozenset({"ssl_password", "sasl_password"})
_NUMBERS: Mapping[str, type[int] | type[float]] = {
    "deadline": float,
    "lease": float,
    "session_timeout": float,
    "stall_timeout": float,
    "max_rebuilds": int,
    "replication": int,
    "max_message_bytes": int,
}
_EMBEDDED = frozenset({"deadline", "lease", "max_message_bytes"})
_KAFKA = frozenset(field.name for field in fields(KafkaSettings)) - {"servers"}


async def open_bus(url: str, **options: Any) -> Bus:
    """Open the bus that an address names.

    `embedded:///absolute/path.db`, `embedded://relative/path.db`, or `kafka://host:port[,host:port]`. Settings follow
    as a query or as options, which win; secrets come as options only, and what secures the connection must not be said
    in two ways. Raises ValueError where the address or a setting is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme == "embedded":
        return await EmbeddedBus.open(_path(parts), **_settings(parts, options, _EMBEDDED))
    if parts.scheme == "kafka":
        from bus.kafka import KafkaBus  # here: its client takes as long to load as everything else that the log needs

        return await KafkaBus.open(kafka_settings(url, **options))
    raise ValueError(f"a bus is embedded:// or kafka://, not {parts.scheme or 'nothing'}://")


def embedded_path(url: str) -> Path | None:
    """Return the file of an embedded bus, None for another bus. Raises ValueError."""
    parts = urlsplit(url)
    return _path(parts).absolute() if parts.scheme == "embedded" else None


def kafka_settings(url: str, **options: Any) -> KafkaSettings:
    """Return the settings of a Kafka bus from its address and options. Raises ValueError."""
    parts = urlsplit(url)
    return KafkaSettings(servers=_servers(parts), **_settings(parts, options, _KAFKA))


def check(url: str) -> None:
    """Raises ValueError where an address or a setting in it is wrong; what it says quotes no value."""
    parts = urlsplit(url)
    if parts.scheme == "embedded":
        _path(parts)
        _settings(parts, {}, _EMBEDDED)
    elif parts.scheme == "kafka":
        _servers(parts)
        _settings(parts, {}, _KAFKA)
    else:
        raise ValueError("a bus is embedded:// or kafka://")


def _path(parts: SplitResult) -> Path:
    path = parts.netloc + parts.path
    if not path or path.endswith("/"):
        raise ValueError("the address names no file; as in embedded:///var/lib/visabus/bus.db")
    return Path(path)


def _servers(parts: SplitResult) -> tuple[str, ...]:
    if "@" in parts.netloc:
        raise ValueError("user and password do not belong in the address; kafka.username and kafka.password do")
    if parts.path not in ("", "/"):
        raise ValueError("kafka:// takes no path")
    servers = tuple(server for server in parts.netloc.split(",") if server)
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError("a Kafka server is host:port")
    if not servers:
        raise ValueError("the address names no Kafka server")
    return servers


def _settings(parts: SplitResult, options: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    query = dict(pairs)
    if len(query) < len(pairs):
        raise ValueError("the address says something twice")
    if parts.fragment:
        raise ValueError("what stands behind # in the address would be left out")
    if secrets := query.keys() & _SECRETS:
        raise ValueError(f"a secret does not belong in the address: {', '.join(sorted(secrets))}")
    if unknown := (query.keys() | options.keys()) - known:
        raise ValueError(f"no setting of a bus that is {parts.scheme}: {', '.join(sorted(unknown))}")
    for name in sorted(query.keys() & options.keys()):
        if name.startswith(_SECURE) and query[name] != options[name]:
            raise ValueError(f"{name} of the address and that of the settings differ: say it once")
    return {name: _read(name, value) for name, value in query.items()} | dict(options)


def _read(name: str, value: str) -> str | int | float:
    try:
        return _NUMBERS[name](value) if name in _NUMBERS else value
    except ValueError:
        raise ValueError(f"{name} is a number") from None
