"""A whole build with decodable voices: files, laws, resumption, clusters.

Authors
 * The speechbrain_jasco developers, 2026
"""

import csv
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_build import (
    FRAME,
    SIZE,
    CodeSpeaker,
    NoiseBank,
    decode,
    tiny_recipe,
    tiny_triples,
)

from speechbrain_jasco.building.build import build
from speechbrain_jasco.building.card import write_card
from speechbrain_jasco.building.manifest import COLUMNS, wordings
from speechbrain_jasco.building.mixing import measure_snr_db
from speechbrain_jasco.building.shards import (
    parse_shard,
    read_shards,
    write_shards,
)
from speechbrain_jasco.journal import Journal

ONE = {"n_jobs": 1}
TESTS = Path(__file__).parent


def contents(folder):
    """Bytes of everything a build leaves for its users."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and "journal" not in path.parts
    }


def rows_of(built):
    """The manifest as it is read back."""
    with open(built.manifest, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A build in one process, uninterrupted."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = tiny_recipe(folder / "cache")
    built = build(recipe, folder / "out", ONE)
    write_card(recipe, built)
    return folder / "out", built


def test_every_clip_obeys_the_laws(whole):
    """Format, length, sum of stems, peak and ratio, from the files alone."""
    folder, built = whole
    for row in rows_of(built):
        parts = []
        for column in ("audio", "sound_wav", "speech_wav"):
            path = row[column].replace("{data_folder}", str(folder))
            info = soundfile.info(path)
            assert (info.samplerate, info.channels) == (16000, 1)
            assert (info.format, info.subtype) == ("WAV", "PCM_16")
            assert info.frames == int(row["n_frames"])
            parts.append(soundfile.read(path, dtype="int16")[0].astype(int))
        wav, sound, speech = parts
        np.testing.assert_array_equal(wav, sound + speech)
        assert max(np.abs(p).max() for p in parts) <= 0.95 * 32767 + 1
        assert measure_snr_db(sound, speech) == pytest.approx(
            float(row["snr_db"]), abs=0.1
        )
        assert 1.0 <= len(wav) / 16000 <= 3.0


def test_the_speech_stem_says_the_words_at_the_onset(whole):
    """A dry stem is decoded back into the row's text."""
    folder, built = whole
    dry = [row for row in rows_of(built) if not row["room"]]
    assert len(dry) > 3
    for row in dry:
        path = row["speech_wav"].replace("{data_folder}", str(folder))
        speech = soundfile.read(path)[0]
        start = round(float(row["speech_onset_s"]) * 16000)
        samples = round(float(row["speech_s"]) * 16000)
        assert not speech[:start].any() and not speech[start + samples :].any()
        assert samples == (len(row["spoken_text"]) + 2) * FRAME
        got = decode(speech[start : start + samples])
        # 16 bits of a quiet stem leave a code or two beside its neighbour.
        wrong = sum(
            a != b for a, b in zip(got, row["spoken_text"], strict=False)
        )
        assert wrong <= 2


def test_the_manifest_has_the_agreed_columns_and_texts(whole):
    """Design first, wordings after; hearing-only clips have no behaviour."""
    _, built = whole
    rows = rows_of(built)
    assert list(rows[0]) == COLUMNS
    triples = {t.triple_id: t for t in tiny_triples().triples}
    for row in rows:
        heard = row["split"] in ("hearing", "test_open")
        assert heard == (row["triple_id"] == "") == (row["tgt_text"] == "")
        if not heard:
            triple = triples[row["triple_id"]]
            assert wordings(row["answers"]) == triple.answers
            assert row["tgt_text"] == triple.answers[0]
            assert row["sound_id"] == triple.sound_id
        assert row["licence"].startswith("sound CC-BY-")


