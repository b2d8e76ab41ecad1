"""The transcripts that LTU-AS reads beside its audio.

Source: YuanGongND/ltu src/ltu_as/inference_gradio.py@2002aad. Two things
differ: words are decoded greedily, where Whisper's own loop tries again at a
temperature if a piece repeats itself or is improbable, and as English, where
it detects the language.

Authors
 * The speechbrain_jasco developers, 2026
"""

import re

from speechbrain_jasco.integrations.whisper_asr import WhisperRecogniser

# What Whisper hears in silence: it was trained on subtitles of videos. Of two
# that fit the longer goes, as in the original.
THANKS = [
    f"{thanks} for watching{end}"
    for end in (".", "!", "")
    for thanks in ("thank you", "thanks")
]
CASES = (str.lower, str.capitalize, str.upper)
THANKS_PATTERN = "|".join(
    re.escape(case(phrase)) for phrase in THANKS for case in CASES
)


def clean_transcript(text):
    """Removes what Whisper makes up where nobody speaks.

    Arguments
    ---------
    text : str
        A transcript.

    Returns
    -------
    str
        The transcript without leading spaces and without the 18 spellings of
        "thanks for watching" that LTU-AS removes; in other spellings it
        stays, as there.

    Example
    -------
    >>> clean_transcript(" Thank you for watching!")
    ''
    >>> clean_transcript(" Mind the step. Thanks For Watching")
    'Mind the step. Thanks For Watching'
    """
    return re.sub(THANKS_PATTERN, "", text.lstrip())


class LtuAsRecogniser(WhisperRecogniser):
    """Whisper's transcripts, cleaned as LTU-AS cleans them.

    The arguments are those of ``WhisperRecogniser``; LTU-AS uses large-v2.

    Example
    -------
    >>> LtuAsRecogniser("openai/whisper-large-v2").config()["recogniser"]
    'LtuAsRecogniser'
    """

    def transcribe(self, wavs):
        """Transcribes English recordings.

        Arguments
        ---------
        wavs : list of torch.Tensor
            Mono waveforms [S], 16 kHz.

        Returns
        -------
        list of str
            One transcript per recording, "" where nothing was said.
        """
        return [clean_transcript(text) for text in super().transcribe(wavs)]
