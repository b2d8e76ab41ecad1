"""The results table, for the terminal and for ``table.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

from decimal import ROUND_HALF_UP, Decimal

import pandas as pd

from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import PANEL, distinct_rows

# Of probes, as they stand in the table.
FORMS = ("verbatim", "spoken")
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
    >>> half_up(26 / 80), half_up(-0.001), half_up(float("nan"))
    ('0.33', '0.00', 'n/a')
    """
    if value != value:
        return "n/a"
    # Sums of floats miss ties by their last bits: the mean of 1.375, 1.425
    # and 0.875 is 1.2249999999999999. Table II prints 1.23.
    step = Decimal(1).scaleb(-digits)
    tie = Decimal(repr(round(value, 9)))
    rounded = tie.quantize(step, ROUND_HALF_UP)
    return str(abs(rounded) if rounded == 0 else rounded)  # no "-0.00"


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
    quality = scores.get("judge_quality") or {}
    several = len(scores["systems"]) > 1
    rows = []
    for system, result in scores["systems"].items():
        for name, entry in distinct_rows(result).items():
            rule = f", {entry['rule']}" if name == PANEL else ""
            row = _row(system, name + rule, entry, several)
            if quality and name in result["judges"]:
                row |= _trust(quality.get(name), entry.get("corrected"))
            rows.append(row)
    return pd.DataFrame(rows).fillna("")


def results_text(scores, remark=""):
    """The results table with what a reader has to know.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    remark : str
        Of the evaluation, goes below.

    Returns
    -------
    str
        Markdown.
    """
    parts = [markdown(results_table(scores)), table_note(scores), remark]
    return "\n\n".join(filter(None, parts))


def table_note(scores):
    """Say what the intervals and marks of the results table mean.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    str
    """
    note = "95 %: confidence interval, clips resampled with all their answers."
    if len(scores["systems"]) == 1:
        return note
    alpha = scores["scoring"]["alpha"]
    return note + (
        " Group: by one judge, systems with a letter in common are not "
        f"separable by Best-Mean (paired permutation test, Holm, {alpha:g})."
    )


def _trust(quality, corrected):
    """What probes say of a judge, and the score without its errors (dict)."""
    if quality is None:
        return {"probes right %": "not measured", "corrected": ""}
    right = [quality[form]["verdict"]["value"] for form in FORMS]
    row = {"probes right %": " / ".join(_percent(value) for value in right)}
    best = corrected["best_mean"]
    if best is None:
        return row | {"corrected": "n/a"}
    low, high = best["ci95"]
    span = f"{half_up(best['value'])} ({half_up(low)} to {half_up(high)})"
    return row | {"corrected": span}


def _percent(value):
    """A fraction that may be absent, in %."""
    return "n/a" if value is None else half_up(100 * value, 0)


def _row(system, judge, entry, several):
    """Format one row; the average has no counts."""
    row = {
        "system": cell(system),
        "judge": cell(judge),
        "Best-Mean": half_up(entry["best_mean"]),
        "95 %": span(entry["ci95"]["best_mean"]),
    }
    if several:
        row["group"] = entry["letters"]["best_mean"]
    row["mean"] = half_up(entry["mean"])
    for name in SHARES:
        row[f"{name} %"] = half_up(100 * entry["dependence"][name], 0)
    row["95 % of both"] = span(entry["ci95"]["both"], 100, 0)
    if "counts" in entry:
        row["neither"] = str(entry["counts"]["neither"])
        row["coverage %"] = half_up(100 * entry["coverage"], 0)
        row["bounds"] = span(entry["bounds"]["best_mean"])
    else:
        row.update({"neither": "", "coverage %": "", "bounds": ""})
    return row


def span(ends, scale=1, digits=2):
    """Write an interval.

    Arguments
    ---------
    ends : list of float
        Low and high.
    scale : float
        100 for per cent.
    digits : int
        Decimals.

    Returns
    -------
    str

    Example
    -------
    >>> span([0.125, 0.5]), span([0.125, 0.5], 100, 0)
    ('0.13 to 0.50', '13 to 50')
    """
    low, high = (half_up(scale * end, digits) for end in ends)
    return "n/a" if low == "n/a" else f"{low} to {high}"


def cell(name):
    """Keep a name inside its Markdown cell.

    Arguments
    ---------
    name : str
        Any text.

    Returns
    -------
    str

    Example
    -------
    >>> cell("a|b\\nc")
    'a\\\\|b c'
    """
    return " ".join(name.replace("|", "\\|").split())


def no_formula(cell):
    """Keep a spreadsheet from computing a text.

    Arguments
    ---------
    cell : str
        Any text.

    Returns
    -------
    str

    Example
    -------
    >>> no_formula("=1+1"), no_formula("a=1")
    ("'=1+1", 'a=1')
    """
    return "'" + cell if cell.startswith(_FORMULA) else cell


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
