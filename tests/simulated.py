"""Simulated verdicts with ties and a gate, for the tests of statistics.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.judging.item import ORIENTATIONS
from speechbrain_jasco.metrics.cube import Cube


def simulate(rng, n_systems, n_clips=80, n_judges=2, ability=0.0, **planted):
    """Draw verdicts on 8 prompts; many systems are as many replications.

    A clip is easier or harder for all systems, prompts and judges; the second
    judge is stricter. ``planted``: ``order`` is added to what prompts 0, 2, 4
    and 6 (audio first) get, ``missing`` is the rate of failed verdicts.
    """
    shape = (n_systems, n_judges, n_clips, 8)
    latent = rng.normal(size=shape)
    # Without a system of its own a clip's part could not be shared by pairs.
    latent += rng.normal(size=(n_systems, 1, n_clips, 1))
    latent -= 0.5 * np.arange(n_judges)[:, None, None]
    latent += ability
    latent[..., ::2] += planted.get("order", 0.0)
    ratings = (latent > 0).astype(float) + (latent > 1)
    names = list(ORIENTATIONS)
    weights = {"audio": 0.15, "speech": 0.2, "both": 0.55, "neither": 0.1}
    orientations = rng.choice(
        len(names), size=shape, p=[weights[name] for name in names]
    )
    # Good answers rest on both more often.
    orientations[(latent > 1) & (rng.random(shape) < 0.7)] = names.index("both")
    missing = rng.random(shape) < planted.get("missing", 0.0)
    ratings[missing], orientations[missing] = np.nan, -1
    return Cube(
        [str(i) for i in range(n_systems)],
        [f"judge {j}" for j in range(n_judges)],
        [str(i) for i in range(n_clips)],
        ratings,
        orientations,
    )
