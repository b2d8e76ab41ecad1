"""Render one planned clip: mixture, sound stem and speech stem.

    recording --> window, loop, fade ---+
                                        +--> mix at the SNR --> loudness, 16 bit
    speech --> room, onset -------------+

Everything random comes from the clip's seed.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from speechbrain_jasco.building.file_bank import Recording
from speechbrain_jasco.building.mixing import (
    SAMPLE_RATE,
    active_speech,
    fit_sound,
    master,
    mix,
)
from speechbrain_jasco.building.plan import PlannedClip
from speechbrain_jasco.building.rooms import reverberate
from speechbrain_jasco.building.speech import Spoken
from speechbrain_jasco.building.voices import Voice
from speechbrain_jasco.building.workers import (
    once_per_process,
    write_wav,
)
from speechbrain_jasco.journal import content_key

WINDOWS = 8  # tries to find the sound sounding while somebody talks
AUDIBLE_DB = -6.0  # of its own average


class Job(NamedTuple):
    """A planned clip with what it is made of."""

    clip: PlannedClip
    recording: Recording
    voice: Voice
    spoken: Spoken


class Place(NamedTuple):
    """When things happen in a clip, in samples."""

    onset: int
    length: int


class Workshop:
    """What all clips of a build share.

    Arguments
    ---------
    bank : object
        A sound bank.
    rooms : object
        A source of rooms.
    clip_s : (float, float)
        Shortest and longest clip.
    folder : str or Path
        Where the clips go.
    cache_folder : str or Path
        Where recordings are kept ready, for banks that compute them.
    """

    def __init__(self, bank, rooms, clip_s, folder, cache_folder):
        self.bank = bank
        self.rooms = rooms
        self.clip_s = tuple(clip_s)
        self.folder = Path(folder)
        self.cache_folder = Path(cache_folder)
        self.bank_key = content_key(bank.config())  # may look at every file

    def sound(self, recording):
        """Get a recording, out of the cache if it has been used before.

        Arguments
        ---------
        recording : Recording
            One of the bank's.

        Returns
        -------
        numpy.ndarray [S]
            float64, as 16-bit samples hold it.
        """
        key = content_key(self.bank_key, recording.name)[:32]
        path = self.cache_folder / key[:2] / f"{key}.wav"
        if not path.is_file():
            bank = once_per_process(self.bank_key, self.bank)
            sound = bank.load(recording)
            write_wav(path, sound * min(1.0, 1 / np.abs(sound).max()))
        return soundfile.read(path)[0]

    def key(self, job):
        """Hash what a clip depends on.

        Arguments
        ---------
        job : Job
            The clip with what it is made of.

        Returns
        -------
        str
        """
        made_of = [job.recording, job.voice, job.spoken.path.name]
        where = [self.bank_key, list(self.clip_s)]
        return content_key(job.clip._asdict(), made_of, where)

    def has(self, clip):
        """Whether a clip's files are there (bool); they appear whole."""
        return all(
            (self.folder / path).is_file() for path in self.files(clip).values()
        )

    def files(self, clip):
        """Where a clip goes: name -> path within the folder (dict)."""
        stem = f"{clip.split}/{clip.id}"
        return {
            "audio": f"{stem}.wav",
            "sound_wav": f"{stem}.sound.wav",
            "speech_wav": f"{stem}.speech.wav",
        }


