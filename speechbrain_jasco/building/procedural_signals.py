"""Sketches of signals: beeps, bells, a siren, a clock.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building import procedural
from speechbrain_jasco.building.rhythm import (
    add_at,
    beats,
    scatter,
)
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    harmonics,
    noise_burst,
    normalise,
    pings,
    random_curve,
    smooth_edges,
    struck,
    time_axis,
)


def siren(seconds, rng):
    """An emergency vehicle in traffic.

    It wails once in two to five seconds or yelps three times a second,
    between 500 and 1600 Hz; the horn is overdriven, so that partials reach
    high; streets echo it and hum.
    """
    t = time_axis(seconds)
    is_yelp = rng.uniform() < 0.2
    period_s = rng.uniform(0.25, 0.4) if is_yelp else rng.uniform(2.0, 5.0)
    turn = t / period_s + rng.uniform()
    low_hz, high_hz = rng.uniform(500, 700), rng.uniform(1200, 1600)
    rise = 0.5 - 0.5 * np.cos(2 * np.pi * turn)
    pitch = low_hz * (high_hz / low_hz) ** rise
    gains = 1 / np.arange(1, 9) ** rng.uniform(1.0, 1.8)
    gains[1::2] *= rng.uniform(0.2, 1.0)
    horn = harmonics(pitch, gains)
    passing = 0.5 + 0.5 * random_curve(t, rng, 0.3)
    out = add_room(passing * horn / horn.std(), rng, 0.7, 0.4)
    traffic = band_noise(len(t), rng, 60, 1500, -3)
    return normalise(out + rng.uniform(0.03, 0.3) * traffic)


def clock(seconds, rng):
    """A mechanical clock: two and a half to one tick a second."""
    return procedural.clock_ticking(seconds, rng, rng.uniform(0.4, 1.0))


def heart_monitor(seconds, rng):
    """A patient monitor at 60 to 110 beats a minute."""
    return procedural.monitor_beep(seconds, rng, 60 / rng.uniform(60, 110))


def scanner_beep(seconds, rng):
    """A checkout.

    The scanner beeps high and short whenever an article has passed; goods
    rustle and are put down between; the shop hums.
    """
    t = time_axis(seconds)
    out = 0.01 * band_noise(len(t), rng, 80, 1500, -3)
    pitch, beep_s = rng.uniform(2200, 3000), rng.uniform(0.07, 0.15)
    beep = harmonics(np.full(len(time_axis(beep_s)), pitch), [1.0, 0.0, 0.3])
    beep = smooth_edges(beep, 0.003)
    for time in beats(seconds, rng.uniform(0.9, 1.8), rng, 0.2):
        add_at(out, time, 0.8 * beep)
        thud = struck(
            0.1, rng.uniform([90, 210], [160, 400]), [0.02, 0.01], [1, 0.6]
        )
        add_at(out, time + rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.4) * thud)
        rustle = noise_burst(rng, 1500, 7000, 0.1, 0.3)
        add_at(
            out, time - rng.uniform(0.2, 0.4), rng.uniform(0.01, 0.05) * rustle
        )
    return normalise(add_room(out, rng, 0.6, 0.2))


def phone(seconds, rng):
    """A telephone with a bell.

    A clapper strikes two bells by turns, 20 to 28 blows a second, in rings
    of one or two seconds with pauses.
    """
    out = np.zeros(len(time_axis(seconds)))
    base = rng.uniform(1050, 1500)
    blow_s, ring_s = 1 / rng.uniform(20, 28), rng.uniform(0.9, 2.0)
    pause_s = rng.uniform(0.6, 1.6)
    times = []
    for start in np.arange(rng.uniform(0, 0.4), seconds, ring_s + pause_s):
        times.append(np.arange(start, start + ring_s, blow_s))
    times = np.concatenate(times)
    partials = np.array([1.0, 2.71, 4.1])
    decays = np.array([0.25, 0.1, 0.05]) * rng.uniform(0.7, 1.2)
    for side, ratio in ((0, 1.0), (1, rng.uniform(1.18, 1.3))):
        freqs = base * ratio * partials
        bell = pings(freqs, decays, np.array([1.0, 0.6, 0.3]), 1.0).sum(0)
        blows = times[side::2]
        gains = rng.lognormal(0, 0.15, (len(blows), 1))
        out += scatter(seconds, blows, gains * bell)
    return normalise(add_room(out, rng, 0.4, 0.15))


def church_bell(seconds, rng):
    """Church bells.

    A bell's partials are tuned: hum, prime, minor third, fifth, octave and
    up; the high ones die within a second, the hum lasts.
    """
    out = 0.003 * band_noise(len(time_axis(seconds)), rng, 100, 1500, -3)
    ratios = np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.5, 2.66, 3.01, 4.17])
    decays = np.array([5.0, 3.0, 2.2, 1.4, 1.6, 0.7, 0.6, 0.5, 0.3])
    gains = np.array([0.5, 0.8, 0.7, 0.3, 1.0, 0.3, 0.25, 0.4, 0.25])
    prime, period = rng.uniform(260, 520), rng.uniform(1.1, 2.4)
    for interval in [1.0] + [rng.choice([0.84, 1.19])] * rng.integers(0, 2):
        freqs = prime * interval * ratios * rng.uniform(0.997, 1.003, 9)
        bell = struck(6.0, freqs, decays, gains * rng.uniform(0.7, 1.3, 9))
        bell[:480] += noise_burst(rng, 500, 5000, 0.004)
        for time in beats(seconds + 2, period, rng, 0.02) - 2:
            add_at(out, time, rng.uniform(0.7, 1.0) * bell)
    return normalise(add_room(out, rng, rng.uniform(1.0, 2.0), 0.3))
