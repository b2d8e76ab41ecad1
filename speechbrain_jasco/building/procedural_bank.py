"""The procedural bank: sounds made by arithmetic, always there, free to give.

Recording k of a sound is a pure function of (sound_id, seed, k): its own
random generator draws the parameters of the sketch, the duration and the
place: how far away the sound is, and through which microphone it came.

Authors
 * The speechbrain_jasco developers, 2026
"""

import zlib

import numpy as np

from speechbrain_jasco.building import (
    procedural,
    procedural_air,
    procedural_animals,
    procedural_engines,
    procedural_impacts,
    procedural_music,
    procedural_people,
    procedural_signals,
    procedural_tools,
    procedural_water,
)
from speechbrain_jasco.building.file_bank import Recording
from speechbrain_jasco.building.synthesis import (
    normalise,
    shape_band,
)

LICENCE = "CC0-1.0"
SOURCE = "speechbrain_jasco, synthesised"
VERSION = 1  # to be raised when a sketch changes what it renders

# sound_id -> sketch(seconds, rng).
SKETCHES = {
    "applause": procedural_people.applause,
    "birds": procedural_animals.birds,
    "boat_horn": procedural_air.boat_horn,
    "bouncing_ball": procedural_impacts.bouncing_ball,
    "bubbling": procedural_water.bubbling,
    "campfire": procedural.fire_crackle,
    "chainsaw": procedural_engines.chainsaw,
    "chopping": procedural_impacts.chopping,
    "church_bell": procedural_signals.church_bell,
    "clock": procedural_signals.clock,
    "crickets": procedural_animals.crickets,
    "crowd": procedural_people.crowd,
    "dog": procedural_animals.dog,
    "drill": procedural_tools.drill,
    "dripping": procedural_water.dripping,
    "drum": procedural_music.drum,
    "engine": procedural_engines.engine,
    "fireworks": procedural_air.fireworks,
    "footsteps": procedural_impacts.footsteps,
    "frogs": procedural_animals.frogs,
    "frying": procedural.sizzling,
    "guitar": procedural_music.guitar,
    "hammer": procedural_impacts.hammer,
    "heart_monitor": procedural_signals.heart_monitor,
    "helicopter": procedural_engines.helicopter,
    "hooves": procedural_impacts.hooves,
    "kettle": procedural_air.kettle,
    "keyboard": procedural_tools.keyboard,
    "knocking": procedural_impacts.knocking,
    "motorcycle": procedural_engines.motorcycle,
    "phone": procedural_signals.phone,
    "piano": procedural_music.piano,
    "rain": procedural.rain,
    "saw": procedural_tools.saw,
    "scanner_beep": procedural_signals.scanner_beep,
    "seagulls": procedural_animals.seagulls,
    "sewing_machine": procedural_tools.sewing_machine,
    "shower": procedural_water.shower,
    "shutter": procedural_tools.shutter,
    "siren": procedural_signals.siren,
    "splashing": procedural_water.splashing,
    "stream": procedural_water.stream,
    "surf": procedural.surf,
    "table_tennis": procedural_impacts.table_tennis,
    "thunder": procedural_air.thunder,
    "train": procedural_engines.train,
    "vacuum_cleaner": procedural_tools.vacuum_cleaner,
    "wind": procedural_air.wind,
}


def place(sound, rng):
    """Hear a sound from a distance and through a microphone.

    Air and obstacles take the treble off a far sound, a microphone has a
    colour of its own, and there is always some noise, 45 to 65 dB below the
    sound. All of it is slight: the sound stays what it is.

    Arguments
    ---------
    sound : numpy.ndarray [S]
        A sketch.
    rng : numpy.random.Generator
        Draws the place.

    Returns
    -------
    numpy.ndarray [S]
        With a peak of 0.9.

    Example
    -------
    >>> rng = np.random.default_rng(0)
    >>> place(procedural.siren(1.0, rng), rng).shape
    (16000,)
    """
    low_hz, high_hz = rng.uniform(20, 90), rng.uniform(4500, 8000)
    tilt_db = rng.uniform(-1.5, 1.0)
    sound = shape_band(sound, low_hz, high_hz, tilt_db)
    level = sound.std() * 10 ** (-rng.uniform(45, 65) / 20)
    noise = shape_band(rng.standard_normal(len(sound)), 60, 8000, -3)
    return normalise(sound + level * noise / noise.std())


