"""How well does the LLM reason if hearing is perfect?

    python text_ceiling.py DATA_FOLDER OUTPUT_FOLDER [--split test_unseen]
        [--checkpoint_file MODEL]

The gold sound and words of each clip stand as text in the audio's place. The
baseline's LLM, as it comes or with a trained adapter, chooses among the
competing answers (printed) and answers the eight instructions
(OUTPUT_FOLDER/predictions.csv, for ``evaluate.py hparams/judge.yaml``): its
own ceiling of reasoning, to which one that hears is compared.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
from pathlib import Path

import torch
import yaml
from hyperpyyaml import load_hyperpyyaml
from tqdm import tqdm

from speechbrain_jasco.dataio import read_clips
from speechbrain_jasco.inference import predict
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.training.choice import Alternatives, choose_by_text
from speechbrain_jasco.training.data import read_built
from speechbrain_jasco.training.examiner import share_right

ROOT = Path(__file__).resolve().parents[1]
HPARAMS = ROOT / "hparams"
CONTEXT = 'The sound: {sound}. The words: "{words}"'  # as tasks.yaml has it


class Reader:
    """Answers questions about clips whose sound and words it reads.

    Arguments
    ---------
    model : AudioLLM
        Its LLM is asked.
    decoding : dict
        Arguments of ``transformers.GenerationConfig``.
    """

    def __init__(self, model, decoding):
        self.model = model
        self.decoding = decoding

    def config(self):
        """Everything an answer depends on (dict)."""
        llm, checkpoint = self.model.llm.config(), self.model.checkpoint
        trained = checkpoint and checkpoint.fingerprint()
        return {"reader": llm, "checkpoint": trained, "decoding": self.decoding}

    def answer(self, clips, questions):
        """Answers one question per clip (list of str)."""
        llm = self.model.llm
        none = torch.zeros(0, llm.width, dtype=llm.model.dtype)
        prefixes, suffixes = [], []
        for clip, question in zip(clips, questions, strict=True):
            ids = self.model.prompt(question)
            text = context(clip.audio_sound, clip.spoken_text)
            prefixes.append(Prefix(ids.before + llm.tokenize(text), none))
            suffixes.append(ids.after)
        cache = PrefixCache(llm, prefixes)
        new = cache.generate(range(len(clips)), suffixes, self.decoding)
        texts = llm.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts]


def context(sound, words):
    """The text in the audio's place."""
    return CONTEXT.format(sound=sound, words=words)


def choice(trainee, rows, competing, question, batch_size=8):
    """Share of clips whose right answer is preferred."""
    picks = []
    for start in tqdm(range(0, len(rows), batch_size), "choice"):
        part = rows[start : start + batch_size]
        contexts = [
            context(row["audio_sound"], row["spoken_text"]) for row in part
        ]
        clips = [competing.of(row["sound_id"], row["line_id"]) for row in part]
        picks += choose_by_text(trainee, contexts, clips, question)
    return share_right(picks, [row["triple_id"] for row in rows])


def main():
    """Print the choice and write the predictions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data_folder")
    parser.add_argument("output_folder")
    parser.add_argument("--split", default="test_unseen")
    parser.add_argument("--checkpoint_file")
    given = parser.parse_args()
    model_options = {"checkpoint_file": given.checkpoint_file}
    with (HPARAMS / "baseline.yaml").open(encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, {"model": model_options})
    model, trainee = hparams["model"]["audio_llm"], hparams["trainee"]
    model.load()
    trainee.eval()
    manifest = Path(given.data_folder) / "clips.csv"
    splits = read_built(manifest, given.data_folder)
    everything = [row for rows in splits.values() for row in rows]
    # One clip per triple: others have the same text.
    rows = list({r["triple_id"]: r for r in splits[given.split]}.values())
    asked = hparams["examiner"].questions["direct"]
    share = choice(trainee, rows, Alternatives(everything), asked)
    print(f"choice {share:.3f} of {len(rows)} triples of {given.split}")
    wanted = {row["id"] for row in rows}
    clips = read_clips(manifest, given.data_folder)
    clips = [clip for clip in clips if clip.id in wanted]
    instructions = yaml.safe_load(
        (HPARAMS / "prompts" / "instructions.yaml").read_text(encoding="utf-8")
    )
    reader = Reader(model, {"do_sample": False, "max_new_tokens": 60})
    texts = [entry["text"] for entry in instructions]
    print(predict(reader, clips, texts, given.output_folder))


if __name__ == "__main__":
    main()
