"""How well does the LLM reason if hearing is perfect?

    python text_ceiling.py --data_folder BUILT --split test_unseen
    python text_ceiling.py --data_folder BUILT --weights model.safetensors
    python text_ceiling.py --data_folder BUILT --answers REWORDINGS

The gold sound and words of each clip stand as text in the audio's place. The
baseline's LLM, as it comes or with a trained adapter, chooses among the
competing answers (printed) and answers the eight instructions
(predictions.csv, for ``evaluate.py hparams/judge.yaml``): its own ceiling of
reasoning, to which one that hears is compared. With ``--answers``
(rewordings.csv, beside the triples) the competing answers are in words that
nobody was trained on. Whatever is no option of this script is an override of
``baseline.yaml``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import sys
from pathlib import Path

import speechbrain as sb
import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import load_file
from tqdm import tqdm

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.fingerprint import fingerprint
from speechbrain_jasco.inference import predict
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.training.choice import (
    Alternatives,
    choose_by_text,
    reworded,
    share_right,
)
from speechbrain_jasco.training.data import read_built
from speechbrain_jasco.training.tasks import fill

HPARAMS = Path(__file__).resolve().parents[1] / "hparams"


class Reader:
    """Answers questions about clips whose sound and words it reads.

    Arguments
    ---------
    model : AudioLLM
        Its LLM is asked.
    context : str
        Template of the text in the audio's place.
    weights : str or None
        File of what was trained, read already.
    """

    decoding = {"do_sample": False, "max_new_tokens": 60}

    def __init__(self, model, context, weights):
        self.model = model
        self.context = context
        self.weights = weights

    def config(self):
        """Everything an answer depends on (dict)."""
        return {
            "reader": self.model.llm.config(),
            "context": self.context,
            "weights": self.weights and fingerprint(self.weights),
            "decoding": self.decoding,
        }

    def text(self, sound, words):
        """What stands in the audio's place (str)."""
        return fill(self.context, {"sound": sound, "words": words})

    def answer(self, clips, questions):
        """Answers one question per clip (list of str)."""
        llm = self.model.llm
        none = torch.zeros(0, llm.width, dtype=llm.model.dtype)
        prefixes, suffixes = [], []
        for clip, question in zip(clips, questions, strict=True):
            ids = self.model.prompt(question)
            text = self.text(clip.audio_sound, clip.spoken_text)
            prefixes.append(Prefix(ids.before + llm.tokenize(text), none))
            suffixes.append(ids.after)
        cache = PrefixCache(llm, prefixes)
        new = cache.generate(range(len(clips)), suffixes, self.decoding)
        texts = llm.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts]


def choice(trainee, reader, rows, competing, question, batch_size=8):
    """Share of clips whose right answer is preferred."""
    picks = []
    for start in tqdm(range(0, len(rows), batch_size), "choice"):
        part = rows[start : start + batch_size]
        texts = [reader.text(r["audio_sound"], r["spoken_text"]) for r in part]
        clips = [competing.of(row["sound_id"], row["line_id"]) for row in part]
        picks += choose_by_text(trainee, texts, clips, question)
    return share_right(picks, [row["triple_id"] for row in rows])


def main(argv):
    """Print the choice and write the predictions.

    Arguments
    ---------
    argv : list of str
        Options; whatever is none is an override of the YAML.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--split", default="test_unseen")
    parser.add_argument("--weights")
    parser.add_argument("--answers")
    given, rest = parser.parse_known_args(argv)
    file, _, overrides = sb.parse_arguments(
        [str(HPARAMS / "baseline.yaml"), *rest]
    )
    with open(file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    trainee = hparams["trainee"]
    model = trainee.model
    model.llm.load()  # nobody listens: no encoder is loaded
    if given.weights:
        model.load_trainable(load_file(given.weights))
    context = hparams["tasks"]["text_direct"].context
    reader = Reader(model.eval(), context, given.weights)
    folder = Path(hparams["data_folder"])
    splits = read_built(folder / "clips.csv", folder)
    everything = [row for rows in splits.values() for row in rows]
    if given.answers is not None:
        everything = reworded(everything, given.answers)
    # One clip per triple: others have the same text.
    rows = list({r["triple_id"]: r for r in splits[given.split]}.values())
    asked = hparams["examiner"].questions["direct"]
    share = choice(trainee, reader, rows, Alternatives(everything), asked)
    print(f"choice {share:.3f} of {len(rows)} triples of {given.split}")
    wanted = {row["id"] for row in rows}
    clips = read_clips(folder / "clips.csv", folder)
    texts = (HPARAMS / "prompts/instructions.yaml").read_text(encoding="utf-8")
    predictions = predict(
        reader,
        [clip for clip in clips if clip.id in wanted],
        [entry["text"] for entry in yaml.safe_load(texts)],
        Path(hparams["output_folder"]) / "text_ceiling",
    )
    print(f"Wrote {predictions}")


if __name__ == "__main__":
    main(sys.argv[1:])
