"""The address in a row of the audit log is that of the connection, unless a proxy that is named says another."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.cli.web import server
from services.settings import WebSettings


@pytest.mark.parametrize(
    ("proxies", "expected"), [((), "127.0.0.1"), (("192.0.2.9",), "127.0.0.1"), (("127.0.0.1",), "198.51.100.7")]
)
async def test_only_a_named_proxy_says_for_whom_it_asks(world: Any, proxies: tuple[str, ...], expected: str) -> None:
    served = server(world.app, "127.0.0.1", 0, grace=1, limits=WebSettings(proxies=proxies))
    served.config.load()
    transport = httpx.ASGITransport(app=served.config.loaded_app)
    headers = {
        "authorization": f"Bearer {world.token()}",
        "visabus-purpose": "admission",
        "x-forwarded-for": "198.51.100.7",
    }
    async with httpx.AsyncClient(transport=transport, base_url="http://visabus") as client:
        assert (await client.get("/v1/status/i94/123456789A1", headers=headers)).status_code == 404
    assert [row.source for row in await world.rows()] == [expected]
