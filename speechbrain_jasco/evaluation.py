"""Predictions of one or several systems -> verdicts -> scores -> report.

    {system: predictions.csv} --> judges --> verdicts.jsonl --> scores.json
                                                                table.md
                                                                dependence.png

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from importlib.metadata import version
from pathlib import Path

from speechbrain.utils.logger import get_logger

from speechbrain_jasco.dataio import N_INSTRUCTIONS, read_predictions
from speechbrain_jasco.journal import Journal, content_key
from speechbrain_jasco.judging.panel import judge_items, make_items, pending
from speechbrain_jasco.metrics.summary import average, fill_grid, summarize
from speechbrain_jasco.reporting.figures import dependence_chart
from speechbrain_jasco.reporting.tables import markdown, results_table

logger = get_logger(__name__)

VERSIONS_OF = ("speechbrain_jasco", "speechbrain", "torch", "transformers")


def read_systems(predictions):
    """Read the predictions of one or several systems.

    Arguments
    ---------
    predictions : str, Path or dict
        A CSV file, or system name -> CSV file. A single file's system is
        named after its folder.

    Returns
    -------
    dict
        System name -> pandas.DataFrame of ``dataio.read_predictions``.

    Raises
    ------
    ValueError
        If a file is not usable.
    """
    if not isinstance(predictions, dict):
        path = Path(predictions)
        predictions = {path.resolve().parent.name: path}
    if not predictions:
        raise ValueError("predictions: {} names no system. Give one at least.")
    return {
        str(name): read_predictions(path) for name, path in predictions.items()
    }


def expected_clips(systems, clips=None):
    """Agree on the clips that every system should have answered.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    clips : list of Clip, optional
        The data set; by default the clips that any system has.

    Returns
    -------
    list of str
        Clip ids.

    Raises
    ------
    ValueError
        If a system has a clip that the data set lacks.
    """
    if clips is None:
        return list(
            dict.fromkeys(
                clip for table in systems.values() for clip in table["id"]
            )
        )
    known = [clip.id for clip in clips]
    for name, table in systems.items():
        unknown = table["id"][~table["id"].isin(known)]
        if len(unknown):
            raise ValueError(
                f"{name}, row {unknown.index[0] + 1}: the data set lacks the "
                f"ids {list(unknown.unique()[:10])}. Give the data_folder that "
                "the predictions were made with, or remove the rows."
            )
    return known


def warn_of_gaps(systems, ids):
    """Say which systems have fewer answers than expected.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    ids : list of str
        The expected clips.
    """
    for name, table in systems.items():
        n_prompts = table["prompt_index"].nunique()
        if n_prompts != N_INSTRUCTIONS:
            logger.warning(
                "%s: %d prompts, the benchmark has %d: its Best-Mean is not "
                "comparable.",
                name,
                n_prompts,
                N_INSTRUCTIONS,
            )
        per_clip = table.groupby("id").size().reindex(ids, fill_value=0)
        short = per_clip[per_clip < n_prompts]
        if len(short):
            logger.warning(
                "%s: %d clips have fewer than %d prompts (%s); %d answers "
                "count as missing.",
                name,
                len(short),
                n_prompts,
                ", ".join(short.index[:10]),
                int((n_prompts - short).sum()),
            )


def evaluate(predictions, judges, output_folder, clips=None):
    """Judge predictions and write verdicts, scores, table and figure.

    Arguments
    ---------
    predictions : str, Path or dict
        See ``read_systems``.
    judges : list
        The panel (``speechbrain_jasco/judging``).
    output_folder : str or Path
        Gets ``verdicts.jsonl``, ``scores.json``, ``table.md`` and
        ``dependence.png``.
    clips : list of Clip, optional
        The data set, to find answers that are missing altogether.

    Returns
    -------
    dict
        ``scores.json``.
    """
    folder = Path(output_folder)
    systems = read_systems(predictions)
    ids = expected_clips(systems, clips)
    warn_of_gaps(systems, ids)
    with Journal(folder / "verdicts.jsonl") as journal:
        verdicts = run_panel(systems, judges, journal)
    warn_of_failures(verdicts)
    scores = score(systems, verdicts, ids)
    write_report(scores, folder)
    return scores


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


def run_panel(systems, judges, journal):
    """Have every judge judge every system, one judge in memory at a time.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    judges : list
        The panel.
    journal : Journal
        Keeps the verdicts.

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
            verdicts[name, judge.name] = judge_items(cases, judge, journal)
        judge.unload()
    return verdicts


def score(systems, verdicts, ids):
    """Turn verdicts into scores.

    Arguments
    ---------
    systems : dict
        From ``read_systems``.
    verdicts : dict
        From ``run_panel``.
    ids : list of str
        Clips that count.

    Returns
    -------
    dict
        ``scores.json``.
    """
    result = {}
    for name, table in systems.items():
        n_prompts = table["prompt_index"].nunique()
        judges = {
            judge: summarize(fill_grid(frame, ids, n_prompts))
            for (system, judge), frame in verdicts.items()
            if system == name
        }
        result[name] = {"judges": judges, "average": average(judges)}
    return {
        "dataset": {"sha256": _dataset_sha256(systems), "n_clips": len(ids)},
        "mode": "robust",
        "versions": {package: version(package) for package in VERSIONS_OF},
        "systems": result,
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


def write_report(scores, folder):
    """Write ``scores.json``, ``table.md`` and ``dependence.png``.

    Arguments
    ---------
    scores : dict
        From ``score``.
    folder : Path
        Where.
    """
    # Python's NaN is not JSON: a share without answers is null on disk.
    text = json.dumps(_nan_to_none(scores), indent=1, allow_nan=False)
    (folder / "scores.json").write_text(text + "\n", encoding="utf-8")
    table = markdown(results_table(scores))
    (folder / "table.md").write_text(table + "\n", encoding="utf-8")
    dependence_chart(scores, folder / "dependence.png")
    for name in ("verdicts.jsonl", "scores.json", "table.md", "dependence.png"):
        logger.info("Wrote %s", folder / name)


def _nan_to_none(value):
    """Replace NaN by None, at any depth."""
    if isinstance(value, dict):
        return {key: _nan_to_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_nan_to_none(item) for item in value]
    return None if value != value else value
