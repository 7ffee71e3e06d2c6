"""The published documents: what the models give, true of what is sent, compatible with what was published before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from strategies import KINDS, spoiled
from typer.testing import CliRunner

from adapters.core import BadRecord, Note, Origin
from schemas.cloudevents import SIGNATURE, headers_of
from schemas.codec import Undecodable, decode, encode
from schemas.compatibility import document_refusals, refusals
from schemas.documents import ASYNCAPI, EVENTS, VIEWS, asyncapi, documents, event_schema, view_schema
from schemas.events import SCHEMA_VERSION, Kind
from schemas.topics import COMPACTED, EVENT_TOPICS, PARTITIONS
from services.authority import Rights
from services.authority.guard import Guard
from services.cli import app
from services.cli.schemas import PUBLISHED
from services.dead_letters import Spool, dead_letter
from services.feeds import Checkpoint, Condition, Counters, Order, Waiting, Word
from services.ingest.clocks import now
from services.ingest.door.ledger import Answer
from services.ingest.receipts import receipt
from services.ingest.tally import Limits, Tally
from services.keyring import Keyring
from services.questions import Priority, State, question_of
from services.questions.topic import parse

HERE = Path(__file__).parent
ACCEPTED: frozenset[str] = frozenset()
"""Incompatible changes that were weighed and let pass, by their text. `v2` was taken anew on 2026-11-29: it was not yet
released, and amendments, codes of states, the schemes and facts of all systems, freshness by system and whether a
filing was on paper came in."""

ACCEPTED_OF_VIEWS: frozenset[str] = frozenset(
    # answers say how many days are left, and whether all holders are told: nobody but us writes them, and readers of
    # JSON pass by what they do not know
    f"{field}: {what}"
    for field in ("persons[].present.days_left", "truncated")
    for what in ("field added (forward)", "required field added (backward)")
)
API = asyncapi()


def test_committed_is_what_the_models_give() -> None:
    generated = documents()
    wrong = {name for name, content in generated.items() if not _is(PUBLISHED / name, content)}
    wrong |= {path.name for path in PUBLISHED.iterdir()} - generated.keys()
    assert not wrong, f"{sorted(wrong)}: run `visabus schemas write`"


def _is(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


@pytest.mark.parametrize("name", documents())
def test_documents_are_schemas(name: str) -> None:
    if name != ASYNCAPI:
        Draft202012Validator.check_schema(orjson.loads(documents()[name]))


STANDARD = Draft7Validator(orjson.loads((HERE / "asyncapi-3.0.0.json").read_bytes()))
"""The standard's own schema of such documents."""

MISBUILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "no version": lambda d: d.pop("asyncapi"),
    "another action": lambda d: d["operations"]["ingest-send-arrival"].update(action="publish"),
    "an operation without a channel": lambda d: d["operations"]["ingest-send-arrival"].pop("channel"),
    "messages as a list": lambda d: d["channels"]["arrival"].update(messages=[]),
    "a policy that Kafka does not know": lambda d: d["channels"]["arrival"]["bindings"]["kafka"][
        "topicConfiguration"
    ].update({"cleanup.policy": ["keep"]}),
    "no partitions": lambda d: d["channels"]["arrival"]["bindings"]["kafka"].update(partitions=0),
    "a type that is none": lambda d: d["components"]["messages"]["arrival"]["headers"].update(type="headers"),
    "a field that nobody knows": lambda d: d["channels"]["arrival"].update(topic="visabus.arrival"),
}


def test_the_document_is_what_asyncapi_asks_for() -> None:
    assert not [error.message for error in STANDARD.iter_errors(asyncapi())]


@pytest.mark.parametrize("name", MISBUILT)
def test_a_document_that_is_not_is_seen(name: str) -> None:
    document = asyncapi()
    MISBUILT[name](document)
    assert list(STANDARD.iter_errors(document))


@pytest.mark.parametrize("kind", KINDS)
def test_this_version_stays_compatible(kind: str) -> None:
    """The first publication of the present version stands under `v2`; raise SCHEMA_VERSION to break with it."""
    first = HERE / f"v{SCHEMA_VERSION}" / f"{kind}.json"
    assert first.exists(), f"a version just begun: copy schemas/published/{kind}.json to {first}"
    refused = refusals(orjson.loads(first.read_bytes()), event_schema(kind), ACCEPTED)
    assert not refused, "\n".join(map(str, refused))


