"""Splink on the same claims: what a well-known matcher makes of them, to compare with. Needs the extra `splink`.

Splink is set up as its authors recommend, for tables of any size:

- A comparison for each scheme of identifiers, and the comparisons of the library for names and for dates of birth, with
  term frequencies of names.
- How often strangers agree is learnt from more pairs the larger the table is. For a number that is unique it cannot be
  learnt so: the few pairs that share one are pairs of one person. There it is fixed, well below one in the number of
  claims. A figure that does not depend on the size would lose all numbers as the table grows, since the probability
  that two claims are of one person falls with the size.
- How often claims of one person agree is learnt by expectation maximisation in several sessions, each blocked on other
  columns.

It gets what the project's own matching gets. Its clusters are the connected claims of at least `THRESHOLD`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any

from services.domain.facts import Claim
from services.domain.names import PLACEHOLDERS
from services.evaluation.pairs import Claims, pairs_of

THRESHOLD = 0.99
"""Probability of a match from which on two claims are joined."""
BY_CHANCE = 0.01
"""Divided by the number of claims: the probability that claims of two people share a number of one scheme."""
PAIRS_PER_CLAIM, LEAST_PAIRS, MOST_PAIRS = 100, 1_000_000, 100_000_000
"""From how many pairs Splink learns how often strangers agree."""
SEED = 1


def present() -> bool:
    """Return whether Splink is installed."""
    return all(find_spec(name) for name in ("splink", "duckdb", "pandas"))


def judged(claims: Claims) -> dict[str, Any]:
    """Return precision and recall of Splink's persons over these claims, which were kept. For reports."""
    pairs, hard = pairs_of(claims, clusters(claims))
    return {**pairs.as_json(), "hard": hard.as_json()}


def schemes_of(kept: Iterable[tuple[Claim, tuple[str, ...]]]) -> list[str]:
    """Return the schemes of the identifiers in these claims, in order."""
    return sorted({text.partition("/")[0] for _, texts in kept for text in texts})


def row(place: int, claim: Claim, texts: tuple[str, ...], schemes: Iterable[str]) -> dict[str, Any]:
    """Return a claim as Splink gets it; None where it says nothing."""
    family, given = next(iter(claim.names), ("", ""))
    names = [None if name in PLACEHOLDERS else name or None for name in (family, given)]
    return {
        "unique_id": place,
        "family": names[0],
        "given": names[1],
        "birth": claim.birth if len(claim.birth) == 10 else None,
        "sex": claim.sex or None,
        "citizenship": claim.citizenship[0] if claim.citizenship else None,
        **{f"of_{scheme}": [text for text in texts if text.startswith(f"{scheme}/")] or None for scheme in schemes},
    }


def clusters(claims: Claims) -> list[int]:
    """Return the number of its person for each claim."""
    import pandas

    schemes = schemes_of(claims.kept)
    frame = pandas.DataFrame([row(place, *kept, schemes) for place, kept in enumerate(claims.kept)])
    homes = clustered(frame, schemes)
    return [homes[place] for place in range(len(claims))]


def clustered(frame: Any, schemes: Sequence[str]) -> dict[int, int]:
    """Train Splink on a data frame of claims, as `row` has them, and return the person of each `unique_id`."""
    import duckdb
    import splink.comparison_level_library as levels
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    by_chance = BY_CHANCE / max(len(frame), 1)

    def shared(scheme: str) -> Any:
        sharing: list[Any] = [
            levels.NullLevel(f"of_{scheme}"),
            levels.ArrayIntersectLevel(f"of_{scheme}", 1).configure(u_probability=by_chance, fix_u_probability=True),
            levels.ElseLevel().configure(u_probability=1 - by_chance, fix_u_probability=True),
        ]
        return compare.CustomComparison(output_column_name=f"of_{scheme}", comparison_levels=sharing)

    numbers = [block_on(f"of_{scheme}", arrays_to_explode=[f"of_{scheme}"]) for scheme in schemes]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.NameComparison("family").configure(term_frequency_adjustments=True),
            compare.NameComparison("given").configure(term_frequency_adjustments=True),
            compare.DateOfBirthComparison("birth", input_is_string=True),
            compare.ExactMatch("sex"),
            compare.ExactMatch("citizenship"),
            *(shared(scheme) for scheme in schemes),
        ],
        blocking_rules_to_generate_predictions=[
            *numbers,
            block_on("birth", "family"),
            block_on("birth", "given"),
            block_on("birth", "citizenship"),
            block_on("family", "given", "citizenship"),
        ],
    )
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    linker = Linker(frame, settings, db_api=DuckDBAPI(connection=connection))
    logging.getLogger("splink").setLevel(logging.ERROR)  # it says at length what it does
    training = linker.training
    certain: list[Any] = [block_on("family", "given", "birth"), *numbers]
    training.estimate_probability_two_random_records_match(certain, recall=0.9)
    pairs = min(max(PAIRS_PER_CLAIM * len(frame), LEAST_PAIRS), MOST_PAIRS)
    training.estimate_u_using_random_sampling(max_pairs=pairs, seed=SEED)
    for block in (block_on("birth", "citizenship"), block_on("family", "given"), block_on("birth", "sex", "given")):
        training.estimate_parameters_using_expectation_maximisation(block)
    predicted = linker.inference.predict(threshold_match_probability=THRESHOLD)
    joined: Any = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    of_claims = joined.as_pandas_dataframe()
    return {int(claim): int(home) for claim, home in zip(of_claims["unique_id"], of_claims["cluster_id"], strict=True)}
