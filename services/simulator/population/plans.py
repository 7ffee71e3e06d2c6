"""What happens to a person in the synthetic population. Days are ordinals, instants seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass, field


def without_hyphen(admission_class: str) -> str:
    """Return the class as stamps and tables have it: `B2` for `B-2`."""
    return admission_class.replace("-", "")


@dataclass(frozen=True, slots=True)
class Span:
    """What the records cover: crossings of the days `first` to `last`, reported up to the instant `records_end`."""

    first: int
    last: int
    since: int
    records_end: int
    as_of: int

    @property
    def decisions_through(self) -> int:
        """Return the last day whose decisions are in the records."""
        return self.last + 1


@dataclass(frozen=True, slots=True)
class Passport:
    """A document of travel. Days are 0 where they are not known."""

    state: str
    number: str
    issued: int = field(default=0, compare=False)
    expires: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Visa:
    """A visa in a passport. `revoked` is the day of its revocation, or 0."""

    foil: str
    visa_class: str  # as 8 CFR 214.2 writes it
    issued: int
    expires: int
    revoked: int = 0
    application: str = ""  # the number of the visa application
    post: str = ""  # the post abroad that issued it, by its three letters
    applied: int = 0


@dataclass(frozen=True, slots=True)
class Esta:
    """An authorisation to travel under the Visa Waiver Program. Days are 0 for what has not happened.

    An approved one is valid for two years or to the end of its passport, whichever is first; another passport needs
    another one. `revoked` is the day on which an approved one became one that does not authorise travel.
    """

    number: str
    passport: Passport
    applied: int
    decided: int
    outcome: str  # approved, denied, pending
    expires: int = 0
    revoked: int = 0


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal case by the days of its steps, 0 for what it has not come to.

    `executed` is the day of the departure that ends the last stay; `ended` that of proceedings that ended without one.
    """

    case: str
    event: str  # the arrest or encounter that it began with
    arrested: int
    booked: int
    released: int
    charged: int
    ordered: int = 0
    executed: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Asylum:
    """An application for asylum by the days of its steps, 0 for what has not happened."""

    case: str
    filed: int
    interviewed: int = 0
    decided: int = 0
    decision: str = ""  # granted, referred (to the immigration court), denied; empty while it is pending


@dataclass(frozen=True, slots=True)
class Naturalisation:
    """An application for naturalisation by the days of its steps. The oath makes the citizen, not the approval."""

    receipt: str
    filed: int
    interviewed: int = 0
    decided: int = 0
    decision: str = ""  # granted, denied; empty while it is pending
    oath: int = 0


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossing of the border; local wall-clock time, `second` None where only the day becomes known."""

    port: str
    zone: str
    mode: str
    day: int
    second: int | None
    at: int  # the earliest instant that this may mean
    again: bool = False  # the second pass of an hour that is repeated
    carrier: str = ""
    conveyance: str = ""
    foreign_port: str = ""  # where the person enters the other country, of departures to Canada by land
    removed: bool = False  # a departure by which a removal is executed


@dataclass(frozen=True, slots=True)
class Application:
    """An application to stay: longer, otherwise, or for good. Under no receipt: the owner of the I-94 itself did it."""

    form: str
    receipt: str
    filed: int
    decision: str = ""  # approved, denied, withdrawn; empty while it is pending
    decided: int = 0
    asked_class: str = ""
    asked_until: int = 0
    granted_class: str = ""
    granted_until: int = 0
    new_number: str = ""
    online: bool = False  # filed with, and kept by, the system for filings online

    def known_by(self, day: int) -> Application | None:
        """As it stood at the end of that day: not filed, filed, or decided."""
        if self.filed > day:
            return None
        if not self.decision or self.decided <= day:
            return self
        return Application(
            self.form,
            self.receipt,
            self.filed,
            asked_class=self.asked_class,
            asked_until=self.asked_until,
            online=self.online,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What a school or sponsor reports of a program after its creation, by its element in the interface of SEVIS.

    `void`: it was reported by mistake and taken back on the day `mended`. `wrong`: the last day that was reported
    first, and mended on that day.
    """

    element: str
    day: int  # from which it holds
    processed: int  # by SEVIS
    period_end: int = 0
    reason: str = ""
    mended: int = 0
    wrong: int = 0
    void: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program of study or exchange with its record in SEVIS."""

    sevis_id: str
    visa_type: str  # F1, J1, M1
    issued: int
    ends: int  # as it was created
    steps: tuple[Step, ...]

    def known_by(self, day: int) -> tuple[Step, ...]:
        """Return what has been reported by the end of that day and stands."""
        return tuple(step for step in self.steps if step.processed <= day and not (step.void and step.mended <= day))


@dataclass(frozen=True, slots=True)
class Stay:
    """An application for admission and all that follows. `seen`: whether any system reports the departure."""

    kind: str
    inspection: str  # A, R, W
    admission_class: str  # as 8 CFR 214.2 writes it
    arrival: Crossing
    number: str  # of the I-94; empty when refused
    last_day: int  # 0 for duration of status
    departure: Crossing | None
    seen: bool
    applications: tuple[Application, ...]
    passport: Passport
    program: Program | None = None
    family_passport: Passport | None = None  # of the member of the family who travels along
    shown_passport: Passport | None = None  # at the inspection on arrival, where it is not the person's own
    booking: str = ""  # the record locator of the flights in and out
    proof: bool = False  # the person can show the departure, which no system reports

    @property
    def student(self) -> bool:
        """Return whether SEVIS has a say in it."""
        return self.admission_class in ("F-1", "J-1", "M-1")

    @property
    def duration(self) -> bool:
        """Return whether it is an admission for duration of status."""
        return self.admission_class in ("F-1", "J-1")

    @property
    def waiver(self) -> bool:
        """Return whether it is an admission under the Visa Waiver Program."""
        return self.admission_class in ("WB", "WT")


@dataclass(frozen=True, slots=True)
class Person:
    """A traveller."""

    number: int
    family: str
    given: str
    birth: str  # CCYYMMDD, 00 for what is not known
    sex: str
    citizenship: str
    foil: str
    a_number: str
    stays: tuple[Stay, ...]
    fin: str = ""  # of the fingerprints; of the very young and the very old there are none
    subject: str = ""  # the number under which enforcement knows the person
    visas: tuple[Visa, ...] = ()
    estas: tuple[Esta, ...] = ()
    removal: Removal | None = None
    asylum: Asylum | None = None
    naturalisation: Naturalisation | None = None