@pytest.mark.parametrize("name", VIEWS)
def test_views_stay_compatible(name: str) -> None:
    """They have no version of their own: what breaks a reader of answers or of changes is weighed, or is not done."""
    first = orjson.loads((HERE / f"v{SCHEMA_VERSION}" / f"{name}.json").read_bytes())
    refused = refusals(first, view_schema(name), ACCEPTED_OF_VIEWS)
    assert not refused, "\n".join(map(str, refused))


def test_the_bus_stays_compatible() -> None:
    """Topics, their partitions, and the key, headers and payload of each message, those of ingest's own included."""
    first = orjson.loads((HERE / f"v{SCHEMA_VERSION}" / ASYNCAPI).read_bytes())
    refused = document_refusals(first, asyncapi())
    assert not refused, "\n".join(map(str, refused))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_events_are_what_their_schemas_say(kind: str, data: st.DataObject) -> None:
    event = data.draw(KINDS[kind])
    body = orjson.loads(encode(event))
    _valid(event_schema(kind), body)
    message = API["components"]["messages"][kind]
    _valid(_component(message["payload"]), body)
    for trace in (None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        headers = {name: value.decode() for name, value in headers_of(event, trace)}
        assert headers.keys() <= message["headers"]["properties"].keys()
        _valid(message["headers"], headers)


FORMATS = FormatChecker()
INEXPRESSIBLE = (
    "time zone",  # that a zone exists
    "end of the calendar",
    "coverage runs backwards",  # one field against another
    "about two records",
    "month must be",  # a month of birth alone
)
"""Of what the models refuse, what no keyword of JSON Schema can."""


@FORMATS.checks("date-time", ValueError)
def _an_instant(text: object) -> bool:
    return not isinstance(text, str) or ("T" in text and datetime.fromisoformat(text).tzinfo is not None)


def _takes(kind: str, body: dict[str, Any]) -> bool:
    return Draft202012Validator(event_schema(kind), format_checker=FORMATS).is_valid(body)


def _misspelt(draw: st.DrawFn, body: dict[str, Any]) -> None:
    """Somewhere in a person or a moment, what no model takes."""
    subject = body["subject"]
    choices: list[Callable[[], object]] = [
        lambda: subject.update(names=[], identifiers=[]),
        lambda: subject.update(names=[{"family": "", "given": ""}]),
        lambda: subject.update(citizenship=["GER"]),
        lambda: subject.update(sex="Q"),
        lambda: body["occurred_at"].update(at=None, day=None),
        lambda: body["occurred_at"].update(at="2026-01-01T00:00:00Z", day="2026-01-01"),
        lambda: body["occurred_at"].update(precision="hour"),
    ]
    for wrong in subject["identifiers"]:
        choices += [
            lambda wrong=wrong: wrong.update(value=wrong["value"] + "-" * 31),
            lambda wrong=wrong: wrong.update(value=" " + wrong["value"]),
            lambda wrong=wrong: wrong.update(issuer="nobody"),
        ]
    draw(st.sampled_from(choices))()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("coverage", "decision")])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_the_models_refuse_of_a_person_the_schemas_refuse(kind: str, data: st.DataObject) -> None:
    body = orjson.loads(encode(data.draw(KINDS[kind])))
    _misspelt(data.draw, body)
    with pytest.raises(Undecodable):
        decode(orjson.dumps(body))
    assert not _takes(kind, body)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_schemas_take_and_refuse_what_the_models_do(kind: str, data: st.DataObject) -> None:
    body = orjson.loads(encode(data.draw(KINDS[kind])))
    spoilt = data.draw(spoiled(body, spared=frozenset({"kind"})))
    refused = ""
    try:
        decode(orjson.dumps(spoilt))
    except Undecodable as error:
        refused = str(error)
    if not any(word in refused for word in INEXPRESSIBLE):
        assert _takes(kind, spoilt) == (not refused)


