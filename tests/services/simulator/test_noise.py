"""Mistakes in the records: as many as asked for, in the native files, none where none is asked for.

To write the table of kinds anew: python tests/services/simulator/test_noise.py
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import zipfile
from collections import Counter
from dataclasses import asdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from services.cli import app
from services.simulator import CLEAN, OF_PERSONS, Noise, Truth, misspelling, noise, simulate, sources
from services.simulator.noise import KINDS, Mistakes
from services.simulator.population.names import BY_CODE
from services.simulator.population.plans import Person, Span
from services.simulator.rng import Rng

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "evaluation.md"
PERSONS = 1_500
SYSTEMS = tuple(sources())
SCHEMES = {"passport": "passport", "i94": "i94", "visa": "visa", "alien": "a", "fin": "fin", "receipt": "receipt"}
"""Kinds of wrong numbers, and how the truth calls the number."""
RARE = {f"wrong_{kind}": 0.1 for kind in (*SCHEMES, "sevis")} | {
    "shared_passport": 0.01,
    "placeholder": 0.03,
    "swapped_passport": 0.2,
}
"""Kinds that are too rare for a population of a test: here they are not."""
names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ -", min_size=2, max_size=39).filter(lambda name: name[0].isalpha())
births = st.dates(date(1930, 1, 1), date(2012, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))


APART = {"wrong_sevis", "placeholder", "swapped_passport", "custom_birth"}
"""Kinds that have a test of their own."""


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    directory = tmp_path_factory.mktemp("noise") / "run"
    return simulate(directory, persons=PERSONS, seed=4, systems=SYSTEMS, noise=Noise().rated(RARE))


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_rates_are_reached_and_what_was_put_in_is_counted(truth: Truth) -> None:
    rates, injected = truth.counts["noise"]["rates"], truth.counts["noise"]["injected"]
    persons = list(truth.persons())
    records = [record for person in persons for record in person.records]
    stays = sum(len(person.stays) for person in persons)
    i94 = sum(record.system == "I94" for record in records)
    among = dict.fromkeys(KINDS, len(records)) | dict.fromkeys(("twins", "shared_passport"), PERSONS)
    among |= {"no_show": stays, "corrected": i94, "missing_departure": stays // 2}
    stated = Counter(text.split(":")[0] for record in records for text in record.identifiers)
    among |= {f"wrong_{kind}": stated[scheme] for kind, scheme in SCHEMES.items()}
    among["glued"] = len(records) * 2 // 3  # behind one that cannot show it there may be no more
    for kind in set(KINDS) - {"copies", "late_file", "other_time", *APART}:
        # a few hundred draws come out a third too few now and then, a dozen come out half
        least = 0.7 if rates[kind] * among[kind] > 100 else 0.3
        if kind.removeprefix("wrong_") in SCHEMES:
            least = 0.15  # arrivals in I-94, enrolments, and records with a number alone have none that is wrong
        if kind in ("duplicate", "out_of_order"):
            least = 0.2  # many systems hold each record once, or write none late
        assert injected[kind] >= least * rates[kind] * among[kind], kind
        # a record may hold a number that the truth does not name
        assert injected[kind] <= 2 * rates[kind] * among[kind] + 5, kind
    assert injected["late_file"] > 10
    assert injected["other_time"] > 100
    manifests = sum(record.system == "APIS" for record in records) - injected["copies"]
    assert 0.35 * manifests < injected["copies"] < 0.42 * manifests  # left listed or just gone: nothing to copy
    assert injected["copies"] == sum("copies" in record.noise for record in records)


def test_what_is_wrong_is_told_by_the_truth(truth: Truth) -> None:
    persons = list(truth.persons())
    counted = Counter(kind for person in persons for record in person.records for kind in record.noise)
    counted.update(kind for person in persons for kind in person.noise)
    injected = truth.counts["noise"]["injected"]
    plainly = {*KINDS} - {"no_show", "late_file", "copies", "duplicate", "out_of_order", "custom_birth"}
    for kind in plainly - {"swapped_passport"}:
        # several records of one system may have one description, and one may leave out what is wrong in it
        assert 0.8 * injected[kind] <= counted[kind] <= 1.5 * injected[kind], kind
    assert all(set(person.noise) <= OF_PERSONS for person in persons)


def test_records_that_share_nothing_share_nothing(truth: Truth) -> None:
    alone = 0
    for person in truth.persons():
        for record in person.records:
            if "nothing_shared" in record.noise:
                alone += 1
                others = [each.identifiers for each in person.records if each.record != record.record]
                assert all(record.identifiers.isdisjoint(each) for each in others)
    assert alone > 100


def test_a_number_is_shared_by_people_who_are_not_related(truth: Truth) -> None:
    holders: dict[str, set[int]] = {}
    for person in truth.persons():
        for record in person.records:
            for text in record.identifiers:
                holders.setdefault(text, set()).add(person.number)
    kinds: dict[str, set[str]] = {}
    for person in truth.persons():
        for record in person.records:
            for text in record.identifiers:
                kinds.setdefault(text, set()).update(record.noise, person.noise)
    shared = {text for text, people in holders.items() if len(people) > 1}
    wrong = {kind for kind in KINDS if kind.startswith("wrong_")} - {"wrong_year"}
    reasons = {"shared_passport", "swapped_passport", "placeholder", *wrong}
    assert sum(text.startswith("passport:") for text in shared) > 10
    assert all(kinds[text] & reasons for text in shared)


@pytest.mark.parametrize("kind", SCHEMES)
def test_a_wrong_number_is_near_the_right_one_or_somebody_else_s(truth: Truth, kind: str) -> None:
    """Most have one digit wrong; a few are the number of another person."""
    near = others = 0
    every = {text: person.number for person in truth.persons() for each in person.records for text in each.identifiers}
    for person in truth.persons():
        right = {text for each in person.records if not each.noise for text in each.identifiers}
        for record in person.records:
            if f"wrong_{kind}" in record.noise:
                (wrong, *_) = sorted(
                    (text for text in record.identifiers - right if text.startswith(f"{SCHEMES[kind]}:")),
                    key=lambda text: every[text] == person.number,
                ) or ("",)
                if not wrong:
                    continue
                near += any(len(one) == len(wrong) and differences(one, wrong) == 1 for one in right)
                others += every[wrong] != person.number
    assert near > 0
    assert others < near


def differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_placeholders_stand_for_numbers(truth: Truth) -> None:
    words = {word for each in noise.PLACEHOLDERS.values() for word in each}
    marked = 0
    for person in truth.persons():
        for record in person.records:
            placed = [text for text in record.identifiers if text.split(":")[-1] in words]
            assert not placed or "placeholder" in record.noise or "copies" in record.noise
            marked += len(placed)
    assert marked > 50


def test_swapped_passports_are_a_pair_s(truth: Truth) -> None:
    """On arrival each has the other's, and at the departure each has the own one again."""
    swapped = [person for person in truth.persons() if "swapped_passport" in person.noise]
    numbers = {person.number for person in swapped}
    assert len(numbers) > 10
    assert all(number - 1 in numbers or number + 1 in numbers or number == PERSONS for number in numbers)
    pairs = 0
    for one, other in pairwise(swapped):
        if other.number != one.number + 1:
            continue
        mine, theirs = (
            {text for each in person.records for text in each.identifiers if text.startswith("passport:")}
            for person in (one, other)
        )
        pairs += bool(mine & theirs)
    assert pairs > 5


