"""Intervals against scipy's, by laws of resampling, and by their coverage.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import bootstrap
from scipy.stats import t as student
from simulated import simulate

from speechbrain_jasco.metrics.bootstrap import (
    bca,
    interval,
    ratio,
    resample_counts,
    standard_error,
    widen,
)
from speechbrain_jasco.metrics.measures import COMPARED, by_judge, clip_sums


@pytest.mark.parametrize("expanded", [False, True])
@pytest.mark.parametrize("kind", ["mean", "share"])
def test_equals_the_bca_of_scipy(kind, expanded):
    rng = np.random.default_rng(1)
    n = 60
    numerators = rng.exponential(size=n) ** 2
    denominators = np.ones(n)
    if kind == "share":
        denominators = numerators + rng.exponential(size=n)
    level = 0.95
    if expanded:  # Hesterberg's widened quantile as scipy's level
        quantile = np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1)
        level = 2 * ndtr(quantile) - 1
    theirs = bootstrap(
        (numerators, denominators),
        lambda a, b, axis=-1: a.sum(axis) / b.sum(axis),
        paired=True,
        n_resamples=2000,
        confidence_level=level,
        rng=np.random.default_rng(7),
    )
    counts = resample_counts(n, 2000, seed=7)
    statistic = ratio(numerators, denominators)
    ours = bca(
        statistic(np.ones((1, n)))[..., 0],
        statistic(counts),
        statistic(1 - np.eye(n)),
        expanded,
    )
    assert ours == pytest.approx(list(theirs.confidence_interval), rel=1e-9)


def test_the_error_of_a_mean_is_the_textbooks():
    values = np.random.default_rng(0).normal(size=50)
    jackknife = ratio(values, np.ones(50))(1 - np.eye(50))
    usual = values.std(ddof=1) / np.sqrt(50)
    assert standard_error(jackknife) == pytest.approx(usual)


def test_prompts_are_nested_in_clips():
    """Eight equal answers to each clip tell no more than one."""
    cube = simulate(np.random.default_rng(0), 1, n_judges=1)
    cube.ratings[:] = cube.ratings[..., :1]
    cube.orientations[:] = cube.orientations[..., :1]
    counts = resample_counts(80, 500)
    sums = clip_sums(cube)
    whole = interval(ratio(*sums["both"]), counts).ends
    one = sums["both@0"]
    assert whole == pytest.approx(interval(ratio(*one), counts).ends)


def test_the_order_of_the_clips_is_all_that_a_seed_depends_on():
    first, second = (resample_counts(9, 100, seed=3) for _ in range(2))
    assert (first == second).all()
    assert (resample_counts(9, 100, seed=4) != first).any()
    assert (first.sum(axis=1) == 9).all()


def test_where_all_clips_agree_the_rule_of_three_takes_over():
    counts = resample_counts(80, 200)
    same = interval(ratio(np.full(80, 2.0), np.ones(80)), counts)
    assert same.ends.tolist() == [2, 2]
    low, high = widen(same, 80, 0, 2)
    share = (2 - low) / 2  # of clips that could be 0
    assert high == 2 and (1 - share) ** 80 == pytest.approx(0.05)
    other = interval(ratio(np.arange(80.0), np.ones(80)), counts)
    assert (widen(other, 80, 0, 100) == other.ends).all()


def test_no_interval_where_some_resamples_have_no_value():
    """One clip in 20 has an answer: a third of the resamples have none."""
    lonely = np.eye(20)[0]
    found = interval(ratio(lonely, lonely), resample_counts(20, 200))
    assert found.value == 1 and np.isnan(found.ends).all()
    few = interval(ratio(np.arange(4.0), np.ones(4)), resample_counts(4, 200))
    assert np.isnan(few.ends).all()


NAMES = [*COMPARED, "best_mean_ungated", "best_of_4"]


def ends_of(cube, n_draws, seed):
    """Intervals of many replications (array [names, systems, rows, 2])."""
    sums = clip_sums(cube)
    counts = resample_counts(len(cube.ids), n_draws, seed)
    parts = []
    for first in range(0, len(cube.systems), 100):
        chunk = slice(first, first + 100)
        stacked = [
            np.stack([sums[name][i][chunk] for name in NAMES]) for i in (0, 1)
        ]
        statistic = by_judge(*stacked, len(cube.judges))
        parts.append(interval(statistic, counts).ends)
    return np.concatenate(parts, axis=1)


def truth_of(**options):
    """Values for very many clips (array [names, rows])."""
    cube = simulate(np.random.default_rng(99), 1, n_clips=300_000, **options)
    sums = clip_sums(cube)
    stacked = [np.stack([sums[n][i][0] for n in NAMES]) for i in (0, 1)]
    return by_judge(*stacked, 2)(np.ones((1, 300_000)))[..., 0]


@pytest.mark.parametrize(
    "options",
    [{}, {"ability": -1.2}, {"missing": 0.1}],
    ids=["medium", "poor", "missing"],
)
def test_intervals_cover_the_truth(options):
    """1000 evaluations of 80 clips, two judges and their average."""
    truth = truth_of(**options)[:, None, :]
    cube = simulate(np.random.default_rng(5), 1000, **options)
    ends = ends_of(cube, 1000, seed=11)
    inside = (ends[..., 0] <= truth) & (truth <= ends[..., 1])
    coverage = inside.mean(axis=1)
    assert coverage.min() >= 0.93 and coverage.max() <= 0.97, coverage
