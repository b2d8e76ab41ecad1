"""Sketches of blows: hooves, knuckles, knives, balls, in their rhythms.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building import procedural
from speechbrain_jasco.building.rhythm import add_at, beats
from speechbrain_jasco.building.synthesis import (
    add_room,
    band_noise,
    noise_burst,
    normalise,
    struck,
    time_axis,
)


def hammer(seconds, rng):
    """A nail driven into a board, one to two and a half blows a second."""
    return procedural.hammering(seconds, rng, rng.uniform(0.4, 0.95))


def footsteps(seconds, rng):
    """A walk on gravel, at the walker's own pace."""
    return procedural.footsteps(seconds, rng, rng.uniform(0.45, 0.75))


# Moments of the four hooves within one stride, and strides a second.
GAITS = {
    "walk": ((0.0, 0.25, 0.5, 0.75), (0.8, 1.1)),
    "trot": ((0.0, 0.02, 0.5, 0.52), (1.3, 1.7)),
    "canter": ((0.0, 0.27, 0.29, 0.52), (1.5, 1.9)),
    "gallop": ((0.0, 0.16, 0.34, 0.5), (2.0, 2.4)),
}


def hooves(seconds, rng):
    """A horse on a road.

    The hollow under the hoof gives each clop its pitch, front and hind feet
    differ; the gait sets the rhythm: walk in fours, trot in pairs, canter in
    threes, gallop in quick fours.
    """
    out = np.zeros(len(time_axis(seconds)))
    ground = rng.uniform(0.1, 1.2)  # stones ring, earth thuds
    feet, strides = GAITS[str(rng.choice(list(GAITS)))]
    hollow = rng.uniform(650, 1000) * rng.uniform(0.85, 1.25, 4)
    for start in beats(seconds, 1 / rng.uniform(*strides), rng, 0.015):
        for moment, hz in zip(feet, hollow, strict=True):
            clop = struck(
                0.12,
                [hz, 2.1 * hz, 0.3 * hz],
                [0.012, 0.006, 0.02],
                [1, 0.5, 0.4],
            )
            clop *= rng.uniform(0.8, 1.0)
            clop[:640] += ground * noise_burst(rng, 150, 4000, 0.008, 0.04)
            time = start + moment / np.mean(strides) + rng.normal(0, 0.008)
            add_at(out, time, rng.uniform(0.6, 1.0) * clop)
    return normalise(add_room(out, rng, rng.uniform(0.3, 0.7), 0.2))


def knocking(seconds, rng):
    """Knuckles on a wooden door.

    Three to five knocks, a pause, again; the panel booms between 100 and
    500 Hz for a few hundredths of a second.
    """
    out = np.zeros(len(time_axis(seconds)))
    panel = rng.uniform([95, 190, 330, 620], [150, 280, 500, 900])
    pace, start = rng.uniform(0.15, 0.26), rng.uniform(0.1, 0.6)
    while start < seconds:
        n = rng.integers(3, 6)
        for time in start + pace * (np.arange(n) + rng.normal(0, 0.04, n)):
            knock = struck(
                0.2, panel, [0.035, 0.025, 0.018, 0.01], [1.0, 0.9, 0.7, 0.4]
            )
            knock[:480] += 0.4 * noise_burst(rng, 500, 2500, 0.003)
            add_at(out, time, rng.uniform(0.75, 1.0) * knock)
        start += pace * n + rng.uniform(0.6, 1.4)
    return normalise(add_room(out, rng, rng.uniform(0.3, 0.6), 0.3))


