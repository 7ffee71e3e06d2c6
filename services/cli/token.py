"""`visabus token`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.cli.audited import StatedReason, remember
from services.cli.context import MISUSED, Refusal, settings_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)


def token(
    context: typer.Context,
    scope: Annotated[
        list[str],
        typer.Option(help="status:read, timeline:read, confidential:read, operations:read, ...; may be repeated."),
    ],
    purpose: Annotated[list[str], typer.Option(help="What look-ups may be for, e.g. admission; may be repeated.")],
    ttl: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds for which the token is valid.")] = 3_600,
    subject: Annotated[str, typer.Option(help="The name under which look-ups are audited.")] = "developer",
    client: Annotated[str, typer.Option(help="Through which client.")] = "visabus-cli",
    why: StatedReason = "",
) -> None:
    """Make a bearer token for the API of this installation. For development only.

    Whoever can read the key in the data directory can be anyone. An installation that others use takes its tokens from
    an identity provider.

        curl -H "Authorization: Bearer $(visabus token --scope status:read --purpose admission)" ...
    """
    from services.api import development
    from services.api.authorised_lookup import Purpose, Scope
    from services.keyring import UnsafeKey

    settings = settings_of(context)
    if settings.api.rs_public_key is not None or settings.api.jwks is not None:
        raise Refusal("this installation believes tokens of its issuer only; ask there", MISUSED)
    if ttl > settings.api.token_seconds:
        raise Refusal(
            f"--ttl {ttl}: the API believes no token for longer than api.token_seconds = {settings.api.token_seconds}",
            MISUSED,
        )
    _check("scope", scope, [each.value for each in Scope])
    _check("purpose", purpose, [each.value for each in Purpose])
    id = str(uuid.uuid4())
    remember(settings, f"token {' '.join(scope)}", purpose=" ".join(purpose), why=why, token=id)
    try:
        made = development.token(
            settings.api,
            settings.data_dir,
            subject=subject,
            client=client,
            scopes=scope,
            purposes=purpose,
            now=datetime.now(UTC),
            ttl=ttl,
            id=id,
        )
    except (UnsafeKey, OSError) as error:
        raise Refusal(str(error)) from None
    typer.echo("visabus: a token for development, signed with the local key", err=True)
    typer.echo(made)


def _check(what: str, given: list[str], known: list[str]) -> None:
    for each in given:
        if each not in known:
            raise Refusal(f"no such {what}: {each}; one of {', '.join(known)}", MISUSED)
