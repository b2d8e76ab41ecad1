"""Every score as a ratio of two sums over clips, for all systems and judges.

So each number has its interval from the same resamples
(``metrics/bootstrap.py``). The plain definitions, for one system and one judge,
are in ``metrics/scores.py``; the tests hold the two against each other.

Authors
 * The speechbrain_jasco developers, 2026
"""

from math import comb

import numpy as np

from speechbrain_jasco.metrics.bootstrap import divide
from speechbrain_jasco.metrics.scores import SHARES

# What systems are compared by.
COMPARED = ("best_mean", "mean", *SHARES)
# The highest value of a score; a share's is 1.
TOP = 2.0


def best_of_k(values):
    """Expected maximum of k of a clip's values, for k = 1 .. all, exactly.

    Over all subsets of k of the n values that are there; sorted upwards,

        E[max of k] = sum_i C(i - 1, k - 1) / C(n, k) v_(i),

    and for k > n the maximum of all.

    Arguments
    ---------
    values : array [..., prompts]
        Ratings that count; NaN without a verdict.

    Returns
    -------
    array [..., prompts]
        Entry k - 1 is that of k; NaN for a clip without any value.

    Example
    -------
    >>> best_of_k(np.array([[0.0, 1.0, 2.0], [2.0, np.nan, 0.0]])).tolist()
    [[1.0, 1.6666666666666665, 2.0], [1.0, 2.0, 2.0]]
    """
    n_prompts = values.shape[-1]
    weights = np.zeros((n_prompts + 1, n_prompts, n_prompts))
    for n in range(1, n_prompts + 1):
        for k in range(1, n_prompts + 1):
            drawn = min(k, n)
            for i in range(n):
                weights[n, k - 1, i] = comb(i, drawn - 1) / comb(n, drawn)
    ordered = np.nan_to_num(np.sort(values, axis=-1))  # NaN sort to the end
    n_values = (~np.isnan(values)).sum(axis=-1)
    curve = np.einsum("...i,...ki->...k", ordered, weights[n_values])
    return np.where(n_values[..., None] > 0, curve, np.nan)


def clip_sums(cube):
    """What each clip adds to numerator and denominator of every score.

    Arguments
    ---------
    cube : Cube
        All verdicts.

    Returns
    -------
    dict
        Score -> (numerators, denominators), each [systems, judges, clips]:
        ``best_mean``, ``mean``, ``best_of_K`` (also with ``_ungated``), the
        ``SHARES`` and, of the prompt with index P, ``mean@P`` and ``both@P``.

    Example
    -------
    >>> from speechbrain_jasco.metrics.cube import Cube
    >>> cube = Cube(["S"], ["J"], ["a"], np.array([[[[2.0, 1.0]]]]),
    ...     np.array([[[[2, 0]]]]))  # both, audio
    >>> sums = clip_sums(cube)
    >>> [float((n / d).item()) for n, d in map(sums.get, COMPARED)]
    [2.0, 1.0, 0.5, 0.5, 0.0]
    """
    sums = {}
    for suffix, values in (("", cube.scores), ("_ungated", cube.ratings)):
        curve = np.moveaxis(best_of_k(values), -1, 0)
        for k, best in enumerate(curve, start=1):
            sums[f"best_of_{k}{suffix}"] = _mean(best)
        # More draws than a clip has values are all of them.
        sums["best_mean" + suffix] = sums[f"best_of_{len(curve)}{suffix}"]
        sums["mean" + suffix] = sums[f"best_of_1{suffix}"]
    says = {name: cube.says(name) for name in SHARES}
    led = np.nansum([*says.values()], axis=0)
    for name, said in says.items():
        sums[name] = np.nansum(said, axis=-1), led.sum(axis=-1)
    for prompt in range(cube.ratings.shape[-1]):
        sums[f"mean@{prompt}"] = _mean(cube.scores[..., prompt])
        both = np.nan_to_num(says["both"][..., prompt])
        sums[f"both@{prompt}"] = both, led[..., prompt]
    return sums


def _mean(values):
    """Numerators and denominators of a mean over clips."""
    return np.nan_to_num(values), (~np.isnan(values)).astype(float)


def by_judge(numerators, denominators, n_judges):
    """Make the statistic "ratio by each judge, and their average".

    Arguments
    ---------
    numerators, denominators : array [..., judges, clips]
        From ``clip_sums``; after the judges there may be a panel.
    n_judges : int
        How many of them are judges.

    Returns
    -------
    callable
        weights [W, clips] -> [..., judges + 1, W]; the average of the judges
        stands last, each counting alike.

    Example
    -------
    >>> ones = np.ones((2, 1))
    >>> statistic = by_judge(np.array([[1.0], [2.0]]), ones, 2)
    >>> statistic(np.ones((1, 1)))[:, 0].tolist()
    [1.0, 2.0, 1.5]
    """

    def statistic(weights):
        values = divide(numerators @ weights.T, denominators @ weights.T)
        return with_average(values, n_judges)

    return statistic


def with_average(values, n_judges):
    """Append the average of the judges along the judges' axis.

    Arguments
    ---------
    values : array [..., judges, W]
        After the judges there may be a panel.
    n_judges : int
        How many of them are judges.

    Returns
    -------
    array [..., judges + 1, W]
        NaN where a judge has no value.
    """
    average = values[..., :n_judges, :].mean(axis=-2, keepdims=True)
    return np.concatenate([values, average], axis=-2)


def n_clips_of(denominators, n_judges):
    """Count the clips that have a value.

    Arguments
    ---------
    denominators : array [..., judges, clips]
        From ``clip_sums``; after the judges there may be a panel.
    n_judges : int
        How many of them are judges.

    Returns
    -------
    array [..., judges + 1]
        By judge; of the average, that of the judge with the fewest.

    Example
    -------
    >>> n_clips_of(np.array([[1, 1], [0, 2]]), 2).tolist()
    [2, 1, 1]
    """
    n = (denominators > 0).sum(axis=-1)
    fewest = n[..., :n_judges].min(axis=-1, keepdims=True)
    return np.concatenate([n, fewest], axis=-1)
