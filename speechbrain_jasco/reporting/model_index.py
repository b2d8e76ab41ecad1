"""Results as the ``model-index`` block of a Hugging Face model card.

Authors
 * The speechbrain_jasco developers, 2026
"""

from huggingface_hub.repocard_data import (
    EvalResult,
    eval_results_to_model_index,
)

from speechbrain_jasco.metrics.measures import COMPARED
from speechbrain_jasco.metrics.scores import SHARES
from speechbrain_jasco.metrics.summary import AVERAGE, value_of
from speechbrain_jasco.reporting.published import OFFICIAL_SHA256


def model_index(scores):
    """Write the results of every system by the average of its judges.

    Arguments
    ---------
    scores : dict
        ``scores.json``.

    Returns
    -------
    dict
        ``model-index``: one entry per system, to be copied into its card. A
        score that there is not (no answer with an orientation) is left out.
    """
    entries = []
    for system, result in scores["systems"].items():
        values = {
            f"share_{name}" if name in SHARES else name: value_of(
                result[AVERAGE], name
            )
            for name in COMPARED
        }
        judges = ", ".join(result["judges"])
        results = [
            _result(name, value, judges, scores)
            for name, value in values.items()
            if value == value
        ]
        entries += eval_results_to_model_index(system, results)
    return {"model-index": entries}


def _result(name, value, judges, scores):
    """One number in the card's form."""
    official = scores["dataset"]["sha256"] == OFFICIAL_SHA256
    return EvalResult(
        task_type="audio-text-to-text",
        task_name="Joint audio-speech co-reasoning",
        dataset_type="what-are-they-doing" if official else "other-clips",
        dataset_name="What Are They Doing" if official else "other clips",
        dataset_split="test",
        dataset_revision=scores["dataset"]["sha256"],
        metric_type=name,
        metric_value=float(value),
        metric_name=f"{name} (mode {scores['mode']}; judges: {judges})",
    )
