"""What a training has logged, as a figure and for TensorBoard.

Authors
 * The speechbrain_jasco developers, 2026
"""

import matplotlib.pyplot as plt
import pytest
from speechbrain.utils.train_logger import FileTrainLogger

from speechbrain_jasco.training.curve import LOSSES, learning_curve, read_log

ALIGN = {"loss": 3.25, "ctc": 2.5, "ctc_wer": 0.75, "ctc_sound": 0.5}
REASON = {"loss": 1.5, "direct": 1.5, "ctc": 2.0, "wer": 0.25, "choice": 0.875}
REASON |= {"best_mean": 1.25, "audio_share": float("nan")}


@pytest.fixture
def log(tmp_path):
    """Three epochs by SpeechBrain's own logger, the second one twice, and a
    test."""
    path = tmp_path / "train_log.txt"
    logger = FileTrainLogger(str(path), precision=3)
    for epoch, stage, valid in (
        (1, "align", ALIGN),
        (2, "align", {**ALIGN, "ctc": 9.0}),
        (2, "align", ALIGN),
        (3, "reason", REASON),
    ):
        meta = {"epoch": epoch, "stage": stage, "score": 0.625}
        train = {"loss": 120.5, "ctc": 2.25}
        logger.log_stats(meta, train, valid, verbose=False)
    logger.log_stats({"test": "test_seen"}, test_stats=REASON, verbose=False)
    return path


def test_reads_what_the_logger_writes(log):
    rows = read_log(log)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["stage"] for row in rows] == ["align", "align", "reason"]
    assert [row["valid"] for row in rows] == [
        ALIGN,
        ALIGN,
        pytest.approx(REASON, nan_ok=True),
    ]
    assert rows[2]["train"] == {"loss": 120.5, "ctc": 2.25}


def test_what_is_no_log_is_told(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("test: test_seen - test loss: 1.0\n")
    with pytest.raises(ValueError, match="begins with an epoch"):
        read_log(path)


def test_the_figure_has_every_measure_once(log, tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(plt, "close", closed.append)
    paths = [tmp_path / "curve.png", tmp_path / "curve.svg"]
    learning_curve(log, paths)
    assert all(path.stat().st_size > 5000 for path in paths)
    (figure,) = closed
    drawn = {
        axis.get_title(): axis.get_legend_handles_labels()[1]
        for axis in figure.axes
    }
    assert drawn == {
        LOSSES: ["ctc", "direct", "loss"],
        "hearing": [
            "word error rate",
            "word error rate, without the LLM",
            "sound, without the LLM",
        ],
        "choice of the answer": ["sound and speech"],
        "answers, as judged": ["Best-Mean", "share audio-dependent"],
    }
    losses = {
        line.get_label(): line.get_xydata().tolist()
        for line in figure.axes[0].get_lines()
    }
    assert losses["ctc"] == [[1, 2.5], [2, 2.5], [3, 2.0]]
    stages = [text.get_text().strip() for text in figure.axes[0].texts]
    assert stages == ["align", "reason"]


def test_tensorboard_goes_on_at_the_epoch(tmp_path):
    pytest.importorskip("tensorboard", reason='pip install ".[tensorboard]"')
    from tensorboard.backend.event_processing import event_accumulator

    from speechbrain_jasco.training.tensorboard import EpochLogger

    def epoch(logger, number, loss):
        meta = {"epoch": number, "stage": "align", "score": 0.5}
        logger.log_stats(meta, {"loss": loss}, {"loss": loss + 1})

    logger = EpochLogger(str(tmp_path))
    epoch(logger, 1, 4.0)
    logger.writer.close()
    logger = EpochLogger(str(tmp_path))  # as after a kill
    epoch(logger, 2, 3.0)
    logger.log_stats({"test": "test_seen"}, test_stats={"wer": 0.25})
    logger.log_stats({"test": "test_open"}, test_stats={"wer": 0.75})
    logger.writer.close()
    events = event_accumulator.EventAccumulator(str(tmp_path)).Reload()

    def points(tag):
        return [(event.step, event.value) for event in events.Scalars(tag)]

    assert points("loss/train") == [(1, 4.0), (2, 3.0)]
    assert points("loss/valid") == [(1, 5.0), (2, 4.0)]
    assert points("score/meta") == [(1, 0.5), (2, 0.5)]
    assert points("wer/test_seen") == [(0, 0.25)]
    assert points("wer/test_open") == [(0, 0.75)]
