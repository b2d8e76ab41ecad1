"""How long do all statistics of an evaluation take?

    python statistics_speed.py [--systems 4] [--judges 3] [--draws 10000]

Random verdicts on 80 clips and 8 prompts; everything that stands in
``scores.json``, from the verdict tables on. For comparison, scipy's bootstrap
(BCa) and permutation test of the same number of draws, for one score each;
``x all`` is what they would take for as many intervals and tests.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import time

import numpy as np
import pandas as pd
from scipy.stats import bootstrap, permutation_test

from speechbrain_jasco.judging.item import ORIENTATIONS
from speechbrain_jasco.scoring import Scoring, score

N_CLIPS, N_PROMPTS = 80, 8


def make_inputs(n_systems, n_judges, seed=0):
    """Draw answers and verdicts.

    Arguments
    ---------
    n_systems, n_judges : int
        How many.
    seed : int
        Of the generator.

    Returns
    -------
    (dict, dict)
        Predictions and verdicts, as ``scoring.score`` takes them.
    """
    rng = np.random.default_rng(seed)
    n = N_CLIPS * N_PROMPTS
    prompts = np.tile(np.arange(N_PROMPTS), N_CLIPS)
    places = pd.DataFrame(
        {
            "id": np.repeat([str(c) for c in range(N_CLIPS)], N_PROMPTS),
            "prompt_index": prompts,
        }
    )
    texts = ["audio_sound", "spoken_text", "target_keywords", "tgt_text"]
    systems, verdicts = {}, {}
    for s in range(n_systems):
        systems[f"system {s}"] = places.assign(
            prompt=[f"Prompt {p}?" for p in prompts],
            allm_output=["word " * k for k in rng.integers(1, 40, n)],
            **dict.fromkeys(texts, "x"),
        )
        for j in range(n_judges):
            verdicts[f"system {s}", f"judge {j}"] = places.assign(
                status="ok",
                rating=rng.integers(0, 3, n),
                orientation=rng.choice(ORIENTATIONS, n),
            )
    return systems, verdicts


def count_numbers(value):
    """Count intervals and p values in a piece of ``scores.json``.

    Arguments
    ---------
    value : dict, list or anything else
        The piece.

    Returns
    -------
    (int, int)
        Intervals and p values.

    Example
    -------
    >>> count_numbers({"ci95": {"mean": [0.1, 0.2], "both": [0, 1]}, "p": 0.5})
    (2, 1)
    """
    intervals = tests = 0
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith("ci95"):
                intervals += np.asarray(_flatten(item)).size // 2
            elif key == "p":
                tests += 1
            else:
                more = count_numbers(item)
                intervals, tests = intervals + more[0], tests + more[1]
    elif isinstance(value, list):
        for item in value:
            more = count_numbers(item)
            intervals, tests = intervals + more[0], tests + more[1]
    return intervals, tests


def _flatten(ends):
    """All numbers of nested dicts and lists (list)."""
    if isinstance(ends, dict):
        ends = list(ends.values())
    if isinstance(ends, list):
        return [number for item in ends for number in _flatten(item)]
    return [ends]


def time_of(function):
    """Run once on the clock.

    Arguments
    ---------
    function : callable
        Takes nothing.

    Returns
    -------
    (object, float, float)
        Its result, seconds of the processor and of the wall.
    """
    cpu, wall = time.process_time(), time.monotonic()
    result = function()
    return result, time.process_time() - cpu, time.monotonic() - wall


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=4)
    parser.add_argument("--judges", type=int, default=3)
    parser.add_argument("--draws", type=int, default=10000)
    options = parser.parse_args()
    systems, verdicts = make_inputs(options.systems, options.judges)
    ids = [str(c) for c in range(N_CLIPS)]
    pairs = [
        {"text": f"Prompt {p}?", "first": ("audio", "speech")[p % 2]}
        | {"pair": 1 + p // 2}
        for p in range(N_PROMPTS)
    ]
    scoring = Scoring(n_draws=options.draws, instructions=[pairs])
    found, cpu, wall = time_of(lambda: score(systems, verdicts, ids, scoring))
    intervals, tests = count_numbers(found)
    print(
        f"{options.systems} systems x {options.judges} judges x {N_CLIPS} clips "
        f"x {N_PROMPTS} prompts, {options.draws} draws:\n"
        f"scores.json  {cpu:6.2f} s processor, {wall:6.2f} s wall: "
        f"{intervals} intervals, {tests} tests"
    )
    rng = np.random.default_rng(1)
    one, two = rng.integers(0, 3, (2, N_CLIPS)).astype(float)
    for name, n, run in (
        (
            "scipy bootstrap",
            intervals,
            lambda: bootstrap((one,), np.mean, n_resamples=options.draws),
        ),
        (
            "scipy permutation_test",
            tests,
            lambda: permutation_test(
                (one, two),
                lambda a, b, axis: a.mean(axis) - b.mean(axis),
                permutation_type="samples",
                vectorized=True,
                n_resamples=options.draws,
            ),
        ),
    ):
        _, each, _ = time_of(run)
        print(f"{name:22} {each:6.3f} s for one, {each * n:7.1f} s x all")


if __name__ == "__main__":
    main()
