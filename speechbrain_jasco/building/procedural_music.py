"""Sketches of instruments, playing something simple.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
from scipy.signal import lfilter

from speechbrain_jasco.building.rhythm import add_at
from speechbrain_jasco.building.synthesis import (
    SAMPLE_RATE,
    add_room,
    band_noise,
    harmonics,
    noise_burst,
    normalise,
    struck,
    time_axis,
)

MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
TRIADS = [(0, 2, 4), (3, 5, 7), (4, 6, 8), (5, 7, 9)]  # steps of the scale


def pitch_of(step, key_hz):
    """The pitch of a step of the major scale.

    Arguments
    ---------
    step : int
        0 is the key note, 7 its octave.
    key_hz : float
        Pitch of the key note.

    Returns
    -------
    float

    Example
    -------
    >>> pitch_of(7, 220.0)
    440.0
    """
    octave, degree = divmod(int(step), 7)
    return float(key_hz * 2 ** (octave + MAJOR[degree] / 12))


def piano(seconds, rng):
    """A piano: a tune over broken chords.

    Felt strikes a stiff string: partials a little sharp, the high ones
    weaker and shorter, a fast decay that turns into a slow one.
    """
    out = np.zeros(len(time_axis(seconds)))
    key, beat_s = rng.uniform(120, 230), rng.uniform(0.24, 0.42)
    step = 7
    for k in range(int(seconds / beat_s) + 1):
        chord = TRIADS[(k // 8) % 4] if k % 16 < 8 else TRIADS[rng.integers(4)]
        notes = [(chord[k % 3], 0.6)]
        if rng.uniform() < 0.7:
            step = int(np.clip(step + rng.integers(-2, 3), 5, 14))
            notes.append((step, 1.0))
        for note, loud in notes:
            tone = piano_note(pitch_of(note, key), rng)
            add_at(out, k * beat_s, loud * rng.uniform(0.7, 1.0) * tone)
    return normalise(add_room(out, rng, 0.7, 0.25))


def piano_note(hz, rng):
    """One struck string, 1.5 s (numpy.ndarray [S])."""
    n = np.arange(1, max(2, min(10, int(7000 / hz))))
    freqs = n * hz * np.sqrt(1 + 4e-4 * n**2)
    gains = 1 / n**1.3
    fast = struck(1.5, freqs, 0.25 / n**0.5, gains)
    slow = struck(1.5, freqs[:4] * 1.0006, 1.2 / n[:4], 0.4 * gains[:4])
    tone = fast + slow
    tone[:480] += 0.12 * noise_burst(rng, 150, 2500, 0.006)
    tone[:48] *= np.linspace(0, 1, 48)
    return tone


def guitar(seconds, rng):
    """An acoustic guitar: chords picked or strummed.

    A plucked string is noise in a loop as long as its period, which loses
    its treble on every turn (Karplus and Strong 1983).
    """
    out = np.zeros(len(time_axis(seconds)))
    key, beat_s = rng.uniform(95, 140), rng.uniform(0.2, 0.34)
    is_strummed = rng.uniform() < 0.5
    for k in range(int(seconds / beat_s) + 1):
        chord = TRIADS[(k // 8) % 4]
        strings = np.array([*chord, chord[0] + 7, chord[1] + 7])
        if not is_strummed:
            picked = strings[rng.integers(len(strings))]
            note = plucked(pitch_of(picked, key), rng)
            add_at(out, k * beat_s, rng.uniform(0.7, 1.0) * note)
        elif k % 2 == 0 or rng.uniform() < 0.4:
            for i, string in enumerate(strings):
                note = plucked(pitch_of(string, key), rng)
                add_at(out, k * beat_s + 0.012 * i, 0.5 * note)
    return normalise(add_room(out, rng, 0.4, 0.2))


def plucked(hz, rng, seconds=1.6):
    """One plucked string (numpy.ndarray [S])."""
    period = int(SAMPLE_RATE / hz - 0.5)
    pluck = np.zeros(int(seconds * SAMPLE_RATE))
    pluck[:period] = rng.uniform(-1, 1, period)
    pluck = lfilter([0.5, 0.5], [1.0], pluck)
    # y[n] = x[n] + decay * (y[n - P] + y[n - P - 1]) / 2
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1.0, -0.4985, -0.4985
    return lfilter([1.0], loop, pluck)


def drum(seconds, rng):
    """A drum kit playing a beat.

    The bass drum falls in pitch, the snare is a drum with rattling wires,
    the hi-hat a hiss that is cut short; eight or sixteen to the bar.
    """
    out = np.zeros(len(time_axis(seconds)))
    eighth = 30 / rng.uniform(85, 135)
    t = time_axis(0.3)
    fall = rng.uniform(45, 60) * (1 + 2.5 * np.exp(-t / 0.02))
    kick = harmonics(fall, [1.0, 0.3]) * np.exp(-t / 0.11)
    kick[:480] += 0.3 * noise_burst(rng, 500, 4000, 0.003)
    head = rng.uniform(170, 230)
    snare = struck(0.3, [head, 1.6 * head], [0.05, 0.03], [0.6, 0.4])
    snare += 0.4 * noise_burst(rng, 1200, 7500, 0.06, 0.3)
    hat = noise_burst(rng, 5500, 7900, 0.025, 0.12)
    pattern = rng.uniform(size=8) < 0.35
    pattern[[0, 4]] = True, rng.uniform() < 0.5
    for k in range(int(seconds / eighth) + 1):
        time = k * eighth + rng.normal(0, 0.004)
        add_at(out, time, rng.uniform(0.12, 0.22) * hat)
        if pattern[k % 8]:
            add_at(out, time, kick)
        if k % 8 in (2, 6):
            add_at(out, time, rng.uniform(0.7, 0.9) * snare)
        if k % 32 >= 28:  # a fill
            for half in (0.0, 0.5):
                add_at(out, time + half * eighth, 0.6 * snare)
    out += 0.001 * band_noise(len(out), rng, 200, 4000)
    return normalise(add_room(out, rng, 0.5, 0.2))
