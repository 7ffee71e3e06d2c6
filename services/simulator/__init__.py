"""A synthetic population, written as the legacy systems' own files, with the truth about it kept apart."""

from services.simulator.noise import CLEAN, OF_PERSONS, Noise
from services.simulator.simulation import ALWAYS, IDENT_FILES, SYSTEMS, UNTIL, addresses, simulate
from services.simulator.truth.records import TruePerson, TrueRecord, TrueStay, Truth

__all__ = [
    "ALWAYS",
    "CLEAN",
    "IDENT_FILES",
    "OF_PERSONS",
    "SYSTEMS",
    "UNTIL",
    "Noise",
    "TruePerson",
    "TrueRecord",
    "TrueStay",
    "Truth",
    "addresses",
    "simulate",
]
