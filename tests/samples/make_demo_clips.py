"""Make the eight demo clips in ``demo/``: wavs and manifest.

Four sounds and four lines of speech, crossed two by two, so that every sound
comes with two lines and every line with two sounds:

    |                               | surf           | fire          |
    | ... it is pink inside.        | 1 seashells    | 2 meat        |
    | Do not breathe until ...      | 3 diving       | 4 escape      |

    |                               | applause       | sizzling      |
    | They are asking for one more. | 5 encore       | 6 order       |
    | Now take it off ...           | 7 graduation   | 8 pancake     |

Whoever hears only the sound, or only the line, cannot tell two clips of a
block apart and gets at most half of them right (the constraints of
arXiv 2409.14526, section II-A).

Sounds: ``speechbrain_jasco.building.procedural``. Voices: ``heart`` of
hibari-tts (female, Apache-2.0) and ``rms`` of Flite (male, CMU's permissive
licence). Neither licence restricts the speech made with it; the clips are
given away as CC0-1.0. To be installed first:

    pip install hibari-tts==0.2.1      # brings onnxruntime
    apt-get install flite              # Debian 12: version 2.2

Run it from anywhere: ``python tests/samples/make_demo_clips.py``. The seeds
are fixed, so the same versions on the same machine give the same bytes. Read
the tables first, then ``make_clip``.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from scipy.signal import lfilter, resample_poly
from speechbrain.utils.logger import get_logger

from speechbrain_jasco.building import procedural
from speechbrain_jasco.building.mixing import SAMPLE_RATE, active_speech, mix

logger = get_logger(__name__)

DEMO = Path(__file__).parent / "demo"
AFTER_S = 0.9
SPEECH_RMS = 0.08
PRE_EMPHASIS = 0.9
LIMIT = 8.0  # in medians of the magnitude of active speech
COLUMNS = (
    "id,audio,n_frames,audio_sound,spoken_text,audio_only_target,"
    "speech_only_target,target_keywords,tgt_text,split,sound_wav,speech_wav,"
    "snr_db,speech_onset_s,voice,sound_id,seed,licence"
).split(",")

# Function in procedural.py -> what is heard, what the sound alone suggests.
SOUNDS = {
    "surf": (
        "Waves breaking on a beach",
        "They are relaxing on a beach.",
    ),
    "fire_crackle": (
        "Fire crackling",
        "They are sitting around a campfire.",
    ),
    "applause": (
        "Audience applauding",
        "They are clapping at the end of a show.",
    ),
    "sizzling": (
        "Sizzling in a hot pan",
        "They are frying food in a pan.",
    ),
}

# Name of the line -> words, voice, what the words alone suggest.
LINES = {
    "pink": (
        "Look at this one, it is pink inside.",
        "heart",
        "They are looking at the colour of a flower.",
    ),
    "breath": (
        "Do not breathe until we are on the other side.",
        "rms",
        "They are walking past something that smells bad.",
    ),
    "more": (
        "They are asking for one more. Are you ready?",
        "heart",
        "They are posing for another photo.",
    ),
    "throw": (
        "Now take it off and throw it in the air.",
        "rms",
        "They are telling someone to toss a jacket.",
    ),
}


class Clip(NamedTuple):
    """One row of the table: who does what, and how it is mixed."""

    sound: str
    line: str
    behaviour: str
    keywords: str
    snr_db: float
    onset_s: float


CLIPS = [
    Clip(
        "surf",
        "pink",
        "They are collecting seashells.",
        "seashell",
        6.0,
        0.8,
    ),
    Clip(
        "fire_crackle",
        "pink",
        "They are grilling meat and checking whether it is cooked.",
        "grilling,meat",
        6.0,
        0.8,
    ),
    Clip(
        "surf",
        "breath",
        "They are diving under a wave in the sea.",
        "diving",
        6.0,
        0.9,
    ),
    Clip(
        "fire_crackle",
        "breath",
        "They are escaping from a burning building through the smoke.",
        "escaping,burning building",
        6.0,
        0.9,
    ),
    Clip(
        "applause",
        "more",
        "They are about to go back on stage and play an encore.",
        "encore",
        6.0,
        0.8,
    ),
    Clip(
        "sizzling",
        "more",
        "They are cooking another order for the guests of a restaurant.",
        "order,restaurant",
        6.0,
        0.8,
    ),
    Clip(
        "applause",
        "throw",
        "They are throwing their caps at a graduation ceremony.",
        "graduation",
        6.0,
        0.9,
    ),
    Clip(
        "sizzling",
        "throw",
        "They are tossing a pancake.",
        "pancake",
        6.0,
        0.9,
    ),
]


def speak_heart(text):
    """Speech [S] of hibari-tts' bundled voice, at 16 kHz."""
    from hibari import Hibari

    return resample_poly(Hibari(voice="heart")(text, speed=0.9, seed=0), 2, 3)


