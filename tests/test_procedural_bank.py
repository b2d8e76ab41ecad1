"""The procedural bank: what holds for every sound, and a law of the imitated
thing for some.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import find_peaks, hilbert, stft

from speechbrain_jasco.building.file_bank import check_sound
from speechbrain_jasco.building.procedural_bank import (
    SKETCHES,
    ProceduralBank,
    render,
)
from speechbrain_jasco.building.procedural_water import bubbles
from speechbrain_jasco.building.rhythm import pulse_moments, scatter
from speechbrain_jasco.building.synthesis import (
    HIGHEST_HZ,
    harmonics,
    resonate,
)

RATE = 16000
each_sound = pytest.mark.parametrize("sound_id", sorted(SKETCHES))
each_k = pytest.mark.parametrize("k", [0, 1, 2])

_rendered = {}


def sound(sound_id, k, seed=0):
    """An instance, made once."""
    if (sound_id, k, seed) not in _rendered:
        _rendered[sound_id, k, seed] = render(sound_id, seed, k)
    return _rendered[sound_id, k, seed]


def share(wav, low_hz, high_hz):
    """Share of the power in a band."""
    power = np.abs(np.fft.rfft(wav)) ** 2
    freq = np.fft.rfftfreq(len(wav), 1 / RATE)
    inside = (freq >= low_hz) & (freq <= high_hz)
    return power[inside].sum() / power.sum()


def envelope(wav, rate_hz=200):
    """Power in steps of 1 / rate_hz."""
    step = RATE // rate_hz
    cut = len(wav) // step * step
    return (wav[:cut].astype(float) ** 2).reshape(-1, step).mean(axis=1)


def onsets(wav, gap_s, above=0.1):
    """Moments at which the level jumps up, at least gap_s apart."""
    level = np.sqrt(envelope(wav, 500))
    rise = np.diff(level, prepend=0.0)
    peaks, _ = find_peaks(
        rise, height=above * rise.max(), distance=int(gap_s * 500)
    )
    return peaks / 500


def pitch_track(wav, low_hz, high_hz):
    """Strongest frequency of a band, every 16 ms, where there is sound."""
    freq, _, spectrum = stft(wav, RATE, nperseg=1024, noverlap=768)
    inside = (freq >= low_hz) & (freq <= high_hz)
    power = np.abs(spectrum[inside]) ** 2
    loud = power.sum(axis=0) > 0.05 * power.sum(axis=0).max()
    return freq[inside][power.argmax(axis=0)][loud]


@each_sound
@pytest.mark.parametrize("k", [0, 1])
def test_every_instance_is_a_sound_of_the_agreed_form(sound_id, k):
    """Mono float32 of 6 to 12 s in whole tenths, peak 0.9, no offset."""
    wav = sound(sound_id, k)
    assert wav.dtype == np.float32 and wav.ndim == 1
    assert len(wav) % (RATE // 10) == 0
    assert 6 * RATE <= len(wav) <= 12 * RATE
    check_sound(wav, sound_id)
    assert np.abs(wav).max() == pytest.approx(0.9, abs=1e-6)
    assert abs(wav.mean()) < 0.01


@each_sound
def test_no_instance_has_a_long_silence(sound_id):
    """Something is heard in every 3 s, within 50 dB of the loudest."""
    level = envelope(sound(sound_id, 0), 10)
    windows = np.lib.stride_tricks.sliding_window_view(level, 30)
    assert (windows.max(axis=1) > 1e-5 * level.max()).all()


@each_sound
def test_instances_and_seeds_differ(sound_id):
    """Not only in length: no two of the first two seconds correlate."""
    wavs = [sound(sound_id, 0), sound(sound_id, 1), sound(sound_id, 0, seed=1)]
    heads = np.array([wav[: 2 * RATE] for wav in wavs])
    across = np.corrcoef(heads)[np.triu_indices(3, 1)]
    assert np.abs(across).max() < 0.5


def test_an_instance_depends_on_sound_seed_and_number_alone():
    """Another process, another order, other sounds before it: same bytes."""
    wanted = {name: sound(name, 1).tobytes() for name in ("dog", "rain")}
    code = (
        "import hashlib\n"
        "from speechbrain_jasco.building.procedural_bank import *\n"
        "bank = ProceduralBank(n_instances=3, sounds=['rain', 'dog'])\n"
        "for r in reversed(bank.recordings()):\n"
        "    wav = bank.load(r)\n"
        "    if r.name.endswith('0001'):\n"
        "        print(r.sound_id, hashlib.sha256(wav.tobytes()).hexdigest())\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    got = dict(line.split() for line in out.stdout.splitlines())
    assert got == {
        name: hashlib.sha256(data).hexdigest() for name, data in wanted.items()
    }


def test_bank_lists_and_checks():
    bank = ProceduralBank(n_instances=2)
    bank.check()
    names = [r.name for r in bank.recordings()]
    assert len(names) == len(set(names)) == 2 * len(SKETCHES) >= 2 * 44
    assert names == sorted(names)
    assert {r.licence for r in bank.recordings()} == {"CC0-1.0"}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sounds": ["rain", "snow"]}, "'snow'"),
        ({"n_instances": 0}, "0 instances"),
        ({"duration_s": (5, 4)}, "from 5 to 4 s"),
        ({"duration_s": (0.5, 4)}, "at least 2 s"),
    ],
)
def test_bank_that_cannot_be_made_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        ProceduralBank(**options).check()


# ---------------------------------------------------------- laws of the parts


@pytest.mark.parametrize("hz", [300.0, 1000.0, 3000.0])
def test_bubble_rings_at_its_pitch_and_dies_by_its_damping(hz):
    """Damping after van den Doel: 0.13/R + 0.0072 R^-1.5 with R = 3.26/f."""
    ring = bubbles(np.array([hz]), np.ones(1), rise=0.0, seconds=0.5)[0]
    radius = 3.26 / hz
    damping = 0.13 / radius + 0.0072 * radius**-1.5
    n = int(1.5 * RATE / damping)
    analytic = hilbert(ring)[16 : 16 + n]
    turns_hz = np.diff(np.unwrap(np.angle(analytic))) * RATE / (2 * np.pi)
    assert np.median(turns_hz) == pytest.approx(hz, rel=0.02)
    fall = -np.polyfit(np.arange(n) / RATE, np.log(np.abs(analytic)), 1)[0]
    assert fall == pytest.approx(damping, rel=0.1)


def test_partials_above_the_highest_are_left_out():
    tone = harmonics(np.full(RATE, 1000.0), np.ones(20))
    assert share(tone, HIGHEST_HZ, 8000) < 1e-6
    lines = np.abs(np.fft.rfft(tone)) / (RATE / 2)
    assert lines[[1000, 4000, 7000]] == pytest.approx([1, 1, 1], abs=1e-6)


def test_pulses_come_as_often_as_the_rate_says():
    """10 Hz for one second, 30 Hz for the next: 10 and 30 pulses."""
    times = pulse_moments(np.repeat([10.0, 30.0], RATE))
    assert [np.sum(times < 1), np.sum(times >= 1)] == [10, 30]


def test_scattered_grains_are_the_sum_of_shifted_ones():
    rng = np.random.default_rng(0)
    times, grains = rng.uniform(-0.01, 0.1, 9), rng.standard_normal((9, 300))
    expected = np.zeros(3 * 1600)
    for time, grain in zip(times, grains, strict=True):
        start = 1600 + round(time * RATE)
        expected[start : start + 300] += grain
    got = scatter(0.1, times, grains)
    np.testing.assert_allclose(got, expected[1600:3200], atol=1e-12)


def test_resonator_has_the_asked_gain_and_width():
    """1 at its peak, 0.71 half a width beside it."""
    response = np.abs(
        np.fft.rfft(resonate(np.eye(1, RATE)[0], [1000], [100], [1.0]))
    )
    assert response.max() == pytest.approx(1.0, rel=0.01)
    assert response.argmax() == pytest.approx(1000, abs=5)
    assert response[1050] == pytest.approx(0.71, abs=0.04)


# --------------------------------------------------------- laws of the sounds


@each_k
def test_siren_sweeps_between_500_and_1600_hz(k):
    track = pitch_track(sound("siren", k), 400, 1700)
    low, high = np.percentile(track, [5, 95])
    assert 480 <= low <= 800
    assert 1050 <= high <= 1650


@each_k
def test_heart_monitor_beeps_60_to_110_times_a_minute_near_1_khz(k):
    wav = sound("heart_monitor", k)
    assert share(wav, 830, 1120) > 0.9
    gaps = np.diff(onsets(wav, 0.4))
    assert 60 / 111 < np.median(gaps) < 60 / 59
    assert np.ptp(gaps) < 0.02


@each_k
def test_crickets_are_between_2800_and_5200_hz(k):
    assert share(sound("crickets", k), 2800, 5300) > 0.8


@each_k
def test_kettle_whistle_climbs(k):
    wav = sound("kettle", k)
    begin = share(wav[: RATE // 2], 1900, 3300)
    end = share(wav[-RATE:], 1900, 3300)
    assert begin < 0.5 < end


@each_k
def test_train_comes_in_pairs_of_clacks(k):
    """Gaps between clacks are short and long by turns."""
    gaps = np.diff(onsets(sound("train", k), 0.06, above=0.3))
    short = np.median(gaps)
    assert gaps.min() < 0.6 * gaps.max()
    assert 0.08 < short < 0.6


@each_k
def test_table_tennis_clicks_bright_and_often(k):
    wav = sound("table_tennis", k)
    assert share(wav, 600, 6000) > 0.8
    gaps = np.diff(onsets(wav, 0.08))
    assert 0.1 < np.median(gaps) < 0.35


@each_k
def test_boat_horn_is_low_and_thunder_lower(k):
    assert share(sound("boat_horn", k), 70, 1500) > 0.8
    assert share(sound("thunder", k), 20, 400) > 0.6


@each_k
def test_helicopter_slaps_11_to_18_times_a_second(k):
    level = envelope(sound("helicopter", k), 200)
    level = level - level.mean()
    spectrum = np.abs(np.fft.rfft(level * np.hanning(len(level))))
    freq = np.fft.rfftfreq(len(level), 1 / 200)
    slow = (freq > 5) & (freq < 20)
    assert 10.5 < freq[slow][spectrum[slow].argmax()] < 18.5


@each_k
def test_drop_rings_ever_higher(k):
    """The pitch 60 ms after a drop is above that at its start."""
    wav = sound("dripping", k)
    rises = []
    for start in onsets(wav, 0.25, above=0.4):
        at = int(start * RATE)
        if at + 2200 > len(wav):
            continue
        early, late = wav[at + 320 : at + 832], wav[at + 1280 : at + 2048]
        peaks = [
            np.abs(np.fft.rfft(part * np.hanning(len(part)), 4096)).argmax()
            for part in (early, late)
        ]
        rises.append(peaks[1] / peaks[0])
    assert np.median(rises) > 1.03
