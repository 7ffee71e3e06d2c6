"""A SOAP service that is asked about one person at a time; `asked` has how that goes on, `soap_call` how it is called.

An answer says about whom it is (`echo`): one about another is no answer. A request that the service refuses is kept as
a record that cannot be read, and not made again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from adapters.core import BadRecord, Credentials, Format, Header, Read, SourceDown
from adapters.transports.asked import AskedSource, Pace, Reply
from adapters.transports.needed_format import needed
from adapters.transports.soap_call import RequestRefused, Security, SoapCall
from adapters.transports.soap_poll import offline_answer, usable
from adapters.transports.tls_options import TlsOptions
from schemas.identifiers import Identifier

_AT_ONCE = 65_536
"""Bytes of an answer up to which a thread would cost more than reading it."""


def always(_: Sequence[Read]) -> bool:
    """Every answer is whole."""
    return True


@dataclass(frozen=True, slots=True)
class SoapAsk(TlsOptions):
    """The transport. `wsdl`: a file beside the adapter; `answer`: `{namespace}name` of the element that answers.

    `by`: scheme of identifiers -> element of the request, the best first. `echo`: the attribute of the answer that
    repeats the identifier. `whole`: whether all parts of an answer are there. `values`: further elements of the
    request. What follows is as in `asked.Pace`.
    """

    wsdl: Path
    operation: str
    answer: str
    by: Mapping[str, str]
    echo: str
    whole: Callable[[Sequence[Read]], bool] = always
    values: Mapping[str, Any] = field(default_factory=dict)
    security: Security = "basic"
    timeout: float = 120.0
    limit: int = 4 * 2**20  # bytes of an answer
    at_once: int = 4
    pause: float = 0.0
    interval: float = 6 * 3600.0
    first: float = 60.0
    longest: float = 6 * 3600.0
    failures: int = 5
    linger: float = 0.0

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes by which it can be asked."""
        return tuple(self.by)

    @property
    def pace(self) -> Pace:
        """How it is asked. Raises ValueError."""
        names = ("at_once", "pause", "interval", "first", "longest", "failures", "linger")
        return Pace(**{name: getattr(self, name) for name in names})

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> AskedSource:
        """The service at an address. Raises ValueError without a format, SourceDown for the address."""
        self.check(url)
        call = SoapCall(
            self.wsdl,
            self.operation,
            self.answer,
            usable(url),
            credentials,
            self.security,
            timeout=self.timeout,
            limit=self.limit,
            tls=self,
        )
        return AskedSource(SoapRespondent(call, needed(format, "answers"), self), self.pace)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """One answer as a file. Raises OSError, ValueError without a format."""
        kept = needed(format, "answers")
        data = offline_answer(source, self.limit)
        if isinstance(data, BadRecord):
            yield data
        else:
            yield from kept.read(BytesIO(data))


@dataclass(slots=True)
class SoapRespondent:
    """An opened service."""

    call: SoapCall
    format: Format
    options: SoapAsk

    async def ask(self, identifier: str) -> Reply:
        """What it says about one. Raises SourceDown."""
        try:
            who = Identifier.parse(identifier)
            values = dict(self.options.values) | {self.options.by[who.scheme.value]: who.value}
        except (ValueError, KeyError):
            reason = f"a question by what is no {' or '.join(self.options.by)}"
            return Reply([BadRecord(reason, place="question", raw=identifier.encode())])
        try:
            data = await self.call(**values)
        except RequestRefused as error:
            return Reply([BadRecord(str(error), place="question", raw=identifier.encode())])
        reads = self._reads(data) if len(data) <= _AT_ONCE else await asyncio.to_thread(self._reads, data)
        header = next((read.fields for read in reads if isinstance(read, Header)), None)
        if header is None:
            raise SourceDown(f"{self.call.where} answered with nothing of this interface")
        if header.get(self.options.echo) != who.value:
            raise SourceDown(f"{self.call.where} answered about another than was asked")
        return Reply(reads, self.options.whole(reads))

    async def close(self) -> None:
        """Let go of the service."""
        await self.call.close()

    def _reads(self, data: bytes) -> list[Read]:
        return list(self.format.read(BytesIO(data)))
