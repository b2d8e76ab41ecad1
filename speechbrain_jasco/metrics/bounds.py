"""What missing verdicts could change: scores at their worst and at their best.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

from speechbrain_jasco.metrics.scores import (
    SHARES,
    best_mean,
    counts,
    mean_rating,
)


class Bounds(NamedTuple):
    """Lowest and highest value a score can take, whatever is missing.

    Arguments
    ---------
    low : float
        All missing ratings 0.
    high : float
        All missing ratings 2 and "both".
    """

    low: float
    high: float


def rating_bounds(score, verdicts):
    """A score with all missing ratings at their worst and at their best.

    Arguments
    ---------
    score : callable
        ``best_mean`` or ``mean_rating``.
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    Bounds

    Example
    -------
    >>> import pandas as pd
    >>> verdicts = pd.DataFrame({"id": ["1", "1"], "status": ["ok", "unparsed"],
    ...     "rating": [1, None], "orientation": ["both", None]})
    >>> rating_bounds(mean_rating, verdicts)
    Bounds(low=0.5, high=1.5)
    """
    failed = verdicts["status"] != "ok"

    def filled(rating):
        return verdicts.assign(
            status="ok",
            rating=verdicts["rating"].where(~failed, rating),
            orientation=verdicts["orientation"].where(~failed, "both"),
        )

    return Bounds(score(filled(0)), score(filled(2)))


def share_bounds(verdicts):
    """Shares with all missing orientations elsewhere, and with all here.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    dict
        ``SHARES`` -> Bounds; NaN where there is no answer at all.

    Example
    -------
    >>> import pandas as pd
    >>> verdicts = pd.DataFrame({"status": ["ok", "unparsed"],
    ...     "orientation": ["both", None]})
    >>> share_bounds(verdicts)["both"]
    Bounds(low=0.5, high=1.0)
    """
    number = counts(verdicts)
    missing = len(verdicts) - int((verdicts["status"] == "ok").sum())
    total = sum(number[name] for name in SHARES) + missing
    if not total:
        return dict.fromkeys(SHARES, Bounds(float("nan"), float("nan")))
    return {
        name: Bounds(number[name] / total, (number[name] + missing) / total)
        for name in SHARES
    }


def all_bounds(verdicts):
    """Bounds of every gated score.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.

    Returns
    -------
    dict
        ``best_mean``, ``mean`` and ``SHARES`` -> [low, high].
    """
    return {
        "best_mean": list(rating_bounds(best_mean, verdicts)),
        "mean": list(rating_bounds(mean_rating, verdicts)),
        **{name: list(ends) for name, ends in share_bounds(verdicts).items()},
    }
