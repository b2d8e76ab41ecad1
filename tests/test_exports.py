"""The benchmark in other tools: Inspect and lmms-eval.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import pytest

from speechbrain_jasco.dataio import N_INSTRUCTIONS, read_predictions
from speechbrain_jasco.integrations.benchmark_samples import (
    benchmark_samples,
    read_instructions,
)

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = ROOT / "exports"
DEMO = ROOT / "tests" / "samples" / "demo"
OWN = ROOT / "hparams" / "prompts" / "instructions.yaml"


def test_every_clip_with_every_instruction():
    samples = benchmark_samples(
        DEMO / "clips.csv", DEMO, read_instructions(OWN)
    )
    assert len(samples) == 8 * N_INSTRUCTIONS
    assert len({(s["id"], s["prompt"]) for s in samples}) == len(samples)
    assert all(Path(sample["path"]).is_file() for sample in samples)
    assert [s["prompt_index"] for s in samples[:8]] == list(range(8))


@pytest.mark.official
def test_the_authors_instructions(official_folder):
    path = official_folder / "evaluation" / "example.csv"
    assert len(read_instructions(path)) == N_INSTRUCTIONS


def test_hashed_instructions_are_refused():
    path = OWN.with_name("official_instructions.yaml")
    with pytest.raises(ValueError, match="example.csv"):
        read_instructions(path)


def test_inspect_task_with_a_mock_model(tmp_path, monkeypatch):
    inspect_ai = pytest.importorskip("inspect_ai", reason="no inspect-ai")
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    monkeypatch.syspath_prepend(EXPORTS)
    from inspect_what_are_they_doing import what_are_they_doing

    def model(*texts):
        """Says the texts in turn; with usage, else it fetches a tokenizer."""
        outputs = []
        for i in range(8 * N_INSTRUCTIONS):
            text = texts[i % len(texts)]
            outputs.append(ModelOutput.from_content("mockllm/model", text))
            outputs[-1].usage = ModelUsage()
        return get_model("mockllm/model", custom_outputs=outputs)

    grader = model(
        "Rating: 2\nOrientation: both",
        "Rating: 1\nOrientation: audio",
        "I cannot say.",
    )
    (log,) = inspect_ai.eval(
        what_are_they_doing(str(DEMO / "clips.csv"), str(DEMO)),
        model=model("They wait."),
        model_roles={"grader": grader},
        log_dir=str(tmp_path),
        display="none",
    )
    assert log.status == "success", log.error
    (result,) = log.results.scores
    values = {name: metric.value for name, metric in result.metrics.items()}
    assert values["best_mean"] == 2.0  # of 8 in a row, 2 at least say so
    assert values["share_both"] == pytest.approx(22 / 43)
    assert (result.scored_samples, result.unscored_samples) == (43, 21)


def test_lmms_eval_task_writes_predictions(tmp_path, monkeypatch):
    pytest.importorskip("lmms_eval", reason="no lmms-eval")
    from lmms_eval.tasks import TaskManager, get_task_dict

    text = (DEMO / "clips.csv").read_text(encoding="utf-8")
    (tmp_path / "clips.csv").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JASCO_DATA", str(DEMO))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    manager = TaskManager("ERROR", str(EXPORTS / "lmms_eval"), "dummy")
    name = "what_are_they_doing"
    task = get_task_dict([name], manager)[name]
    docs = list(task.test_docs())
    (sound,) = task.doc_to_visual(docs[0])
    assert sound["array"].shape == (59520,)
    assert task.doc_to_text(docs[1]) == read_instructions(OWN)[1]
    rows = [task.process_results(doc, ["They wait."]) for doc in docs]
    rows = [row["answered"] for row in rows]
    rows[0]["allm_output"] = ""
    assert task.aggregation()["answered"](rows) == 63 / 64
    assert len(read_predictions(tmp_path / "predictions.csv")) == 64


def test_exports_name_what_exists():
    text = (EXPORTS / "lmms_eval" / "what_are_they_doing.yaml").read_text()
    functions = (EXPORTS / "lmms_eval" / "utils.py").read_text()
    named = [
        word.split(".")[1] for word in text.split() if word.startswith("utils.")
    ]
    assert len(named) == 5
    for name in named:
        assert f"def {name}(" in functions
