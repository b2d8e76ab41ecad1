"""Where the two modes read the same reply differently, and why.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import is_missing, write_table
from speechbrain_jasco.judging.item import Verdict
from speechbrain_jasco.judging.paper_judge import ORIENTATION_NAMES
from speechbrain_jasco.judging.paper_mode import follow_table
from speechbrain_jasco.judging.paper_parser import (
    find_orientation,
    find_rating,
)
from speechbrain_jasco.judging.verdict import parse_verdict

logger = get_logger(__name__)

FILE = "paper_vs_robust.csv"
COLUMNS = [
    "system",
    "judge",
    "id",
    "prompt_index",
    "paper_score",
    "paper_orientation",
    "paper_counted",
    "robust_status",
    "robust_rating",
    "robust_orientation",
    "why",
    "reply",
    "reformat",
]
_MARKED = re.compile(r"(?:Rating|Orientation)\W*?[*_`#]\W*?:|:[*_`]", re.I)
_RATING_LINE = re.compile(r"^.*Rating: .*$", re.M)
_OPTION = re.compile(r"Audio-Oriented|Speech-Oriented|Good|Both|Neither")


def robust_verdict(prediction, reply):
    """Read one reply as mode robust does.

    Arguments
    ---------
    prediction : str
        The answer that was judged.
    reply : str
        The judge's reply.

    Returns
    -------
    Verdict

    Example
    -------
    >>> robust_verdict("Fishing.", "**Rating:** 2\\n**Orientation:** Good")[:3]
    ('ok', 2, 'both')
    >>> robust_verdict("nan", "Rating: 0\\nOrientation: Neither")[:3]
    ('no_prediction', None, None)
    """
    if is_missing(prediction):
        return Verdict("no_prediction", reply=reply)
    return parse_verdict(reply, prediction)


def write_mode_diff(systems, verdicts, judges, folder):
    """Write ``paper_vs_robust.csv``, for judges in the authors' format.

    Arguments
    ---------
    systems : dict
        System name -> predictions.
    verdicts : dict
        (system, judge name) -> table with ``reply`` and ``reformat``, rows as
        in the predictions.
    judges : list
        The panel; only judges that say ``official`` are compared.
    folder : Path
        Where.
    """
    official = [j.name for j in judges if getattr(j, "official", False)]
    tables = [
        mode_diff(verdicts[system, judge], table["allm_output"].tolist())
        for system, table in systems.items()
        for judge in official
    ]
    if not tables:
        return
    diff = pd.concat(tables, ignore_index=True)
    write_table(folder / FILE, diff)
    logger.info(
        "The modes disagree on %d of %d replies: %s",
        len(diff),
        sum(len(verdicts[s, j]) for s in systems for j in official),
        folder / FILE,
    )


def mode_diff(verdicts, predictions):
    """Compare the two modes on one judge's replies to one system.

    Arguments
    ---------
    verdicts : pandas.DataFrame
        With ``system``, ``judge``, ``id``, ``prompt_index``, ``reply`` and
        ``reformat``.
    predictions : list of str
        The answers, in the same order.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``, one row for every reply that they read differently, in
        the order in which the authors' script goes. It ends where that script
        crashes.
    """
    records = verdicts.to_dict("records")
    replies = [record["reply"] for record in records]
    trace = follow_table(verdicts)
    rows = []
    previous = None
    for row in trace.rows:
        robust = robust_verdict(
            predictions[row.position], replies[row.position]
        )
        ours = (robust.rating, robust.orientation)
        theirs = (row.score, ORIENTATION_NAMES.get(row.orientation, "?"))
        if ours != theirs:
            why = "; ".join(_reasons(row, robust, previous))
            paper = (*theirs, row.counted)
            rows.append(_line(records[row.position], paper, robust, why))
        previous = records[row.position]
    if trace.stopped_at is not None:
        record = records[trace.stopped_at]
        robust = robust_verdict(predictions[trace.stopped_at], record["reply"])
        paper = (None, None, None)
        rows.append(_line(record, paper, robust, f"crash: {trace.crash}"))
    return pd.DataFrame(rows, columns=COLUMNS)


def _line(record, paper, robust, why):
    """One line of the file (dict)."""
    values = [
        *(record[name] for name in COLUMNS[:4]),
        *paper,
        robust.status,
        robust.rating,
        robust.orientation,
        why,
        record["reply"],
        record["reformat"],
    ]
    return dict(zip(COLUMNS, values, strict=True))


def _reasons(row, robust, previous):
    """Say why the modes differ on a row, at least one reason (list of str)."""
    reply = robust.reply
    reasons = []
    if row.score != robust.rating:
        reasons += _rating_reasons(row, reply, previous)
    if ORIENTATION_NAMES.get(row.orientation, "?") != robust.orientation:
        reasons += _orientation_reasons(row, reply)
    if _MARKED.search(reply) and None in (
        find_rating(reply),
        find_orientation(reply),
    ):
        reasons.append("markdown: the label is not as the script looks for it")
    if robust.status == "no_prediction":
        reasons.append("no answer: robust does not count it")
    elif robust.status != "ok":
        reasons.append(f"robust: {robust.explanation}")
    return reasons or ["robust: takes the last verdict of the reply's own"]


def _rating_reasons(row, reply, previous):
    """What the script's rating rule did (list of str)."""
    if row.rating is None:
        if row.score is None:
            return ["no score: no line 'Rating: ' so far"]
        place = f"id {previous['id']}, prompt {previous['prompt_index']}"
        return [f"leak: no line 'Rating: ', score of the row before ({place})"]
    lines = _RATING_LINE.findall(reply)
    reasons = []
    if len({find_rating(line) for line in lines}) > 1:
        reasons.append("several rating lines: the last counts")
    digits = re.findall(r"[0-9]", lines[-1])
    if not set(digits) & {"0", "1", "2"}:
        reasons.append("no digit 0, 1, 2 in the rating line: counts as 0")
    elif len(digits) > 1:
        reasons.append(f"substring digit: {row.rating} of {lines[-1][:80]!r}")
    return reasons


def _orientation_reasons(row, reply):
    """What the script's orientation rule did (list of str)."""
    if find_orientation(reply) is None:
        return [f"reformat: the judge was asked again, read {row.orientation}"]
    reasons = []
    lines = re.findall(r"Orientation: \n?.*", reply)
    found = {find_orientation(line) for line in lines} - {None}
    if any(len(set(_OPTION.findall(line))) > 1 for line in lines):
        reasons.append("menu echo: an orientation line names several")
    if len(found) > 1:
        reasons.append(f"precedence N, A, S, G: {row.orientation} wins")
    return reasons