def test_card_counts_what_is_there(whole):
    """Splits and licences add up; the figure is a picture."""
    folder, built = whole
    card = (folder / "DATASET_CARD.md").read_text(encoding="utf-8")
    rows = rows_of(built)
    for split in ("train", "hearing", "test_open"):
        n = sum(row["split"] == split for row in rows)
        assert f"| {split} | {n} |" in card
    assert "6 of 6 triples" in card and "0 clips failed" in card
    picture = (folder / "dataset_card.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_two_workers_write_the_same_bytes(whole, tmp_path):
    """In other processes, in another order, into another folder."""
    folder, _ = whole
    recipe = tiny_recipe(tmp_path / "cache")
    parallel = {"backend": "loky", "n_jobs": 2}
    write_card(recipe, build(recipe, tmp_path / "out", parallel))
    assert contents(tmp_path / "out") == contents(folder)


def test_a_dask_cluster_writes_the_same_bytes(whole, tmp_path):
    """The YAML's one line: backend and scheduler."""
    distributed = pytest.importorskip("distributed")
    folder, _ = whole
    recipe = tiny_recipe(tmp_path / "cache")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        cluster.get_client().run(sys.path.append, str(TESTS))
        host = cluster.scheduler_address
        parallel = {"backend": "dask", "scheduler_host": host}
        write_card(recipe, build(recipe, tmp_path / "out", parallel))
    assert contents(tmp_path / "out") == contents(folder)


SLOW_BUILD = """
import sys, time
sys.path.insert(0, {tests!r})
import tiny_build
from speechbrain_jasco.building.build import build
load = tiny_build.NoiseBank.load
def slowly(self, recording):
    time.sleep(0.1)
    return load(self, recording)
tiny_build.NoiseBank.load = slowly
build(tiny_build.tiny_recipe({cache!r}), {out!r}, {{"n_jobs": 1}})
"""


def test_kill_and_resume_is_uninterrupted(whole, tmp_path):
    """kill -9 while clips are rendered; the next run ends with equal bytes."""
    folder, _ = whole
    out, cache = tmp_path / "out", tmp_path / "cache"
    code = SLOW_BUILD.format(tests=str(TESTS), cache=str(cache), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", code])
    journal = out / "journal" / "all.jsonl"
    deadline = time.monotonic() + 60
    while not journal.is_file() or journal.read_bytes().count(b"\n") < 4:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "clips.csv").exists()
    with Journal(journal) as before:
        rows = list(before.rows.values())
    assert 4 <= len(rows) < 19
    for row in rows:  # the journal is never ahead of the files
        for column in ("audio", "sound_wav", "speech_wav"):
            path = row[column].replace("{data_folder}", str(out))
            assert soundfile.info(path).frames == row["n_frames"]
    half = out / "train" / "x.1.partial.wav"  # as if killed in a write
    half.write_bytes(b"RIFF")
    recipe = tiny_recipe(cache)
    write_card(recipe, build(recipe, out, ONE))
    assert contents(out) == contents(folder)


def test_shards_and_a_last_run_are_the_whole(whole, tmp_path, monkeypatch):
    """Every shard does its part; the last run renders nothing."""
    folder, _ = whole
    out, cache = tmp_path / "out", tmp_path / "cache"
    parts = [build(tiny_recipe(cache), out, ONE, f"{i}/3") for i in (1, 2, 3)]
    assert [part.manifest for part in parts] == [None] * 3
    assert sorted(len(part.rows) for part in parts) == [6, 6, 7]
    recipe = tiny_recipe(cache)
    monkeypatch.setattr(
        "speechbrain_jasco.building.build.render_clip", pytest.fail
    )
    write_card(recipe, build(recipe, out, ONE))
    assert contents(out) == contents(folder)


def test_a_second_run_renders_nothing(whole, tmp_path, monkeypatch):
    """But a clip whose file is gone is made again."""
    out, cache = tmp_path / "out", tmp_path / "cache"
    build(tiny_recipe(cache), out, ONE)
    before = contents(out)
    victim = next(out.glob("valid/*.sound.wav"))
    victim.unlink()
    calls = []
    from speechbrain_jasco.building import build as module

    real = module.render_clip
    monkeypatch.setattr(
        module, "render_clip", lambda *a: (calls.append(a), real(*a))[1]
    )
    build(tiny_recipe(cache), out, ONE)
    assert len(calls) == 1 and contents(out) == before


def test_more_triples_leave_the_others_as_they_are(whole, tmp_path):
    """A clip depends on the seed and its own name."""
    folder, _ = whole
    triples = tiny_triples()
    triples.triples = triples.triples[1:]
    recipe = tiny_recipe(tmp_path / "cache", triples=triples)
    fewer = build(recipe, tmp_path / "out", ONE)
    assert len(fewer.rows) == 19 - 3
    before = contents(folder)
    for path, data in contents(tmp_path / "out").items():
        if path.endswith(".wav"):
            assert before[path] == data


def test_webdataset_shards_hold_the_clips(whole, tmp_path):
    """Rows and samples come back; names carry no second dot; same bytes."""
    folder, built = whole
    paths = write_shards(built.rows, folder, clips_per_shard=3)
    names = [path.name for path in paths]
    assert names[:3] == [f"train-{k:06d}.tar" for k in range(3)]
    clips = list(read_shards(paths))
    assert [c["id"] for c in clips] == [r["id"] for r in built.rows]
    for clip in clips:
        assert "." not in clip["id"]
        whole_wav = clip["sound"] + clip["speech"]
        np.testing.assert_array_equal(clip["wav"], whole_wav)
        assert len(clip["wav"]) == clip["n_frames"]
    before = paths[0].read_bytes()
    write_shards(built.rows, folder, clips_per_shard=3)
    assert paths[0].read_bytes() == before
    for path in paths:
        path.unlink()
    paths[0].parent.rmdir()


def test_a_mumbled_line_goes_to_another_voice(tmp_path):
    """The recogniser decides; the voice that is left speaks the line."""
    speaker = CodeSpeaker(mumblers=["ann", "kid"])
    recipe = tiny_recipe(tmp_path / "cache", speaker=speaker)
    built = build(recipe, tmp_path / "out", ONE)
    train = [r for r in built.rows if r["split"] in ("train", "hearing")]
    assert {row["voice"] for row in train} == {"bob"}
    # A woman must say that it is wet, and in training both of them mumble.
    assert {f["text"] for f in built.failures} == {"It is too wet."}
    assert "heard as" in built.failures[0]["reason"]
    with open(tmp_path / "out" / "failures.csv", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(built.failures)


def test_a_clip_that_cannot_be_is_reported(tmp_path):
    """A line longer than the longest clip; the others are built."""
    triples = tiny_triples()
    triples.lines["up"].text = "word " * 60
    recipe = tiny_recipe(tmp_path / "cache", triples=triples)
    built = build(recipe, tmp_path / "out", ONE)
    assert {f["text"] for f in built.failures} == {"word " * 60}
    assert "Shorten the line" in built.failures[0]["reason"]
    assert len(built.rows) + len(built.failures) == 19


def test_a_full_disk_is_named_and_leaves_a_valid_build(tmp_path, monkeypatch):
    """What is finished is whole; with room again, the build is completed."""
    out, cache = tmp_path / "out", tmp_path / "cache"
    real, written = Path.write_bytes, []

    def until_full(path, data):
        if "train" in path.parts:
            written.append(path)
            if len(written) > 10:
                real(path, data[:20])
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", until_full)
    with pytest.raises(RuntimeError, match="disk .* is full"):
        build(tiny_recipe(cache), out, ONE)
    assert not list(out.rglob("*.partial*"))
    for path in out.rglob("*.wav"):
        assert soundfile.info(path).frames > 0
    monkeypatch.undo()
    assert len(build(tiny_recipe(cache), out, ONE).rows) == 19


def test_two_builds_in_one_folder_are_refused(tmp_path):
    """At one time, or one after another with other settings."""
    out, cache = tmp_path / "out", tmp_path / "cache"
    with Journal(out / "journal" / "all.jsonl"):
        with pytest.raises(RuntimeError, match="another run"):
            build(tiny_recipe(cache), out, ONE)
    build(tiny_recipe(cache), out, ONE)
    with pytest.raises(ValueError, match=r"other settings \(seed\)"):
        build(tiny_recipe(cache, seed=8), out, ONE)
    with pytest.raises(ValueError, match=r"other settings \(bank\)"):
        build(tiny_recipe(cache, bank=NoiseBank(n=9)), out, ONE)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "-1/2"])
def test_shards_that_do_not_exist_are_refused(shard):
    """Counted from 1."""
    with pytest.raises(ValueError, match="i/n"):
        parse_shard(shard)


def test_sizes_are_what_was_asked(whole):
    """Renderings per triple, sentences per pool."""
    _, built = whole
    counts = {}
    for row in built.rows:
        counts[row["split"]] = counts.get(row["split"], 0) + 1
    assert counts == {
        "train": 4 * SIZE["train"],
        "valid": 1,
        "test_seen": 4,
        "test_unseen": 1,
        "hearing": 3,
        "test_open": 2,
    }
