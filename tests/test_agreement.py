"""Agreement against the krippendorff package and scikit-learn.

Authors
 * The speechbrain_jasco developers, 2026
"""

import warnings

import krippendorff
import numpy as np
import pytest
from simulated import simulate
from sklearn.metrics import cohen_kappa_score

from speechbrain_jasco.judging.item import ORIENTATIONS
from speechbrain_jasco.metrics.agreement import (
    alphas,
    codings,
    judge_agreement,
    pair_agreement,
    rank_agreement,
)
from speechbrain_jasco.metrics.bootstrap import resample_counts
from speechbrain_jasco.metrics.length_bias import doublings, length_bias

COUNTS = resample_counts(80, 500)


def judged(seed, n_judges=3, missing=0.15):
    """Judges that see the same answers and err now and then."""
    rng = np.random.default_rng(seed)
    cube = simulate(rng, 2, n_judges=1)
    shape = (2, n_judges, 80, 8)
    ratings = np.broadcast_to(cube.ratings, shape).copy()
    orientations = np.broadcast_to(cube.orientations, shape).copy()
    wrong = rng.random(shape) < 0.3
    ratings[wrong] = rng.integers(0, 3, wrong.sum())
    orientations[wrong] = rng.integers(0, 4, wrong.sum())
    lost = rng.random(shape) < missing
    ratings[lost], orientations[lost] = np.nan, -1
    names = [f"judge {j}" for j in range(n_judges)]
    return type(cube)(cube.systems, names, cube.ids, ratings, orientations)


def flat(values):
    """[judges, answers] of [systems, judges, clips, prompts]."""
    return np.moveaxis(values, 1, 0).reshape(values.shape[1], -1).astype(float)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_judges", [2, 4])
def test_alpha_equals_the_package(seed, n_judges):
    cube = judged(seed, n_judges)
    found = alphas(codings(cube), COUNTS)
    ratings, names = flat(cube.ratings), flat(cube.orientations)
    names[names < 0] = np.nan
    assert found["rating"]["value"] == pytest.approx(
        krippendorff.alpha(ratings, level_of_measurement="ordinal")
    )
    assert found["orientation"]["value"] == pytest.approx(
        krippendorff.alpha(names, level_of_measurement="nominal")
    )
    assert found["rating"]["n"] == ((~np.isnan(ratings)).sum(0) > 1).sum()
    low, high = found["rating"]["ci95"]
    assert low < found["rating"]["value"] < high < 1


def test_alpha_of_ratings_between_the_listed_ones():
    cube = judged(7)
    cube.ratings[:, 0] += 0.5  # the mean of a judge's repeats
    value = alphas(codings(cube), COUNTS)["rating"]["value"]
    assert value == pytest.approx(
        krippendorff.alpha(flat(cube.ratings), level_of_measurement="ordinal")
    )


@pytest.mark.parametrize("seed", range(3))
def test_kappa_equals_scikit_learn(seed):
    cube = judged(seed)
    found = pair_agreement(codings(cube), 0, 2, COUNTS)
    ratings, names = flat(cube.ratings), flat(cube.orientations)
    both = ~np.isnan(ratings[0]) & ~np.isnan(ratings[2])
    a, b = ratings[0, both].astype(int), ratings[2, both].astype(int)
    kappa = cohen_kappa_score(a, b, weights="quadratic")
    assert found["rating"]["kappa"]["value"] == pytest.approx(kappa)
    assert found["rating"]["same"]["value"] == pytest.approx((a == b).mean())
    assert found["rating"]["n"] == both.sum()
    assert found["rating"]["confusion"][2][0] == ((a == 2) & (b == 0)).sum()
    kappa = cohen_kappa_score(names[0, both], names[2, both])
    assert found["orientation"]["kappa"]["value"] == pytest.approx(kappa)
    assert found["orientation"]["levels"] == list(ORIENTATIONS)


def test_the_interval_of_kappa_covers():
    """200 pairs of judges of the same errors; the value of very many clips."""
    covered = []
    truth = np.mean(
        [
            pair_agreement(codings(judged(1000 + i, 2, 0)), 0, 1, COUNTS)[
                "rating"
            ]["kappa"]["value"]
            for i in range(150)
        ]
    )
    for seed in range(200):
        pair = pair_agreement(codings(judged(seed, 2, 0)), 0, 1, COUNTS)
        low, high = pair["rating"]["kappa"]["ci95"]
        covered.append(low <= truth <= high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_a_judge_that_says_one_thing_agrees_by_chance_alone():
    cube = judged(0, 2, 0)
    cube.ratings[:, 1], cube.orientations[:, 1] = 1, 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pair = pair_agreement(codings(cube), 0, 1, COUNTS)
        assert pair["rating"]["kappa"]["value"] == pytest.approx(0)
        cube.ratings[:, 0], cube.orientations[:, 0] = 1, 2
        same = pair_agreement(codings(cube), 0, 1, COUNTS)
    # Both say one thing only: nothing is known of their agreement.
    assert np.isnan(same["rating"]["kappa"]["value"])
    assert same["rating"]["same"]["value"] == 1


def test_ranks_of_systems():
    best = np.array([[0.3, 0.9], [0.5, 1.0], [0.7, 0.8], [0.9, 1.2]])
    found = judge_agreement(judged(1, 2), best, COUNTS)
    # Concordant pairs 4 of 6: (4 - 2) / 6
    assert found["pairs"][0]["systems_tau"] == pytest.approx(1 / 3)
    assert found["pairs"][0]["judges"] == ["judge 0", "judge 1"]
    assert np.isnan(rank_agreement([0.1, 0.2], [0.1, 0.2]))


def lengths_and_ratings(seed, slope):
    """Ratings with a planted slope; easy clips have long answers anyway."""
    rng = np.random.default_rng(seed)
    easy = rng.normal(size=(3, 80, 1))
    asks = np.linspace(0, 1, 8)  # the later the prompt, the longer
    lengths = 3 + easy + asks + rng.normal(size=(3, 80, 8))
    noise = rng.normal(scale=0.5, size=lengths.shape)
    own = lengths - easy - asks
    return lengths, 1 + 2 * easy - asks + slope * own + noise


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_a_planted_length_bias_is_recovered_within_clips(slope):
    lengths, ratings = lengths_and_ratings(0, slope)
    found = length_bias(ratings, lengths, COUNTS)
    assert found["slope"]["value"] == pytest.approx(slope, abs=0.04)
    low, high = found["slope"]["ci95"]
    assert low <= slope <= high and (low > 0) == (slope > 0)
    raw = np.corrcoef(lengths.ravel(), ratings.ravel())[0, 1]
    assert raw > 0.3  # easy clips alone look like a bias
    assert found["n"] == 3 * 80 * 8


def test_length_bias_leaves_failed_verdicts_out():
    lengths, ratings = lengths_and_ratings(1, 0.2)
    ratings[:, :10] = np.nan
    ratings[0, 20, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = length_bias(ratings, lengths, COUNTS)
    assert found["n"] == 3 * 70 * 8 - 1
    assert found["slope"]["value"] == pytest.approx(0.2, abs=0.05)
    assert doublings(["one", "one two three"]) == [1.0, 2.0]
