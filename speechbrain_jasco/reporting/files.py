"""What goes into papers and spreadsheets: ``report/`` beside the page.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pandas as pd
import yaml

from speechbrain_jasco.dataio import write_table
from speechbrain_jasco.metrics.measures import COMPARED
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import by_row, value_of
from speechbrain_jasco.reporting.figures import (
    SAFE,
    best_of_k_chart,
    dependence_chart,
)
from speechbrain_jasco.reporting.model_index import model_index
from speechbrain_jasco.reporting.tables import half_up, no_formula, span

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def write_files(scores, folder):
    """Write ``table.tex``, ``scores.csv``, ``model_index.yaml`` and figures.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    folder : str or Path
        Where; figures are PNG, SVG and PDF.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = yaml.safe_dump(model_index(scores), sort_keys=False)
    for name, text in {
        "table.tex": latex_table(scores),
        "model_index.yaml": index,
    }.items():
        (folder / name).write_text(text, "utf-8", errors="backslashreplace")
    write_table(folder / "scores.csv", scores_table(scores))
    dependence_chart(scores, _formats(folder / "dependence"))
    dependence_chart(scores, _formats(folder / "dependence_safe"), SAFE)
    best_of_k_chart(scores, _formats(folder / "best_of_k"))


def entries(scores):
    """Every system by every judge, the average and the panel.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    list of (str, str, dict)
        System, judge, numbers.
    """
    return [
        (system, judge, numbers)
        for system, result in scores["systems"].items()
        for judge, numbers in by_row(result).items()
    ]


def scores_table(scores):
    """All scores with their intervals, one row per system and judge.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    pandas.DataFrame
        Names that a spreadsheet would compute stand behind an apostrophe.
    """
    rows = []
    for system, judge, numbers in entries(scores):
        row = {"system": no_formula(system), "judge": no_formula(judge)}
        for measure in COMPARED:
            low, high = numbers["ci95"][measure]
            row[measure] = value_of(numbers, measure)
            row |= {f"{measure}_low": low, f"{measure}_high": high}
        row["coverage"] = numbers.get("coverage")
        rows.append(row)
    return pd.DataFrame(rows)


def latex_table(scores):
    """The results table for a paper, in the style of ``booktabs``.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    str
        LaTeX.
    """
    lines = [
        "% needs \\usepackage{booktabs}; brackets: 95 % intervals over clips",
        "\\begin{tabular}{llllrrr}",
        "\\toprule",
        "System & Judge & Best-Mean & Mean & A (\\%) & A-S (\\%) & S (\\%) \\\\",
    ]
    last = None
    for system, judge, numbers in entries(scores):
        if system != last:
            lines.append("\\midrule")
        means = [
            f"{half_up(numbers[name])} [{span(numbers['ci95'][name])}]"
            for name in ("best_mean", "mean")
        ]
        shares = [half_up(100 * value_of(numbers, name), 0) for name in SHARES]
        name = latex_text(system) if system != last else ""
        cells = [name, latex_text(judge), *means, *shares]
        lines.append(" & ".join(cells) + " \\\\")
        last = system
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def latex_text(text):
    r"""Write a text so that LaTeX prints it as it is.

    Arguments
    ---------
    text : str
        Any text.

    Returns
    -------
    str
        One line.

    Example
    -------
    >>> print(latex_text(r"a_b & \input{x}"))
    a\_b \& \textbackslash{}input\{x\}
    """
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))


def _formats(stem):
    """One path per format (list of Path)."""
    return [stem.with_suffix(suffix) for suffix in (".png", ".svg", ".pdf")]
