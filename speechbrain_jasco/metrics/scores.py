"""Best-Mean, mean, modality dependence and coverage of one (system, judge).

Every function takes the verdict table of one system by one judge: one row per
answer with the columns ``id``, ``status``, ``rating`` and ``orientation``. A
failed verdict is neither a zero nor a score: it is left out, ``coverage`` says
how much is left and ``metrics/bounds.py`` what it could change. Formulas and a
worked example: ``docs/metrics.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from math import comb

import numpy as np

SHARES = ("audio", "both", "speech")
COUNTS = (*SHARES, "neither", "unparsed", "transport_error", "missing")


def scored(verdicts, gated=True):
    """Ratings that count.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    gated : bool
        Whether a rating counts only with the orientation "both", and is 0
        otherwise (BenoitWang/What_Are_They_Doing evaluation/eval.py@e728f83).

    Returns
    -------
    pandas.Series
        Ratings indexed by clip id, failed verdicts left out.

    Example
    -------
    >>> import pandas as pd
    >>> verdicts = pd.DataFrame({
    ...     "id": ["1", "1", "2"], "status": ["ok", "ok", "unparsed"],
    ...     "rating": [2, 1, None], "orientation": ["audio", "both", None]})
    >>> scored(verdicts).tolist(), scored(verdicts, gated=False).tolist()
    ([0.0, 1.0], [2.0, 1.0])
    """
    ok = verdicts[verdicts["status"] == "ok"]
    rating = ok["rating"].astype(float)
    if gated:
        rating = rating.where(ok["orientation"] == "both", 0.0)
    return rating.set_axis(ok["id"])


def best_mean(verdicts, gated=True):
    """Best-Mean: mean over clips of the best rating among a clip's prompts.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    gated : bool
        See ``scored``.

    Returns
    -------
    float
        Between 0 and 2; NaN without any scored answer.
    """
    return float(scored(verdicts, gated).groupby(level=0).max().mean())


def mean_rating(verdicts, gated=True):
    """Mean over clips of the mean rating of a clip's prompts.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    gated : bool
        See ``scored``.

    Returns
    -------
    float
        Between 0 and 2; NaN without any scored answer.
    """
    return float(scored(verdicts, gated).groupby(level=0).mean().mean())


def expected_best(ratings, k):
    """Expected maximum of k ratings drawn without replacement, exactly.

    Arguments
    ---------
    ratings : array-like
        The n ratings of one clip.
    k : int
        Number of draws; more than n are n.

    Returns
    -------
    float
        sum_i C(i - 1, k - 1) r_(i) / C(n, k) over the sorted ratings.

    Example
    -------
    >>> expected_best([0, 0, 2], 1), expected_best([0, 0, 2], 3)
    (0.6666666666666666, 2.0)
    """
    ordered = np.sort(np.asarray(ratings, dtype=float))
    n = len(ordered)
    k = min(k, n)
    weights = [comb(i, k - 1) for i in range(n)]
    return float(np.dot(weights, ordered) / comb(n, k))


def best_of_k(verdicts, k_max=8, gated=True):
    """Best-Mean if only k of the prompts had been asked, for k = 1..k_max.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    k_max : int
        Largest k.
    gated : bool
        See ``scored``.

    Returns
    -------
    list of float
        The first is ``mean_rating``, the last ``best_mean`` where no clip has
        more than ``k_max`` prompts.
    """
    groups = scored(verdicts, gated).groupby(level=0)
    clips = [ratings.to_numpy() for _, ratings in groups]
    if not clips:
        return [float("nan")] * k_max
    return [
        float(np.mean([expected_best(ratings, k) for ratings in clips]))
        for k in range(1, k_max + 1)
    ]


def counts(verdicts):
    """Count the answers by orientation, or by why there is none.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    dict
        ``COUNTS`` -> int; they add up to the number of rows.
    """
    outcome = verdicts["orientation"].where(
        verdicts["status"] == "ok",
        verdicts["status"].replace("no_prediction", "missing"),
    )
    return {name: int((outcome == name).sum()) for name in COUNTS}


def dependence(verdicts):
    """Shares of audio-, both- and speech-led answers, over all prompts.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    dict
        ``SHARES`` -> fraction of audio + both + speech; NaN where there is no
        such answer ("neither" is left out, arXiv 2409.14526 section IV-B).
    """
    number = counts(verdicts)
    total = sum(number[name] for name in SHARES)
    return {
        name: number[name] / total if total else float("nan") for name in SHARES
    }


def coverage(verdicts):
    """Fraction of the expected answers that have a usable verdict.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    float
    """
    return float((verdicts["status"] == "ok").mean())
