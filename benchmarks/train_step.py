"""How many clips a second does a training step take, and what makes it fast?

    python train_step.py                                    # starter size
    python train_step.py --data_folder BUILT --clips 64 --repeats 7
    python train_step.py --turns 3                          # questions a clip
    python train_step.py --hparams concat_adapters.yaml --llm_source NAME

Three ways, on the same clips with the same questions (of the curriculum's last
stage, as many a clip as there), in turn:

  cached     this project: frames of the frozen encoders from the cache, the
             questions of a clip packed behind its audio, logits where an
             answer is predicted, the LLM's layers compiled (compile_llm)
  on the fly the same, but the encoders run in every step
  plain      transformers and peft as one uses them, over the same modules and
             the same cached frames: a sequence per question with audio of its
             own, padded on the right, logits everywhere, the model's own loss

A step is reading, tokenizing, fusion, LLM, backward and AdamW on fusion and
LoRA. The losses without the LLM and the rivals are left out: the plain way has
none. The first turn warms up and is not counted.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import dataclasses
import os
import statistics
import sys
import time
from pathlib import Path

import pandas as pd
import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml
from torch.nn.utils.rnn import pad_sequence

from speechbrain_jasco.reporting.tables import markdown
from speechbrain_jasco.training.data import ClipData, read_built
from speechbrain_jasco.training.features import Features
from speechbrain_jasco.training.packing import NO_LABEL

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "WhatAreTheyDoing"


def packed(trainee, data, examples):
    """The loss of a batch as ``train.py`` computes it.

    Arguments
    ---------
    trainee : Trainee
        The model.
    data : ClipData
        Its features are cached or not.
    examples : list of dict
        Of the dataset.

    Returns
    -------
    loss : torch.Tensor
        What is minimized: mean over answers.
    per_token : torch.Tensor
        Mean over tokens, to compare.
    """
    batch = data.collate(examples)
    streams = data.features.frames(batch.items, trainee.llm.device)
    losses = trainee(streams, batch.rows).answers
    sizes = [len(b.answer) for row in batch.rows for b in row.branches]
    sizes = torch.tensor(sizes, device=losses.device)
    return losses.mean(), (losses * sizes).sum() / sizes.sum()


def plain(trainee, data, examples):
    """The same batch as most scripts compute it.

    Arguments
    ---------
    trainee, data, examples
        As for ``packed``.

    Returns
    -------
    loss, per_token : torch.Tensor
        Mean over tokens, twice.
    """
    llm = trainee.llm
    samples = [
        (example["item"], trainee.row([turn]))
        for example in examples
        for turn in example["turns"]
    ]
    hears = [item for item, row in samples if not row.branches[0].alone]
    streams = data.features.frames(hears, llm.device)
    tokens, sizes = trainee.listen(streams)
    audio = iter(zip(tokens, sizes.tolist(), strict=True))
    embeds, labels = [], []
    for _, row in samples:
        (branch,) = row.branches
        parts = [llm.embed(torch.tensor(branch.prompt + branch.answer))]
        if not branch.alone:
            own, size = next(audio)
            before = llm.embed(torch.tensor(row.before, dtype=torch.long))
            parts = [before, own[:size].to(before), *parts]
        embeds.append(torch.cat(parts))
        unlabelled = [NO_LABEL] * (len(embeds[-1]) - len(branch.answer))
        labels.append(torch.tensor(unlabelled + branch.answer))
    labels = pad_sequence(labels, True, NO_LABEL).to(llm.device)
    mask = [torch.ones(len(x), dtype=torch.long) for x in embeds]
    output = llm.model(
        inputs_embeds=pad_sequence(embeds, True),
        attention_mask=pad_sequence(mask, True).to(llm.device),
        labels=labels,
        use_cache=False,
    )
    return output.loss, output.loss


class Bench:
    """A model, its data and the ways to train it.

    Arguments
    ---------
    hparams : dict
        Of a YAML of ``train.py``.
    n_clips : int
        Clips of a turn; all there are, if fewer.
    batch_size : int
        Clips of a step.
    turns : int, optional
        Questions a clip; those of the curriculum's last stage by default.
    """

    def __init__(self, hparams, n_clips, batch_size, turns=None):
        folder = Path(hparams["data_folder"]).absolute()
        splits = read_built(folder / "clips.csv", folder)
        self.trainee = hparams["trainee"]
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.trainee.model.llm.load(device)
        if hparams["compile_llm"]:
            self.trainee.model.llm.compile_layers()
        self.trainee.to(device)
        cached = hparams["features"]
        live = Features(cached.encoders)
        given = hparams["tasks"], hparams["speakers"], hparams["seed"]
        last = hparams["curriculum"].stages[-1]
        turns = last.turns if turns is None else turns
        stage = dataclasses.replace(last, rivals=0, turns=turns)
        trained = [r for n in hparams["train_splits"] for r in splits[n]]
        rows = splits["train"][:n_clips]
        self.datasets = {}
        for features in (cached, live):
            data = ClipData(features, *given)
            data.prepare(self.trainee, trained)
            data.turn_to(1, stage)
            self.datasets[features] = data, data.dataset(rows)
        self.ways = {
            "cached": (packed, cached),
            "on the fly": (packed, live),
            "plain": (plain, cached),
        }
        starts = range(0, len(rows), batch_size)
        self.batches = [range(len(rows))[s : s + batch_size] for s in starts]
        parts = self.trainee.parts().values()
        self.parameters = [p for part in parts for p in part]
        self.optimizer = hparams["opt_class"](self.parameters, lr=1e-5)
        self.autocast = torch.autocast(
            self.trainee.llm.device.type,
            torch.bfloat16,
            enabled=hparams["precision"] == "bf16",
        )

    def losses(self, name, batch):
        """The losses of a batch, one way.

        Arguments
        ---------
        name : str
            Of the way.
        batch : range
            Numbers of clips.

        Returns
        -------
        loss, per_token : torch.Tensor
        """
        compute, features = self.ways[name]
        data, dataset = self.datasets[features]
        examples = [dataset[number] for number in batch]
        ours = compute is packed and self.trainee.training
        stance = "default" if ours else "force_eager"
        with self.autocast, torch.compiler.set_stance(stance):
            return compute(self.trainee, data, examples)

    def seconds(self, name):
        """Trains on all batches once.

        Arguments
        ---------
        name : str
            Of the way.

        Returns
        -------
        float
            How long it took.
        """
        self.trainee.train()
        began = time.perf_counter()
        for batch in self.batches:
            loss, _ = self.losses(name, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
        if self.trainee.llm.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    @torch.no_grad()
    def compare(self):
        """The loss per token of the first batch, every way (dict)."""
        self.trainee.eval()
        first = self.batches[0]
        return {name: float(self.losses(name, first)[1]) for name in self.ways}


def report(bench, repeats):
    """Takes turns and prints what came out.

    Arguments
    ---------
    bench : Bench
        The ways.
    repeats : int
        Turns that count.
    """
    losses = bench.compare()  # fills the cache, too
    seconds = {name: [] for name in bench.ways}
    for _ in range(repeats + 1):
        for name, times in seconds.items():
            times.append(bench.seconds(name))
    n_clips = sum(len(batch) for batch in bench.batches)
    speeds = {
        name: sorted(n_clips / value for value in times[1:])
        for name, times in seconds.items()
    }
    ours = statistics.median(speeds["cached"])
    rows = [
        {
            "way": name,
            "clips/s": f"{statistics.median(own):.3g}",
            "slowest": f"{own[0]:.3g}",
            "fastest": f"{own[-1]:.3g}",
            "cached is faster by": f"{ours / statistics.median(own):.2f}",
            "loss per token": f"{losses[name]:.3f}",
        }
        for name, own in speeds.items()
    ]
    n_threads = torch.get_num_threads()
    print(f"{n_clips} clips, {repeats} turns, medians, {n_threads=}\n")
    print(markdown(pd.DataFrame(rows)))


def main(argv):
    """Print clips per second and ratios.

    Arguments
    ---------
    argv : list of str
        Options; whatever is none is an override of the YAML.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hparams", default="baseline.yaml")
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--turns", type=int)
    options, rest = parser.parse_known_args(argv)
    os.chdir(RECIPE)  # where the YAML's folders are
    sys.path.insert(0, str(RECIPE))
    from train import build_if_absent

    file, _, overrides = sb.parse_arguments(
        [f"hparams/{options.hparams}", *rest]
    )
    with open(file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    build_if_absent(hparams["data_folder"], hparams["build_overrides"])
    sizes = options.clips, options.batch_size, options.turns
    report(Bench(hparams, *sizes), options.repeats)


if __name__ == "__main__":
    main(sys.argv[1:])
