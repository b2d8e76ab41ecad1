"""Speech for a plan: every line spoken, checked by a recogniser, and kept.

    (text, voices) --> first voice --> cache --> recogniser --> words as meant?
                            ^                                        |
                            +------- next voice <------- no ---------+

Speech is cached by text, voice and engine, and so is what the recogniser made
of it: a second build speaks and listens to nothing it has heard before. The
cache may be shared by builds that run at the same time.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import soundfile
import torch
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building.mixing import active_speech
from speechbrain_jasco.building.word_errors import word_error_rate
from speechbrain_jasco.building.workers import (
    once_per_process,
    write_wav,
    write_whole,
)
from speechbrain_jasco.journal import content_key

logger = get_logger(__name__)

PEAK = 0.9
SHOWN = 10  # problems spelt out in one message


class Spoken(NamedTuple):
    """A line as spoken: by whom, where, and how much was misheard.

    Without a voice it is a line nobody spoke well enough, and ``reason`` says
    what was wrong the last time; an infinite error rate, that nothing came.
    """

    voice: str
    path: Path
    wer: float
    reason: str = ""


def trim(speech):
    """Cut the silence around the words and set the peak to 0.9.

    Arguments
    ---------
    speech : numpy.ndarray [S]
        Not silent.

    Returns
    -------
    numpy.ndarray

    Example
    -------
    >>> trim(np.concatenate([np.zeros(640), np.ones(320)])).shape
    (320,)
    """
    where = np.flatnonzero(active_speech(speech))
    speech = speech[where[0] : where[-1] + 1]
    return speech * (PEAK / np.abs(speech).max())


class SpeechMaker:
    """Speaks the lines of a plan.

    Arguments
    ---------
    speakers : JoinedSpeakers
        Who can speak.
    recogniser : object
        With ``transcribe(list of Tensor) -> list of str`` and ``config()``;
        None to believe every voice.
    max_wer : float
        Up to which word error rate a line counts as well spoken.
    cache_folder : str or Path
        Where speech and transcripts are kept.
    batch_size : int
        Lines that one task speaks or listens to.
    """

    def __init__(
        self, speakers, recogniser, max_wer, cache_folder, batch_size=16
    ):
        self.speakers = speakers
        self.recogniser = recogniser
        self.max_wer = max_wer
        self.folder = Path(cache_folder)
        self.batch_size = batch_size
        self._engines = {}

    def config(self):
        """What decides who speaks a line, JSON-able (dict)."""
        recogniser = self.recogniser and self.recogniser.config()
        return {
            "speakers": self.speakers.config(),
            "recogniser": recogniser,
            "max_wer": self.max_wer,
        }

    def path(self, text, voice):
        """Where a line in a voice is kept.

        Arguments
        ---------
        text : str
            The words.
        voice : Voice
            Who says it.

        Returns
        -------
        Path
        """
        if voice not in self._engines:
            engine = self.speakers.holder(voice).config()
            how = [voice.preset, voice.speed, voice.pitch]
            self._engines[voice] = content_key(engine, how)
        key = content_key(self._engines[voice], text)[:32]
        return self.folder / key[:2] / f"{key}.wav"

    def note(self, wav):
        """Where the recogniser's transcript of a wav is kept (Path)."""
        listener = content_key(self.recogniser.config())[:8]
        return wav.with_suffix(f".{listener}.txt")

    def make(self, wanted):
        """Speak lines, each in the first of its voices that is understood.

        Runs within joblib's ``parallel_config``, where there is one.

        Arguments
        ---------
        wanted : iterable of (str, tuple of str)
            Text and names of voices, the first choice first.

        Returns
        -------
        dict
            (text, names) -> Spoken.

        Raises
        ------
        ValueError
            If there are lines that no voice can speak at all.
        """
        voices = {voice.name: voice for voice in self.speakers.voices()}
        pending, done, turn = list(dict.fromkeys(wanted)), {}, 0
        while pending:
            tries = {line: (line[0], voices[line[1][turn]]) for line in pending}
            heard = self._try(sorted(set(tries.values())))
            for line, attempt in tries.items():
                if not heard[attempt].reason or turn + 1 == len(line[1]):
                    done[line] = heard[attempt]
            pending = [line for line in pending if line not in done]
            turn += 1
            if pending:
                logger.info("%d lines go to another voice", len(pending))
        mute = [s.reason for s in done.values() if s.wer == float("inf")]
        if mute:
            raise ValueError(
                f"{len(mute)} lines cannot be spoken:\n  "
                + "\n  ".join(mute[:SHOWN])
            )
        return done

    def _try(self, attempts):
        """(text, Voice) -> Spoken, for each."""
        paths = {attempt: self.path(*attempt) for attempt in attempts}
        todo = [a for a in attempts if not paths[a].is_file()]
        # Sorted by voice, so that a task needs few engines.
        todo.sort(key=lambda attempt: attempt[1].name)
        logger.info(
            "%d lines to speak, %d known", len(todo), len(paths) - len(todo)
        )
        reasons = {}
        for reply in self._run(speak, todo, self):
            reasons.update(reply)
        spoken = [a for a in attempts if a not in reasons]
        if self.recogniser:
            unheard = [a for a in spoken if not self.note(paths[a]).is_file()]
            logger.info("%d lines to listen to", len(unheard))
            list(self._run(listen, [paths[a] for a in unheard], self))
        return {
            attempt: self._judge(*attempt, reasons.get(attempt))
            for attempt in attempts
        }

    def _run(self, task, items, *arguments):
        """Batches of items through joblib: an iterator of replies."""
        size = self.batch_size
        batches = [items[i : i + size] for i in range(0, len(items), size)]
        return joblib.Parallel(return_as="generator")(
            joblib.delayed(task)(batch, *arguments) for batch in batches
        )

    def _judge(self, text, voice, reason):
        """Spoken well enough, or why not."""
        path = self.path(text, voice)
        if reason:
            return Spoken("", path, float("inf"), reason)
        if self.recogniser is None:
            return Spoken(voice.name, path, 0.0)
        heard = self.note(path).read_text(encoding="utf-8")
        wer = word_error_rate(text, heard)
        if wer <= self.max_wer:
            return Spoken(voice.name, path, wer)
        return Spoken("", path, wer, f"{voice.name}: heard as {heard!r}")


def speak(attempts, maker):
    """Speak lines into the cache; runs in a worker.

    Arguments
    ---------
    attempts : list of (str, Voice)
        What, by whom.
    maker : SpeechMaker
        Has speakers and cache.

    Returns
    -------
    dict
        Attempt -> what went wrong, for those that cannot be spoken.
    """
    key = content_key(maker.speakers.config())
    speakers = once_per_process(key, maker.speakers)
    reasons = {}
    for text, voice in attempts:
        try:
            speech = speakers.say(text, voice)
        except ValueError as error:
            reasons[text, voice] = str(error)
            continue
        write_wav(maker.path(text, voice), trim(speech))
    return reasons


def listen(paths, maker):
    """Transcribe speech of the cache; runs in a worker.

    Arguments
    ---------
    paths : list of Path
        What to listen to.
    maker : SpeechMaker
        Has the recogniser.
    """
    key = content_key(maker.recogniser.config())
    recogniser = once_per_process(key, maker.recogniser)
    wavs = [
        torch.from_numpy(soundfile.read(path, dtype="float32")[0])
        for path in paths
    ]
    texts = recogniser.transcribe(wavs)
    for path, text in zip(paths, texts, strict=True):
        write_whole(
            maker.note(path),
            lambda partial, text=text: partial.write_text(
                text, encoding="utf-8"
            ),
        )
