"""Sketches of moving air: wind, thunder, explosions, whistles, horns.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.rhythm import add_at, poisson_moments, scatter
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    harmonics,
    normalise,
    pings,
    random_curve,
    smooth_edges,
    time_axis,
)


def wind(seconds, rng):
    """Wind around a house.

    Gusts: the faster the air, the louder and the higher the band in which it
    howls at edges and gaps.
    """
    t = time_axis(seconds)
    gust = random_curve(t, rng, rng.uniform(0.4, 0.9))
    gust = 0.75 * gust + 0.25 * random_curve(t, rng, 3.0)
    lowest, spread = rng.uniform(180, 320), rng.uniform(2.0, 3.5)
    centre = np.log2(lowest * spread**gust)
    out = 0.5 * band_noise(len(t), rng, 40, 300, -4) * (0.3 + gust)
    for low in 100 * 2.0 ** np.arange(0, 4.5, 0.5):
        howl = band_noise(len(t), rng, low, low * 2**0.25)
        weight = np.exp(-(((np.log2(low) + 0.12 - centre) / 0.35) ** 2))
        out += (0.15 + gust**2) * weight * howl
    return normalise(out)


def thunder(seconds, rng):
    """Thunder.

    The channel of a lightning is kilometres long: its near end cracks, and
    the rest arrives over seconds in surges, ever duller, since air takes the
    treble off what comes from afar.
    """
    t = time_axis(seconds)
    out = 0.004 * band_noise(len(t), rng, 60, 1500, -4)
    dull = band_noise(len(t), rng, 25, rng.uniform(120, 250), -2)
    bright = band_noise(len(t), rng, 60, rng.uniform(2500, 6000), -3.5)
    nearness = rng.uniform(0.2, 0.9)
    for start in np.arange(rng.uniform(0.1, 0.8), seconds, rng.uniform(3.5, 6)):
        loud = rng.uniform(0.6, 1.0)
        for arrival in rng.gamma(1.2, 0.9, rng.integers(14, 26)):
            since = np.maximum(t - start - arrival, 0.0)
            rise_s = rng.uniform(0.05, 0.25)
            surge = since / rise_s * np.exp(1 - since / rise_s)
            surge = surge + 0.35 * (since > 0) * np.exp(-since / 1.2)
            surge *= loud * rng.lognormal(0, 0.6) * np.exp(-arrival / 2.5)
            out += surge * dull
            out += 0.9 * surge * np.exp(-arrival / (0.5 + nearness)) * bright
        for arrival in rng.exponential(0.12, 8):
            since = t - start - arrival
            snap = np.exp(-np.maximum(since, 0) / rng.uniform(0.02, 0.12))
            out += (
                nearness
                * loud
                * rng.uniform(1, 3)
                * (since > 0)
                * (snap * bright)
            )
    return normalise(out)


def fireworks(seconds, rng):
    """Fireworks.

    Some rockets are heard to whistle upwards; each bursts with a thump that
    rolls between the houses, and some stars crackle on the way down.
    """
    out = 0.01 * band_noise(len(time_axis(seconds)), rng, 100, 2000, -4)
    moments = poisson_moments(seconds, rng.uniform(0.9, 1.6), rng)
    for time in np.append(moments, rng.uniform(0.4, 1.2)):
        size = rng.uniform(0.4, 1.0)
        if rng.uniform() < 0.4:
            t = time_axis(rng.uniform(0.6, 1.0))
            pitch = np.linspace(rng.uniform(900, 1500), 2800, len(t))
            whistle = harmonics(pitch, [1.0, 0.2]) * (t / t[-1]) ** 0.5
            add_at(out, time - t[-1] - 0.15, 0.10 * size * whistle)
        t = time_axis(1.2)
        thump = band_noise(len(t), rng, 40, 220, -2)
        boom = thump * np.exp(-t / rng.uniform(0.12, 0.25))
        boom[:1600] += band_noise(1600, rng, 150, 5000, -2) * np.exp(
            -t[:1600] / 0.012
        )
        add_at(out, time, size * boom)
        if rng.uniform() < 0.6:
            n = rng.integers(50, 160)
            moments = time + 0.25 + rng.exponential(0.35, n)
            stars = pings(
                rng.uniform(1800, 6500, n),
                0.002,
                rng.lognormal(0, 0.5, n),
                0.02,
            )
            out += 0.25 * size * scatter(seconds, moments, stars)
    return normalise(add_room(out, rng, rng.uniform(1.2, 2.0), 0.4))


def kettle(seconds, rng):
    """A whistling kettle coming to the boil.

    The water rumbles; then steam makes the whistle sound, which climbs with
    the pressure to a piercing, slightly trembling tone.
    """
    t = time_axis(seconds)
    start = rng.uniform(0.08, 0.3) * seconds
    climb = np.clip((t - start) / rng.uniform(1.2, 3.0), 0, 1) ** 0.7
    top = rng.uniform(2000, 3100)
    tremble = 0.008 * np.sin(2 * np.pi * rng.uniform(5, 9) * t)
    pitch = top * (0.62 + 0.38 * climb + tremble)
    whistle = harmonics(pitch, [1.0, 0.25, 0.08])
    flutter = 0.8 + 0.2 * random_curve(t, rng, 12.0)
    steam = band_noise(len(t), rng, 1800, 7500, 0)
    boil = band_noise(len(t), rng, 150, 1200, -3)
    boil *= 0.5 + random_curve(t, rng, 14.0)
    out = 0.25 * boil * (1 - 0.7 * climb) + 0.12 * steam * climb
    return normalise(out + climb * flutter * whistle)


def boat_horn(seconds, rng):
    """A ship's horn in a harbour.

    A low reed blown with air: all partials are strong, the blast lasts
    seconds and comes back from the shore.
    """
    t = time_axis(seconds)
    out = 0.015 * band_noise(len(t), rng, 100, 1200, -3)
    pitch = rng.uniform(85, 190)
    chord = [1.0] if rng.uniform() < 0.5 else [1.0, rng.choice([1.25, 1.335])]
    blast_s, pause_s = rng.uniform(1.2, 3.0), rng.uniform(0.7, 1.8)
    for time in np.arange(rng.uniform(0.1, 0.6), seconds, blast_s + pause_s):
        blast = time_axis(blast_s)
        onset = 1 - 0.06 * np.exp(-blast / 0.08)  # the reed starts flat
        tone = sum(
            harmonics(pitch * ratio * onset, 1 / np.arange(1, 19) ** 0.8)
            for ratio in chord
        )
        breath = 0.08 * band_noise(len(blast), rng, 300, 2500, -3)
        add_at(out, time, smooth_edges(tone + breath, 0.12, 0.25))
    return normalise(add_room(out, rng, rng.uniform(1.8, 3.0), 0.35))
