"""What training is for, measured: hearing and choosing.

    clips, as they are or with a stem only --> frames (cached)
        --> transcript, sound name, speaker     generated, greedy
        --> choice among competing answers      by log-probability

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch

from speechbrain_jasco.building.manifest import wordings
from speechbrain_jasco.building.word_errors import (
    total_word_error_rate,
    words,
)
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.training.choice import Alternatives, choose
from speechbrain_jasco.training.exchange import exchanges, mixed


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
    judged : JudgedAnswers, optional
        What has answers judged.
    batch_size : int
        Clips at once.
    max_new_tokens : int
        Of a generated answer.
    limit : int
        Clips of a validation.
    n_exchanges : int
        Clips of a test of which a half is exchanged, per half.

    Example
    -------
    >>> Examiner({}).batch_size
    8
    """

    def __init__(
        self,
        questions,
        judged=None,
        batch_size=8,
        max_new_tokens=40,
        limit=48,
        n_exchanges=200,
    ):
        self.alternatives = None  # known when the data is
        self.trained = None
        self.questions = questions
        self.judged = judged
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.limit = limit
        self.n_exchanges = n_exchanges

    def prepare(self, rows, trained):
        """Learns which answers compete.

        Arguments
        ---------
        rows, trained : list of dict
            Of the manifest: all splits, and those that are trained on.
        """
        self.alternatives = Alternatives(rows)
        self.trained = Alternatives(trained)

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
            "wer": total_word_error_rate(said, heard),
            "sound_accuracy": sum(named) / len(named),
        }

    def choice(self, trainee, features, rows, column="audio"):
        """Chooses for every clip.

        Arguments
        ---------
        trainee, features, rows, column
            As for ``batches``.

        Returns
        -------
        list of Pick
        """
        picks = []
        for part, streams in self.batches(trainee, features, rows, column):
            competing = self.competing(part)
            asked = self.questions["direct"]
            picks += choose(trainee, streams, competing, asked)
        return picks

    def following(self, trainee, features, rows, half):
        """Exchanges a half and looks whether the answer follows.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``.
        half : str
            "sound" or "speech".

        Returns
        -------
        float
            Share of the clips whose answer becomes the trained one of the
            new pair; None if there is no such clip.
        """
        changed = exchanges(rows, self.trained, half)[: self.n_exchanges]
        if not changed:
            return None
        n_encoders = len(features.encoders)
        device = trainee.model.llm.device
        picks = []
        for start in range(0, len(changed), self.batch_size):
            part = changed[start : start + self.batch_size]
            items = [mixed(row, n_encoders) for row in part]
            streams = features.frames(items, device)
            competing = self.competing(part)
            asked = self.questions["direct"]
            picks += choose(trainee, streams, competing, asked)
        return share_right(picks, [row["triple_id"] for row in changed])

    def validate(self, trainee, features, rows):
        """Examines the first ``limit`` clips.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``.

        Returns
        -------
        dict
            As for ``report``.
        """
        return self.report(trainee, features, rows[: self.limit])

    def report(self, trainee, features, rows):
        """Examines clips.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``.

        Returns
        -------
        dict
            "wer" and "sound_accuracy"; of clips with a behaviour also
            "choice", "choice_sound" and "choice_speech" of those who hear
            one stem only, and the judge's scores.
        """
        was_training = trainee.training
        trainee.eval()
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
        if rows and self.judged is not None:
            report |= self.judgement(trainee, features, rows)
        trainee.train(was_training)
        return report

    def judgement(self, trainee, features, rows):
        """Asks all instructions about some clips and has them judged.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``; all with a behaviour.

        Returns
        -------
        dict
            See ``JudgedAnswers.scores``.
        """
        rows = self.judged.chosen(rows)
        answers = []
        for _, streams in self.batches(trainee, features, rows):
            said = [
                self.generate(trainee, streams, question)
                for question in self.judged.instructions
            ]
            answers += zip(*said, strict=True)
        return self.judged.scores(rows, answers)

    def test(self, trainee, features, rows):
        """Examines all clips, and some with a half exchanged.

        Arguments
        ---------
        trainee, features, rows
            As for ``batches``.

        Returns
        -------
        dict
            As for ``report``, with "follows_sound" and "follows_speech".
        """
        report = self.report(trainee, features, rows)
        rows = [row for row in rows if row["triple_id"]]
        for half in ("sound", "speech"):
            share = self.following(trainee, features, rows, half)
            if share is not None:
                report[f"follows_{half}"] = share
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
