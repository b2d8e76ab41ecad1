"""Confidence intervals by resampling clips.

Clips are the sampling unit: a resample draws clips with replacement, each with
all its prompts, judges and repeats, which are nested in it. Everything here
works on a *statistic*: a function of weights [W, clips] (how often each clip
is in each of W resamples) that gives values [..., W]. With weights 1 it is the
estimate, with one weight 0 a jackknife value.

    counts [draws, clips] --> statistic --> replicas [..., draws] --> BCa ends

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import t as student

LEVEL = 0.95
MIN_CLIPS = 5  # the spread of fewer says nothing of the spread of others
# Equal numbers come out of sums over different clips a few bits apart.
TOLERANCE = 1e-9


class Interval(NamedTuple):
    """An estimate and what resampling says of it.

    Arguments
    ---------
    value : array [...]
        The estimate.
    ends : array [..., 2]
        Low and high end; NaN where some resamples have no value, and for
        fewer than ``MIN_CLIPS`` clips.
    error : array [...]
        Its standard error, by the jackknife.
    """

    value: np.ndarray
    ends: np.ndarray
    error: np.ndarray


def resample_counts(n_clips, n_draws, seed=1234):
    """Draw clips with replacement and count them.

    Arguments
    ---------
    n_clips : int
        Number of clips, and of draws per resample.
    n_draws : int
        Number of resamples.
    seed : int
        Of the generator.

    Returns
    -------
    array [draws, clips]

    Example
    -------
    >>> resample_counts(5, 3).sum(axis=1).tolist()
    [5.0, 5.0, 5.0]
    """
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, n_clips, (n_draws, n_clips))
    picks += n_clips * np.arange(n_draws)[:, None]
    counts = np.bincount(picks.ravel(), minlength=n_draws * n_clips)
    return counts.reshape(n_draws, n_clips).astype(float)


def divide(numerators, denominators):
    """Divide; NaN, not a warning, where there is nothing to divide by.

    Arguments
    ---------
    numerators, denominators : array
        Shapes that broadcast.

    Returns
    -------
    array

    Example
    -------
    >>> divide(np.array([1.0, 0.0]), np.array([2.0, 0.0])).tolist()
    [0.5, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominators != 0, numerators / denominators, np.nan)


def ratio(numerators, denominators):
    """Make the statistic "sum of numerators over sum of denominators".

    A mean over clips is one (denominators 1, or 0 for a clip without a value),
    a share pooled over prompts another.

    Arguments
    ---------
    numerators, denominators : array [..., clips]
        What each clip adds.

    Returns
    -------
    callable
        weights [W, clips] -> [..., W].

    Example
    -------
    >>> mean = ratio(np.array([0.0, 2.0]), np.array([1.0, 1.0]))
    >>> mean(np.array([[1, 1], [2, 0]])).tolist()
    [1.0, 0.0]
    """

    def statistic(weights):
        return divide(numerators @ weights.T, denominators @ weights.T)

    return statistic


def bca(estimate, replicas, jackknife, expanded=True):
    """Ends of the bias-corrected and accelerated interval.

    Efron, J. Am. Stat. Assoc. 82 (1987) 171: percentiles of the replicas at
    ranks that are moved for median bias (z0) and for a spread that changes
    with the true value (acceleration a). The bootstrap's spread lacks the
    factor n / (n - 1) and the normal quantile the tails of Student's; the
    expanded quantile has both (Hesterberg, Am. Stat. 69 (2015) 371).

    Arguments
    ---------
    estimate : array [...]
        The value of the data.
    replicas : array [..., draws]
        Its values for resamples.
    jackknife : array [..., clips]
        Its values without one clip each.
    expanded : bool
        Whether to expand the quantile; without, it is scipy's BCa.

    Returns
    -------
    array [..., 2]
    """
    n_draws, n_clips = replicas.shape[-1], jackknife.shape[-1]
    quantile = ndtri((1 + LEVEL) / 2)
    if expanded and n_clips > 1:
        tail = student.ppf((1 + LEVEL) / 2, n_clips - 1)
        quantile = np.sqrt(n_clips / (n_clips - 1)) * tail
    middle = estimate[..., None]
    below = (replicas < middle - TOLERANCE).mean(axis=-1)
    upto = (replicas <= middle + TOLERANCE).mean(axis=-1)
    # All replicas on one side say "far", not "infinitely far".
    share = np.clip((below + upto) / 2, 0.5 / n_draws, 1 - 0.5 / n_draws)
    bias = ndtri(share)[..., None]
    ends = bias + quantile * np.array([-1, 1])
    moved = bias + ends / (1 - _acceleration(jackknife)[..., None] * ends)
    return _percentiles(replicas, ndtr(moved))


