"""Rhythm: when something happens in a sound, and adding it there.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np

from speechbrain_jasco.building.synthesis import SAMPLE_RATE, time_axis


def poisson_moments(seconds, rate_hz, rng):
    """Moments that know nothing of each other.

    Arguments
    ---------
    seconds : float
        Duration.
    rate_hz : float
        How many a second, on average.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    numpy.ndarray [N]
        In seconds, not sorted.

    Example
    -------
    >>> len(poisson_moments(10.0, 0.0, np.random.default_rng(0)))
    0
    """
    return rng.uniform(0, seconds, rng.poisson(rate_hz * seconds))


def beats(seconds, period_s, rng, jitter_s=0.0):
    """Moments of a rhythm that has begun before the clip.

    Arguments
    ---------
    seconds : float
        Duration.
    period_s : float
        From beat to beat.
    rng : numpy.random.Generator
        Draws the phase and the jitter.
    jitter_s : float
        Standard deviation of each moment.

    Returns
    -------
    numpy.ndarray [N]
        In seconds, sorted up to the jitter.

    Example
    -------
    >>> moments = beats(5.0, 0.5, np.random.default_rng(0))
    >>> len(moments), np.diff(moments).round(6).tolist()[:2]
    (10, [0.5, 0.5])
    """
    moments = np.arange(rng.uniform(0, period_s), seconds, period_s)
    return moments + rng.normal(0.0, 1.0, len(moments)) * jitter_s


def pulse_moments(pitch_hz):
    """Where a periodic event happens whose rate moves.

    Arguments
    ---------
    pitch_hz : numpy.ndarray [S]
        Events per second at each sample.

    Returns
    -------
    numpy.ndarray [N]
        In seconds.

    Example
    -------
    >>> len(pulse_moments(np.full(16000, 20.0)))
    20
    """
    turns = np.floor(np.cumsum(pitch_hz) / SAMPLE_RATE + 1e-9)
    return np.flatnonzero(np.diff(turns, prepend=0.0)) / SAMPLE_RATE


def add_at(out, time_s, grain):
    """Add a grain to a sound in place; what sticks out is cut.

    Arguments
    ---------
    out : numpy.ndarray [S]
        The sound, changed here.
    time_s : float
        Where the grain starts; may lie outside.
    grain : numpy.ndarray [S]
        What is added.

    Example
    -------
    >>> out = np.zeros(4)
    >>> add_at(out, 3 / SAMPLE_RATE, np.ones(3))
    >>> out.tolist()
    [0.0, 0.0, 0.0, 1.0]
    """
    start = int(round(time_s * SAMPLE_RATE))
    grain = grain[max(-start, 0) : max(len(out) - start, 0)]
    out[max(start, 0) :][: len(grain)] += grain


def scatter(seconds, times_s, grains):
    """Many grains of one length, summed at their moments.

    Arguments
    ---------
    seconds : float
        Duration of the sum.
    times_s : numpy.ndarray [N]
        Where each grain starts; what sticks out is cut.
    grains : numpy.ndarray [N, L]
        The grains.

    Returns
    -------
    numpy.ndarray [S]

    Example
    -------
    >>> times = np.array([0.0, 1.0]) / SAMPLE_RATE
    >>> scatter(4 / SAMPLE_RATE, times, np.ones((2, 2))).tolist()
    [1.0, 2.0, 1.0, 0.0]
    """
    samples = len(time_axis(seconds))
    starts = np.round(np.asarray(times_s) * SAMPLE_RATE).astype(int)
    where = starts[:, None] + np.arange(grains.shape[1])
    inside = (where >= 0) & (where < samples)
    return np.bincount(where[inside], grains[inside], samples)
