"""The paper's dependence bar chart (arXiv 2409.14526, Fig. 2), best of k.

Authors
 * The speechbrain_jasco developers, 2026
"""

import logging

try:
    import matplotlib
except ImportError as error:
    raise ImportError(
        'Figures need matplotlib: pip install -e ".[report]"'
    ) from error

matplotlib.use("Agg")  # no display on a server
# A recipe's log.txt has everything from DEBUG on: hundreds of lines on fonts.
logging.getLogger("matplotlib").setLevel(logging.INFO)

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from speechbrain_jasco.metrics.summary import (  # noqa: E402
    AVERAGE,
    PANEL,
    distinct_rows,
)

_LABELS = {
    "audio": "audio-dependent (A)",
    "both": "both-dependent (A-S)",
    "speech": "speech-dependent (S)",
}
# The paper's, and three that colour-blind readers tell apart (Okabe and Ito).
PAPER = {"audio": "tab:red", "both": "tab:green", "speech": "tab:blue"}
SAFE = {"audio": "#e69f00", "both": "#009e73", "speech": "#0072b2"}
DPI = 150  # of PNG files
LINES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"]


def dependence_chart(scores, paths, colours=PAPER):
    """Draw one panel per judge and one for their average.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    paths : list of Path
        Where to write; the suffix picks the format.
    colours : dict
        ``PAPER`` or ``SAFE``.
    """
    panels = _panels(scores)
    systems = list(scores["systems"])
    figure, axes = plt.subplots(
        1,
        len(panels),
        figsize=(1.2 + len(panels) * max(2.6, 1.1 * len(systems)), 3.6),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (title, shares) in zip(axes[0], panels.items(), strict=True):
        _draw(axis, systems, shares, colours)
        axis.set_title(title, fontsize=10, parse_math=False)
    axes[0][0].set_ylabel("share of answers (%)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3, fontsize=8
    )
    _save(figure, paths)


def best_of_k_chart(scores, paths):
    """Draw the best-of-k curve of every system, by the average of the judges.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    paths : list of Path
        Where to write; the suffix picks the format.
    """
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for i, (name, result) in enumerate(scores["systems"].items()):
        curve = np.array(result[AVERAGE]["best_of_k"], float)
        ends = np.array(result[AVERAGE]["ci95"]["best_of_k"], float)
        k = np.arange(1, len(curve) + 1)
        colour = LINES[i % len(LINES)]
        dash = ["-", "--", ":", "-."][i // len(LINES) % 4]
        axis.plot(k, curve, dash, color=colour, label=_short(name))
        if len(scores["systems"]) <= 4:
            axis.fill_between(k, *ends.T, color=colour, alpha=0.13, lw=0)
    axis.set_xlabel("k prompts")
    axis.set_ylabel("mean of the best score of k")
    axis.set_ylim(0, 2)
    axis.spines[["top", "right"]].set_visible(False)
    legend = figure.legend(loc="outside right upper", fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)
    _save(figure, paths)


def _save(figure, paths):
    """Write a figure in the formats that its paths name."""
    # Arranged once, in the pixels of the PNG: each format would do it anew.
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for path in paths:
        # Without a date the same scores give the same file.
        vector = {"metadata": {"Date": None}} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=DPI, **vector)
    plt.close(figure)


def _short(name):
    """A name that fits below its bars (str)."""
    return name if len(name) < 24 else name[:22] + "..."


def _panels(scores):
    """Collect title -> list of shares, one per system, in percent."""
    systems = [distinct_rows(result) for result in scores["systems"].values()]
    return {
        name: [rows[name]["dependence"] for rows in systems]
        for name in systems[0]
        if name != PANEL
    }


def _draw(axis, systems, shares, colours):
    """Draw the three bars of every system."""
    place = np.arange(len(systems))
    width = 0.26
    for i, (name, label) in enumerate(_LABELS.items()):
        heights = np.array([100 * share[name] for share in shares])
        heights = np.nan_to_num(heights)  # no such answer: no bar
        bars = axis.bar(
            place + (i - 1) * width,
            heights,
            width,
            color=colours[name],
            label=label,
        )
        axis.bar_label(bars, fmt="%.0f", fontsize=7, padding=1)
    names = [_short(name) for name in systems]
    axis.set_xticks(place, names, fontsize=8, parse_math=False)
    axis.set_ylim(0, 108)
    axis.spines[["top", "right"]].set_visible(False)
