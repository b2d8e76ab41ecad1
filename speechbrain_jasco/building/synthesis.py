"""What synthesised sounds are made of: noise, modes, tones, rooms.

Sketches of sounds (``procedural*.py``) are put together from these parts and from those
of ``rhythm.py``.
A signal is a float array [S] at 16 kHz; a rate in Hz, a time in seconds.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
from scipy.signal import fftconvolve, lfilter

SAMPLE_RATE = 16000
PEAK = 0.9
SKIRT_DB = 24.0  # per octave, outside a band of noise
HIGHEST_HZ = 7600.0  # partials above it are left out: they would alias


def time_axis(seconds):
    """Moments of the samples.

    Arguments
    ---------
    seconds : float
        Duration.

    Returns
    -------
    numpy.ndarray [S]
        Seconds since the start.

    Raises
    ------
    ValueError
        If the duration holds no sample.

    Example
    -------
    >>> len(time_axis(0.5))
    8000
    """
    samples = int(round(seconds * SAMPLE_RATE))
    if samples < 1:
        raise ValueError(
            f"Got a duration of {seconds} s, expected at least one sample "
            f"at {SAMPLE_RATE} Hz; ask for a longer sound."
        )
    return np.arange(samples) / SAMPLE_RATE


def band_noise(samples, rng, low_hz, high_hz, tilt_db=0.0):
    """Noise in a band, with skirts of 24 dB per octave.

    Arguments
    ---------
    samples : int
        Length.
    rng : numpy.random.Generator
        Source of chance.
    low_hz, high_hz : float
        Edges of the band.
    tilt_db : float
        Slope inside the band in dB per octave; -3 is pink.

    Returns
    -------
    numpy.ndarray [S]
        Of unit power.

    Example
    -------
    >>> noise = band_noise(8000, np.random.default_rng(0), 500, 1000)
    >>> round(float(noise.std()), 3)
    1.0
    """
    noise = shape_band(rng.standard_normal(samples), low_hz, high_hz, tilt_db)
    return noise / max(noise.std(), 1e-12)


def shape_band(signal, low_hz, high_hz, tilt_db=0.0):
    """Filter a signal to a band, with skirts of 24 dB per octave.

    Arguments
    ---------
    signal : numpy.ndarray [S]
        Any signal.
    low_hz, high_hz : float
        Edges of the band.
    tilt_db : float
        Slope inside the band in dB per octave, 0 dB at ``low_hz``.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> tone = np.sin(2 * np.pi * 100 * time_axis(1.0))
    >>> float(np.abs(shape_band(tone, 400, 800)).max().round(4))  # 48 dB
    0.004
    """
    samples = len(signal)
    spectrum = np.fft.rfft(signal)
    freq = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 1.0)
    octaves = np.log2(freq / low_hz)
    outside = np.maximum(-octaves, octaves - np.log2(high_hz / low_hz))
    gain_db = tilt_db * octaves - SKIRT_DB * np.maximum(outside, 0.0)
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), samples)


def random_curve(t, rng, rate_hz):
    """A curve that wanders between 0 and 1, linear between random knots.

    Arguments
    ---------
    t : numpy.ndarray [S]
        Moments, from ``time_axis``.
    rng : numpy.random.Generator
        Source of chance.
    rate_hz : float
        Knots a second.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> curve = random_curve(time_axis(2.0), np.random.default_rng(0), 5.0)
    >>> bool((curve >= 0).all() and (curve <= 1).all())
    True
    """
    knots = rng.uniform(size=int(np.ceil(t[-1] * rate_hz)) + 2)
    return np.interp(t * rate_hz, np.arange(len(knots)), knots)


def struck(seconds, freqs_hz, decays_s, gains):
    """A struck body: decaying sines that start at the blow.

    Arguments
    ---------
    seconds : float
        Duration.
    freqs_hz, decays_s, gains : sequence of float
        Of each mode the frequency, the time in which it falls by 8.7 dB, and
        the amplitude.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> struck(0.1, [440.0], [0.02], [1.0]).shape
    (1600,)
    """
    t = time_axis(seconds)
    modes = zip(freqs_hz, decays_s, gains, strict=True)
    return sum(
        g * np.sin(2 * np.pi * f * t) * np.exp(-t / d) for f, d, g in modes
    )


def noise_burst(rng, low_hz, high_hz, decay_s, seconds=0.03):
    """A burst of noise in a band that dies away.

    Arguments
    ---------
    rng : numpy.random.Generator
        Source of chance.
    low_hz, high_hz : float
        Edges of the band.
    decay_s : float
        Time in which it falls by 8.7 dB.
    seconds : float
        Duration.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> noise_burst(np.random.default_rng(0), 500, 2000, 0.005).shape
    (480,)
    """
    t = time_axis(seconds)
    return band_noise(len(t), rng, low_hz, high_hz) * np.exp(-t / decay_s)


def pings(freqs_hz, decays_s, gains, seconds):
    """Decaying sines, one a row: drops, clicks, small stones.

    Arguments
    ---------
    freqs_hz, decays_s, gains : numpy.ndarray [N]
        Of each ping.
    seconds : float
        Length of all of them.

    Returns
    -------
    numpy.ndarray [N, L]

    Example
    -------
    >>> pings(np.array([500.0, 900.0]), 0.01, 1.0, 0.05).shape
    (2, 800)
    """
    t = time_axis(seconds)
    freqs_hz, decays_s, gains = (
        np.broadcast_to(x, np.shape(freqs_hz))[:, None]
        for x in (freqs_hz, decays_s, gains)
    )
    return gains * np.sin(2 * np.pi * freqs_hz * t) * np.exp(-t / decays_s)


def harmonics(pitch_hz, gains):
    """A tone whose pitch moves, with its partials.

    Arguments
    ---------
    pitch_hz : numpy.ndarray [S]
        The fundamental at each sample.
    gains : sequence of float
        Amplitude of the first, second ... partial; those that would rise
        above 7.6 kHz are left out.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> harmonics(np.full(1600, 440.0), [1.0, 0.5]).shape
    (1600,)
    """
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE
    n_partials = min(len(gains), int(HIGHEST_HZ / np.max(pitch_hz)))
    # One complex power per partial is quicker than one sine each.
    turn = np.exp(1j * phase)
    power, out = np.ones_like(turn), np.zeros(len(phase))
    for gain in gains[:n_partials]:
        power = power * turn
        out += gain * power.imag
    return out


def smooth_edges(signal, rise_s, fall_s=None):
    """Fade a signal in and out with half cosines.

    Arguments
    ---------
    signal : numpy.ndarray [S]
        Any signal.
    rise_s : float
        Length of the fade in.
    fall_s : float, optional
        Length of the fade out; as the fade in, if not given.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> smooth_edges(np.ones(16000), 0.1)[[0, 8000]].tolist()
    [0.0, 1.0]
    """
    t = np.arange(len(signal)) / SAMPLE_RATE
    fall_s = rise_s if fall_s is None else fall_s
    rise = np.clip(t / max(rise_s, 1e-9), 0, 1)
    fall = np.clip((t[-1] - t) / max(fall_s, 1e-9), 0, 1)
    return (
        signal * np.sin(np.pi / 2 * rise) ** 2 * np.sin(np.pi / 2 * fall) ** 2
    )


def add_room(dry, rng, seconds, wet):
    """Add reverberation: decaying noise, 60 dB down after ``seconds``.

    Arguments
    ---------
    dry : numpy.ndarray [S]
        The sound without a room.
    rng : numpy.random.Generator
        Draws the room's reflections.
    seconds : float
        Reverberation time.
    wet : float
        Root of the reverberation's power, with the direct sound's at 1.

    Returns
    -------
    numpy.ndarray [S]
        As long as the input; a tail that sticks out is cut.

    Example
    -------
    >>> add_room(np.eye(1, 800)[0], np.random.default_rng(0), 0.3, 0.2).shape
    (800,)
    """
    t = time_axis(seconds)
    tail = rng.standard_normal(len(t)) * 10 ** (-3.0 * t / seconds)
    tail *= wet / np.linalg.norm(tail)
    return dry + fftconvolve(dry, tail)[: len(dry)]


def normalise(sound):
    """Scale to the common peak; silence stays silence.

    Arguments
    ---------
    sound : numpy.ndarray [S]
        Any signal.

    Returns
    -------
    numpy.ndarray [S]
        With a peak of 0.9.

    Example
    -------
    >>> normalise(np.array([0.0, 2.0])).tolist()
    [0.0, 0.9]
    """
    return sound * (PEAK / max(np.abs(sound).max(), 1e-12))


def resonate(signal, freqs_hz, widths_hz, gains):
    """Resonators in parallel: the formants of a voice, the modes of a case.

    Arguments
    ---------
    signal : numpy.ndarray [S]
        What excites them.
    freqs_hz, widths_hz, gains : sequence of float
        Of each resonator the frequency, the width at -3 dB and the gain at
        its peak.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> resonate(np.eye(1, 1600)[0], [500.0], [80.0], [1.0]).shape
    (1600,)
    """
    out = np.zeros(len(signal))
    resonators = zip(freqs_hz, widths_hz, gains, strict=True)
    for freq, width, gain in resonators:
        radius = np.exp(-np.pi * width / SAMPLE_RATE)
        turn = 2 * np.pi * freq / SAMPLE_RATE
        poles = [1.0, -2 * radius * np.cos(turn), radius**2]
        at_peak = (1 - radius) * np.abs(1 - radius * np.exp(-2j * turn))
        out += lfilter([gain * at_peak], poles, signal)
    return out
