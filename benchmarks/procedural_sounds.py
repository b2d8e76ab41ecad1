"""Are the procedural sounds told apart, and are they like real recordings?

    python procedural_sounds.py [--instances 12] [--real] [--page docs/sounds.md]

Nobody listens: vectors of three encoders do. Instances of every sound are
embedded (aiSFX, SoundNet, MFCC statistics; mean over time), standardised, and

separate  every instance is given to the nearest centroid, its own sound's
          without itself (leave one out), and to its nearest neighbour;
excerpts  the same with a noisy excerpt of 2.4 s instead of the whole
          instance, 10 dB above pink noise: sounds as clips have them;
real      with --real, every recording of the Debian bank is ranked among the
          procedural centroids, both below 5 kHz, since most of those
          recordings end there. Sketches of some sounds were improved by
          looking at these recordings, so this is no unseen test.

With --page the table of sounds, with what each is most confused with, is
written between two marks of a Markdown page.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torchaudio

from speechbrain_jasco.building.debian_sounds import PACKAGES, DebianBank
from speechbrain_jasco.building.procedural_bank import (
    SKETCHES,
    ProceduralBank,
    render,
)
from speechbrain_jasco.building.synthesis import shape_band
from speechbrain_jasco.integrations.sound_weights import (
    load_aisfx,
    load_soundnet,
)

RATE = 16000
EXCERPT_S = 2.4
EXCERPT_SNR_DB = 10.0
REAL_HIGHEST_HZ = 5000
MARKS = ("<!-- sounds: begin -->", "<!-- sounds: end -->")


def load_encoders():
    """Name -> function from a waveform [S] to a vector [D]."""
    aisfx, soundnet = (
        load_aisfx("starter:aisfx"),
        load_soundnet("starter:soundnet8"),
    )
    mfcc = torchaudio.transforms.MFCC(
        n_mfcc=20, melkwargs={"n_fft": 512, "hop_length": 160, "n_mels": 40}
    )

    def mfcc_statistics(wav):
        frames = mfcc(wav)
        return torch.cat([frames.mean(1), frames.std(1)])

    return {
        "aiSFX": lambda wav: aisfx.encode(wav).mean(0),
        "SoundNet conv5": lambda wav: soundnet.encode(wav).mean(0),
        "MFCC mean + std": mfcc_statistics,
    }


def embed(encode, wavs):
    """Vectors of waveforms [N, D]."""
    with torch.no_grad():
        rows = [encode(torch.from_numpy(wav)).numpy() for wav in wavs]
    return np.stack(rows).astype(np.float64)


def unit(vectors, mean, std):
    """Standardise and scale to length 1 [N, D]."""
    vectors = (vectors - mean) / std
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def nearest_centroid(vectors, labels):
    """Similarity of each vector to each sound's centroid without itself.

    Arguments
    ---------
    vectors : numpy.ndarray [N, D]
        Of unit length.
    labels : numpy.ndarray [N]
        Which sound each is.

    Returns
    -------
    numpy.ndarray [N, sounds]
    """
    sums = np.stack([vectors[labels == k].sum(0) for k in np.unique(labels)])
    similarity = np.empty((len(vectors), len(sums)))
    for row, (vector, label) in enumerate(zip(vectors, labels, strict=True)):
        rest = sums.copy()
        rest[label] -= vector
        rest /= np.linalg.norm(rest, axis=1, keepdims=True)
        similarity[row] = rest @ vector
    return similarity


def nearest_neighbour(vectors, labels):
    """The sound of each vector's nearest other vector [N]."""
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -2.0)
    return labels[cosine.argmax(axis=1)]


