"""The contracts as others read them: JSON Schemas and one AsyncAPI document, generated from the models. Pure.

`visabus schemas write` puts them under `schemas/published/`; a test holds the files to what is generated here.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from schemas import topics
from schemas.cloudevents import CONTENT_TYPE, SIGNATURE, SPECVERSION, TRACEPARENT
from schemas.events import SCHEMA_VERSION, Arrival, Coverage, Decision, Departure, Envelope, Extension, Status
from schemas.view import StatusChange, StatusView

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI = "asyncapi.json"

EVENTS: dict[str, type[Envelope]] = {
    "arrival": Arrival,
    "departure": Departure,
    "extension": Extension,
    "status": Status,
    "coverage": Coverage,
    "decision": Decision,
}
VIEWS: dict[str, type[BaseModel]] = {"status-view": StatusView, "status-change": StatusChange}

_ON_THE_WIRE = ("kind", "schema_version", "published_at")
"""Optional where an adapter builds an event, never absent from a published one."""


class _Plain(GenerateJsonSchema):
    """Without a title per field, which would only say the field's name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def documents() -> dict[str, bytes]:
    """Every published document by its file name."""
    results = {f"{kind}.json": event_schema(kind) for kind in EVENTS}
    results |= {f"{name}.json": view_schema(name) for name in VIEWS}
    results[ASYNCAPI] = asyncapi()
    return {name: _dump(document) for name, document in results.items()}


def _dump(document: Json) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def event_schema(kind: str) -> Json:
    """The JSON Schema of a published event of that kind."""
    identity = {"$schema": DIALECT, "$id": f"urn:visabus:schema:{kind}:{SCHEMA_VERSION}"}
    return identity | _as_published(_generate(EVENTS[kind], "validation"))


def view_schema(name: str) -> Json:
    """The JSON Schema of an answer or of a change event."""
    return {"$schema": DIALECT, "$id": f"urn:visabus:schema:{name}"} | _generate(VIEWS[name], "serialization")


def _generate(model: type[BaseModel], mode: Mode) -> Json:
    return model.model_json_schema(schema_generator=_Plain, mode=mode)


def _as_published(schema: Json) -> Json:
    """The schema with what publication adds: it says its kind and version, and has its moment of knowing."""
    stamp = {"type": "string", "format": "date-time", "description": "The moment of knowing, stamped by ingest."}
    properties = schema["properties"] | {"published_at": stamp}
    needed = {*schema["required"], *_ON_THE_WIRE}
    return schema | {"properties": properties, "required": [name for name in properties if name in needed]}