def render(sound_id, seed, k, duration_s=(6.0, 12.0)):
    """Make a recording.

    Arguments
    ---------
    sound_id : str
        One of ``SKETCHES``.
    seed : int
        Of the bank.
    k : int
        Which instance.
    duration_s : (float, float)
        Shortest and longest; drawn in steps of 0.1 s.

    Returns
    -------
    numpy.ndarray [S]
        Mono, 16 kHz, float32.

    Example
    -------
    >>> wav = render("siren", seed=0, k=3)
    >>> wav.dtype, bool((wav == render("siren", 0, 3)).all())
    (dtype('float32'), True)
    """
    # A sound's stream must not depend on which other sounds there are.
    entropy = [seed, k, zlib.crc32(sound_id.encode())]
    rng = np.random.default_rng(entropy)
    shortest, longest = duration_s
    seconds = round(float(rng.uniform(shortest, longest)), 1)
    sketch = SKETCHES[sound_id](seconds, rng)
    return place(sketch, rng).astype(np.float32)


class ProceduralBank:
    """Synthesised sounds, as many instances of each as asked for.

    Arguments
    ---------
    n_instances : int
        Recordings per sound.
    duration_s : (float, float)
        Shortest and longest.
    seed : int
        Another seed, other recordings.
    sounds : list of str, optional
        Which sounds; all of them, if not given.

    Example
    -------
    >>> bank = ProceduralBank(n_instances=2, sounds=["rain"])
    >>> [recording.name for recording in bank.recordings()]
    ['procedural/0/rain/0000', 'procedural/0/rain/0001']
    """

    def __init__(
        self, n_instances=24, duration_s=(6.0, 12.0), seed=0, sounds=None
    ):
        self.n_instances = n_instances
        self.duration_s = tuple(duration_s)
        self.seed = seed
        self.sounds = sorted(SKETCHES if sounds is None else sounds)

    def recordings(self):
        """What the bank holds, sorted by sound and name (list of Recording)."""
        return [
            Recording(
                sound_id,
                f"procedural/{self.seed}/{sound_id}/{k:04d}",
                LICENCE,
                SOURCE,
            )
            for sound_id in self.sounds
            for k in range(self.n_instances)
        ]

    def load(self, recording):
        """Make one recording.

        Arguments
        ---------
        recording : Recording
            One of ``recordings()``.

        Returns
        -------
        numpy.ndarray [S]
            Mono, 16 kHz, float32.
        """
        k = int(recording.name.rpartition("/")[2])
        return render(recording.sound_id, self.seed, k, self.duration_s)

    def check(self):
        """Fail now rather than later if the bank cannot be made.

        Raises
        ------
        ValueError
            If there is no such sound, no instance is asked for, or the
            durations are out of order or too short for a rhythm.
        """
        unknown = sorted(set(self.sounds) - set(SKETCHES))
        if unknown:
            raise ValueError(
                f"got the sounds {unknown}; expected some of "
                f"{', '.join(sorted(SKETCHES))}."
            )
        if self.n_instances < 1:
            raise ValueError(
                f"got {self.n_instances} instances; expected at least 1."
            )
        shortest, longest = self.duration_s
        if not 2.0 <= shortest <= longest:
            raise ValueError(
                f"got durations from {shortest} to {longest} s; expected at "
                "least 2 s, the shorter one first."
            )

    def config(self):
        """Everything a recording depends on, JSON-able (dict)."""
        return {
            "bank": type(self).__name__,
            "n_instances": self.n_instances,
            "duration_s": list(self.duration_s),
            "seed": self.seed,
            "sounds": self.sounds,
            "version": VERSION,
        }
