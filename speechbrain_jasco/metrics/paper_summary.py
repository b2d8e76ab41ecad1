"""The scores of mode paper: those the authors' script prints, and ours of
the same rows beside them.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd

from speechbrain_jasco.judging.paper_judge import ORIENTATION_NAMES
from speechbrain_jasco.judging.paper_mode import (
    best_mean,
    follow_table,
    shares,
)
from speechbrain_jasco.judging.paper_parser import UNKNOWN
from speechbrain_jasco.metrics import scores
from speechbrain_jasco.metrics.bounds import all_bounds
from speechbrain_jasco.metrics.summary import average, summarize


def paper_scores(verdicts):
    """Score every system by every judge as the authors' script does.

    Arguments
    ---------
    verdicts : dict
        (system, judge name) -> table with ``id``, ``prompt_index``,
        ``status``, ``reply`` and ``reformat``, rows in the file's order.

    Returns
    -------
    dict
        ``systems`` of ``scores.json``.

    Raises
    ------
    PaperCrash
        Where the script would end with an exception.
    RuntimeError
        If a reply could not be had.
    """
    result = {}
    for (system, judge), table in verdicts.items():
        judges = result.setdefault(system, {"judges": {}})["judges"]
        try:
            judges[judge] = summarize_paper(table)
        except RuntimeError as error:
            raise type(error)(f"{system}, judge {judge}: {error}") from error
    for entry in result.values():
        entry["average"] = average(entry["judges"])
    return result


def paper_tables(verdicts):
    """The verdicts as the authors' script takes them.

    Arguments
    ---------
    verdicts : dict
        See ``paper_scores``, which has found no crash.

    Returns
    -------
    dict
        (system, judge name) -> table with ``id``, ``prompt_index``,
        ``status``, ``rating`` (of an earlier row where it leaks) and
        ``orientation``.
    """
    tables = {}
    for key, table in verdicts.items():
        rows = follow_table(table).rows
        as_scored, _ = _tables(rows, table["prompt_index"].tolist())
        # Ids as the files spell them.
        ids = table["id"].to_numpy()[[row.position for row in rows]]
        tables[key] = as_scored.assign(id=ids)
    return tables


def summarize_paper(verdicts):
    """Score one system by one judge.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        See ``paper_scores``.

    Returns
    -------
    dict
        An entry of ``judges`` in ``scores.json``. ``unparsed`` counts the
        orientations "?"; ``leaked`` the scores that are of an earlier row;
        ``coverage`` and ``bounds`` are of the replies that say both.

    Raises
    ------
    PaperCrash
        Where the script would end with an exception.
    RuntimeError
        If a reply could not be had.

    Example
    -------
    >>> verdicts = pd.DataFrame({
    ...     "id": ["1", "2"], "prompt_index": [0, 0], "status": ["ok"] * 2,
    ...     "reply": ["Rating: 2\\nOrientation: Good", "Orientation: Good"],
    ...     "reformat": [None, None]})
    >>> entry = summarize_paper(verdicts)
    >>> entry["best_mean"], entry["leaked"], entry["bounds"]["best_mean"]
    (2.0, 1, [1.0, 2.0])
    """
    lost = int((verdicts["status"] == "transport_error").sum())
    if lost:
        raise RuntimeError(
            f"{lost} of {len(verdicts)} replies could not be had (see "
            "verdicts.jsonl), and mode paper has no rule for that. Run again: "
            "only those are asked for."
        )
    trace = follow_table(verdicts)
    if trace.crash is not None:
        raise trace.crash
    rows = trace.rows
    as_scored, as_read = _tables(rows, verdicts["prompt_index"].tolist())
    unknown = sum(row.orientation == UNKNOWN for row in rows)
    return {
        **summarize(as_scored),
        "best_mean": best_mean(rows),
        "dependence": shares(rows),
        "counts": {**scores.counts(as_scored), "unparsed": unknown},
        "leaked": sum(row.rating is None for row in rows),
        "coverage": scores.coverage(as_read),
        "bounds": all_bounds(as_read),
    }


def _tables(rows, prompts):
    """Verdicts as the script takes them, and as each reply says by itself."""
    as_scored = pd.DataFrame(
        {
            "id": [str(row.clip) for row in rows],
            "prompt_index": [prompts[row.position] for row in rows],
            "status": "ok",
            "rating": [row.score for row in rows],
            "orientation": [
                ORIENTATION_NAMES.get(row.orientation, UNKNOWN) for row in rows
            ],
        }
    )
    usable = [
        row.rating is not None and row.orientation != UNKNOWN for row in rows
    ]
    status = pd.Series(usable).map({True: "ok", False: "unparsed"})
    return as_scored, as_scored.assign(status=status)
