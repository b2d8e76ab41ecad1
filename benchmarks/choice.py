"""What do trained weights choose, and what of a clip do they read?

    python choice.py WEIGHTS --data_folder BUILT --split test_seen
    python choice.py WEIGHTS --data_folder BUILT --recogniser starter:whisper-base
    python choice.py WEIGHTS --data_folder BUILT --hear sound_wav
    python choice.py WEIGHTS --data_folder BUILT --answers REWORDINGS

    clip -> words read off --------------------> choice
         -> words of the recogniser, if allowed -> choice    with --recogniser

Choice (docs/training.md) of an exported file, on any build of the data: the
training's own test is of a checkpoint, and on its own build. All clips of a
split or, with ``--clips``, so many at random; prints shares with their 95 %
intervals and word error rates, of a split without behaviours these alone, and
writes a row per clip (choice.csv).
With ``--answers`` (rewordings.csv, beside the triples) all answers, right or
wrong, compete in words that nobody was trained on.
Whatever is no option of this script is an override of ``baseline.yaml``, such
as ``--dtype float32``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import random
import sys
from pathlib import Path

import pandas as pd
import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import load_file

from speechbrain_jasco.building.word_errors import total_word_error_rate
from speechbrain_jasco.dataio import read_audio, write_table
from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser
from speechbrain_jasco.lobes.models.vocabulary import Targets
from speechbrain_jasco.metrics.quality import wilson
from speechbrain_jasco.training.choice import choose, reworded
from speechbrain_jasco.training.data import read_built

HPARAMS = Path(__file__).resolve().parents[1] / "hparams"
KNOWN = ("id", "triple_id", "voice", "snr_db", "spoken_text")


class Chooser:
    """Chooses for clips, by what is heard and by what a recogniser says.

    Arguments
    ---------
    hparams : dict
        Of ``baseline.yaml``, its examiner prepared.
    recogniser : WhisperRecogniser or None
        Understands words, too.
    hear : str
        Column of the recordings.
    """

    def __init__(self, hparams, recogniser, hear):
        self.examiner = hparams["examiner"]
        self.trainee = hparams["trainee"]
        self.recogniser = recogniser
        self.hear = hear

    @torch.no_grad()
    def rows(self, part, streams):
        """One row per clip of a batch (list of dict)."""
        model = self.trainee.model
        tokens, sizes = self.trainee.fuse(streams)
        scores = model.readout.scores(tokens, sizes)
        words = model.readout.words(scores, sizes)
        known = model.readout.known(scores, sizes)
        rows = [
            {key: row[key] for key in KNOWN}
            | {"heard": model.llm.tokenizer.decode(known.get(i, own)).strip()}
            for i, (row, own) in enumerate(zip(part, words, strict=True))
        ]
        self.choose(rows, part, (tokens, sizes, scores), "")
        if self.recogniser is not None:
            wavs = [read_audio(row[self.hear]) for row in part]
            texts = self.recogniser.transcribe(wavs)
            spoken = [model.llm.tokenize(f" {text}") for text in texts]
            allowed = model.readout.allowed(scores, sizes, spoken)
            for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
                row["transcript"] = text
                row["read"] = text if i in allowed else row["heard"]
            heard = tokens, sizes, scores, Targets(spoken, {}), allowed
            self.choose(rows, part, heard, "_read")
        return rows

    def choose(self, rows, part, heard, name):
        """Adds the choice to rows, where there is a behaviour to choose."""
        if not all(row["triple_id"] for row in part):
            return
        competing = [
            self.examiner.alternatives.of(row["sound_id"], row["line_id"])
            for row in part
        ]
        asked = self.examiner.questions["direct"]
        read = self.trainee.read(*heard)
        sure = self.examiner.sure
        picks = choose(self.trainee, read, competing, asked, sure)
        for row, pick in zip(rows, picks, strict=True):
            row[f"chosen{name}"] = pick.chosen
            row[f"right{name}"] = pick.chosen == row["triple_id"]


def summary(rows):
    """Lines to print (list of str)."""
    table = pd.DataFrame(rows)
    lines = []
    for words in ("heard", "transcript", "read"):
        if words not in table:
            continue
        wer = total_word_error_rate(list(table["spoken_text"]), table[words])
        line = f"{words}: word error rate {wer:.3f} of {len(table)} clips"
        right = {"heard": "right", "read": "right_read"}.get(words)
        if right in table:
            low, high = wilson(int(table[right].sum()), len(table))
            share = table[right].mean()
            line += f", choice {share:.3f} ({low:.3f} to {high:.3f})"
        lines.append(line)
    return lines


def load(hparams, weights, answers=None):
    """Loads trained weights for choosing: the rows of all splits (dict).

    ``answers`` is the file of other wordings, if these compete (str).
    """
    trainee, folder = hparams["trainee"], Path(hparams["data_folder"])
    model = trainee.model
    model.llm.load()
    model.load_trainable(load_file(weights))
    table = model.llm.model.get_input_embeddings().weight
    model.readout.bind(table, model.llm.tokenize)
    trainee.eval()
    splits = read_built(folder / "clips.csv", folder)
    rows = [row for split in splits.values() for row in split]
    if answers is not None:
        rows = reworded(rows, answers)
    hparams["examiner"].prepare(trainee, hparams["features"], rows, [])
    return splits


def main(argv):
    """Print what is chosen.

    Arguments
    ---------
    argv : list of str
        Options; whatever is none is an override of the YAML.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights")
    parser.add_argument("--split", default="test_seen")
    parser.add_argument("--recogniser")
    parser.add_argument("--answers")
    parser.add_argument("--clips", type=int)
    columns = ("audio", "sound_wav", "speech_wav")
    parser.add_argument("--hear", default="audio", choices=columns)
    given, rest = parser.parse_known_args(argv)
    file, _, overrides = sb.parse_arguments(
        [str(HPARAMS / "baseline.yaml"), *rest]
    )
    with open(file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    rows = load(hparams, given.weights, given.answers)[given.split]
    if given.clips is not None:
        rows = random.Random(0).sample(rows, given.clips)
    recogniser = given.recogniser and WhisperRecogniser(given.recogniser)
    chooser = Chooser(hparams, recogniser, given.hear)
    examiner, done = hparams["examiner"], []
    path = Path(hparams["output_folder"]) / "choice.csv"
    for part, streams in examiner.batches(rows, examiner.reading(given.hear)):
        done += chooser.rows(part, streams)
        write_table(path, pd.DataFrame(done))
    print("\n".join([*summary(done), f"Wrote {path}"]))


if __name__ == "__main__":
    main(sys.argv[1:])
