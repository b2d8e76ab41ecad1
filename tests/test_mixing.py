"""What clips are built of: the mixer's laws, then the sounds' laws.

Mixer: ratio, silence, level, length. Sounds: what holds for all of them, and
a law of the imitated thing for each.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest
from scipy.signal import find_peaks, stft
from scipy.stats import kurtosis

from speechbrain_jasco.building import procedural
from speechbrain_jasco.building.mixing import (
    active_speech,
    measure_snr_db,
    mix,
)

RATE = 16000


def noise(seconds, seed, level=0.1):
    """Gaussian noise."""
    rng = np.random.default_rng(seed)
    return level * rng.standard_normal(int(seconds * RATE))


def speech_with_pause():
    """0.4 s of noise, 0.4 s of silence, 0.4 s of noise."""
    return np.concatenate([noise(0.4, 1), np.zeros(6400), noise(0.4, 2)])


@pytest.mark.parametrize("snr_db", [-12.5, 0.0, 5.0, 25.0])
@pytest.mark.parametrize("onset_s", [0.0, 0.4, 0.987])
@pytest.mark.parametrize("level", [1e-3, 1.0, 10.0])
def test_asked_ratio_is_the_ratio_of_the_parts(snr_db, onset_s, level):
    """SNR computed here from the known moments of speech, not by mixing.py."""
    speech = speech_with_pause()
    clip = mix(noise(3.0, 3, level), speech, snr_db, onset_s)
    onset = int(round(onset_s * RATE))
    talks = np.zeros(len(clip.wav), dtype=bool)
    talks[onset : onset + 6400] = True
    talks[onset + 12800 : onset + 19200] = True
    got = 20 * np.log10(
        np.linalg.norm(clip.speech[talks]) / np.linalg.norm(clip.sound[talks])
    )
    # A frame cut by the onset may add 20 ms of silence to the measured part.
    assert got == pytest.approx(snr_db, abs=0.35)
    assert measure_snr_db(clip.sound, clip.speech) == pytest.approx(
        snr_db, abs=0.01
    )


def test_pauses_do_not_count():
    """The same words with a longer pause get the same sound level."""
    words, sound = noise(0.4, 1), 0.1 * np.ones(4 * RATE)
    short = np.concatenate([words, np.zeros(3200), words])
    long = np.concatenate([words, np.zeros(32000), words])
    assert mix(sound, short, 5.0).sound[0] == pytest.approx(
        mix(sound, long, 5.0).sound[0]
    )


def test_silence_and_speech_is_speech():
    """Nothing is added to the words, and they keep their level."""
    speech = speech_with_pause()
    clip = mix(np.zeros(2 * RATE), speech, 5.0, onset_s=0.25)
    expected = np.zeros(2 * RATE, dtype=np.float32)
    expected[4000 : 4000 + len(speech)] = speech
    np.testing.assert_array_equal(clip.wav, expected)


def test_wav_is_the_sum_of_its_parts():
    """So each part can be given to a model alone."""
    clip = mix(noise(2.0, 4), speech_with_pause(), 3.0, 0.5)
    np.testing.assert_array_equal(clip.wav, clip.sound + clip.speech)


def test_loud_speech_does_not_clip_and_keeps_the_ratio():
    """Both parts are turned down together."""
    clip = mix(noise(2.0, 5), 20 * speech_with_pause(), 0.0)
    assert np.abs(clip.wav).max() == pytest.approx(0.95)
    assert measure_snr_db(clip.sound, clip.speech) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "sound_s, speech_s, onset_s, total_s",
    [(3.0, 1.0, 0.5, 3.0), (1.0, 1.0, 0.5, 1.5), (1.0, 2.0, 0.0, 2.0)],
)
def test_length_is_that_of_the_longer(sound_s, speech_s, onset_s, total_s):
    """max(sound, onset + speech)."""
    clip = mix(noise(sound_s, 6), noise(speech_s, 7), 5.0, onset_s)
    assert {len(part) for part in clip} == {int(total_s * RATE)}


def test_onset_is_kept_to_the_sample():
    """The speech starts where it was asked to."""
    clip = mix(noise(2.0, 8), noise(0.5, 9), 5.0, onset_s=0.75)
    assert np.flatnonzero(clip.speech)[0] == 12000


def test_active_speech_counts_40_db_down_but_not_60():
    """Three frames of known level, hand-worked: 0, -39 and -60 dB."""
    levels_db = np.repeat([0.0, -39.0, -60.0], 320)
    active = active_speech(10 ** (levels_db / 20))
    assert active.tolist() == [True] * 640 + [False] * 320


@pytest.mark.parametrize(
    "sound, speech, onset_s, message",
    [
        (np.ones(800), np.zeros(800), 0.0, "silent speech"),
        (np.eye(1, 8000)[0], np.eye(1, 800)[0], 0.4, "silent during"),
        (np.ones((2, 800)), np.ones(800), 0.0, "mono"),
        (np.ones(800), np.ones(800), -0.1, "onset"),
    ],
    ids=["silent speech", "no overlap", "stereo", "negative onset"],
)
def test_refuses_what_has_no_ratio(sound, speech, onset_s, message):
    """Each bad input is named."""
    with pytest.raises(ValueError, match=message):
        mix(sound, speech, 5.0, onset_s)


SOUNDS = [
    "surf",
    "rain",
    "fire_crackle",
    "sizzling",
    "applause",
    "siren",
    "clock_ticking",
    "monitor_beep",
    "hammering",
    "footsteps",
]
each_sound = pytest.mark.parametrize("name", SOUNDS)
each_seed = pytest.mark.parametrize("seed", [0, 1, 2])


def make(name, seed, seconds=4.0, **options):
    """One sound from its seed."""
    rng = np.random.default_rng(seed)
    return getattr(procedural, name)(seconds, rng, **options)


def share(sound, low_hz, high_hz):
    """Part of the power that lies between two frequencies."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    freq = np.fft.rfftfreq(len(sound), 1 / RATE)
    inside = (freq >= low_hz) & (freq < high_hz)
    return power[inside].sum() / power.sum()


