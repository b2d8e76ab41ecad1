"""The demo clips: files, manifest, crossed design, and not the test set.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import difflib
import itertools
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
DEMO = Path(__file__).parent / "samples" / "demo"
HEADER = (
    "id,audio,n_frames,audio_sound,spoken_text,audio_only_target,"
    "speech_only_target,target_keywords,tgt_text,split,sound_wav,speech_wav,"
    "snr_db,speech_onset_s,voice,sound_id,seed,licence"
)

with open(DEMO / "clips.csv", encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file))

each_clip = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])


def wav_of(row):
    """Path of a clip: the placeholder stands for the demo folder."""
    return Path(row["audio"].replace("{data_folder}", str(DEMO)))


def words(text):
    """Lowercase words."""
    return re.findall(r"[a-z0-9]+", text.lower())


def closeness(one, other):
    """Ratio of matching words of two sentences, 0 to 1."""
    return difflib.SequenceMatcher(None, words(one), words(other)).ratio()


def official_rows():
    """The authors' 80 clips, or a skip."""
    folder = Path(
        os.environ.get(
            "JASCO_OFFICIAL",
            ROOT.parent / "shared" / "data" / "What_Are_They_Doing",
        )
    )
    table = folder / "dataset" / "v0" / "v0.csv"
    if not table.is_file():
        pytest.skip(
            f"needs the official dataset: {table} is absent; set "
            "JASCO_OFFICIAL to a clone of the authors' repository"
        )
    with open(table, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_manifest_has_the_agreed_columns_and_eight_rows():
    """The header is the contract, column by column."""
    first = (DEMO / "clips.csv").read_text(encoding="utf-8").splitlines()[0]
    assert first == HEADER
    assert [row["id"] for row in ROWS] == [str(n) for n in range(1, 9)]


@each_clip
def test_wav_is_as_the_manifest_says(row):
    """16 kHz mono PCM16, 3 to 6 s, the stated number of samples."""
    info = soundfile.info(wav_of(row))
    assert (info.samplerate, info.channels) == (16000, 1)
    assert (info.format, info.subtype) == ("WAV", "PCM_16")
    assert info.frames == int(row["n_frames"])
    assert 3.0 <= info.duration <= 6.0


@each_clip
def test_sound_is_audible_before_and_after_the_speech(row):
    """Within 30 dB of the clip's level at both ends, and no clipping."""
    wav, rate = soundfile.read(wav_of(row))
    start = int(float(row["speech_onset_s"]) * rate)
    assert 0.5 * rate <= start <= rate
    level = np.sqrt(np.mean(wav**2))
    for edge in (wav[:start], wav[-rate // 2 :]):
        assert np.sqrt(np.mean(edge**2)) > level * 10 ** (-30 / 20)
    assert np.abs(wav).max() < 0.99


def test_all_wavs_are_small_enough_to_commit():
    """Together under 1.5 MB."""
    assert sum(wav_of(row).stat().st_size for row in ROWS) < 1.5e6


@each_clip
def test_keywords_are_in_the_answer(row):
    """Every keyword, by its stem, but in neither one-sided answer."""
    for keyword in row["target_keywords"].split(","):
        stem = re.sub(r"(ing|e|s)$", "", keyword.strip())
        assert stem in row["tgt_text"].lower()
        assert stem not in row["audio_only_target"].lower()
        assert stem not in row["speech_only_target"].lower()


@each_clip
def test_three_answers_differ(row):
    """No two of the answers share most of their words."""
    answers = (
        row["audio_only_target"],
        row["speech_only_target"],
        row["tgt_text"],
    )
    for one, other in itertools.combinations(answers, 2):
        assert closeness(one, other) < 0.6


@pytest.mark.parametrize(
    "heard, one_sided, unheard",
    [
        ("audio_sound", "audio_only_target", "spoken_text"),
        ("spoken_text", "speech_only_target", "audio_sound"),
    ],
)
def test_one_side_alone_leaves_two_answers_open(heard, one_sided, unheard):
    """Minimal pairs: each sound and each line belongs to two behaviours."""
    for _, group in itertools.groupby(
        sorted(ROWS, key=lambda row: row[heard]), lambda row: row[heard]
    ):
        pair = list(group)
        assert len(pair) == 2
        assert len({row[unheard] for row in pair}) == 2
        assert len({row["tgt_text"] for row in pair}) == 2
        assert len({row[one_sided] for row in pair}) == 1


@pytest.mark.official
@each_clip
def test_clip_is_not_of_the_official_test_set(row):
    """Neither the line nor the behaviour is close to one of the 80."""
    for official in official_rows():
        assert closeness(row["spoken_text"], official["Speech"]) < 0.7
        # The frame "They are ..." is everybody's: compare what follows it.
        ours, theirs = (
            re.sub(r"^(they|the speaker) (are|is)( likely)? ", "", text.lower())
            for text in (row["tgt_text"], official["Correct Answer"])
        )
        assert closeness(ours, theirs) < 0.7
