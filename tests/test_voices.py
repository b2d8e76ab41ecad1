"""Speakers: what is spoken, by whom, and what is done about what is not.

Authors
 * The speechbrain_jasco developers, 2026
"""

import sys
from shutil import which

import joblib
import numpy as np
import pytest
import soundfile
from scipy.signal import find_peaks
from tiny_build import VOICES, CodeRecogniser, CodeSpeaker

from speechbrain_jasco.building.command_speaker import CommandSpeaker
from speechbrain_jasco.building.recorded_speaker import RecordedSpeaker
from speechbrain_jasco.building.speakers import JoinedSpeakers, Speaker
from speechbrain_jasco.building.speech import SpeechMaker, trim
from speechbrain_jasco.building.voices import make_voice
from speechbrain_jasco.building.word_errors import word_error_rate

ANN = {"name": "ann", "gender": "female"}


class Humming(Speaker):
    """A harmonic hum of 2 s at 24 kHz, 120 Hz, shorter when faster."""

    def synthesise(self, text, preset, speed):
        """Hum."""
        t = np.arange(int(48000 / speed)) / 24000
        return sum(np.sin(2 * np.pi * 120 * k * t) for k in (1, 2, 3)), 24000


@pytest.mark.parametrize("speed, pitch", [(1, 1), (1, 1.25), (0.8, 0.9)])
def test_pitch_and_tempo_are_separate(speed, pitch):
    """Length by the tempo alone; every harmonic moved by the pitch."""
    options = {**ANN, "speed": speed, "pitch": pitch}
    speaker = Humming([options])
    wav = speaker.say("hm", speaker.voices()[0])
    assert wav.dtype == np.float32
    assert len(wav) / 16000 == pytest.approx(2 / speed, rel=0.001)
    power = np.abs(np.fft.rfft(wav * np.hanning(len(wav)))) ** 2
    peaks, _ = find_peaks(power, height=power.max() / 100)
    hz = np.fft.rfftfreq(len(wav), 1 / 16000)[peaks]
    assert hz == pytest.approx(np.array([120, 240, 360]) * pitch, abs=1)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"name": "x"}, r"lacks \['gender'\]"),
        ({**ANN, "sex": "f"}, r"unknown fields \['sex'\]"),
        ({**ANN, "gender": "f"}, "got gender 'f'"),
        ({**ANN, "age": "teen"}, "'teen'"),
        ({**ANN, "speed": 3.0}, "got speed 3.0"),
    ],
)
def test_voices_that_cannot_be_are_refused(options, message):
    """When the YAML is read."""
    with pytest.raises(ValueError, match=message):
        make_voice(options)


def test_joined_speakers_find_the_voice_and_refuse_a_name_twice():
    """Every name once; whom nobody wants need not be installed."""
    code = CodeSpeaker()
    missing = CommandSpeaker(["no-such-program"], [{**ANN, "name": "zed"}])
    joined = JoinedSpeakers([missing, code])
    with pytest.raises(RuntimeError, match="no-such-program: not found"):
        joined.check()
    joined.only(["bob"]).check()
    assert joined.holder(joined.voices()[1]) is code
    with pytest.raises(ValueError, match=r"named twice: \['ann'"):
        JoinedSpeakers([code, CodeSpeaker([ANN])]).check()
    with pytest.raises(ValueError, match="got 0 voices"):
        JoinedSpeakers([]).check()


SCRIPT = (
    "import sys, numpy, soundfile; text, wav, speed = sys.argv[1:];"
    "soundfile.write(wav, numpy.ones((int(4410 / float(speed)), 2)) / 2, 44100)"
)


