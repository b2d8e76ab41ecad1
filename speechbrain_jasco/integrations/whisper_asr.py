"""Whisper as a recogniser: what is said in a clip.

Authors
 * The speechbrain_jasco developers, 2026
"""

from contextlib import contextmanager

import torch
from speechbrain.utils.logger import get_logger
from transformers import (
    AutoConfig,
    WhisperForConditionalGeneration,
    WhisperProcessor,
)
from transformers.utils import logging as transformers_logging

from speechbrain_jasco import starter
from speechbrain_jasco.fingerprint import fingerprint

logger = get_logger(__name__)

RATE_HZ = 16000
WINDOW_S = 30  # Whisper's window, arXiv 2212.04356 section 2.2
POSITIONS_PER_S = 50


@contextmanager
def quiet_transformers():
    """Errors only: Whisper's generate warns of its own defaults each time."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def insist_on_whisper(source):
    """Fail if there is no such model or it is no Whisper.

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.

    Raises
    ------
    ValueError
        What was got and what is expected.
    """
    try:
        config = AutoConfig.from_pretrained(starter.resolve(source))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{source!r} is no model transformers can load: expected a "
            f"Whisper, by hub name, local folder or starter:NAME. {error}"
        ) from error
    if config.model_type != "whisper":
        raise ValueError(
            f"{source!r}: got a model of type {config.model_type!r}, expected "
            "a Whisper"
        )


class WhisperRecogniser:
    """Transcribes recordings greedily.

    Arguments
    ---------
    source : str
        Hub name, local folder or ``starter:NAME``.
    batch_size : int
        Windows at once.
    max_new_tokens : int
        Longest transcript of a window. Fast speech has about 4 tokens per
        second; the limit stops a decoder that repeats itself.
    device : str, optional
        CUDA where there is one, else the CPU.
    window_s : int
        Length that recordings are padded to, and cut at. Whisper was trained
        on 30 s; on short clean lines 15 s cost less than half and change few
        words, 10 s make it repeat itself now and then (docs/building.md).

    Example
    -------
    >>> recogniser = WhisperRecogniser("starter:whisper-tiny.en")
    >>> recogniser.model is None  # nothing is loaded before the first use
    True
    """

    def __init__(
        self,
        source,
        batch_size=8,
        max_new_tokens=128,
        device=None,
        window_s=WINDOW_S,
    ):
        if not 1 <= window_s <= WINDOW_S:
            raise ValueError(
                f"got window_s {window_s}; expected 1 to {WINDOW_S} seconds."
            )
        self.window_s = window_s
        self.source = source
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = None
        self.processor = None

    def config(self):
        """Everything a transcript depends on, JSON-able (dict)."""
        return {
            "recogniser": type(self).__name__,
            "source": fingerprint(self.source),
            "max_new_tokens": self.max_new_tokens,
            "window_s": self.window_s,
        }

    def check(self):
        """Fail now rather than later if there is no such Whisper.

        Raises
        ------
        ValueError
            If the folder or the hub has none.
        """
        insist_on_whisper(self.source)

    def load(self):
        """Load model, tokenizer and front end, once."""
        if self.model is not None:
            return
        path = starter.resolve(self.source)
        logger.info("Loading %s", self.source)
        self.processor = WhisperProcessor.from_pretrained(path)
        model = WhisperForConditionalGeneration.from_pretrained(
            path, dtype=torch.float32
        )
        if self.window_s < WINDOW_S:
            self._narrow(model)
        self.model = model.to(self.device).eval().requires_grad_(False)

    def _narrow(self, model):
        """Leave the encoder the positions of ``window_s`` seconds."""
        n = int(self.window_s * POSITIONS_PER_S)
        encoder = model.get_encoder()
        positions = encoder.embed_positions.weight[:n].clone()
        encoder.embed_positions = torch.nn.Embedding.from_pretrained(positions)
        encoder.config.max_source_positions = n
        model.config.max_source_positions = n

    def transcribe(self, wavs):
        """Transcribe English recordings.

        A recording beyond the window is cut into pieces of its length, whose
        transcripts are joined; a word on a cut may be lost.

        Arguments
        ---------
        wavs : list of Tensor [S]
            Mono, 16 kHz.

        Returns
        -------
        list of str

        Raises
        ------
        ValueError
            If a recording is empty or not of one dimension.
        """
        if not wavs:
            return []
        for index, wav in enumerate(wavs):
            if wav.dim() != 1 or not len(wav):
                raise ValueError(
                    f"recording {index}: got shape {list(wav.shape)}, expected "
                    "[S] with S > 0."
                )
        self.load()
        window = int(self.window_s * RATE_HZ)
        pieces = [wav.split(window) for wav in wavs]
        texts = iter(
            self._transcribe_pieces([p for wav in pieces for p in wav])
        )
        return [
            " ".join(filter(None, (next(texts) for _ in wav))) for wav in pieces
        ]

    @torch.no_grad()
    def _transcribe_pieces(self, pieces):
        """Transcribe recordings of at most a window: list of str."""
        english = {}
        if self.model.generation_config.is_multilingual:
            english = {"language": "en", "task": "transcribe"}
        texts = []
        for start in range(0, len(pieces), self.batch_size):
            batch = pieces[start : start + self.batch_size]
            with quiet_transformers():
                ids = self.model.generate(
                    torch.cat([self._features(wav) for wav in batch]),
                    max_new_tokens=self.max_new_tokens,
                    do_sample=False,
                    num_beams=1,
                    **english,
                )
            texts += self.processor.batch_decode(ids, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _features(self, wav):
        """Log-mel [1, bands, frames], scaled by this recording's maximum."""
        return self.processor.feature_extractor(
            wav.cpu().numpy(),
            sampling_rate=RATE_HZ,
            return_tensors="pt",
            padding="max_length",
            max_length=int(self.window_s * RATE_HZ),
        ).input_features.to(self.device)