def place_speech(clip, n_speech, clip_s):
    """Decide how long a clip is and when the words begin.

    Lead-in, words and lead-out as planned; a clip that is too short for
    ``clip_s`` lasts longer, in one that is too long lead-in and lead-out
    shrink alike.

    Arguments
    ---------
    clip : PlannedClip
        Has ``onset_s`` and ``tail_s``.
    n_speech : int
        Samples of speech, without reverberation.
    clip_s : (float, float)
        Shortest and longest.

    Returns
    -------
    Place

    Raises
    ------
    ValueError
        If the speech alone is longer than the longest clip.

    Example
    -------
    >>> from types import SimpleNamespace
    >>> clip = SimpleNamespace(id="a", onset_s=1.0, tail_s=1.0)
    >>> place_speech(clip, 7 * 16000, (4.0, 8.0))
    Place(onset=8000, length=128000)
    """
    shortest, longest = (round(s * SAMPLE_RATE) for s in clip_s)
    onset, tail = (round(s * SAMPLE_RATE) for s in (clip.onset_s, clip.tail_s))
    if n_speech > longest:
        raise ValueError(
            f"clip {clip.id}: the speech lasts {n_speech / SAMPLE_RATE:.1f} s; "
            f"expected at most {clip_s[1]} s. Shorten the line, or raise "
            "clip_s in ranges."
        )
    spare = longest - n_speech
    if onset + tail > spare:
        onset = onset * spare // (onset + tail)
        tail = spare - onset
    return Place(onset, max(shortest, onset + n_speech + tail))


def choose_window(sound, place, active, rng):
    """Choose where in a recording the clip begins.

    A sound with pauses (a hammer, a dog) may be silent just while somebody
    talks, and no gain would bring it to the SNR. Up to eight windows are
    drawn; the first in which the sound under the words is within 6 dB of its
    average is taken, else the best.

    Arguments
    ---------
    sound : numpy.ndarray [S]
        The recording.
    place : Place
        Length of the clip.
    active : numpy.ndarray of bool [length]
        Where somebody talks.
    rng : numpy.random.Generator
        Draws the windows.

    Returns
    -------
    numpy.ndarray [length], int
        The sound of the clip, and its start in the recording.
    """
    average = np.mean(np.square(sound))
    best, best_power = None, -1.0
    for _ in range(WINDOWS):
        start = int(rng.integers(len(sound)))
        window = fit_sound(sound, place.length, start)
        power = np.mean(np.square(window)[active])
        if power > best_power:
            best, best_power = (window, start), power
        if power >= average * 10 ** (AUDIBLE_DB / 10):
            break
    return best


def render_clip(job, workshop):
    """Render a clip and write its three files.

    Arguments
    ---------
    job : Job
        What to render.
    workshop : Workshop
        Bank, rooms and folders.

    Returns
    -------
    dict
        What the manifest says of the rendering.

    Raises
    ------
    ValueError
        If the clip cannot be: speech too long, sound silent under the words.
    """
    clip = job.clip
    rng = np.random.default_rng(clip.seed)
    sound = workshop.sound(job.recording)
    speech = soundfile.read(job.spoken.path)[0]
    place = place_speech(clip, len(speech), workshop.clip_s)
    room = workshop.rooms.draw(rng) if clip.in_room else None
    n_dry = len(speech)
    if room:
        speech = reverberate(speech, room)[: place.length - place.onset]
    active = np.zeros(place.length, dtype=bool)
    active[place.onset :][: len(speech)] = active_speech(speech)
    window, start = choose_window(sound, place, active, rng)
    onset_s = place.onset / SAMPLE_RATE
    parts = mix(window, speech, clip.snr_db, onset_s)
    finished = master(parts, clip.loudness_lufs)
    files = workshop.files(clip)
    for path, samples in zip(files.values(), finished, strict=True):
        write_wav(workshop.folder / path, samples)
    return {
        "id": clip.id,
        "n_frames": place.length,
        **{name: f"{{data_folder}}/{path}" for name, path in files.items()},
        "split": clip.split,
        "snr_db": clip.snr_db,
        "speech_onset_s": onset_s,
        "voice": job.voice.name,
        "sound_id": clip.sound_id,
        "seed": clip.seed,
        "licence": f"sound {job.recording.licence}, speech {job.voice.licence}",
        "triple_id": clip.triple_id,
        "line_id": clip.line_id,
        "recording": job.recording.name,
        "source": job.recording.source,
        "sound_start_s": start / SAMPLE_RATE,
        "speech_s": n_dry / SAMPLE_RATE,
        "speech_wer": round(job.spoken.wer, 3),
        "room": room.name if room else "",
        "loudness_lufs": clip.loudness_lufs,
    }
