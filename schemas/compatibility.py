"""What a published schema promised and the present one no longer keeps. Pure.

The models are closed, so nearly every change breaks somebody. A change is *backward*-incompatible where the present
models refuse what was published before, and *forward*-incompatible where an earlier reader refuses what is published
now. What this module cannot weigh (another pattern, a keyword it does not know) it reports as both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from schemas.ids import digest

Schema = dict[str, Any]


class Breaks(StrEnum):
    """Whose reading a change breaks."""

    BACKWARD = "backward"  # ours of what was published before
    FORWARD = "forward"  # an earlier reader's of what is published now


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One incompatible change. Its text names it in a list of accepted ones."""

    path: str
    what: str
    breaks: Breaks

    def __str__(self) -> str:
        return f"{self.path}: {self.what} ({self.breaks})"


def refusals(published: Schema, present: Schema, accepted: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """The incompatible changes that are neither accepted by their text nor announced by a higher `schema_version`."""
    if _version(present) > _version(published):
        return ()
    return tuple(change for change in changes(published, present) if str(change) not in accepted)


def changes(published: Schema, present: Schema) -> tuple[Change, ...]:
    """All incompatible changes, sorted."""
    comparison = _Comparison(published, present)
    return tuple(sorted(set(comparison.compare("", published, present))))


def document_refusals(published: Schema, present: Schema, accepted: frozenset[str] = frozenset()) -> tuple[Change, ...]:
    """The same of two AsyncAPI documents: channels, what each carries, and the key, headers and payload of messages.

    What is added beside it breaks nobody.
    """
    results = {*_channels(published, present), *_messages(published, present)}
    return tuple(change for change in sorted(results) if str(change) not in accepted)


def _channels(published: Schema, present: Schema) -> Changes:
    for name, old in published["channels"].items():
        new = present["channels"].get(name)
        if new is None:
            yield from _both(name, "channel removed")
            continue
        for what, before, after in zip(("address", "Kafka binding"), _place(old), _place(new), strict=True):
            if before != after:  # another number of partitions moves keys, another policy forgets
                yield from _both(name, f"{what} {before} is now {after}")
        for message in old["messages"].keys() - new["messages"].keys():
            yield _narrowed(f"{name}.{message}", "message removed")
        for message in new["messages"].keys() - old["messages"].keys():
            yield _widened(f"{name}.{message}", "message added")


def _place(channel: Schema) -> tuple[object, object]:
    return channel["address"], channel["bindings"]["kafka"]


def _messages(published: Schema, present: Schema) -> Changes:
    comparison = _Comparison(published, present)
    carried = present["components"]["messages"]
    for name, old in published["components"]["messages"].items():
        for part, of in (("key", _key_of), ("headers", _headers_of), ("payload", _payload_of)):
            if name in carried:
                yield from comparison.compare(f"{name} {part}", of(old), of(carried[name]))


def _key_of(message: Schema) -> Schema:
    key: Schema = message["bindings"]["kafka"]["key"]
    return key


def _headers_of(message: Schema) -> Schema:
    headers: Schema = message.get("headers", {"type": "object"})
    return headers


def _payload_of(message: Schema) -> Schema:
    payload: Schema = message["payload"]
    return payload


def _version(schema: Schema) -> int:
    version: int = schema.get("properties", {}).get("schema_version", {}).get("const", 0)
    return version


_AT_LEAST = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
_AT_MOST = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
_WEIGHED = frozenset({*_AT_LEAST, *_AT_MOST, "type", "enum", "const", "properties", "required", "additionalProperties"})
_BELOW = ("items", "propertyNames")
_SAYS_NOTHING = frozenset({"title", "description", "examples", "deprecated", "$schema", "$id", "$defs", "$comment"})
_ABSENT = object()
Changes = Iterator[Change]


def _narrowed(path: str, what: str) -> Change:
    return Change(path, what, Breaks.BACKWARD)


def _widened(path: str, what: str) -> Change:
    return Change(path, what, Breaks.FORWARD)


def _both(path: str, what: str) -> Changes:
    yield _narrowed(path, what)
    yield _widened(path, what)


class _Comparison:
    """Two documents, each with its own definitions. No schema of ours refers to itself."""

    def __init__(self, published: Schema, present: Schema) -> None:
        self._published = published
        self._present = present

    def compare(self, path: str, old: Schema, new: Schema) -> Changes:
        """What broke between two schemas that describe the same place."""
        olds = _grouped(_alternatives(old, self._published))
        news = _grouped(_alternatives(new, self._present))
        for shape in sorted(olds.keys() | news.keys()):
            for one, other in zip_longest(olds.get(shape, ()), news.get(shape, ())):
                if other is None:
                    yield _narrowed(path, f"{shape} no longer allowed")
                elif one is None:
                    yield _widened(path, f"{shape} newly allowed")
                else:
                    yield from self._alike(path, one, other)

    def _alike(self, path: str, old: Schema, new: Schema) -> Changes:
        yield from _bounds(path, old, new)
        yield from _values(path, old, new)
        yield from _others(path, _spread(old, self._published), _spread(new, self._present))
        if "properties" in old or "properties" in new:
            yield from self._fields(path, old, new)
        yield from self._beside(path, old, new)
        for keyword, sign in zip(_BELOW, ("[]", "{}"), strict=True):
            if keyword in old or keyword in new:
                yield from self.compare(path + sign, old.get(keyword, {}), new.get(keyword, {}))

    def _fields(self, path: str, old: Schema, new: Schema) -> Changes:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() | after.keys()):
            here = f"{path}.{name}" if path else name
            if name not in after:
                yield from _removed(here, closed=_closed(new), required=name in needed)
            elif name not in before:
                yield from _added(here, closed=_closed(old), required=name in needs)
            else:
                yield from self.compare(here, before[name], after[name])
                if (name in needed) != (name in needs):
                    change, what = (_narrowed, "now required") if name in needs else (_widened, "no longer required")
                    yield change(here, what)

    def _beside(self, path: str, old: Schema, new: Schema) -> Changes:
        """Fields that no name is given for."""
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        here = f"{path}.*" if path else "*"
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.compare(here, before, after)
        elif before != after:
            if before is not False:
                yield _narrowed(here, "other fields are no longer what they were")
            if after is not False:
                yield _widened(here, "other fields are no longer what they were")


