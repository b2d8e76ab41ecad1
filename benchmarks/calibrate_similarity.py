"""Fit the similarity judge's weights and measure it on held-out clips.

    python benchmarks/calibrate_similarity.py [--embedder starter:minilm-l6-v2]

Data: ``tests/samples/authored_answers.csv``, answers of known verdict to clips
of our own. The weights are fitted on the triples of split ``fit`` (conditional
logit, ridge chosen by cross-validation over triples); split ``held`` is only
measured, with the judge as it stands in the code and beside it the plain rule
"whichever of the three known answers is nearest to the whole answer".

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder
from speechbrain_jasco.judging.item import ORIENTATIONS, JudgeItem
from speechbrain_jasco.judging.similarity import WEIGHTS, SimilarityJudge

ANSWERS = Path(__file__).parents[1] / "tests/samples/authored_answers.csv"
RIDGES = (1.0, 0.3, 0.1, 0.03)  # of equally good ones the strongest
N_FOLDS = 8
NAMES = list(WEIGHTS)
# A ridge pulls slopes to 0; where constants belong, the data alone say.
PENALTY = np.array([name not in ("both", "no_action") for name in NAMES])


def read_answers():
    """Read the authored answers.

    Returns
    -------
    pandas.DataFrame
        With columns ``item`` (JudgeItem), ``ratings`` (set of int) and
        ``orientations`` (set of str) added.
    """
    table = pd.read_csv(ANSWERS, keep_default_na=False)
    given = table.drop(columns=["split", "kind", "ratings", "orientation"])
    table["item"] = [
        JudgeItem(
            system="authored",
            prompt_index=0,
            question="What are they doing?",
            **row,
        )
        for row in given.to_dict("records")
    ]
    table["ratings"] = [
        {int(rating) for rating in str(cell).split("|")}
        for cell in table["ratings"]
    ]
    table["orientations"] = [
        set(cell.split("|")) for cell in table["orientation"]
    ]
    return table


def design(evidence):
    """Lay one answer's evidence out as numbers.

    Arguments
    ---------
    evidence : list of dict
        As measured by the judge, one per answer.

    Returns
    -------
    tuple of numpy.ndarray
        Numbers [B, 4, n_weights] and which orientations are open [B, 4].
    """
    x = np.zeros((len(evidence), len(ORIENTATIONS), len(NAMES)))
    is_open = np.zeros(x.shape[:2], bool)
    for b, parts in enumerate(evidence):
        for orientation, numbers in parts.items():
            o = ORIENTATIONS.index(orientation)
            is_open[b, o] = True
            for name, number in numbers.items():
                x[b, o, NAMES.index(name)] = number
    return x, is_open


def fit(x, is_open, is_right, ridge):
    """Maximise the probability of the acceptable orientations.

    Arguments
    ---------
    x : numpy.ndarray [B, 4, n_weights]
        Evidence; beyond ``NAMES`` there may be further numbers.
    is_open : numpy.ndarray [B, 4]
        Which orientations the judge may choose.
    is_right : numpy.ndarray [B, 4]
        Which orientations are acceptable.
    ridge : float
        Penalty on the squared weights, constants excepted.

    Returns
    -------
    numpy.ndarray [n_weights]
    """
    penalty = np.ones(x.shape[2])
    penalty[: len(PENALTY)] = PENALTY
    is_right = is_right & is_open
    usable = is_right.any(1)
    x, is_open, is_right = x[usable], is_open[usable], is_right[usable]

    def loss(weights):
        sums = np.where(is_open, x @ weights, -np.inf)
        p = np.exp(sums - sums.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        right = (p * is_right).sum(1)
        slope = p - p * is_right / right[:, None]
        shrunk = ridge * penalty * weights
        gradient = np.einsum("bo,bow->w", slope, x) + 2 * shrunk
        return -np.log(right).sum() + shrunk @ weights, gradient

    start = np.zeros(x.shape[2])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x


def choose(x, is_open, weights):
    """Orientation of most evidence (list of str)."""
    sums = np.where(is_open, x @ weights, -np.inf)
    best = np.where(is_open.any(1), sums.argmax(1), 3)
    return [ORIENTATIONS[o] for o in best]


def cross_validate(table, x, is_open, is_right, ridge):
    """Share of right orientations on triples the weights have not seen."""
    folds = pd.factorize(table["id"])[0] % N_FOLDS
    right = []
    for fold in range(N_FOLDS):
        out = folds == fold
        weights = fit(x[~out], is_open[~out], is_right[~out], ridge)
        chosen = choose(x[out], is_open[out], weights)
        accepted = table["orientations"][out]
        right += [o in a for o, a in zip(chosen, accepted, strict=True)]
    return float(np.mean(right))


def best_full_score(table, measured):
    """Cosine from which on a 2 is right most often, keyword or not."""
    rows = [
        (evidence["both"], ratings)
        for (_, evidence), ratings, orientation in zip(
            measured, table["ratings"], table["orientation"], strict=True
        )
        if orientation == "both" and evidence
    ]
    grid = np.arange(0.3, 0.85, 0.05).round(2)
    hits = [
        sum(
            (2 if both["keyword"] or both["reference"] >= score else 1)
            in ratings
            for both, ratings in rows
        )
        for score in grid
    ]
    best = grid[np.array(hits) == max(hits)]
    return float(best[len(best) // 2]), max(hits), len(rows)


def naive(table, embedder):
    """The plain rule: nearest known answer to the whole answer.

    Arguments
    ---------
    table : pandas.DataFrame
        From ``read_answers``.
    embedder : SentenceEmbedder
        Embeds.

    Returns
    -------
    list of tuple
        (rating, orientation) per answer.
    """
    columns = ["audio_only_target", "speech_only_target", "tgt_text"]
    answers = embedder.embed(list(table["prediction"]))
    cosines = np.stack(
        [(answers * embedder.embed(list(table[c]))).sum(1) for c in columns], 1
    )
    return [((0, 0, 2)[k], ORIENTATIONS[k]) for k in cosines.argmax(1)]


def judge_all(table, judge):
    """Verdicts of the judge as it stands (list of (rating, orientation))."""
    verdicts = []
    judge.judge(list(table["item"]), lambda _, v: verdicts.append(v))
    return [(v.rating, v.orientation) for v in verdicts]


def score(table, verdicts):
    """Compare verdicts with what is acceptable.

    Arguments
    ---------
    table : pandas.DataFrame
        From ``read_answers``.
    verdicts : list of tuple
        (rating, orientation) per row.

    Returns
    -------
    pandas.DataFrame
        Columns ``rating``, ``orientation``, ``verdict`` (both right): bool.
    """
    result = pd.DataFrame(verdicts, columns=["r", "o"], index=table.index)
    rating = [r in a for r, a in zip(result.r, table.ratings, strict=True)]
    orientation = [
        o in a for o, a in zip(result.o, table.orientations, strict=True)
    ]
    scores = pd.DataFrame(
        {"rating": rating, "orientation": orientation}, index=table.index
    )
    return scores.assign(verdict=scores.rating & scores.orientation)


def report(table, judge):
    """Print the judge's and the plain rule's accuracy per kind of answer."""
    scores = score(table, judge_all(table, judge))
    plain = score(table, naive(table, judge.embedder))
    scores["plain rule"] = plain["verdict"]
    per_kind = scores.groupby(table["kind"]).mean()
    per_kind.insert(0, "n", table["kind"].value_counts())
    total = scores.mean().to_frame("all").T.assign(n=len(table))
    rows = pd.concat([per_kind, total[per_kind.columns]])
    print("| kind | n | rating | orientation | both right | plain rule |")
    print("|---|---|---|---|---|---|")
    for kind, row in rows.iterrows():
        numbers = " | ".join(f"{100 * v:.0f}" for v in row.iloc[1:])
        print(f"| {kind} | {row['n']:.0f} | {numbers} |")


def main():
    """Fit, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--embedder", default="starter:minilm-l6-v2")
    judge = SimilarityJudge(
        "similarity", SentenceEmbedder(parser.parse_args().embedder)
    )
    judge.load()
    table = read_answers()
    fitted = table[table["split"] == "fit"]
    measured = judge.measure(list(fitted["item"]))
    x, is_open = design([evidence for _, evidence in measured])
    is_right = np.array(
        [[o in a for o in ORIENTATIONS] for a in fitted["orientations"]]
    )
    accuracy = {
        ridge: cross_validate(fitted, x, is_open, is_right, ridge)
        for ridge in RIDGES
    }
    ridge = max(accuracy, key=accuracy.get)
    shown = {r: round(value, 3) for r, value in accuracy.items()}
    print(f"Orientation right, by ridge, {N_FOLDS} folds: {shown}")
    weights = fit(x, is_open, is_right, ridge)
    print(f"WEIGHTS for ridge {ridge}, to paste into similarity.py:")
    for name, weight in zip(NAMES, weights, strict=True):
        print(f'    "{name}": {weight:.1f},  # now {judge.weights[name]}')
    full_score, hits, n = best_full_score(fitted, measured)
    print(f"full_score: {full_score} ({hits} of {n}), now {judge.full_score}")
    for split in ("fit", "held"):
        part = table[table["split"] == split]
        print(f"\nSplit {split}, {part['id'].nunique()} clips, in %:\n")
        report(part, judge)


if __name__ == "__main__":
    main()
