"""Measure judges by gold probes before they are believed.

    clips.csv --> probes --> judges --> verdicts.jsonl --> judge_quality.json
                                                           judge_quality.md

The probes go through the same journal as answers do: nothing is judged twice.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

import pandas as pd
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.evaluation import run_panel
from speechbrain_jasco.journal import Journal, content_key, strict_json
from speechbrain_jasco.judging.probes import KINDS, as_systems, make_probes
from speechbrain_jasco.metrics.quality import judge_quality
from speechbrain_jasco.reporting.quality import quality_report

logger = get_logger(__name__)

QUALITY_FILE = "judge_quality.json"


def measure_judges(judges, output_folder, clips):
    """Have judges judge what is known, and report how often they are right.

    Arguments
    ---------
    judges : list
        The panel.
    output_folder : str or Path
        Gets ``verdicts.jsonl``, ``judge_quality.json`` and ``.md``.
    clips : list of Clip
        Any data set.

    Returns
    -------
    str
        The report, as Markdown.
    """
    folder = Path(output_folder)
    probes = make_probes(clips)
    with Journal(folder / "verdicts.jsonl") as journal:
        verdicts = run_panel(as_systems(probes), judges, journal)
    quality = {
        "probes": {
            "sha256": content_key(probes.to_dict("records")),
            "n_clips": len(clips),
            "n_probes": len(probes),
            "truth": {kind: truth._asdict() for kind, truth in KINDS.items()},
        },
        "judges": {
            judge.name: {
                "judge_config_sha256": content_key(judge.config()),
                **judge_quality(gold_table(verdicts, judge.name)),
            }
            for judge in judges
        },
    }
    text = strict_json(quality, indent=1)
    (folder / QUALITY_FILE).write_text(text + "\n", encoding="utf-8")
    report = quality_report(quality)
    path = (folder / QUALITY_FILE).with_suffix(".md")
    path.write_text(report + "\n", encoding="utf-8")
    logger.info("Wrote %s and %s", folder / QUALITY_FILE, path)
    return report


def gold_table(verdicts, judge):
    """Put one judge's verdicts on probes beside the truth.

    Arguments
    ---------
    verdicts : dict
        (system, judge name) -> table, from ``run_panel``.
    judge : str
        Its name.

    Returns
    -------
    pandas.DataFrame
        As ``metrics/quality.py`` wants it.
    """
    table = pd.concat(
        frame.assign(form=system.split(", ")[1])
        for (system, name), frame in verdicts.items()
        if name == judge
    )
    kinds = [list(KINDS)[i] for i in table["prompt_index"]]
    truths = [KINDS[kind] for kind in kinds]
    return table.assign(
        kind=kinds,
        ratings=[truth.ratings for truth in truths],
        orientations=[truth.orientations for truth in truths],
        true_rating=[truth.ratings[0] for truth in truths],
        true_score=[truth.score for truth in truths],
        # Where several are right, the probe says nothing of confusion.
        true_orientation=[
            truth.orientations[0] if len(truth.orientations) == 1 else None
            for truth in truths
        ],
    )


def find_quality(path, output_folder, judges):
    """Read what probes said of judges, where they were probed.

    Arguments
    ---------
    path : str, Path or None
        ``judge_quality.json``; None: the one in the output folder, if any.
    output_folder : str or Path
        The folder.
    judges : list
        The panel that is to be believed.

    Returns
    -------
    dict
        Judge name -> its entry; empty without a file.
    """
    if path is None:
        path = Path(output_folder) / QUALITY_FILE
        if not path.is_file():
            return {}
    return read_quality(path, judges)


def read_quality(path, judges):
    """Read what probes said of judges, if they are still the same judges.

    Arguments
    ---------
    path : str or Path
        ``judge_quality.json``.
    judges : list
        The panel that is to be believed.

    Returns
    -------
    dict
        Judge name -> its entry; a judge that has other settings now, or was
        never measured, is left out with a warning.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is another file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file. Make one: python evaluate.py "
            "hparams/judge_probes.yaml --output_folder DIR"
        )
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["judges"]
        known = {name: e["judge_config_sha256"] for name, e in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: not a {QUALITY_FILE} ({error!r}). Make it anew with "
            "hparams/judge_probes.yaml."
        ) from error
    for judge in judges:
        if known.get(judge.name) != content_key(judge.config()):
            logger.warning(
                "%s: %s was not measured with these settings; its scores "
                "stand without a probe accuracy.",
                path,
                judge.name,
            )
            entries.pop(judge.name, None)
    names = [judge.name for judge in judges]
    return {name: entries[name] for name in names if name in entries}
