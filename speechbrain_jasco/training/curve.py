"""The learning curve: ``train_log.txt`` as a figure.

    epoch: 1, stage: align, score: 0.4 - train loss: 5.7 - valid loss: 5.7, ...

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

from speechbrain_jasco.reporting.figures import LINES, plt

LOSSES = "losses (dotted: training)"
PANELS = {  # title -> measures, highest value
    "hearing": (
        ["wer", "sound_accuracy", "ctc_wer", "ctc_sound", "ctc_speaker"],
        1,
    ),
    "choice of the answer": (["choice", "choice_sound", "choice_speech"], 1),
    "answers, as judged": (
        ["best_mean", "audio_share", "both_share", "speech_share"],
        2,
    ),
}
TITLES = {
    "wer": "word error rate",
    "sound_accuracy": "sound named",
    "ctc_wer": "word error rate, without the LLM",
    "ctc_sound": "sound, without the LLM",
    "ctc_speaker": "speaker, without the LLM",
    "choice": "sound and speech",
    "choice_sound": "sound alone",
    "choice_speech": "speech alone",
    "best_mean": "Best-Mean",
    "audio_share": "share audio-dependent",
    "both_share": "share both-dependent",
    "speech_share": "share speech-dependent",
}
_SPLITS = ("train", "valid")


def read_log(path):
    """Reads what SpeechBrain's ``FileTrainLogger`` has written.

    Arguments
    ---------
    path : str or Path
        ``train_log.txt``.

    Returns
    -------
    list of dict
        One per epoch: "epoch", "stage", "score", and "train" and "valid",
        measure -> number. Of an epoch that a resumed run has logged again,
        the last; lines of a test are left out.

    Raises
    ------
    ValueError
        If no line is an epoch's.
    """
    epochs = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = {split: {} for split in _SPLITS}
        for cell in line.replace(" - ", ", ").split(", "):
            name, _, value = cell.partition(": ")
            split, _, measure = name.partition(" ")
            if split in _SPLITS:
                row[split][measure] = float(value)
            else:
                row[name] = value
        if "epoch" in row:
            epochs[int(row["epoch"])] = row
    if not epochs:
        raise ValueError(
            f"{path}: got no line that begins with an epoch; expected the log "
            "of a training"
        )
    return [{**epochs[n], "epoch": n} for n in sorted(epochs)]


def learning_curve(log, paths):
    """Draws losses, hearing, choice and judgements over the epochs.

    Arguments
    ---------
    log : str or Path
        ``train_log.txt``.
    paths : list of Path
        Where to write; the suffix picks the format.
    """
    rows = read_log(log)
    measures = {m for row in rows for m in row["valid"]}
    known = {m for names, _ in PANELS.values() for m in names}
    panels = {LOSSES: (sorted(measures - known), None), **PANELS}
    panels = {
        title: ([m for m in names if m in measures], top)
        for title, (names, top) in panels.items()
        if measures.intersection(names)
    }
    figure, axes = plt.subplots(
        1,
        len(panels),
        figsize=(4.4 * len(panels), 3.6),
        squeeze=False,
        layout="constrained",
    )
    drawn = zip(axes[0], panels.items(), strict=True)
    for axis, (title, (names, top)) in drawn:
        _draw(axis, rows, names)
        axis.set_title(title, fontsize=10, pad=15)
        if top is not None:
            axis.set_ylim(0, 1.05 * top)
    for path in paths:
        figure.savefig(path, dpi=150)
    plt.close(figure)


def _draw(axis, rows, measures):
    """Draws one line per measure; what is trained on is dotted."""
    for number, measure in enumerate(measures):
        title = TITLES.get(measure, measure)
        marker = ".x+"[number // len(LINES) % 3]
        for split, style in {"valid": "-", "train": ":"}.items():
            points = [
                (row["epoch"], row[split][measure])
                for row in rows
                if measure in row[split]
            ]
            if points:
                axis.plot(
                    *zip(*points, strict=True),
                    style,
                    color=LINES[number % len(LINES)],
                    marker=marker,
                    markersize=4,
                    label=title if split == "valid" else None,
                )
    _mark_stages(axis, rows)
    axis.set_xlabel("epoch")
    axis.legend(fontsize=7, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def _mark_stages(axis, rows):
    """Draws a line where a stage begins, with its name."""
    before = None
    for row in rows:
        if row["stage"] != before:
            before = row["stage"]
            start = row["epoch"] - 0.5
            axis.axvline(start, color="0.85", lw=0.8, zorder=0)
            axis.text(
                start,
                1.0,
                f" {before}",
                transform=axis.get_xaxis_transform(),
                fontsize=7,
                color="0.45",
                va="bottom",
            )
