"""The dataset card of a build: what it holds, from where, and how good it is.

``DATASET_CARD.md`` is written from the manifest's rows, so it says what was
built and not what was asked for; ``dataset_card.png`` shows durations, ratios,
sounds and voices.

Authors
 * The speechbrain_jasco developers, 2026
"""

from collections import Counter
from pathlib import Path

from speechbrain_jasco import __version__
from speechbrain_jasco.building.supplies import HEARING_SPLITS, PARTS
from speechbrain_jasco.building.workers import write_whole

SAMPLE_RATE = 16000
LIMITS = """\
- The voices are synthetic and few; what is learned on them need not hold for
  real speech. The recogniser that accepts a line is itself fallible.
- Where the bank is procedural, the sounds are sketches of the real thing.
- The behaviours are one likely answer among others, authored in English.
- Age and emotion of a voice are matched to a line only where a voice has them.
"""


def write_card(recipe, built):
    """Write card and figure beside the manifest.

    Arguments
    ---------
    recipe : Recipe
        What was asked for.
    built : Built
        What came of it.

    Returns
    -------
    Path
        The card.
    """
    folder = Path(built.manifest).parent
    card = card_text(recipe, built)
    path = folder / "DATASET_CARD.md"
    write_whole(path, lambda p: p.write_text(card, encoding="utf-8"))
    draw_figure(built.rows, folder / "dataset_card.png")
    return path


def markdown_table(header, rows):
    """A Markdown table.

    Arguments
    ---------
    header : list of str
        Names of the columns.
    rows : iterable of sequence
        Cells.

    Returns
    -------
    str

    Example
    -------
    >>> print(markdown_table(["a", "b"], [[1, 2]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    table = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    table[1] = "|" + "---|" * len(header)
    return "\n".join(table)


def hours(rows):
    """Length of clips in hours (float)."""
    return sum(int(row["n_frames"]) for row in rows) / SAMPLE_RATE / 3600


def card_text(recipe, built):
    """The card.

    Arguments
    ---------
    recipe : Recipe
        What was asked for.
    built : Built
        What came of it.

    Returns
    -------
    str
        Markdown.
    """
    rows = built.rows
    sections = [
        "# Dataset card",
        f"Built by speechbrain_jasco {__version__} with seed {recipe.seed}: "
        f"{len(rows)} clips, {hours(rows):.2f} hours, 16 kHz mono 16-bit, each "
        "with its sound and its speech as stems that sum to it to the bit. "
        "`clips.csv` has a row per clip.",
        "![Durations, ratios, sounds and voices](dataset_card.png)",
        "## Splits",
        splits_table(rows),
        "`hearing` and `test_open` are random pairs of a sound and a sentence "
        "without a behaviour. No recording and no speaker of a test split is "
        "in any other.",
        "## Voices",
        voices_table(recipe, rows),
        "## Licences and sources",
        licences_table(rows),
        "## Checks",
        checks(recipe, built),
        "## Known limits",
        LIMITS.rstrip(),
        "## How it was drawn",
        markdown_table(
            ["what", "value"],
            [
                [k, v]
                for part in (recipe.size, recipe.ranges)
                for k, v in part.items()
            ],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def splits_table(rows):
    """Clips, hours, triples, sounds, recordings and voices of each split."""
    table = []
    for split in PARTS:
        those = [row for row in rows if row["split"] == split]
        distinct = [
            len({row[column] for row in those if row[column]})
            for column in ("triple_id", "line_id", "sound_id", "recording")
        ]
        voices = ", ".join(sorted({row["voice"] for row in those}))
        table.append(
            [split, len(those), f"{hours(those):.2f}", *distinct, voices]
        )
    header = ["split", "clips", "hours", "triples", "lines", "sounds"]
    return markdown_table([*header, "recordings", "voices"], table)


def voices_table(recipe, rows):
    """Who speaks, how often, and how well they are understood."""
    used = Counter(row["voice"] for row in rows)
    table = []
    for voice in recipe.speech.speakers.voices():
        those = [row for row in rows if row["voice"] == voice.name]
        if those:
            lines = {row["spoken_text"]: row["speech_wer"] for row in those}
            wer = sum(lines.values()) / len(lines)
            about = [voice.name, voice.speaker, voice.gender, voice.age]
            table.append([*about, used[voice.name], f"{wer:.3f}"])
    header = ["voice", "speaker", "gender", "age", "clips", "WER, no sound"]
    return markdown_table(header, table)


def licences_table(rows):
    """Clips by licence and source of their sound."""
    counts = Counter((row["licence"], row["source"]) for row in rows)
    return markdown_table(
        ["licence", "source of the sound", "clips"],
        [[*what, n] for what, n in sorted(counts.items())],
    )


def checks(recipe, built):
    """What was checked, and what did not pass."""
    rows, failures = built.rows, built.failures
    triples = {t.triple_id for t in recipe.triples.triples}
    made = {row["triple_id"] for row in rows if row["triple_id"]}
    left = f"{len(made)} of {len(triples)} triples have clips"
    listener = recipe.speech.recogniser
    heard = "not listened to"
    if listener:
        name = listener.config().get("source", "the recogniser")
        heard = (
            f"heard by {name} with at most {recipe.speech.max_wer} of their "
            "words wrong"
        )
    hearing = sum(row["split"] in HEARING_SPLITS for row in rows)
    return "\n".join(
        [
            f"- All lines were {heard}; {len(failures)} clips failed and are "
            "left out (`failures.csv` says why).",
            f"- {left}; {hearing} clips are for hearing only.",
            "- Every mixture is the sum of its stems, has a peak of at most "
            "0.95 and the ratio its row says (tests of this project).",
        ]
    )


def draw_figure(rows, path):
    """Draw four panels: durations, ratios, sounds, voices.

    Arguments
    ---------
    rows : list of dict
        Of the manifest.
    path : Path
        Where; the suffix picks the format.
    """
    from speechbrain_jasco.reporting.figures import plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    seconds = [int(row["n_frames"]) / SAMPLE_RATE for row in rows]
    axes[0, 0].hist(seconds, bins=24)
    axes[0, 0].set_xlabel("duration (s)")
    axes[0, 1].hist([row["snr_db"] for row in rows], bins=24)
    axes[0, 1].set_xlabel("speech over sound (dB)")
    for axis, column in zip(axes[1], ("sound_id", "voice"), strict=True):
        counts = Counter(row[column] for row in rows).most_common()
        names, heights = zip(*counts, strict=True)
        axis.bar(names, heights)
        axis.set_xlabel(column)
        axis.tick_params(axis="x", rotation=90, labelsize=6)
    for axis in axes.flat:
        axis.set_ylabel("clips")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
