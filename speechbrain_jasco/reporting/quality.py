"""The report on judges, for the terminal and for ``judge_quality.md``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.judging.item import ORIENTATIONS, RATINGS
from speechbrain_jasco.reporting.tables import half_up, markdown


def quality_report(quality):
    """Write all tables on all judges.

    Arguments
    ---------
    quality : dict
        ``judge_quality.json``.

    Returns
    -------
    str
        Markdown.
    """
    probes = quality["probes"]
    parts = [
        f"# Judges on {probes['n_probes']} gold probes of "
        f"{probes['n_clips']} clips\n\n"
        "In % with 95 % intervals. Right: rating and orientation are. False "
        "positive: of what is worth 0, what scores. False negative: of the "
        "references, what gets 0.",
        markdown(pd.DataFrame(_summary(quality["judges"]))),
    ]
    for name, entry in quality["judges"].items():
        parts += [
            f"## {name}\n\nRight, by kind and form, in %:",
            markdown(pd.DataFrame(_kinds(entry["kinds"]))),
            "Spoken probes, truth in rows, judgement in columns. First the "
            "score that counts, then the orientation:",
            markdown(_matrix(entry["spoken"]["score_confusion"], RATINGS)),
            markdown(
                _matrix(entry["spoken"]["orientation_confusion"], ORIENTATIONS)
            ),
        ]
    return "\n\n".join(parts)


def percent(entry, interval=True):
    """Write a rate of ``metrics/quality.py``.

    Arguments
    ---------
    entry : dict
        ``value`` and ``ci95``.
    interval : bool
        Whether to write the interval too.

    Returns
    -------
    str

    Example
    -------
    >>> percent({"value": 0.5, "n": 4, "ci95": [0.15, 0.85]})
    '50 (15 to 85)'
    """
    value = entry["value"]
    text = half_up(float("nan") if value is None else 100 * value, 0)
    if not interval or text == "n/a":
        return text
    low, high = (half_up(100 * end, 0) for end in entry["ci95"])
    return f"{text} ({low} to {high})"


def _summary(judges):
    """One row per judge and form (list of dict)."""
    return [
        {
            "judge": name,
            "probes": form,
            "n": str(entry[form]["verdict"]["n"]),
            "right": percent(entry[form]["verdict"]),
            "rating right": percent(entry[form]["rating"], False),
            "orientation right": percent(entry[form]["orientation"], False),
            "false positive": percent(entry[form]["false_positive"]),
            "false negative": percent(entry[form]["false_negative"]),
            "coverage": half_up(100 * entry[form]["coverage"], 0),
        }
        for name, entry in judges.items()
        for form in ("verbatim", "spoken")
    ]


def _kinds(kinds):
    """One row per kind (list of dict)."""
    return [
        {
            "kind": kind,
            "n": str(max(entry["n"] for entry in forms.values())),
            **{form: percent(entry, False) for form, entry in forms.items()},
        }
        for kind, forms in kinds.items()
    ]


def _matrix(counts, values):
    """A confusion matrix as a table of text (pandas.DataFrame)."""
    return pd.DataFrame(
        [
            {"truth": str(truth)}
            | {str(v): str(n) for v, n in zip(values, row, strict=True)}
            for truth, row in zip(values, counts, strict=True)
        ]
    )