def test_a_command_speaks_without_a_shell():
    """Its stereo 44.1 kHz comes back as mono 16 kHz; text is never code."""
    command = ["{python}", "-c", SCRIPT, "{text}", "{wav}", "{speed}"]
    speaker = CommandSpeaker(command, [{**ANN, "speed": 0.5}])
    speaker.check()
    wav = speaker.say("$(touch x); {wav} `ls` --help", speaker.voices()[0])
    assert len(wav) == 3200
    assert wav[1600] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "script, message",
    [
        ("raise SystemExit('out of breath')", "out of breath"),
        ("pass", "exit code 0"),
    ],
)
def test_a_command_that_fails_says_so(script, message):
    """With its own last words."""
    speaker = CommandSpeaker(["{python}", "-c", script], [ANN])
    with pytest.raises(ValueError, match=message):
        speaker.say("hi", speaker.voices()[0])


def test_silence_is_no_speech():
    """A voice that gives nothing cannot speak the line."""

    class Silent(Speaker):
        def synthesise(self, text, preset, speed):
            return np.zeros(100), 16000

    speaker = Silent([ANN])
    with pytest.raises(ValueError, match="'ann' cannot speak the line 'hi'"):
        speaker.say("hi", speaker.voices()[0])


def test_recordings_speak_their_lines_and_no_other(tmp_path):
    """A folder with a table; what has not been recorded is refused."""
    wav = np.linspace(-0.5, 0.5, 8000)
    soundfile.write(tmp_path / "1.wav", wav, 8000, subtype="FLOAT")
    table = tmp_path / "recordings.csv"
    table.write_text("file,text,voice\n1.wav,Hello there.,ann\n")
    speaker = RecordedSpeaker(tmp_path, [ANN])
    speaker.check()
    voice = speaker.voices()[0]
    assert len(speaker.say("Hello there.", voice)) == 16000
    with pytest.raises(ValueError, match="not been recorded saying 'Bye.'"):
        speaker.say("Bye.", voice)
    (tmp_path / "1.wav").unlink()
    with pytest.raises(FileNotFoundError, match="no such recording"):
        RecordedSpeaker(tmp_path, [ANN]).check()
    table.write_text("file,text,voice\n1.wav,Hi.,ann\n2.wav,Hi.,ann\n")
    with pytest.raises(ValueError, match="row 2: 'ann' says 'Hi.'"):
        RecordedSpeaker(tmp_path, [ANN]).check()


@pytest.mark.parametrize(
    "meant, heard, rate",
    [
        ("Hold it tight.", "hold it tight", 0.0),
        ("Count to three.", "Count to 3!", 0.0),
        ("Don't go.", "Do not go", 0.0),
        ("Hold it tight now.", "Hold tight no", 0.5),
        ("Go.", "", 1.0),
        ("Not any more, drainpipe.", "Not anymore, drain pipe", 0.0),
        ("Any more?", "Any mole?", 0.5),
    ],
)
def test_word_error_rate_by_hand(meant, heard, rate):
    """Spelling of numbers, contractions and case are no errors."""
    assert word_error_rate(meant, heard) == rate


def test_speech_is_spoken_and_heard_once(tmp_path, monkeypatch):
    """A second maker on the same cache finds speech and transcripts."""

    def maker(speaker):
        speakers = JoinedSpeakers([speaker])
        return SpeechMaker(speakers, CodeRecogniser(), 0.0, tmp_path)

    wanted = [("Hold it now.", ("ann", "bob")), ("Up there.", ("bob",))]
    first = maker(CodeSpeaker()).make(wanted)
    assert [s.voice for s in first.values()] == ["ann", "bob"]
    monkeypatch.setattr(CodeSpeaker, "say", pytest.fail)
    monkeypatch.setattr(CodeRecogniser, "transcribe", pytest.fail)
    assert maker(CodeSpeaker()).make(wanted) == first


