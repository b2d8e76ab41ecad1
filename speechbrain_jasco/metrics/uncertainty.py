"""Intervals and comparisons of ``scores.json``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from speechbrain_jasco.metrics.bootstrap import interval, widen
from speechbrain_jasco.metrics.comparison import (
    Flips,
    detectable,
    exchange_test,
    holm,
    letters,
)
from speechbrain_jasco.metrics.cube import Cube
from speechbrain_jasco.metrics.measures import (
    COMPARED,
    TOP,
    by_judge,
    clip_sums,
    n_clips_of,
)
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import AVERAGE, by_row, value_of


class Sample(NamedTuple):
    """Verdicts and the resamples of their clips.

    Arguments
    ---------
    cube : Cube
        Verdicts of the judges and, after them, of the panel if there is one.
    n_judges : int
        How many of ``cube.judges`` are judges.
    counts : array [draws, clips]
        From ``bootstrap.resample_counts``.
    flips : Flips
        From ``comparison.draw_flips``.
    alpha : float
        Level of the tests.
    """

    cube: Cube
    n_judges: int
    counts: np.ndarray
    flips: Flips
    alpha: float

    @property
    def rows(self):
        """Whose scores there are: judges, panel, average (list of str)."""
        return [*self.cube.judges, AVERAGE]


def add_intervals(systems, sample):
    """Add ``ci95``, ungated curves and scores per prompt to every entry.

    Arguments
    ---------
    systems : dict
        ``systems`` of ``scores.json``; changed in place.
    sample : Sample
        The verdicts.
    """
    sums = clip_sums(sample.cube)
    names = list(sums)
    numerators, denominators = (
        np.stack([sums[name][part] for name in names]) for part in (0, 1)
    )
    tops = np.array([1.0 if _is_share(name) else TOP for name in names])
    for s, system in enumerate(sample.cube.systems):
        part = numerators[:, s], denominators[:, s]
        found = interval(by_judge(*part, sample.n_judges), sample.counts)
        ends = widen(
            found, n_clips_of(part[1], sample.n_judges), 0, tops[:, None]
        )
        entries = by_row(systems[system])
        n_prompts = len(entries[sample.rows[0]]["best_of_k"])
        for r, row in enumerate(sample.rows):
            values = dict(zip(names, found.value[:, r].tolist(), strict=True))
            ends_of = dict(zip(names, ends[:, r].tolist(), strict=True))
            _fill(entries[row], values, ends_of, n_prompts)


def _is_share(name):
    """Whether a score is a share, of all prompts or of one (bool)."""
    return name.split("@")[0] in SHARES


def _fill(entry, values, ends, n_prompts):
    """Write one entry of ``scores.json``."""
    plain = [*COMPARED, "best_mean_ungated", "mean_ungated"]
    entry["ci95"] = {name: ends[name] for name in plain}
    for suffix in ("", "_ungated"):
        curve = [f"best_of_{k}{suffix}" for k in range(1, n_prompts + 1)]
        entry.setdefault(f"best_of_k{suffix}", [values[k] for k in curve])
        entry["ci95"][f"best_of_k{suffix}"] = [ends[k] for k in curve]
        # The average of the judges comes without.
        for name in (f"best_mean{suffix}", f"mean{suffix}"):
            entry.setdefault(name, values[name])
    entry["prompts"] = [
        {
            "index": p,
            **{name: values[f"{name}@{p}"] for name in ("mean", "both")},
            "ci95": {name: ends[f"{name}@{p}"] for name in ("mean", "both")},
        }
        for p in range(n_prompts)
    ]


def compare_systems(systems, sample):
    """Compare every two systems, and mark those that cannot be told apart.

    Arguments
    ---------
    systems : dict
        ``systems`` of ``scores.json``; every entry gets ``letters``.
    sample : Sample
        The verdicts.

    Returns
    -------
    list of dict
        ``comparisons`` of ``scores.json``, empty for one system: ``systems``
        [A, B], ``judge``, ``measure``, ``difference`` (A - B), ``ci95``,
        ``p``, ``p_holm`` (over all pairs of systems), ``separable`` and
        ``detectable``.
    """
    sums = clip_sums(sample.cube)
    parts = [
        tuple(
            np.stack([sums[name][part][s] for name in COMPARED])
            for part in (0, 1)
        )
        for s in range(len(sample.cube.systems))
    ]
    pairs = list(combinations(range(len(parts)), 2))
    if not pairs:
        return []
    found = [_difference(parts[i], parts[j], sample) for i, j in pairs]
    p = np.stack(
        [
            exchange_test(parts[i], parts[j], sample.n_judges, sample.flips)
            for i, j in pairs
        ]
    )
    adjusted = holm(p)
    _add_letters(systems, sample, pairs, adjusted)
    names = sample.cube.systems
    return [
        {
            "systems": [names[i], names[j]],
            "judge": row,
            "measure": measure,
            "difference": float(here.value[m, r]),
            "ci95": here.ends[m, r].tolist(),
            "p": float(p[n, m, r]),
            "p_holm": float(adjusted[n, m, r]),
            "separable": bool(adjusted[n, m, r] <= sample.alpha),
            "detectable": float(detectable(here.error[m, r], sample.alpha)),
        }
        for m, measure in enumerate(COMPARED)
        for r, row in enumerate(sample.rows)
        for n, ((i, j), here) in enumerate(zip(pairs, found, strict=True))
    ]


def _difference(first, second, sample):
    """Interval of the difference of two systems."""
    ours = by_judge(*first, sample.n_judges)
    theirs = by_judge(*second, sample.n_judges)
    found = interval(lambda w: ours(w) - theirs(w), sample.counts)
    tops = np.array([[1.0 if name in SHARES else TOP] for name in COMPARED])
    n_clips = np.minimum(
        n_clips_of(first[1], sample.n_judges),
        n_clips_of(second[1], sample.n_judges),
    )
    return found._replace(ends=widen(found, n_clips, -tops, tops))


def _add_letters(systems, sample, pairs, adjusted):
    """Write which systems share a letter, by measure."""
    names = sample.cube.systems
    for m, measure in enumerate(COMPARED):
        for r, row in enumerate(sample.rows):
            entries = [by_row(systems[name])[row] for name in names]
            separable = np.zeros((len(names), len(names)), dtype=bool)
            for (i, j), p in zip(pairs, adjusted[:, m, r], strict=True):
                separable[i, j] = separable[j, i] = p <= sample.alpha
            values = [value_of(entry, measure) for entry in entries]
            for entry, letter in zip(
                entries, letters(values, separable), strict=True
            ):
                entry.setdefault("letters", {})[measure] = letter
