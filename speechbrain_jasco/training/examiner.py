"""What training is for, measured: hearing and choosing.

    clips, as they are or with a stem only --> frames (cached)
        --> transcript, sound name, speaker     generated, greedy
        --> choice among competing answers      by log-probability

Authors
 * The speechbrain_jasco developers, 2026
"""

import re

import torch
from torchaudio.functional import edit_distance

from speechbrain_jasco.building.manifest import wordings
from speechbrain_jasco.building.word_errors import words
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.training.choice import (
    Alternatives,
    choose,
    choose_by_text,
)


def word_error_rate(references, hypotheses):
    """Word errors per word, over all pairs.

    Arguments
    ---------
    references, hypotheses : list of str
        What was said, and what was understood.

    Returns
    -------
    float

    Example
    -------
    >>> word_error_rate(["Hold it higher."], ["hold higher"])
    0.3333333333333333
    """
    pairs = [
        (words(reference), words(hypothesis))
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    errors = sum(edit_distance(said, heard) for said, heard in pairs)
    return errors / max(1, sum(len(said) for said, _ in pairs))


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


class Examiner:
    """Examines a model on clips of a built data set.

    Arguments
    ---------
    questions : dict
        "transcribe", "sound", "direct" -> the instruction.
    batch_size : int
        Clips at once.
    max_new_tokens : int
        Of a generated answer.
    limit : int, optional
        Clips of a report at most.

    Example
    -------
    >>> Examiner({}).batch_size
    8
    """

    def __init__(self, questions, batch_size=8, max_new_tokens=40, limit=None):
        self.alternatives = None  # known when the data is
        self.questions = questions
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.limit = limit

    def prepare(self, rows):
        """Learns which answers compete.

        Arguments
        ---------
        rows : list of dict
            Of the manifest, all splits.
        """
        self.alternatives = Alternatives(rows)

    def batches(self, trainee, features, rows, column="audio"):
        """Reads clips.

        Arguments
        ---------
        trainee : Trainee
            Says where they go.
        features : Features
            The frozen encoders' frames.
        rows : list of dict
            Of the manifest.
        column : str
            "audio", or "sound_wav" or "speech_wav" for one stem only.

        Yields
        ------
        (list of dict, list of Frames)
        """
        device = trainee.model.llm.device
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            items = [features.item(row[column]) for row in part]
            yield part, features.frames(items, device)

    def hearing(self, trainee, features, rows):
        """Measures what is heard.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``.

        Returns
        -------
        dict
            "wer" and "sound_accuracy".
        """
        said, heard, named = [], [], []
        for part, streams in self.batches(trainee, features, rows):
            said += [row["spoken_text"] for row in part]
            asked = self.questions["transcribe"]
            heard += self.generate(trainee, streams, asked)
            answers = self.generate(trainee, streams, self.questions["sound"])
            named += [
                names_sound(answer, row["sound_names"])
                for answer, row in zip(answers, part, strict=True)
            ]
        return {
            "wer": word_error_rate(said, heard),
            "sound_accuracy": sum(named) / len(named),
        }

    def choice(self, trainee, features, rows, column="audio", task="direct"):
        """Chooses for every clip.

        Arguments
        ---------
        trainee, features, rows, column
            As for ``batches``.
        task : str
            Whose question; for a task other than "direct" the model first
            says itself what it hears.

        Returns
        -------
        list of Pick
        """
        picks = []
        for part, streams in self.batches(trainee, features, rows, column):
            question, leads = self.questions[task], None
            if task != "direct":
                said = self.generate(trainee, streams, question)
                leads = [lead(answer) for answer in said]
            picks += choose(
                trainee, streams, self.competing(part), question, leads
            )
        return picks

    def choice_by_text(self, trainee, rows, context):
        """Chooses with the gold sound and words as text.

        Arguments
        ---------
        trainee : Trainee
            Its LLM is asked.
        rows : list of dict
            Of the manifest.
        context : callable
            Row -> text in the audio's place.

        Returns
        -------
        list of Pick
        """
        picks = []
        for start in range(0, len(rows), self.batch_size):
            part = rows[start : start + self.batch_size]
            picks += choose_by_text(
                trainee,
                [context(row) for row in part],
                self.competing(part),
                self.questions["direct"],
            )
        return picks

    def report(self, trainee, features, rows):
        """Examines as validation does.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``; the first ``limit`` are examined.

        Returns
        -------
        dict
            "wer" and "sound_accuracy"; of clips with a behaviour also
            "choice", and "choice_sound" and "choice_speech" of those who hear
            one stem only.
        """
        was_training = trainee.training
        trainee.eval()
        rows = rows[: self.limit]
        report = self.hearing(trainee, features, rows)
        rows = [row for row in rows if row["triple_id"]]
        columns = {
            "choice": "audio",
            "choice_sound": "sound_wav",
            "choice_speech": "speech_wav",
        }
        for name, column in columns.items() if rows else ():
            picks = self.choice(trainee, features, rows, column)
            report[name] = share_right(picks, [r["triple_id"] for r in rows])
        trainee.train(was_training)
        return report

    def competing(self, rows):
        """The alternatives of clips (list of dict)."""
        return [
            self.alternatives.of(row["sound_id"], row["line_id"])
            for row in rows
        ]

    @torch.no_grad()
    def generate(self, trainee, streams, question):
        """Answers, greedily.

        Arguments
        ---------
        trainee : Trainee
            The model.
        streams : list of Frames
            What the encoders say.
        question : str
            The instruction.

        Returns
        -------
        list of str
        """
        llm = trainee.model.llm
        tokens, sizes = trainee.listen(streams)
        ids = trainee.model.prompt(question)
        dtype = llm.model.get_input_embeddings().weight.dtype
        prefixes = [
            Prefix(ids.before, own[:size].to(dtype))
            for own, size in zip(tokens, sizes.tolist(), strict=True)
        ]
        new = PrefixCache(llm, prefixes).generate(
            range(len(prefixes)),
            [ids.after] * len(prefixes),
            {"do_sample": False, "max_new_tokens": self.max_new_tokens},
        )
        texts = llm.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts]


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


def share_right(picks, triples):
    """Share of choices that are the triple they should be.

    Arguments
    ---------
    picks : list of Pick
        The choices.
    triples : list of str
        What they should be.

    Returns
    -------
    float

    Example
    -------
    >>> from speechbrain_jasco.training.choice import Pick
    >>> share_right([Pick("a", {}), Pick("b", {})], ["a", "a"])
    0.5
    """
    right = [p.chosen == t for p, t in zip(picks, triples, strict=True)]
    return sum(right) / max(1, len(right))


def lead(answer):
    """What an answer step by step says before its conclusion.

    Arguments
    ---------
    answer : str
        Such as ``The sound: rain. The words: "Hi." Together: they meet.``

    Returns
    -------
    str
        Up to and with ``Together:``, which is added if it is missing.

    Example
    -------
    >>> lead('The sound: rain. Together: they meet.')
    'The sound: rain. Together:'
    """
    return re.split(r"\s*Together:", answer)[0] + " Together:"
