"""Voices of Kokoro-82M, an ONNX model of the starter kit (Apache-2.0).

The kit's distribution is made for Japanese and has five Japanese voices; the
model itself is multilingual and takes English phonemes, which come from
hibari-tts, distilled from the same model and of one alphabet with it. They
speak good English with a slight accent. Slower than the other engines: about
2 s for a line on one core.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from speechbrain_jasco import starter
from speechbrain_jasco.building.speakers import Speaker
from speechbrain_jasco.fingerprint import fingerprint

RATE_HZ = 24000
FILES = ("model.onnx", "voices.npz", "vocab.json")


def convert(files, folder):
    """Lay the published files into a folder, as they are.

    Arguments
    ---------
    files : dict
        Name -> Path, from ``starter.fetch_files``.
    folder : Path
        Where they go.
    """
    for name in FILES:
        (Path(folder) / name).write_bytes(Path(files[name]).read_bytes())


class KokoroSpeaker(Speaker):
    """Speaks through onnxruntime, on one thread.

    Arguments
    ---------
    source : str
        ``starter:kokoro-82m`` or a folder with ``FILES``.
    voices : list of dict
        Fields of ``Voice`` each; ``preset`` is a voice of ``voices.npz``.

    Example
    -------
    >>> voices = [{"name": "kumo", "gender": "male", "preset": "jm_kumo"}]
    >>> KokoroSpeaker("starter:kokoro-82m", voices).session is None
    True
    """

    def __init__(self, source, voices):
        super().__init__(voices)
        self.source = source
        self.session = None

    def load(self):
        """Load model, voices and phonemiser, once."""
        if self.session is not None:
            return
        from hibari import Hibari
        from onnxruntime import InferenceSession, SessionOptions

        folder = Path(starter.resolve(self.source))
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.phonemiser = Hibari(threads=1)
        self.styles = dict(np.load(folder / "voices.npz"))
        vocab = (folder / "vocab.json").read_text(encoding="utf-8")
        self.vocab = json.loads(vocab)["vocab"]
        self.session = InferenceSession(
            str(folder / "model.onnx"),
            options,
            providers=["CPUExecutionProvider"],
        )

    def synthesise(self, text, preset, speed):
        """Speak (see ``Speaker``)."""
        self.load()
        if preset not in self.styles:
            raise ValueError(
                f"got the voice {preset!r}; expected one of "
                f"{', '.join(sorted(self.styles))}."
            )
        parts = [
            self._speak(phonemes, self.styles[preset], speed)
            for phonemes in self.phonemiser.phonemize(text)
        ]
        return np.concatenate(parts) if parts else np.zeros(0), RATE_HZ

    def _speak(self, phonemes, styles, speed):
        """One sentence [S] at 24 kHz."""
        ids = [self.vocab[char] for char in phonemes if char in self.vocab]
        if not ids:
            return np.zeros(0, np.float32)
        # A voice is a table of styles, one for each length of a sentence.
        style = styles[min(len(ids), len(styles)) - 1]
        feeds = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style.reshape(1, -1).astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        return self.session.run(None, feeds)[0].ravel()

    def check(self):
        """Look for the phonemiser and fetch the model.

        Raises
        ------
        RuntimeError
            If hibari-tts is missing or the model cannot be had.
        """
        if find_spec("hibari") is None:
            raise RuntimeError(
                "hibari-tts, which turns the words into phonemes, is not "
                'installed: pip install -e ".[tts]", or take the voices of '
                "Kokoro out of voice_splits."
            )
        starter.resolve(self.source)

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {
            "speaker": type(self).__name__,
            "source": fingerprint(self.source),
        }
