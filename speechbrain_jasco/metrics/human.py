"""Scores corrected by what people say of a sample of the answers.

Prediction-powered inference (Angelopoulos et al., Science 382 (2023) 669): a
judge has rated all answers, people a random sample of them. With m the mean
over all answers, f the judge's values and y people's,

    theta = m_sample(y) + lambda (m_all(f) - m_sample(f))

has the expectation of people's mean whatever the judge is worth: a good judge
makes it precise, a poor one does no harm. lambda = 1 takes the judge's mean
and subtracts its bias, lambda = 0 ignores the judge; the value used has the
least variance (arXiv 2311.01453, section 6).

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np

from speechbrain_jasco.metrics.bootstrap import divide, interval
from speechbrain_jasco.metrics.scores import SHARES

MIN_CLIPS = 10  # with ratings by people; fewer make no interval


class Sums(NamedTuple):
    """What each clip adds to the moments of judge and people.

    Arguments
    ---------
    judged : array [clips, 2]
        Number and sum of the judge's values, over all answers.
    rated : array [clips, 5]
        Of the answers that people rated too: number, sums of f, y, f^2, f y.
    """

    judged: np.ndarray
    rated: np.ndarray


def moments(judge, people):
    """Sum up the answers of each clip.

    Arguments
    ---------
    judge : array [clips, answers]
        The judge's values; NaN without a verdict.
    people : array [clips, answers]
        People's; NaN where nobody was asked.

    Returns
    -------
    Sums
    """
    has = ~np.isnan(judge)
    both = has & ~np.isnan(people)
    f, y = np.where(both, judge, 0.0), np.where(both, people, 0.0)
    columns = [both.astype(float), f, y, f * f, f * y]
    judged = np.stack([has.sum(axis=1), np.nansum(judge, axis=1)], axis=1)
    rated = np.stack([column.sum(axis=1) for column in columns], axis=1)
    return Sums(judged.astype(float), rated)


def powered_mean(sums, power=None):
    """Make the statistic "people's mean over all answers".

    Arguments
    ---------
    sums : Sums
        From ``moments``.
    power : float, optional
        lambda; by default the one of least variance, found anew in every
        resample.

    Returns
    -------
    callable
        weights [W, clips] -> [W].

    Example
    -------
    >>> judge = np.array([[2.0], [1.0], [2.0], [1.0]])
    >>> people = np.array([[1.0], [0.0], [np.nan], [np.nan]])
    >>> powered_mean(moments(judge, people), power=1)(np.ones((1, 4))).tolist()
    [0.5]
    """

    def statistic(weights):
        n_all, f_all = (weights @ sums.judged).T
        n, f, y, ff, fy = (weights @ sums.rated).T
        mean_f, mean_y = divide(f, n), divide(y, n)
        weight = power
        if power is None:
            covariance = divide(fy, n) - mean_f * mean_y
            variance = divide(ff, n) - mean_f**2
            best = divide(covariance, variance * (1 + divide(n, n_all)))
            # A judge that never varies has nothing to add.
            weight = np.clip(np.nan_to_num(best), 0, 1)
        return mean_y + weight * (divide(f_all, n_all) - mean_f)

    return statistic


def powered_share(sums, name, power=None):
    """Make the statistic "people's share of an orientation".

    Arguments
    ---------
    sums : dict
        Orientation (of ``SHARES``) -> Sums of 0 and 1.
    name : str
        Whose share.
    power : float, optional
        See ``powered_mean``.

    Returns
    -------
    callable
        weights [W, clips] -> [W].
    """
    means = {other: powered_mean(sums[other], power) for other in SHARES}

    def statistic(weights):
        values = {o: np.maximum(mean(weights), 0) for o, mean in means.items()}
        return divide(values[name], sum(values.values()))

    return statistic


def corrected(judge, people, counts, power=None):
    """All scores of one system, corrected by people.

    Arguments
    ---------
    judge, people : dict
        ``score`` and ``SHARES`` -> values [clips, prompts] of the judge (NaN
        without a verdict) and of people (NaN where nobody was asked).
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.
    power : float, optional
        See ``powered_mean``; 0 leaves the judge out.

    Returns
    -------
    dict
        ``mean``, ``best_mean`` and the ``SHARES`` -> ``value`` and ``ci95``,
        or None where fewer than ``MIN_CLIPS`` clips are rated (for Best-Mean:
        all answers of each).
    """
    sums = {name: moments(judge[name], people[name]) for name in judge}
    best = moments(_best(judge["score"]), _all_best(people["score"]))
    statistics = {
        "best_mean": (best, powered_mean(best, power)),
        "mean": (sums["score"], powered_mean(sums["score"], power)),
    }
    for name in SHARES:
        share = powered_share(sums, name, power)
        statistics[name] = (sums[name], share)
    found = {}
    for name, (used, statistic) in statistics.items():
        found[name] = None
        if (used.rated[:, 0] > 0).sum() >= MIN_CLIPS:
            here = interval(statistic, counts)
            found[name] = {
                "value": float(here.value),
                "ci95": here.ends.tolist(),
            }
    return found


def _best(scores):
    """Best score that a judge gave in each clip (array [clips, 1])."""
    best = np.where(np.isnan(scores), -1, scores).max(axis=1, keepdims=True)
    return np.where(best < 0, np.nan, best)


def _all_best(scores):
    """Best score of clips rated throughout, else NaN (array [clips, 1])."""
    return scores.max(axis=1, keepdims=True)
