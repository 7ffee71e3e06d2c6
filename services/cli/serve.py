"""`visabus serve`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from links.tasks import cancel
from services.cli.context import MISUSED, Refusal, refuse_password, settings_of, start_logs
from services.clock import wall_clock

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

    from services.api.tokens import Trust
    from services.settings import Settings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Where to listen; by default as the settings say.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Where to listen.")] = None,
    jwks_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The issuer's key set (RS256, ES256), fetched over https.")
    ] = None,
    console: Annotated[
        bool | None, typer.Option("--console/--no-console", help="Also serve the page for operators, at /console/.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option(help="A client (azp) whose tokens are accepted; by default any of the issuer.")
    ] = None,
) -> None:
    """Answer look-ups: the query API, over the store as it stands.

    visabus serve --port 8080
    visabus serve --console
    """
    refuse_password("--jwks-url", jwks_url, "an address without it: a key set is public")
    settings = settings_of(context)
    if console is not None:
        settings = settings.model_copy(update={"api": settings.api.model_copy(update={"console": console})})
    start_logs(settings)
    host = host or settings.api.host
    port = settings.api.port if port is None else port
    if _local(settings, jwks_url) and settings.api.hs_secret is None and host not in _LOOPBACK:
        raise Refusal(
            "beyond this machine the API believes no token of its own making: set api.issuer and one of api.jwks, "
            "api.rs_public_key or --jwks-url (or api.hs_secret, for a demonstration)",
            MISUSED,
        )
    asyncio.run(_serve(settings, host, port, jwks_url, frozenset(client or ())))


def _local(settings: Settings, jwks_url: str | None) -> bool:
    return settings.api.rs_public_key is None and settings.api.jwks is None and jwks_url is None


async def _serve(settings: Settings, host: str, port: int, jwks_url: str | None, clients: frozenset[str]) -> None:
    from services.cli.signals import stop_on_signals
    from services.cli.web import serve_until, server
    from services.stopping import Stopped, cut_off

    # uvicorn stops by itself, and then sends itself the signal again: without a handler that would end us half closed
    stop = stop_on_signals(settings.deadlines.stop)
    async with AsyncExitStack() as opening:
        with suppress(Stopped):
            async with cut_off(stop):
                app = await _open(settings, jwks_url, clients, opening)
            await serve_until(stop, server(app, host, port, grace=settings.deadlines.stop, limits=settings.web))


async def _open(settings: Settings, jwks_url: str | None, clients: frozenset[str], opening: AsyncExitStack) -> ASGIApp:
    """Open what the answers are made of, closed with `opening`. Raises Refusal."""
    import httpx

    from services.api.app import create_app
    from services.audit import AuditDown, keys_of, open_audit
    from services.audit.heads import HeadKeeper
    from services.cli.console import console_of
    from services.console.mounting import Beside
    from services.keyring import UnsafeKey
    from services.metrics import exported
    from services.store.contract import StoreDown
    from services.store.following import followed
    from services.wiring import open_bus

    http = await opening.enter_async_context(httpx.AsyncClient(timeout=5, follow_redirects=False))
    try:
        trust = _trust(settings, jwks_url, clients, http)
        audit_keys = keys_of(settings)
        audit = await open_audit(settings.audit_url, audit_keys, wall_clock)
    except (UnsafeKey, OSError, AuditDown) as error:
        raise Refusal(str(error)) from None
    opening.push_async_callback(audit.close)
    try:
        store = await opening.enter_async_context(followed(settings.store_url))
    except StoreDown as error:
        raise Refusal(str(error)) from None
    url, open_it = settings.audit_url, partial(open_bus, settings)
    keeper = HeadKeeper(audit, url, audit_keys.seal, open_it, wall_clock)
    compared = await keeper.start()
    opening.push_async_callback(keeper.close)
    giving_out = asyncio.create_task(keeper.run(settings.audit.head_seconds, compared=compared))
    opening.push_async_callback(cancel, giving_out)
    app: ASGIApp = create_app(trust, store.reads, audit, wall_clock, settings.api)
    if settings.api.console:
        app = Beside(app, await opening.enter_async_context(console_of(settings, trust, audit, store)))
    opening.enter_context(exported(settings.metrics.host, settings.metrics.serve))
    return app


def _trust(settings: Settings, jwks_url: str | None, clients: frozenset[str], http: httpx.AsyncClient) -> Trust:
    from services.api import development
    from services.api.tokens import KeyFile, Keys, KeySet, RemoteKeySet, Revoked, Trust, public_key
    from services.api.watched import Watched

    api = settings.api
    keys: Keys
    if not _local(settings, jwks_url) and api.issuer is None:
        raise Refusal("api.issuer is missing: whose tokens are to be believed?", MISUSED)
    if jwks_url is not None and any(each is not None for each in (api.hs_secret, api.jwks, api.rs_public_key)):
        raise Refusal("--jwks-url beside another key: a token must not choose how it is checked", MISUSED)
    try:
        if jwks_url is not None:
            keys = RemoteKeySet(jwks_url, http)
        elif api.jwks is not None:
            keys = KeyFile(api.jwks, KeySet.parse)
        elif api.rs_public_key is not None:
            keys = KeyFile(api.rs_public_key, public_key)
        else:
            if api.hs_secret is None:
                typer.echo("visabus: tokens come from `visabus token`; that is for development only", err=True)
            keys = development.trust_of(api, settings.data_dir).keys
    except ValueError as error:
        raise Refusal(f"the issuer's keys: {error}", MISUSED) from None
    try:
        revoked = Watched(api.revoked, Revoked.parse).get if api.revoked is not None else None
    except ValueError as error:
        raise Refusal(f"api.revoked: {error}", MISUSED) from None
    return Trust(
        issuer=development.issuer_of(api),
        audience=api.audience,
        keys=keys,
        clients=clients,
        types=frozenset(api.token_types),
        longest=api.token_seconds,
        revoked=revoked,
    )
