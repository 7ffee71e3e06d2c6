"""The checker of schemas, with incompatible changes planted that it must refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from strategies import KINDS

from schemas.compatibility import Breaks, changes, document_refusals, refusals
from schemas.documents import VIEWS, asyncapi, event_schema, view_schema
from schemas.events import Arrival, Code, Departure, Evidence

Schema = dict[str, Any]
Plant = Callable[[Schema], object]
BACKWARD, FORWARD = Breaks.BACKWARD, Breaks.FORWARD
BOTH = {BACKWARD, FORWARD}
SAID_ONLY = {"title", "description", "examples", "default", "discriminator", "$id", "$schema"}


def _fields(schema: Schema, of: str = "") -> Any:
    return (schema["$defs"][of] if of else schema)["properties"]


def _definition(schema: Schema, of: str) -> Any:
    return schema["$defs"][of]


PLANTED: dict[str, tuple[Plant, str, set[Breaks]]] = {
    "optional field removed": (lambda s: _fields(s).pop("port"), "port", {BACKWARD}),
    "required field removed": (
        lambda s: (_fields(s).pop("record"), s["required"].remove("record")),
        "record",
        BOTH,
    ),
    "inner field removed": (lambda s: _fields(s, "Subject").pop("sex"), "subject.sex", {BACKWARD}),
    "field renamed": (lambda s: _fields(s).update(gate=_fields(s).pop("port")), "port", {BACKWARD}),
    "optional field added": (lambda s: _fields(s).update(gate={"type": "string"}), "gate", {FORWARD}),
    "required field added": (
        lambda s: (_fields(s).update(gate={"type": "string"}), s["required"].append("gate")),
        "gate",
        BOTH,
    ),
    "field now required": (lambda s: s["required"].append("port"), "port", {BACKWARD}),
    "inner field now required": (
        lambda s: _definition(s, "Name").update(required=["family"]),
        "subject.names[].family",
        {BACKWARD},
    ),
    "field no longer required": (lambda s: s["required"].remove("batch"), "batch", {FORWARD}),
    "type changed": (lambda s: _fields(s).update(record={"type": "integer"}), "record", BOTH),
    "null no longer allowed": (lambda s: _fields(s).update(port=_fields(s)["port"]["anyOf"][0]), "port", {BACKWARD}),
    "null newly allowed": (
        lambda s: _fields(s).update(record={"anyOf": [_fields(s)["record"], {"type": "null"}]}),
        "record",
        {FORWARD},
    ),
    "alternative removed": (lambda s: _fields(s)["admitted_until"]["anyOf"].pop(1), "admitted_until", {BACKWARD}),
    "format changed": (lambda s: _fields(s)["id"].update(format="uri"), "id", BOTH),
    "pattern changed": (lambda s: _fields(s)["system"].update(pattern="^[A-Z]+$"), "system", BOTH),
    "pattern added": (lambda s: _fields(s)["record"].update(pattern="^[A-Z]+$"), "record", {BACKWARD}),
    "pattern removed": (lambda s: _fields(s)["system"].pop("pattern"), "system", {FORWARD}),
    "pattern below changed": (
        lambda s: _fields(s, "Identifier")["issuer"].update(pattern="^[A-Z]{3}$"),
        "subject.identifiers[].issuer",
        BOTH,
    ),
    "shorter at most": (lambda s: _fields(s)["batch"].update(maxLength=100), "batch", {BACKWARD}),
    "longer at most": (lambda s: _fields(s)["batch"].update(maxLength=300), "batch", {FORWARD}),
    "longer at least": (lambda s: _fields(s)["batch"].update(minLength=2), "batch", {BACKWARD}),
    "length no longer bounded": (lambda s: _fields(s)["batch"].pop("maxLength"), "batch", {FORWARD}),
    "fewer items": (lambda s: _fields(s, "Subject")["names"].update(maxItems=5), "subject.names", {BACKWARD}),
    "a lower bound raised": (lambda s: _fields(s)["mapping_version"].update(minimum=2), "mapping_version", {BACKWARD}),
    "an upper bound raised": (
        lambda s: _fields(s, "Revision")["number"].update(exclusiveMaximum=2**64),
        "revision.number",
        {FORWARD},
    ),
    "value removed": (lambda s: _definition(s, "Mode")["enum"].remove("land"), "mode", {BACKWARD}),
    "value added": (lambda s: _definition(s, "Mode")["enum"].append("space"), "mode", {FORWARD}),
    "value renamed": (lambda s: _definition(s, "Mode").update(enum=["air", "sea", "rail"]), "mode", BOTH),
    "values bounded": (lambda s: _fields(s)["part"].update(enum=["a"]), "part", {BACKWARD}),
    "values no longer bounded": (lambda s: _definition(s, "Inspection").pop("enum"), "inspection", {FORWARD}),
    "const changed": (lambda s: _fields(s)["kind"].update(const="coming"), "kind", BOTH),
    "const below changed": (
        lambda s: _fields(s)["admitted_until"]["anyOf"][1].update(const="DS"),
        "admitted_until",
        BOTH,
    ),
    "default changed": (lambda s: _fields(s)["inspection"].update(default="refused"), "inspection", BOTH),
    "opened": (lambda s: s.update(additionalProperties=True), "*", {FORWARD}),
    "inner opened": (lambda s: _definition(s, "Subject").pop("additionalProperties"), "subject.*", {FORWARD}),
    "items distinct": (lambda s: _fields(s)["handling"].update(uniqueItems=True), "handling", {BACKWARD}),
    "what the checker does not know": (lambda s: s.update({"not": {"required": ["port"]}}), "", {BACKWARD}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_changes_are_refused(name: str) -> None:
    plant, path, broken = PLANTED[name]
    published = event_schema("arrival")
    present = deepcopy(published)
    plant(present)
    refused = refusals(published, present)
    assert {change.breaks for change in refused if change.path == path} == broken


@pytest.mark.parametrize("name", PLANTED)
def test_the_way_back_breaks_the_other_side(name: str) -> None:
    published = event_schema("arrival")
    present = deepcopy(published)
    PLANTED[name][0](present)
    swapped = {BACKWARD: FORWARD, FORWARD: BACKWARD}
    there = sorted((change.path, change.breaks) for change in changes(published, present))
    back = sorted((change.path, swapped[change.breaks]) for change in changes(present, published))
    assert there == back


def _variants(node: Any) -> Iterator[Any]:
    """The schema with one thing in it changed that somebody relies on: each keyword, field, value and bound in turn."""
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        rest = {other: kept for other, kept in node.items() if other != name}
        if name in ("properties", "$defs"):
            for field, below in value.items():
                yield from (rest | {name: value | {field: one}} for one in _variants(below))
                if name == "properties":
                    yield rest | {name: {other: kept for other, kept in value.items() if other != field}}
        elif name not in SAID_ONLY:
            yield rest
            yield from (rest | {name: other} for other in _others(name, value))
    if "properties" in node:
        yield node | {
            "properties": node["properties"] | {"gate": {"type": "string"}},
            "required": [*node.get("required", ()), "gate"],
        }


def _others(name: str, value: Any) -> Iterator[Any]:
    """Other values of a keyword, each a little narrower or wider."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield from (value - 1, value + 1)
    elif isinstance(value, str) and name != "$ref":
        yield "boolean" if name == "type" and value != "boolean" else value + "x"
    elif isinstance(value, list):
        yield from (value[:at] + value[at + 1 :] for at in range(len(value)))
        if name == "enum":
            yield [*value, "x"]
        yield from ([*value[:at], one, *value[at + 1 :]] for at, below in enumerate(value) for one in _variants(below))
    else:
        yield from _variants(value)


