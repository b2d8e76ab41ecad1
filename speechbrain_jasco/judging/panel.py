"""Put answers before a panel of judges and keep every verdict.

    predictions.csv --> JudgeItem --> judge --> verdicts.jsonl --> table

Nothing is judged twice: a verdict's key is a hash of the case and of all the
judge's settings, so a re-run asks only for what is missing, and a changed
prompt, model or option is judged afresh.

Authors
 * The speechbrain_jasco developers, 2026
"""

from dataclasses import asdict, fields

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import is_missing
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.judging.aggregation import Aggregation
from speechbrain_jasco.judging.item import OPTIONAL, JudgeItem, Verdict

logger = get_logger(__name__)

# These verdicts stand; after a transport error the judge is asked again.
FINAL = ("ok", "unparsed", "no_prediction")
VERDICT_COLUMNS = [
    "system",
    "judge",
    "id",
    "prompt_index",
    "status",
    "rating",
    "orientation",
]
# For those who look closer: the mode diff, the summary, the page.
KEPT = ["explanation", "reply", "reformat", "expected_rating"]


def make_items(system, predictions):
    """Turn a table of predictions into cases for the judges.

    Arguments
    ---------
    system : str
        Name of the system.
    predictions : pandas.DataFrame
        From ``dataio.read_predictions``.

    Returns
    -------
    list of JudgeItem
    """
    table = predictions.rename(
        columns={"prompt": "question", "allm_output": "prediction"}
    ).assign(system=system)
    names = [field.name for field in fields(JudgeItem)]
    return [JudgeItem(**row) for row in table[names].to_dict("records")]


def verdict_key(item, name, config, repeat=0):
    """Key of one verdict: the case and everything the judge depends on.

    Arguments
    ---------
    item : JudgeItem
        The case.
    name : str
        The judge's name: two judges may have the same settings.
    config : dict
        The judge's ``config()``.
    repeat : int
        Which time it judges the case.

    Returns
    -------
    str
    """
    return content_key(asdict(item), name, config, repeat)


def judge_items(items, judge, journal, aggregation=None):
    """Have one judge judge what it has not judged yet.

    Arguments
    ---------
    items : list of JudgeItem
        The cases.
    judge : object
        ``name``, ``config()``, ``check()``, ``judge(items, on_verdict)`` and
        perhaps ``repeats``: how often it judges each case.
    journal : Journal
        Holds the verdicts.
    aggregation : Aggregation, optional
        How repeats become one verdict.

    Returns
    -------
    pandas.DataFrame
        ``VERDICT_COLUMNS`` and ``KEPT``, one row per item.
    """
    cases = _cases(items, judge)
    row = _row_maker(judge.name, judge.config())
    todo = []
    for case in cases:
        key, item, _ = case
        if _stands(journal.rows.get(key), judge):
            continue
        if _unanswered(item, judge):
            journal.append(row(*case, Verdict("no_prediction")))
        else:
            todo.append(case)
    logger.info(
        "%s: %d of %d answers to judge", judge.name, len(todo), len(cases)
    )
    if todo:
        judge.judge(
            [item for _, item, _ in todo],
            lambda i, verdict: journal.append(row(*todo[i], verdict)),
        )
    frames = repeat_tables(items, judge, journal)
    return (aggregation or Aggregation()).over_repeats(frames)


def repeat_tables(items, judge, journal):
    """Look up what one judge said, repeat by repeat.

    Arguments
    ---------
    items : list of JudgeItem
        The cases; all are judged.
    judge : object
        The judge.
    journal : Journal
        Holds the verdicts.

    Returns
    -------
    list of pandas.DataFrame
        One per repeat: ``VERDICT_COLUMNS`` and ``KEPT``, one row per item.
    """
    cases = _cases(items, judge)
    return [
        pd.DataFrame(
            [journal.rows[key] for key, _, r in cases if r == repeat],
            columns=[*VERDICT_COLUMNS, *KEPT],
        )
        for repeat in range(n_repeats(judge))
    ]


def pending(items, judge, journal):
    """Count the answers a judge would be asked about.

    Arguments
    ---------
    items : list of JudgeItem
        The cases.
    judge : object
        The judge.
    journal : Journal
        Holds the verdicts.

    Returns
    -------
    int
    """
    done = (
        _stands(journal.rows.get(key), judge) or _unanswered(item, judge)
        for key, item, _ in _cases(items, judge)
    )
    return sum(not d for d in done)


def n_repeats(judge):
    """How often a judge judges each case (int).

    Arguments
    ---------
    judge : object
        The judge; one without ``repeats`` judges once.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is below 1.
    """
    repeats = getattr(judge, "repeats", 1)
    if repeats < 1:
        raise ValueError(f"{judge.name}: repeats is {repeats}; give 1 or more.")
    return repeats


def _stands(row, judge):
    """Whether a row of the journal, if there is one, is not asked for again."""
    final = getattr(judge, "final", FINAL)
    return row is not None and row["status"] in final


def _unanswered(item, judge):
    """Whether a judge is spared a case that has no answer."""
    official = getattr(judge, "official", False)  # judges those too
    return is_missing(item.prediction) and not official


def _cases(items, judge):
    """Every case of every repeat: (key, item, repeat)."""
    config = judge.config()
    return [
        (verdict_key(item, judge.name, config, repeat), item, repeat)
        for repeat in range(n_repeats(judge))
        for item in items
    ]


def _row_maker(name, config):
    """Make the function that writes a verdict as a row of the journal."""
    config_sha256 = content_key(config)
    prompt_sha256 = content_key(config.get("prompt"))

    def row(key, item, repeat, verdict):
        fields = {
            field: value
            for field, value in verdict._asdict().items()
            if value is not None or field not in OPTIONAL
        }
        return {
            "key": key,
            "system": item.system,
            "id": item.id,
            "prompt_index": item.prompt_index,
            "judge": name,
            "repeat": repeat,
            **fields,
            "prompt_sha256": prompt_sha256,
            "judge_config_sha256": config_sha256,
        }

    return row
