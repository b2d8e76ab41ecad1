"""Predictions of one or several systems -> verdicts -> scores -> report.

    {system: predictions.csv} --> judges --> verdicts.jsonl --> scores.json
                                                                table.md
                                                                statistics.md
                                                                dependence.png
                                                report/

Judges of the authors' procedure bring ``mode: paper`` with them, and
``paper_vs_robust.csv``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import shutil
from pathlib import Path

from speechbrain.utils.logger import get_logger

from speechbrain_jasco.human_ratings import find_ratings
from speechbrain_jasco.journal import Journal, strict_json
from speechbrain_jasco.judging.mode_diff import write_mode_diff
from speechbrain_jasco.judging.panel import (
    judge_items,
    make_items,
    pending,
    repeat_tables,
)
from speechbrain_jasco.judging.saved import describe_judges, read_scores
from speechbrain_jasco.reporting.evidence import Evidence
from speechbrain_jasco.reporting.files import write_files
from speechbrain_jasco.reporting.page import write_page
from speechbrain_jasco.reporting.statistics import statistics_text
from speechbrain_jasco.reporting.tables import results_text
from speechbrain_jasco.scoring import Scoring, add_quality, score
from speechbrain_jasco.systems import (
    expected_clips,
    read_systems,
    warn_of_gaps,
)

logger = get_logger(__name__)


def evaluate(
    predictions,
    judges,
    output_folder,
    clips=None,
    quality=None,
    scoring=None,
    remark="",
):
    """Judge predictions and write verdicts, scores, table and figure.

    Arguments
    ---------
    predictions : str, Path or dict
        See ``read_systems``.
    judges : iterable
        The panel (``speechbrain_jasco/judging``).
    output_folder : str or Path
        Gets ``verdicts.jsonl``, ``scores.json``, ``table.md``,
        ``statistics.md``, ``dependence.png`` and ``report/``, and
        ``paper_vs_robust.csv`` where replies can be read in both modes.
        People's ratings in it are taken into account (``human_ratings.py``).
    clips : list of Clip, optional
        The data set, to find answers that are missing altogether, and the
        recordings.
    quality : dict, optional
        Judge name -> what gold probes said of it (``probing.find_quality``).
    scoring : Scoring, optional
        How verdicts become numbers.
    remark : str or None
        What a reader of the table has to know; stands below it. None: what
        stood there when the folder was evaluated before.

    Returns
    -------
    dict
        ``scores.json``.
    """
    scoring = scoring or Scoring()
    judges = list(judges)
    mode = mode_of(judges)
    folder = Path(output_folder)
    systems = read_systems(predictions)
    ids = expected_clips(systems, clips)
    warn_of_gaps(systems, ids)
    with Journal(folder / "verdicts.jsonl") as journal:
        verdicts = run_panel(systems, judges, journal, scoring.aggregation)
        repeats = read_repeats(systems, judges, journal)
    warn_of_failures(verdicts)
    # Before the scores: where mode paper ends with an error, it shows why.
    write_mode_diff(systems, verdicts, judges, folder)
    ratings = find_ratings(folder, systems)
    scores = score(systems, verdicts, ids, scoring, mode, repeats, ratings)
    if remark is None:
        remark = read_scores(folder).get("remark", "")
    scores |= {"judges": describe_judges(judges), "remark": remark}
    add_quality(scores, quality or {}, verdicts, ids)
    write_report(scores, folder, remark)
    evidence = Evidence(
        systems, verdicts, ids, clips, scoring.aggregation, repeats
    )
    logger.info("Wrote %s", write_page(scores, evidence, folder / "report"))
    return scores


def mode_of(judges):
    """Find the one mode of a panel.

    Arguments
    ---------
    judges : list
        The panel; a judge without ``mode`` is robust.

    Returns
    -------
    str
        ``paper`` or ``robust``.

    Raises
    ------
    ValueError
        If the judges are of both.
    """
    modes = {getattr(judge, "mode", "robust") for judge in judges}
    if len(modes) > 1:
        raise ValueError(
            f"judges of the modes {sorted(modes)} are in one panel. Their "
            "scores are not comparable: run them apart."
        )
    return "".join(modes)


def warn_of_failures(verdicts):
    """Say which judges failed how often, and what helps.

    Arguments
    ---------
    verdicts : dict
        From ``run_panel``.
    """
    for (system, judge), frame in verdicts.items():
        status = frame["status"].value_counts()
        for outcome, remedy in [
            ("unparsed", "read the replies in verdicts.jsonl"),
            ("transport_error", "run again to ask for them once more"),
        ]:
            if outcome in status:
                logger.warning(
                    "%s, %s: %d of %d verdicts %s; %s.",
                    judge,
                    system,
                    status[outcome],
                    len(frame),
                    outcome,
                    remedy,
                )


def run_panel(systems, judges, journal, aggregation=None):
    """Have every judge judge every system, one judge in memory at a time.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    judges : list
        The panel.
    journal : Journal
        Keeps the verdicts.
    aggregation : Aggregation, optional
        How repeats of a judge become one verdict.

    Returns
    -------
    dict
        (system, judge name) -> pandas.DataFrame of verdicts.
    """
    names = [judge.name for judge in judges]
    if len(set(names)) != len(names) or not names:
        raise ValueError(f"judges need distinct names, got {names}.")
    items = {name: make_items(name, table) for name, table in systems.items()}
    busy = [
        judge
        for judge in judges
        if any(pending(cases, judge, journal) for cases in items.values())
    ]
    for judge in busy:
        judge.check()
    verdicts = {}
    for judge in judges:
        for name, cases in items.items():
            verdicts[name, judge.name] = judge_items(
                cases, judge, journal, aggregation
            )
        judge.unload()
    return verdicts


def read_repeats(systems, judges, journal):
    """Look up every repeat of every judge.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    judges : list
        The panel, which has judged.
    journal : Journal
        Keeps the verdicts.

    Returns
    -------
    dict
        (system, judge name) -> list of pandas.DataFrame, one per repeat.
    """
    return {
        (name, judge.name): repeat_tables(
            make_items(name, table), judge, journal
        )
        for judge in judges
        for name, table in systems.items()
    }


def write_report(scores, folder, remark=""):
    """Write ``scores.json``, tables, figure, and the files of ``report/``.

    Arguments
    ---------
    scores : dict
        From ``score``.
    folder : Path
        Where.
    remark : str
        Goes below the table.
    """
    files = {
        "scores.json": strict_json(scores, indent=1),
        "table.md": results_text(scores, remark),
        "statistics.md": statistics_text(scores),
    }
    for name, text in files.items():
        (folder / name).write_text(text + "\n", encoding="utf-8")
    write_files(scores, folder / "report")
    shutil.copyfile(
        folder / "report" / "dependence.png", folder / "dependence.png"
    )
    for name in ("verdicts.jsonl", *files, "dependence.png"):
        logger.info("Wrote %s", folder / name)
