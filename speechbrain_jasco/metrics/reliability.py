"""Chance-corrected agreement: Krippendorff's alpha and Cohen's kappa.

Both are functions of a table of counts to which every clip adds, so the
bootstrap over clips (``metrics/bootstrap.py``) gives their intervals, which
the packages that compute them do not.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.metrics.bootstrap import divide

ORDINAL, NOMINAL = "ordinal", "nominal"


def one_hot(values, levels):
    """Mark each value's level.

    Arguments
    ---------
    values : array [...]
        NaN marks nothing.
    levels : array [V]
        All values.

    Returns
    -------
    array [..., V]
        0 or 1.
    """
    return (values[..., None] == levels).astype(float)


def coincidences(marks):
    """Pairs of values that the same answer got, clip by clip.

    Arguments
    ---------
    marks : array [coders, clips, answers, V]
        From ``one_hot``.

    Returns
    -------
    array [clips, V, V]
        Of an answer with m values, each ordered pair of different coders
        counts 1 / (m - 1) (K. Krippendorff, Content Analysis, ch. 11).

    Example
    -------
    >>> values = np.array([[[0.0, 1.0]], [[0.0, 0.0]]])  # 2 coders, 2 answers
    >>> coincidences(one_hot(values, np.array([0.0, 1.0])))[0].tolist()
    [[2.0, 1.0], [1.0, 0.0]]
    """
    counts = marks.sum(axis=0)  # [clips, answers, V]
    n_values = counts.sum(axis=-1)
    pairs = np.einsum("cav,caw->cavw", counts, counts)
    places = np.arange(counts.shape[-1])
    pairs[..., places, places] -= counts
    weights = np.where(n_values > 1, 1 / np.maximum(n_values - 1, 1), 0)
    return np.einsum("cavw,ca->cvw", pairs, weights)


def krippendorff_alpha(table, level):
    """Krippendorff's alpha: 1 - observed over expected disagreement.

    Arguments
    ---------
    table : array [..., V, V]
        Coincidences, summed over clips; values in ascending order.
    level : str
        ``nominal``: any two values differ alike; ``ordinal``: by the number
        of values that lie between, ends half, squared.

    Returns
    -------
    array [...]
        1 for full agreement, 0 for that of chance; NaN where only one value
        occurs.

    Example
    -------
    >>> float(krippendorff_alpha(np.array([[2.0, 1.0], [1.0, 0.0]]), NOMINAL))
    0.0
    """
    n = table.sum(axis=-1)  # how often each value occurs
    if level == NOMINAL:
        distance = 1 - np.eye(n.shape[-1])
    else:
        middle = np.cumsum(n, axis=-1) - n / 2
        distance = (middle[..., None] - middle[..., None, :]) ** 2
    total = n.sum(axis=-1)
    observed = (table * distance).sum(axis=(-2, -1))
    chance = n[..., None] * n[..., None, :]
    expected = (chance * distance).sum(axis=(-2, -1))
    return 1 - divide(observed * (total - 1), expected)


def cohen_kappa(table, levels):
    """Cohen's kappa, with squared distances where levels are numbers.

    Arguments
    ---------
    table : array [..., V, V]
        Counts, first judge in rows, second in columns.
    levels : array [V] or None
        The ratings (quadratic weights); None for categories.

    Returns
    -------
    array [...]
        NaN where both judges give one and the same value only.

    Example
    -------
    >>> float(cohen_kappa(np.array([[5.0, 1], [1, 5]]), None).round(3))
    0.667
    """
    if levels is None:
        distance = 1 - np.eye(table.shape[-1])
    else:
        distance = (levels[:, None] - levels) ** 2
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    chance = rows[..., None] * columns[..., None, :]
    observed = (table * distance).sum(axis=(-2, -1))
    expected = (chance * distance).sum(axis=(-2, -1))
    return 1 - divide(observed * rows.sum(axis=-1), expected)


def confusion(first, second):
    """Cross-tabulate two judges clip by clip.

    Arguments
    ---------
    first, second : array [clips, answers, V]
        From ``one_hot``.

    Returns
    -------
    array [clips, V, V]
    """
    return np.einsum("cav,caw->cvw", first, second)
