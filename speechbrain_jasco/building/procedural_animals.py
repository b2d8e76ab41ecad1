"""Sketches of animals: gliding tones, trains of pulses, a bark.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.procedural import surf
from speechbrain_jasco.building.rhythm import (
    add_at,
    beats,
    pulse_moments,
    scatter,
)
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    harmonics,
    normalise,
    random_curve,
    resonate,
    shape_band,
    smooth_edges,
    time_axis,
)


def glide(knots_hz, seconds, gains):
    """A note whose pitch passes through knots, equally spaced in time.

    Arguments
    ---------
    knots_hz : sequence of float
        Pitches.
    seconds : float
        Duration.
    gains : sequence of float
        Amplitudes of the partials.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> glide([2000.0, 4000.0, 3000.0], 0.1, [1.0]).shape
    (1600,)
    """
    t = time_axis(seconds)
    knots = np.linspace(0, t[-1], len(knots_hz))
    pitch = np.exp(np.interp(t, knots, np.log(knots_hz)))
    return smooth_edges(harmonics(pitch, gains), min(0.012, seconds / 3))


def birds(seconds, rng):
    """Songbirds at dawn.

    Three to five birds, near and far; each repeats a motif of its own, a few
    fast glides between 2 and 7 kHz, and pauses.
    """
    t = time_axis(seconds)
    out = 0.01 * band_noise(len(t), rng, 300, 4000, -3)
    for _ in range(rng.integers(3, 6)):
        gain, base = rng.uniform(0.25, 1.0), rng.uniform(2300, 4300)
        motif = [
            glide(
                base * rng.uniform(0.8, 1.6, rng.integers(2, 5)),
                rng.uniform(0.04, 0.2),
                [1.0, 0.08],
            )
            for _ in range(rng.integers(1, 4))
        ]
        time, repeats = rng.uniform(-1.0, 1.0), rng.integers(2, 7)
        while time < seconds:
            for _ in range(repeats):
                for note in motif:
                    add_at(out, time, gain * note)
                    time += len(note) / 16000 + rng.uniform(0.01, 0.05)
            time += rng.uniform(0.4, 1.6)
    return normalise(add_room(out, rng, rng.uniform(0.6, 1.2), 0.3))


def seagulls(seconds, rng):
    """Gulls over the shore.

    A long call begins with drawn-out cries and quickens into short ones;
    each leaps up and slides down around 1 kHz, harsh with partials. The sea
    is far away.
    """
    out = 0.06 * surf(seconds, rng)
    for _ in range(rng.integers(2, 4)):
        gain, base = rng.uniform(0.4, 1.0), rng.uniform(750, 1050)
        time = rng.uniform(-1.0, 1.5)
        while time < seconds:
            length = rng.uniform(0.35, 0.6)
            for _ in range(rng.integers(3, 8)):
                bend = base * rng.uniform(0.95, 1.05)
                cry = glide(
                    bend * np.array([0.8, 1.35, 1.25, 1.0, 0.75]),
                    length,
                    [0.7, 1.0, 0.8, 0.5, 0.3, 0.15],
                )
                rough = 1 + 0.35 * np.sign(
                    np.sin(70 * 2 * np.pi * time_axis(length))
                )
                add_at(out, time, gain * cry * rough)
                time += length + rng.uniform(0.05, 0.15)
                length = max(0.16, length * rng.uniform(0.75, 0.95))
            time += rng.uniform(0.8, 2.5)
    return normalise(add_room(out, rng, 0.8, 0.15))


def crickets(seconds, rng):
    """Crickets at night.

    A chirp is three to five strokes of the wing, each a pure tone between 3
    and 5 kHz of some hundredths of a second, two or three chirps a second;
    tree crickets trill without a pause. The many far ones merge into a
    shimmer at their common pitch.
    """
    t = time_axis(seconds)
    species = rng.uniform(3000, 4900)
    far = band_noise(len(t), rng, 0.96 * species, 1.04 * species)
    far = shape_band(far, 0.96 * species, 1.04 * species)
    far *= 0.6 + 0.4 * random_curve(t, rng, 25)
    out = rng.uniform(0.1, 0.35) * far / far.std()
    is_trill = rng.uniform() < 0.35
    for _ in range(rng.integers(2, 5)):
        pitch, gain = species * rng.uniform(0.95, 1.06), rng.uniform(0.3, 1.0)
        strokes, stroke_s = rng.integers(3, 6), rng.uniform(0.022, 0.036)
        pulse = np.sin(2 * np.pi * pitch * time_axis(0.7 * stroke_s))
        pulse = gain * smooth_edges(pulse, 0.25 * stroke_s)
        if is_trill:
            starts = beats(seconds, stroke_s, rng)
        else:
            chirps = beats(seconds, 1 / rng.uniform(1.6, 3.2), rng, 0.01)
            starts = np.add.outer(chirps, stroke_s * np.arange(strokes)).ravel()
        out += scatter(seconds, starts, np.tile(pulse, (len(starts), 1)))
    hum = band_noise(len(t), rng, 100, 2000, -4)
    return normalise(out + rng.uniform(0.005, 0.03) * hum)


def frogs(seconds, rng):
    """Frogs in a pond.

    A croak is a train of pulses, 28 to 60 a second, that makes the throat
    sac ring around 700 Hz and its double; a chorus answers from all sides.
    At some ponds small frogs peep near 2 kHz in the background.
    """
    t = time_axis(seconds)
    out = 0.01 * band_noise(len(t), rng, 200, 3000, -3)
    for _ in range(rng.integers(3, 7)):
        gain, sac = rng.uniform(0.25, 1.0), rng.uniform(480, 950)
        croak = one_croak(rng, sac)
        for time in beats(seconds, rng.uniform(0.7, 1.8), rng, 0.08):
            add_at(out, time, gain * rng.uniform(0.7, 1.0) * croak)
    if rng.uniform() < 0.5:
        for _ in range(rng.integers(3, 8)):
            peep_hz = rng.uniform(1700, 2600)
            peep = glide([0.93 * peep_hz, peep_hz], 0.1, [1.0, 0.15])
            for time in beats(seconds, rng.uniform(0.4, 0.9), rng, 0.03):
                add_at(out, time, rng.uniform(0.05, 0.2) * peep)
    return normalise(add_room(out, rng, 0.5, 0.15))


def one_croak(rng, sac_hz):
    """A croak with peak 1 (numpy.ndarray [S])."""
    t = time_axis(rng.uniform(0.2, 0.55))
    rate = rng.uniform(28, 60) * (0.9 + 0.2 * t / t[-1])
    pulses = pulse_moments(rate)
    train = scatter(len(t) / 16000, pulses, np.ones((len(pulses), 1)))
    sac = sac_hz * np.array([1.0, 2.1, 3.3])
    croak = resonate(train, sac, [70, 110, 200], [1.0, 0.7, 0.3])
    croak *= np.abs(np.sin(np.pi * t / t[-1])) ** 0.7
    return croak / np.abs(croak).max()


def dog(seconds, rng):
    """A dog barking.

    A bark is a short, rough voice, up and down around 500 Hz through an open
    mouth; two to four in a row, a pause, again.
    """
    t = time_axis(seconds)
    out = 0.003 * band_noise(len(t), rng, 100, 2000, -3)
    size = rng.uniform(0.7, 1.5)  # of the dog: the larger, the lower
    start = rng.uniform(0.0, 0.4)
    while start < seconds:
        for _ in range(rng.integers(2, 5)):
            bark = one_bark(rng, size)
            add_at(out, start, rng.uniform(0.7, 1.0) * bark)
            start += len(bark) / 16000 + rng.uniform(0.08, 0.25)
        start += rng.uniform(0.4, 1.2)
    return normalise(add_room(out, rng, rng.uniform(0.3, 0.8), 0.2))


def one_bark(rng, size):
    """A bark with peak 1 (numpy.ndarray [S])."""
    length = rng.uniform(0.1, 0.22) * size**0.5
    t = time_axis(length)
    shape = np.interp(t / length, [0, 0.25, 0.5, 1], [0.6, 1.0, 0.95, 0.5])
    pitch = rng.uniform(420, 560) / size * shape
    pulses = pulse_moments(pitch)
    voice = scatter(length, pulses, np.ones((len(pulses), 1)))
    voice += rng.uniform(0.08, 0.16) * rng.standard_normal(len(t))
    mouth = np.array([650, 1250, 2600, 3900]) / size**0.5
    bark = resonate(voice, mouth, [220, 300, 500, 700], [1, 0.8, 0.2, 0.06])
    bark = shape_band(bark, 300, 2200)
    bark *= np.minimum(t / 0.012, 1) * np.cos(np.pi / 2 * t / length) ** 0.6
    return bark / np.abs(bark).max()
