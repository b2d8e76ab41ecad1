"""What is trained when: the stages of a training run.

    align    fusion only, without the LLM      epochs 1 ... 4
    fuse     fusion, through the frozen LLM    epochs 5 ... 8
    reason   fusion and LoRA                   epochs 9 ... 12

Everything follows from the epoch and the progress within it: a run that is
resumed needs no state from here.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import math
from dataclasses import dataclass, field

from speechbrain_jasco.training.unrecorded import UNRECORDED

PARTS = ("fusion", "llm")


@dataclass(frozen=True)
class Stage:
    """A stretch of epochs.

    Arguments
    ---------
    name : str
        For the log.
    epochs : int
        How many.
    lr : dict
        Part ("fusion", "llm") -> highest learning rate; a part that is not
        named is not trained.
    tasks : dict
        Task -> weight; without any the LLM is not run.
    turns : float or dict
        Tasks per clip and epoch, for all clips or split -> number; of 0.3, for
        example, three clips in ten get one. A split that is not named gets
        none.
    align : dict
        "ctc", "sound", "speaker" -> weight of the losses without the LLM.
    given : float
        Share of the clips whose words and names the readout is given instead
        of reading them off; an ``AudioLLM`` without readout takes none.
    rivals : int
        Trained answers with the same sound or line that compete with the
        right one, per question that asks for the behaviour alone.
    contrast : float
        Weight of the loss that prefers the right one.
    warmup : float
        Share of the stage in which the learning rate rises; afterwards it
        falls as a cosine.
    floor : float
        Share of the highest learning rate at the end.
    examine_every : int
        Epochs from one examination to the next; the last is always examined.
    splits : list of str
        What is trained on; all of ``train_splits`` where none is named.
        "unrecorded" are triples that have no recording to be aligned with.

    Example
    -------
    >>> Stage("align", 2, {"fusion": 0.001}, align={"ctc": 1.0}).tasks
    {}
    """

    name: str
    epochs: int
    lr: dict
    tasks: dict = field(default_factory=dict)
    turns: float | dict = 3
    align: dict = field(default_factory=dict)
    given: float = 0.0
    rivals: int = 0
    contrast: float = 0.0
    warmup: float = 0.1
    floor: float = 0.1
    examine_every: int = 1
    splits: list = ()

    def __post_init__(self):
        if self.epochs < 1 or not (self.tasks or self.align):
            raise ValueError(
                f"stage {self.name!r}: got {self.epochs} epochs, tasks "
                f"{self.tasks} and align {self.align}; expected at least one "
                "epoch and something to learn"
            )
        if self.align and UNRECORDED in self.splits:
            raise ValueError(
                f"stage {self.name!r}: got align {self.align} and the split "
                f"{UNRECORDED!r}, of which there is nothing to hear; expected "
                "one of the two"
            )
        names = (("lr", PARTS), ("align", ("ctc", "sound", "speaker")))
        for option, known in names:
            unknown = sorted(set(getattr(self, option)) - set(known))
            if unknown:
                raise ValueError(
                    f"stage {self.name!r}: got {option} of {unknown}; expected "
                    f"{' or '.join(known)}"
                )

    def n_turns(self, split, rng):
        """How many tasks a clip gets.

        Arguments
        ---------
        split : str
            Of the clip.
        rng : random.Random
            Decides about the fraction.

        Returns
        -------
        int

        Example
        -------
        >>> import random
        >>> stage = Stage("a", 1, {}, {"direct": 1}, turns={"train": 2})
        >>> [stage.n_turns(s, random.Random(0)) for s in ("train", "valid")]
        [2, 0]
        """
        turns = self.turns
        if isinstance(turns, dict):
            turns = turns.get(split, 0)
        whole = int(turns)
        return whole + (rng.random() < turns - whole)

    def lr_at(self, part, progress):
        """Learning rate.

        Arguments
        ---------
        part : str
            "fusion" or "llm".
        progress : float
            Through the stage, from 0 to 1.

        Returns
        -------
        float

        Example
        -------
        >>> stage = Stage("a", 1, {"llm": 1.0}, {"direct": 1}, floor=0.0)
        >>> [round(stage.lr_at("llm", p), 2) for p in (0.05, 0.1, 0.55, 1.0)]
        [0.5, 1.0, 0.5, 0.0]
        """
        if progress < self.warmup:
            return self.lr.get(part, 0.0) * progress / self.warmup
        rest = (progress - self.warmup) / (1 - self.warmup)
        share = (
            self.floor
            + (1 - self.floor) * (1 + math.cos(math.pi * min(rest, 1.0))) / 2
        )
        return self.lr.get(part, 0.0) * share


class Curriculum:
    """Stages in a row.

    Arguments
    ---------
    stages : list of dict
        Arguments of ``Stage``.
    interpolation : float
        How much of what the LLM has learned is kept in the end, from 0 to 1:
        see ``CausalLM.interpolate``.

    Raises
    ------
    ValueError
        If the interpolation is outside.

    Example
    -------
    >>> stages = [dict(name=n, epochs=2, lr={}, tasks={"a": 1}) for n in "ab"]
    >>> curriculum = Curriculum(stages)
    >>> curriculum.n_epochs, curriculum.at(3).name, curriculum.progress(3, 0.5)
    (4, 'b', 0.25)
    """

    def __init__(self, stages, interpolation=1.0):
        if not 0 <= interpolation <= 1:
            raise ValueError(
                f"interpolation: got {interpolation}, expected 0 (nothing of "
                "what the LLM has learned is kept) to 1 (all of it)"
            )
        self.stages = [Stage(**stage) for stage in stages]
        self.interpolation = interpolation

    @property
    def n_epochs(self):
        """Epochs of all stages (int)."""
        return sum(stage.epochs for stage in self.stages)

    def at(self, epoch):
        """The stage of an epoch.

        Arguments
        ---------
        epoch : int
            From 1.

        Returns
        -------
        Stage
        """
        return self._find(epoch)[0]

    def progress(self, epoch, share):
        """How far a stage has come.

        Arguments
        ---------
        epoch : int
            From 1.
        share : float
            Of the epoch that is done.

        Returns
        -------
        float
            From 0 to 1.
        """
        stage, first = self._find(epoch)
        return (epoch - first + share) / stage.epochs

    def ends(self):
        """The last epoch of each stage.

        Yields
        ------
        (Stage, int)

        Example
        -------
        >>> stages = [dict(name=n, epochs=2, lr={}, tasks={"a": 1}) for n in "ab"]
        >>> [(stage.name, end) for stage, end in Curriculum(stages).ends()]
        [('a', 2), ('b', 4)]
        """
        end = 0
        for stage in self.stages:
            end += stage.epochs
            yield stage, end

    def check_splits(self, splits):
        """Fails at start-up if a stage names a split that is not trained on.

        Arguments
        ---------
        splits : iterable of str
            What is trained on.

        Raises
        ------
        ValueError
            Names the stage and the splits there are.

        Example
        -------
        >>> stage = dict(name="a", epochs=1, lr={}, tasks={"a": 1}, splits=["x"])
        >>> Curriculum([stage]).check_splits(["train"])
        Traceback (most recent call last):
        ...
        ValueError: stage 'a': got the splits ['x'], expected some of train...
        """
        for stage in self.stages:
            if set(stage.splits) - set(splits):
                raise ValueError(
                    f"stage {stage.name!r}: got the splits {stage.splits}, "
                    f"expected some of {', '.join(splits)}; name it in "
                    "train_splits too"
                )

    def examines(self, epoch):
        """Whether the model is examined after an epoch.

        Arguments
        ---------
        epoch : int
            From 1.

        Returns
        -------
        bool

        Example
        -------
        >>> stage = dict(name="a", epochs=5, lr={}, tasks={"a": 1})
        >>> curriculum = Curriculum([{**stage, "examine_every": 3}])
        >>> [e for e in range(1, 6) if curriculum.examines(e)]
        [3, 5]
        """
        stage, first = self._find(epoch)
        done = epoch - first + 1
        return done % stage.examine_every == 0 or done == stage.epochs

    def shorten(self):
        """Leaves one epoch of each stage, to try a run out."""
        self.stages = [
            dataclasses.replace(stage, epochs=1) for stage in self.stages
        ]

    def _find(self, epoch):
        """The stage of an epoch and the stage's first epoch."""
        for stage, end in self.ends():
            if epoch <= end:
                return stage, end - stage.epochs + 1
        raise ValueError(f"epoch {epoch}: expected at most {self.n_epochs}")
