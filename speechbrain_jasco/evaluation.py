"""Predictions of one or several systems -> verdicts -> scores -> report.

    {system: predictions.csv} --> judges --> verdicts.jsonl --> scores.json
                                                                table.md
                                                                dependence.png

Judges of the authors' procedure bring ``mode: paper`` with them, and
``paper_vs_robust.csv``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from importlib.metadata import version
from pathlib import Path

from speechbrain.utils.logger import get_logger

from speechbrain_jasco.journal import Journal, content_key
from speechbrain_jasco.judging.aggregation import Aggregation
from speechbrain_jasco.judging.mode_diff import write_mode_diff
from speechbrain_jasco.judging.panel import judge_items, make_items, pending
from speechbrain_jasco.metrics.correction import correct
from speechbrain_jasco.metrics.paper_summary import paper_scores
from speechbrain_jasco.metrics.summary import average, fill_grid, summarize
from speechbrain_jasco.reporting.figures import dependence_chart
from speechbrain_jasco.reporting.tables import markdown, results_table
from speechbrain_jasco.systems import (
    expected_clips,
    read_systems,
    warn_of_gaps,
)

logger = get_logger(__name__)

VERSIONS_OF = ("speechbrain_jasco", "speechbrain", "torch", "transformers")


def evaluate(
    predictions,
    judges,
    output_folder,
    clips=None,
    quality=None,
    aggregation=None,
    remark="",
):
    """Judge predictions and write verdicts, scores, table and figure.

    Arguments
    ---------
    predictions : str, Path or dict
        See ``read_systems``.
    judges : list
        The panel (``speechbrain_jasco/judging``).
    output_folder : str or Path
        Gets ``verdicts.jsonl``, ``scores.json``, ``table.md`` and
        ``dependence.png``, and ``paper_vs_robust.csv`` where replies can be
        read in both modes.
    clips : list of Clip, optional
        The data set, to find answers that are missing altogether.
    quality : dict, optional
        Judge name -> what gold probes said of it (``probing.find_quality``).
    aggregation : Aggregation, optional
        How repeats of a judge, and judges, become one verdict.
    remark : str
        What a reader of the table has to know; stands below it.

    Returns
    -------
    dict
        ``scores.json``.
    """
    aggregation = aggregation or Aggregation()
    mode = mode_of(judges)
    folder = Path(output_folder)
    systems = read_systems(predictions)
    ids = expected_clips(systems, clips)
    warn_of_gaps(systems, ids)
    with Journal(folder / "verdicts.jsonl") as journal:
        verdicts = run_panel(systems, judges, journal, aggregation)
    warn_of_failures(verdicts)
    # Before the scores: where mode paper ends with an error, it shows why.
    write_mode_diff(systems, verdicts, judges, folder)
    scores = score(systems, verdicts, ids, aggregation, mode)
    add_quality(scores, quality or {}, verdicts, ids)
    write_report(scores, folder, remark)
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


def score(systems, verdicts, ids, aggregation=None, mode="robust"):
    """Turn verdicts into scores.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.
    aggregation : Aggregation, optional
        How the judges become a panel.
    mode : str
        See ``mode_of``.

    Returns
    -------
    dict
        ``scores.json``.
    """
    if mode == "paper":
        result = paper_scores(verdicts)
    else:
        result = robust_scores(verdicts, ids, aggregation or Aggregation())
    return {
        "dataset": {"sha256": _dataset_sha256(systems), "n_clips": len(ids)},
        "mode": mode,
        "versions": {package: version(package) for package in VERSIONS_OF},
        "systems": result,
    }


def robust_scores(verdicts, ids, aggregation):
    """Score every system by every judge, failures counted apart.

    Arguments
    ---------
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.
    aggregation : Aggregation
        How the judges become a panel.

    Returns
    -------
    dict
        ``systems`` of ``scores.json``.
    """
    result = {}
    for name in dict.fromkeys(system for system, _ in verdicts):
        grids = system_grids(name, verdicts, ids)
        judges = {judge: summarize(grid) for judge, grid in grids.items()}
        panel = aggregation.over_judges(list(grids.values()))
        result[name] = {
            "judges": judges,
            "average": average(judges),
            "panel": {**aggregation.config(), **summarize(panel)},
        }
    return result


def system_grids(system, verdicts, ids):
    """Every expected answer of a system, by judge.

    Arguments
    ---------
    system : str
        Its name.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.

    Returns
    -------
    dict
        Judge name -> table with a row for every clip and prompt.
    """
    frames = {j: frame for (s, j), frame in verdicts.items() if s == system}
    # Every prompt of a system is in the tables of all judges.
    n_prompts = max(f["prompt_index"].nunique() for f in frames.values())
    return {j: fill_grid(f, ids, n_prompts) for j, f in frames.items()}


def add_quality(scores, quality, verdicts, ids):
    """Add what probes said of the judges, and the scores corrected by it.

    Arguments
    ---------
    scores : dict
        From ``score``; changed in place.
    quality : dict
        Judge name -> entry of ``judge_quality.json``.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.
    """
    for system, result in scores["systems"].items():
        grids = system_grids(system, verdicts, ids)
        for judge, entry in quality.items():
            result["judges"][judge]["corrected"] = correct(grids[judge], entry)
    scores["judge_quality"] = {
        judge: {k: v for k, v in entry.items() if k != "calibration"}
        for judge, entry in quality.items()
    }


def _dataset_sha256(systems):
    """Hash what the clips are compared with, independent of row order."""
    columns = [
        "id",
        "audio_sound",
        "spoken_text",
        "target_keywords",
        "tgt_text",
    ]
    rows = {
        tuple(row)
        for table in systems.values()
        for row in table[columns].to_numpy().tolist()
    }
    return content_key(sorted(rows))


def write_report(scores, folder, remark=""):
    """Write ``scores.json``, ``table.md`` and ``dependence.png``.

    Arguments
    ---------
    scores : dict
        From ``score``.
    folder : Path
        Where.
    remark : str
        Goes below the table.
    """
    # Python's NaN is not JSON: a share without answers is null on disk.
    text = json.dumps(nan_to_none(scores), indent=1, allow_nan=False)
    (folder / "scores.json").write_text(text + "\n", encoding="utf-8")
    parts = [markdown(results_table(scores)), remark]
    text = "\n\n".join(filter(None, parts)) + "\n"
    (folder / "table.md").write_text(text, encoding="utf-8")
    dependence_chart(scores, folder / "dependence.png")
    for name in ("verdicts.jsonl", "scores.json", "table.md", "dependence.png"):
        logger.info("Wrote %s", folder / name)


def nan_to_none(value):
    """Replace NaN by None, at any depth."""
    if isinstance(value, dict):
        return {key: nan_to_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nan_to_none(item) for item in value]
    return None if value != value else value
