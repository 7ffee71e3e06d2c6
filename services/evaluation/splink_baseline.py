"""Splink on the same claims: what a well-known matcher makes of them, to compare with. Needs the extra `splink`.

It gets what our own matching gets: names, date of birth, sex, citizenship and all identifiers; it blocks on any common
identifier, on date of birth with a name, and on whole names with citizenship; its weights come from the claims, by
expectation maximisation. Its clusters are the connected claims of at least `THRESHOLD`.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any

from services.domain.facts import Claim
from services.domain.names import PLACEHOLDERS
from services.evaluation.pairs import Claims, pairs_of

THRESHOLD = 0.99
"""Probability of a match from which on two claims are joined."""
BY_CHANCE = 1e-7
"""Probability that claims of two people share an identifier."""
SAMPLED_PAIRS = 1_000_000
SEED = 1


def present() -> bool:
    """Whether Splink is installed."""
    return all(find_spec(name) for name in ("splink", "duckdb", "pandas"))


def judged(claims: Claims) -> dict[str, Any]:
    """Precision and recall of Splink's persons over these claims, which were kept. For reports."""
    pairs, hard = pairs_of(claims, clusters(claims))
    return {**pairs.as_json(), "hard": hard.as_json()}


def row(place: int, claim: Claim, texts: tuple[str, ...]) -> dict[str, Any]:
    """A claim as Splink gets it; None where it says nothing."""
    family, given = next(iter(claim.names), ("", ""))
    names = [None if name in PLACEHOLDERS else name or None for name in (family, given)]
    return {
        "unique_id": place,
        "family": names[0],
        "given": names[1],
        "birth": claim.birth if len(claim.birth) == 10 else None,
        "sex": claim.sex or None,
        "citizenship": claim.citizenship[0] if claim.citizenship else None,
        "identifiers": list(texts) or None,
    }


def clusters(claims: Claims) -> list[int]:
    """The number of its person for each claim."""
    import pandas
    import splink.comparison_level_library as levels
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frame = pandas.DataFrame([row(place, *kept) for place, kept in enumerate(claims.kept)])
    # from a sample Splink would learn how often strangers share a number out of people who share their own
    sharing: list[Any] = [
        levels.NullLevel("identifiers"),
        levels.ArrayIntersectLevel("identifiers", 1).configure(u_probability=BY_CHANCE, fix_u_probability=True),
        levels.ElseLevel().configure(u_probability=1 - BY_CHANCE, fix_u_probability=True),
    ]
    shared = block_on("identifiers", arrays_to_explode=["identifiers"])
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("family", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            compare.JaroWinklerAtThresholds("given", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            compare.DamerauLevenshteinAtThresholds("birth", [1, 2]),
            compare.ExactMatch("sex"),
            compare.ExactMatch("citizenship"),
            compare.CustomComparison(output_column_name="identifiers", comparison_levels=sharing),
        ],
        blocking_rules_to_generate_predictions=[
            shared,
            block_on("birth", "family"),
            block_on("birth", "given"),
            block_on("family", "given", "citizenship"),
        ],
    )
    linker = Linker(frame, settings, db_api=DuckDBAPI())
    logging.getLogger("splink").setLevel(logging.ERROR)  # it says at length what it does
    training = linker.training
    certain: list[Any] = [block_on("family", "given", "birth"), shared]
    training.estimate_probability_two_random_records_match(certain, recall=0.9)
    training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
    for block in (block_on("birth", "citizenship"), block_on("family", "given")):
        training.estimate_parameters_using_expectation_maximisation(block)
    predicted = linker.inference.predict(threshold_match_probability=THRESHOLD)
    joined: Any = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, THRESHOLD)
    frame_of_clusters = joined.as_pandas_dataframe()
    homes = dict(zip(frame_of_clusters["unique_id"], frame_of_clusters["cluster_id"], strict=True))
    return [int(homes[place]) for place in range(len(claims))]
