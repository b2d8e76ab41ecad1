"""Can a built data set be heard: its words, and its sounds?

    python built_clips.py BUILT_FOLDER [--clips 200] [--source starter:whisper-base]

Words: word error rate of a recogniser on mixtures of the test splits, per
range of the speech-to-sound ratio. Sounds: each of the same mixtures (and, as
the ceiling, its sound stem) is given the sound whose training recordings are
nearest to it by the sound encoder: mean vector per sound over training stems,
standardised, cosine. Chance is one over the number of sounds. No test voice or
recording occurs in training.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from torchaudio.functional import edit_distance

from speechbrain_jasco.building.supplies import generator
from speechbrain_jasco.building.word_errors import words
from speechbrain_jasco.dataio import audio_path, read_audio
from speechbrain_jasco.integrations.sound_weights import load_aisfx
from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser

BINS_DB = [(-np.inf, 0), (0, 5), (5, 10), (10, np.inf), (-np.inf, np.inf)]
TRAINING_STEMS = 5  # of each sound, each from another recording


def read_rows(folder):
    """The rows of the manifest (list of dict)."""
    with open(Path(folder) / "clips.csv", encoding="utf-8", newline="") as fin:
        return list(csv.DictReader(fin))


def training_stems(rows):
    """Some training clips of each sound, each from another recording."""
    stems = {}
    for row in rows:
        if row["split"] in ("train", "hearing"):
            group = stems.setdefault(row["sound_id"], {})
            if len(group) < TRAINING_STEMS:
                group.setdefault(row["recording"], row)
    return [row for group in stems.values() for row in group.values()]


def embed(rows, column, folder, model):
    """One vector per clip [clips, D]."""
    with torch.no_grad():
        vectors = [
            model.encode(read_audio(audio_path(row[column], folder))).mean(0)
            for row in rows
        ]
    return torch.stack(vectors).numpy()


def sound_ranks(train, test, folder):
    """Rank of the right sound for each test clip.

    Arguments
    ---------
    train, test : list of dict
        Rows of the manifest.
    folder : str
        The data set.

    Returns
    -------
    dict
        Column -> ranks [clips], 1 is right.
    int
        Number of sounds.
    """
    model = load_aisfx("starter:aisfx")
    known = embed(train, "sound_wav", folder, model)
    mean, spread = known.mean(0), known.std(0) + 1e-6
    labels = np.array([row["sound_id"] for row in train])
    sounds = np.unique(labels)
    known = (known - mean) / spread
    centres = np.stack([known[labels == s].mean(0) for s in sounds])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    own = np.array([list(sounds).index(row["sound_id"]) for row in test])
    ranks = {}
    for column in ("audio", "sound_wav"):
        vectors = (embed(test, column, folder, model) - mean) / spread
        scores = vectors @ centres.T
        right = scores[np.arange(len(test)), own][:, None]
        ranks[column] = 1 + (scores > right).sum(axis=1)
    return ranks, len(sounds)


def word_errors(rows, folder, source):
    """Wrong words and words meant of each clip, two arrays [clips]."""
    recogniser = WhisperRecogniser(source)
    heard = recogniser.transcribe(
        [read_audio(audio_path(row["audio"], folder)) for row in rows]
    )
    meant = [words(row["spoken_text"]) for row in rows]
    wrong = [
        edit_distance(m, words(h)) for m, h in zip(meant, heard, strict=True)
    ]
    return np.array(wrong), np.array([len(m) for m in meant])


def main():
    """Print one row per range of the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--source", default="starter:whisper-base")
    arguments = parser.parse_args()
    rows = read_rows(arguments.folder)
    test = [row for row in rows if row["split"].startswith("test")]
    order = generator("benchmark").permutation(len(test))
    test = [test[i] for i in order[: arguments.clips]]
    wrong, meant = word_errors(test, arguments.folder, arguments.source)
    ranks, n_sounds = sound_ranks(training_stems(rows), test, arguments.folder)
    snr = np.array([float(row["snr_db"]) for row in test])
    print(
        f"{arguments.source}, aisfx; {n_sounds} sounds, chance "
        f"{1 / n_sounds:.1%}; mixture (sound stem alone)\n"
    )
    print("| SNR, dB | clips | WER | sound right | in first 5 |")
    print("|---|---|---|---|---|")
    for low, high in BINS_DB:
        these = (snr >= low) & (snr < high)
        if not these.any():
            continue
        cells = [
            " ".join(
                form.format(np.mean(ranks[column][these] <= k))
                for column, form in (
                    ("audio", "{:.0%}"),
                    ("sound_wav", "({:.0%})"),
                )
            )
            for k in (1, 5)
        ]
        wer = wrong[these].sum() / meant[these].sum()
        print(
            f"| {low} to {high} | {these.sum()} | {wer:.3f} | {cells[0]} | "
            f"{cells[1]} |"
        )


if __name__ == "__main__":
    main()
