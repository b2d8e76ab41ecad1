"""Train an auditory LLM to hear and to reason over what it hears.

    clip -> frozen encoders -> fusion -> audio tokens  a a a a a
                                                       |
    before  a a a a a | question 1  answer 1 <end> | question 2  answer 2 <end>
                                    --------------               --------------
                                         loss                         loss

The questions of a clip share its audio: each sees the beginning and itself
(``speechbrain_jasco/training/packing.py``). In the stages without the LLM the
audio tokens alone are compared with the words and the sound (CTC, sound
names). Run from this folder:

    python build_data.py hparams/build_data.yaml
    python train.py hparams/baseline.yaml
    torchrun --nproc_per_node=2 train.py hparams/baseline.yaml

Without built data the small set is built first. A killed run goes on where it
stopped; the best checkpoint is written to ``pretrained/``, a folder that
``AudioReasoner.from_hparams`` loads, and then tested. Its
``model.safetensors`` is what ``infer.py hparams/infer_baseline.yaml
--checkpoint_file FILE`` answers with.

How to read this file: ``main`` from top to bottom, then the YAML, then the
Brain; the work is in ``speechbrain_jasco/training/``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import sys
from pathlib import Path

import build_data
import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml
from speechbrain.utils.autocast import AMPConfig
from speechbrain.utils.distributed import if_main_process, run_on_main
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.integrations.audio_reasoner import save_pretrained
from speechbrain_jasco.journal import content_key
from speechbrain_jasco.precision import warn_of_emulation
from speechbrain_jasco.sharding import rank_and_size
from speechbrain_jasco.training.curve import learning_curve
from speechbrain_jasco.training.data import read_built
from speechbrain_jasco.training.meter import Meter, score
from speechbrain_jasco.training.unrecorded import UNRECORDED, unrecorded_rows

logger = get_logger(__name__)

INTERFACE = Path(__file__).parent / "hparams/pretrained/hyperparams.yaml"
IN_FLOAT32 = (
    "Train with --precision fp32 --eval_precision fp32 --dtype float32."
)


class JascoBrain(sb.Brain):
    """Trains a ``Trainee`` through the stages of a ``Curriculum``."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        dtype = AMPConfig.from_name(self.precision).dtype
        warn_of_emulation(dtype, self.device, IN_FLOAT32)
        self.trainee = self.hparams.trainee
        if self.debug:
            self.hparams.curriculum.shorten()
            self.hparams.examiner.shorten()
            self.debug_epochs = self.hparams.curriculum.n_epochs

    def on_fit_start(self):
        """Prepares once; each stage has a loader of its own to recover."""
        if self.optimizers_dict is None:
            super().on_fit_start()
        else:
            self.checkpointer.recover_if_possible()

    def init_optimizers(self):
        """One optimizer per part, so that a stage can leave parts out."""
        self.optimizers_dict = {
            name: self.opt_class(parameters)
            for name, parameters in self.trainee.parts().items()
            if parameters
        }
        for name, optimizer in self.optimizers_dict.items():
            self.checkpointer.add_recoverable(f"optimizer_{name}", optimizer)

    def freeze_optimizers(self, optimizers):
        """Gives the optimizers of the parts that the stage trains."""
        return {n: o for n, o in optimizers.items() if n in self.plan.lr}

    def on_stage_start(self, stage, epoch=None):
        """Turns to the curriculum's stage; validation asks two tasks a clip."""
        self.meter = Meter()
        torch.compiler.set_stance("default")
        if stage == sb.Stage.TRAIN:
            self.epoch = epoch
            self.plan = self.hparams.curriculum.at(epoch)
            self.sampler.set_epoch(epoch)
            self.trainee.switch_on(self.plan.lr)
            self.hparams.clip_data.turn_to(epoch, self.plan)
            return
        if stage == sb.Stage.TEST:
            self.plan = self.hparams.curriculum.stages[-1]
        asked = dataclasses.replace(self.plan, turns=2, given=0.0)
        self.hparams.clip_data.turn_to(0, asked)

    def on_fit_batch_start(self, batch, should_step):
        """Sets the learning rates of the step."""
        factor = self.grad_accumulation_factor
        group = -(-self.step // factor) - 0.5  # the middle of a step
        share = group * factor / len(self.loader)
        progress = self.hparams.curriculum.progress(self.epoch, share)
        for name, optimizer in self.optimizers_dict.items():
            for options in optimizer.param_groups:
                options["lr"] = self.plan.lr_at(name, progress)

    def compute_forward(self, batch, stage):
        """Frames of the frozen encoders, then everything that is trained.

        Random numbers follow from the step: a run that is resumed goes on as
        if it had not been killed."""
        trains = stage == sb.Stage.TRAIN
        aligns = self.plan.align or not trains
        given = batch.given if trains else []
        targets = batch.targets if aligns or given else None
        if trains:
            where = self.epoch, self.step, *rank_and_size()
            key = content_key(self.hparams.seed, *where)
            torch.manual_seed(int(key[:12], 16))
        streams = None
        if aligns or not batch.nothing_to_hear:
            streams = self.hparams.features.frames(batch.items, self.device)
            streams = self.hparams.augment(streams) if trains else streams
        return self.modules.trainee(streams, batch.rows, targets, given)

    def compute_objectives(self, predictions, batch, stage):
        """Mean over answers, plus the weighted losses without the LLM."""
        self.meter.add(predictions, batch.targets)
        # Of a batch without questions nothing is learned, and nothing fails.
        loss = torch.zeros((), device=self.device, requires_grad=True)
        if predictions.answers is not None:
            loss = loss + predictions.answers.mean()
            if self.plan.contrast and len(predictions.contrast):
                against = predictions.contrast.mean()
                loss = loss + self.plan.contrast * against
        for name, weight in self.plan.align.items():
            loss = loss + weight * getattr(predictions.heard, name).mean()
        return loss

    def on_stage_end(self, stage, stage_loss, epoch=None):
        """Measures, logs and keeps the best checkpoint."""
        if stage == sb.Stage.TRAIN:
            self.trainee.switch_on(self.trainee.parts())
            self.train_stats = {"loss": stage_loss, **self.meter.means()}
            return
        # Generating would be compiled anew for every length.
        torch.compiler.set_stance("force_eager")
        stats = {"loss": stage_loss, **self.meter.means()}
        tokenizer = self.trainee.model.llm.tokenizer
        stats |= self.meter.aligned(tokenizer)
        examiner = self.hparams.examiner
        if stage == sb.Stage.TEST:
            stats |= examiner.test(self.examined)
            self.log({"test": self.split}, test_stats=stats)
            return
        meta = {}  # a checkpoint without score is not the best one
        if self.hparams.curriculum.examines(epoch):
            if self.plan.tasks:
                stats |= examiner.validate(self.examined)
            meta["score"] = score(stats)
        self.log(
            {"epoch": epoch, "stage": self.plan.name, **meta},
            train_stats=self.train_stats,
            valid_stats=stats,
        )
        self.checkpointer.save_and_keep_only(meta=meta, max_keys=["score"])

    def log(self, meta, **stats):
        """Logs and draws.

        Arguments
        ---------
        meta : dict
            Epoch or split.
        **stats : dict
            Of SpeechBrain's ``TrainLogger``.
        """
        for train_logger in self.hparams.train_loggers:
            train_logger.log_stats(meta, **stats)
        if "epoch" in meta and if_main_process():
            output = Path(self.hparams.output_folder)
            png = output / "learning_curve.png"
            learning_curve(output / "train_log.txt", [png])

    def train_on(self, splits, valid_rows):
        """Trains, from the last checkpoint on if there is one.

        Arguments
        ---------
        splits : dict
            Split -> list of dict, of the manifest: what is trained on.
        valid_rows : list of dict
            What is validated on.
        """
        hparams, data = self.hparams, self.hparams.clip_data
        self.examined = valid_rows
        rows = next(iter(splits.values()))[:8]
        items = [hparams.features.item(row["audio"]) for row in rows]
        self.trainee.match_scale(hparams.features.frames(items, self.device))
        valid = data.loader(valid_rows, hparams.valid_loader)
        counter = hparams.epoch_counter
        for stage, end in hparams.curriculum.ends():
            names = stage.splits or hparams.train_splits
            self.load_from([row for name in names for row in splits[name]])
            counter.limit = end
            self.fit(counter, self.loader, valid)

    def load_from(self, rows):
        """Makes the loader of a stage.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.
        """
        hparams, data = self.hparams, self.hparams.clip_data
        dataset = data.dataset(rows)
        self.sampler = hparams.batch_sampler(dataset)
        self.loader = self.make_dataloader(
            dataset,
            sb.Stage.TRAIN,
            batch_sampler=self.sampler,
            collate_fn=data.collate,
            **hparams.train_loader,
        )

    def test_on(self, split, rows):
        """Tests the best checkpoint on a split.

        Arguments
        ---------
        split : str
            Its name, for the log.
        rows : list of dict
            Of the manifest.
        """
        self.split, self.examined = split, rows
        loader = self.hparams.clip_data.loader(rows, self.hparams.valid_loader)
        self.evaluate(loader, max_key="score")

    def on_evaluate_start(self, max_key=None, min_key=None):
        """Turns to the result: the best checkpoint, interpolated."""
        super().on_evaluate_start(max_key, min_key)
        share = self.hparams.curriculum.interpolation
        if share < 1:
            self.trainee.model.llm.interpolate(share)

    def _should_save_intra_epoch_ckpt(self, last_ckpt_time, steps_since_ckpt):
        """Not between two optimizer steps: gradients are not kept."""
        should = super()._should_save_intra_epoch_ckpt(
            last_ckpt_time, steps_since_ckpt
        )
        return should and self.step % self.grad_accumulation_factor == 0


def build_if_absent(data_folder, overrides):
    """Builds a data set where there is none.

    Arguments
    ---------
    data_folder : str
        Where it is or shall be.
    overrides : list of str
        For ``build_data.py``.
    """
    if not (Path(data_folder) / "clips.csv").is_file():
        logger.info("No built data in %s: building it", data_folder)
        argv = ["hparams/build_data.yaml", "--output_folder", data_folder]
        build_data.main([*argv, *overrides])


def main(argv):
    """Run the training that a YAML describes.

    Arguments
    ---------
    argv : list of str
        YAML file and overrides.

    Returns
    -------
    JascoBrain
    """
    hparams_file, run_opts, overrides = sb.parse_arguments(argv)
    sb.utils.distributed.ddp_init_group(run_opts)
    with open(hparams_file, encoding="utf-8") as fin:
        hparams = load_hyperpyyaml(fin, overrides)
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=hparams_file,
        overrides=overrides,
    )
    folder = hparams["data_folder"]
    run_on_main(build_if_absent, args=[folder, hparams["build_overrides"]])
    splits = read_built(Path(folder) / "clips.csv", folder)
    trainee, data = hparams["trainee"], hparams["clip_data"]
    for part in trainee.model.parts():
        part.check()
    device = run_opts.device or sb.utils.distributed.infer_device()
    trainee.model.llm.load(device)
    if hparams["compile_llm"] and not run_opts.debug:
        trainee.model.llm.compile_layers()
    rows = [row for split in splits.values() for row in split]
    trained_on = {name: splits[name] for name in hparams["train_splits"]}
    trained = [row for split in trained_on.values() for row in split]
    if hparams["unrecorded"] is not None:
        given = unrecorded_rows(hparams["unrecorded"], rows, trained)
        trained_on[UNRECORDED] = given
    hparams["curriculum"].check_splits(trained_on)
    data.prepare(trainee, [r for split in trained_on.values() for r in split])
    hparams["examiner"].prepare(trainee, hparams["features"], rows, trained)
    brain = JascoBrain(
        modules={"trainee": trainee},
        opt_class=hparams["opt_class"],
        hparams=hparams,
        run_opts=run_opts,
        checkpointer=hparams["checkpointer"],
    )
    brain.train_on(trained_on, splits["valid"])
    brain.on_evaluate_start(max_key="score")
    output = Path(hparams["output_folder"])
    if if_main_process():
        yaml, folder = output / "hyperparams.yaml", output / "pretrained"
        save_pretrained(trainee.model, yaml, INTERFACE, folder)
        logger.info("Wrote %s; tests follow", folder)
    for split in hparams["test_splits"]:
        brain.test_on(split, splits[split])
    logger.info("Wrote %s", output / "train_log.txt")
    return brain


if __name__ == "__main__":
    main(sys.argv[1:])
