"""Where settings become open things. The one place of the services that chooses an implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from schemas.topics import COMPACTED, PARTITIONS
from services.settings import Settings, SettingsError

if TYPE_CHECKING:
    from bus.contract import Bus, Message, Topic
    from bus.kafka_settings import KafkaSettings
    from services.authority.keys import KeyFiles
    from services.keyring import Keyring
    from services.receipts import Index


def topics() -> tuple[Topic, ...]:
    """All topics, as a bus declares them."""
    from bus.contract import Topic

    return tuple(Topic(name, partitions, compacted=name in COMPACTED) for name, partitions in PARTITIONS.items())


def kafka_settings(settings: Settings) -> KafkaSettings | None:
    """How Kafka is reached, for a client that is not ours; None where the bus is another. Raises SettingsError."""
    if not settings.bus_url.startswith("kafka:"):
        return None
    from bus.open import kafka_settings as read

    try:
        return read(settings.bus_url, **_options(settings))
    except ValueError as error:  # what address and security say together
        raise SettingsError([f"bus_url: {error}"]) from None


async def open_bus(settings: Settings) -> Bus:
    """The bus of the settings, with its security. Raises BusError, SettingsError."""
    from bus.contract import BusDown
    from bus.open import open_bus as open_url
    from links.reasons import Unusable

    if settings.bus_url.startswith("embedded:"):
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(
                [f"data_dir: {settings.data_dir} cannot be made: {error.strerror or type(error).__name__}"]
            ) from None
    keys = signing_keys(settings)
    try:
        bus = await open_url(settings.bus_url, **_options(settings))
    except Unusable as error:
        raise BusDown(f"the bus: {error}", code=error.failure.reason, final=True) from None
    except ValueError as error:  # what address and security say together
        raise SettingsError([f"bus_url: {error}"]) from None
    if keys is None:
        return bus
    from services.authority.signing_bus import signing

    return signing(bus, keys)


@asynccontextmanager
async def declared_bus(settings: Settings) -> AsyncIterator[Bus]:
    """The bus of the settings with all topics declared, closed behind. Raises BusError, SettingsError."""
    bus = await open_bus(settings)
    try:
        await bus.declare(topics())
        yield bus
    finally:
        await bus.close()


async def send(settings: Settings, messages: Sequence[Message]) -> None:
    """Return when all messages are durable, by a bus and a producer opened for them. Raises BusError."""
    async with declared_bus(settings) as bus:
        producer = await bus.producer()
        try:
            await producer.send(messages)
        finally:
            await producer.close()


def receipt_keys(settings: Settings) -> Keyring:
    """The keys by which receipts name records. Raises UnsafeKey, OSError."""
    from services.keyring import ring
    from services.receipts import KEYS

    return ring(settings.ingest.receipt_keys or settings.data_dir / KEYS)


def receipt_index(settings: Settings) -> Index:
    """The index of the receipts in the data directory; it follows the bus when it is asked to. Raises UnsafeKey."""
    from services.receipts import Index

    return Index(settings.data_dir / "receipts.db", receipt_keys(settings))


def signing_keys(settings: Settings) -> KeyFiles | None:
    """The keys by which events are signed and checked, where the settings name any. Raises SettingsError."""
    directory = settings.signing.keys
    if directory is None:
        return None
    from services.authority.keys import KeyFiles
    from services.keyring import UnsafeKey

    try:
        return KeyFiles(directory)
    except (UnsafeKey, OSError) as error:
        raise SettingsError([f"signing.keys: {error}"]) from None


def _options(settings: Settings) -> dict[str, Any]:
    if settings.bus_url.startswith("embedded:"):
        return {"deadline": settings.deadlines.bus_call}
    kafka = settings.kafka
    password, key_password = (
        secret.get_secret_value() if secret is not None else None for secret in (kafka.password, kafka.key_password)
    )
    given: dict[str, tuple[str, Any]] = {
        "security_protocol": ("security_protocol", kafka.security_protocol),
        "sasl_mechanism": ("sasl_mechanism", kafka.sasl_mechanism),
        "username": ("sasl_username", kafka.username),
        "password": ("sasl_password", password),
        "oauth_token_url": ("oauth_token_url", kafka.oauth_token_url),
        "oauth_scope": ("oauth_scope", kafka.oauth_scope),
        "cafile": ("ssl_cafile", str(kafka.cafile) if kafka.cafile is not None else None),
        "certfile": ("ssl_certfile", str(kafka.certfile) if kafka.certfile is not None else None),
        "keyfile": ("ssl_keyfile", str(kafka.keyfile) if kafka.keyfile is not None else None),
        "key_password": ("ssl_password", key_password),
        "replication": ("replication", kafka.replication),
    }
    # what nothing sets is left to the address: a default must not take its TLS away
    options = dict(option for name, option in given.items() if name in kafka.model_fields_set)
    return options | {"deadline": settings.deadlines.bus_call}
