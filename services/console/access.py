"""Who may do what on the console, and what the audit log keeps of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from schemas.operations import Overview
from services.api.authorised_lookup import BEARER, CHALLENGE, PURPOSE_HEADER, Purpose, Scope, authenticated, source_of
from services.api.tokens import Caller
from services.audit import Entry, Result
from services.console.resources import Console
from services.problems import Problem


@dataclass(frozen=True, slots=True)
class Access:
    """A caller whose token allows what the route asks for."""

    console: Console
    caller: Caller
    purpose: str
    source: str
    request: str

    async def remember(
        self, verb: str, about: Sequence[str], reason: str = "", *, result: Result = Result.DONE
    ) -> None:
        """Write what is told or done into the audit log, before it is. Raises AuditDown."""
        audit = self.console.audit
        for each in about or ("",):
            await audit.write(
                Entry(
                    request=self.request,
                    subject=self.caller.subject,
                    client=self.caller.client,
                    purpose=self.purpose,
                    verb=verb,
                    looked_up=audit.name(each) if each else "",
                    result=result,
                    reason=reason,
                    source=self.source,
                    token=self.caller.token,
                )
            )

    @property
    def confidential(self) -> bool:
        """Whether what the law keeps confidential may be told."""
        return Scope.CONFIDENTIAL in self.caller.scopes

    async def flow(self) -> Overview:
        """The flow as it stands, two seconds old at most, as it may be told. Raises Problem where there is none."""
        watch = self.console.watch
        flow = watch.last or await watch.observe()
        if flow is None:
            raise Problem(503, "no-flow", "Bus or store cannot be read at present.", headers={"Retry-After": "5"})
        return flow if self.confidential else await self.console.open_flow.of(flow)

    def reading(self, verb: str) -> str:
        """The verb of a row, with the right that is used."""
        return f"{verb} {Scope.CONFIDENTIAL}" if self.confidential else verb


def needs(*scopes: Scope) -> Callable[..., Awaitable[Access]]:
    """Return what a route depends on that needs these scopes; a purpose too where it tells of persons."""

    async def allowed(
        request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
    ) -> Access:
        console: Console = request.app.state.console
        caller = await authenticated(request, console.trust, console.clock, bearer)
        console.limits.allow(caller)
        missing = [scope for scope in scopes if scope not in caller.scopes]
        if missing:
            challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{" ".join(missing)}"'
            detail = f"This needs the scope {missing[0]}."
            raise Problem(403, "scope", detail, headers={"WWW-Authenticate": challenge})
        purpose = request.headers.get(PURPOSE_HEADER, "")
        if Scope.RECORDS in scopes:
            if purpose not in set(Purpose):
                detail = f"State what it is for in the header {PURPOSE_HEADER}: one of {', '.join(Purpose)}."
                raise Problem(400, "purpose-missing", detail)
            if purpose not in caller.purposes:
                raise Problem(403, "purpose", "The token does not permit this purpose.")
        stated = purpose if purpose in set(Purpose) else ""
        return Access(console, caller, stated, source_of(request), request.state.request)

    return allowed


Operations = Annotated[Access, Depends(needs(Scope.OPERATIONS))]
Holder = Annotated[Access, Depends(needs(Scope.OPERATIONS, Scope.OPERATE))]
"""Who may hold feeds and have them read again: no record is told."""
Records = Annotated[Access, Depends(needs(Scope.OPERATIONS, Scope.RECORDS))]
Operator = Annotated[Access, Depends(needs(Scope.OPERATIONS, Scope.RECORDS, Scope.OPERATE))]
