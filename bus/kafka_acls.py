"""Rules of Kafka's authoriser, made through aiokafka's requests: its admin client has no call for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from bus.contract import BusDown, BusError
from bus.kafka_clients import cancellable, stop_admin
from bus.kafka_settings import KafkaSettings

# Of the protocol: ResourceType, PatternType, AclOperation and AclPermissionType (Apache Kafka, clients, common.acl).
_RESOURCES = {"topic": 2, "group": 3}
_PATTERNS = {False: 3, True: 4}
_OPERATIONS = {"read": 3, "write": 4, "describe": 8, "describe-configs": 10}
_ALLOW = 3
_ANY_HOST = "*"
_ANY = 1
_TOGETHER = 100
_POLL_SECONDS = 0.1
_SECURITY_DISABLED = 54  # which aiokafka does not know


@dataclass(frozen=True, slots=True)
class Allowed:
    """That a principal may do something with a topic or a group; with `prefixed` with all whose names begin so."""

    principal: str
    resource: str  # topic, group
    name: str
    operation: str  # read, write, describe, describe-configs
    prefixed: bool = False


async def allow(settings: KafkaSettings, rules: Iterable[Allowed]) -> None:
    """Make what is missing of the rules, and return once the broker holds to them.

    Raises BusDown, and BusError where Kafka keeps none or refuses.
    """
    wanted = list(rules)
    admin = cancellable(AIOKafkaAdminClient(**settings.client_options()), settings.deadline / 4)
    try:
        async with asyncio.timeout(settings.deadline):
            await admin.start()
        for some in batches(wanted):
            async with asyncio.timeout(settings.deadline):
                response = await admin._send_request(_Creation(some))
            for rule, (code, why) in zip(some, response.creation_responses, strict=True):
                if code == _SECURITY_DISABLED:
                    raise BusError("this Kafka has no authoriser: it lets every account do everything")
                if code:
                    raise BusError(f"{rule.principal}, {rule.operation} {rule.name}: {why or for_code(code).__name__}")
        # acknowledged once the controller has them: the brokers hear of them a little later
        async with asyncio.timeout(settings.deadline):
            while True:
                if {_creation(rule) for rule in wanted} <= await _standing(admin):
                    return
                await asyncio.sleep(_POLL_SECONDS)
    except (TimeoutError, KafkaError) as error:
        raise BusDown(f"Kafka at {', '.join(settings.servers)}: {str(error) or type(error).__name__}") from error
    finally:
        await stop_admin(admin, settings.deadline / 4)


async def _standing(admin: Any) -> set[tuple[int, str, int, str, str, int, int]]:
    """The rules that the broker asked has now."""
    question = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
    response = await admin._send_request(question)
    if response.error_code:
        raise for_code(response.error_code)(response.error_message)
    return {
        (resource, name, pattern, principal, host, operation, permission)
        for resource, name, pattern, rules in response.resources
        for principal, host, operation, permission in rules
    }


def batches(rules: Sequence[Allowed]) -> Iterator[Sequence[Allowed]]:
    """The rules, so many that one request takes them."""
    for start in range(0, len(rules), _TOGETHER):
        yield rules[start : start + _TOGETHER]


class _Creation(CreateAclsRequest):  # type: ignore[misc]  # aiokafka has no types
    """A request for several rules, where aiokafka's own has one."""

    def __init__(self, rules: Sequence[Allowed]) -> None:
        self._rules = rules

    def build(self, request_struct_class: Any) -> Any:
        """The request in the version that the broker speaks."""
        if request_struct_class.API_VERSION < 1:
            raise BusError("this Kafka is older than 2.0: its authoriser knows no rules for names that begin so")
        return request_struct_class([_creation(rule) for rule in self._rules])


def _creation(rule: Allowed) -> tuple[int, str, int, str, str, int, int]:
    pattern, operation = _PATTERNS[rule.prefixed], _OPERATIONS[rule.operation]
    return _RESOURCES[rule.resource], rule.name, pattern, rule.principal, _ANY_HOST, operation, _ALLOW
