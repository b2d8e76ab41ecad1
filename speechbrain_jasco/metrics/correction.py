"""Scores corrected for the judge's errors, as gold probes measured them.

A judge turns the true score t of an answer (0, 1, 2: the rating that counts)
into y with probability M[t, y]; the probes estimate M. Any function f of one
true score then has an unbiased estimate from y,

    f~(y) = sum_t M^-1[y, t] f(t),      since  sum_y M[t, y] f~(y) = f(t)

(for two levels and f(t) = t: Rogan and Gladen, Am. J. Epidemiol. 107 (1978)
71). A maximum over prompts is made of products of such functions:

    max_p t_p = 2 - prod_p [t_p < 1] - prod_p [t_p < 2]

so its estimate multiplies the estimates of the indicators, prompt by prompt.
That is unbiased where the judge's errors on a clip's prompts are independent
given the true scores; how the true scores depend on each other is free. Whether
they are, ``quality.error_correlation`` tells from the probes.

The intervals are percentiles of a bootstrap over clips, of the predictions and
of the probes: they hold the uncertainty of M as well.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS
from speechbrain_jasco.metrics.scores import SHARES

N_BOOTSTRAP = 1000
MIN_PROBES = 10  # of each true value, fewer are no estimate of a row of M
# Below, the judge hardly tells the true values apart: the inverse of M
# multiplies the noise by more than 1 / MIN_SINGULAR per answer.
MIN_SINGULAR = 0.2
# Above, the maximum is not corrected: the product takes the errors on a clip
# as independent, and takes off too much where they go together.
MAX_CORRELATION = 0.05


class Estimate(NamedTuple):
    """A corrected number.

    Arguments
    ---------
    value : float
        The estimate; unclipped, so a little below 0 or above 2 at times.
    ci95 : list of float
        Its interval.
    """

    value: float
    ci95: list


def row_shares(counts):
    """Confusion counts as the matrix M.

    Arguments
    ---------
    counts : array [..., K, K]
        Truth in rows, judgement in columns.

    Returns
    -------
    array [..., K, K]
        Rows sum to 1.

    Example
    -------
    >>> row_shares(np.array([[3, 1], [0, 2]])).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    return counts / counts.sum(axis=-1, keepdims=True)


def why_not(counts):
    """Why a judge's scores cannot be corrected.

    Arguments
    ---------
    counts : array [K, K]
        Confusion of all probes.

    Returns
    -------
    str
        "" if they can.

    Example
    -------
    >>> why_not(np.array([[50, 50], [50, 50]]))
    'the judge hardly tells the true values apart'
    """
    if counts.sum(axis=1).min() < MIN_PROBES:
        return f"fewer than {MIN_PROBES} probes of a true value"
    if _smallest(row_shares(counts)) < MIN_SINGULAR:
        return "the judge hardly tells the true values apart"
    return ""


def best_and_mean(levels, matrix):
    """Corrected Best-Mean and mean of every clip.

    Arguments
    ---------
    levels : array of int [clips, prompts]
        Judged scores; -1 for an answer without a verdict.
    matrix : array [3, 3]
        M.

    Returns
    -------
    array [clips, 2]
        Estimates of the best and of the mean true score.

    Example
    -------
    >>> best_and_mean(np.array([[0, 2, 1], [0, 1, -1]]), np.eye(3)).tolist()
    [[2.0, 1.0], [1.0, 0.5]]
    """
    inverse = np.linalg.inv(matrix)
    below = np.cumsum(inverse, axis=1)  # [y, t]: estimate of [true <= t]
    factors = np.where((levels >= 0)[..., None], below[levels, :2], 1.0)
    best = 2 - factors.prod(axis=1).sum(axis=1)
    values = np.where(levels >= 0, (inverse @ RATINGS)[levels], np.nan)
    return np.stack([best, np.nanmean(values, axis=1)], axis=1)


def shares(counts, matrix):
    """Corrected shares of audio, both and speech.

    Arguments
    ---------
    counts : array [4]
        Answers by judged orientation, in the order of ``ORIENTATIONS``.
    matrix : array [4, 4]
        M of the orientations.

    Returns
    -------
    array [3]
        In the order of ``SHARES``; NaN if nothing is left.

    Example
    -------
    >>> shares(np.array([1, 1, 2, 5]), np.eye(4)).tolist()
    [0.25, 0.5, 0.25]
    """
    # A share below 0 is noise; the others keep their ratio.
    true = np.clip(counts @ np.linalg.inv(matrix), 0, None)
    kept = true[[ORIENTATIONS.index(name) for name in SHARES]]
    total = kept.sum()
    return kept / total if total > 0 else np.full(len(SHARES), np.nan)


