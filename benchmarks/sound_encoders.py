"""Which sound encoder says most about the background of the official clips?

    python sound_encoders.py DATA_FOLDER [--prior_sounds FOLDER]

DATA_FOLDER is a clone of the authors' repository. Two questions, each answered
against chance (permuted clips) and, for vectors, against MFCCs:

labels   A tagger's words are embedded by MiniLM and used to look for the
         clip's own sound description among all distinct ones: mean reciprocal
         rank (MRR) and share within the first five.
vectors  Do clips whose vectors are close have close descriptions? Spearman's
         rho over all pairs of clips, and the mean similarity of a clip's
         description to that of its nearest clip with another description
         (some backgrounds are used twice: finding those would prove little).

The clips are a test set: this measures, and nothing is fitted to them. With
--prior_sounds, any folder of other recordings, the labels are also measured
after dividing by their mean probability over those recordings.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torchaudio
from scipy.stats import rankdata
from transformers import WhisperFeatureExtractor, WhisperModel

from speechbrain_jasco import starter
from speechbrain_jasco.dataio import audio_path, read_audio, read_table
from speechbrain_jasco.integrations.sentence_embedding import SentenceEmbedder
from speechbrain_jasco.integrations.sound_weights import (
    load_aisfx,
    load_soundnet,
)

N_PERMUTATIONS = 2000
QUIET_FRAME = 800  # samples: 50 ms


class Clips(NamedTuple):
    """The official clips and what is said of their backgrounds."""

    wavs: list  # of Tensor [S]
    texts: list  # distinct descriptions
    target: np.ndarray  # clip -> position of its description


def read_official(folder):
    """Read clips and descriptions, the latter without "Sound of"."""
    table = read_table(
        Path(folder) / "evaluation" / "example.csv", ["id", "audio_sound"]
    ).drop_duplicates("id")
    own = [
        re.sub(r"^sound of (an? )?", "", text.strip(" .").lower())
        for text in table.audio_sound
    ]
    texts = list(dict.fromkeys(own))
    wavs = [read_audio(audio_path(audio, folder)) for audio in table.audio]
    return Clips(wavs, texts, np.array([texts.index(text) for text in own]))


def p_value(value, chance):
    """One-sided permutation p-value."""
    return (1 + np.sum(chance >= value)) / (1 + len(chance))


def retrieval(similarity, target, rng):
    """Score how well each clip finds its description.

    Arguments
    ---------
    similarity : np.ndarray
        Clip to description [clips, texts].
    target : np.ndarray
        Position of each clip's description.
    rng : np.random.Generator
        For the permutations.

    Returns
    -------
    str
        MRR, its standard error over clips, chance, p-value, top-5 share.
    """
    better = similarity[:, :, None] < similarity[:, None, :]
    rank = 1 + better.sum(axis=2)  # [clips, texts]
    clips = np.arange(len(target))
    own = rank[clips, target]
    chance = np.array(
        [
            (1 / rank[clips, rng.permutation(target)]).mean()
            for _ in range(N_PERMUTATIONS)
        ]
    )
    mrr, error = (1 / own).mean(), (1 / own).std() / len(own) ** 0.5
    return (
        f"{mrr:.3f} ± {error:.3f} | {chance.mean():.3f} | "
        f"{p_value(mrr, chance):.4f} | {np.mean(own <= 5):.0%}"
    )


def closeness(vectors, similarity, rng):
    """Score whether close clips have close descriptions.

    Arguments
    ---------
    vectors : np.ndarray
        One per clip [clips, D]; standardised over the clips here, since raw
        cosines are dominated by the few largest dimensions.
    similarity : np.ndarray
        Description to description [clips, clips].
    rng : np.random.Generator
        For the permutations.

    Returns
    -------
    str
        rho, p-value, nearest clip's similarity, chance, p-value.
    """
    vectors = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-6)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    pairs = np.triu_indices(len(vectors), k=1)
    ranks = np.zeros_like(similarity)
    ranks[pairs] = rankdata(similarity[pairs])
    ranks += ranks.T
    cosine_ranks = rankdata(cosine[pairs])

    def rho(order):
        return np.corrcoef(cosine_ranks, ranks[order][:, order][pairs])[0, 1]

    def neighbour(order):
        text = similarity[order][:, order]
        nearest = np.where(text > 0.999, -2, cosine).argmax(axis=1)
        return text[np.arange(len(text)), nearest].mean()

    own = np.arange(len(vectors))
    orders = [rng.permutation(own) for _ in range(N_PERMUTATIONS)]
    rho_chance = np.array([rho(order) for order in orders])
    near_chance = np.array([neighbour(order) for order in orders])
    return (
        f"{rho(own):.3f} | {p_value(rho(own), rho_chance):.4f} | "
        f"{neighbour(own):.3f} | {near_chance.mean():.3f} | "
        f"{p_value(neighbour(own), near_chance):.4f}"
    )


def quietest_half(wav):
    """The 50 ms frames of lowest energy, in order: mostly without speech."""
    frames = wav[: len(wav) // QUIET_FRAME * QUIET_FRAME].reshape(
        -1, QUIET_FRAME
    )
    order = frames.square().mean(dim=1).argsort()[: max(1, len(frames) // 2)]
    return frames[order.sort().values].reshape(-1)


def ends(wav):
    """The first and the last second: speech is rarely at both."""
    return torch.cat([wav[:16000], wav[-16000:]])


def label_probabilities(model, wavs):
    """SoundNet's scene and object probabilities as two arrays."""
    found = [
        model.label_probabilities(wav[None], torch.ones(1)) for wav in wavs
    ]
    return {
        "scenes": torch.cat([f.scenes for f in found]).numpy(),
        "objects": torch.cat([f.objects for f in found]).numpy(),
    }


