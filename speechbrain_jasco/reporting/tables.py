"""The results table, for the terminal and for ``table.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from speechbrain_jasco.metrics.scores import SHARES


def half_up(value, digits=2):
    """Write a number as the paper's tables do: halves go up.

    Arguments
    ---------
    value : float
        The number.
    digits : int
        Decimals.

    Returns
    -------
    str
        ``n/a`` for NaN.

    Example
    -------
    >>> half_up(26 / 80), half_up(10 / 80), half_up(float("nan"))
    ('0.33', '0.13', 'n/a')
    """
    if value != value:
        return "n/a"
    # repr() is the shortest decimal of the float: 0.325 stays 0.325.
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(repr(value)).quantize(step, ROUND_HALF_UP))


def results_table(scores):
    """One row per system and judge, and one per system for their average.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    pandas.DataFrame
        Cells of text, ready to print.
    """
    rows = []
    for system, result in scores["systems"].items():
        for judge, entry in result["judges"].items():
            rows.append(_row(system, judge, entry))
        if len(result["judges"]) > 1:
            rows.append(_row(system, "average", result["average"]))
    return pd.DataFrame(rows)


def _row(system, judge, entry):
    """Format one row; the average has no counts."""
    row = {
        "system": _cell(system),
        "judge": _cell(judge),
        "Best-Mean": half_up(entry["best_mean"]),
        "mean": half_up(entry["mean"]),
    }
    for name in SHARES:
        row[f"{name} %"] = half_up(100 * entry["dependence"][name], 0)
    if "counts" in entry:
        row["neither"] = str(entry["counts"]["neither"])
        row["coverage %"] = half_up(100 * entry["coverage"], 0)
        low, high = entry["bounds"]["best_mean"]
        row["bounds"] = f"{half_up(low)} to {half_up(high)}"
    else:
        row.update({"neither": "", "coverage %": "", "bounds": ""})
    return row


def _cell(name):
    """Keep a name inside its Markdown cell."""
    return " ".join(name.replace("|", "\\|").split())


def markdown(table):
    """Write a table of text as GitHub Markdown, aligned for the terminal too.

    Arguments
    ---------
    table : pandas.DataFrame
        Cells of text.

    Returns
    -------
    str

    Example
    -------
    >>> print(markdown(pd.DataFrame([{"a": "x", "b": "10"}])))
    | a | b  |
    |---|----|
    | x | 10 |
    """
    lines = [list(table.columns), *table.to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    written = [
        "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([written[0], rule, *written[1:]])