def test_births_by_custom_have_the_share_of_their_country() -> None:
    span = Span(738_000, 739_000, 0, 0, 0)
    for code, day in (("AFG", "0101"), ("IRQ", "0701"), ("GBR", "0101")):
        origin = BY_CODE[code]
        mistakes = Mistakes(Noise().rated({"twins": 0.0, "shared_passport": 0.0}), 1)
        births = []
        for number in range(1, 3_001):
            person = Person(number, "A", "B", "19800305", "F", code, "", "", ())
            births.append(mistakes.person(person, span)[0].birth[4:])
        share = {"0101": origin.january, "0701": origin.july}[day]
        assert births.count(day) == pytest.approx(3_000 * share, rel=0.15)
        assert mistakes.counts["custom_birth"] == 3_000 - births.count("0305")


def test_mistakes_survive_in_the_native_formats(truth: Truth, tmp_path: Path) -> None:
    """Against the same people without mistakes, names differ in each system's own files."""
    clean = simulate(tmp_path / "clean", persons=PERSONS, seed=4, systems=SYSTEMS)

    def spelt(directory: Path) -> dict[str, set[bytes]]:
        i94 = set()
        for path in (directory / "i94").iterdir():
            data = path.read_bytes()
            details = (data[at : at + 250] for at in range(0, len(data), 250))
            i94 |= {each[34:112] for each in details if each[:1] == "D".encode("cp037")}
        apis = {
            segment
            for path in (directory / "apis").iterdir()
            for segment in path.read_bytes().replace(b"\n", b"").split(b"'")
            if segment.startswith(b"NAD+FL")
        }
        sevis = set()
        for path in (directory / "sevis").iterdir():
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    sevis |= {each.split(b"<")[0] for each in archive.read(name).split(b"<FamilyName>")[1:]}
        ident = {
            each.split(b"<")[0]
            for path in (directory / "ident").iterdir()
            for each in path.read_bytes().split(b"<nc:PersonSurName>")[1:]
        }
        return {"i94": i94, "apis": apis, "sevis": sevis, "ident": ident}

    before, after = spelt(clean.directory.parent), spelt(truth.directory.parent)
    for system, right in before.items():
        assert len(after[system] - right) > 3, system


