"""Sounds made by arithmetic: short physical sketches, free to give away.

Each function is one sound, ``name(seconds, rng)``. It draws its own
parameters from ``rng``, so that one seed gives one sound and another seed
another example of the same kind, and returns a float array [S] at 16 kHz
with peak 0.9. The docstring says what is imitated.

Example
-------
>>> import numpy as np
>>> surf(1.0, np.random.default_rng(0)).shape
(16000,)

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.rhythm import add_at, poisson_moments
from speechbrain_jasco.building.synthesis import (
    SAMPLE_RATE,
    add_room,
    band_noise,
    noise_burst,
    normalise,
    random_curve,
    struck,
    time_axis,
)


def surf(seconds, rng):
    """Waves on a beach.

    A far rumble is always there. Every few seconds a wave swells, breaks
    (the level jumps and the noise turns bright) and runs out as a high fizz
    of foam, later and longer than the break itself.
    """
    t = time_axis(seconds)
    samples = len(t)
    rumble = band_noise(samples, rng, 50, 500, -3)
    crash = band_noise(samples, rng, 150, 4000, -3)
    foam = band_noise(samples, rng, 1500, 7500, -1)
    out = 0.12 * rumble + 0.02 * foam
    period = rng.uniform(3.0, 4.5)
    # The break before the clip is the one whose foam is heard at its start.
    for start in np.arange(rng.uniform(0.4, 1.2) - period, seconds, period):
        since = t - start - rng.uniform(-0.2, 0.2)
        swell = np.exp(-((np.minimum(since, 0) / 0.45) ** 2))
        out += swell * np.exp(-np.maximum(since, 0) / 0.7) * crash
        run_out = np.maximum(since, 0) / 0.9
        out += 0.8 * run_out * np.exp(1 - run_out) * 0.5 * foam
    return normalise(out)


def rain(seconds, rng):
    """Heavy rain on hard ground.

    The many far drops merge into steady noise; a few hundred near ones a
    second are heard singly, each a short click or the ping of a bubble.
    """
    t = time_axis(seconds)
    samples = len(t)
    out = band_noise(samples, rng, 400, 7500, -1.5)
    for time in poisson_moments(seconds, rng.uniform(120, 250), rng):
        ping = struck(
            0.012, [rng.uniform(1200, 6000)], [rng.uniform(1e-3, 3e-3)], [1.0]
        )
        add_at(out, time, rng.lognormal(0.3, 0.7) * ping)
    return normalise(out)


def fire_crackle(seconds, rng):
    """A wood fire.

    Flames flutter as low noise with a soft hiss over it; the wood cracks in
    clusters of clicks whose sizes differ widely, as fractures do.
    """
    t = time_axis(seconds)
    samples = len(t)
    flutter = 0.4 + random_curve(t, rng, 9.0)
    out = 0.05 * flutter * band_noise(samples, rng, 40, 250, -6)
    out += 0.02 * flutter * band_noise(samples, rng, 800, 6000, -3)
    for cluster in poisson_moments(seconds, rng.uniform(5, 8), rng):
        for offset in rng.exponential(0.03, rng.integers(1, 6)):
            click = noise_burst(rng, 900, 7000, rng.uniform(1e-3, 5e-3))
            size = min(0.12 * rng.lognormal(0.0, 0.8), 0.6)
            add_at(out, cluster + offset, size * click)
    return normalise(out)


def sizzling(seconds, rng):
    """Food frying in fat.

    Water boils off under the food: a steady hiss above 2 kHz whose level
    trembles, with hundreds of tiny pops a second and some larger spits.
    """
    t = time_axis(seconds)
    samples = len(t)
    tremble = 0.6 + 0.4 * random_curve(t, rng, 25.0)
    out = tremble * band_noise(samples, rng, 2500, 7800, 0)
    spits = poisson_moments(seconds, rng.uniform(4, 8), rng)
    pops = poisson_moments(seconds, rng.uniform(150, 300), rng)
    for time, size in [(t, 5.0) for t in spits] + [(t, 1.5) for t in pops]:
        pop = struck(
            0.01, [rng.uniform(1500, 6500)], [rng.uniform(5e-4, 2e-3)], [1.0]
        )
        add_at(out, time, size * rng.uniform(0.4, 1.2) * pop)
    return normalise(out)


def applause(seconds, rng, clappers=60):
    """An audience clapping in a hall.

    Each person claps at an own rate with jitter; a clap is a few
    milliseconds of noise around the resonance of the hands' hollow, the
    nearer the louder; the hall adds reverberation.
    """
    out = np.zeros_like(time_axis(seconds))
    for _ in range(clappers):
        rate_hz, centre_hz = rng.uniform(3.0, 5.0), rng.uniform(700, 2600)
        gain = 1.0 / rng.uniform(1.0, 6.0)
        time = -rng.uniform(0, 1 / rate_hz)
        while time < seconds:
            clap = noise_burst(rng, centre_hz / 1.4, centre_hz * 1.4, 4e-3)
            add_at(out, time, gain * clap)
            time += rng.normal(1.0, 0.08) / rate_hz
    return normalise(add_room(out, rng, 0.8, 0.35))


def siren(seconds, rng, low_hz=600.0, high_hz=1400.0, period_s=(2.0, 3.0)):
    """The wail of an emergency vehicle.

    A horn with weaker harmonics whose pitch climbs from ``low_hz`` to
    ``high_hz`` and falls back, once in two to three seconds.
    """
    t = time_axis(seconds)
    turn = t / rng.uniform(2.0, 3.0) + rng.uniform()
    sweep = 0.5 - 0.5 * np.cos(2 * np.pi * turn)
    # Pitch is heard in octaves, so the sweep is geometric.
    pitch = low_hz * (high_hz / low_hz) ** sweep
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    out = sum(np.sin(k * phase) / k**2 for k in (1, 2, 3))
    return normalise(add_room(out, rng, 0.4, 0.15))


def clock_ticking(seconds, rng, period_s=0.5):
    """A mechanical clock.

    The escapement strikes every ``period_s`` seconds, by turns a bright tick
    and a darker tock; the case rings for some hundredths of a second.
    """
    out = np.zeros_like(time_axis(seconds))
    tick_hz = rng.uniform(2200, 3200)
    start = rng.uniform(0, period_s)
    for k in range(-1, int(seconds / period_s) + 1):
        base = tick_hz * (1.0, 0.8)[k % 2]
        strike = struck(
            0.08,
            [base, 1.62 * base, 0.31 * base],
            [0.006, 0.003, 0.015],
            [1.0, 0.5, 0.4],
        )
        add_at(out, start + k * period_s, strike)
    return normalise(add_room(out, rng, 0.15, 0.1))


def monitor_beep(seconds, rng, period_s=0.8):
    """A patient monitor: one pure beep of a tenth of a second per heartbeat.

    The tone has a weak third harmonic and soft edges; pitch and start are
    drawn.
    """
    out = np.zeros_like(time_axis(seconds))
    t = time_axis(0.1)
    edge = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.005)
    turn = 2 * np.pi * rng.uniform(850, 1100) * t
    beep = edge * (np.sin(turn) + 0.1 * np.sin(3 * turn))
    for time in np.arange(
        rng.uniform(0, period_s) - period_s, seconds, period_s
    ):
        add_at(out, time, beep)
    return normalise(out)


def hammering(seconds, rng, period_s=0.6):
    """A nail driven into a board.

    Every blow rings the steel (short, high modes) and the board (longer,
    low modes) and starts with a burst of noise; force and beat vary.
    """
    out = np.zeros_like(time_axis(seconds))
    board_hz, steel_hz = rng.uniform(160, 260), rng.uniform(2400, 3600)
    for time in np.arange(rng.uniform(0, period_s), seconds, period_s):
        blow = struck(
            0.3,
            [board_hz, 2.3 * board_hz, steel_hz, 1.7 * steel_hz],
            [0.05, 0.03, 0.02, 0.01],
            [1.0, 0.7, 0.5, 0.3],
        )
        blow[:80] += band_noise(80, rng, 500, 7000) * np.linspace(1, 0, 80)
        add_at(out, time + rng.normal(0, 0.015), rng.uniform(0.7, 1) * blow)
    return normalise(add_room(out, rng, 0.3, 0.15))


def footsteps(seconds, rng, period_s=0.55):
    """A walk on gravel.

    Every step is a heel and, a tenth of a second later, a sole; each is a
    burst of small stones grinding, a swarm of clicks that thins out.
    """
    out = np.zeros_like(time_axis(seconds))
    for step in np.arange(rng.uniform(0, period_s), seconds, period_s):
        for contact, size in ((0.0, 1.0), (rng.uniform(0.08, 0.14), 0.7)):
            for offset in rng.exponential(0.04, 60):
                stone = struck(
                    0.008, [rng.uniform(1000, 5500)], [1.2e-3], [size]
                )
                add_at(
                    out, step + contact + offset, rng.lognormal(0, 0.6) * stone
                )
    return normalise(out)
