"""Assemble ``scores.json`` from the verdict tables.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.metrics import scores
from speechbrain_jasco.metrics.bounds import all_bounds

# Beside a system's judges.
PANEL, AVERAGE = "panel", "average"


def by_row(result):
    """Everything a system's scores are by.

    Arguments
    ---------
    result : dict
        A system's entry of ``scores.json``.

    Returns
    -------
    dict
        Judge, ``average`` or (where there is one) ``panel`` -> scores, in
        that order.

    Example
    -------
    >>> list(by_row({"judges": {"a": {}, "b": {}}, "panel": {}, "average": {}}))
    ['a', 'b', 'average', 'panel']
    """
    rest = [name for name in (AVERAGE, PANEL) if name in result]
    return {**result["judges"], **{name: result[name] for name in rest}}


def distinct_rows(result):
    """Those that say something of their own: one judge's average is itself.

    Arguments
    ---------
    result : dict
        A system's entry of ``scores.json``.

    Returns
    -------
    dict
        As ``by_row``.

    Example
    -------
    >>> list(distinct_rows({"judges": {"a": {}}, "panel": {}, "average": {}}))
    ['a']
    """
    several = len(result["judges"]) > 1
    return by_row(result) if several else result["judges"]


def value_of(entry, measure):
    """Look up a score.

    Arguments
    ---------
    entry : dict
        Of ``by_row``.
    measure : str
        ``best_mean``, ``mean``, or one of ``SHARES``.

    Returns
    -------
    float

    Example
    -------
    >>> value_of({"mean": 0.5, "dependence": {"both": 0.2}}, "both")
    0.2
    """
    return (entry["dependence"] if measure in scores.SHARES else entry)[measure]


def fill_grid(verdicts, ids, n_prompts):
    """Add a ``no_prediction`` row for every answer that a file lacks.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        Verdicts of one system by one judge.
    ids : list of str
        All clips.
    n_prompts : int
        Prompts each clip should have.

    Returns
    -------
    pandas.DataFrame
        ``len(ids) * n_prompts`` rows, in that order.

    Example
    -------
    >>> verdicts = pd.DataFrame({"id": ["a"], "prompt_index": [1],
    ...     "status": ["ok"], "rating": [2], "orientation": ["both"]})
    >>> fill_grid(verdicts, ["a"], 2)["status"].tolist()
    ['no_prediction', 'ok']
    """
    grid = pd.MultiIndex.from_product(
        [ids, range(n_prompts)], names=["id", "prompt_index"]
    )
    full = verdicts.set_index(["id", "prompt_index"]).reindex(grid)
    full["status"] = full["status"].fillna("no_prediction")
    return full.reset_index()


def summarize(verdicts):
    """Score one system by one judge.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        The complete grid of verdicts.

    Returns
    -------
    dict
        An entry of ``judges`` in ``scores.json``.
    """
    return {
        "best_mean": scores.best_mean(verdicts),
        "best_mean_ungated": scores.best_mean(verdicts, gated=False),
        "mean": scores.mean_rating(verdicts),
        "mean_ungated": scores.mean_rating(verdicts, gated=False),
        "best_of_k": scores.best_of_k(
            verdicts, k_max=verdicts["prompt_index"].nunique()
        ),
        "dependence": scores.dependence(verdicts),
        "counts": scores.counts(verdicts),
        "coverage": scores.coverage(verdicts),
        "bounds": all_bounds(verdicts),
        **_expected(verdicts),
    }


def _expected(verdicts):
    """The mean of expected ratings, for judges by label probability."""
    if (
        "expected_rating" not in verdicts
        or verdicts["expected_rating"].isna().all()
    ):
        return {}
    expected = verdicts.assign(rating=verdicts["expected_rating"])
    return {"mean_expected": scores.mean_rating(expected, gated=False)}


def average(judges):
    """Average a system's scores over its judges, each judge counting alike.

    Arguments
    ---------
    judges : dict
        Judge name -> result of ``summarize``.

    Returns
    -------
    dict
        ``best_mean``, ``mean`` and ``dependence``; NaN where a judge has no
        value.

    Example
    -------
    >>> one = {"best_mean": 1.0, "mean": 0.5,
    ...        "dependence": {"audio": 0.2, "both": 0.5, "speech": 0.3}}
    >>> two = {"best_mean": 2.0, "mean": 0.5,
    ...        "dependence": {"audio": 0.0, "both": 1.0, "speech": 0.0}}
    >>> average({"a": one, "b": two})["dependence"]["both"]
    0.75
    """

    def mean(read):
        values = [read(judge) for judge in judges.values()]
        return sum(values) / len(values)

    return {
        "best_mean": mean(lambda judge: judge["best_mean"]),
        "mean": mean(lambda judge: judge["mean"]),
        "dependence": {
            name: mean(lambda judge, name=name: judge["dependence"][name])
            for name in scores.SHARES
        },
    }


def robust_tables(verdicts, ids, aggregation):
    """Every expected answer, failures included, by judge and by the panel.

    Arguments
    ---------
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.
    aggregation : Aggregation
        How the judges become a panel.

    Returns
    -------
    dict
        (system, judge name or ``panel``) -> table with a row for every clip
        and prompt.
    """
    tables = {}
    for name in dict.fromkeys(system for system, _ in verdicts):
        grids = system_grids(name, verdicts, ids)
        grids[PANEL] = aggregation.over_judges(list(grids.values()))
        tables |= {(name, judge): grid for judge, grid in grids.items()}
    return tables


def system_grids(system, verdicts, ids):
    """Every expected answer of a system, by judge.

    Arguments
    ---------
    system : str
        Its name.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.

    Returns
    -------
    dict
        Judge name -> table with a row for every clip and prompt.
    """
    frames = {j: frame for (s, j), frame in verdicts.items() if s == system}
    # Every prompt of a system is in the tables of all judges.
    n_prompts = max(f["prompt_index"].nunique() for f in frames.values())
    return {j: fill_grid(f, ids, n_prompts) for j, f in frames.items()}


def robust_scores(tables, aggregation):
    """Score every system by every judge, failures counted apart.

    Arguments
    ---------
    tables : dict
        From ``robust_tables``.
    aggregation : Aggregation
        How the judges became a panel.

    Returns
    -------
    dict
        ``systems`` of ``scores.json``.
    """
    result = {}
    for (system, judge), table in tables.items():
        entry = result.setdefault(system, {"judges": {}})
        if judge == PANEL:
            entry[AVERAGE] = average(entry["judges"])
            entry[PANEL] = {**aggregation.config(), **summarize(table)}
        else:
            entry["judges"][judge] = summarize(table)
    return result
