"""How much prompts and judges, the instruments, add to what is measured.

Order effect, variance and agreement of ``scores.json``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from itertools import combinations

import numpy as np

from speechbrain_jasco.metrics.agreement import (
    alphas,
    codings,
    judge_agreement,
)
from speechbrain_jasco.metrics.bootstrap import interval, widen
from speechbrain_jasco.metrics.comparison import holm, sign_flip_test
from speechbrain_jasco.metrics.cube import grid_of, make_cube
from speechbrain_jasco.metrics.length_bias import doublings, length_bias
from speechbrain_jasco.metrics.measures import TOP, by_judge, n_clips_of
from speechbrain_jasco.metrics.order_effect import (
    OUTCOMES,
    order_sums,
    swapped_pairs,
)
from speechbrain_jasco.metrics.variance import conclude, study


def order_effects(prompts, sample):
    """Test whether naming the sound first changes anything.

    Arguments
    ---------
    prompts : dict
        System -> list from ``order_effect.describe_prompts``.
    sample : Sample
        The verdicts.

    Returns
    -------
    list of dict
        ``system``, ``judge``, ``outcome``, ``difference`` (audio first minus
        speech first), ``ci95``, ``p``, ``p_holm`` (over the outcomes),
        ``separable`` and ``n_pairs``; nothing for a system whose prompts are
        not known to be pairs.
    """
    rows = []
    # The others are fractions of answers.
    tops = np.array(
        [[TOP if name in ("score", "rating") else 1.0] for name in OUTCOMES]
    )
    for s, system in enumerate(sample.cube.systems):
        pairs = swapped_pairs(prompts[system])
        if not pairs:
            continue
        sums = [part[:, s] for part in order_sums(sample.cube, pairs)]
        found = interval(by_judge(*sums, sample.n_judges), sample.counts)
        ends = widen(found, n_clips_of(sums[1], sample.n_judges), -tops, tops)
        p = sign_flip_test(*sums, sample.n_judges, sample.flips)
        adjusted = holm(p)
        rows += [
            {
                "system": system,
                "judge": judge,
                "outcome": outcome,
                "difference": float(found.value[o, r]),
                "ci95": ends[o, r].tolist(),
                "p": float(p[o, r]),
                "p_holm": float(adjusted[o, r]),
                "separable": bool(adjusted[o, r] <= sample.alpha),
                "n_pairs": len(pairs),
            }
            for r, judge in enumerate(sample.rows)
            for o, outcome in enumerate(OUTCOMES)
        ]
    return rows


def stack_repeats(cube, repeats):
    """Scores of every repeat of every judge.

    Arguments
    ---------
    cube : Cube
        Verdicts of the judges, repeats made one.
    repeats : dict
        (system, judge) -> list of tables, one per repeat.

    Returns
    -------
    array [systems, clips, prompts, judges, repeats]
        With as many repeats as every judge has; with one, of ``cube``.
    """
    n = min((len(tables) for tables in repeats.values()), default=1)
    cubes = [cube]
    if n > 1:
        n_prompts = cube.ratings.shape[-1]
        cubes = [
            make_cube(
                {key: tables[r] for key, tables in repeats.items()},
                cube.ids,
                n_prompts,
            ).of(cube.judges)
            for r in range(n)
        ]
    scores = np.stack([c.scores for c in cubes], axis=-1)
    return scores.transpose(0, 2, 3, 1, 4)


def variance_of(cube, repeats, prompts):
    """Variance components of every system and of their differences.

    Arguments
    ---------
    cube : Cube
        Verdicts of the judges (no panel).
    repeats : dict
        See ``stack_repeats``.
    prompts : dict
        System -> list from ``order_effect.describe_prompts``.

    Returns
    -------
    dict
        ``systems`` (name -> ``variance.study``) and ``difference``: the
        components of the difference of two systems, averaged over all pairs;
        None for one system, or where systems were asked different prompts.
    """
    scores = stack_repeats(cube, repeats)
    texts = [[p["text"] for p in prompts[name]] for name in cube.systems]
    shared = all(text == texts[0] for text in texts)
    return {
        "systems": {
            # Fewer prompts than other systems have: those are not missing.
            name: study(values[:, : len(text)])
            for name, values, text in zip(
                cube.systems, scores, texts, strict=True
            )
        },
        "difference": _difference(scores) if shared else None,
    }


def _difference(scores):
    """Study of the difference of two systems, averaged over pairs."""
    # The same clips for all pairs.
    gaps = np.isnan(scores).any(axis=(0, 2, 3, 4))
    scores = np.where(gaps[:, None, None, None], np.nan, scores)
    studies = [study(a - b) for a, b in combinations(scores, 2)]
    if not studies or studies[0] is None:
        return None
    mean = {
        name: float(np.mean([s["components"][name] for s in studies]))
        for name in studies[0]["components"]
    }
    n_complete = studies[0]["n_complete"]
    return {"n_complete": n_complete, **conclude(mean, scores.shape[1:])}


def agreement_of(sample, repeats, systems, predictions):
    """What judges have in common, and what each of them likes.

    Arguments
    ---------
    sample : Sample
        The verdicts.
    repeats : dict
        See ``stack_repeats``.
    systems : dict
        ``systems`` of ``scores.json``.
    predictions : dict
        System -> predictions, for the length of the answers.

    Returns
    -------
    dict
        ``alpha`` and ``pairs`` (``agreement.judge_agreement``; absent for one
        judge), ``repeats`` (judge -> alpha among its own repeats) and
        ``length_bias`` (judge -> ``all`` and ``systems``).
    """
    judges = sample.cube.judges[: sample.n_judges]
    cube = sample.cube.of(judges)
    found = {"alpha": None, "pairs": []}
    if len(judges) > 1:
        best = [
            [systems[name]["judges"][judge]["best_mean"] for judge in judges]
            for name in cube.systems
        ]
        found = judge_agreement(cube, np.array(best), sample.counts)
    found["repeats"] = {
        judge: _alpha_of_repeats(judge, cube, repeats, sample.counts)
        for judge in judges
        if all(len(repeats[name, judge]) > 1 for name in cube.systems)
    }
    lengths = answer_lengths(cube, predictions)
    found["length_bias"] = {
        judge: _length_bias(cube, j, lengths, sample.counts)
        for j, judge in enumerate(judges)
    }
    return found


def _alpha_of_repeats(judge, cube, repeats, counts):
    """A judge's agreement with itself."""
    tables = {
        (name, str(r)): table
        for name in cube.systems
        for r, table in enumerate(repeats[name, judge])
    }
    return alphas(codings(make_cube(tables, cube.ids)), counts)


def answer_lengths(cube, predictions):
    """Lengths of all answers.

    Arguments
    ---------
    cube : Cube
        The verdicts.
    predictions : dict
        System -> table with ``id``, ``prompt_index`` and ``allm_output``.

    Returns
    -------
    array [systems, clips, prompts]
        In doublings of the words; NaN where there is no row.
    """
    n_prompts = cube.ratings.shape[-1]
    return np.stack(
        [
            grid_of(
                predictions[name].assign(
                    length=doublings(predictions[name]["allm_output"])
                ),
                "length",
                cube.ids,
                n_prompts,
            )
            for name in cube.systems
        ]
    )


def _length_bias(cube, judge, lengths, counts):
    """Length bias of one judge, over all systems and on each."""
    ratings = cube.ratings[:, judge]
    return {
        "all": length_bias(ratings, lengths, counts),
        "systems": {
            name: length_bias(ratings[s : s + 1], lengths[s : s + 1], counts)
            for s, name in enumerate(cube.systems)
        },
    }