def test_equal_seeds_make_equal_mistakes(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        simulate(tmp_path / name, persons=80, seed=seed, systems=SYSTEMS, noise=Noise())
    one, two, other = (files(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one != other


def test_without_noise_nothing_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So what is written is what was written before there was any noise."""

    class Refuses(Random):
        def __init__(self, seed: object) -> None:
            super().__init__(0)
            self.silent = str(seed).startswith("noise")

        def random(self) -> float:
            assert not self.silent
            return super().random()

    monkeypatch.setattr("services.simulator.rng.Random", Refuses)
    truth = simulate(tmp_path / "run", persons=60, seed=7, systems=SYSTEMS, noise=Noise().scaled(0))
    assert not truth.noisy
    assert "noise" not in truth.counts
    assert not any(record.noise for person in truth.persons() for record in person.records)
    with pytest.raises(AssertionError):
        simulate(tmp_path / "noisy", persons=60, seed=7, systems=SYSTEMS, noise=Noise())


def test_the_same_people_travel_whatever_is_wrong_with_their_records(tmp_path: Path) -> None:
    clean = simulate(tmp_path / "clean", persons=100, seed=7)
    noisy = simulate(tmp_path / "noisy", persons=100, seed=7, noise=Noise())
    numbers = [[[stay.number for stay in person.stays] for person in truth.persons()] for truth in (clean, noisy)]
    assert numbers[0] == numbers[1]


def test_scaled() -> None:
    twice = Noise().scaled(2)
    assert (twice.misspelt, twice.transliterated, twice.copies) == (0.06, 0.1, 0.8)
    assert Noise().scaled(100).misspelt == 1
    assert CLEAN.silent
    assert not Noise().scaled(0.001).silent
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="noise"):
            Noise().scaled(wrong)


def test_what_cannot_go_wrong_here_goes_wrong_at_the_next_place() -> None:
    mistakes = Mistakes(Noise().scaled(100), 1)
    assert not mistakes.due("misspelt", possible=False)
    assert not mistakes.due("misspelt", possible=False)
    assert mistakes.counts["misspelt"] == 0
    assert [mistakes.due("misspelt") for _ in range(3)] == [True, True, True]
    assert mistakes.counts["misspelt"] == 3


@given(names, st.integers())
def test_a_typo_is_another_name(name: str, seed: int) -> None:
    other = misspelling.typo(name, Rng(seed))
    assert other != name
    assert abs(len(other) - len(name)) <= 1


@given(births, st.integers())
def test_a_wrong_digit_is_another_date(birth: str, seed: int) -> None:
    other = misspelling.digit(birth, Rng(seed))
    assert other != birth
    date(int(other[:4]), int(other[4:6]), int(other[6:]))


@given(births, st.integers())
@example("19960229", 1)
@example("20000229", 1)
@example("20120229", 1)
def test_a_wrong_digit_of_the_year_is_another_date(birth: str, seed: int) -> None:
    wrong = misspelling.year(birth, Rng(seed))
    assert differences(wrong, birth) == 1
    assert wrong[4:] == birth[4:]
    date(int(wrong[:4]), int(wrong[4:6]), int(wrong[6:]))


@given(st.text("0123456789ABC", max_size=12), st.integers(0, 9), st.integers())
def test_a_wrong_digit_of_a_number_is_another_number(text: str, digit: int, seed: int) -> None:
    number = f"{text}{digit}"
    assert differences(misspelling.number(number, Rng(seed)), number) == 1


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("MIN HO", {"MINHO", "MIN-HO"}),
        ("VAN DER BERG", {"VANDERBERG", "DER BERG", "VAN-DER-BERG"}),
        ("SMITH-JONES", {"SMITHJONES", "SMITH JONES"}),
        ("AL GHAMDI", {"ALGHAMDI", "GHAMDI", "AL-GHAMDI"}),
    ],
)
def test_ways_to_write_a_name_of_several_words(name: str, ways: set[str]) -> None:
    assert misspelling.separable(name)
    assert {misspelling.glued(name, Rng(seed)) for seed in range(200)} == ways


@given(births)
def test_day_and_month_swapped_twice_are_as_they_were(birth: str) -> None:
    other = misspelling.day_and_month(birth)
    date(int(other[:4]), int(other[4:6]), int(other[6:]))
    assert misspelling.day_and_month(other) == birth


@given(names)
def test_another_spelling_is_near(name: str) -> None:
    other = misspelling.transliterated(name)
    assert abs(len(other) - len(name)) <= 1
    assert len(set(name) ^ set(other)) <= 4


def test_simulate_prints_what_it_put_in(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", str(tmp_path / "run"), "--persons", "50", "--noise", "2"])
    assert result.exit_code == 0
    assert "what is wrong in the records" in result.stdout
    assert "misspelt" in result.stdout
    body = json.loads((tmp_path / "run" / "truth" / "counts.json").read_bytes())
    assert body["noise"]["rates"]["misspelt"] == 0.06


@pytest.mark.parametrize("command", ["simulate", "evaluate"])
@pytest.mark.parametrize(
    ("rate", "message"),
    [
        ("twinz=0.1", "twinz"),
        ("twins=1.01", "1.01"),
        ("twins=-0.1", "-0.1"),
        ("twins=nan", "nan"),
        ("twins=", "'twins='"),
        ("twins", "'twins'"),
        ("twins=often", "'twins=often'"),
    ],
)
def test_what_is_no_rate(tmp_path: Path, command: str, rate: str, message: str) -> None:
    """One line that says what is wrong, before anything is written."""
    where = [str(tmp_path / "run")] if command == "simulate" else []
    result = CliRunner().invoke(app, [command, *where, "--persons", "5", "--rate", rate])
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "run").exists()


def test_an_unknown_kind_is_told_those_there_are() -> None:
    with pytest.raises(ValueError, match=f"'twinz'; of {', '.join(KINDS)}"):
        Noise().rated({"twinz": 0.1})


def test_rates_are_set_after_the_scaling(tmp_path: Path) -> None:
    arguments = ["--persons", "50", "--noise", "2", "--rate", "copies=0", "--rate", "twins=0.5", "--rate", "twins=1"]
    assert CliRunner().invoke(app, ["simulate", str(tmp_path / "run"), *arguments]).exit_code == 0
    body = json.loads((tmp_path / "run" / "truth" / "counts.json").read_bytes())
    assert body["noise"]["rates"] == asdict(Noise().scaled(2)) | {"copies": 0, "twins": 1}
    assert body["noise"]["injected"]["copies"] == 0
    assert body["noise"]["injected"]["twins"] > 10


def test_one_kind_alone(tmp_path: Path) -> None:
    """Without --noise all others are silent."""
    arguments = ["--persons", "50", "--rate", "duplicate=0.5"]
    assert CliRunner().invoke(app, ["simulate", str(tmp_path / "run"), *arguments]).exit_code == 0
    body = json.loads((tmp_path / "run" / "truth" / "counts.json").read_bytes())
    assert {kind for kind, number in body["noise"]["injected"].items() if number} == {"duplicate"}


# --- the page --------------------------------------------------------------------------------------------------------


def page() -> str:
    """The page with its table as the rates and their docstrings have it."""
    module = ast.parse(inspect.getsource(noise))
    body = next(each.body for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Noise")
    lines = ["| kind | rate | |", "| --- | --- | --- |"]
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            assert isinstance(text.value, ast.Constant)
            rate = f"{getattr(Noise(), field.target.id):.1%}".replace(".0%", "%")
            lines.append(f"| `{field.target.id}` | {rate} | {text.value.value} |")
    table = "\n".join(lines)
    return re.sub(
        r"(<!-- kinds: begin -->\n).*?(<!-- kinds: end -->)", rf"\1{table}\n\2", PAGE.read_text(), flags=re.DOTALL
    )


def test_the_page_tells_all_kinds_with_their_rates() -> None:
    assert PAGE.read_text() == page()
    assert all(f"| `{kind}` |" in page() for kind in KINDS)


if __name__ == "__main__":
    PAGE.write_text(page())
