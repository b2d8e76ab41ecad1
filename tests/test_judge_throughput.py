"""The throughput benchmark runs and counts; its times are for a quiet machine.

Authors
 * The speechbrain_jasco developers, 2026
"""

import functools

import pytest
from test_transformers_generator import variant


@pytest.fixture
def table(run_benchmark):
    return functools.partial(run_benchmark, "judge_throughput")


def test_far_fewer_tokens_are_read(tiny_llm, tmp_path, table):
    def longer(name, content):
        if name == "config.json":  # its tokens are little more than bytes
            content["max_position_embeddings"] = 8192

    folder = variant(tiny_llm, tmp_path / "longer", longer)
    rows = table(
        *["--parts", "model", "--source", folder],
        *["--answers", "16", "--tokens", "2", "--batch_size", "8"],
    )
    for name in ("labels", "text, 2 tokens"):
        _, _, _, theirs, ours, fewer = rows[name]
        assert int(ours) < 0.3 * int(theirs)
        assert int(fewer) >= 70
    # The text of the other way, the tokens of this one.
    mixed = rows["labels here, text there"]
    assert mixed[3] == rows["text, 2 tokens"][3]
    assert mixed[4] == rows["labels"][4]


def test_the_server_part_runs(table):
    rows = table("--parts", "server", "--concurrency", "4", "--rounds", "2")
    n_calls, seconds, ideal, _ = rows["4"]
    assert (n_calls, ideal) == ("8", "0.40")
    assert float(seconds) >= 0.4
