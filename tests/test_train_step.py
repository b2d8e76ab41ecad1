"""The benchmark of a training step: three ways, one loss.

Authors
 * The speechbrain_jasco developers, 2026
"""

import sys

import pytest
from infer_systems import ROOT
from tiny_training import as_argv, tiny_overrides, write_built


@pytest.fixture
def table(monkeypatch, capsys):
    """Run the benchmark; returns the rows it prints, by their first cell."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)

    def run(*argv):
        import train_step

        train_step.main([str(argument) for argument in argv])
        rows = {}
        for line in capsys.readouterr().out.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0]] = cells[1:]
        return rows

    path = list(sys.path)
    yield run
    sys.path[:] = path
    sys.modules.pop("train_step", None)


def test_three_ways_compute_one_loss(
    table, tiny_whisper, tiny_aisfx, tiny_llm, tmp_path
):
    built = write_built(tmp_path / "built")
    overrides = tiny_overrides(
        (tiny_whisper, tiny_aisfx, tiny_llm), built, tmp_path / "out"
    )
    argv = ["--clips", "5", "--batch_size", "2", "--repeats", "2"]
    rows = table(*argv, *as_argv(overrides))
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
