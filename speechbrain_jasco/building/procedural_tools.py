"""Sketches of tools and household machines: motors, teeth, needles, air.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.procedural_engines import rasp
from speechbrain_jasco.building.rhythm import beats, pulse_moments, scatter
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    harmonics,
    normalise,
    pings,
    random_curve,
    resonate,
    time_axis,
)


def runs(t, rng, run_s, pause_s, ramp_s):
    """When a machine runs: 0 at rest, 1 at full speed, ramps between.

    Arguments
    ---------
    t : numpy.ndarray [S]
        Moments, from ``time_axis``.
    rng : numpy.random.Generator
        Draws the lengths.
    run_s, pause_s : (float, float)
        Shortest and longest run and pause.
    ramp_s : float
        From rest to full speed.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> on = runs(time_axis(5.0), np.random.default_rng(0), (1, 2), (1, 1), 0.1)
    >>> float(on.min()), float(on.max())
    (0.0, 1.0)
    """
    on = np.zeros(len(t))
    start = rng.uniform(0.0, 0.3)
    while start < t[-1]:
        stop = start + rng.uniform(*run_s)
        knots = [start, start + ramp_s, stop, stop + ramp_s]
        on = np.maximum(on, np.interp(t, knots, [0, 1, 1, 0]))
        start = stop + ramp_s + rng.uniform(*pause_s)
    return on


def drill(seconds, rng):
    """An electric drill.

    A motor runs up, its gears whine with many partials; in the wall it sags,
    grinds and rattles.
    """
    t = time_axis(seconds)
    on = runs(t, rng, (1.5, 3.0), (0.3, 0.8), rng.uniform(0.15, 0.3))
    load = 0.88 + 0.12 * random_curve(t, rng, 1.5)
    pitch = np.maximum(rng.uniform(260, 480) * on**0.6 * load, 20.0)
    gains = rng.uniform(0.2, 1.0, 18) / np.arange(1, 19) ** 0.4
    whine = harmonics(np.minimum(pitch, 7600 / 18), gains)
    grind = band_noise(len(t), rng, 900, 6500, -1)
    grind *= 1 + 0.8 * np.sin(np.cumsum(pitch) * 2 * np.pi / 16000 / 8)
    out = whine / whine.std() + rng.uniform(0.3, 0.6) * grind
    return normalise(add_room(out * on, rng, 0.35, 0.25))


def saw(seconds, rng):
    """A handsaw in wood.

    Strokes go back and forth, the push louder than the pull; the teeth hit the
    wood as fast as the blade moves, and the board rings dully.
    """
    t = time_axis(seconds)
    turn = 2 * np.pi * (t * rng.uniform(0.8, 1.5) + rng.uniform())
    turn += 0.4 * random_curve(t, rng, 1.0)
    speed = np.abs(np.sin(turn))
    push = np.where(np.sin(turn) > 0, 1.0, rng.uniform(0.45, 0.7))
    teeth = 2 * np.pi * np.cumsum(rng.uniform(110, 200) * speed) / 16000
    bite = np.exp(2.0 * (np.cos(teeth) - 1))
    rub = band_noise(len(t), rng, 900, 6500, -2)
    force = push * speed**1.2
    out = force * (0.35 + bite) * rub
    board = resonate(out, rng.uniform(250, 700, 3), [60.0] * 3, [1.0] * 3)
    return normalise(out + 0.7 * board)


def vacuum_cleaner(seconds, rng):
    """A vacuum cleaner.

    Air roars steadily over the whine of the fan; pushing the nozzle
    back and forth over the carpet changes pitch and colour a little.
    """
    t = time_axis(seconds)
    stroke = np.sin(2 * np.pi * (rng.uniform(0.3, 0.6) * t + rng.uniform()))
    pitch = rng.uniform(240, 420) * (1 + 0.012 * stroke)
    fan = harmonics(pitch, rng.uniform(0.2, 1.0, 12) / np.arange(1, 13) ** 0.6)
    roar = band_noise(len(t), rng, 150, 6000, rng.uniform(-3, -2))
    nozzle = band_noise(len(t), rng, 900, 4000, -1) * (1 + 0.5 * stroke)
    roar = roar + rng.uniform(0.3, 0.5) * nozzle
    return normalise(rng.uniform(0.5, 1.0) * fan / fan.std() + roar)


def sewing_machine(seconds, rng):
    """A sewing machine.

    In runs that the foot starts and stops, the needle punches 8 to 15 times
    a second, the hook answers half a turn later, and the motor hums along.
    """
    t = time_axis(seconds)
    on = runs(t, rng, (1.2, 3.0), (0.3, 0.9), rng.uniform(0.2, 0.4))
    rate = rng.uniform(8, 15) * on
    times = pulse_moments(rate)
    arm = rng.uniform([180, 700, 1800, 3600], [320, 1100, 2600, 5200])
    decays = np.array([0.02, 0.01, 0.005, 0.003])
    punch = pings(arm, decays, np.array([1.0, 0.7, 0.6, 0.5]), 0.08).sum(0)
    hook = pings(arm * 1.35, decays, np.array([0.3, 0.5, 0.5, 0.4]), 0.08).sum(
        0
    )
    gains = rng.lognormal(0, 0.15, (len(times), 1))
    half_turn = 0.5 / np.maximum(np.interp(times, t, rate), 2.0)
    out = scatter(seconds, times, gains * punch)
    out += scatter(seconds, times + half_turn, gains * hook)
    clatter = rasp(np.maximum(rate, 1.0), rng, 400, 7000, rng.uniform(0.8, 2))
    out = out / out.std() + rng.uniform(0.3, 0.8) * on * clatter
    motor = harmonics(np.maximum(rate * 11, 10.0), 1 / np.arange(1, 21) ** 0.5)
    out += 0.15 * on * motor
    return normalise(add_room(out, rng, 0.25, 0.2))


def keyboard(seconds, rng):
    """Typing on a computer keyboard.

    Words: bursts of keys, five to ten a second, with pauses between; a key
    clicks going down and, weaker, coming up; the space bar is lower.
    """
    times, start = [], rng.uniform(0.0, 0.3)
    pace = rng.uniform(0.09, 0.17)
    while start < seconds:
        n = rng.integers(3, 12)
        times.append(start + np.cumsum(pace * rng.gamma(8, 1 / 8, n)))
        start = times[-1][-1] + rng.exponential(0.35)
    times = np.concatenate(times)
    is_space = rng.uniform(size=len(times)) < 0.15
    body = rng.uniform(260, 420) * np.where(is_space, 0.7, 1.0)
    body = body * rng.uniform(0.9, 1.1, len(times))
    gains = rng.lognormal(0, 0.25, len(times))
    click = band_noise(len(times) * 400, rng, 1200, 7500, -1).reshape(-1, 400)
    click = click * gains[:, None] * np.exp(-time_axis(0.025) / 0.004)
    thump = pings(body, 0.012, gains, 0.05) + pings(
        1.7 * body, 0.006, gains, 0.05
    )
    out = 0.4 * scatter(seconds, times, thump)
    out += 0.5 * scatter(seconds, times, click)
    ups = times + rng.uniform(0.06, 0.1, len(times))
    out += 0.18 * scatter(seconds, ups, rng.permutation(click))
    return normalise(add_room(out, rng, 0.2, 0.15))


def shutter(seconds, rng):
    """A camera taking pictures.

    The mirror flips up with a clack, the shutter opens and shuts, the mirror
    falls back, and a motor winds on: all within a quarter of a second.
    """
    t = time_axis(seconds)
    out = 0.002 * band_noise(len(t), rng, 200, 4000, -3)
    box = rng.uniform([500, 1400, 2900, 4600], [800, 2000, 3900, 6200])
    decays = np.array([0.007, 0.004, 0.003, 0.002])
    clack = pings(box, decays, np.array([0.8, 1.0, 0.8, 0.7]), 0.05).sum(0)
    clack += 0.7 * band_noise(800, rng, 1500, 7500) * np.exp(-t[:800] / 0.004)
    gap, wind_s = rng.uniform(0.05, 0.11), rng.uniform(0.1, 0.22)
    shots = beats(seconds, rng.uniform(0.5, 1.3), rng, 0.08)
    for delay, gain in ((0.0, 1.0), (0.35 * gap, 0.5), (gap, 0.9)):
        gains = gain * rng.lognormal(0, 0.1, (len(shots), 1))
        out += scatter(seconds, shots + delay, gains * clack)
    wind_t = time_axis(wind_s)
    whirr = harmonics(
        np.full(len(wind_t), rng.uniform(280, 420)), rng.uniform(0.3, 1, 14)
    ) + band_noise(len(wind_t), rng, 800, 5000)
    whirr *= 0.05 * np.sin(np.pi * wind_t / wind_s) ** 0.5
    winds = np.tile(whirr, (len(shots), 1))
    out += scatter(seconds, shots + gap + 0.01, winds)
    return normalise(add_room(out, rng, 0.25, 0.12))
