"""The cascade: hear with two recognisers, reason with a text LLM.

    clip --> Whisper -----> "Pass me the other one."  --+
      |                                                 +--> LLM --> answer
      +----> sound tagger -> beach, ocean, harbor ------+
                                                instruction

It is the honest baseline of joint audio-speech co-reasoning: an auditory LLM
that does not beat it gains nothing from hearing. The LLM sees the labels and
the words only, so tone, voices and timing are lost.

Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain_jasco.dataio import read_audio


class Cascade:
    """Whisper transcript + sound labels -> LLM: an answerer.

    Arguments
    ---------
    recogniser : WhisperRecogniser
        ``transcribe(wavs) -> list of str``.
    tagger : SoundTagger
        ``tag(wavs) -> list of list of str``, best label first.
    generator : object
        The LLM (``speechbrain_jasco/integrations/reply.py``).
    template : str
        User message with ``{sounds}``, ``{words}`` and ``{question}``.
    system : str, optional
        System message.
    examples : list of dict
        Worked cases shown before the real one, with ``sounds``, ``words`` and
        ``answer``; each is asked the real question. A small LLM needs them to
        know what an answer looks like.

    Example
    -------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import torch
    >>> from speechbrain.dataio import audio_io
    >>> from speechbrain_jasco.dataio import Clip
    >>> from speechbrain_jasco.integrations.reply import Reply
    >>> class Ears:
    ...     def transcribe(self, wavs): return ["Hold on." for _ in wavs]
    ...     def tag(self, wavs): return [["wind", "sea"] for _ in wavs]
    >>> class Echo:
    ...     def complete(self, chats):
    ...         return [Reply(chat[-1]["content"]) for chat in chats]
    >>> cascade = Cascade(Ears(), Ears(), Echo(), "{sounds}|{words}|{question}")
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "1.wav"
    ...     audio_io.save(str(path), torch.zeros(1, 16000), 16000)
    ...     clip = Clip("1", "", "", "", "", "", "", "", "", path)
    ...     cascade.answer([clip, clip], ["What?", "Where?"])
    ['wind, sea|Hold on.|What?', 'wind, sea|Hold on.|Where?']
    """

    def __init__(
        self,
        recogniser,
        tagger,
        generator,
        template,
        system=None,
        examples=(),
    ):
        self.recogniser = recogniser
        self.tagger = tagger
        self.generator = generator
        self.template = template
        self.system = system
        self.examples = [dict(example) for example in examples]

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        return {
            "answerer": type(self).__name__,
            "recogniser": self.recogniser.config(),
            "tagger": self.tagger.config(),
            "generator": self.generator.config(),
            "template": self.template,
            "system": self.system,
            "examples": self.examples,
        }

    def check(self):
        """Fail now rather than later if a model is not to be had."""
        self.recogniser.load()
        self.tagger.load()
        self.generator.check()

    def answer(self, clips, questions):
        """Answer one question per clip.

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

        Raises
        ------
        RuntimeError
            If the LLM gives no reply.
        """
        heard = self.hear(clips)
        chats = [
            self._chat(heard[clip.path], question)
            for clip, question in zip(clips, questions)
        ]
        replies = self.generator.complete(chats)
        for reply in replies:
            if reply.status != "ok":
                raise RuntimeError(reply.reason)
        return [reply.text for reply in replies]

    def hear(self, clips):
        """Transcribe and tag every distinct clip.

        Arguments
        ---------
        clips : list of Clip
            The clips.

        Returns
        -------
        dict
            path -> (sounds: str, words: str)
        """
        paths = list(dict.fromkeys(clip.path for clip in clips))
        wavs = [read_audio(path) for path in paths]
        words = self.recogniser.transcribe(wavs)
        sounds = [", ".join(labels) for labels in self.tagger.tag(wavs)]
        return dict(zip(paths, zip(sounds, words)))

    def _chat(self, heard, question):
        """Write the LLM's chat for one clip and question."""
        chat = []
        if self.system is not None:
            chat.append({"role": "system", "content": self.system})
        for example in self.examples:
            case = example["sounds"], example["words"]
            chat.append(self._user(*case, question))
            chat.append({"role": "assistant", "content": example["answer"]})
        return [*chat, self._user(*heard, question)]

    def _user(self, sounds, words, question):
        """Write one user message."""
        content = self.template.format(
            sounds=sounds, words=words, question=question
        )
        return {"role": "user", "content": content}
