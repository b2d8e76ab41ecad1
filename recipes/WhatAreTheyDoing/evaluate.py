"""Score predictions: Best-Mean and modality dependence, by a panel of judges.

    predictions.csv --> judges --> verdicts.jsonl --> scores.json, table.md,
    (one or several                                   statistics.md,
     systems)                                         dependence.png

Run from this folder:

    python evaluate.py hparams/judge.yaml
    python evaluate.py hparams/judge.yaml \
        --predictions results/cascade/predictions.csv --output_folder results/j
    python evaluate.py hparams/judge.yaml --predictions "{A: a.csv, B: b.csv}"

    python evaluate.py hparams/judge_probes.yaml   # measures the judges
    python evaluate.py hparams/judge_saved.yaml    # scores saved verdicts anew
    python evaluate.py hparams/human_sheet.yaml    # lets people judge too

The first form scores the demo clips, and asks the cascade about them first
where that has not been done. A killed run goes on where it stopped; nothing is
judged twice.

How to read this file: ``main`` from top to bottom, then the YAML; the work is
in ``speechbrain_jasco/evaluation.py``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import gc
import sys
from pathlib import Path

import infer
import speechbrain as sb
from hyperpyyaml import load_hyperpyyaml
from what_are_they_doing_prepare import prepare_what_are_they_doing

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.evaluation import evaluate
from speechbrain_jasco.probing import find_quality
from speechbrain_jasco.reporting.tables import results_text

DEMO_DATA = "../../tests/samples/demo"


def main(argv):
    """Run the evaluation that a YAML describes.

    Arguments
    ---------
    argv : list of str
        YAML file and overrides.

    Returns
    -------
    dict or str
        ``scores.json``, the report on the judges, or what to do with a sheet.
    """
    hparams_file, _, overrides = sb.parse_arguments(argv)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    clips = None
    if hparams["data_folder"] is not None:
        manifest = prepare_what_are_they_doing(
            hparams["data_folder"],
            hparams["output_folder"],
            split=hparams["split"],
        )
        clips = read_clips(manifest, hparams["data_folder"])
    judges, folder = hparams["judges"], hparams["output_folder"]
    if "measure" in hparams:  # the judges are measured, not predictions
        report = hparams["measure"](judges, folder, clips)
        print(f"\n{report}\n\nReport: {folder}")
        return report
    predictions = hparams["predictions"]
    if not predictions:
        predictions = {
            system: infer.main([yaml, "--data_folder", DEMO_DATA])
            for system, yaml in hparams["demo_inference"].items()
        }
        if clips is None:
            any_file = next(iter(predictions.values()))
            manifest = Path(any_file).with_name("clips.csv")
            clips = read_clips(manifest, DEMO_DATA)
    if "sheet" in hparams:  # people judge some of them too
        to_do = hparams["sheet"].exchange(predictions, clips, folder)
        if to_do:
            print(f"\n{to_do}")
            return to_do
    quality = find_quality(hparams["judge_quality"], folder, judges)
    scores = evaluate(
        predictions,
        judges,
        folder,
        clips,
        quality,
        hparams["scoring"],
        hparams["remark"],
    )
    print(f"\n{results_text(scores, scores['remark'])}\n\nReport: {folder}")
    return scores


if __name__ == "__main__":
    # The imports' objects stay, so the collector need not walk them at exit.
    gc.freeze()
    main(sys.argv[1:])
