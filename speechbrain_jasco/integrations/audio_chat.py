"""Native audio-language models of transformers as one answerer.

    clip --> encoder --> prefix: system text, audio -----> KV cache, once
                                                             |  x 8
    8 questions --> suffixes, padded on the left <-----------+
                                            |
                                            +--> generate --> 8 answers

The prefix ends with the last audio token, whatever the questions are, so a
question gets the same answer alone and among others. Where the model's
template puts text before the audio, or a sliding window would see the padding,
the questions of a clip run as one batch without a shared prefix.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
import torchaudio
from transformers import GenerationConfig, GenerationMixin

from speechbrain_jasco.dataio import SAMPLE_RATE_HZ, read_audio
from speechbrain_jasco.integrations.audio_prompt import sampling_rate
from speechbrain_jasco.integrations.prefix_generation import CACHE
from speechbrain_jasco.integrations.shared_prefix import (
    fits_window,
    insist_on_audio,
    join_rows,
    prefix_length,
    read_prefix,
    unpadded,
)

# What a checkpoint's own generation_config would else set unseen.
PLAIN = {
    "do_sample": False,
    "num_beams": 1,
    "temperature": 1.0,
    "top_k": 50,  # transformers' own, without effect where it is greedy
    "top_p": 1.0,
    "repetition_penalty": 1.0,
}


class AudioChat:
    """Asks a native audio-language model: an answerer.

    Arguments
    ---------
    model : NativeAudioModel
        The model with its processor.
    prompt : PartsPrompt
        The form of its chats.
    decoding : dict
        ``max_new_tokens`` and any other argument of ``generate``; what is
        left out is plain greedy decoding, not the checkpoint's own settings.
    share_prefix : bool
        False runs every question with its own copy of the audio: slower, the
        same greedy answers.

    Raises
    ------
    ValueError
        If ``decoding`` lacks ``max_new_tokens``.
    """

    def __init__(self, model, prompt, decoding, share_prefix=True):
        if not isinstance(decoding.get("max_new_tokens"), int):
            raise ValueError(
                f"got decoding {dict(decoding)}; expected max_new_tokens "
                "(max_length would count the audio as well)."
            )
        self.model = model
        self.prompt = prompt
        self.decoding = {**PLAIN, **decoding}
        self.share_prefix = share_prefix

    def config(self):
        """Everything an answer depends on, JSON-able (dict)."""
        return {
            "answerer": type(self).__name__,
            "model": self.model.config(),
            "prompt": self.prompt.config(),
            "decoding": self.decoding,
        }

    def check(self):
        """Fail now rather than later if the model is not to be had."""
        self.model.check()

    def answer(self, clips, questions):
        """Answer one question per clip.

        Arguments
        ---------
        clips : list of Clip
            One per question; a clip that stands there several times is
            encoded once.
        questions : list of str
            The instructions.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If a clip cannot be read, or the model would not hear it.
        """
        rows = {}
        for row, clip in enumerate(clips):
            rows.setdefault(clip.path, []).append(row)
        answers = [""] * len(clips)
        for path, mine in rows.items():
            asked = [questions[row] for row in mine]
            for row, text in zip(mine, self._answer_clip(path, asked)):
                answers[row] = text
        return answers

    @torch.inference_mode()
    def _answer_clip(self, path, questions):
        """Answer all questions about one clip (list of str)."""
        self.model.load()
        processor, model = self.model.processor, self.model.model
        rate_hz = sampling_rate(processor)
        wav = read_audio(path)
        wav = torchaudio.functional.resample(wav, SAMPLE_RATE_HZ, rate_hz)
        batch = self.prompt.encode(processor, wav.numpy(), questions)
        insist_on_audio(batch, self.model.audio_token_id)
        batch = batch.to(model.device, dtype=model.dtype)
        inputs = self._inputs(batch)
        # Not model.generate: Granite's switches its LoRA off where no
        # features come in, and here they may be in the cache already.
        tokens = GenerationMixin.generate(
            model, **inputs, generation_config=self._generation()
        )
        new = tokens[:, inputs["input_ids"].shape[1] :]
        tokenizer = processor.tokenizer
        texts = tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _inputs(self, batch):
        """Arguments of generate: the audio in a cache, or in every row."""
        rows = unpadded(batch)
        n_prefix = prefix_length(rows, self.model.audio_token_id)
        length = max(map(len, rows)) + self.decoding["max_new_tokens"]
        model = self.model.model
        if not (
            self.share_prefix and n_prefix and fits_window(model.config, length)
        ):
            return {**batch, **join_rows(rows)}
        cache = read_prefix(model, batch, rows, n_prefix)
        cache.batch_repeat_interleave(len(rows) * self.decoding["num_beams"])
        return {**join_rows(rows, n_prefix), CACHE: cache}

    def _generation(self):
        """The decoding, with the ids that the checkpoint knows."""
        own = self.model.model.generation_config
        pad = own.pad_token_id
        if pad is None:
            pad = self.model.processor.tokenizer.pad_token_id
        return GenerationConfig(**self.decoding, pad_token_id=pad)
