"""How good a judge is: its verdicts on gold probes against the truth.

Every function takes the gold table: one row per probe with ``kind``, ``form``,
``id``, ``status``, the judge's ``rating`` and ``orientation``, what would be
right (``ratings``, ``orientations``: tuples) and ``true_score``, the rating
that should count. Formulas: ``docs/metrics.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math

import numpy as np
import pandas as pd

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS

# A judge that could not be asked is not to blame; one that cannot be read is.
ASKED = ("ok", "unparsed")
Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def wilson(successes, n):
    """Wilson's 95 % interval of a proportion.

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209: the proportions that a
    score test at 5 % does not reject. Sound for small n and near 0 and 1.

    Arguments
    ---------
    successes : int
        Number of successes.
    n : int
        Number of trials.

    Returns
    -------
    list of float
        Low and high; 0 and 1 without trials.

    Example
    -------
    >>> [round(end, 3) for end in wilson(0, 10)]
    [0.0, 0.278]
    """
    if n == 0:
        return [0.0, 1.0]
    p = successes / n
    centre = p + Z**2 / (2 * n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    low, high = (centre - half) / scale, (centre + half) / scale
    return [max(0.0, low), min(1.0, high)]


def rate(hits):
    """A proportion with its interval.

    Arguments
    ---------
    hits : array-like of bool
        One per trial.

    Returns
    -------
    dict
        ``value`` (NaN without trials), ``n`` and ``ci95``.

    Example
    -------
    >>> rate([True, False])["value"]
    0.5
    """
    hits = np.asarray(hits, dtype=bool)
    value = float(hits.mean()) if len(hits) else float("nan")
    return {
        "value": value,
        "n": len(hits),
        "ci95": wilson(int(hits.sum()), len(hits)),
    }


def mark(gold):
    """Compare verdicts with the truth.

    Arguments
    ---------
    gold : pandas.DataFrame
        The gold table.

    Returns
    -------
    pandas.DataFrame
        With ``rating_right``, ``orientation_right``, ``right`` (both) and
        ``score`` (the rating that counts; NaN without a verdict).
    """
    ok = gold["status"] == "ok"
    pairs = [
        ("rating_right", "rating", "ratings"),
        ("orientation_right", "orientation", "orientations"),
    ]
    right = {
        name: ok
        & np.array(
            [
                value in accepted
                for value, accepted in zip(gold[got], gold[truth], strict=True)
            ],
            dtype=bool,
        )
        for name, got, truth in pairs
    }
    both = gold["orientation"] == "both"
    return gold.assign(
        **right,
        right=right["rating_right"] & right["orientation_right"],
        score=gold["rating"].astype(float).where(both, 0.0).where(ok),
    )


def confusion(gold, truth, judged, values):
    """Count verdicts by truth (rows) and judgement (columns).

    Arguments
    ---------
    gold : pandas.DataFrame
        Marked.
    truth, judged : str
        Columns.
    values : sequence
        What they can hold; rows with anything else are left out.

    Returns
    -------
    list of list of int
    """
    return [
        [int(((gold[truth] == t) & (gold[judged] == j)).sum()) for j in values]
        for t in values
    ]


def measure(gold):
    """All measures of one judge on one set of probes.

    Arguments
    ---------
    gold : pandas.DataFrame
        Marked.

    Returns
    -------
    dict
        Accuracies (``verdict``: rating and orientation are right),
        ``false_positive`` (of the probes worth 0, those that score),
        ``false_negative`` (of the references, those that get 0), the
        confusions and ``coverage``.
    """
    asked = gold[gold["status"].isin(ASKED)]
    ok = gold[gold["status"] == "ok"]
    return {
        "verdict": rate(asked["right"]),
        "rating": rate(asked["rating_right"]),
        "orientation": rate(asked["orientation_right"]),
        "false_positive": rate(ok["score"][ok["true_score"] == 0] > 0),
        "false_negative": rate(ok["score"][ok["true_score"] == 2] == 0),
        "rating_confusion": confusion(ok, "true_rating", "rating", RATINGS),
        "score_confusion": confusion(ok, "true_score", "score", RATINGS),
        "orientation_confusion": confusion(
            ok, "true_orientation", "orientation", ORIENTATIONS
        ),
        "coverage": float(len(ok) / len(gold)) if len(gold) else float("nan"),
    }


def error_correlation(gold):
    """How much a judge's errors on one clip go together.

    Of one clip and kind there are several spoken forms: the same content in
    other words, as a system's answers to several prompts are. The correlation
    of their errors, each error taken as its excess over the rate of its kind
    and form.

    Arguments
    ---------
    gold : pandas.DataFrame
        Marked; spoken probes.

    Returns
    -------
    float
        0 if errors are independent (or there are none), 1 if of a clip's
        probes of a kind all or none are judged wrong.
    """
    ok = gold[gold["status"] == "ok"]
    wrong = (ok["score"] != ok["true_score"]).astype(float)
    error_rate = wrong.groupby([ok["kind"], ok["form"]]).transform("mean")
    sizes = pd.DataFrame(
        {
            "excess": wrong - error_rate,
            "excess2": (wrong - error_rate) ** 2,
            "deviation": np.sqrt(error_rate * (1 - error_rate)),
            "variance": error_rate * (1 - error_rate),
        }
    )
    total = sizes.groupby([ok["id"], ok["kind"]]).sum()
    # Sum over pairs = square of the sum - sum of squares.
    together = (total["excess"] ** 2 - total["excess2"]).sum()
    most = (total["deviation"] ** 2 - total["variance"]).sum()
    return float(together / most) if most > 1e-9 else 0.0


def judge_quality(gold):
    """Everything ``judge_quality.json`` says of one judge.

    Arguments
    ---------
    gold : pandas.DataFrame
        The gold table of one judge.

    Returns
    -------
    dict
        ``verbatim`` and ``spoken`` (results of ``measure``), ``kinds`` (kind
        -> form -> share right and n) and, for ``metrics/correction.py``,
        ``error_correlation`` and ``calibration`` (clip -> confusions) of the
        spoken probes.
    """
    gold = mark(gold)
    is_verbatim = gold["form"] == "verbatim"
    asked = gold[gold["status"].isin(ASKED)]
    kinds = {}
    for (kind, form), part in asked.groupby(["kind", "form"], sort=False):
        kinds.setdefault(kind, {})[form] = rate(part["right"])
    return {
        "verbatim": measure(gold[is_verbatim]),
        "spoken": measure(gold[~is_verbatim]),
        "kinds": kinds,
        "error_correlation": error_correlation(gold[~is_verbatim]),
        "calibration": {
            clip: {
                name: confusion(part, f"true_{name}", name, values)
                for name, values in (
                    ("score", RATINGS),
                    ("orientation", ORIENTATIONS),
                )
            }
            for clip, part in gold[~is_verbatim].groupby("id", sort=False)
        },
    }