@pytest.mark.parametrize("field", ["kind", "schema_version", "published_at"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_publication_adds_is_required(kind: str, field: str) -> None:
    assert field in event_schema(kind)["required"]


def test_positions_are_what_the_document_says() -> None:
    done = Counters(read=3, published=1, dead_lettered=1, filtered={"crew": 1}, events=1)
    for saved in (
        Checkpoint(),
        Checkpoint(
            *({"file": "a", "offset": 7}, "a", "ff", 3, 4, done, done, 2),
            *("host", False, "why", "host/7", Condition("a", down_since=datetime.now(UTC)), datetime.now(UTC)),
        ),
    ):
        message = saved.message("I94/lines")
        assert message.value is not None
        _valid(_payload("position"), orjson.loads(message.value))
        assert _filled(_payload("position")) == orjson.loads(message.value).keys()


def test_questions_and_their_states_are_what_the_document_says() -> None:
    at = datetime.now(UTC)
    question = question_of("PCQS/persons", "a_number/USCIS/A099000117", Priority.DOUBTFUL, at, "UNDETERMINED")
    closed = State(question.feed, question.identifier, question.id, at)
    open_still = replace(closed, tries=1, again=at)
    for kind, said in (("question", question), ("question-state", closed), ("question-state", open_still)):
        message = said.message()
        assert message.value is not None
        _valid(_payload(kind), orjson.loads(message.value))
        assert _filled(_payload(kind)) == orjson.loads(message.value).keys()
        assert parse(message.key or b"", message.value) == said


ORIGIN = Origin("I94", "lines", "a.dat", 1)


@pytest.mark.parametrize("size", [3, 300_000])
def test_dead_letters_are_what_the_document_says(size: int, tmp_path: Path) -> None:
    bad = BadRecord("no date", place="line 3", raw=b"x" * size, record="17")
    message = dead_letter(bad, Origin("I94", "lines", "a.dat", 1), Spool(tmp_path))
    assert message.value is not None
    _valid(_payload("dead-letter"), orjson.loads(message.value))
    assert _filled(_payload("dead-letter")) == orjson.loads(message.value).keys()
    headers = {name: value.decode() for name, value in message.headers}
    _valid(API["components"]["messages"]["dead-letter"]["headers"], headers)


def _payload(message: str) -> dict[str, Any]:
    return _component(API["components"]["messages"][message]["payload"])


def _component(reference: dict[str, str]) -> dict[str, Any]:
    """A component that can be validated alone: with the others at hand."""
    return {"components": API["components"], **reference}


def test_answers_to_pushes_are_what_the_document_says() -> None:
    answer = Answer("key/nonce", "0" * 64, 1_764_000_300, {"read": 3}, 17, 2, Counters(read=3, published=3, events=4))
    message = answer.message("IDENT/push")
    assert (message.key, message.topic) == (b"IDENT/push/key/nonce", "visabus.push-answers")
    _valid(_payload("push-answer"), orjson.loads(message.value or b""))
    assert _filled(_payload("push-answer")) == orjson.loads(message.value or b"").keys()


def test_receipts_are_what_the_document_says(tmp_path: Path) -> None:
    tally = Tally(
        ORIGIN, lambda read, origin: [], now, Spool(tmp_path), Limits(1.0, 1), Guard(Rights(frozenset())), mark="0f"
    )
    tally.messages([Note("line 1", b"h", {"sequence": 7}), BadRecord("no date", place="line 3", raw=b"x", record="17")])
    message = receipt(tally, Keyring.of(b"r" * 32))
    assert (message.key, message.topic) == (b"I94/lines/a.dat/0f", "visabus.receipts")
    _valid(_payload("receipt"), orjson.loads(message.value or b""))
    assert _filled(_payload("receipt")) - {"lost"} == orjson.loads(message.value or b"").keys()


def test_orders_to_feeds_are_what_the_document_says() -> None:
    places = {Word.PAUSE: "hold", Word.RESUME: "hold", Word.REWIND: "rewind", Word.RELEASE: "word", Word.REJECT: "word"}
    assert places.keys() == set(Word)
    for word, place in places.items():
        for about in ("", "0f"):
            order = Order("0f", word, "os:op", "being mended", datetime(2026, 11, 30, tzinfo=UTC), about)
            message = order.message("I94/nightly")
            assert (message.key, message.topic) == (f"I94/nightly/{place}/0f".encode(), "visabus.feed-orders")
            _valid(_payload("feed-order"), orjson.loads(message.value or b""))
    assert _filled(_payload("feed-order")) == orjson.loads(message.value or b"").keys()


def test_a_batch_that_waits_and_what_was_said_of_it_are_what_the_document_says(tmp_path: Path) -> None:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    for records in (17, None):
        waiting = Waiting("a.dat", "0f", at, records, 5, 6, 1, {"IN_STATUS to OVERSTAY": 6})
        message = replace(Checkpoint(), waiting=waiting).message("I94/lines")
        _valid(_payload("position"), orjson.loads(message.value or b""))
    tally = Tally(
        ORIGIN, lambda read, origin: [], now, Spool(tmp_path), Limits(1.0, 1), Guard(Rights(frozenset())), mark="0f"
    )
    for word in (Word.RELEASE, Word.REJECT):
        tally.decided = {"word": word, "by": "os:op", "why": "seen", "at": at.isoformat()}
        _valid(_payload("receipt"), orjson.loads(receipt(tally, Keyring.of(b"r" * 32)).value or b""))


@pytest.mark.parametrize("kind", ["position", "receipt", "dead-letter", "question", "feed-order", "arrival"])
def test_a_signature_is_among_the_headers(kind: str) -> None:
    assert SIGNATURE in API["components"]["messages"][kind]["headers"]["properties"]


def test_a_dead_letter_that_was_replayed_is_one_still(tmp_path: Path) -> None:
    body = orjson.loads(dead_letter(BadRecord("no", place="line 3", raw=b"x"), ORIGIN, Spool(tmp_path)).value or b"")
    old = {name: value for name, value in body.items() if name not in ("context", "ordinal", "replayed")}
    for each in (body | {"raw": None, "replayed": True}, body | {"context": "eA==", "ordinal": 2}, old):
        _valid(_payload("dead-letter"), each)


def _filled(reference: dict[str, Any]) -> set[str]:
    return set(_resolve(reference["$ref"])["properties"])


def _resolve(reference: str) -> Any:
    result: Any = API
    for step in reference.removeprefix("#/").split("/"):
        result = result[step]
    return result


def _valid(schema: dict[str, Any], body: object) -> None:
    dialect = Draft202012Validator if "$schema" in schema else Draft7Validator  # AsyncAPI's own is a superset of 7
    dialect(schema, format_checker=FormatChecker()).validate(body)


def test_every_topic_is_a_channel() -> None:
    results = {channel["address"]: channel["bindings"]["kafka"] for channel in API["channels"].values()}
    assert {topic: kafka["partitions"] for topic, kafka in results.items()} == PARTITIONS
    policies = {topic: kafka["topicConfiguration"]["cleanup.policy"] for topic, kafka in results.items()}
    assert {topic for topic, policy in policies.items() if policy == ["compact"]} == COMPACTED


def test_who_sends_and_who_receives() -> None:
    operations: dict[tuple[str, str], set[str]] = {}
    for operation in API["operations"].values():
        address = _resolve(operation["channel"]["$ref"])["address"]
        operations.setdefault((operation["tags"][0]["name"], operation["action"]), set()).add(address)
    assert operations[("correlator", "receive")] == set(EVENT_TOPICS)
    assert operations[("correlator", "send")] == {
        f"visabus.{name}{twin}" for name in ("status-changes", "confidential-changes") for twin in ("", ".latest")
    }
    assert operations[("ingest", "send")] == {
        *EVENT_TOPICS,
        "visabus.positions",
        "visabus.extracts",
        "visabus.dead-letters",
        "visabus.push-answers",
        "visabus.receipts",
        "visabus.questions",
    }
    assert operations[("operator", "send")] == {"visabus.feed-orders"}
    assert "visabus.feed-orders" in operations[("ingest", "receive")]
    assert operations[("api", "send")] == operations[("api", "receive")] == {"visabus.audit-heads"}
    assert operations[("ask", "receive")] == {"visabus.status-changes", "visabus.questions"}


def test_every_reference_leads_somewhere() -> None:
    references = set(_references(API))
    assert len(references) > 30
    for reference in references:
        _resolve(reference)


def _references(part: object) -> list[str]:
    if isinstance(part, list):
        return [result for one in part for result in _references(one)]
    if not isinstance(part, dict):
        return []
    here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return here + [result for one in part.values() for result in _references(one)]


def test_every_kind_is_published() -> None:
    assert list(EVENTS) == list(Kind)


def test_write_then_check(tmp_path: Path) -> None:
    run = CliRunner().invoke
    directory = tmp_path / "new"
    assert run(app, ["schemas", "check", str(directory)]).exit_code == 1
    written = run(app, ["schemas", "write", str(directory)])
    assert (written.exit_code, len(written.stdout.split())) == (0, len(documents()))
    assert run(app, ["schemas", "check", str(directory)]).exit_code == 0


def test_check_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    run = CliRunner().invoke
    run(app, ["schemas", "write", str(tmp_path)])
    (tmp_path / "status.json").unlink()
    (tmp_path / "arrival.json").write_text(json.dumps({}))
    (tmp_path / "other.json").write_text("{}")
    checked = run(app, ["schemas", "check", str(tmp_path)])
    assert checked.exit_code == 1
    for text in (
        "arrival.json is out of date",
        "status.json is missing",
        "other.json belongs to no model",
        "schemas write",
    ):
        assert text in checked.stderr
