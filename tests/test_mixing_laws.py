"""What holds for every mixture, room, loop and resampled voice.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest
import soundfile
from pyloudnorm import Meter

from speechbrain_jasco.building.mixing import (
    FADE_S,
    Mixture,
    fit_sound,
    loudness_lufs,
    master,
    measure_snr_db,
    mix,
)
from speechbrain_jasco.building.rooms import (
    FolderRooms,
    Room,
    SyntheticRooms,
    reverberate,
)
from speechbrain_jasco.building.speakers import to_clip_rate

RATE = 16000
FADE = int(FADE_S * RATE)


def noise(seconds, seed, level=0.1):
    """Gaussian noise."""
    rng = np.random.default_rng(seed)
    return level * rng.standard_normal(int(seconds * RATE))


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 20.0])
@pytest.mark.parametrize("lufs", [-35.0, -23.0, -1.0])
def test_sixteen_bits_keep_ratio_sum_and_peak(snr_db, lufs):
    """Ratio within 0.1 dB, the sum to the bit, no part over 0.95."""
    parts = mix(noise(4.0, 1), noise(2.0, 2), snr_db, 0.7)
    clip = master(parts, lufs)
    assert {part.dtype for part in clip} == {np.dtype("int16")}
    whole = clip.sound.astype(int) + clip.speech.astype(int)
    np.testing.assert_array_equal(clip.wav.astype(int), whole)
    sound, speech = clip.sound / 32767, clip.speech / 32767
    assert measure_snr_db(sound, speech) == pytest.approx(snr_db, abs=0.1)
    assert max(np.abs(p.astype(int)).max() for p in clip) <= 0.95 * 32767 + 1


def test_loudness_is_the_asked_one_unless_a_peak_forbids():
    """By pyloudnorm itself; -1 LUFS of noise cannot be had."""
    parts = mix(noise(4.0, 1), noise(2.0, 2), 5.0, 0.7)
    meter = Meter(RATE)
    quiet = meter.integrated_loudness(master(parts, -30.0).wav / 32767)
    assert quiet == pytest.approx(-30.0, abs=0.05)
    loud = master(parts, -1.0).wav
    assert np.abs(loud.astype(int)).max() == pytest.approx(0.95 * 32767, abs=2)
    assert meter.integrated_loudness(loud / 32767) < -1.0


def test_opposite_parts_do_not_clip_although_their_sum_is_small():
    """Stems are files, too: the louder part decides, not the sum."""
    speech = 40 * noise(1.0, 3)
    sound = -speech + 0.01 * noise(1.0, 4)
    clip = master(Mixture(sound + speech, sound, speech), -20.0)
    assert np.abs(clip.speech.astype(int)).max() <= 0.95 * 32767 + 1


def test_silence_has_no_loudness():
    """It is refused, not turned up for ever."""
    nothing = np.zeros(RATE, dtype=np.float32)
    assert loudness_lufs(nothing) == -np.inf
    with pytest.raises(ValueError, match="silent"):
        master(Mixture(nothing, nothing, nothing), -23.0)


def test_a_short_sound_has_the_loudness_of_its_repetition():
    """Blocks last 0.4 s; 0.1 s of steady noise is measured all the same."""
    short = noise(0.1, 5)
    assert loudness_lufs(short) == pytest.approx(
        Meter(RATE).integrated_loudness(np.tile(short, 20)), abs=0.1
    )


def test_a_window_is_the_recording_between_faded_ends():
    """Where nothing is looped, samples are the recording's own."""
    sound = noise(3.0, 6)
    window = fit_sound(sound, RATE, start=8000)
    inside = slice(FADE, RATE - FADE)
    np.testing.assert_array_equal(window[inside], sound[8000:24000][inside])
    assert abs(window[0]) < abs(sound[8000]) and len(window) == RATE


