"""The request for a topic's metadata with its id (Kafka's protocol: Metadata, version 12), which makes no topic.

The library's own stops at version 5, before topics had ids (KIP-516); that one is asked of brokers before Kafka 2.8.
Load this module where it is needed: it loads the library.
"""

from __future__ import annotations

from typing import Any

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_TEXT, _TAGS, _NUMBERS = CompactString("utf-8"), ("tags", TaggedFields), CompactArray(Int32)
_UNKNOWN = bytes(16)


class Uuid(AbstractType):  # type: ignore[misc]  # the library has no types
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        """As they are."""
        return value

    @classmethod
    def decode(cls, data: Any) -> bytes:
        """As they are."""
        return bytes(data.read(16))


class MetadataAnswer(Response):  # type: ignore[misc]  # the library has no types
    """Names as the library has them in its older versions."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), _TAGS)),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _NUMBERS),
                        ("isr", _NUMBERS),
                        ("offline_replicas", _NUMBERS),
                        _TAGS,
                    ),
                ),
                ("operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class MetadataQuestion(RequestStruct):  # type: ignore[misc]  # the library has no types
    """Topics by id or name, whether to make them, whether to say what one may do with them."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = MetadataAnswer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", Uuid), ("topic", _TEXT), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("operations", Boolean),
        _TAGS,
    )


class TopicMetadata(Request[MetadataRequest_v5 | MetadataQuestion]):  # type: ignore[misc]  # the library has no types
    """Asks for one topic, in the newest version that the broker knows."""

    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: Any) -> Any:
        """The request in a version."""
        if request_struct_class is MetadataQuestion:
            return MetadataQuestion([(_UNKNOWN, self._topic, {})], False, False, {})
        return request_struct_class([self._topic], False)


def described(answer: Any) -> tuple[int, str, dict[int, int]]:
    """Of the topic in an answer: its error code, its id (empty if the broker knows none), partitions with theirs."""
    (topic,) = answer.to_object()["topics"]
    identity = topic.get("topic_id", _UNKNOWN)
    partitions = {each["partition"]: each["error_code"] for each in topic["partitions"]}
    return topic["error_code"], identity.hex() if identity != _UNKNOWN else "", partitions