def speak_rms(text):
    """Speech [S] of Flite's voice rms, which speaks at 16 kHz.

    The voice is muffled: without pre-emphasis a recogniser that gets every
    word of it in silence loses half of them in these sounds. Pre-emphasis
    also lifts one "s" of the voice far above its sentence; the soft limiter
    brings it back.
    """
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "speech.wav")
        subprocess.run(
            ["flite", "-voice", "rms", "-t", text, "-o", wav], check=True
        )
        speech = lfilter([1.0, -PRE_EMPHASIS], [1.0], soundfile.read(wav)[0])
    typical = np.median(np.abs(speech[active_speech(speech)]))
    return np.tanh(speech / (LIMIT * typical))


VOICES = {
    "heart": ("hibari-tts-0.2.1/heart", speak_heart),
    "rms": ("flite-2.2/rms", speak_rms),
}


def trim_and_level(speech):
    """Cut the silence around the words and set their active level."""
    where = np.flatnonzero(active_speech(speech))
    speech = speech[where[0] : where[-1] + 1]
    rms = np.sqrt(np.mean(speech[active_speech(speech)] ** 2))
    return speech * SPEECH_RMS / rms


def make_clip(number, clip):
    """Write one wav.

    Arguments
    ---------
    number : int
        Id of the clip, also the seed of its sound.
    clip : Clip
        The row of the table.

    Returns
    -------
    dict
        The row of the manifest.
    """
    audio_sound, audio_only = SOUNDS[clip.sound]
    text, voice, speech_only = LINES[clip.line]
    voice_id, speak = VOICES[voice]
    speech = trim_and_level(speak(text))
    seconds = clip.onset_s + len(speech) / SAMPLE_RATE + AFTER_S
    sound = getattr(procedural, clip.sound)(
        seconds, np.random.default_rng(number)
    )
    wav = mix(sound, speech, clip.snr_db, clip.onset_s).wav
    soundfile.write(
        DEMO / "wavs" / f"{number}.wav", wav, SAMPLE_RATE, subtype="PCM_16"
    )
    return {
        "id": number,
        "audio": f"{{data_folder}}/wavs/{number}.wav",
        "n_frames": len(wav),
        "audio_sound": audio_sound,
        "spoken_text": text,
        "audio_only_target": audio_only,
        "speech_only_target": speech_only,
        "target_keywords": clip.keywords,
        "tgt_text": clip.behaviour,
        "split": "demo",
        "snr_db": clip.snr_db,
        "speech_onset_s": clip.onset_s,
        "voice": voice_id,
        "sound_id": f"procedural/{clip.sound}",
        "seed": number,
        "licence": "CC0-1.0",
    }


def main():
    """Write all wavs and the manifest; the stems are not kept."""
    (DEMO / "wavs").mkdir(parents=True, exist_ok=True)
    rows = [make_clip(number, clip) for number, clip in enumerate(CLIPS, 1)]
    manifest = DEMO / "clips.csv"
    with open(manifest, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    logger.info("Wrote %d clips and %s", len(rows), manifest)


if __name__ == "__main__":
    main()