def correct(verdicts, quality, seed=1234):
    """Correct one system's scores by one judge.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        As in ``metrics/scores.py``.
    quality : dict
        The judge's entry of ``judge_quality.json``.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``best_mean``, ``mean`` and ``dependence`` (share -> Estimate as a
        dict), or None and ``why_not``, where they cannot be had.
    """
    rng = np.random.default_rng(seed)
    calibration = quality["calibration"]
    levels, counts = _per_clip(verdicts)
    (best, mean), why_scores = _correct_scores(
        levels, _stack(calibration, "score"), rng
    )
    dependence, why_shares = _correct_shares(
        counts, _stack(calibration, "orientation"), rng
    )
    together = quality["error_correlation"]
    if best is not None and together > MAX_CORRELATION:
        best = None
        why_scores = (
            "Best-Mean: the judge's errors on a clip go together "
            f"(correlation {together:.2f})"
        )
    return {
        "best_mean": best,
        "mean": mean,
        "dependence": dependence,
        "why_not": {"score": why_scores, "orientation": why_shares},
    }


def _correct_scores(levels, probes, rng):
    """Best-Mean and mean, each as a dict, and why there are none."""
    why = why_not(probes.sum(axis=0))
    if not len(levels):
        why = "no verdict"
    elif not np.isin(levels, (-1, *RATINGS)).all():
        why = "ratings between the listed ones"
    if why:
        return (None, None), why
    levels = levels.astype(int)

    def estimate(probes, clips):
        matrix = row_shares(probes.sum(axis=0))
        return best_and_mean(levels[clips], matrix).mean(axis=0)

    return _bootstrap(estimate, probes, len(levels), rng), ""


def _correct_shares(counts, probes, rng):
    """Share -> estimate, and why there is none."""
    why = why_not(probes.sum(axis=0)) if len(counts) else "no verdict"
    if why:
        return None, why

    def estimate(probes, clips):
        matrix = row_shares(probes.sum(axis=0))
        return shares(counts[clips].sum(axis=0), matrix)

    found = _bootstrap(estimate, probes, len(counts), rng)
    return dict(zip(SHARES, found, strict=True)), ""


def _bootstrap(estimate, probes, n_clips, rng):
    """Estimates with percentile intervals (list of dict)."""
    value = estimate(probes, np.arange(n_clips))
    replicas = []
    while len(replicas) < N_BOOTSTRAP:
        sample = probes[rng.integers(len(probes), size=len(probes))]
        total = sample.sum(axis=0)
        # Without a true value there is no M; drawn again, it is rare.
        if total.sum(axis=1).min() and _smallest(row_shares(total)) > 0.01:
            clips = rng.integers(n_clips, size=n_clips)
            replicas.append(estimate(sample, clips))
    ends = np.nanpercentile(np.array(replicas), [2.5, 97.5], axis=0)
    return [
        Estimate(float(v), [float(low), float(high)])._asdict()
        for v, low, high in zip(value, *ends, strict=True)
    ]


def _smallest(matrix):
    """Smallest singular value (float)."""
    return np.linalg.svd(matrix, compute_uv=False)[-1]


def _per_clip(verdicts):
    """Judged scores [clips, prompts] and orientation counts [clips, 4]."""
    ok = verdicts[verdicts["status"] == "ok"]
    both = ok["orientation"] == "both"
    ok = ok.assign(score=ok["rating"].astype(float).where(both, 0.0))
    clips = [part for _, part in ok.groupby("id", sort=False)]
    width = max((len(part) for part in clips), default=0)
    levels = np.full((len(clips), width), -1.0)
    for row, part in zip(levels, clips, strict=True):
        row[: len(part)] = part["score"]
    counts = [
        [int((part["orientation"] == name).sum()) for name in ORIENTATIONS]
        for part in clips
    ]
    return levels, np.array(counts)


def _stack(calibration, name):
    """Confusions of all clips (array [clips, K, K])."""
    return np.array([entry[name] for entry in calibration.values()], float)
