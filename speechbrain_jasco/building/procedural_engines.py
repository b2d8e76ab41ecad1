"""Sketches of engines and what they drive: a rhythm of explosions or blades.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.rhythm import (
    add_at,
    beats,
    pulse_moments,
    scatter,
)
from speechbrain_jasco.building.synthesis import (
    SAMPLE_RATE,
    add_room,
    band_noise,
    harmonics,
    noise_burst,
    normalise,
    pings,
    random_curve,
    shape_band,
    struck,
    time_axis,
)


def firing(rate_hz, rng, cylinders, modes_hz, decay_s):
    """An exhaust: explosions that make pipes ring, each cylinder its own.

    Arguments
    ---------
    rate_hz : numpy.ndarray [S]
        Explosions per second at each sample.
    rng : numpy.random.Generator
        Draws the cylinders' differences.
    cylinders : int
        How many take turns.
    modes_hz : numpy.ndarray [N]
        Resonances of pipe and silencer.
    decay_s : float
        Of the lowest resonance; the others die away faster.

    Returns
    -------
    numpy.ndarray [S]
        Of unit power.

    Example
    -------
    >>> rate, rng = np.full(16000, 30.0), np.random.default_rng(0)
    >>> firing(rate, rng, 4, np.array([80.0, 200.0]), 0.04).shape
    (16000,)
    """
    times = pulse_moments(rate_hz)
    strength = np.resize(rng.uniform(0.6, 1.0, cylinders), len(times))
    strength = strength * rng.lognormal(0, 0.12, len(times))
    decays = decay_s * (modes_hz[0] / modes_hz) ** 0.5
    gains = (modes_hz[0] / modes_hz) ** 0.4
    blow = pings(modes_hz, decays, gains, 5 * decay_s).sum(0)
    grains = strength[:, None] * blow
    out = scatter(len(rate_hz) / SAMPLE_RATE, times, grains)
    return out / max(out.std(), 1e-12)


def rasp(rate_hz, rng, low_hz, high_hz, depth):
    """Noise that pulses with an engine.

    Arguments
    ---------
    rate_hz : numpy.ndarray [S]
        Pulses per second at each sample.
    rng : numpy.random.Generator
        Source of chance.
    low_hz, high_hz : float
        Band of the noise.
    depth : float
        Sharpness of the pulses; 0 is steady.

    Returns
    -------
    numpy.ndarray [S]
        Of unit power.

    Example
    -------
    >>> rasp(np.full(800, 50.0), np.random.default_rng(0), 500, 4000, 3).shape
    (800,)
    """
    phase = 2 * np.pi * np.cumsum(rate_hz) / SAMPLE_RATE
    pulse = np.exp(depth * (np.cos(phase) - 1))
    out = pulse * band_noise(len(rate_hz), rng, low_hz, high_hz, -2)
    return out / max(out.std(), 1e-12)


def revs(t, rng, idle_hz, top_hz, period_s):
    """The rate of an engine that somebody revs up again and again.

    Arguments
    ---------
    t : numpy.ndarray [S]
        Moments, from ``time_axis``.
    rng : numpy.random.Generator
        Draws how high and how long.
    idle_hz, top_hz : float
        Lowest and highest rate.
    period_s : float
        From one rev to the next, about.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> rate = revs(time_axis(4.0), np.random.default_rng(0), 30, 120, 2.0)
    >>> bool(29 < rate.min() < rate.max() < 125)
    True
    """
    throttle = np.zeros(len(t))
    for start in beats(t[-1], period_s, rng, 0.1 * period_s):
        since = (t - start) / (period_s * rng.uniform(0.6, 0.8))
        up, down = rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.7)
        shape = np.interp(since, [0, up, down, 1], [0, 1, 1, 0])
        throttle = np.maximum(throttle, rng.uniform(0.6, 1.0) * shape)
    return idle_hz * (top_hz / idle_hz) ** throttle


def engine(seconds, rng):
    """A car idling.

    Four cylinders fire about 27 times a second into a long exhaust; the
    valves clatter with them.
    """
    t = time_axis(seconds)
    rate = rng.uniform(22, 32) * (0.98 + 0.04 * random_curve(t, rng, 2.0))
    modes = rng.uniform([55, 130, 240, 420], [80, 180, 340, 600])
    out = firing(rate, rng, 4, modes, rng.uniform(0.03, 0.06))
    clatter = rasp(rate, rng, 700, 3500, rng.uniform(1.0, 3.0))
    return normalise(out + rng.uniform(0.06, 0.2) * clatter)


def motorcycle(seconds, rng):
    """A motorcycle being revved.

    One or two cylinders bark into a short pipe; the pitch leaps up with the
    throttle and falls back.
    """
    t = time_axis(seconds)
    idle, top = rng.uniform(26, 40), rng.uniform(110, 190)
    rate = revs(t, rng, idle, top, rng.uniform(1.6, 3.0))
    modes = rng.uniform([110, 280, 700, 1500], [170, 420, 1000, 2200])
    out = firing(rate, rng, rng.integers(1, 3), modes, 0.012)
    out = out + 0.3 * rasp(rate, rng, 500, 5000, 3.0)
    return normalise(out * (rate / top) ** 0.5)


def chainsaw(seconds, rng):
    """A chainsaw.

    A small two-stroke motor screams at full throttle, sags in the wood and
    drops to a rattling idle in between; the chain rasps.
    """
    t = time_axis(seconds)
    idle, top = rng.uniform(45, 60), rng.uniform(130, 200)
    rate = revs(t, rng, idle, top, rng.uniform(3.0, 5.0))
    rate = rate * (0.9 + 0.1 * random_curve(t, rng, 5.0))
    modes = rng.uniform([450, 1000, 2200, 3800], [700, 1500, 3200, 5000])
    out = firing(rate, rng, 1, modes, 0.004)
    chain = rasp(rate, rng, 1500, 7500, 1.5)
    return normalise((out + 0.5 * chain) * (rate / top) ** 0.6)


def helicopter(seconds, rng):
    """A helicopter overhead.

    Every blade that passes slaps the air, 11 to 18 times a second, and
    swishes; the tail rotor hums and a turbine whines thinly.
    """
    t = time_axis(seconds)
    rate = rng.uniform(11, 18) * (0.99 + 0.02 * random_curve(t, rng, 0.5))
    slap = noise_burst(rng, 50, 350, rng.uniform(0.012, 0.025), 0.09)
    times = pulse_moments(rate)
    gains = rng.lognormal(0, 0.1, (len(times), 1))
    out = scatter(seconds, times, gains * slap)
    out /= out.std()
    out += rng.uniform(0.3, 1.0) * rasp(
        rate, rng, 200, 4000, rng.uniform(1.0, 4.0)
    )
    tail = np.full(len(t), rng.uniform(60, 100))
    out += 0.12 * harmonics(tail, [1.0, 0.8, 0.6, 0.4])
    turbine = np.full(len(t), rng.uniform(1500, 3200))
    out += 0.03 * harmonics(turbine, [1.0, 0.3])
    passing = 0.5 + 0.5 * random_curve(t, rng, 0.25)
    return normalise(passing * out)


def train(seconds, rng):
    """A train rolling over rail joints.

    The two axles of a bogie hit the joint one after the other, then those of
    the next bogie: clack-clack, clack-clack; below it all the wheels rumble.
    """
    t = time_axis(seconds)
    out = 0.5 * band_noise(len(t), rng, 35, 200, -2)
    out += 0.12 * band_noise(len(t), rng, 300, 2500, -4)
    out *= 0.8 + 0.4 * random_curve(t, rng, 3.0)
    period = rng.uniform(0.9, 1.7)
    axle_s, bogie_s = 0.11 * period, 0.36 * period
    rail = rng.uniform([160, 420, 900], [260, 650, 1500])
    for start in beats(seconds, period, rng, 0.01):
        for offset in (0.0, axle_s, bogie_s, bogie_s + axle_s):
            clack = struck(0.15, rail, [0.035, 0.02, 0.012], [1.0, 0.8, 0.6])
            clack[:480] += 0.8 * noise_burst(rng, 400, 4000, 0.006)
            add_at(out, start + offset, rng.uniform(1.2, 2.0) * clack)
    return normalise(shape_band(add_room(out, rng, 0.4, 0.2), 30, 5000))