def excerpt(wav, rng):
    """A noisy piece of a sound, from where it is loud."""
    length = int(EXCERPT_S * RATE)
    energy = np.cumsum(np.square(wav, dtype=np.float64))
    power = (energy[length:] - energy[:-length])[:: RATE // 10]
    start = rng.choice(np.flatnonzero(power >= 0.25 * power.max()))
    piece = wav[start * RATE // 10 :][:length]
    noise = shape_band(rng.standard_normal(len(piece)), 50, 8000, -3)
    noise *= piece.std() / noise.std() * 10 ** (-EXCERPT_SNR_DB / 20)
    return (piece + noise).astype(np.float32)


def low_pass(wav):
    """What a recording at 11 kHz would have kept."""
    return shape_band(wav, 50, REAL_HIGHEST_HZ).astype(np.float32)


def measure_separation(encoders, wavs, labels):
    """Print accuracies; aiSFX's decisions on excerpts [N]."""
    rng = np.random.default_rng(0)
    pieces = [excerpt(wav, rng) for wav in wavs]
    print("\n| encoder | input | nearest centroid | nearest neighbour |")
    print("| --- | --- | --- | --- |")
    decisions = {}
    for name, encode in encoders.items():
        for kind, inputs in (("whole", wavs), ("excerpt", pieces)):
            vectors = embed(encode, inputs)
            std = vectors.std(0) + 1e-6
            vectors = unit(vectors, vectors.mean(0), std)
            found = nearest_centroid(vectors, labels).argmax(axis=1)
            near = nearest_neighbour(vectors, labels)
            decisions[name, kind] = found
            print(
                f"| {name} | {kind} | {np.mean(found == labels):.1%} | "
                f"{np.mean(near == labels):.1%} |",
                flush=True,
            )
    return decisions["aiSFX", "whole"], decisions["aiSFX", "excerpt"]


def measure_real(encoders, wavs, labels, names):
    """Print how real recordings rank among procedural centroids.

    Returns
    -------
    dict
        sound_id -> ranks of its real recordings by aiSFX.
    """
    bank = DebianBank(tuple(PACKAGES))
    recordings = bank.recordings()
    target = np.array([names.index(r.sound_id) for r in recordings])
    real = [low_pass(bank.load(recording)) for recording in recordings]
    wavs = [low_pass(wav) for wav in wavs]
    print(f"\n{len(real)} real recordings of {len(set(target))} sounds\n")
    print("| encoder | first | among the first 5 | median rank | chance |")
    print("| --- | --- | --- | --- | --- |")
    ranks = {}
    for name, encode in encoders.items():
        made = embed(encode, wavs)
        mean, std = made.mean(0), made.std(0) + 1e-6
        made = unit(made, mean, std)
        centroids = np.stack([made[labels == k].mean(0) for k in set(labels)])
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        similarity = unit(embed(encode, real), mean, std) @ centroids.T
        own = similarity[np.arange(len(target)), target]
        rank = 1 + (similarity > own[:, None]).sum(axis=1)
        ranks.setdefault("aiSFX", rank)
        print(
            f"| {name} | {np.mean(rank == 1):.0%} | {np.mean(rank <= 5):.0%} "
            f"| {np.median(rank):.0f} | {1 / len(names):.0%}, "
            f"{5 / len(names):.0%}, {len(names) / 2:.0f} |",
            flush=True,
        )
    found = {}
    for k, rank in zip(target, ranks["aiSFX"], strict=True):
        found.setdefault(names[k], []).append(int(rank))
    return found


def table_of_sounds(names, labels, decisions, ranks):
    """One line per sound: sketch, accuracies, confusion, real recordings."""
    lines = [
        "| sound | sketch | whole % | excerpt % | excerpts taken for, % | "
        "ranks of real recordings |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    whole, pieces = decisions
    for k, name in enumerate(names):
        sketch = SKETCHES[name].__doc__.strip().split("\n\n")
        text = " ".join(sketch[min(1, len(sketch) - 1)].split())
        own = labels == k
        wrong = [names[i] for i in pieces[own] if i != k]
        confused = ", ".join(
            f"{other} {100 * wrong.count(other) / own.sum():.0f}"
            for other in sorted(set(wrong), key=lambda o: -wrong.count(o))[:3]
        )
        real = ", ".join(map(str, sorted(ranks.get(name, []))))
        lines.append(
            f"| {name} | {text} | {100 * np.mean(whole[own] == k):.0f} | "
            f"{100 * np.mean(pieces[own] == k):.0f} | {confused} | {real} |"
        )
    return lines


def write_between_marks(page, lines):
    """Replace what stands between the two marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    body = "\n".join([MARKS[0], *lines, MARKS[1]])
    page.write_text(before + body + after, encoding="utf-8")


def measure_speed(names):
    """Print how many seconds of sound a second of one core makes."""
    began, seconds = time.process_time(), 0.0
    for name in names:
        seconds += len(render(name, seed=1, k=0)) / RATE
    spent = time.process_time() - began
    print(f"{len(names)} sounds, {seconds / spent:.0f} x real time per core")


def main():
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=12)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--page", type=Path)
    args = parser.parse_args()
    bank = ProceduralBank(args.instances)
    names = bank.sounds
    measure_speed(names)
    wavs = [bank.load(recording) for recording in bank.recordings()]
    labels = np.repeat(np.arange(len(names)), args.instances)
    encoders = load_encoders()
    decisions = measure_separation(encoders, wavs, labels)
    ranks = {}
    if args.real:
        ranks = measure_real(encoders, wavs, labels, names)
    lines = table_of_sounds(names, labels, decisions, ranks)
    if args.page:
        write_between_marks(args.page, lines)
    else:
        print("\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
