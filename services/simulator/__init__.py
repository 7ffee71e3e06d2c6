"""A synthetic population, written as the legacy systems' own files, with the truth about it kept apart."""

from services.simulator.noise import CLEAN, OF_PERSONS, Noise
from services.simulator.registry import sources
from services.simulator.simulation import RECORDS_END, addresses, simulate
from services.simulator.source import Served, Source, SourceUnavailable, Surroundings
from services.simulator.truth.records import TruePerson, TrueRecord, TrueStay, Truth

__all__ = [
    "CLEAN",
    "OF_PERSONS",
    "RECORDS_END",
    "Noise",
    "Served",
    "Source",
    "SourceUnavailable",
    "Surroundings",
    "TruePerson",
    "TrueRecord",
    "TrueStay",
    "Truth",
    "addresses",
    "simulate",
    "sources",
]