def asyncapi() -> Json:
    """The AsyncAPI 3.0 document of the bus: channels, messages, who sends and who receives."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "visabus",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "Canonical events about visa holders, and the changes of status that follow from them.",
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": {_channel(topic): _described(topic) for topic in topics.PARTITIONS},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


_POSITION, _DEAD_LETTER, _CHANGE, _ANSWER = "position", "dead-letter", "status-change", "push-answer"
_RECEIPT, _EXTRACT, _QUESTION, _ASKED = "receipt", "extract", "question", "question-state"
_HEAD, _ORDER = "audit-head", "feed-order"
_CARRIED: dict[str, tuple[str, ...]] = {
    topics.ARRIVALS: ("arrival",),
    topics.DEPARTURES: ("departure",),
    topics.EXTENSIONS: ("extension",),
    topics.STATUSES: ("status",),
    topics.CONTROL: ("coverage", "decision"),
    topics.POSITIONS: (_POSITION,),
    topics.EXTRACTS: (_EXTRACT,),
    topics.CHANGES: (_CHANGE,),
    topics.CHANGES_LATEST: (_CHANGE,),
    topics.CONFIDENTIAL_CHANGES: (_CHANGE,),
    topics.CONFIDENTIAL_CHANGES_LATEST: (_CHANGE,),
    topics.DEAD_LETTERS: (_DEAD_LETTER,),
    topics.PUSH_ANSWERS: (_ANSWER,),
    topics.RECEIPTS: (_RECEIPT,),
    topics.QUESTIONS: (_QUESTION, _ASKED),
    topics.FEED_ORDERS: (_ORDER,),
    topics.AUDIT_HEADS: (_HEAD,),
}
"""The messages of each topic."""

_PURPOSES: dict[str, str] = {
    topics.ARRIVALS: "Somebody came, or is said to come.",
    topics.DEPARTURES: "Somebody left, or is said to.",
    topics.EXTENSIONS: "Steps in the life of an application to stay longer, otherwise, or for good.",
    topics.STATUSES: "Facts about somebody's status that are no crossing and no application for time.",
    topics.CONTROL: "How far sources are complete, and what people decided about records.",
    topics.POSITIONS: "How far each feed is. Ingest's own.",
    topics.EXTRACTS: "Keys and digests of what full extracts held when they were compared last. Ingest's own.",
    topics.CHANGES: "Changes of persons' status, by what may be told to all. At least once; numbered without a gap per "
    "person.",
    topics.CHANGES_LATEST: "The last change of each person, for those who join late.",
    topics.CONFIDENTIAL_CHANGES: "Changes of persons of whom something is confidential by law, by all that is known: "
    "for those who have the right to it. From its first change on a person stands here instead of in the others.",
    topics.CONFIDENTIAL_CHANGES_LATEST: "The last of these changes of each person.",
    topics.DEAD_LETTERS: "Records that could not be read, with the reason, their place and their bytes.",
    topics.PUSH_ANSWERS: "What systems that push were answered, for as long as they may ask again. Ingest's own.",
    topics.RECEIPTS: "What became of each batch, for the owner of its system. Ingest's own.",
    topics.QUESTIONS: "Whom sources are to be asked about that tell nothing by themselves, and what became of that.",
    topics.FEED_ORDERS: "What operators ordered: hold a feed, let it go on, read it again from the beginning.",
    topics.AUDIT_HEADS: "Rows of audit logs with their seals, by which a log that was cut off is told. The API's own.",
}

_SENT: dict[str, tuple[str, ...]] = {
    "ingest": (
        *topics.EVENT_TOPICS,
        topics.POSITIONS,
        topics.EXTRACTS,
        topics.DEAD_LETTERS,
        topics.PUSH_ANSWERS,
        topics.RECEIPTS,
        topics.QUESTIONS,
    ),
    "correlator": (
        topics.CHANGES,
        topics.CHANGES_LATEST,
        topics.CONFIDENTIAL_CHANGES,
        topics.CONFIDENTIAL_CHANGES_LATEST,
    ),
    "ask": (topics.QUESTIONS,),
    "api": (topics.AUDIT_HEADS,),
    "operator": (topics.FEED_ORDERS,),
}
_RECEIVED: dict[str, tuple[str, ...]] = {
    "ingest": (
        topics.POSITIONS,
        topics.EXTRACTS,
        topics.PUSH_ANSWERS,
        topics.RECEIPTS,
        topics.QUESTIONS,
        topics.FEED_ORDERS,
    ),
    "correlator": topics.EVENT_TOPICS,
    "ask": (topics.CHANGES, topics.QUESTIONS),
    "api": (topics.AUDIT_HEADS,),
}


def _channel(topic: str) -> str:
    return topic.removeprefix("visabus.").replace(".", "-")


def _described(topic: str) -> Json:
    compacted = topic in topics.COMPACTED
    return {
        "address": topic,
        "description": _PURPOSES[topic],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _CARRIED[topic]},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": topics.PARTITIONS[topic],
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if compacted else "delete"],
                    "retention.ms": -1,  # kept for good
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> Json:
    pairs = [("send", _SENT), ("receive", _RECEIVED)]
    return {
        f"{application}-{action}-{_channel(topic)}": _operation(application, action, topic)
        for action, by in pairs
        for application, its in by.items()
        for topic in its
    }


def _operation(application: str, action: str, topic: str) -> Json:
    channel = f"#/channels/{_channel(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "tags": [{"name": application}],
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in _CARRIED[topic]],
    }


def _messages() -> Json:
    events: Json = {kind: _event_message(kind) for kind in EVENTS}
    dead_letter = _message("DeadLetter", _text("`system/feed`"))
    change = _message("StatusChange", _text("The person's id.", pattern="^[0-9a-f]{32}$"))
    signed = {
        _POSITION: _message("Position", _text("`system/feed`")),
        _DEAD_LETTER: dead_letter | {"headers": _headers("dead-letter")},
        _ANSWER: _message("PushAnswer", _text("`system/feed/key/nonce`")),
        _RECEIPT: _message("Receipt", _text("`system/feed/batch/mark`")),
        _EXTRACT: _extract(),
        _QUESTION: _message("Question", _text("`question system/feed identifier`")),
        _ASKED: _message("QuestionState", _text("`state system/feed identifier`")),
        _ORDER: _message("FeedOrder", _text("`system/feed/hold/id`, `system/feed/rewind/id` or `system/feed/word/id`")),
    }
    unsigned = {
        _CHANGE: change | {"headers": _change_headers()},
        _HEAD: _message("AuditHead", _text("`place`")),
    }
    return events | {name: _signed(message) for name, message in signed.items()} | unsigned


def _extract() -> Json:
    """As `adapters.transports.snapshot_state` packs it."""
    key = _text("`system/feed/number.part.digest`: a value never changes under its name; one of none ends it.")
    description = "Lines of JSON, compressed by zlib: key, digest (null: gone), number of the extract, fields kept."
    payload: Json = {"type": "string", "contentEncoding": "binary", "description": description}
    return {
        "name": "Extract",
        "contentType": "application/zlib",
        "payload": payload,
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _message(schema: str, key: Json) -> Json:
    return {
        "name": schema,
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }


def _event_message(kind: str) -> Json:
    key = _text("`system/record`: revisions of one record keep their order, and nothing else needs to.")
    headers = _with(_headers(kind), f"{kind}:{SCHEMA_VERSION}", "`published_at` of the event.")
    headers["properties"] |= _TRACED | _SIGNED
    return _message(EVENTS[kind].__name__, key) | {"headers": headers}


def _change_headers() -> Json:
    headers = _with(_headers(_CHANGE, _CORRELATOR), _CHANGE, "`at` of the change.")
    headers["properties"] |= _TRACED
    return headers


def _signed(message: Json) -> Json:
    """The message with the header of its signature."""
    headers = message.get("headers", {"type": "object", "properties": {}})
    return message | {"headers": headers | {"properties": headers["properties"] | _SIGNED}}


def _with(headers: Json, schema: str, time: str) -> Json:
    """The headers with their schema and time."""
    headers["properties"] |= {
        "ce_dataschema": {"const": f"urn:visabus:schema:{schema}"},
        "ce_time": {"type": "string", "format": "date-time", "description": time},
    }
    headers["required"] += ["ce_dataschema", "ce_time"]
    return headers


_TRACED: Json = {TRACEPARENT: {"type": "string", "description": "W3C trace context, where there is one."}}
_SIGNED: Json = {
    SIGNATURE: {
        "type": "string",
        "description": "Id of the key, second of signing, and code over it, topic, key and value; where keys are set.",
    }
}
_SYSTEM: Json = {"type": "string", "description": "The legacy system.", "pattern": "^urn:visabus:system:"}
_CORRELATOR: Json = {"const": "urn:visabus:correlator"}


def _headers(kind: str, source: Json = _SYSTEM) -> Json:
    """CloudEvents 1.0, binary content mode."""
    properties: Json = {
        "ce_specversion": {"const": SPECVERSION.decode()},
        "ce_id": {"type": "string", "format": "uuid"},
        "ce_source": source,
        "ce_type": {"const": f"visabus.{kind}"},
        "content-type": {"const": CONTENT_TYPE.decode()},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _schemas() -> Json:
    """The components: what the messages hold, and what that refers to."""
    wanted: list[tuple[type[BaseModel], Mode]] = [(model, "validation") for model in EVENTS.values()]
    wanted.append((StatusChange, "serialization"))
    _, result = models_json_schema(wanted, ref_template="#/components/schemas/{model}", schema_generator=_Plain)
    schemas: Json = result["$defs"]
    schemas |= {model.__name__: _as_published(schemas[model.__name__]) for model in EVENTS.values()}
    return schemas | {
        "Position": _position(),
        "DeadLetter": _dead_letter(),
        "PushAnswer": _push_answer(),
        "Receipt": _receipt(),
        "Question": _question(),
        "QuestionState": _question_state(),
        "FeedOrder": _feed_order(),
        "AuditHead": _audit_head(),
    }


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}


def _object(description: str, properties: Json) -> Json:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        "required": list(properties),
    }


_COUNT: Json = {"type": "integer", "minimum": 0}
_INSTANT: Json = {"type": "string", "format": "date-time"}
_INSTANT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}


def _counters() -> Json:
    counted = dict.fromkeys(("read", "published", "dead_lettered"), _COUNT)
    by_name = {"type": "object", "additionalProperties": _COUNT}
    lost = by_name | {"description": "Optional values that were wrong, by field; absent where there are none."}
    counters = _object(
        "read = published + dead_lettered + the sum of filtered",
        counted | {"filtered": by_name, "events": _COUNT, "lost": lost},
    )
    return counters | {"required": [name for name in counters["required"] if name != "lost"]}


def _push_answer() -> Json:
    """As `services.ingest.door.ledger` writes it; a test holds the two together."""
    return _object(
        "What a push was answered. A message without a value ends it: the push is too old to be repeated.",
        {
            "digest": {"type": "string", "description": "SHA-256 of what was signed.", "pattern": "^[0-9a-f]{64}$"},
            "expires": _COUNT | {"description": "Seconds since 1970."},
            "body": {"type": "object", "description": "The answer."},
            "number": _COUNT,
            "epoch": _COUNT,
            "counters": _counters() | {"description": "Of the feed, this push included."},
        },
    )


def _question() -> Json:
    """As `services.questions.topic` writes it; a test holds the two together."""
    return _object(
        "Whom a source is to be asked about; the last one counts.",
        {
            "id": _text("Of this question alone."),
            "priority": _COUNT | {"description": "0 asked by hand, 1 status doubtful, 2 status changed."},
            "at": _INSTANT,
            "why": _text("Names no person."),
        },
    )


def _question_state() -> Json:
    """As `services.questions.topic` writes it; a test holds the two together."""
    return _object(
        "What became of the question with that id.",
        {
            "id": _text("Of the question."),
            "at": _INSTANT,
            "tries": _COUNT | {"description": "Times that it was asked without a whole answer."},
            "again": _INSTANT_OR_NULL | {"description": "Null: answered."},
        },
    )


def _feed_order() -> Json:
    """As `services.feeds.orders` writes it; a test holds the two together."""
    order = _object(
        "An order of an operator to a feed. Of those to hold it or let it go on the latest counts, and so of those to "
        "read it again, and of the words on a batch that waits.",
        {
            "id": _text("Of this order alone."),
            "word": {"enum": ["pause", "resume", "rewind", "release", "reject"]},
            "about": _text("The batch from which on it is read again, or the id of the one that waits."),
            "by": _text("Who gave it."),
            "why": _text("Names no person."),
            "at": _INSTANT,
        },
    )
    return order | {"required": [name for name in order["required"] if name != "about"]}


def _audit_head() -> Json:
    """As `services.audit.heads` writes it; a test holds the two together."""
    seal: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    return _object(
        "The last row of an audit log, given out so that the log cannot be cut off behind it unnoticed.",
        {
            "place": _text("Stands for the address of the log.", pattern="^[0-9a-f]{32}$"),
            "log": seal | {"description": "The seal of the log's first row."},
            "epoch": _COUNT | {"description": "Raised when an operator accepts the log as it is."},
            "sequence": {"type": "integer", "minimum": 1},
            "seal": seal | {"description": "Of that row."},
            "at": _INSTANT,
            "key": _text("The id of the key of `mac`."),
            "mac": seal | {"description": "HMAC-SHA-256 of all the rest."},
        },
    )


def _position() -> Json:
    """As `services.feeds.checkpoints` writes it; a test holds the two together."""
    counters = _counters()
    placed: Json = {"type": "array", "items": {"type": "array"}}
    position = _object(
        "How far a feed is. A message without a value makes the feed start anew.",
        {
            "position": {"description": "The transport's own; opaque."},
            "batch": {"type": ["string", "null"], "description": "The one begun and not done."},
            "mark": {"type": ["string", "null"], "description": "Tells a batch from another of the same name."},
            "records": _COUNT,
            "reads": _COUNT,
            "counters": counters,
            "part": counters | {"description": "Of the batch begun."},
            "epoch": _COUNT,
            "owner": {"type": "string"},
            "released": {"type": "boolean"},
            "stopped": {"type": ["string", "null"], "description": "Why the feed was stopped."},
            "rewound": _text("The id of the last order to read the feed again that was obeyed."),
            "waiting": _waiting(),
            "process": {"type": "string", "description": "Host and process id of the owner."},
            "condition": _object(
                "What the owner saw of the source.",
                {
                    "last_batch": {"type": ["string", "null"], "description": "The last one that was done."},
                    "last_batch_at": _INSTANT_OR_NULL,
                    "caught_up_at": _INSTANT_OR_NULL | {"description": "When the source last had nothing more."},
                    "down_since": _INSTANT_OR_NULL,
                    "down_why": {"type": ["string", "null"], "description": "Why it cannot be reached."},
                    "deferred": _COUNT | {"description": "Pieces that were left for later."},
                    "deferred_why": {
                        "type": ["string", "null"],
                        "description": "The first of those pieces, and why it waits.",
                    },
                    "used_again": _COUNT
                    | {"description": "Batches whose name or number had come before with other content."},
                    "used_again_why": {"type": ["string", "null"], "description": "Which it was, of the last of them."},
                    "used_again_at": _INSTANT_OR_NULL,
                    "labels": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "description": "Digests of the last names and numbers of batches, with that of the content.",
                    },
                    "not_rewound": {
                        "type": ["string", "null"],
                        "description": "Why the last order to read again could not be obeyed.",
                    },
                    "not_rewound_at": _INSTANT_OR_NULL,
                },
            ),
            "at": _INSTANT,
            "begins": placed | {"description": "Topic, partition and first position of what the bus no longer has."},
            "tails": placed
            | {"description": "Topic, partition, position and digest of what the feed sent there last."},
        },
    )
    late = ("rewound", "waiting", "begins", "tails")  # checkpoints of earlier versions have none of them
    later = ("deferred_why", "used_again", "used_again_why", "used_again_at", "labels", "not_rewound", "not_rewound_at")
    condition = position["properties"]["condition"]
    condition["required"] = [name for name in condition["required"] if name not in later]  # nor of these
    return position | {"required": [name for name in position["required"] if name not in late]}


def _waiting() -> Json:
    """As `services.feeds.waiting` writes it."""
    waiting = _object(
        "The batch that waits for a person, and what it would change. None of it was sent.",
        {
            "batch": {"type": "string"},
            "mark": _text("Tells a batch from another of the same name."),
            "at": _INSTANT,
            "records": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "None where it would tell of hidden ones.",
            },
            "limit": _COUNT | {"description": "Outcomes that a batch may change."},
            "changed": _COUNT | {"description": "Outcomes that this one would change."},
            "appeared": _COUNT | {"description": "Persons without an outcome who would have one."},
            "changes": {
                "type": "object",
                "additionalProperties": _COUNT,
                "description": "By the outcome that is and the one that would be.",
            },
        },
    )
    return waiting | {"type": ["object", "null"]}


def _receipt() -> Json:
    """As `services.ingest.receipts` writes it; a test holds the two together."""
    counted = _counters()["properties"]
    listed = {"type": "array", "items": {"type": "object"}}
    receipt = _object(
        "What became of a batch. It names no person. A message without a value ends a receipt that is too old.",
        {
            "system": {"type": "string"},
            "feed": {"type": "string"},
            "batch": {"type": "string"},
            "mapping_version": {"type": "integer", "minimum": 1},
            **counted,
            "reasons": {"type": "object", "additionalProperties": _COUNT, "description": "Without values of records."},
            "refused": listed | {"description": "Place and reason of the first refused records."},
            "lost_values": listed | {"description": "Place, field and reason of optional values that were wrong."},
            "notes": listed | {"description": "What the source said of itself: header, trailer, control totals."},
            "coverage": listed | {"description": "What the source vouched for."},
            "coverage_withheld": _COUNT | {"description": "What it vouched for in vain: records were refused."},
            "used_again": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Names and numbers of the batch that had come before with other content.",
            },
            "decided": _decided(),
            "records": {"type": "string", "description": "Digests of the keys of its records, base64 of 8 bytes each."},
            "left_out": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Digests of those that a rule left out, by rule.",
            },
            "cut": {"type": "boolean", "description": "The lists were cut to fit into a message."},
            "at": _INSTANT,
        },
    )
    late = ("lost", "used_again", "decided")  # receipts of earlier versions have none of them
    return receipt | {"required": [name for name in receipt["required"] if name not in late]}


def _decided() -> Json:
    """A person's word on a batch that waited."""
    decided = _object(
        "What a person said of the batch, where it waited for one.",
        {"word": {"enum": ["release", "reject"]}, "by": {"type": "string"}, "why": {"type": "string"}, "at": _INSTANT},
    )
    return decided | {"type": ["object", "null"]}


