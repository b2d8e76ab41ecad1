"""What stands behind the results table: ``statistics.md``.

Every number is one of ``scores.json``; docs/metrics.md explains them.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.metrics.people import PEOPLE
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import AVERAGE
from speechbrain_jasco.reporting.tables import cell, half_up, markdown, span


def statistics_text(scores):
    """Write all tables.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    str
        Markdown.
    """
    parts = [
        f"## {title}\n\n{markdown(pd.DataFrame(rows).fillna(''))}"
        for title, rows in statistics_tables(scores)
    ]
    head = "# Statistics\n\nExplained in docs/metrics.md."
    return "\n\n".join([head, *parts])


def statistics_tables(scores):
    """Make all tables that have something to say.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    list of (str, list of dict)
        Titles and rows; cells are text, names fit for Markdown.
    """
    sections = [
        ("Differences between systems", _comparisons(scores)),
        ("Best of k prompts", _best_of_k(scores)),
        ("Single prompts: mean by the average of the judges", _prompts(scores)),
        ("Naming the sound first instead of the words", _order(scores)),
        ("Noise of the mean, and what to buy next", _variance(scores)),
        ("Judges among themselves", _agreement(scores)),
        ("Judges one by one", _judges(scores)),
        ("Judges and people", _people(scores)),
        ("Scores corrected by people", _corrected(scores)),
    ]
    return [(title, rows) for title, rows in sections if rows]


def p_value(p):
    """Write a p value.

    Arguments
    ---------
    p : float
        Between 0 and 1, or NaN.

    Returns
    -------
    str

    Example
    -------
    >>> p_value(0.0004), p_value(0.04), p_value(float("nan"))
    ('< 0.001', '0.040', 'n/a')
    """
    return "< 0.001" if p < 0.001 else half_up(p, 3)


def with_span(entry, scale=1, digits=2):
    """Write an estimate and its interval.

    Arguments
    ---------
    entry : dict or None
        ``value`` and ``ci95``.
    scale : float
        100 for per cent.
    digits : int
        Decimals.

    Returns
    -------
    str

    Example
    -------
    >>> with_span({"value": 0.5, "ci95": [0.25, 0.75]}), with_span(None)
    ('0.50 (0.25 to 0.75)', 'n/a')
    """
    if entry is None:
        return "n/a"
    text = half_up(scale * entry["value"], digits)
    ends = span(entry["ci95"], scale, digits)
    return text if ends == "n/a" else f"{text} ({ends})"


def _comparisons(scores):
    """Pairs of systems, by the average of the judges."""
    return [
        {
            "systems": " - ".join(map(cell, row["systems"])),
            "measure": row["measure"],
            "difference": with_span(_estimate(row)),
            "p": p_value(row["p"]),
            "p, Holm": p_value(row["p_holm"]),
            "separable": "yes" if row["separable"] else "no",
            "detectable": half_up(row["detectable"]),
        }
        for row in scores["comparisons"]
        if row["judge"] == AVERAGE and row["measure"] in ("best_mean", "both")
    ]


def _estimate(row):
    """A difference as an estimate (dict)."""
    return {"value": row["difference"], "ci95": row["ci95"]}


def _best_of_k(scores):
    """The curve of every system, by the average, gated and ungated."""
    return [
        {"system": cell(system), "gate": gate}
        | {
            f"k = {k}": half_up(value)
            for k, value in enumerate(result[AVERAGE][name], start=1)
        }
        for system, result in scores["systems"].items()
        for gate, name in (("yes", "best_of_k"), ("no", "best_of_k_ungated"))
    ]


def _prompts(scores):
    """Mean by prompt, numbered from 1 as in the paper."""
    return [
        {"system": cell(system)}
        | {
            str(prompt["index"] + 1): half_up(prompt["mean"])
            for prompt in result[AVERAGE]["prompts"]
        }
        for system, result in scores["systems"].items()
    ]


def _order(scores):
    """Order effect by the average of the judges."""
    return [
        {
            "system": cell(row["system"]),
            "outcome": row["outcome"],
            "difference": with_span(_estimate(row)),
            "p": p_value(row["p"]),
            "p, Holm": p_value(row["p_holm"]),
        }
        for row in scores["order_effect"]
        if row["judge"] == AVERAGE
    ]


def _variance(scores):
    """Components and what twice as many of each facet would do."""
    studies = {cell(n): s for n, s in scores["variance"]["systems"].items()}
    studies["difference of two"] = scores["variance"]["difference"]
    return [
        {"score of": name}
        | {
            effect: half_up(value, 3)
            for effect, value in study["components"].items()
        }
        | {"error": half_up(study["error"], 3)}
        | {
            f"2 x {row['facet']}": half_up(row["doubled"], 3)
            for row in sorted(study["buy"], key=lambda row: row["facet"])
        }
        for name, study in studies.items()
        if study is not None
    ]


def _agreement(scores):
    """All judges, then every pair."""
    agreement = scores["agreement"]
    rows = []
    if agreement["alpha"]:
        rows.append(
            {
                "judges": "all",
                "measure": "alpha",
                "rating": with_span(agreement["alpha"]["rating"]),
                "orientation": with_span(agreement["alpha"]["orientation"]),
                "ranks of systems": "",
            }
        )
    return rows + [
        {
            "judges": " / ".join(map(cell, pair["judges"])),
            "measure": "kappa",
            "rating": with_span(pair["rating"]["kappa"]),
            "orientation": with_span(pair["orientation"]["kappa"]),
            "ranks of systems": half_up(pair["systems_tau"]),
        }
        for pair in agreement["pairs"]
    ]


def _judges(scores):
    """Length bias, agreement with itself, right on probes."""
    rows = []
    quality = scores.get("judge_quality") or {}
    for judge, bias in scores["agreement"]["length_bias"].items():
        again = scores["agreement"]["repeats"].get(judge)
        row = {
            "judge": cell(judge),
            "points per doubling of words": with_span(bias["all"]["slope"]),
            "correlation": half_up(bias["all"]["correlation"]),
            "alpha of repeats": with_span(again and again["rating"]),
        }
        if judge in quality:
            for form in ("verbatim", "spoken"):
                right = quality[judge][form]["verdict"]
                row[f"probes right %, {form}"] = with_span(right, 100, 0)
        rows.append(row)
    return rows


def _people(scores):
    """Agreement of people with each judge."""
    human = scores["human"] or {"agreement": {}}
    return [
        {
            "judge": cell(judge),
            "kappa, rating": with_span(pair["rating"]["kappa"]),
            "same rating %": with_span(pair["rating"]["same"], 100, 0),
            "kappa, orientation": with_span(pair["orientation"]["kappa"]),
            "same orientation %": with_span(
                pair["orientation"]["same"], 100, 0
            ),
            "answers": str(pair["rating"]["n"]),
        }
        for judge, pair in human["agreement"].items()
    ]


def _corrected(scores):
    """Scores of people alone and with the help of each judge."""
    human = scores["human"] or {"systems": {}}
    return [
        {
            "system": cell(system),
            "by": cell(row if row == PEOPLE else f"{PEOPLE} and {row}"),
            "Best-Mean": with_span(entry["best_mean"]),
            "mean": with_span(entry["mean"]),
        }
        | {f"{name} %": with_span(entry[name], 100, 0) for name in SHARES}
        for system, result in human["systems"].items()
        for row, entry in result.items()
    ]
