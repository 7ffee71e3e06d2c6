"""Numbers of documents, cases and stays: each once, in the shape that its issuer gives it."""

from __future__ import annotations

from services.simulator.population.plans import Passport
from services.simulator.rng import LETTERS

ONLINE = "IOE"
"""The office in the receipt of what is filed online."""
ASYLUM_OFFICES = ("AR", "CH", "HO", "LA", "MI", "NY", "NK", "SF", "BO", "NO")
OFFICES = ("EAC", "LIN", "SRC", "WAC", "MSC", ONLINE)
_SIGNS = "0123456789" + LETTERS
_LOCATOR = LETTERS + "23456789"
_KINDS = (
    *("i94", "passport", "foil", "receipt", "alien", "sevis", "case", "event", "subject"),
    *("asylum", "esta", "visa_application", "booking"),
)


class Numbers:
    """Unique numbers of documents: a counter, scattered by a multiplication that is a bijection."""

    def __init__(self) -> None:
        self._drawn = dict.fromkeys(_KINDS, 0)

    def _next(self, kind: str, factor: int, modulus: int) -> int:
        self._drawn[kind] += 1
        if self._drawn[kind] >= modulus:
            raise ValueError(f"there are only {modulus:,} numbers of kind {kind}")
        return self._drawn[kind] * factor % modulus

    def i94(self) -> str:
        """Half of them all digits, as before 2019, half with a letter in place 10."""
        number = self._next("i94", 387_420_489, 10**9)
        sign = LETTERS[number % len(LETTERS)] if number % 2 else str(number % 9)
        return f"{number:09}{sign}{number // 7 % 10}"

    def passport(self, state: str) -> Passport:
        """Nine digits, or a letter or two before the digits, by state. The number behind it is free for the family."""
        number = 2 * self._next("passport", 61_222_333, 5 * 10**7)
        lead = {"GBR": "5", "FRA": "19F", "D": "C", "JPN": "TZ", "IND": "Z", "CHN": "E", "MEX": "G"}.get(state, "P")
        return Passport(state, f"{lead}{number:08}")

    def following(self, passport: Passport) -> Passport:
        """Return the passport that was issued next: families get numbers in sequence."""
        lead, digits = passport.number[:-8], int(passport.number[-8:])
        return Passport(passport.state, f"{lead}{digits + 1:08}")

    def case(self) -> str:
        """Nine digits."""
        return f"{self._next('case', 314_159_269, 10**9):09}"

    def event(self) -> str:
        """Return the ten digits of an event of enforcement."""
        return f"{self._next('event', 271_828_183, 10**10):010}"

    def subject(self) -> str:
        """Return the nine digits of a person as enforcement numbers persons."""
        return f"{self._next('subject', 141_421_357, 10**9):09}"

    def asylum(self) -> str:
        """Return the case of an asylum application: an office and nine digits."""
        number = self._next("asylum", 223_606_799, 10**9)
        return f"Z{ASYLUM_OFFICES[number % len(ASYLUM_OFFICES)]}{number:09}"

    def esta(self) -> str:
        """Return sixteen digits, of which the first is never 0."""
        return f"{4 * 10**15 + self._next('esta', 577_015_664_901_533, 10**15):016}"

    def visa_application(self) -> str:
        """Return AA and eight digits."""
        return f"AA{self._next('visa_application', 57_721_567, 10**8):08}"

    def booking(self) -> str:
        """Return a record locator: a letter, and five letters or digits."""
        number = self._next("booking", 387_420_489, len(LETTERS) * len(_LOCATOR) ** 5)
        number, first = divmod(number, len(LETTERS))
        signs = LETTERS[first]
        for _ in range(5):
            number, sign = divmod(number, len(_LOCATOR))
            signs += _LOCATOR[sign]
        return signs

    def foil(self) -> str:
        """Seven digits behind a sign."""
        number = self._next("foil", 48_271_117, len(_SIGNS) * 10**7)
        return f"{_SIGNS[number // 10**7]}{number % 10**7:07}"

    def receipt(self) -> str:
        """Office and ten digits."""
        number = self._next("receipt", 2_718_281_829, 10**10)
        return f"{OFFICES[number % len(OFFICES)]}{number:010}"

    def alien(self) -> str:
        """Return an A and nine digits."""
        return f"A{self._next('alien', 123_456_791, 10**9):09}"

    def sevis(self) -> str:
        """N and ten digits."""
        return f"N{self._next('sevis', 1_732_050_807, 10**10):010}"
