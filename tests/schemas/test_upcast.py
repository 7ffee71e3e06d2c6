"""Bodies of older versions: each file holds one as it was published and what it means today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.codec import Undecodable, decode, encode
from schemas.events import SCHEMA_VERSION
from schemas.upcast import upcast
from services.domain.facts import fact_of

HERE = Path(__file__).parent
OLD = sorted(HERE.glob("bodies/v*/*.json"))


@pytest.fixture(params=OLD, ids=[f"{path.parent.name}-{path.stem}" for path in OLD])
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(request.param.read_bytes())
    return loaded


def test_an_old_body_is_what_it_means_today(case: dict[str, Any]) -> None:
    assert orjson.loads(encode(decode(orjson.dumps(case["body"])))) == case["present"]


def test_old_and_new_are_one_fact(case: dict[str, Any]) -> None:
    assert fact_of(orjson.dumps(case["body"])) == fact_of(orjson.dumps(case["present"]))


def test_the_body_given_is_left_as_it_was(case: dict[str, Any]) -> None:
    before = orjson.dumps(case["body"])
    upcast(case["body"])
    assert orjson.dumps(case["body"]) == before


def test_every_older_version_is_read() -> None:
    for version in range(1, SCHEMA_VERSION):
        assert upcast({"schema_version": version})["schema_version"] == SCHEMA_VERSION
        assert list(HERE.glob(f"bodies/v{version}/*.json")), f"no body of version {version} to try"


@pytest.mark.parametrize("version", [0, -1, SCHEMA_VERSION + 1, "1", "2", None, 1.5, 1.0, 2.0, True, [], {}])
def test_a_version_nobody_knows_is_refused(version: object) -> None:
    body = orjson.loads(OLD[0].read_bytes())["present"] | {"schema_version": version}
    for read in (decode, fact_of):
        with pytest.raises(Undecodable):
            read(orjson.dumps(body))
