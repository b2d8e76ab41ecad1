"""Formulas of docs/metrics.md, written down once more and plainly.

Authors
 * The speechbrain_jasco developers, 2026
"""

from functools import reduce
from itertools import combinations, product

import numpy as np

SHARES = ["audio", "both", "speech"]
FACETS = ["clip", "prompt", "judge", "repeat"]


def of_clips(measure, values):
    """A measure of each clip's values; NaN for a clip without any."""
    rows = [row[~np.isnan(row)] for row in values]
    return np.array([measure(row) if len(row) else np.nan for row in rows])


def best_of(k):
    """Mean of the best of all choices of k values."""

    def measure(row):
        chosen = combinations(row, min(k, len(row)))
        return np.mean([max(choice) for choice in chosen])

    return measure


def mean_of(values):
    """A mean over clips that have a value."""
    return lambda picked: np.nanmean(values[picked])


def share_of(says, name):
    """A share of all answers with one of the three orientations."""
    named = (says == name).sum(axis=1)
    led = np.isin(says, SHARES).sum(axis=1)
    return lambda picked: named[picked].sum() / led[picked].sum()


def exchanges(n_clips, n_draws, seed):
    """Which clips are exchanged: first none, then each way or a sample."""
    if n_clips < 32 and 2**n_clips <= n_draws:
        return np.array(list(product([0, 1], repeat=n_clips)))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 2, (n_draws, n_clips), dtype=np.int8)
    return np.concatenate([np.zeros((1, n_clips), int), drawn])


def two_sided(differences):
    """The data's own permutation, the first, counts as one of all."""
    return (np.abs(differences) >= abs(differences[0]) - 1e-9).mean()


def sign_flip(gaps, exchanged):
    """P of a mean difference, by judge [clips, pairs], then averaged."""
    values = [
        (1 - 2 * exchanged) @ np.nansum(gap, axis=1) / (~np.isnan(gap)).sum()
        for gap in gaps
    ]
    return two_sided(np.mean(values, axis=0))


def with_holm(family, alpha=0.05):
    """Add Holm's p: the smallest times m, the next times m - 1, ..."""
    last = 0.0
    for rank, row in enumerate(sorted(family, key=lambda row: row["p"])):
        last = max(last, min(1.0, (len(family) - rank) * row["p"]))
        row |= {"p_holm": last, "separable": last <= alpha}
    return family


def components(values):
    """Variances by moments: E[y' Q y] is a sum of variance times tr(Q Z Z').

    ``values`` is [clips, prompts, judges, repeats], complete; Q projects on
    an effect, Z says which values share a level of it. A facet with one level
    has no effect; without repeats, the largest effect is the residual.
    """
    facets = [
        f for f, n in zip(FACETS[:3], values.shape, strict=False) if n > 1
    ]
    repeats = values.shape[3] > 1
    names = [
        " x ".join(effect)
        for size in range(1, len(facets) + 1)
        for effect in combinations(facets, size)
    ] + ["repeat"] * repeats
    y = values.ravel()

    def kron(pick):
        parts = [pick(f, n) for f, n in zip(FACETS, values.shape, strict=True)]
        return reduce(np.kron, parts)

    def projection(name):
        def pick(facet, n):
            mean = np.full((n, n), 1 / n)
            return np.eye(n) - mean if facet in name.split(" x ") else mean

        if name == "repeat":  # within cells
            return np.eye(y.size) - kron(
                lambda f, n: np.full((n, n), 1 / n) if f == name else np.eye(n)
            )
        return kron(pick)

    def sharing(name):
        if name == "repeat":
            return np.eye(y.size)
        return kron(
            lambda f, n: np.eye(n)
            if f in name.split(" x ")
            else np.ones((n, n))
        )

    squares = [projection(name) for name in names]
    expected = [[(q * sharing(name)).sum() for name in names] for q in squares]
    found = np.linalg.solve(expected, [y @ q @ y for q in squares])
    titles = names if repeats else [*names[:-1], "residual"]
    return dict(zip(titles, found.tolist(), strict=True))


def purchase(variances, sizes, n_complete):
    """Error of the mean, and with more of each facet."""
    sizes = {facet: n for facet, n in sizes.items() if n > 1}
    cell = [facet for facet in sizes if facet != "repeat"]
    of = {"repeat": [*cell, "repeat"], "residual": cell}

    def error(sizes):
        return np.sqrt(
            sum(
                max(variance, 0)
                / np.prod(
                    [float(sizes[f]) for f in of.get(name) or name.split(" x ")]
                )
                for name, variance in variances.items()
            )
        )

    buy = [
        {
            "facet": facet,
            "n": n,
            "doubled": error(sizes | {facet: 2 * n}),
            "unlimited": error(sizes | {facet: np.inf}),
        }
        for facet, n in sizes.items()
    ]
    return {
        "n": sizes,
        "n_complete": n_complete,
        "components": variances,
        "error": error(sizes),
        "buy": sorted(buy, key=lambda row: row["doubled"]),
    }
