"""The benchmarks of training: three ways, one loss; the ceiling; the choice.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd
import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from infer_systems import HPARAMS
from tiny_systems import randomize
from tiny_training import SPLITS, as_argv, tiny_overrides, write_built

from speechbrain_jasco.integrations.trained_weights import export
from speechbrain_jasco.training.choice import reworded
from speechbrain_jasco.training.data import read_built


def test_three_ways_compute_one_loss(
    run_benchmark, tiny_whisper, tiny_aisfx, tiny_llm, tmp_path
):
    built = write_built(tmp_path / "built")
    overrides = tiny_overrides(
        (tiny_whisper, tiny_aisfx, tiny_llm), built, tmp_path / "out"
    )
    argv = ["--clips", "5", "--batch_size", "2", "--repeats", "2"]
    rows = run_benchmark("train_step", *argv, *as_argv(overrides))
    assert next(iter(rows)).startswith("5 clips, 2 turns")
    losses = {
        name: rows[name][-1] for name in ("cached", "on the fly", "plain")
    }
    assert len(set(losses.values())) == 1, losses
    assert float(losses["plain"]) > 1
    for name in losses:
        median, slowest, fastest, faster, _ = map(float, rows[name])
        assert slowest <= median <= fastest
        assert faster == pytest.approx(
            float(rows["cached"][0]) / median, rel=0.02
        )
    n_kept = len(list((tmp_path / "out" / "features").rglob("*.safetensors")))
    assert n_kept == 5 * 2  # clips, encoders


def test_the_choice_of_a_file_is_that_of_the_examiner(
    run_benchmark, tiny_whisper, tiny_aisfx, tiny_llm, tmp_path
):
    built = write_built(tmp_path / "built", [*SPLITS, "hearing"])
    overrides = tiny_overrides(
        (tiny_whisper, tiny_aisfx, tiny_llm), built, tmp_path / "out"
    )
    with (HPARAMS / "baseline.yaml").open() as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    trainee, examiner = hparams["trainee"], hparams["examiner"]
    trainee.model.llm.load()
    splits = read_built(built / "clips.csv", built)
    rows = [row for split in splits.values() for row in split]
    hparams["clip_data"].prepare(trainee, rows)
    randomize(trainee.model)
    file = tmp_path / "model.safetensors"
    export(trainee.model, file, torch.float32)
    examiner.prepare(trainee, hparams["features"], rows, [])
    trainee.eval()
    expected = examiner.choice(splits["test_seen"], examiner.reading("audio"))
    argv = [file, "--recogniser", tiny_whisper, *as_argv(overrides)]
    lines = run_benchmark("choice", *argv)
    n = len(splits["test_seen"])
    heard = next(iter(lines))
    assert f"of {n} clips, choice {expected:.3f}" in heard
    path = list(lines)[-1].removeprefix("Wrote ")
    table = pd.read_csv(path, keep_default_na=False)
    assert table["right"].mean() == pytest.approx(expected)
    assert len(table) == n and set(table["id"]) == {
        row["id"] for row in splits["test_seen"]
    }
    # What is not read off is what the recogniser says, word for word.
    own = table["read"] == table["heard"]
    assert (own | (table["read"] == table["transcript"])).all()
    same = table[own]
    assert (same["chosen"] == same["chosen_read"]).all()
    lines = run_benchmark("choice", *argv, "--split", "hearing")
    assert "choice" not in next(iter(lines))
    # In other words, each of which is another triple's here.
    names = sorted({row["triple_id"] for row in rows} - {""})
    other = dict(zip(names, names[1:] + names[:1], strict=True))
    texts = {row["triple_id"]: row["tgt_text"] for row in rows}
    path = tmp_path / "rewordings.csv"
    answers = {"triple_id": names, "answer": [texts[other[n]] for n in names]}
    pd.DataFrame(answers).to_csv(path, index=False)
    own = reworded(rows, path)
    examiner.prepare(trainee, hparams["features"], own, [])
    expected = examiner.choice(splits["test_seen"], examiner.reading("audio"))
    lines = run_benchmark("choice", *argv, "--answers", path)
    assert f"choice {expected:.3f}" in next(iter(lines))
    again = pd.read_csv(tmp_path / "out" / "choice.csv")
    assert list(again["chosen"]) != list(table["chosen"])


def test_the_ceiling_reads_what_others_hear(
    run_benchmark, tiny_whisper, tiny_aisfx, tiny_llm, tmp_path
):
    built = write_built(tmp_path / "built")
    overrides = tiny_overrides(
        (tiny_whisper, tiny_aisfx, tiny_llm), built, tmp_path / "out"
    )
    rows = run_benchmark("text_ceiling", *as_argv(overrides))
    first, last = next(iter(rows)), list(rows)[-1]
    # The same words over again change nothing; a triple without any is said.
    splits = read_built(built / "clips.csv", built)
    own = {r["triple_id"]: r["tgt_text"] for rs in splits.values() for r in rs}
    table = pd.DataFrame({"triple_id": list(own), "answer": own.values()})
    path = tmp_path / "rewordings.csv"
    table.to_csv(path, index=False)
    argv = ["--answers", path, *as_argv(overrides)]
    assert next(iter(run_benchmark("text_ceiling", *argv))) == first
    table[1:].to_csv(path, index=False)
    with pytest.raises(ValueError, match=rf"such as {table['triple_id'][0]}"):
        run_benchmark("text_ceiling", *argv)
    share = float(first.split()[1])
    assert 0 <= share <= 1 and "9 triples of test_unseen" in first
    written = pd.read_csv(last.removeprefix("Wrote "), keep_default_na=False)
    assert len(written) == 9 * 8
    # Neither encoder is needed; an answer depends on words and sound alone.
    assert not (tmp_path / "out" / "features").exists()
    assert written["allm_output"].nunique() > 9
