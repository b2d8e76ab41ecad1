"""Do judges give longer answers more points?

Compared within a clip, so that clips which are easy and invite long answers
do not look like a bias; and prompts which ask for long answers are set apart
by their means.

Authors
 * The speechbrain_jasco developers, 2026
"""

import warnings

import numpy as np

from speechbrain_jasco.metrics.bootstrap import (
    TOLERANCE,
    divide,
    interval,
    ratio,
)


def doublings(texts):
    """Length of answers in doublings of the number of words.

    Arguments
    ---------
    texts : list of str
        Answers.

    Returns
    -------
    list of float
        log2(1 + words).

    Example
    -------
    >>> doublings(["They are fishing.", ""])
    [2.0, 0.0]
    """
    return [float(np.log2(1 + len(text.split()))) for text in texts]


def within(values):
    """Take out the means of prompts and then of clips.

    Arguments
    ---------
    values : array [..., clips, prompts]
        NaN where there is no value.

    Returns
    -------
    array [..., clips, prompts]

    Example
    -------
    >>> within(np.array([[1.0, 2.0], [3.0, 5.0]])).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    with warnings.catch_warnings():
        # A clip without any verdict has no mean; it stays NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        values = values - np.nanmean(values, axis=-2, keepdims=True)
        values = values - np.nanmean(values, axis=-1, keepdims=True)
    # What is left of equal values by rounding is no difference.
    return np.where(np.abs(values) < TOLERANCE, 0.0, values)


def length_bias(ratings, lengths, counts):
    """Slope of the rating on the length, within clip.

    Arguments
    ---------
    ratings : array [systems, clips, prompts]
        Ratings as one judge gave them; NaN without a verdict.
    lengths : array [systems, clips, prompts]
        Of the answers, in doublings.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.

    Returns
    -------
    dict
        ``slope`` (rating points per doubling of the words; ``value``,
        ``ci95``), ``correlation`` within clip and ``n`` answers.
    """
    x = within(np.where(np.isnan(ratings), np.nan, lengths))
    y = within(np.where(np.isnan(lengths), np.nan, ratings))
    products = np.nansum(x * y, axis=(0, 2))
    squares = np.nansum(x * x, axis=(0, 2))
    slope = interval(ratio(products, squares), counts)
    spread = np.sqrt(squares.sum() * np.nansum(y * y))
    return {
        "slope": {"value": float(slope.value), "ci95": slope.ends.tolist()},
        "correlation": float(divide(products.sum(), spread)),
        "n": int((~np.isnan(x * y)).sum()),
    }
