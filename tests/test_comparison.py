"""Paired tests against brute force and scipy, and by their error rates.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools

import numpy as np
import pytest
from scipy.stats import permutation_test
from simulated import simulate

from speechbrain_jasco.metrics.comparison import (
    detectable,
    draw_flips,
    exchange_test,
    holm,
    letters,
    sign_flip_test,
)
from speechbrain_jasco.metrics.measures import COMPARED, clip_sums
from speechbrain_jasco.metrics.order_effect import OUTCOMES, order_sums


def parts(cube, measures=COMPARED):
    """Numerators and denominators [measures, systems, judges, clips]."""
    sums = clip_sums(cube)
    return [np.stack([sums[name][i] for name in measures]) for i in (0, 1)]


def test_equals_brute_force_over_all_exchanges():
    """Ratios of two systems with missing verdicts, 2^7 exchanges by hand."""
    cube = simulate(np.random.default_rng(2), 2, n_clips=7, missing=0.2)
    top, bottom = parts(cube, ["both"])
    flips = draw_flips(7, 1000)
    assert flips.exact
    p = exchange_test(
        (top[:, 0], bottom[:, 0]), (top[:, 1], bottom[:, 1]), 2, flips
    )
    for judge in range(2):
        differences = []
        for bits in itertools.product([0, 1], repeat=7):
            a = sum(top[0, bit, judge, c] for c, bit in enumerate(bits))
            a /= sum(bottom[0, bit, judge, c] for c, bit in enumerate(bits))
            b = sum(top[0, 1 - bit, judge, c] for c, bit in enumerate(bits))
            b /= sum(bottom[0, 1 - bit, judge, c] for c, bit in enumerate(bits))
            differences.append(abs(a - b))
        extreme = np.array(differences) >= differences[0] - 1e-12
        assert p[0, judge] == pytest.approx(extreme.mean())


def test_equals_scipy_for_a_mean():
    cube = simulate(np.random.default_rng(4), 2, n_clips=10, n_judges=1)
    top, bottom = parts(cube, ["mean"])
    p = exchange_test(
        (top[:, 0], bottom[:, 0]),
        (top[:, 1], bottom[:, 1]),
        1,
        draw_flips(10, 2000),
    )
    theirs = permutation_test(
        (top[0, 0, 0], top[0, 1, 0]),
        lambda a, b, axis=-1: a.mean(axis) - b.mean(axis),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert p[0, 0] == pytest.approx(theirs.pvalue)


def test_a_system_is_not_different_from_itself():
    top, bottom = parts(simulate(np.random.default_rng(0), 1))
    same = top[:, 0], bottom[:, 0]
    assert (exchange_test(same, same, 2, draw_flips(80, 500)) == 1).all()


def test_no_p_without_a_value():
    lacking = np.zeros((1, 6))
    there = np.ones((1, 6))
    p = exchange_test((lacking, lacking), (there, there), 1, draw_flips(6, 100))
    assert np.isnan(p).all()


def test_false_alarms_are_as_rare_as_the_level_says():
    """1000 pairs of equal systems, 80 clips, ties, gate and missing ones."""
    cube = simulate(np.random.default_rng(8), 2000, missing=0.05)
    top, bottom = parts(cube)
    flips = draw_flips(80, 999)
    rejected = []
    for first in range(0, 2000, 200):
        a, b = slice(first, first + 100), slice(first + 100, first + 200)
        p = exchange_test(
            (top[:, a], bottom[:, a]), (top[:, b], bottom[:, b]), 2, flips
        )
        rejected.append(p <= 0.05)
    rate = np.concatenate(rejected, axis=1).mean(axis=1)
    assert rate.min() >= 0.035 and rate.max() <= 0.065, rate


def test_four_of_five_detectable_differences_are_detected():
    """Differences of the size that ``detectable`` gives, n = 80."""
    rng = np.random.default_rng(3)
    spread = 0.85
    size = detectable(spread / np.sqrt(80))
    assert size == pytest.approx(0.266, abs=0.001)  # by hand, rho 0.5
    pairs = rng.normal(size, spread, size=(1000, 1, 80))
    p = sign_flip_test(pairs, np.ones_like(pairs), 1, draw_flips(80, 999))
    assert 0.77 <= (p[:, 0] <= 0.05).mean() <= 0.83


PAIRS = [(0, 1), (2, 3), (4, 5), (6, 7)]


def order_p(cube):
    """p values [outcomes, replications, rows] of the order effect."""
    top, bottom = order_sums(cube, PAIRS)
    flips = draw_flips(len(cube.ids), 499)
    chunks = np.array_split(np.arange(len(cube.systems)), 10)
    return np.concatenate(
        [sign_flip_test(top[:, c], bottom[:, c], 2, flips) for c in chunks],
        axis=1,
    )


def test_a_planted_order_effect_is_found():
    cube = simulate(np.random.default_rng(1), 100, order=0.6, missing=0.05)
    p = order_p(cube)
    found = p[[OUTCOMES.index("score"), OUTCOMES.index("rating")]] <= 0.05
    assert found.mean() > 0.95
    top, bottom = order_sums(cube, PAIRS)
    assert (top.sum(-1) / bottom.sum(-1))[OUTCOMES.index("rating")].mean() > 0.2


def test_no_order_effect_is_found_where_there_is_none():
    """Sums of few small integers tie often, and ties count as extreme."""
    rate = (order_p(simulate(np.random.default_rng(6), 1000)) <= 0.05).mean(1)
    assert rate.max() <= 0.065 and 0.035 <= rate.mean() <= 0.05, rate


def test_without_ties_the_level_is_exact():
    pairs = np.random.default_rng(9).normal(size=(4000, 1, 80))
    p = sign_flip_test(pairs, np.ones_like(pairs), 1, draw_flips(80, 499))
    assert 0.043 <= (p[:, 0] <= 0.05).mean() <= 0.057


def test_holm_by_hand():
    """Wikipedia's four: .01, .04, .03, .005 at .05 reject two."""
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # A test that could not be made is none of the family.
    lacking = holm(np.array([[np.nan], [0.02], [0.03]]))
    assert lacking[1:, 0] == pytest.approx([0.04, 0.04])
    assert np.isnan(lacking[0, 0])


def test_holm_keeps_the_family_wise_error():
    p = np.random.default_rng(0).random((6, 20_000))
    assert 0.045 <= (holm(p) <= 0.05).any(axis=0).mean() <= 0.055


@pytest.mark.parametrize("seed", range(30))
def test_systems_share_a_letter_iff_they_are_not_separable(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    apart = np.triu(rng.random((n, n)) < rng.random(), 1)
    apart |= apart.T
    values = rng.random(n)
    marks = letters(values, apart)
    for i, j in itertools.combinations(range(n), 2):
        assert bool(set(marks[i]) & set(marks[j])) != apart[i, j]
    assert "a" in marks[int(values.argmax())]
