"""Sums up an epoch: loss per task, what the alignment has understood, a score.

Authors
 * The speechbrain_jasco developers, 2026
"""

from collections import defaultdict

from speechbrain_jasco.building.manifest import wordings
from speechbrain_jasco.building.word_errors import (
    total_word_error_rate,
    words,
)
from speechbrain_jasco.lobes.models.vocabulary import UNKNOWN


class Meter:
    """Means over what it has been shown.

    Example
    -------
    >>> import torch
    >>> from speechbrain_jasco.training.trainee import Losses
    >>> meter = Meter()
    >>> meter.add(Losses(torch.tensor([1.0, 3.0]), ["a", "a"], None), None)
    >>> meter.means()
    {'a': 2.0}
    """

    def __init__(self):
        self._losses = defaultdict(list)
        self._words = []  # (said, heard), as tokens
        self._names = defaultdict(list)  # kind -> (right, heard)

    def add(self, losses, targets):
        """Takes the losses of a batch.

        Arguments
        ---------
        losses : Losses
            Of a ``Trainee``.
        targets : Targets
            What should have been heard.
        """
        if losses.answers is not None:
            values = losses.answers.tolist()
            for task, value in zip(losses.tasks, values, strict=True):
                self._losses[task].append(value)
        if losses.contrast is not None and len(losses.contrast):
            self._losses["contrast"] += losses.contrast.tolist()
        heard = losses.heard
        if heard is not None:
            self._losses["ctc"] += heard.ctc.tolist()
            self._losses["sound_loss"] += heard.sound.tolist()
            self._words += zip(targets.words, heard.words, strict=True)
            self._losses["speaker_loss"] += heard.speaker.tolist()
            for kind, names in heard.names.items():
                right = targets.names[kind]
                self._names[kind] += zip(right, names, strict=True)

    def means(self):
        """Mean loss of each task.

        Returns
        -------
        dict
        """
        return {
            name: sum(values) / len(values)
            for name, values in sorted(self._losses.items())
        }

    def aligned(self, tokenizer):
        """What the audio tokens say without the LLM.

        Arguments
        ---------
        tokenizer : transformers.PreTrainedTokenizerBase
            The LLM's.

        Returns
        -------
        dict
            "ctc_wer", "ctc_sound" and "ctc_speaker", where anything was
            aligned and the truth is known.
        """
        if not self._words:
            return {}
        said, heard = (
            tokenizer.batch_decode([list(ids) for ids in side])
            for side in zip(*self._words, strict=True)
        )
        stats = {"ctc_wer": total_word_error_rate(said, heard)}
        for kind, names in self._names.items():
            right = [a == b for a, b in names if a != UNKNOWN]
            if right:
                stats[f"ctc_{kind}"] = sum(right) / len(right)
        return stats


def names_sound(answer, names):
    """Whether an answer is one of a sound's names.

    Arguments
    ---------
    answer : str
        What the model says.
    names : str
        The cell ``sound_names``.

    Returns
    -------
    bool

    Example
    -------
    >>> names_sound("rain falling.", "Rain falling|Heavy rain")
    True
    """
    return words(answer) in [words(name) for name in wordings(names)]


def score(report):
    """One number to choose the best checkpoint by.

    Arguments
    ---------
    report : dict
        Measures; those of the alignment count where the LLM was not asked.

    Returns
    -------
    float
        Mean of choice, sound accuracy and words understood; higher is better.
        Any report with a choice is above those without.

    Example
    -------
    >>> score({"wer": 0.5, "sound_accuracy": 0.75, "choice": 1.0})
    1.75
    >>> score({"ctc_wer": 1.2, "ctc_sound": 0.5})
    0.25
    """
    wer = report.get("wer", report.get("ctc_wer", 1.0))
    sound = report.get("sound_accuracy", report.get("ctc_sound", 0.0))
    parts = [1 - min(wer, 1.0), sound]
    if "choice" not in report:
        return sum(parts) / len(parts)
    parts.append(report["choice"])
    return 1 + sum(parts) / len(parts)
