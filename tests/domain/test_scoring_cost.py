"""What spares work in comparing changes no result: each short way against the plain one, on a world made by rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from random import Random

import pytest

from services.domain import blocks, frequencies, scoring
from services.domain.facts import Claim

FAMILIES = """DE LA CRUZ|DELACRUZ|KIM|VAN DER BERG|VANDERBERG|GARCIA LOPEZ|ZWICKLY|ZWICKLEY|SMITH|AL HASSAN|OCONNOR JR|
OCONNOR SR|AHMADI|SCHNEIDERMANN|QUIRK ZWICKLY HOLZAPFEL""".replace("\n", "").split("|")
GIVENS = "MARIA JOSE|MARIA|OMID|ANN|ODOWARD AXEL IDA|ODOWARD AXEL|MIN HO|MINHO||FNU".split("|")


def _claim(rng: Random) -> Claim:
    birth = f"{rng.choice((1980, 1981, 1950))}-{rng.choice(('01', '02', '12'))}-{rng.choice(('01', '13', '02'))}"
    passports = {
        f"passport/{rng.choice(('GBR', 'MEX'))}/{rng.choice(('P1234567', 'P1235467', 'P7654321', '000000000'))}"
        for _ in range(rng.choice((0, 1, 2)))
    }
    citizenship = rng.choice(("AFG", "MEX", "GBR", ""))
    return Claim(
        tuple(sorted({(rng.choice(FAMILIES), rng.choice(GIVENS)) for _ in range(rng.choice((0, 1, 1, 2)))})),
        birth[: rng.choice((10, 10, 7, 4, 0))],
        rng.choice(("F", "M", "")),
        (citizenship,) if citizenship else (),
        tuple(sorted(passports)),
    )


def _world() -> list[Claim]:
    rng = Random(3)
    return [_claim(rng) for _ in range(6_000)]


def _close() -> Iterator[tuple[Claim, Claim]]:
    """Pairs of one name, of which the days differ in a digit, and the passports a little or wholly."""
    others = {"P1234567": "P1235467", "P1235467": "P7654321", "P7654321": "P1234567"}
    for claim in _world()[:1_500]:
        numbers = tuple(text[:-8] + others.get(text[-8:], text[-8:]) for text in claim.identifiers)
        if len(claim.birth) == 10 and claim.names:
            yield claim, Claim(claim.names, f"{claim.birth[:-1]}4", claim.sex, claim.citizenship, numbers)


def _differing() -> int:
    """Pairs that are judged otherwise without the look at the dates of birth that goes first."""
    wrong = 0
    for one, other in chain(pairwise(_world()), _close()):
        mine, theirs = scoring.compared(one), scoring.compared(other)
        bits = scoring.score(one, other)
        plain = bits >= scoring.ACCEPT and bits >= scoring._needed(mine, theirs)
        wrong += plain != scoring.joined_by_score(one, other)
    return wrong


def test_a_pair_is_judged_as_without_the_first_look() -> None:
    hopeless = sum(scoring._hopeless(*map(scoring.compared, pair)) for pair in pairwise(_world()))
    assert hopeless > 1_000
    assert _differing() == 0


def test_a_first_look_that_refuses_too_much_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_hopeless", lambda mine, theirs: mine.birth != theirs.birth)
    assert _differing() > 0


@pytest.mark.parametrize(
    ("name", "wrong"), [("DOCUMENT_OTHER", -60.0), ("DOCUMENT_NEAR", -9.0), ("RENEWED", 60.0), ("MOST_BITS", 5)]
)
def test_a_first_look_at_wrong_weights_is_seen(name: str, wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = scoring._hopeless

    def patched_judge(mine: scoring.Compared, theirs: scoring.Compared) -> bool:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(scoring, name, wrong)
            return judge(mine, theirs)

    monkeypatch.setattr(scoring, "_hopeless", patched_judge)
    assert _differing() > 0


def test_what_names_cannot_exceed_is_never_exceeded() -> None:
    for one, other in pairwise(_world()):
        mine, theirs = scoring.compared(one), scoring.compared(other)
        country = scoring.country_of(mine, theirs)
        assert scoring.names_score(mine, theirs) <= scoring._most_of(mine, theirs, country) <= 100


def test_no_token_has_more_bits_than_the_first_look_grants() -> None:
    for role in ("family", "given"):
        for country, text in frequencies.DATA[role].items():
            assert all(frequencies.bits_of(token, role, country) <= scoring.MOST_BITS for token in text.split()[::2])
    assert max(frequencies.FAMILY_RARE, frequencies.GIVEN_RARE) <= scoring.MOST_BITS


def test_blocks_that_are_kept_are_those_that_are_made() -> None:
    for claim in _world():
        assert blocks.texts_of(claim) == blocks.texts_of.__wrapped__(claim)
