"""Sketches of water: most of its sound is bubbles.

A bubble of radius R rings at 3.26 m/s / R (Minnaert 1933) and dies away
within some hundredths of a second, large ones slower; one that rises to the
surface glides up in pitch (van den Doel 2005).

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.rhythm import (
    add_at,
    beats,
    poisson_moments,
    scatter,
)
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    noise_burst,
    normalise,
    pings,
    random_curve,
    time_axis,
)


def bubbles(freqs_hz, gains, rise, seconds=0.12):
    """Ringing bubbles, one a row.

    Arguments
    ---------
    freqs_hz : numpy.ndarray [N]
        Their pitch when they form.
    gains : numpy.ndarray [N]
        Their amplitude.
    rise : float
        How fast the pitch rises, in damping times; 0.1 is a bubble near the
        surface.
    seconds : float
        Length of all of them.

    Returns
    -------
    numpy.ndarray [N, L]

    Example
    -------
    >>> bubbles(np.array([500.0, 900.0]), np.ones(2), 0.1).shape
    (2, 1920)
    """
    t = time_axis(seconds)
    radius = 3.26 / np.asarray(freqs_hz)[:, None]
    damping = 0.13 / radius + 0.0072 * radius**-1.5
    turns = 3.26 / radius * (t + rise * damping * t**2 / 2)
    edge = np.minimum(t / 5e-4, 1.0)  # a bubble closes within a millisecond
    ring = np.sin(2 * np.pi * turns) * np.exp(-damping * t) * edge
    return np.asarray(gains)[:, None] * ring


def swarm(seconds, rng, rate_hz, low_hz, high_hz, rise=0.1):
    """Bubbles of random size at random moments; large ones are louder.

    Arguments
    ---------
    seconds : float
        Duration.
    rng : numpy.random.Generator
        Source of chance.
    rate_hz : float
        Bubbles a second.
    low_hz, high_hz : float
        Range of their pitches.
    rise : float
        See ``bubbles``.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> swarm(1.0, np.random.default_rng(0), 40, 400, 2000).shape
    (16000,)
    """
    times = poisson_moments(seconds, rate_hz, rng)
    freqs = low_hz * (high_hz / low_hz) ** rng.uniform(size=len(times))
    gains = rng.lognormal(0, 0.8, len(times)) * (low_hz / freqs) ** 0.5
    return scatter(seconds, times, bubbles(freqs, gains, rise))


def stream(seconds, rng):
    """A brook over stones.

    Many small bubbles of all pitches, which never stop, over a soft rush.
    """
    t = time_axis(seconds)
    low = rng.uniform(350, 700)
    out = swarm(seconds, rng, rng.uniform(60, 180), low, 6 * low)
    out /= out.std()
    rush = band_noise(len(t), rng, 300, 4000, -4)
    return normalise(
        out + rng.uniform(0.2, 0.6) * (0.6 + random_curve(t, rng, 2.0)) * rush
    )


def bubbling(seconds, rng):
    """A pot at the boil.

    Large, low bubbles burst in quick clusters and make the pot ring; steam
    hisses a little, the lid may rattle.
    """
    t = time_axis(seconds)
    out = np.zeros(len(t))
    for time in poisson_moments(seconds, rng.uniform(8, 14), rng):
        n = rng.integers(2, 7)
        freqs = rng.uniform(140, 600) * rng.uniform(0.8, 1.4, n)
        grains = bubbles(freqs, rng.lognormal(0, 0.5, n), 0.25, 0.2)
        add_at(
            out, time, scatter(0.5, np.cumsum(rng.exponential(0.03, n)), grains)
        )
    pot_hz = rng.uniform(500, 1100)
    pot = pings(pot_hz * np.array([1.0, 1.83]), 0.04, 0.15, 0.2).sum(0)
    out += 0.6 * np.convolve(out, pot / np.abs(pot).sum())[: len(t)]
    hiss = band_noise(len(t), rng, 1500, 6000, -2)
    return normalise(out / out.std() + rng.uniform(0.03, 0.1) * hiss)


def dripping(seconds, rng):
    """A tap dripping into a basin.

    A drop clicks on the water and traps a bubble a few milliseconds later,
    which rings alone, ever higher as it rises, in a room with hard walls.
    """
    out = np.zeros(len(time_axis(seconds)))
    period, pitch = rng.uniform(0.35, 1.3), rng.uniform(450, 1300)
    for time in beats(seconds, period, rng, 0.06 * period):
        size = rng.uniform(0.6, 1.0)
        click = noise_burst(rng, 1500, 7000, 1.5e-3)
        add_at(out, time, 0.25 * size * click)
        freqs = pitch * rng.uniform(0.85, 1.2, 2) * np.array([1.0, 1.7])
        ring = plop(freqs, np.array([size, 0.4 * size]), rng).sum(0)
        add_at(out, time + rng.uniform(0.008, 0.02), ring)
    return normalise(add_room(out, rng, rng.uniform(0.5, 1.6), 0.3))


def plop(freqs_hz, gains, rng):
    """Large bubbles that glide up by half an octave or more, one a row."""
    t = time_axis(0.25)
    length = rng.uniform(0.03, 0.07)
    turns = np.cumsum(1 + rng.uniform(0.3, 0.8) * t / length) / 16000
    ring = np.sin(2 * np.pi * np.asarray(freqs_hz)[:, None] * turns)
    return gains[:, None] * ring * np.minimum(t / 1e-3, 1) * np.exp(-t / length)


def shower(seconds, rng):
    """A shower in a bathroom.

    Jets hiss bright and steady; the drops that hit the tray drum; the
    tiled cubicle has a few low resonances.
    """
    t = time_axis(seconds)
    out = band_noise(len(t), rng, 1500, 7500, rng.uniform(0, 2))
    times = poisson_moments(seconds, rng.uniform(150, 350), rng)
    freqs = rng.uniform(250, 900, len(times))
    drops = pings(freqs, 0.004, rng.lognormal(0, 0.6, len(times)), 0.03)
    drops = scatter(seconds, times, drops)
    out += rng.uniform(0.4, 0.8) * drops / drops.std()
    return normalise(add_room(out, rng, 0.3, 0.5))


def splashing(seconds, rng):
    """Swimmers in a pool.

    Every stroke throws a sheet of water: noise that swells within
    hundredths of a second and falls back as a shower of bubbles, in the long
    echo of an indoor pool.
    """
    out = np.zeros(len(time_axis(seconds)))
    period = rng.uniform(0.55, 1.1)
    for time in beats(seconds, period, rng, 0.12 * period):
        t = time_axis(0.9)
        attack, decay = rng.uniform(0.02, 0.08), rng.uniform(0.08, 0.22)
        sheet = band_noise(len(t), rng, rng.uniform(250, 500), 5500, -3)
        sheet *= np.minimum(t / attack, 1) * np.exp(-t / decay)
        blub = swarm(0.6, rng, 60, 180, 900, 0.2)
        sheet[: len(blub)] += 1.2 * blub * np.linspace(1, 0, len(blub))
        add_at(out, time, rng.uniform(0.3, 1.0) * sheet)
    return normalise(add_room(out, rng, rng.uniform(1.2, 2.2), 0.5))
