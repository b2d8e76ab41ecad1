"""What the paper reports, for reference beside one's own results.

Table II and Fig. 2 of arXiv 2409.14526. Best-Mean is a total over 80 clips, so
every printed value gives back its total; the shares behind Fig. 2 are those of
the table in the authors' later README, averaged over the three judges.

Authors
 * The speechbrain_jasco developers, 2026
"""

# Of sounds, words, references and ids of the authors' 80 clips, as
# ``scores.json`` has it.
OFFICIAL_SHA256 = (
    "b12f6d69eac357a084639294f0cf33b78bc4188aa978c66ba3834e4e2d1b325b"
)
N_CLIPS = 80
JUDGES = ("Llama-3.1-70B", "Qwen2.5-72B", "Mistral-Large-2411")

# System -> Best-Mean totals by judge; audio, both and speech in %.
_TOTALS = {
    "WavLLM": ((39, 26, 10), (12, 11, 77)),
    "LTU-AS": ((83, 95, 59), (23, 40, 37)),
    "SALMONN": ((97, 103, 64), (31, 42, 27)),
    "Qwen2-Audio": ((110, 114, 70), (16, 50, 34)),
}


def published_rows(dataset):
    """Give the paper's results, where they are of the same clips.

    Arguments
    ---------
    dataset : dict
        ``dataset`` of ``scores.json``.

    Returns
    -------
    list of dict
        ``system``, ``judges`` (name -> Best-Mean), ``average`` and
        ``dependence`` (fractions); empty for other clips.

    Example
    -------
    >>> rows = published_rows({"sha256": OFFICIAL_SHA256})
    >>> rows[3]["system"], rows[3]["average"]
    ('Qwen2-Audio', 1.225)
    >>> published_rows({"sha256": "of other clips"})
    []
    """
    if dataset["sha256"] != OFFICIAL_SHA256:
        return []
    return [
        {
            "system": system,
            "judges": {
                judge: total / N_CLIPS
                for judge, total in zip(JUDGES, totals, strict=True)
            },
            "average": sum(totals) / (N_CLIPS * len(JUDGES)),
            "dependence": {
                name: percent / 100
                for name, percent in zip(
                    ("audio", "both", "speech"), shares, strict=True
                )
            },
        }
        for system, (totals, shares) in _TOTALS.items()
    ]
