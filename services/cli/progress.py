"""How far a long command is, with its rate and the time left: for a person at a terminal, and for nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Task


def shown() -> bool:
    """Whether a person watches: standard error is a terminal, and results do not go to the same one."""
    return sys.stderr.isatty() and not sys.stdout.isatty()


@contextmanager
def advancing(label: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Yield what is called for each piece that is done. The line on standard error is taken away at the end."""
    if not shown():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Pieces a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)
