"""Functions of the lmms-eval task: prompts, sound, answers to a file.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os
from pathlib import Path

import pandas as pd
from datasets import Dataset

from speechbrain_jasco.dataio import (
    PREDICTION_COLUMNS,
    SAMPLE_RATE_HZ,
    is_missing,
    read_audio,
    write_table,
)
from speechbrain_jasco.integrations.benchmark_samples import (
    benchmark_samples,
    read_instructions,
)

OWN = Path(__file__).resolve().parents[2] / "hparams/prompts/instructions.yaml"


def process_docs(dataset):
    """Combine every clip with every instruction.

    Arguments
    ---------
    dataset : datasets.Dataset
        What was made of ``clips.csv``, ids taken for numbers: it is read
        again, as text.

    Returns
    -------
    datasets.Dataset
        See ``benchmark_samples``.
    """
    prompts = read_instructions(os.environ.get("JASCO_INSTRUCTIONS", OWN))
    folder = os.environ.get("JASCO_DATA", ".")
    return Dataset.from_list(benchmark_samples("clips.csv", folder, prompts))


def doc_to_audio(doc):
    """Read a clip's sound, resampled (list of dict)."""
    wav = read_audio(doc["path"]).numpy()
    return [{"array": wav, "sampling_rate": SAMPLE_RATE_HZ}]


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    """Give the instruction (str)."""
    return doc["prompt"]


def process_results(doc, results):
    """Keep an answer with its clip (dict)."""
    row = {name: doc.get(name, "") for name in PREDICTION_COLUMNS}
    return {
        "answered": {**row, "with_speech": "True", "allm_output": results[0]}
    }


def write_predictions(rows):
    """Write all answers as this project reads them.

    Arguments
    ---------
    rows : list of dict
        From ``process_results``.

    Returns
    -------
    float
        Share of clips and prompts that have an answer.
    """
    path = os.environ.get("JASCO_PREDICTIONS", "predictions.csv")
    write_table(path, pd.DataFrame(rows)[PREDICTION_COLUMNS])
    answered = [not is_missing(row["allm_output"]) for row in rows]
    return sum(answered) / len(answered)
