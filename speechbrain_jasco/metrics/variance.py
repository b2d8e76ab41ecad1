"""Where the noise of a mean score comes from, and what would lessen it.

A score is taken as a sum of independent random effects: of the clip, the
prompt, the judge, and of each combination of them (Cronbach's generalisability
theory; R. L. Brennan, Generalizability Theory, Springer 2001, chapters 3 and
4). Their variances follow from the mean squares of a crossed design: with
n_f levels of facet f,

    E[MS(A)] = sum over B that contain A of  var(B) * product of n_f, f not in B

solved from the largest combination down. Repeats are nested in everything.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import combinations

import numpy as np

FACETS = ("clip", "prompt", "judge")
REPEAT = "repeat"
RESIDUAL = "residual"
SEPARATOR = " x "


def components(values, facets=FACETS):
    """Estimate the variance of every effect.

    Arguments
    ---------
    values : array [*facets, repeats]
        A complete design; the last axis may have length 1.
    facets : tuple of str
        Names of the axes; those with one level have no effect to estimate.

    Returns
    -------
    dict
        Effect (such as "clip x prompt") -> variance. The largest combination
        is the ``residual`` where there are no repeats to tell them apart.
        Estimates are unbiased, so those of small effects can be below 0.

    Example
    -------
    >>> values = np.array([[[0.0], [1.0]], [[2.0], [3.0]]])  # clip, prompt
    >>> components(values, ("clip", "prompt"))
    {'clip': 2.0, 'prompt': 0.5, 'residual': 0.0}
    """
    kept = [f for f, n in zip(facets, values.shape, strict=False) if n > 1]
    sizes = {f: n for f, n in zip(facets, values.shape, strict=False) if n > 1}
    n_repeats = values.shape[-1]
    values = values.reshape(*sizes.values(), n_repeats)
    cells = values.mean(axis=-1)
    found = {}
    if n_repeats > 1:
        found[REPEAT] = float(values.var(axis=-1, ddof=1).mean())
    for size in range(len(kept), 0, -1):
        for effect in combinations(kept, size):
            larger = sum(
                variance * _replication(name, sizes, n_repeats)
                for name, variance in found.items()
                if name == REPEAT or set(effect) < set(name.split(SEPARATOR))
            )
            name = SEPARATOR.join(effect)
            square = _mean_square(cells, kept, effect) * n_repeats
            here = _replication(name, sizes, n_repeats)
            found[name] = float((square - larger) / here)
    # Smallest combinations first; without repeats the largest is the rest.
    found = dict(sorted(found.items(), key=lambda e: _order(e[0], kept)))
    if n_repeats == 1:
        found[RESIDUAL] = found.pop(SEPARATOR.join(kept))
    return found


def _order(name, facets):
    """Sort effects by size, then in the order of the facets."""
    if name == REPEAT:
        return (len(facets) + 1, [])
    effect = name.split(SEPARATOR)
    return (len(effect), [facets.index(facet) for facet in effect])


def _replication(name, sizes, n_repeats):
    """How many values share one level of an effect."""
    if name == REPEAT:
        return 1
    others = [n for f, n in sizes.items() if f not in name.split(SEPARATOR)]
    return n_repeats * int(np.prod(others, dtype=int))


def _mean_square(cells, facets, effect):
    """Mean square of one effect, of a table of cell means."""
    deviation = np.zeros_like(cells)
    for size in range(len(effect) + 1):
        for part in combinations(effect, size):
            rest = tuple(i for i, f in enumerate(facets) if f not in part)
            sign = (-1) ** (len(effect) - size)
            deviation = deviation + sign * cells.mean(axis=rest, keepdims=True)
    freedom = np.prod([cells.shape[facets.index(f)] - 1 for f in effect])
    return (deviation**2).sum() / freedom


def error_of_mean(variances, sizes):
    """Standard error of the mean over so many levels of each facet.

    Clips, prompts, judges and repeats are all taken as samples of those that
    one could have had, unlike in the intervals of the scores, which speak of
    these prompts and judges.

    Arguments
    ---------
    variances : dict
        From ``components``; what is below 0 is taken for 0.
    sizes : dict
        Facet (and ``repeat``) -> number of levels.

    Returns
    -------
    float

    Example
    -------
    >>> error_of_mean({"clip": 0.8, "residual": 0.2}, {"clip": 10})
    0.31622776601683794
    """
    everything = SEPARATOR.join(f for f in sizes if f != REPEAT)
    total = 0.0
    for name, variance in variances.items():
        shares = name in (REPEAT, RESIDUAL)
        effect = (everything if shares else name).split(SEPARATOR)
        if name == REPEAT:
            effect.append(REPEAT)
        n = np.prod([float(sizes.get(facet, 1)) for facet in effect])
        total += max(variance, 0.0) / n
    return float(np.sqrt(total))


def what_to_buy(variances, sizes):
    """Compare what twice as many of each facet would do to the error.

    Arguments
    ---------
    variances : dict
        From ``components``.
    sizes : dict
        Facet -> number of levels now.

    Returns
    -------
    list of dict
        ``facet``, ``n`` (now), ``doubled`` and ``unlimited`` (standard errors
        with twice as many, and with all there could be); the best buy first.

    Example
    -------
    >>> bought = what_to_buy({"clip": 0.1, "prompt": 0.8, "residual": 0.0},
    ...     {"clip": 80, "prompt": 8})
    >>> [(row["facet"], round(row["doubled"], 3)) for row in bought]
    [('prompt', 0.226), ('clip', 0.317)]
    """
    rows = [
        {
            "facet": facet,
            "n": n,
            "doubled": error_of_mean(variances, {**sizes, facet: 2 * n}),
            "unlimited": error_of_mean(variances, {**sizes, facet: np.inf}),
        }
        for facet, n in sizes.items()
    ]
    return sorted(rows, key=lambda row: row["doubled"])


def study(values):
    """Variance components of one score and what to buy next.

    Arguments
    ---------
    values : array [clips, prompts, judges, repeats]
        Ratings that count (or their difference between two systems). The
        formulas need a complete design: the components are those of the
        clips without a NaN.

    Returns
    -------
    dict
        ``n`` (facet -> levels; all clips), ``n_complete`` (clips used),
        ``components``, ``error`` and ``buy``; None if fewer than two clips
        are complete.
    """
    complete = ~np.isnan(values).any(axis=(1, 2, 3))
    n_complete = int(complete.sum())
    if n_complete < 2:
        return None
    found = components(values[complete])
    return {"n_complete": n_complete, **conclude(found, values.shape)}


def conclude(variances, shape):
    """Error of the mean of such a design, and what to buy next.

    Arguments
    ---------
    variances : dict
        From ``components``.
    shape : tuple of int
        Clips, prompts, judges, repeats.

    Returns
    -------
    dict
        ``n``, ``components``, ``error`` and ``buy``.
    """
    # Prompts and judges that are there once could be bought just as well,
    # but one level says nothing of how much they vary.
    names = (*FACETS, REPEAT)
    sizes = {f: n for f, n in zip(names, shape, strict=True) if n > 1}
    return {
        "n": sizes,
        "components": variances,
        "error": error_of_mean(variances, sizes),
        "buy": what_to_buy(variances, sizes),
    }
