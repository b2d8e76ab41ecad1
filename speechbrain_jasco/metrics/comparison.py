"""Are two systems different? Paired tests on the same clips.

If they were alike, a clip's answers could as well be the other system's. So
the null distribution of a difference comes from exchanging the two systems'
verdicts clip by clip, all of a clip's prompts and judges together.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from speechbrain_jasco.metrics.bootstrap import TOLERANCE, divide
from speechbrain_jasco.metrics.measures import with_average

POWER = 0.8


class Flips(NamedTuple):
    """Which clips are exchanged, in each of D permutations.

    Arguments
    ---------
    exchanged : array [D, clips]
        0 or 1.
    exact : bool
        Whether these are all 2^clips permutations rather than a sample.
    """

    exchanged: np.ndarray
    exact: bool


def draw_flips(n_clips, n_draws, seed=1234):
    """All permutations where they are few enough, else a sample.

    Arguments
    ---------
    n_clips : int
        Number of clips.
    n_draws : int
        Number of permutations at most.
    seed : int
        Of the generator.

    Returns
    -------
    Flips

    Example
    -------
    >>> draw_flips(2, 10).exchanged.tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> draw_flips(80, 10).exchanged.shape, draw_flips(80, 10).exact
    ((10, 80), False)
    """
    if n_clips < 32 and 2**n_clips <= n_draws:
        numbers = np.arange(2**n_clips)[:, None]
        bits = (numbers >> np.arange(n_clips)) & 1
        return Flips(bits.astype(float), True)
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (n_draws, n_clips), dtype=np.int8)
    return Flips(bits.astype(float), False)


def p_values(observed, permuted, exact):
    """Two-sided p values.

    Arguments
    ---------
    observed : array [...]
        The difference of the data.
    permuted : array [..., D]
        Differences of the permutations.
    exact : bool
        Of a sample, the data's own permutation is counted as one more, so
        that no p is 0 (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9
        (2010) 39).

    Returns
    -------
    array [...]
        NaN where there is no difference to speak of.

    Example
    -------
    >>> float(p_values(np.array(2.0), np.array([2.0, 0, 0, -2]), exact=True))
    0.5
    """
    extreme = np.abs(permuted) >= np.abs(observed)[..., None] - TOLERANCE
    n_extreme, n = extreme.sum(axis=-1), extreme.shape[-1]
    p = n_extreme / n if exact else (1 + n_extreme) / (1 + n)
    return np.where(np.isnan(observed), np.nan, p)


def exchange_test(first, second, n_judges, flips):
    """Test the difference of two systems by each judge and their average.

    Arguments
    ---------
    first, second : (array, array)
        Numerators and denominators [..., judges, clips] of the two systems.
    n_judges : int
        See ``measures.with_average``.
    flips : Flips
        Permutations of the clips.

    Returns
    -------
    array [..., judges + 1]
        p values.

    Example
    -------
    >>> one, two = np.ones((1, 5)), np.zeros((1, 5))
    >>> p = exchange_test((one, one), (two, one), 1, draw_flips(5, 99))
    >>> p.tolist()  # two of 32 permutations are as extreme
    [0.0625, 0.0625]
    """
    totals = [
        [part.sum(axis=-1)[..., None] for part in of] for of in (first, second)
    ]

    def difference(exchanged):
        # What a clip's exchange takes from the one and gives to the other.
        moved = [
            (b - a) @ exchanged.T for a, b in zip(first, second, strict=True)
        ]
        ours, theirs = (
            with_average(
                divide(top + sign * moved[0], bottom + sign * moved[1]),
                n_judges,
            )
            for sign, (top, bottom) in zip((1, -1), totals, strict=True)
        )
        return ours - theirs

    return _test(difference, flips)


def sign_flip_test(numerators, denominators, n_judges, flips):
    """Test whether a paired difference is 0, by flipping its sign per clip.

    Arguments
    ---------
    numerators, denominators : array [..., judges, clips]
        Sums of a clip's differences, and how many there are.
    n_judges : int
        See ``measures.with_average``.
    flips : Flips
        Permutations of the clips.

    Returns
    -------
    array [..., judges + 1]
        p values.
    """
    totals = denominators.sum(axis=-1)[..., None]

    def difference(exchanged):
        signed = numerators @ (1 - 2 * exchanged).T
        return with_average(divide(signed, totals), n_judges)

    return _test(difference, flips)


def _test(difference, flips):
    """P values of a difference as a function of what is exchanged (array)."""
    nothing = np.zeros((1, flips.exchanged.shape[1]))
    observed = difference(nothing)[..., 0]
    return p_values(observed, difference(flips.exchanged), flips.exact)


def holm(p):
    """Adjust p values of one family (Holm, Scand. J. Stat. 6 (1979) 65).

    Arguments
    ---------
    p : array [tests, ...]
        p values; families along the other axes. NaN are no tests.

    Returns
    -------
    array [tests, ...]

    Example
    -------
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, axis=0)  # NaN sort to the end
    ordered = np.take_along_axis(p, order, axis=0)
    n_tests = (~np.isnan(p)).sum(axis=0)
    left = n_tests - np.arange(len(p)).reshape(-1, *[1] * (p.ndim - 1))
    stepped = np.maximum.accumulate(ordered * left, axis=0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(stepped, 1), axis=0)
    return adjusted


def detectable(error, alpha=0.05):
    """Smallest true difference that such data show in 4 of 5 repetitions.

    (z(1 - alpha / 2) + z(power)) times the standard error, at a power of 80 %
    and one planned comparison (E. Miller, arXiv 2411.00640, section 5).

    Arguments
    ---------
    error : array
        Standard error of the difference.
    alpha : float
        Level of the test.

    Returns
    -------
    array

    Example
    -------
    >>> round(float(detectable(0.85 / 80**0.5)), 2)
    0.27
    """
    return (ndtri(1 - alpha / 2) + ndtri(POWER)) * error


def letters(values, separable):
    """Mark systems that cannot be told apart by a common letter.

    Compact letter display by insertion and absorption (Piepho, J. Comput.
    Graph. Stat. 13 (2004) 456): two systems share a letter if and only if
    they are not separable.

    Arguments
    ---------
    values : array [systems]
        The best gets the first letter.
    separable : array of bool [systems, systems]
        Symmetric.

    Returns
    -------
    list of str

    Example
    -------
    >>> apart = np.zeros((3, 3), bool)
    >>> apart[0, 2] = apart[2, 0] = True
    >>> letters([0.1, 0.2, 0.3], apart)
    ['b', 'ab', 'a']
    """
    n = len(values)
    order = np.argsort(-np.asarray(values, dtype=float), kind="stable")
    groups = [frozenset(range(n))]
    for i, j in zip(*np.nonzero(np.triu(separable)), strict=True):
        split = [
            part
            for group in groups
            for part in (
                [group - {i}, group - {j}] if {i, j} <= group else [group]
            )
        ]
        groups = [
            g for g in set(split) if not any(g < other for other in split)
        ]
    rank = {system: place for place, system in enumerate(order.tolist())}
    groups.sort(key=lambda group: sorted(rank[system] for system in group))
    return [
        "".join(_letter(i) for i, group in enumerate(groups) if system in group)
        for system in range(n)
    ]


def _letter(i):
    """a .. z, then a1 .. z1 and so on."""
    return chr(ord("a") + i % 26) + (str(i // 26) if i >= 26 else "")
