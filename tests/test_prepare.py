"""Tests of validating and of fetching the clips.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import logging
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import what_are_they_doing_prepare as prepare_module
from what_are_they_doing_prepare import (
    SHA256SUMS,
    is_official,
    official_instructions,
    prepare_what_are_they_doing,
)

from speechbrain_jasco.dataio import (
    CLIP_COLUMNS,
    PREDICTION_COLUMNS,
    TEXT_COLUMNS,
    read_clips,
)

PROMPTS = [f"Prompt {i}, what are they doing?" for i in range(1, 9)]


def clip_row(number):
    """What a clip's row says, without its audio."""
    texts = {column: f"{column} “{number}”" for column in TEXT_COLUMNS}
    texts["target_keywords"] = f"a{number},b {number}"
    audio = f"{{data_folder}}/dataset/v0/{number}.wav"
    return {"id": str(number), "audio": audio, "n_frames": "800", **texts}


def write_wav(path, n_frames=800, rate_hz=16000, channels=1, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (n_frames, channels))
    sf.write(path, noise, rate_hz, **options)


def write_official(folder, n_clips=80):
    """A folder like the authors'; returns its table, a row per prompt."""
    rows = []
    for number in range(1, n_clips + 1):
        write_wav(folder / f"dataset/v0/{number}.wav")
        extra = {"with_speech": "True", "allm_output": "output"}
        rows += [
            {**clip_row(number), "prompt": prompt, **extra}
            for prompt in PROMPTS
        ]
    table = pd.DataFrame(rows)[PREDICTION_COLUMNS]
    save_official(folder, table)
    return table


def save_official(folder, table):
    (folder / "evaluation").mkdir(exist_ok=True)
    table.to_csv(folder / "evaluation/example.csv", index=False)


