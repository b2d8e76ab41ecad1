"""The voice of hibari-tts: small, fast and clear (Apache-2.0).

One voice, ``heart`` (US English, female), ships inside the package; others
are downloaded by it on first use.

    pip install -e ".[tts]"

Authors
 * The speechbrain_jasco developers, 2026
"""

from importlib.metadata import version
from importlib.util import find_spec

from speechbrain_jasco.building.speakers import Speaker


class HibariSpeaker(Speaker):
    """Speaks through hibari-tts, on one thread.

    Arguments
    ---------
    voices : list of dict
        Fields of ``Voice`` each; ``preset`` is a voice of hibari's.

    Example
    -------
    >>> HibariSpeaker([{"name": "heart", "gender": "female"}]).loaded
    {}
    """

    def __init__(self, voices):
        super().__init__(voices)
        self.loaded = {}

    def synthesise(self, text, preset, speed):
        """Speak (see ``Speaker``)."""
        from hibari import SAMPLE_RATE, Hibari

        if preset not in self.loaded:
            self.loaded[preset] = Hibari(voice=preset, threads=1)
        # The seed fixes the noise of the vocoder: same words, same bytes.
        return self.loaded[preset](text, speed=speed, seed=0), SAMPLE_RATE

    def check(self):
        """Look for the package.

        Raises
        ------
        RuntimeError
            If it is not installed.
        """
        if find_spec("hibari") is None:
            raise RuntimeError(
                'hibari-tts is not installed: pip install -e ".[tts]", or '
                "take its voices out of voice_splits."
            )

    def config(self):
        """Everything the speech depends on besides the voice (dict)."""
        return {
            "speaker": type(self).__name__,
            "version": version("hibari-tts"),
        }
