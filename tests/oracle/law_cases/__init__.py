"""Small histories of the kinds of tests/domain/cases/law by subject, each written from the law's text."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from oracle.law_cases.case import ALL, Case

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["ALL", "Case"]