def write_own(folder, *rows):
    folder.mkdir(exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(folder / "clips.csv", index=False)
    for row in rows:
        write_wav(folder / row["audio"].removeprefix("{data_folder}/"))


def problems_of(folder, save_folder):
    """The problems that prepare lists, in its one error."""
    with pytest.raises(ValueError) as caught:
        prepare_what_are_they_doing(folder, save_folder)
    first, *problems = str(caught.value).split("\n  ")
    assert first == (f"{folder} is not usable, {len(problems)} problem(s):")
    assert not (save_folder / "clips.csv").exists()
    return problems


@pytest.fixture
def warnings(monkeypatch):
    """What the script warns of (the logger of SpeechBrain hides from caplog)."""
    messages = []

    class Handler(logging.Handler):
        def emit(self, record):
            messages.append(record.getMessage())

    handler = Handler(logging.WARNING)
    logger = getattr(prepare_module.logger, "logger", prepare_module.logger)
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


# ----------------------------------------------------------------------------
# Validation
# ----------------------------------------------------------------------------


def test_official_like_folder_passes(tmp_path, warnings):
    data = tmp_path / "data"
    write_official(data)
    manifest = prepare_what_are_they_doing(data, tmp_path / "new" / "out")
    assert manifest == tmp_path / "new" / "out" / "clips.csv"
    table = pd.read_csv(manifest, dtype=str)
    expected = [clip_row(number) for number in range(1, 81)]
    assert list(table.columns) == CLIP_COLUMNS
    assert table.to_dict("records") == expected
    assert is_official(data) and official_instructions(data) == PROMPTS
    assert warnings == []
    before = manifest.read_bytes()
    assert prepare_what_are_they_doing(data, manifest.parent) == manifest
    assert manifest.read_bytes() == before


def test_other_rates_and_channels_are_flagged_and_handled(tmp_path, warnings):
    data = tmp_path / "data"
    write_official(data)
    write_wav(data / "dataset/v0/5.wav", n_frames=2400, rate_hz=48000)
    write_wav(data / "dataset/v0/6.wav", channels=2)
    write_wav(data / "dataset/v0/7.wav", n_frames=500)
    manifest = prepare_what_are_they_doing(data, tmp_path)
    assert len(read_clips(manifest, data)) == 80
    found = [re.sub(r"^.*/", "", warning) for warning in warnings]
    assert found == [
        "5.wav: sample rate 48000, expected 16000; converted on load.",
        "5.wav: 2400 frames, n_frames says 800; used as it is.",
        "6.wav: channels 2, expected 1; converted on load.",
        "7.wav: 500 frames, n_frames says 800; used as it is.",
    ]


def test_all_defects_are_listed_in_one_error(tmp_path):
    data = tmp_path / "data"
    table = write_official(data)

    def change(number, column, value, n_prompts=8):
        start = 8 * (number - 1)
        table.loc[start : start + n_prompts - 1, column] = value

    change(2, "spoken_text", "")
    change(3, "tgt_text", " \t")
    change(4, "target_keywords", "beach,,sea")
    change(6, "audio_sound", "another sound", n_prompts=5)
    change(7, "audio", "{data_folder}/dataset/v0/none.wav")
    change(8, "id", "")
    change(9, "audio", "")
    save_official(data, table)
    wavs = data / "dataset/v0"
    (wavs / "10.wav").write_bytes(b"")
    write_wav(wavs / "11.wav", n_frames=0)
    (wavs / "12.wav").unlink()
    sf.write(wavs / "13.wav", [0.0, np.nan], 16000, subtype="FLOAT")
    problems = problems_of(data, tmp_path)
    expected = [
        (9, "spoken_text is empty"),
        (17, "tgt_text is empty"),
        (25, "target_keywords 'beach,,sea' has an empty keyword"),
        (46, "id '6' is there twice"),
        (49, "none.wav: no such recording"),
        (57, "id is empty"),
        (65, "audio is empty"),
        (65, "no such recording"),
        (73, "10.wav: not readable as audio"),
        (81, "11.wav: holds no samples"),
        (89, "12.wav: no such recording"),
        (97, "13.wav: holds NaN"),
    ]
    csv_path = data / "evaluation/example.csv"
    for row, text in expected:
        match = [p for p in problems if p.startswith(f"{csv_path}, row {row}:")]
        assert any(text in problem for problem in match), (row, text)
    assert len(problems) == len(expected)


def test_no_defect_is_left_out_of_a_long_list(tmp_path):
    data = tmp_path / "data"
    write_official(data)
    for wav in (data / "dataset/v0").iterdir():
        wav.unlink()
    problems = problems_of(data, tmp_path)
    assert len(problems) == 80
    assert all("no such recording" in problem for problem in problems)


def test_earlier_manifest_outlives_a_broken_folder(tmp_path):
    data = tmp_path / "data"
    write_official(data, n_clips=2)
    manifest = prepare_what_are_they_doing(data, tmp_path)
    before = manifest.read_bytes()
    (data / "dataset/v0/2.wav").unlink()
    with pytest.raises(ValueError, match="2.wav: no such recording"):
        prepare_what_are_they_doing(data, tmp_path)
    assert manifest.read_bytes() == before


def test_number_of_official_clips(tmp_path, warnings):
    write_official(tmp_path, n_clips=79)
    prepare_what_are_they_doing(tmp_path, tmp_path / "out")
    assert len(warnings) == 1
    assert "79 clips, the published set has 80" in warnings[0]


def test_folder_of_the_project(tmp_path, warnings):
    data = tmp_path / "data"
    rows = [
        {**clip_row(number), "split": "demo", "licence": "CC0-1.0"}
        for number in ("007", "7", "ünïcödé")
    ]
    rows[1]["tgt_text"] = 'They “sail”,\nor "row".'
    write_own(data, *rows)
    manifest = prepare_what_are_they_doing(data, tmp_path)
    assert pd.read_csv(manifest, dtype=str).to_dict("records") == rows
    assert not is_official(data)
    clips = read_clips(manifest, data)
    assert [clip.id for clip in clips] == ["007", "7", "ünïcödé"]
    assert all(clip.path.is_file() for clip in clips)
    assert warnings == []


def test_manifest_in_the_authors_folder_does_not_replace_their_table(tmp_path):
    table = write_official(tmp_path, n_clips=2)
    before = prepare_what_are_they_doing(tmp_path, tmp_path).read_bytes()
    table["tgt_text"] = "corrected"
    save_official(tmp_path, table)
    manifest = prepare_what_are_they_doing(tmp_path, tmp_path)
    assert manifest.read_bytes() != before
    assert {clip.tgt_text for clip in read_clips(manifest, tmp_path)} == {
        "corrected"
    }


def test_id_twice(tmp_path):
    data = tmp_path / "data"
    rows = [clip_row(1), clip_row(2), {**clip_row(3), "id": "1"}]
    write_own(data, *rows)
    (problem,) = problems_of(data, tmp_path)
    assert problem.startswith(f"{data / 'clips.csv'}, row 3: id '1' is there")


@pytest.mark.parametrize("column", CLIP_COLUMNS)
@pytest.mark.parametrize("official", [True, False])
def test_missing_column(tmp_path, column, official):
    if official:
        save_official(
            tmp_path, write_official(tmp_path, 1).drop(columns=column)
        )
    else:
        row = clip_row(1)
        del row[column]
        pd.DataFrame([row]).to_csv(tmp_path / "clips.csv", index=False)
    with pytest.raises(ValueError, match=rf"\['{column}'\] are missing"):
        prepare_what_are_they_doing(tmp_path, tmp_path / "out")


def test_no_folder_or_no_table(tmp_path):
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(FileNotFoundError) as caught:
            prepare_what_are_they_doing(folder, tmp_path / "out")
        message = str(caught.value)
        assert message.startswith(f"{folder} has neither evaluation/example")
        assert "--download True" in message and "github.com" in message


def test_instructions_that_differ_between_clips(tmp_path):
    table = write_official(tmp_path, n_clips=3)
    for change in (
        table.drop(index=9),  # seven for a clip
        table.drop(index=range(0, 24, 8)),  # seven for every clip
        table.iloc[[1, 0, *range(2, 24)]],  # another order for a clip
        table.iloc[[0, *range(24)][:8]],  # one twice, one missing
        table.iloc[[0, *range(8)]],  # one twice
    ):
        save_official(tmp_path, change)
        with pytest.raises(ValueError, match="expected the same 8 prompts"):
            official_instructions(tmp_path)


@pytest.mark.official
def test_official_folder(official_folder, tmp_path, warnings):
    manifest = prepare_what_are_they_doing(official_folder, tmp_path)
    clips = read_clips(manifest, official_folder)
    assert [clip.id for clip in clips] == [str(i) for i in range(1, 81)]
    infos = [sf.info(clip.path) for clip in clips]
    assert [str(i.frames) for i in infos] == [clip.n_frames for clip in clips]
    assert [
        clip.id
        for clip, i in zip(clips, infos, strict=True)
        if i.samplerate != 16000
    ] == ["47"]
    (warning,) = warnings
    assert "47.wav: sample rate 48000, expected 16000" in warning
    instructions = official_instructions(official_folder)
    assert len(set(instructions)) == 8
    # Two of a pair ask for the same: only the order of the words changes.
    words = [sorted(re.findall(r"\w+", text.lower())) for text in instructions]
    assert words[::2] == words[1::2]


@pytest.mark.official
def test_official_files_have_the_pinned_hashes(official_folder):
    for line in SHA256SUMS.read_text().splitlines():
        sha256, name = line.split()
        path = official_folder / name
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256


# ----------------------------------------------------------------------------
# Download
# ----------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    """A loopback web site with the files of a small official-like folder.

    ``site.files`` maps a path to its bytes; a str is sent as it is instead of
    an HTTP response; what is not there is a 404. ``site.asked`` logs paths.
    """
    write_official(tmp_path / "origin", n_clips=3)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.removeprefix("/base/")
            self.server.asked.append(name)
            content = self.server.files.get(name)
            if content is None:
                self.send_error(404)
            elif isinstance(content, str):
                self.wfile.write(content.encode())
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = tmp_path / "origin"
    server.files = {
        path.relative_to(origin).as_posix(): path.read_bytes()
        for path in sorted(origin.rglob("*"))
        if path.is_file()
    }
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/base"
    server.sums = tmp_path / "sums.txt"
    server.sums.write_text(
        "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            for name, content in server.files.items()
        )
    )
    threading.Thread(
        target=server.serve_forever, args=(0.05,), daemon=True
    ).start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(site, folder):
    return prepare_what_are_they_doing(
        folder,
        folder.parent / "out",
        download=True,
        url=site.url,
        sha256sums=site.sums,
    )


def files_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def fetch_error(site, folder):
    with pytest.raises(RuntimeError) as caught:
        fetch(site, folder)
    message = str(caught.value)
    assert "could not be fetched" in message and "--data_folder" in message
    return message


def test_download_fetches_all_and_keeps_what_is_there(site, tmp_path):
    data = tmp_path / "data"
    manifest = fetch(site, data)
    assert len(read_clips(manifest, data)) == 3
    assert files_in(data) == site.files
    assert site.asked == list(site.files)
    (data / "dataset/v0/2.wav").unlink()
    write_wav(data / "dataset/v0/3.wav", n_frames=900)  # the user's own
    mine = (data / "dataset/v0/3.wav").read_bytes()
    site.asked.clear()
    fetch(site, data)
    assert site.asked == ["dataset/v0/2.wav"]
    site.files["dataset/v0/3.wav"] = mine
    assert files_in(data) == site.files
    site.asked.clear()
    fetch(site, data)
    assert site.asked == []


def test_download_is_asked_for(site, tmp_path):
    with pytest.raises(FileNotFoundError, match="--download True"):
        prepare_what_are_they_doing(
            tmp_path, tmp_path / "out", url=site.url, sha256sums=site.sums
        )
    assert site.asked == []


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"RIFF, but another recording", "invalid hash value"),
        (b"", "invalid hash value"),
        (None, "404"),
        ("", "Remote end closed connection"),
        ("no HTTP at all\r\n\r\n", "no HTTP at all"),
        ("HTTP/1.0 500 Oops\r\n\r\n", "500"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nshort", ""),
        ("HTTP/1.0 200 OK\r\nContent-Length: many\r\n\r\nx", ""),
    ],
)
def test_download_of_a_broken_file(site, tmp_path, content, reason):
    data = tmp_path / "data"
    right = site.files["dataset/v0/2.wav"]
    site.files["dataset/v0/2.wav"] = content
    message = fetch_error(site, data)
    assert message.startswith(f"{site.url}/dataset/v0/2.wav")
    assert reason in message
    # What came before stays, no half file does, and a second call goes on.
    assert list(files_in(data)) == ["dataset/v0/1.wav"]
    assert not (tmp_path / "out").exists()
    site.files["dataset/v0/2.wav"] = right
    site.asked.clear()
    fetch(site, data)
    assert site.asked == [name for name in site.files if "1.wav" not in name]
    assert files_in(data) == site.files


def test_download_with_nobody_there(site, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert "refused" in fetch_error(site, tmp_path / "data")
    assert files_in(tmp_path / "data") == {}
    site.url = "no-scheme"
    assert "unknown url type" in fetch_error(site, tmp_path / "data")


def test_pinned_list_is_complete():
    lines = SHA256SUMS.read_text().splitlines()
    names = [re.fullmatch(r"[0-9a-f]{64}  (\S+)", line)[1] for line in lines]
    wavs = {f"dataset/v0/{number}.wav" for number in range(1, 81)}
    assert wavs | {"evaluation/example.csv", "evaluation/eval.py"} < set(names)
    assert len(set(names)) == len(names)
    assert not any(".." in name or name.startswith("/") for name in names)
    assert re.fullmatch("[0-9a-f]{40}", prepare_module.COMMIT)
    assert prepare_module.COMMIT in prepare_module.URL


def test_nothing_is_downloaded_into_the_projects_own_clips(tmp_path):
    (tmp_path / "clips.csv").write_text("id\n")
    with pytest.raises(ValueError, match="data_folder another folder"):
        prepare_what_are_they_doing(tmp_path, tmp_path / "out", download=True)
