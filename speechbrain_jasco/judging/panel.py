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
from speechbrain_jasco.judging.item import JudgeItem, Verdict

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


def verdict_key(item, name, config):
    """Key of one verdict: the case and everything the judge depends on.

    Arguments
    ---------
    item : JudgeItem
        The case.
    name : str
        The judge's name: two judges may have the same settings.
    config : dict
        The judge's ``config()``.

    Returns
    -------
    str
    """
    return content_key(asdict(item), name, config, 0)


def judge_items(items, judge, journal):
    """Have one judge judge what it has not judged yet.

    Arguments
    ---------
    items : list of JudgeItem
        The cases.
    judge : object
        ``name``, ``config()``, ``check()``, ``judge(items, on_verdict)``.
    journal : Journal
        Holds the verdicts.

    Returns
    -------
    pandas.DataFrame
        ``VERDICT_COLUMNS``, one row per item.
    """
    config = judge.config()
    keys = [verdict_key(item, judge.name, config) for item in items]
    row = _row_maker(judge.name, config)
    todo = []
    for key, item in zip(keys, items, strict=True):
        if journal.rows.get(key, {}).get("status") in FINAL:
            continue
        if is_missing(item.prediction):
            journal.append(row(key, item, Verdict("no_prediction")))
        else:
            todo.append((key, item))
    logger.info(
        "%s: %d of %d answers to judge", judge.name, len(todo), len(items)
    )
    if todo:
        judge.judge(
            [item for _, item in todo],
            lambda i, verdict: journal.append(row(*todo[i], verdict)),
        )
    rows = [journal.rows[key] for key in keys]
    return pd.DataFrame(rows, columns=VERDICT_COLUMNS)


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
    config = judge.config()
    done = (
        journal.rows.get(verdict_key(item, judge.name, config), {}).get(
            "status"
        )
        in FINAL
        or is_missing(item.prediction)
        for item in items
    )
    return sum(not d for d in done)


def _row_maker(name, config):
    """Make the function that writes a verdict as a row of the journal."""
    config_sha256 = content_key(config)
    prompt_sha256 = content_key(config.get("prompt"))

    def row(key, item, verdict):
        return {
            "key": key,
            "system": item.system,
            "id": item.id,
            "prompt_index": item.prompt_index,
            "judge": name,
            "repeat": 0,
            **verdict._asdict(),
            "prompt_sha256": prompt_sha256,
            "judge_config_sha256": config_sha256,
        }

    return row
