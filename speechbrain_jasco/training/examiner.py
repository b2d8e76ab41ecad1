"""What training is for, measured: hearing and choosing.

    clips, as they are or with a stem only --> frames (cached)
        --> transcript, sound name, speaker     generated, greedy
        --> choice among competing answers      by log-probability

Authors
 * The speechbrain_jasco developers, 2026
"""

import random

import torch
from speechbrain.utils.distributed import if_main_process
from tqdm import tqdm

from speechbrain_jasco.building.word_errors import total_word_error_rate
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.training.choice import (
    Alternatives,
    choose,
    share_right,
    sure_bound,
)
from speechbrain_jasco.training.exchange import exchanges, mixed
from speechbrain_jasco.training.meter import names_sound


class Examiner:
    """Examines a model on clips of a built data set.

    Arguments
    ---------
    questions : dict
        "transcribe", "sound", "direct" -> the instruction.
    judged : JudgedAnswers, optional
        What has answers judged.
    max_new_tokens : int
        Of a generated answer.
    limit : int
        Clips of a validation.
    n_exchanges : int
        Clips of a test of which a half is exchanged, per half.
    sure : float, optional
        See ``choose``.
    unsure : float, optional
        Share of trained clips that are not sure of their right answer:
        ``find_sure`` finds ``sure`` so.

    Example
    -------
    >>> Examiner({}).limit
    48
    """

    def __init__(
        self,
        questions,
        judged=None,
        max_new_tokens=40,
        limit=48,
        n_exchanges=200,
        sure=None,
        unsure=None,
    ):
        self.questions = questions
        self.judged = judged
        self.batch_size = 8  # clips at once that choose among a dozen answers
        self.n_at_once = 32  # that generate one: a step costs hardly more
        self.max_new_tokens = max_new_tokens
        self.limit = limit
        self.n_exchanges = n_exchanges
        self.sure = sure
        self.unsure = unsure
        self.n_trained = 160  # clips that ``sure`` is found on
        self.most = None  # clips of a test
        # Known when model and data are.
        self.trainee = None
        self.features = None
        self.alternatives = None
        self.trained = None
        self.trained_rows = []

    def prepare(self, trainee, features, rows, trained):
        """Takes the model, and learns which answers compete.

        Arguments
        ---------
        trainee : Trainee
            Who is examined.
        features : Features
            The frozen encoders' frames.
        rows, trained : list of dict
            Of the manifest: all splits, and those that are trained on.

        Raises
        ------
        ValueError
            If who is not sure cannot choose as before training.
        """
        if {self.sure, self.unsure} != {None} and trainee.llm.lora is None:
            raise ValueError(
                f"examiner: got sure {self.sure}, unsure {self.unsure} and an "
                "LLM without LoRA, which cannot choose as before training. "
                "Set both to null."
            )
        self.trainee = trainee
        self.features = features
        self.alternatives = Alternatives(rows)
        self.trained = Alternatives(trained)
        self.trained_rows = [row for row in trained if row["triple_id"]]

    def find_sure(self):
        """Finds ``sure`` for the weights as they are, if none is given.

        With ``unsure`` only, and where there are trained clips. A bound belongs to weights: with longer training answers stand out
        more. Of clips that were trained on, ``unsure`` of those that choose
        right stand out less.
        """
        if self.unsure is None or self.sure is not None:
            return
        if not self.trained_rows:
            return
        n_rows = min(self.n_trained, len(self.trained_rows))
        rows = random.Random(0).sample(self.trained_rows, n_rows)
        picks = self.picks(rows, self.reading("audio"))
        triples = [row["triple_id"] for row in rows]
        self.sure = sure_bound(picks, triples, self.unsure)

    def shorten(self):
        """Examines one clip, with short answers, to try a run out."""
        self.limit = self.most = self.n_trained = 1
        self.max_new_tokens = 8

    def validate(self, rows):
        """Examines the first ``limit`` clips.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        dict
            "wer" and "sound_accuracy"; of clips with a behaviour also what
            ``choices`` returns, "choice_sound" and "choice_speech" of those
            who hear one stem only, and the judge's scores.
        """
        return self.report(rows[: self.limit])

    def test(self, rows):
        """Examines all clips, and some with a half exchanged.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        dict
            As for ``validate``, with "follows_sound" and "follows_speech".
        """
        rows = rows[: self.most]
        self.find_sure()
        report = self.report(rows)
        rows = [row for row in rows if row["triple_id"]]
        for half in ("sound", "speech"):
            changed = exchanges(rows, self.trained, half)[: self.n_exchanges]
            if changed:
                report[f"follows_{half}"] = self.choice(changed, self._mix)
        return report

    def report(self, rows):
        """Examines clips.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        dict
            See ``validate``.
        """
        was_training = self.trainee.training
        self.trainee.eval()
        report = self.hearing(rows)
        rows = [row for row in rows if row["triple_id"]]
        if rows:
            report |= self.choices(rows)
            for half in ("sound", "speech"):
                stem = self.reading(f"{half}_wav")
                report[f"choice_{half}"] = self.choice(rows, stem)
        if rows and self.judged is not None:
            report |= self.judgement(rows)
        self.trainee.train(was_training)
        return report

    def hearing(self, rows):
        """Measures what is heard.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.

        Returns
        -------
        dict
            "wer" and "sound_accuracy".
        """
        questions = [self.questions["transcribe"], self.questions["sound"]]
        said = self.answers(rows, questions)
        heard, named = zip(*said, strict=True)
        right = [
            names_sound(name, row["sound_names"])
            for name, row in zip(named, rows, strict=True)
        ]
        return {
            "wer": total_word_error_rate(
                [row["spoken_text"] for row in rows], heard
            ),
            "sound_accuracy": sum(right) / len(right),
        }

    def judgement(self, rows):
        """Asks all instructions about some clips and has them judged.

        Arguments
        ---------
        rows : list of dict
            Of the manifest; all with a behaviour.

        Returns
        -------
        dict
            See ``JudgedAnswers.scores``.
        """
        rows = self.judged.chosen(rows)
        answers = self.answers(rows, self.judged.instructions)
        return self.judged.scores(rows, answers)

    def choices(self, rows):
        """Measures the choice of those who hear all.

        Arguments
        ---------
        rows : list of dict
            Of the manifest; all with a behaviour.

        Returns
        -------
        dict
            "choice"; if those who are not sure choose as before training,
            also "sure" and "choice_learned", what it would be if they did not.
        """
        triples = [row["triple_id"] for row in rows]
        picks = self.picks(rows, self.reading("audio"))
        report = {"choice": share_right(picks, triples)}
        if self.sure is not None:
            own = [p._replace(chosen=p.learned or p.chosen) for p in picks]
            report["choice_learned"] = share_right(own, triples)
            report["sure"] = self.sure
        return report

    def choice(self, rows, item):
        """Measures the choice.

        Arguments
        ---------
        rows, item
            See ``picks``.

        Returns
        -------
        float
            Share of clips whose right answer is chosen.
        """
        picks = self.picks(rows, item)
        return share_right(picks, [row["triple_id"] for row in rows])

    @torch.no_grad()
    def picks(self, rows, item):
        """Has the model choose for every clip.

        Arguments
        ---------
        rows : list of dict
            Of the manifest, or of ``exchanges``.
        item : callable
            Row -> Item: what is heard.

        Returns
        -------
        list of Pick
        """
        picks = []
        for part, streams in self.batches(rows, item):
            competing = [
                self.alternatives.of(row["sound_id"], row["line_id"])
                for row in part
            ]
            asked = self.questions["direct"]
            heard = self.trainee.listen(streams)
            picks += choose(self.trainee, heard, competing, asked, self.sure)
        return picks

    @torch.no_grad()
    def answers(self, rows, questions):
        """Has the model answer, greedily; a clip is heard once.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.
        questions : list of str
            Asked about each clip.

        Returns
        -------
        list of list of str
            Of each clip, one answer per question.
        """
        model = self.trainee.model
        prompts = [model.prompt(question) for question in questions]
        options = {"do_sample": False, "max_new_tokens": self.max_new_tokens}
        dtype = model.llm.model.get_input_embeddings().weight.dtype
        answers = []
        reading, n = self.reading("audio"), self.n_at_once
        for part, streams in self.batches(rows, reading, n):
            tokens, sizes = self.trainee.listen(streams)
            prefixes = [
                Prefix(prompts[0].before, own[:size].to(dtype))
                for own, size in zip(tokens, sizes.tolist(), strict=True)
            ]
            cache = PrefixCache(model.llm, prefixes)
            clips = range(len(part))
            said = [
                cache.generate(clips, [ids.after] * len(part), options)
                for ids in prompts
            ]
            texts = [
                model.llm.tokenizer.batch_decode(own, skip_special_tokens=True)
                for own in said
            ]
            answers += [
                [t.strip() for t in own] for own in zip(*texts, strict=False)
            ]
        return answers

    def batches(self, rows, item, n=None):
        """Reads clips, and shows how far it is.

        Arguments
        ---------
        rows : list of dict
            Of the manifest.
        item : callable
            Row -> Item.
        n : int, optional
            Clips at once; ``batch_size`` by default.

        Yields
        ------
        (list of dict, list of Frames)
        """
        n = n or self.batch_size
        device = self.trainee.llm.device
        hidden = {"leave": False, "disable": not if_main_process()}
        for start in tqdm(range(0, len(rows), n), "examine", **hidden):
            part = rows[start : start + n]
            items = [item(row) for row in part]
            yield part, self.features.frames(items, device)

    def reading(self, column):
        """Says what is heard: the recording in a column.

        Arguments
        ---------
        column : str
            "audio", "sound_wav" or "speech_wav".

        Returns
        -------
        callable
            Row -> Item.
        """
        return lambda row: self.features.item(row[column])

    def _mix(self, row):
        """The Item of an exchange."""
        return mixed(row, len(self.features.encoders))