@pytest.mark.slow
def test_no_single_change_goes_unseen() -> None:
    published = event_schema("status")
    variants = list(_variants(published))
    assert len(variants) > 300
    assert [present for present in variants if not changes(published, present)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_compatible_with_itself(kind: str) -> None:
    assert not changes(event_schema(kind), event_schema(kind))


@pytest.mark.parametrize("name", VIEWS)
def test_so_is_a_view(name: str) -> None:
    assert not changes(view_schema(name), view_schema(name))


def test_kinds_are_not_each_other() -> None:
    for one in KINDS:
        for other in KINDS:
            assert bool(changes(event_schema(one), event_schema(other))) == (one != other)


def test_a_change_behind_a_keyword_that_nobody_weighs_shows() -> None:
    published = event_schema("arrival")
    published["allOf"] = [{"properties": {"mode": {"$ref": "#/$defs/Mode"}}}]
    present = deepcopy(published)
    _fields(published).pop("mode"), _fields(present).pop("mode")
    assert not changes(published, present)
    _definition(present, "Mode")["enum"].remove("land")
    assert {change.breaks for change in changes(published, present)} == BOTH
    present = deepcopy(published)
    _definition(present, "Mode")["description"] = "Otherwise told."
    assert not changes(published, present)


def _message(document: Schema, name: str) -> Any:
    return document["components"]["messages"][name]


def _component(document: Schema, name: str) -> Any:
    return document["components"]["schemas"][name]["properties"]


DOCUMENT: dict[str, tuple[Plant, str, set[Breaks]]] = {
    "channel removed": (lambda d: d["channels"].pop("arrival"), "arrival", BOTH),
    "channel renamed": (lambda d: d["channels"]["arrival"].update(address="visabus.arrivals"), "arrival", BOTH),
    "more partitions": (lambda d: d["channels"]["arrival"]["bindings"]["kafka"].update(partitions=8), "arrival", BOTH),
    "compacted": (
        lambda d: d["channels"]["arrival"]["bindings"]["kafka"]["topicConfiguration"].update(
            {"cleanup.policy": ["compact"]}
        ),
        "arrival",
        BOTH,
    ),
    "message removed": (
        lambda d: d["channels"]["control"]["messages"].pop("decision"),
        "control.decision",
        {BACKWARD},
    ),
    "message added": (
        lambda d: d["channels"]["arrival"]["messages"].update(other={}),
        "arrival.other",
        {FORWARD},
    ),
    "another key": (
        lambda d: _message(d, "status-change")["bindings"]["kafka"]["key"].update(pattern="^[0-9]{9}$"),
        "status-change key",
        BOTH,
    ),
    "header no longer sent": (
        lambda d: _message(d, "arrival")["headers"]["required"].remove("ce_time"),
        "arrival headers.ce_time",
        {FORWARD},
    ),
    "another type of event": (
        lambda d: _message(d, "arrival")["headers"]["properties"]["ce_type"].update(const="arrival"),
        "arrival headers.ce_type",
        BOTH,
    ),
    "another payload": (
        lambda d: _message(d, "position").update(payload={"$ref": "#/components/schemas/DeadLetter"}),
        "position payload.position",
        BOTH,
    ),
    "a counter lost": (
        lambda d: (
            _component(d, "Position")["counters"]["properties"].pop("filtered"),
            _component(d, "Position")["counters"]["required"].remove("filtered"),
        ),
        "position payload.counters.filtered",
        BOTH,
    ),
    "an outcome more": (
        lambda d: d["components"]["schemas"]["Outcome"]["enum"].append("LOST"),
        "status-change payload.outcome",
        {FORWARD},
    ),
    "a field of letters removed": (
        lambda d: _component(d, "DeadLetter").pop("ordinal"),
        "dead-letter payload.ordinal",
        {BACKWARD},
    ),
}


@pytest.mark.parametrize("name", DOCUMENT)
def test_planted_changes_of_the_document_are_refused(name: str) -> None:
    plant, path, broken = DOCUMENT[name]
    published = asyncapi()
    present = deepcopy(published)
    assert not document_refusals(published, present)
    plant(present)
    refused = document_refusals(published, present)
    assert {change.breaks for change in refused if change.path == path} == broken
    weighed = frozenset(str(change) for change in refused)
    assert not document_refusals(published, present, weighed)


def test_a_channel_more_breaks_nobody() -> None:
    present = asyncapi()
    present["channels"]["more"] = deepcopy(present["channels"]["arrival"]) | {"address": "visabus.more"}
    present["components"]["messages"]["more"] = present["components"]["messages"]["arrival"]
    assert not document_refusals(asyncapi(), present)


def test_words_are_no_change() -> None:
    published = event_schema("arrival")
    present = deepcopy(published)
    present.update(title="Other", description="Otherwise told.")
    _fields(present)["port"].update(description="Where.", examples=["JFK"], deprecated=True)
    present["required"].reverse()
    _definition(present, "Mode")["enum"].reverse()
    present["$defs"]["Way"] = present["$defs"].pop("Mode")
    _fields(present)["mode"]["anyOf"][0]["$ref"] = "#/$defs/Way"
    assert not changes(published, present)


def test_an_accepted_change_passes_and_no_other() -> None:
    published, present = event_schema("arrival"), event_schema("arrival")
    _definition(present, "Mode")["enum"].append("space")
    _definition(present, "Handling")["enum"].append("other")
    weighed = frozenset({"mode: value 'space' added (forward)"})
    assert [str(change) for change in refusals(published, present, weighed)] == [
        "handling[]: value 'other' added (forward)"
    ]


def test_a_higher_version_may_change_anything_and_a_lower_one_nothing() -> None:
    published, present = event_schema("arrival"), event_schema("arrival")
    _fields(present).pop("port")
    _fields(present)["schema_version"]["const"] = 3
    assert refusals(published, present) == ()
    assert refusals(present, published)


class Narrower(Arrival):
    """A longer list of what is needed."""

    port: Code


class Longer(Departure):
    """A field more."""

    gate: Annotated[str, Field(max_length=4)] | None = None


class Fewer(Departure):
    """A value less."""

    evidence: Literal[
        Evidence.BIOMETRIC,
        Evidence.INSPECTED,
        Evidence.REMOVAL,
        Evidence.FOREIGN_ENTRY,
        Evidence.MANIFEST_CLOSED,
        Evidence.MANIFEST,
    ]


@pytest.mark.parametrize(
    ("was", "model", "texts"),
    [
        (Arrival, Narrower, ["port: now required (backward)", "port: null no longer allowed (backward)"]),
        (Departure, Longer, ["gate: field added (forward)"]),
        (
            Departure,
            Fewer,
            ["evidence: value 'booking' removed (backward)", "evidence: value 'shown' removed (backward)"],
        ),
    ],
)
def test_changes_of_real_models(was: type[BaseModel], model: type[BaseModel], texts: list[str]) -> None:
    result = changes(was.model_json_schema(), model.model_json_schema())
    assert [str(change) for change in result] == texts
