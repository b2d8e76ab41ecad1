"""What people say of a sample of the answers, beside the judges.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pandas as pd

from speechbrain_jasco.metrics.agreement import alphas, codings, pair_agreement
from speechbrain_jasco.metrics.cube import Cube, make_cube
from speechbrain_jasco.metrics.human import corrected
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import AVERAGE

PEOPLE = "people"


def compare_with_people(ratings, sample, aggregation):
    """Agreement of people and judges, and scores corrected by people.

    Arguments
    ---------
    ratings : pandas.DataFrame
        ``system``, ``id``, ``prompt_index``, ``rater``, ``rating`` and
        ``orientation``.
    sample : Sample
        The verdicts of the judges.
    aggregation : Aggregation
        How several raters become one verdict.

    Returns
    -------
    dict
        ``human`` of ``scores.json``: ``raters``, ``n_answers``, ``n_clips``,
        ``raters_alpha`` (None for one rater), ``agreement`` (judge or panel ->
        ``agreement.pair_agreement``, people in rows) and ``systems`` (system
        -> ``people`` (of the sample alone), judges, panel and average ->
        ``human.corrected``).
    """
    by_rater = rater_cube(ratings, sample.cube)
    people = _together(ratings, sample.cube, aggregation)
    both = Cube(
        sample.cube.systems,
        [PEOPLE, *sample.cube.judges],
        sample.cube.ids,
        np.concatenate([people.ratings, sample.cube.ratings], axis=1),
        np.concatenate([people.orientations, sample.cube.orientations], axis=1),
    )
    coded = codings(both)
    several = len(by_rater.judges) > 1
    return {
        "raters": by_rater.judges,
        "n_answers": int((~np.isnan(people.ratings)).sum()),
        "n_clips": int((~np.isnan(people.ratings)).any(axis=(0, 1, 3)).sum()),
        "raters_alpha": alphas(codings(by_rater), sample.counts)
        if several
        else None,
        "agreement": {
            judge: pair_agreement(coded, 0, 1 + j, sample.counts)
            for j, judge in enumerate(sample.cube.judges)
        },
        "systems": {
            system: _corrected(s, people, sample)
            for s, system in enumerate(sample.cube.systems)
        },
    }


def rater_cube(ratings, cube):
    """Arrange ratings by rater.

    Arguments
    ---------
    ratings : pandas.DataFrame
        See ``compare_with_people``.
    cube : Cube
        Of the judges, for systems and clips.

    Returns
    -------
    Cube
        Its judges are the raters.
    """
    ratings = ratings.assign(status="ok")
    tables = {
        (system, rater): ratings[
            (ratings["system"] == system) & (ratings["rater"] == rater)
        ]
        for system in cube.systems
        for rater in dict.fromkeys(ratings["rater"])
    }
    return make_cube(tables, cube.ids, cube.ratings.shape[-1])


def _together(ratings, cube, aggregation):
    """One verdict of all raters (Cube with one judge)."""
    rows = []
    places = ["system", "id", "prompt_index"]
    for place, part in ratings.groupby(places, sort=False):
        votes = zip(part["rating"], part["orientation"], strict=True)
        rows.append((*place, PEOPLE, *aggregation.vote(list(votes))))
    columns = [*places, "rater", "rating", "orientation"]
    return rater_cube(pd.DataFrame(rows, columns=columns), cube)


def _corrected(s, people, sample):
    """Corrected scores of one system, by what judges it rests on (dict)."""
    theirs = {name: values[s, 0] for name, values in _values(people).items()}
    by_row = _values(sample.cube)
    judge_of = {
        judge: {name: values[s, j] for name, values in by_row.items()}
        for j, judge in enumerate(sample.cube.judges)
    }
    judge_of[AVERAGE] = {
        # NaN where a judge has no verdict, as in the scores.
        name: values[s, : sample.n_judges].mean(axis=0)
        for name, values in by_row.items()
    }
    # People alone are the case in which no judge is listened to.
    alone = corrected(theirs, theirs, sample.counts, power=0)
    return {PEOPLE: alone} | {
        row: corrected(judge, theirs, sample.counts)
        for row, judge in judge_of.items()
    }


def _values(cube):
    """Score and orientations of all answers as numbers (dict)."""
    return {"score": cube.scores} | {o: cube.says(o) for o in SHARES}
