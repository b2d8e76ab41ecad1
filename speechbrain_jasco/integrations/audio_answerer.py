"""Asks an auditory LLM many questions about each clip, wasting nothing.

A clip is read, transcribed (where the LLM wants that), encoded and fused
once; the prompt up to and with its audio goes through the LLM once
(``prefix_generation.py``); its questions are answered together, and so are
clips of similar length.

Authors
 * The speechbrain_jasco developers, 2026
"""

from typing import NamedTuple

import torch

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)


class Heard(NamedTuple):
    """What is known of a clip.

    Arguments
    ---------
    tokens : torch.Tensor
        Audio tokens [N, D_llm].
    transcript : str
        What was said; "" without a recogniser.

    Example
    -------
    >>> Heard(torch.zeros(88, 4096), "Hold on.").transcript
    'Hold on.'
    """

    tokens: torch.Tensor
    transcript: str


class Prompt(NamedTuple):
    """A question about a clip, up to the answer.

    Arguments
    ---------
    prefix : Prefix
        Up to and with the audio.
    suffix : list of int
        What follows.

    Example
    -------
    >>> Prompt(Prefix([1], torch.zeros(3, 8)), [5, 6]).suffix
    [5, 6]
    """

    prefix: Prefix
    suffix: list


class AudioAnswerer:
    """An auditory LLM as an answerer.

    Arguments
    ---------
    model : AudioLLM
        The auditory LLM.
    decoding : dict
        Arguments of ``transformers.GenerationConfig``: ``max_new_tokens``,
        ``do_sample``, ``num_beams``, ``repetition_penalty`` ... What is not
        named has transformers' default; the checkpoint's own
        generation_config is not used.
    recogniser : object, optional
        ``transcribe(wavs) -> list of str``, ``check()``, ``config()``. Its
        transcripts go to the template, or to the readout.
    batch_size : int
        Prompts at once, and clips whose beginnings are kept for them. The
        same question about several clips stands in one batch.
    audio_aware : AudioAware, optional
        Contrasts each prompt with the same one without audio and transcript,
        where its weight is not 0; there are twice as many prompts at once.

    Raises
    ------
    ValueError
        If ``decoding`` has no ``max_new_tokens``, asks for several answers,
        or samples while contrasting.

    Example
    -------
    >>> AudioAnswerer(None, {"max_new_tokens": 200, "num_beams": 4}).batch_size
    8
    """

    def __init__(
        self,
        model,
        decoding,
        recogniser=None,
        batch_size=8,
        audio_aware=None,
    ):
        several = decoding.get("num_return_sequences", 1) != 1
        if "max_new_tokens" not in decoding or several or batch_size < 1:
            raise ValueError(
                f"got decoding {decoding} and batch_size {batch_size}; "
                "expected max_new_tokens, one answer per prompt and at least "
                "one prompt at once"
            )
        if audio_aware is not None and not audio_aware.weight:
            audio_aware = None
        if audio_aware is not None and decoding.get("do_sample"):
            raise ValueError(
                "got audio_aware and do_sample: True; expected greedy or beam "
                "search: a prompt and its twin would draw different tokens"
            )
        self.model = model
        self.decoding = dict(decoding)
        self.recogniser = recogniser
        self.batch_size = batch_size
        self.audio_aware = audio_aware

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        return {
            "answerer": type(self).__name__,
            "model": self.model.config(),
            "decoding": self.decoding,
            "recogniser": self.recogniser and self.recogniser.config(),
            "audio_aware": self.audio_aware and self.audio_aware.config(),
        }

    def check(self):
        """Fails now rather than later if a part is not to be had.

        Raises
        ------
        ValueError
            Names every part that is missing and what to do about it.
        """
        problems = []
        if self.model.checkpoint is None:
            problems.append(
                "no trained weights: fusion and adapter would be random. "
                "Train them with train.py, or give a checkpoint."
            )
        needs = self.model.template.has_transcript
        takes = needs or self.model.readout is not None
        has = self.recogniser is not None
        if (needs and not has) or (has and not takes):
            problems.append(
                f"template {'with' if needs else 'without'} {{transcript}} and "
                f"recogniser {self.recogniser!r}: expected both or neither, or "
                "a readout that takes what the recogniser understands"
            )
        parts = self.model.parts()
        if self.recogniser is not None:
            parts.append(self.recogniser)
        for part in parts:
            try:
                part.check()
            except (OSError, RuntimeError, ValueError) as error:
                problems.append(str(error))
        if problems:
            raise ValueError(
                f"this system cannot run, {len(problems)} problem(s):\n- "
                + "\n- ".join(problems)
            )

    def load(self):
        """Loads the model onto the current GPU where there is one, once."""
        self.model.load("cuda" if torch.cuda.is_available() else "cpu")
        self.model.eval()

    def answer(self, clips, questions):
        """Answers one question per clip.

        Arguments
        ---------
        clips : list of Clip
            One per question; a clip that stands there several times is heard
            once.
        questions : list of str
            The instructions.

        Returns
        -------
        list of str
        """
        self.load()
        heard = self.hear(clips)
        prefixes = {}  # key -> (prefix, its twin without audio, question)
        prompts = {}  # key -> list of (index, suffix, that of the twin)
        for index, (clip, question) in enumerate(zip(clips, questions)):
            sounds = heard[clip.path]
            prompt = self._prompt(question, sounds)
            deaf = self._prompt(question, Heard(sounds.tokens[:0], ""))
            # Whatever the beginning depends on.
            own = question if self.model.llm.depends_on_question else None
            key = (clip.path, tuple(prompt.prefix.ids), own)
            prefixes[key] = prompt.prefix, deaf.prefix, question
            member = index, prompt.suffix, deaf.suffix
            prompts.setdefault(key, []).append(member)
        texts = [""] * len(clips)
        for keys in self._batches(prefixes):
            members = [
                (row, *p) for row, k in enumerate(keys) for p in prompts[k]
            ]
            # A batch is as slow as its longest answer: those to one question
            # are of like length.
            members.sort(key=lambda member: (len(member[2]), member[2]))
            batch = [prefixes[key] for key in keys]
            for index, text in self._generate(batch, members):
                texts[index] = text
        return texts

    @torch.inference_mode()
    def hear(self, clips):
        """Reads, transcribes, encodes and fuses every distinct clip.

        Each alone: a clip's tokens cannot depend on its neighbours.

        Arguments
        ---------
        clips : list of Clip
            The clips.

        Returns
        -------
        dict
            path -> Heard
        """
        paths = list(dict.fromkeys(clip.path for clip in clips))
        wavs = [read_audio(path) for path in paths]
        transcripts = [""] * len(wavs)
        if self.recogniser is not None:
            transcripts = self.recogniser.transcribe(wavs)
        llm = self.model.llm
        dtype = llm.model.get_input_embeddings().weight.dtype
        heard = {}
        for path, wav, transcript in zip(paths, wavs, transcripts):
            wav = wav.to(llm.device).unsqueeze(0)
            lens = torch.ones(1, device=llm.device)
            words = [transcript] if transcript else None
            tokens, _ = self.model.tokens(wav, lens, words)
            heard[path] = Heard(tokens[0].to(dtype), transcript)
        return heard

    def _prompt(self, question, heard):
        """Writes a question about what is heard: Prompt."""
        ids = self.model.prompt(question, heard.transcript)
        return Prompt(Prefix(ids.before, heard.tokens), ids.after)

    def _batches(self, prefixes):
        """Groups prefixes of similar length: lists of keys."""

        def length(key):
            prefix = prefixes[key][0]
            return len(prefix.ids) + len(prefix.audio)

        keys = sorted(prefixes, key=length)
        for start in range(0, len(keys), self.batch_size):
            yield keys[start : start + self.batch_size]

    def _generate(self, batch, members):
        """Answers the prompts of a batch of prefixes: (index, text) each."""
        llm = self.model.llm
        prefixes, twins, questions = zip(*batch)
        if self.audio_aware is not None:
            prefixes, questions = prefixes + twins, questions * 2
        llm.prepare(questions)
        cache = PrefixCache(llm, prefixes)
        for start in range(0, len(members), self.batch_size):
            part = members[start : start + self.batch_size]
            rows, indices, suffixes, of_twins = zip(*part)
            if self.audio_aware is not None:  # wants them behind the others
                rows += tuple(row + len(batch) for row in rows)
                suffixes += of_twins
            llm.prepare([questions[row] for row in rows])
            new = cache.generate(
                rows, suffixes, self.decoding, self.audio_aware
            )[: len(part)]
            texts = llm.tokenizer.batch_decode(new, skip_special_tokens=True)
            yield from zip(indices, [text.strip() for text in texts])
        llm.prepare(None)