def _acceleration(jackknife):
    """Skewness of the influence of clips, over 6 (array [...])."""
    gap = jackknife.mean(axis=-1, keepdims=True) - jackknife
    cubes, squares = (gap**3).sum(axis=-1), (gap**2).sum(axis=-1)
    # Without any spread there is nothing to correct.
    spread = squares > TOLERANCE**2
    return np.where(
        spread, cubes / (6 * np.where(spread, squares, 1) ** 1.5), 0
    )


def _percentiles(replicas, ranks):
    """Interpolated percentiles, each row at its own ranks (array [..., 2])."""
    ordered = np.sort(replicas, axis=-1)
    # NaN sort to the end: a row that has one has no percentiles.
    lacking = np.isnan(ordered[..., -1:])
    place = np.where(lacking, 0, ranks) * (ordered.shape[-1] - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, ordered.shape[-1] - 1)
    first = np.take_along_axis(ordered, low, axis=-1)
    second = np.take_along_axis(ordered, high, axis=-1)
    return np.where(lacking, np.nan, first + (place - low) * (second - first))


def interval(statistic, counts):
    """Estimate a statistic with its interval and standard error.

    Arguments
    ---------
    statistic : callable
        weights [W, clips] -> [..., W].
    counts : array [draws, clips]
        From ``resample_counts``.

    Returns
    -------
    Interval

    Example
    -------
    >>> values = np.arange(20.0)
    >>> found = interval(ratio(values, np.ones(20)), resample_counts(20, 999))
    >>> float(found.value), float(found.error.round(3))
    (9.5, 1.323)
    >>> bool(6 < found.ends[0] < 9.5 < found.ends[1] < 13)
    True
    """
    n_clips = counts.shape[1]
    value = statistic(np.ones((1, n_clips)))[..., 0]
    jackknife = statistic(1 - np.eye(n_clips))
    ends = np.full((*value.shape, 2), np.nan)
    if n_clips >= MIN_CLIPS:
        ends = bca(value, statistic(counts), jackknife)
    return Interval(value, ends, standard_error(jackknife))


def standard_error(jackknife):
    """Standard error by the jackknife; of a mean, the usual one.

    Arguments
    ---------
    jackknife : array [..., clips]
        Values without one clip each.

    Returns
    -------
    array [...]
    """
    n_clips = jackknife.shape[-1]
    return np.sqrt((n_clips - 1) * jackknife.var(axis=-1))


def widen(found, n_clips, low, high):
    """Give an interval to a value that is the same for all clips.

    No resample differs then, which is no certainty. At 95 %, no more than a
    share p of all clips can be otherwise, with (1 - p)^n = 0.05 (the rule of
    three: p is about 3 / n), and those lie between the lowest and the highest
    possible value.

    Arguments
    ---------
    found : Interval
        From ``interval``.
    n_clips : array [...] or int
        Number of clips with a value.
    low, high : float or array
        The lowest and the highest value that the statistic can have.

    Returns
    -------
    array [..., 2]
        The ends, changed where they coincide.

    Example
    -------
    >>> same = interval(ratio(np.zeros(80), np.ones(80)), resample_counts(80, 9))
    >>> widen(same, 80, 0, 2).round(3).tolist()
    [0.0, 0.074]
    """
    value = found.value
    limits = np.stack(
        [np.broadcast_to(limit, value.shape) for limit in (low, high)], axis=-1
    )
    rest = 1 - (1 - LEVEL) ** (1 / np.maximum(n_clips, 1))
    wide = value[..., None] + rest[..., None] * (limits - value[..., None])
    flat = np.ptp(found.ends, axis=-1, keepdims=True) < TOLERANCE
    return np.where(flat, wide, found.ends)
