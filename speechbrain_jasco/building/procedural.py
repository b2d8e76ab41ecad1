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
from scipy.signal import fftconvolve

SAMPLE_RATE = 16000
PEAK = 0.9
SKIRT_DB = 24.0  # per octave, outside a band of noise


def _time(seconds):
    """Moments of the samples in seconds [S]."""
    samples = int(round(seconds * SAMPLE_RATE))
    if samples < 1:
        raise ValueError(
            f"Got a duration of {seconds} s, expected at least one sample "
            f"at {SAMPLE_RATE} Hz; ask for a longer sound."
        )
    return np.arange(samples) / SAMPLE_RATE


def _band(samples, rng, low_hz, high_hz, tilt_db=0.0):
    """Noise of unit power in a band; tilt_db per octave (-3 is pink)."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    freq = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 1.0)
    octaves = np.log2(freq / low_hz)
    outside = np.maximum(-octaves, octaves - np.log2(high_hz / low_hz))
    gain_db = tilt_db * octaves - SKIRT_DB * np.maximum(outside, 0.0)
    noise = np.fft.irfft(spectrum * 10 ** (gain_db / 20), samples)
    return noise / max(noise.std(), 1e-12)


def _curve(t, rng, rate_hz):
    """A random curve in [0, 1], linear between rate_hz knots a second."""
    knots = rng.uniform(size=int(np.ceil(t[-1] * rate_hz)) + 2)
    return np.interp(t * rate_hz, np.arange(len(knots)), knots)


def _modes(seconds, freqs_hz, decays_s, gains):
    """A struck body: decaying sines that start at the blow."""
    t = _time(seconds)
    modes = zip(freqs_hz, decays_s, gains, strict=True)
    return sum(
        g * np.sin(2 * np.pi * f * t) * np.exp(-t / d) for f, d, g in modes
    )


def _burst(rng, low_hz, high_hz, decay_s):
    """30 ms of noise in a band, dying away."""
    t = _time(0.03)
    return _band(len(t), rng, low_hz, high_hz) * np.exp(-t / decay_s)


def _moments(seconds, rate_hz, rng):
    """Moments of a Poisson process, in seconds."""
    return rng.uniform(0, seconds, rng.poisson(rate_hz * seconds))


def _add(out, time_s, grain):
    """Add a grain to a sound in place; what sticks out is cut."""
    start = int(round(time_s * SAMPLE_RATE))
    grain = grain[max(-start, 0) : max(len(out) - start, 0)]
    out[max(start, 0) :][: len(grain)] += grain


def _room(dry, rng, seconds, wet):
    """Add reverberation: decaying noise, 60 dB down after ``seconds``."""
    t = _time(seconds)
    tail = rng.standard_normal(len(t)) * 10 ** (-3.0 * t / seconds)
    tail *= wet / np.linalg.norm(tail)
    return dry + fftconvolve(dry, tail)[: len(dry)]


def _normalise(sound):
    """Scale to the common peak; silence stays silence."""
    return sound * (PEAK / max(np.abs(sound).max(), 1e-12))


def surf(seconds, rng):
    """Waves on a beach.

    A far rumble is always there. Every few seconds a wave swells, breaks
    (the level jumps and the noise turns bright) and runs out as a high fizz
    of foam, later and longer than the break itself.
    """
    t = _time(seconds)
    samples = len(t)
    rumble = _band(samples, rng, 50, 500, -3)
    crash = _band(samples, rng, 150, 4000, -3)
    foam = _band(samples, rng, 1500, 7500, -1)
    out = 0.12 * rumble + 0.02 * foam
    period = rng.uniform(3.0, 4.5)
    # The break before the clip is the one whose foam is heard at its start.
    for start in np.arange(rng.uniform(0.4, 1.2) - period, seconds, period):
        since = t - start - rng.uniform(-0.2, 0.2)
        swell = np.exp(-((np.minimum(since, 0) / 0.45) ** 2))
        out += swell * np.exp(-np.maximum(since, 0) / 0.7) * crash
        run_out = np.maximum(since, 0) / 0.9
        out += 0.8 * run_out * np.exp(1 - run_out) * 0.5 * foam
    return _normalise(out)


def rain(seconds, rng):
    """Heavy rain on hard ground.

    The many far drops merge into steady noise; a few hundred near ones a
    second are heard singly, each a short click or the ping of a bubble.
    """
    t = _time(seconds)
    samples = len(t)
    out = _band(samples, rng, 400, 7500, -1.5)
    for time in _moments(seconds, rng.uniform(120, 250), rng):
        ping = _modes(
            0.012, [rng.uniform(1200, 6000)], [rng.uniform(1e-3, 3e-3)], [1.0]
        )
        _add(out, time, rng.lognormal(0.3, 0.7) * ping)
    return _normalise(out)


def fire_crackle(seconds, rng):
    """A wood fire.

    Flames flutter as low noise with a soft hiss over it; the wood cracks in
    clusters of clicks whose sizes differ widely, as fractures do.
    """
    t = _time(seconds)
    samples = len(t)
    flutter = 0.4 + _curve(t, rng, 9.0)
    out = 0.05 * flutter * _band(samples, rng, 40, 250, -6)
    out += 0.02 * flutter * _band(samples, rng, 800, 6000, -3)
    for cluster in _moments(seconds, rng.uniform(5, 8), rng):
        for offset in rng.exponential(0.03, rng.integers(1, 6)):
            click = _burst(rng, 900, 7000, rng.uniform(1e-3, 5e-3))
            size = min(0.12 * rng.lognormal(0.0, 0.8), 0.6)
            _add(out, cluster + offset, size * click)
    return _normalise(out)


def sizzling(seconds, rng):
    """Food frying in fat.

    Water boils off under the food: a steady hiss above 2 kHz whose level
    trembles, with hundreds of tiny pops a second and some larger spits.
    """
    t = _time(seconds)
    samples = len(t)
    tremble = 0.6 + 0.4 * _curve(t, rng, 25.0)
    out = tremble * _band(samples, rng, 2500, 7800, 0)
    spits = _moments(seconds, rng.uniform(4, 8), rng)
    pops = _moments(seconds, rng.uniform(150, 300), rng)
    for time, size in [(t, 5.0) for t in spits] + [(t, 1.5) for t in pops]:
        pop = _modes(
            0.01, [rng.uniform(1500, 6500)], [rng.uniform(5e-4, 2e-3)], [1.0]
        )
        _add(out, time, size * rng.uniform(0.4, 1.2) * pop)
    return _normalise(out)


def applause(seconds, rng, clappers=60):
    """An audience clapping in a hall.

    Each person claps at an own rate with jitter; a clap is a few
    milliseconds of noise around the resonance of the hands' hollow, the
    nearer the louder; the hall adds reverberation.
    """
    out = np.zeros_like(_time(seconds))
    for _ in range(clappers):
        rate_hz, centre_hz = rng.uniform(3.0, 5.0), rng.uniform(700, 2600)
        gain = 1.0 / rng.uniform(1.0, 6.0)
        time = -rng.uniform(0, 1 / rate_hz)
        while time < seconds:
            clap = _burst(rng, centre_hz / 1.4, centre_hz * 1.4, 4e-3)
            _add(out, time, gain * clap)
            time += rng.normal(1.0, 0.08) / rate_hz
    return _normalise(_room(out, rng, 0.8, 0.35))


def siren(seconds, rng, low_hz=600.0, high_hz=1400.0):
    """The wail of an emergency vehicle.

    A horn with weaker harmonics whose pitch climbs from ``low_hz`` to
    ``high_hz`` and falls back, once in two to three seconds.
    """
    t = _time(seconds)
    turn = t / rng.uniform(2.0, 3.0) + rng.uniform()
    sweep = 0.5 - 0.5 * np.cos(2 * np.pi * turn)
    # Pitch is heard in octaves, so the sweep is geometric.
    pitch = low_hz * (high_hz / low_hz) ** sweep
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    out = sum(np.sin(k * phase) / k**2 for k in (1, 2, 3))
    return _normalise(_room(out, rng, 0.4, 0.15))


def clock_ticking(seconds, rng, period_s=0.5):
    """A mechanical clock.

    The escapement strikes every ``period_s`` seconds, by turns a bright tick
    and a darker tock; the case rings for some hundredths of a second.
    """
    out = np.zeros_like(_time(seconds))
    tick_hz = rng.uniform(2200, 3200)
    start = rng.uniform(0, period_s)
    for k in range(-1, int(seconds / period_s) + 1):
        base = tick_hz * (1.0, 0.8)[k % 2]
        strike = _modes(
            0.08,
            [base, 1.62 * base, 0.31 * base],
            [0.006, 0.003, 0.015],
            [1.0, 0.5, 0.4],
        )
        _add(out, start + k * period_s, strike)
    return _normalise(_room(out, rng, 0.15, 0.1))


def monitor_beep(seconds, rng, period_s=0.8):
    """A patient monitor: one pure beep of a tenth of a second per heartbeat.

    The tone has a weak third harmonic and soft edges; pitch and start are
    drawn.
    """
    out = np.zeros_like(_time(seconds))
    t = _time(0.1)
    edge = np.minimum(1.0, np.minimum(t, t[-1] - t) / 0.005)
    turn = 2 * np.pi * rng.uniform(850, 1100) * t
    beep = edge * (np.sin(turn) + 0.1 * np.sin(3 * turn))
    for time in np.arange(
        rng.uniform(0, period_s) - period_s, seconds, period_s
    ):
        _add(out, time, beep)
    return _normalise(out)


def hammering(seconds, rng, period_s=0.6):
    """A nail driven into a board.

    Every blow rings the steel (short, high modes) and the board (longer,
    low modes) and starts with a burst of noise; force and beat vary.
    """
    out = np.zeros_like(_time(seconds))
    board_hz, steel_hz = rng.uniform(160, 260), rng.uniform(2400, 3600)
    for time in np.arange(rng.uniform(0, period_s), seconds, period_s):
        blow = _modes(
            0.3,
            [board_hz, 2.3 * board_hz, steel_hz, 1.7 * steel_hz],
            [0.05, 0.03, 0.02, 0.01],
            [1.0, 0.7, 0.5, 0.3],
        )
        blow[:80] += _band(80, rng, 500, 7000) * np.linspace(1, 0, 80)
        _add(out, time + rng.normal(0, 0.015), rng.uniform(0.7, 1) * blow)
    return _normalise(_room(out, rng, 0.3, 0.15))


def footsteps(seconds, rng, period_s=0.55):
    """A walk on gravel.

    Every step is a heel and, a tenth of a second later, a sole; each is a
    burst of small stones grinding, a swarm of clicks that thins out.
    """
    out = np.zeros_like(_time(seconds))
    for step in np.arange(rng.uniform(0, period_s), seconds, period_s):
        for contact, size in ((0.0, 1.0), (rng.uniform(0.08, 0.14), 0.7)):
            for offset in rng.exponential(0.04, 60):
                stone = _modes(
                    0.008, [rng.uniform(1000, 5500)], [1.2e-3], [size]
                )
                _add(
                    out, step + contact + offset, rng.lognormal(0, 0.6) * stone
                )
    return _normalise(out)
