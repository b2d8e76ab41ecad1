"""The benchmarks of training: three ways, one loss; the ceiling.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pandas as pd
import pytest
from tiny_training import as_argv, tiny_overrides, write_built


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


def test_the_ceiling_reads_what_others_hear(
    run_benchmark, tiny_whisper, tiny_aisfx, tiny_llm, tmp_path
):
    built = write_built(tmp_path / "built")
    overrides = tiny_overrides(
        (tiny_whisper, tiny_aisfx, tiny_llm), built, tmp_path / "out"
    )
    rows = run_benchmark("text_ceiling", *as_argv(overrides))
    first, last = next(iter(rows)), list(rows)[-1]
    share = float(first.split()[1])
    assert 0 <= share <= 1 and "9 triples of test_unseen" in first
    written = pd.read_csv(last.removeprefix("Wrote "), keep_default_na=False)
    assert len(written) == 9 * 8
    # Neither encoder is needed; an answer depends on words and sound alone.
    assert not (tmp_path / "out" / "features").exists()
    assert written["allm_output"].nunique() > 9