def _dead_letter() -> Json:
    """As `services.dead_letters.message` writes it; a test holds the two together."""
    optional = {"type": ["string", "null"]}
    dead_letter = _object(
        "A record that could not be read. The same record refused twice has one id. Once it was replayed, a message of "
        "the same id without its bytes says so.",
        {
            "id": {"type": "string", "format": "uuid"},
            "system": {"type": "string"},
            "feed": {"type": "string"},
            "batch": {"type": "string"},
            "place": {"type": "string"},
            "record": optional,
            "reason": {"type": "string"},
            "counted": {"type": "boolean", "description": "False for what is no record: a note, a broken rest."},
            "bytes": _COUNT,
            "digest": {"type": "string", "description": "SHA-256 of the bytes.", "pattern": "^[0-9a-f]{64}$"},
            "raw": optional | {"description": "The bytes, base64, unless they are spooled."},
            "spooled": optional | {"description": "The digest under which the spool keeps bytes too large for here."},
            "mapping_version": {"type": "integer", "minimum": 1},
            "context": optional | {"description": "What stood before it and is needed to read it (a header), base64."},
            "ordinal": {"type": ["integer", "null"], "minimum": 1, "description": "Its number behind that."},
            "replayed": {"type": "boolean", "description": "Its events are published."},
            "at": _INSTANT,
        },
    )
    late = ("context", "ordinal", "replayed")  # dead letters of the first installations have none of them
    return dead_letter | {"required": [name for name in dead_letter["required"] if name not in late]}
