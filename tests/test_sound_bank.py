"""Sound banks of files: reading, licences, and what bad input gets.

Authors
 * The speechbrain_jasco developers, 2026
"""

import numpy as np
import pytest
import soundfile

from speechbrain_jasco.building.file_bank import SHORTEST_S, Recording
from speechbrain_jasco.building.licences import FREE, is_allowed, licence_of
from speechbrain_jasco.building.procedural_bank import ProceduralBank
from speechbrain_jasco.building.sound_bank import (
    FolderBank,
    JoinedBanks,
    write_table,
)

RATE = 16000


def tone(seconds, rate_hz=RATE, hz=440.0):
    """A sine of amplitude 0.5."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * hz * t)


def make_bank(folder, wavs, licence="CC0-1.0"):
    """Write wavs {name: (samples, rate)} and their table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (wav, rate_hz) in wavs.items():
        soundfile.write(folder / name, wav, rate_hz, subtype="FLOAT")
        rows.append((name, Recording("rain", name, licence, "me")))
    write_table(folder, rows)
    return FolderBank(folder)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 48000])
def test_any_rate_becomes_16_khz_and_keeps_pitch_and_level(tmp_path, rate_hz):
    bank = make_bank(tmp_path / "b", {"a.wav": (tone(1.0, rate_hz), rate_hz)})
    sound = bank.load(bank.recordings()[0])
    assert sound.dtype == np.float32
    assert len(sound) == RATE
    middle = sound[1000:-1000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak_hz = spectrum.argmax() * RATE / len(middle)
    assert peak_hz == pytest.approx(440, abs=2)
    assert middle.std() == pytest.approx(0.5 / 2**0.5, rel=0.01)


def test_resampling_loses_nothing_below_the_new_nyquist(tmp_path):
    """7 kHz at 48 kHz keeps its level; 9 kHz is gone."""
    wav = tone(1.0, 48000, 7000.0) + tone(1.0, 48000, 9000.0)
    bank = make_bank(tmp_path / "b", {"a.wav": (wav, 48000)})
    sound = bank.load(bank.recordings()[0])[1000:-1000]
    kept = np.abs(np.fft.rfft(sound)) * 2 / len(sound)
    assert kept[7000 * len(sound) // RATE] == pytest.approx(0.5, rel=0.02)
    rest = sound - np.real(
        np.fft.irfft(np.where(kept > 0.1, np.fft.rfft(sound), 0), n=len(sound))
    )
    assert np.abs(rest).max() < 0.03


def test_stereo_becomes_the_mean_of_its_channels(tmp_path):
    left = np.linspace(-0.5, 0.5, RATE)
    wav = np.stack([left, np.full(RATE, 0.25)], axis=1)
    bank = make_bank(tmp_path / "b", {"a.wav": (wav, RATE)})
    sound = bank.load(bank.recordings()[0])
    np.testing.assert_allclose(sound, (left + 0.25) / 2, atol=1e-6)


BAD = {
    "short.wav": (tone(SHORTEST_S - 0.01), "lasts 0.190 s"),
    "silent.wav": (np.zeros(RATE), "is silent"),
    "hiss.wav": (np.full(RATE, 9e-5), "is silent"),
    "nan.wav": (np.r_[tone(1.0), np.nan], "NaN"),
    "empty.wav": (np.zeros(0), "no samples"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_named(tmp_path, name):
    wav, message = BAD[name]
    bank = make_bank(tmp_path / "b", {name: (wav, RATE)})
    for use in (bank.check, lambda: bank.load(bank.recordings()[0])):
        with pytest.raises(ValueError, match=message) as error:
            use()
        assert name in str(error.value)


def test_shortest_sound_is_taken(tmp_path):
    """The bound itself is allowed."""
    bank = make_bank(tmp_path / "b", {"a.wav": (tone(SHORTEST_S), RATE)})
    bank.check()
    assert len(bank.load(bank.recordings()[0])) == SHORTEST_S * RATE


def test_one_message_names_all_bad_files(tmp_path):
    wavs = {name: (wav, RATE) for name, (wav, _) in BAD.items()}
    bank = make_bank(tmp_path / "b", {**wavs, "ok.wav": (tone(1), RATE)})
    (tmp_path / "b" / "ok.wav").unlink()
    with pytest.raises(ValueError, match="6 of 6 recordings") as error:
        bank.check()
    assert all(name in str(error.value) for name in [*BAD, "ok.wav"])


def test_text_that_is_no_sound_is_refused(tmp_path):
    bank = make_bank(tmp_path / "b", {"a.wav": (tone(1), RATE)})
    (tmp_path / "b" / "a.wav").write_text("RIFF is what I say I am")
    with pytest.raises(ValueError, match="not readable as audio"):
        bank.check()


def test_unknown_licence_is_refused_unless_allowed(tmp_path):
    wavs = {"a.wav": (tone(1), RATE)}
    bank = make_bank(tmp_path / "b", wavs, licence="free for friends")
    with pytest.raises(ValueError, match="free for friends"):
        bank.check()
    FolderBank(tmp_path / "b", require_licence=False).check()


@pytest.mark.parametrize(
    "table, message",
    [
        ("file,sound_id,licence\na.wav,rain,CC0-1.0\n", "'source'"),
        ("file,sound_id,licence,source,mood\n", "'mood'"),
        ("file,sound_id,licence,source\n,rain,CC0-1.0,me\n", "line 2: empty"),
        ("file,sound_id,licence,source\na.wav,,CC0-1.0,me\n", "line 2: empty"),
        ("file,sound_id,licence,source\n../a,rain,CC0-1.0,me\n", "leads out"),
        ("file,sound_id,licence,source\n/a,rain,CC0-1.0,me\n", "leads out"),
        ("file,sound_id,licence,source\na,b,c,d\na,b,c,d\n", "stands there"),
        ("file,sound_id,licence,source\n", "no recording"),
    ],
)
def test_bad_table_is_named(tmp_path, table, message):
    (tmp_path / "sounds.csv").write_text(table)
    with pytest.raises(ValueError, match=message):
        FolderBank(tmp_path).check()


def test_missing_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="sounds.csv"):
        FolderBank(tmp_path).check()


def test_joined_banks_serve_each_recording_from_its_own_bank(tmp_path):
    one = make_bank(tmp_path / "one", {"a.wav": (tone(1.0), RATE)})
    two = make_bank(tmp_path / "two", {"a.wav": (tone(2.0), RATE)})
    made = ProceduralBank(n_instances=1, sounds=["clock"])
    bank = JoinedBanks([two, one, made])
    bank.check()
    recordings = bank.recordings()
    assert [r.name for r in recordings] == [
        "procedural/0/clock/0000",
        "one/a.wav",
        "two/a.wav",
    ]
    assert [len(bank.load(r)) for r in recordings[1:]] == [RATE, 2 * RATE]
    np.testing.assert_array_equal(
        bank.load(recordings[0]), made.load(recordings[0])
    )
    assert len(bank.config()["banks"]) == 3


def test_joined_banks_refuse_one_name_twice(tmp_path):
    wavs = {"a.wav": (tone(1.0), RATE)}
    one = make_bank(tmp_path / "x" / "b", wavs)
    two = make_bank(tmp_path / "y" / "b", wavs)
    with pytest.raises(ValueError, match="'b/a.wav' in two banks"):
        JoinedBanks([one, two]).recordings()
    with pytest.raises(ValueError, match="no sound bank"):
        JoinedBanks([]).check()


@pytest.mark.parametrize(
    "text, name",
    [
        ("http://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by-nc/3.0/", "CC-BY-NC-3.0"),
        (
            "http://creativecommons.org/licenses/sampling+/1.0/",
            "LicenseRef-CC-Sampling-Plus-1.0",
        ),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("http://example.org/licenses/by/4.0/", "unknown"),
        (
            "https://x.org/?u=https://creativecommons.org/licenses/by/4.0/",
            "unknown",
        ),
        ("CC-BY", "unknown"),
        ("", "unknown"),
    ],
)
def test_licences_by_url_and_name(text, name):
    assert licence_of(text) == name


def test_pattern_for_attribution_leaves_out_non_commercial():
    allowed = ["CC0-1.0", "CC-BY-3.0"]
    refused = ["CC-BY-NC-4.0", "CC-BY-SA-4.0", "GPL-2+", "whatever"]
    assert all(is_allowed(licence, FREE) for licence in allowed)
    assert not any(is_allowed(licence, FREE) for licence in refused)