def envelope(sound, frame_s=0.01):
    """Root mean square of each frame."""
    frame = int(frame_s * RATE)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    return np.sqrt(np.mean(frames**2, axis=1))


def beat_s(sound, longest_s):
    """Period with the highest autocorrelation of the 1 ms envelope."""
    level = envelope(sound, 0.001)
    level = level - level.mean()
    correlation = np.correlate(level, level, "full")[len(level) - 1 :]
    shortest = 200  # ms: the ringing of one blow is not a beat
    return (
        shortest + np.argmax(correlation[shortest : int(1000 * longest_s)])
    ) / 1000


@each_sound
def test_length_range_and_no_nan(name):
    """Finite, peak 0.9, the asked number of samples, zero mean."""
    for seconds in (0.73, 3.0):
        sound = make(name, 5, seconds)
        assert sound.shape == (round(seconds * RATE),)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() == pytest.approx(0.9)
        assert abs(sound.mean()) < 0.02


@each_sound
def test_a_seed_is_a_sound(name):
    """Equal seeds give equal samples, different seeds do not."""
    first = make(name, 1, 2.0)
    np.testing.assert_array_equal(first, make(name, 1, 2.0))
    correlation = np.corrcoef(first, make(name, 2, 2.0))[0, 1]
    assert abs(correlation) < 0.9


def test_no_time_is_refused():
    """A sound needs at least one sample."""
    with pytest.raises(ValueError, match="longer sound"):
        make("surf", 0, 0.0)


@each_seed
def test_surf_swells_slowly(seed):
    """The level of half-second frames rises and falls by more than 8 dB."""
    level = envelope(make("surf", seed, 8.0), 0.5)
    assert 20 * np.log10(level.max() / level.min()) > 8


@each_seed
def test_rain_is_steady(seed):
    """The same frames differ by less than 2 dB."""
    level = envelope(make("rain", seed, 8.0), 0.5)
    assert 20 * np.log10(level.max() / level.min()) < 2


@each_seed
def test_fire_has_rare_strong_cracks(seed):
    """Tails twice as heavy as Laplace's (kurtosis 3); a low flame below."""
    sound = make("fire_crackle", seed)
    assert kurtosis(sound) > 6
    # The flame is the steady part: the median level under 300 Hz, not over.
    _, _, spectrum = stft(sound, RATE, nperseg=512)
    median = np.median(np.abs(spectrum), axis=1)
    assert median[1:9].mean() > 3 * median[64:].mean()


@each_seed
def test_sizzling_is_high(seed):
    """Nine tenths of the power above 2 kHz."""
    assert share(make("sizzling", seed), 2000, 8000) > 0.9


@each_seed
def test_applause_of_one_keeps_a_beat_of_many_does_not(seed):
    """One person claps 3 to 5 times a second; a crowd's level is smoother."""
    one = envelope(make("applause", seed, clappers=1))
    claps, _ = find_peaks(one, height=0.5 * one.max(), distance=15)
    assert 11 <= len(claps) <= 21
    many = envelope(make("applause", seed))
    assert many.std() / many.mean() < 0.5 * one.std() / one.mean()


@each_seed
def test_siren_sweeps_between_its_limits(seed):
    """The strongest frequency reaches both ends and stays between them."""
    sound = make("siren", seed, 6.0, low_hz=500.0, high_hz=1000.0)
    freq, _, spectrum = stft(sound, RATE, nperseg=1024)
    peak = freq[np.abs(spectrum).argmax(axis=0)][2:-2]
    assert peak.min() == pytest.approx(500, abs=40)
    assert peak.max() == pytest.approx(1000, abs=40)
    # A glide, not two tones: every tenth of the range is visited.
    assert (np.histogram(peak, 10, (500, 1000))[0] > 0).all()


@each_seed
@pytest.mark.parametrize(
    "name, period_s, tolerance_s",
    [
        ("clock_ticking", 0.4, 0.002),
        ("monitor_beep", 0.75, 0.002),
        ("hammering", 0.5, 0.04),
        ("footsteps", 0.6, 0.06),
    ],
)
def test_beat_has_the_asked_period(name, period_s, tolerance_s, seed):
    """By autocorrelation; blows and steps jitter, clocks do not."""
    sound = make(name, seed, 6.0, period_s=period_s)
    assert beat_s(sound, 1.5 * period_s) == pytest.approx(
        period_s, abs=tolerance_s
    )


@each_seed
def test_tick_and_tock_alternate(seed):
    """Every second strike is the same sound, neighbours are not."""
    sound = make("clock_ticking", seed, 4.0, period_s=0.5)
    start = np.abs(sound[: RATE // 2]).argmax() + RATE // 2 - 40
    strikes = [sound[start + k * 8000 :][:800] for k in range(4)]
    spectra = [np.abs(np.fft.rfft(strike)) for strike in strikes]
    same = np.corrcoef(spectra[0], spectra[2])[0, 1]
    other = np.corrcoef(spectra[0], spectra[1])[0, 1]
    assert same > 0.95 > other


@each_seed
def test_monitor_beep_is_one_tone(seed):
    """Nearly all power within the range its pitch is drawn from."""
    assert share(make("monitor_beep", seed), 830, 1120) > 0.95