def test_a_line_goes_from_voice_to_voice(tmp_path):
    """First ann, who mumbles, then bob, who does too; then nobody is left."""
    speaker = CodeSpeaker(VOICES, mumblers=["ann", "bob"])
    speakers = JoinedSpeakers([speaker])
    maker = SpeechMaker(speakers, CodeRecogniser(), 0.3, tmp_path)
    with joblib.parallel_config(n_jobs=1):
        wanted = [("Hold it.", ("ann", "bob", "tom"))]
        wanted += [("Go up.", ("bob", "ann"))]
        spoken = maker.make(wanted)
    one, other = (spoken[line] for line in wanted)
    assert one.voice == "tom" and one.wer == 0.0
    assert other.voice == "" and "ann: heard as" in other.reason


def test_lines_that_no_voice_can_speak_stop_the_build(tmp_path):
    """One voice fails, another speaks; where all fail, the line is named."""

    class Shy(CodeSpeaker):
        def synthesise(self, text, preset, speed):
            if preset == "ann" or "no" in text:
                return np.zeros(0), 16000
            return super().synthesise(text, preset, speed)

    speakers = JoinedSpeakers([Shy()])
    maker = SpeechMaker(speakers, CodeRecogniser(), 0.3, tmp_path)
    with joblib.parallel_config(n_jobs=1):
        line = ("Yes.", ("ann", "bob"))
        assert maker.make([line])[line].voice == "bob"
        with pytest.raises(ValueError, match="1 lines .*\n.*'bob'.*'Oh no.'"):
            maker.make([line, ("Oh no.", ("ann", "bob"))])


def test_trim_keeps_pauses_and_cuts_the_ends():
    """0.1 s of silence at both ends goes, the one within stays."""
    word, pause = 0.3 * np.ones(3200), np.zeros(1600)
    speech = np.concatenate([pause, word, pause, word, pause])
    got = trim(speech)
    assert len(got) == 8000 and np.abs(got).max() == pytest.approx(0.9)


ENGINES = {
    "heart": "hibari",
    "joe": "piper",
    "pico-gb": "py_nanotts",
    "kumo": "onnxruntime",
}


@pytest.mark.weights
@pytest.mark.parametrize("name, module", ENGINES.items())
def test_default_voices_speak_and_are_understood(name, module, tmp_path):
    """The YAML's own, through the starter recogniser; twice the same bytes."""
    pytest.importorskip(module, reason='pip install -e ".[tts]"')
    from test_yaml import load

    from speechbrain_jasco import starter

    kits = ["whisper-tiny.en"] + ["kokoro-82m"] * (name == "kumo")
    for kit in kits:
        if not starter.is_ready(kit):
            pytest.skip(f"needs python -m speechbrain_jasco.starter {kit}")
    maker = load("build_data.yaml")["speech"]
    maker.folder = tmp_path
    maker.speakers = maker.speakers.only([name])
    maker.speakers.check()
    text = "My grandmother keeps her keys by the door."
    with joblib.parallel_config(n_jobs=1):
        spoken = maker.make([(text, (name,))])[text, (name,)]
    assert spoken.voice == name and spoken.wer == 0.0
    voice = next(v for v in maker.speakers.voices() if v.name == name)
    one, same = (maker.speakers.say(text, voice) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert 1.0 < len(one) / 16000 < 6.0


@pytest.mark.skipif(not which("espeak-ng"), reason="needs espeak-ng")
def test_espeak_ng_speaks():
    """Where the program is installed."""
    command = ["espeak-ng", "-v", "{preset}", "-s", "{wpm}", "-w", "{wav}"]
    voices = [{**ANN, "preset": "en-us+f3"}]
    speaker = CommandSpeaker([*command, "--", "{text}"], voices)
    speaker.check()
    assert len(speaker.say("Hello there.", speaker.voices()[0])) > 8000


def test_python_stands_for_this_interpreter():
    """So that a package's command needs no PATH."""
    speaker = CommandSpeaker(["{python}", "-m", "no_such_module"], [ANN])
    assert speaker.fill("", "", 1.0, "")[0] == sys.executable
    with pytest.raises(RuntimeError, match="no_such_module: not found"):
        speaker.check()
