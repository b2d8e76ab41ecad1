"""The paper's dependence bar chart (arXiv 2409.14526, Fig. 2).

Authors
 * The speechbrain_jasco developers, 2026
"""

try:
    import matplotlib
except ImportError as error:
    raise ImportError(
        'Figures need matplotlib: pip install -e ".[report]"'
    ) from error

matplotlib.use("Agg")  # no display on a server

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

# The paper's colours and names for audio, both and speech.
_BARS = {
    "audio": ("tab:red", "audio-dependent (A)"),
    "both": ("tab:green", "both-dependent (A-S)"),
    "speech": ("tab:blue", "speech-dependent (S)"),
}


def dependence_chart(scores, path):
    """Draw one panel per judge and one for their average.

    Arguments
    ---------
    scores : dict
        ``scores.json``.
    path : str or Path
        Where to write; the suffix picks the format.
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
        _draw(axis, systems, shares)
        axis.set_title(title, fontsize=10, parse_math=False)
    axes[0][0].set_ylabel("share of answers (%)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=3, fontsize=8
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _panels(scores):
    """Collect title -> list of shares, one per system, in percent."""
    systems = scores["systems"].values()
    judges = list(next(iter(systems))["judges"])
    panels = {
        judge: [system["judges"][judge]["dependence"] for system in systems]
        for judge in judges
    }
    if len(judges) > 1:
        panels["average"] = [
            system["average"]["dependence"] for system in systems
        ]
    return panels


def _draw(axis, systems, shares):
    """Draw the three bars of every system."""
    place = np.arange(len(systems))
    width = 0.26
    for i, (name, (colour, label)) in enumerate(_BARS.items()):
        heights = np.array([100 * share[name] for share in shares])
        heights = np.nan_to_num(heights)  # no such answer: no bar
        bars = axis.bar(
            place + (i - 1) * width, heights, width, color=colour, label=label
        )
        axis.bar_label(bars, fmt="%.0f", fontsize=7, padding=1)
    names = [name if len(name) < 24 else name[:22] + "..." for name in systems]
    axis.set_xticks(place, names, fontsize=8, parse_math=False)
    axis.set_ylim(0, 108)
    axis.spines[["top", "right"]].set_visible(False)