def _closed(schema: Schema) -> bool:
    return schema.get("additionalProperties", True) is False


def _removed(path: str, *, closed: bool, required: bool) -> Changes:
    if closed:
        yield _narrowed(path, "field removed")
    if required:
        yield _widened(path, "required field removed")


def _added(path: str, *, closed: bool, required: bool) -> Changes:
    if closed:
        yield _widened(path, "field added")
    if required:
        yield _narrowed(path, "required field added")


def _bounds(path: str, old: Schema, new: Schema) -> Changes:
    for keywords, tighter in ((_AT_LEAST, _greater), (_AT_MOST, _less)):
        for keyword in keywords:
            before, after = old.get(keyword), new.get(keyword)
            if before != after:
                narrowed = before is None or (after is not None and tighter(after, before))
                yield (_narrowed if narrowed else _widened)(path, f"{keyword} {before} is now {after}")


def _greater(one: float, other: float) -> bool:
    return one > other


def _less(one: float, other: float) -> bool:
    return one < other


def _values(path: str, old: Schema, new: Schema) -> Changes:
    """Constants and enumerations."""
    before, after = _allowed(old), _allowed(new)
    if before == after:
        return
    if "const" in old and "const" in new:
        yield from _both(path, f"const {old['const']!r} is now {new['const']!r}")
    elif before is None:
        yield _narrowed(path, "only certain values are allowed now")
    elif after is None:
        yield _widened(path, "any value is allowed now")
    else:
        yield from (_narrowed(path, f"value {value} removed") for value in sorted(before - after))
        yield from (_widened(path, f"value {value} added") for value in sorted(after - before))


def _allowed(schema: Schema) -> frozenset[str] | None:
    if "const" in schema:
        return frozenset({repr(schema["const"])})
    return frozenset(map(repr, schema["enum"])) if "enum" in schema else None


def _others(path: str, old: Schema, new: Schema) -> Changes:
    """Patterns, defaults, and whatever keyword this module does not know."""
    ignored = _WEIGHED | _SAYS_NOTHING | set(_BELOW)
    for keyword in sorted((old.keys() | new.keys()) - ignored):
        before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
        if before == after:
            continue
        if keyword == "default":
            yield from _default(path, before, after)
        elif before is _ABSENT:
            yield _narrowed(path, f"{keyword} {_short(after)} added")
        elif after is _ABSENT:
            yield _widened(path, f"{keyword} {_short(before)} removed")
        else:
            yield from _both(path, f"{keyword} {_short(before)} is now {_short(after)}")


def _short(value: object) -> object:
    """Long values by their digest: a change is told, and accepted, by its text."""
    return digest(repr(value).encode()) if isinstance(value, list | dict) else value


def _spread(schema: Schema, document: Schema) -> Schema:
    """The schema whose unknown keywords hold what they refer to, so that a change behind a reference shows."""
    ignored = _WEIGHED | _SAYS_NOTHING | set(_BELOW)
    return {name: value if name in ignored else _whole(value, document) for name, value in schema.items()}


def _whole(value: Any, document: Schema) -> Any:
    if isinstance(value, list):
        return [_whole(each, document) for each in value]
    if not isinstance(value, dict):
        return value
    plain = _resolved(value, document) if isinstance(value.get("$ref"), str) else value
    return {name: _whole(each, document) for name, each in plain.items() if name not in _SAYS_NOTHING}


def _default(path: str, before: object, after: object) -> Changes:
    """A default alone changes nothing; another one gives old bodies another meaning."""
    if before is not _ABSENT and after is not _ABSENT:
        yield from _both(path, f"default {before!r} is now {after!r}")


def _grouped(alternatives: list[Schema]) -> dict[str, list[Schema]]:
    by_name: dict[str, list[Schema]] = {}
    for one in alternatives:
        by_name.setdefault(_shape(one), []).append(one)
    return by_name


def _shape(schema: Schema) -> str:
    """What alternatives are matched by: of one shape, the first is held against the first."""
    words = (schema.get("type", "anything"), schema.get("format", ""))
    return " ".join(word for word in words if word)


def _alternatives(schema: Schema, document: Schema) -> list[Schema]:
    """The schema as a list of plain ones: references followed, unions and lists of types spread."""
    schema = _resolved(schema, document)
    for union in {"anyOf", "oneOf"} & schema.keys():
        rest = {name: value for name, value in schema.items() if name not in (union, "discriminator")}
        return [plain for part in schema[union] for plain in _alternatives(rest | part, document)]
    kinds = schema.get("type")
    return [schema | {"type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        target: Schema = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = target | {name: value for name, value in schema.items() if name != "$ref"}
    return schema