@pytest.mark.parametrize("seconds, start", [(0.2, 0), (0.5, 3000), (2.9, 100)])
def test_a_loop_has_no_gap_and_an_even_level(seconds, start):
    """Equal power across the seams: no 20 ms frame is 3 dB off the mean."""
    window = fit_sound(np.ones(int(seconds * RATE)), 4 * RATE, start)
    assert len(window) == 4 * RATE
    rng = np.random.default_rng(0)
    looped = np.mean(
        [
            fit_sound(rng.standard_normal(int(seconds * RATE)), 4 * RATE, start)
            ** 2
            for _ in range(200)
        ],
        axis=0,
    )
    frames = looped[FADE + start % 320 : -FADE][: 150 * 320].reshape(-1, 320)
    level_db = 10 * np.log10(frames.mean(axis=1))
    assert np.abs(level_db - level_db.mean()).max() < 1.0


def test_room_keeps_the_onset_and_decays_by_60_db_in_its_time():
    """The first sample is the direct path; energy decay after Schroeder."""
    rooms = SyntheticRooms(rt60_s=(0.4, 0.4), direct_db=(3.0, 3.0))
    room = rooms.draw(np.random.default_rng(1))
    assert room.response[0] == 1.0 and room.name == "rt60=0.40,direct=3.0"
    tail = room.response[1:]
    assert 10 * np.log10(1 / np.sum(tail**2)) == pytest.approx(3.0)
    energy = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1])
    at = [np.argmax(energy < energy[100] - drop) for drop in (5, 25)]
    assert 3 * (at[1] - at[0]) / RATE == pytest.approx(0.4, rel=0.1)
    speech = np.concatenate([noise(0.1, 7), np.zeros(1600)])
    wet = reverberate(speech, room)
    assert len(wet) == len(speech) + len(room.response) - 1
    np.testing.assert_allclose(wet[:40], speech[:40])  # before the first echo


def test_measured_rooms_start_at_the_direct_path(tmp_path):
    """What comes before the strongest sample is cut, whatever the level."""
    response = np.zeros(800)
    response[100], response[300] = 0.5, -0.25
    soundfile.write(tmp_path / "a.wav", response, RATE, subtype="FLOAT")
    rooms = FolderRooms(tmp_path)
    rooms.check()
    room = rooms.draw(np.random.default_rng(0))
    assert isinstance(room, Room) and room.name == "a.wav"
    assert room.response[[0, 200]].tolist() == [1.0, -0.5]


@pytest.mark.parametrize(
    "rooms, message",
    [
        (SyntheticRooms(rt60_s=(0.6, 0.2)), "smaller value first"),
        (SyntheticRooms(rt60_s=(0.0, 0.2)), "from 0.01"),
        (FolderRooms("/nowhere"), "no impulse response"),
    ],
)
def test_rooms_that_cannot_be_are_refused(rooms, message):
    """At start-up."""
    with pytest.raises(ValueError, match=message):
        rooms.check()


@pytest.mark.parametrize("rate", [22050, 24000, 44100, 48000])
def test_resampling_loses_nothing_below_the_new_nyquist(rate):
    """Tones up to 7 kHz keep level, frequency and phase within 0.01 dB."""
    t, new = np.arange(rate) / rate, np.arange(RATE) / RATE
    middle = slice(2000, 14000)
    for hz in (100, 1000, 4000, 7000):
        got = to_clip_rate(np.sin(2 * np.pi * hz * t), rate)[middle]
        want = np.sin(2 * np.pi * hz * new)[middle]
        error = np.linalg.norm(got - want) / np.linalg.norm(want)
        assert error < 1e-3, (rate, hz)


@pytest.mark.parametrize("rate", [24000, 48000])
def test_resampling_removes_what_is_above_the_new_nyquist(rate):
    """9 kHz would come back as 7 kHz."""
    t = np.arange(rate) / rate
    got = to_clip_rate(np.sin(2 * np.pi * 9000 * t), rate)[2000:14000]
    assert np.abs(got).max() < 1e-3