def label_texts(probabilities, labels, kinds, k):
    """The k likeliest labels of each kind as one text per clip."""
    texts = [
        [
            ", ".join(labels[kind][i] for i in np.argsort(-row)[:k])
            for row in probabilities[kind]
        ]
        for kind in kinds
    ]
    return [", ".join(parts) for parts in zip(*texts, strict=True)]


def measure_labels(clips, prior_wavs, embedder, rng):
    """Measure SoundNet's labels in several forms: rows of a table."""
    folder = Path(starter.resolve("starter:soundnet8"))
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    model = load_soundnet(folder)
    texts = embedder.embed(clips.texts).numpy()
    rows = [
        "| labels | MRR | chance | p | top 5 |",
        "| --- | --- | --- | --- | --- |",
    ]

    def add(name, found, kinds, k, form="{}"):
        words = label_texts(found, labels, kinds, k)
        query = embedder.embed([form.format(w) for w in words]).numpy()
        score = retrieval(query @ texts.T, clips.target, rng)
        rows.append(f"| {name} | {score} |")

    whole = label_probabilities(model, clips.wavs)
    both = ("scenes", "objects")
    for kinds in (("scenes",), ("objects",), both):
        for k in (1, 3, 5, 10):
            add(f"{' + '.join(kinds)}, {k} each", whole, kinds, k)
    add("both, 5 each, 'the sound of ...'", whole, both, 5, "the sound of {}")
    for part in (quietest_half, ends):
        found = label_probabilities(model, [part(w) for w in clips.wavs])
        add(f"both, 5 each, {part.__name__}", found, both, 5)
    if prior_wavs:
        prior = label_probabilities(model, prior_wavs)
        found = {kind: whole[kind] / prior[kind].mean(0) for kind in both}
        add("both, 5 each, divided by prior", found, both, 5)
    return rows


def clip_vectors(wavs):
    """One vector per clip from every encoder: name to array [clips, D]."""
    conv5 = load_soundnet("starter:soundnet8")
    conv7 = load_soundnet("starter:soundnet8", layer="conv7")
    aisfx = load_aisfx("starter:aisfx")
    whisper = WhisperModel.from_pretrained(
        starter.resolve("starter:whisper-base")
    )
    mel = WhisperFeatureExtractor()
    mfcc = torchaudio.transforms.MFCC(
        n_mfcc=20, melkwargs={"n_fft": 512, "hop_length": 160, "n_mels": 40}
    )

    def whisper_mean(wav):
        inputs = mel(wav.numpy(), sampling_rate=16000, return_tensors="pt")
        frames = whisper.encoder(inputs.input_features).last_hidden_state[0]
        return frames[: -(-len(wav) // 320)].mean(0)  # 50 frames a second

    def mfcc_statistics(wav):
        frames = mfcc(wav)
        return torch.cat([frames.mean(1), frames.std(1)])

    encoders = {
        "MFCC mean + std": mfcc_statistics,
        "SoundNet conv5": lambda wav: conv5.encode(wav).mean(0),
        "SoundNet conv7": lambda wav: conv7.encode(wav).mean(0),
        "aiSFX": lambda wav: aisfx.encode(wav).mean(0),
        "Whisper base encoder": whisper_mean,
    }
    with torch.no_grad():
        return {
            name: torch.stack([encode(wav) for wav in wavs]).numpy()
            for name, encode in encoders.items()
        }


def main():
    """Measure and print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_folder", type=Path)
    parser.add_argument("--prior_sounds", type=Path)
    args = parser.parse_args()
    clips = read_official(args.data_folder)
    prior = (
        sorted(args.prior_sounds.rglob("*.wav")) if args.prior_sounds else []
    )
    embedder = SentenceEmbedder("starter:minilm-l6-v2")
    rng = np.random.default_rng(0)
    n_clips, n_texts = len(clips.wavs), len(clips.texts)
    print(f"{n_clips} clips, {n_texts} distinct descriptions\n")
    prior_wavs = [read_audio(path) for path in prior]
    print("\n".join(measure_labels(clips, prior_wavs, embedder, rng)))
    texts = embedder.embed(clips.texts).numpy()[clips.target]
    print("\n| vectors | rho | p | nearest | chance | p |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, vectors in clip_vectors(clips.wavs).items():
        print(f"| {name} | {closeness(vectors, texts @ texts.T, rng)} |")


if __name__ == "__main__":
    main()