def chopping(seconds, rng):
    """Vegetables chopped on a board.

    Every cut is a crunch through the food, then the blade on the board: a
    small dull knock with the ring of thin steel over it. Three to six a
    second, in rows.
    """
    out = np.zeros(len(time_axis(seconds)))
    board = rng.uniform([220, 480], [340, 700])
    blade = rng.uniform([3200, 5200], [4600, 7000])
    pace, start = rng.uniform(0.16, 0.32), rng.uniform(0.0, 0.3)
    while start < seconds:
        n = rng.integers(6, 16)
        for time in start + pace * (np.arange(n) + rng.normal(0, 0.05, n)):
            crunch = noise_burst(rng, 1200, 6500, 0.012, 0.04)
            add_at(out, time - 0.025, rng.uniform(0.1, 0.35) * crunch)
            cut = struck(0.1, board, [0.014, 0.008], [1.0, 0.7])
            cut += struck(0.1, blade, [0.01, 0.006], [0.22, 0.15])
            cut[:480] += 0.6 * noise_burst(rng, 800, 6000, 0.003)
            add_at(out, time, rng.uniform(0.6, 1.0) * cut)
        start += pace * n + rng.uniform(0.3, 0.9)
    return normalise(add_room(out, rng, 0.25, 0.15))


def bouncing_ball(seconds, rng):
    """A basketball in a hall.

    Dribbled, or dropped so that every bounce comes sooner and softer; the
    ball thumps low and its air rings; the hall answers.
    """
    out = np.zeros(len(time_axis(seconds)))
    ball = rng.uniform([65, 130, 420, 900], [95, 190, 560, 1150])
    thump = struck(0.35, ball, [0.05, 0.04, 0.045, 0.03], [1.0, 0.8, 0.35, 0.2])
    start = rng.uniform(0.05, 0.3)
    while start < seconds:
        if rng.uniform() < 0.6:  # dribbled
            pace, n = rng.uniform(0.35, 0.65), rng.integers(5, 12)
            times = pace * (np.arange(n) + rng.normal(0, 0.04, n))
            gains = rng.uniform(0.7, 1.0, n)
        else:  # dropped: a constant share of the speed is left each time
            n, kept = 12, rng.uniform(0.78, 0.86)
            times = np.concatenate(
                [[0], np.cumsum(0.9 * kept ** np.arange(1, n))]
            )
            gains = kept ** np.arange(n)
        for time, gain in zip(start + times, gains, strict=True):
            slap = 0.3 * noise_burst(rng, 300, 3000, 0.004)
            add_at(out, time, gain * thump)
            add_at(out, time, gain * slap)
        start += times[-1] + rng.uniform(0.5, 1.0)
    return normalise(add_room(out, rng, rng.uniform(1.0, 1.8), 0.35))


def table_tennis(seconds, rng):
    """A rally at table tennis.

    The celluloid ball clicks bright on the paddle and lower on the table a
    quarter of a second later, by turns near and far, until somebody misses.
    """
    out = 0.002 * band_noise(len(time_axis(seconds)), rng, 150, 2500, -3)
    paddle = rng.uniform(1150, 1500) * np.array([1.0, 2.4, 3.9])
    table = rng.uniform(650, 900) * np.array([1.0, 2.2, 4.4])
    start = rng.uniform(0.0, 0.3)
    while start < seconds:
        flight = rng.uniform(0.26, 0.36)
        for stroke in range(rng.integers(6, 14)):
            side = (1.0, rng.uniform(0.5, 0.8))[stroke % 2]
            hit = struck(0.06, paddle, [0.006, 0.003, 0.002], [1.0, 0.6, 0.4])
            hit[:480] += 0.5 * noise_burst(rng, 2000, 7000, 0.002)
            bounce = struck(0.06, table, [0.008, 0.005, 0.002], [1.0, 0.6, 0.3])
            bounce[:480] += 0.25 * noise_burst(rng, 1000, 5000, 0.002)
            add_at(out, start, side * hit)
            add_at(out, start + 0.55 * flight, 0.8 * side * bounce)
            start += flight * rng.uniform(1.1, 1.5)
        start += rng.uniform(0.8, 1.6)
    return normalise(add_room(out, rng, rng.uniform(0.6, 1.0), 0.25))
