"""Sketches of people: many voices at once, and hands.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building import procedural
from speechbrain_jasco.building.rhythm import pulse_moments, scatter
from speechbrain_jasco.building.synthesis import (
    SAMPLE_RATE,
    add_room,
    band_noise,
    normalise,
    resonate,
    shape_band,
    time_axis,
)

# First three formants of a man's vowels in Hz (Peterson and Barney 1952); a
# woman's lie about 17 % higher.
VOWELS = np.array(
    [
        [270, 2290, 3010],
        [530, 1840, 2480],
        [730, 1090, 2440],
        [570, 840, 2410],
        [300, 870, 2240],
        [490, 1350, 1690],
    ]
)
WOMAN = 1.17


def talk(seconds, rng, pitch_hz):
    """The voiced pulses of somebody who talks.

    Arguments
    ---------
    seconds : float
        Duration.
    rng : numpy.random.Generator
        Draws syllables, pauses and melody.
    pitch_hz : float
        Mean pitch of the voice.

    Returns
    -------
    times : numpy.ndarray [N]
        Of the pulses, in seconds.
    gains : numpy.ndarray [N]
        Their strength: syllables swell and fade.
    vowels : numpy.ndarray [N] of int
        Row of ``VOWELS`` each pulse belongs to.

    Example
    -------
    >>> times, gains, vowels = talk(2.0, np.random.default_rng(0), 120.0)
    >>> len(times) == len(gains) == len(vowels)
    True
    """
    n = int(8 * seconds) + 2
    lengths = rng.uniform(0.12, 0.3, n)
    ends = np.cumsum(lengths) - rng.uniform(0, 1)
    is_pause = rng.uniform(size=n) < 0.22
    t = time_axis(seconds)
    melody = np.interp(t, ends, rng.uniform(0.8, 1.25, n))
    times = pulse_moments(pitch_hz * melody)
    syllable = np.minimum(np.searchsorted(ends, times), n - 1)
    within = 1 - (ends[syllable] - times) / lengths[syllable]
    gains = np.sin(np.pi * np.clip(within, 0, 1)) ** 0.6
    gains = gains * ~is_pause[syllable]
    return times, gains, rng.integers(len(VOWELS), size=n)[syllable]


def crowd(seconds, rng):
    """Many people talking at once in a hall.

    Every voice has its own pitch, pace and distance; its vocal cords give
    pulses, its mouth shapes them into vowels, and now and then an s or a t
    hisses.
    """
    t = time_axis(seconds)
    pulses = np.zeros((2, len(VOWELS), len(t)))
    hiss = np.zeros(len(t))
    for _ in range(rng.integers(14, 32)):
        woman = int(rng.uniform() < 0.5)
        pitch = rng.uniform(*((85, 140), (165, 250))[woman])
        times, gains, vowels = talk(seconds, rng, pitch)
        loud = 1 / rng.uniform(1.0, 5.0)
        where = np.round(times * SAMPLE_RATE).astype(int)
        np.add.at(pulses[woman], (vowels, where), loud * gains)
        breaths = times[rng.uniform(size=len(times)) < 0.015]
        window = loud * np.hanning(1000)
        hiss += scatter(seconds, breaths, np.tile(window, (len(breaths), 1)))
    out = 0.006 * hiss * band_noise(len(t), rng, 3000, 7500)
    for woman, scale in enumerate((1.0, WOMAN)):
        for source, vowel in zip(pulses[woman], VOWELS, strict=True):
            out += resonate(
                source, scale * vowel, [80, 110, 170], [1.0, 0.5, 0.25]
            )
    out = shape_band(out, 150, rng.uniform(1000, 2500), -1.5)
    return normalise(add_room(out, rng, rng.uniform(0.6, 1.4), 0.5))


def applause(seconds, rng):
    """An audience clapping: a room of thirty or a hall of a hundred."""
    return procedural.applause(seconds, rng, int(rng.uniform(30, 100)))
