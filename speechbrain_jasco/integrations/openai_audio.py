"""An auditory LLM behind an OpenAI-compatible server, as an answerer.

    clip --> WAV, 16 kHz, 16 bit --> base64 in ``input_audio`` --+
                                                                 +--> server
    question ----------------------------------------------------+

The audio comes first, so a server with a prefix cache (vLLM) reads it once
for the questions of a clip.

Authors
 * The speechbrain_jasco developers, 2026
"""

from functools import lru_cache
from typing import Optional

from speechbrain_jasco.dataio import SAMPLE_RATE_HZ, read_audio
from speechbrain_jasco.integrations.audio_prompt import wav_base64


class OpenAIAudio:
    """Asks a model that hears, over HTTP: an answerer.

    A call that fails makes ``answer`` raise, and the caller then asks each
    pair alone to find the culprit. The replies that are there already wait
    for that: nothing is sent twice, and every failure keeps its own reason.

    Arguments
    ---------
    generator : OpenAIGenerator
        The client: retries, key and concurrency are its business.
    system : str, optional
        System message.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> chat = OpenAIAudio(SimpleNamespace()).chat("AAAA", "What is it?")
    >>> [part["type"] for part in chat[0]["content"]]
    ['input_audio', 'text']
    """

    def __init__(self, generator, system: Optional[str] = None):
        self.generator = generator
        self.system = system
        self._waiting = {}  # (path, question) -> Reply

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        return {
            "answerer": type(self).__name__,
            "generator": self.generator.config(),
            "system": self.system,
        }

    def check(self):
        """Fail now rather than later if the server will not do."""
        self.generator.check()

    def chat(self, audio, question):
        """Writes the chat of one question.

        Arguments
        ---------
        audio : str
            A WAV file in base64.
        question : str
            The question.

        Returns
        -------
        list of dict
            Messages.
        """
        sound = {"data": audio, "format": "wav"}
        content = [
            {"type": "input_audio", "input_audio": sound},
            {"type": "text", "text": question},
        ]
        user = {"role": "user", "content": content}
        if self.system is None:
            return [user]
        return [{"role": "system", "content": self.system}, user]

    def answer(self, clips, questions):
        """Answer one question per clip.

        Arguments
        ---------
        clips : list of Clip
            One per question; a clip that stands there several times is read
            once.
        questions : list of str
            The instructions.

        Returns
        -------
        list of str

        Raises
        ------
        RuntimeError
            If a call failed: the first reason.
        """
        pairs = [(clip.path, text) for clip, text in zip(clips, questions)]
        new = [pair for pair in pairs if pair not in self._waiting]
        read = lru_cache(maxsize=None)(encoded_clip)
        chats = [self.chat(read(path), question) for path, question in new]
        self._waiting.update(zip(new, self.generator.complete(chats)))
        replies = [self._waiting[pair] for pair in pairs]
        failed = [reply for reply in replies if reply.status != "ok"]
        if not failed or len(pairs) == 1:
            for pair in pairs:
                self._waiting.pop(pair, None)
        if failed:
            raise RuntimeError(failed[0].reason)
        return [reply.text for reply in replies]


def encoded_clip(path):
    """Reads a clip and writes it as servers take it.

    Arguments
    ---------
    path : Path
        The recording.

    Returns
    -------
    str
        A mono WAV file of 16 kHz and 16 bit in base64. What is such a file
        already keeps its samples.
    """
    wav = (read_audio(path) * 32768).round().clamp(-32768, 32767)
    return wav_base64(wav.short().numpy(), SAMPLE_RATE_HZ)
