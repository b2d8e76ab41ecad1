"""How far judges agree on answers, beyond chance, and on systems.

Authors
 * The speechbrain_jasco developers, 2026
"""

from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.stats import kendalltau

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS
from speechbrain_jasco.metrics.bootstrap import divide, interval
from speechbrain_jasco.metrics.reliability import (
    NOMINAL,
    ORDINAL,
    cohen_kappa,
    coincidences,
    confusion,
    krippendorff_alpha,
    one_hot,
)

MIN_SYSTEMS = 3  # below, a rank correlation says nothing


def estimate(measure, tables, counts):
    """A measure of a table with its interval.

    Arguments
    ---------
    measure : callable
        table [..., V, V] -> [...].
    tables : array [clips, V, V]
        What each clip adds to the table.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.

    Returns
    -------
    dict
        ``value`` and ``ci95``.
    """
    flat = tables.reshape(len(tables), -1)

    def statistic(weights):
        return measure((weights @ flat).reshape(-1, *tables.shape[1:]))

    found = interval(statistic, counts)
    return {"value": float(found.value), "ci95": found.ends.tolist()}


class Coding(NamedTuple):
    """What several judges say of the same answers, in one respect.

    Arguments
    ---------
    marks : array [judges, clips, answers, V]
        From ``one_hot``.
    levels : array [V] or None
        Ratings; None for categories.
    """

    marks: np.ndarray
    levels: np.ndarray | None


def codings(cube):
    """Line up the verdicts on all answers of a clip, of all systems.

    Arguments
    ---------
    cube : Cube
        Verdicts of judges (no panel).

    Returns
    -------
    dict
        ``rating`` and ``orientation`` -> Coding.
    """
    ratings, orientations = (
        np.moveaxis(values, 0, 2).reshape(*values.shape[1:3], -1)
        for values in (cube.ratings, cube.orientations)
    )
    # Means of repeats lie between the three; those are always there.
    levels = np.union1d(ratings[~np.isnan(ratings)], np.array(RATINGS, float))
    names = np.arange(len(ORIENTATIONS))
    return {
        "rating": Coding(one_hot(ratings, levels), levels),
        "orientation": Coding(one_hot(orientations, names), None),
    }


def alphas(coded, counts):
    """Krippendorff's alpha among all judges.

    Arguments
    ---------
    coded : dict
        From ``codings``.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.

    Returns
    -------
    dict
        ``rating`` (ordinal) and ``orientation`` (nominal) -> ``value``,
        ``ci95`` and ``n``, the number of answers with two verdicts or more.
    """
    found = {}
    for name, (marks, levels) in coded.items():
        level = NOMINAL if levels is None else ORDINAL
        alpha = partial(krippendorff_alpha, level=level)
        n = int((marks.sum(axis=(0, -1)) > 1).sum())
        found[name] = {**estimate(alpha, coincidences(marks), counts), "n": n}
    return found


def pair_agreement(coded, first, second, counts):
    """Agreement of two judges.

    Arguments
    ---------
    coded : dict
        From ``codings``.
    first, second : int
        Positions of the judges.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.

    Returns
    -------
    dict
        ``rating`` and ``orientation`` -> ``kappa`` (quadratic weights for
        ratings; ``value``, ``ci95``), ``same`` (fraction of equal verdicts;
        likewise), ``confusion`` (first in rows), ``levels`` and ``n``.
    """
    found = {}
    for name, (marks, levels) in coded.items():
        tables = confusion(marks[first], marks[second])
        total = tables.sum(axis=0)
        named = ORIENTATIONS if levels is None else levels.tolist()
        found[name] = {
            "kappa": estimate(
                partial(cohen_kappa, levels=levels), tables, counts
            ),
            "same": estimate(_same, tables, counts),
            "confusion": total.astype(int).tolist(),
            "levels": list(named),
            "n": int(total.sum()),
        }
    return found


def _same(table):
    """Fraction on the diagonal (array [...])."""
    diagonal = np.trace(table, axis1=-2, axis2=-1)
    return divide(diagonal, table.sum(axis=(-2, -1)))


def rank_agreement(first, second):
    """Kendall's tau-b between two judges' rankings of the systems.

    Arguments
    ---------
    first, second : list of float
        Scores of the systems.

    Returns
    -------
    float
        NaN with fewer than three systems, or where a judge has them all tie.

    Example
    -------
    >>> rank_agreement([0.1, 0.2, 0.3], [1.0, 1.5, 1.2]).round(3)
    np.float64(0.333)
    """
    if len(first) < MIN_SYSTEMS:
        return float("nan")
    return kendalltau(first, second).statistic


def judge_agreement(cube, best_means, counts):
    """Everything judges have in common.

    Arguments
    ---------
    cube : Cube
        Verdicts of two judges or more (no panel).
    best_means : array [systems, judges]
        Best-Mean.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.

    Returns
    -------
    dict
        ``alpha`` (see ``alphas``) and ``pairs``: a list of what
        ``pair_agreement`` says, with ``judges`` and ``systems_tau``.
    """
    coded = codings(cube)
    pairs = [
        {
            "judges": [cube.judges[i], cube.judges[j]],
            "systems_tau": float(
                rank_agreement(best_means[:, i], best_means[:, j])
            ),
            **pair_agreement(coded, i, j, counts),
        }
        for i, j in combinations(range(len(cube.judges)), 2)
    ]
    return {"alpha": alphas(coded, counts), "pairs": pairs}
