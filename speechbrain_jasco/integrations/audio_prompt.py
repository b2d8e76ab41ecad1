"""How one clip and its questions are put before a native audio model.

    wav + questions --> chats --> the model's own template and processor
                                  --> input_ids [B, L], audio features

The families differ in the form of a user message only; each form is a small
class here, named by a preset (``hparams/models/``).

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64
import io
from typing import Optional

import soundfile as sf

from speechbrain_jasco.integrations.prompt_template import break_up_specials


class PartsPrompt:
    """The message is a list of typed parts, the audio before the question.

    Arguments
    ---------
    system : str, optional
        System message; None leaves it to the model's own template.

    Example
    -------
    >>> PartsPrompt("Be brief.").chat("What?")[0]["content"]
    [{'type': 'text', 'text': 'Be brief.'}]
    >>> PartsPrompt().chat("What?")[0]["content"]
    [{'type': 'audio'}, {'type': 'text', 'text': 'What?'}]
    """

    def __init__(self, system: Optional[str] = None):
        self.system = system

    def config(self):
        """Everything a prompt depends on, JSON-able (dict)."""
        return {"prompt": type(self).__name__, "system": self.system}

    def chat(self, question, audio_token=None):
        """Writes the chat of one question.

        Arguments
        ---------
        question : str
            The question.
        audio_token : str, optional
            The placeholder that stands for audio inside a text.

        Returns
        -------
        list of dict
            Messages.
        """
        user = {"role": "user", "content": self._user(question, audio_token)}
        if self.system is None:
            return [user]
        return [{"role": "system", "content": self._system()}, user]

    def encode(self, processor, wav, questions):
        """Makes the model's input of one clip.

        Arguments
        ---------
        processor : transformers.ProcessorMixin
            The model's own.
        wav : numpy.ndarray
            Mono samples [S] at the processor's rate.
        questions : list of str
            One row each.

        Returns
        -------
        transformers.BatchFeature
            ``input_ids`` and ``attention_mask`` [B, L], padded on the left,
            and the audio features.
        """
        chats = [
            self.chat(defuse(question, processor), processor.audio_token)
            for question in questions
        ]
        texts = [
            self.writer(processor).apply_chat_template(
                chat, add_generation_prompt=True, tokenize=False
            )
            for chat in chats
        ]
        bos = processor.tokenizer.bos_token
        return processor(
            text=texts,
            audio=[wav] * len(texts),
            # By modality: some processors pad audio in a way of their own.
            audio_kwargs={"sampling_rate": sampling_rate(processor)},
            text_kwargs={
                "padding": True,
                "padding_side": "left",
                # A template that writes the BOS itself gets no second one.
                "add_special_tokens": not (bos and texts[0].startswith(bos)),
            },
            return_tensors="pt",
        )

    def writer(self, processor):
        """What holds the chat template.

        Arguments
        ---------
        processor : transformers.ProcessorMixin
            The model's own.

        Returns
        -------
        object
            With ``apply_chat_template``.
        """
        return processor

    def _system(self):
        """Write the content of the system message."""
        return [{"type": "text", "text": self.system}]

    def _user(self, question, audio_token):
        """Write the user's content."""
        return [{"type": "audio"}, {"type": "text", "text": question}]


class TextPrompt(PartsPrompt):
    """The message is one string that begins with the audio placeholder.

    For templates that know no parts (Granite Speech, Phi-4-multimodal).

    Arguments
    ---------
    system : str, optional
        System message; None leaves it to the model's own template.

    Example
    -------
    >>> TextPrompt().chat("What?", "<|audio|>")
    [{'role': 'user', 'content': '<|audio|>What?'}]
    """

    def writer(self, processor):
        """The tokenizer: its template is the one for text.

        Arguments
        ---------
        processor : transformers.ProcessorMixin
            The model's own.

        Returns
        -------
        object
            With ``apply_chat_template``.
        """
        return processor.tokenizer

    def _system(self):
        """Write the content of the system message."""
        return self.system

    def _user(self, question, audio_token):
        """Write the user's content."""
        return f"{audio_token}{question}"


class MistralPrompt(PartsPrompt):
    """Voxtral: mistral-common writes and tokenizes the chat, audio included.

    It reads the text of a user as text, whatever is in it.

    Arguments
    ---------
    system : str, optional
        System message; None leaves it to the model's own template.
    """

    def encode(self, processor, wav, questions):
        """Makes the model's input of one clip.

        Arguments
        ---------
        processor : transformers.VoxtralProcessor
            The model's own.
        wav : numpy.ndarray
            Mono samples [S] at the processor's rate.
        questions : list of str
            One row each.

        Returns
        -------
        transformers.BatchFeature
            As ``PartsPrompt.encode``.
        """
        audio = {
            "type": "audio",
            "base64": wav_base64(wav, sampling_rate(processor)),
        }
        chats = [self.chat(question) for question in questions]
        for chat in chats:
            chat[-1]["content"][0] = audio
        processor.tokenizer.padding_side = "left"
        return processor.apply_chat_template(chats, return_tensors="pt")


def sampling_rate(processor):
    """The rate a processor expects.

    Arguments
    ---------
    processor : transformers.ProcessorMixin
        Of any family.

    Returns
    -------
    int
        Hz.
    """
    for name in ("audio_processor", "feature_extractor"):
        if hasattr(processor, name):
            return getattr(processor, name).sampling_rate
    raise ValueError(
        f"{type(processor).__name__} has no part for audio; expected the "
        "processor of a model that hears."
    )


def defuse(text, processor):
    """Breaks up special tokens spelled out in a text.

    They would close the user's turn, or count as one more audio.

    Arguments
    ---------
    text : str
        What somebody wrote.
    processor : transformers.ProcessorMixin
        Whose tokens.

    Returns
    -------
    str
    """
    token = processor.audio_token
    text = break_up_specials(text, processor.tokenizer)
    return text.replace(token, f"{token[0]} {token[1:]}")


def wav_base64(wav, rate_hz):
    """Writes samples as a WAV file in base64.

    Arguments
    ---------
    wav : numpy.ndarray
        Mono samples [S], float32 or int16: written as they are.
    rate_hz : int
        Sampling rate.

    Returns
    -------
    str

    Example
    -------
    >>> import numpy as np
    >>> text = wav_base64(np.zeros(4, "float32"), 16000)
    >>> sf.read(io.BytesIO(base64.b64decode(text)))
    (array([0., 0., 0., 0.]), 16000)
    """
    subtype = {"float32": "FLOAT", "int16": "PCM_16"}[wav.dtype.name]
    file = io.BytesIO()
    sf.write(file, wav, rate_hz, format="WAV", subtype=subtype)
    return base64.b64encode(file.getvalue()).decode()
