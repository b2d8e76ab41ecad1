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


def best_mean_bounds(verdicts, gated=True):
    """Best-Mean with all missing ratings at their worst and at their best.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    gated : bool
        See ``scored``.

    Returns
    -------
    Bounds
    """
    return _bounds(best_mean, verdicts, gated)


def mean_bounds(verdicts, gated=True):
    """Mean rating with all missing ratings at their worst and at their best.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The table.
    gated : bool
        See ``scored``.

    Returns
    -------
    Bounds
    """
    return _bounds(mean_rating, verdicts, gated)


def _bounds(score, verdicts, gated):
    """A score with the failed verdicts filled in either way (Bounds)."""
    failed = verdicts["status"] != "ok"

    def filled(rating):
        return verdicts.assign(
            status="ok",
            rating=verdicts["rating"].where(~failed, rating),
            orientation=verdicts["orientation"].where(~failed, "both"),
        )

    return Bounds(score(filled(0), gated), score(filled(2), gated))


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
        "best_mean": list(best_mean_bounds(verdicts)),
        "mean": list(mean_bounds(verdicts)),
        **{name: list(ends) for name, ends in share_bounds(verdicts).items()},
    }
