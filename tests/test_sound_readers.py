"""Data sets as they are distributed, Debian packages and Freesound, as banks:
made-up folders and packages in each format, and a server on the loopback.

Authors
 * The speechbrain_jasco developers, 2026
"""

import hashlib
import io
import json
import os
import stat
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import soundfile

from speechbrain_jasco.building import debian_sounds
from speechbrain_jasco.building.debian_packages import (
    Package,
    ar_members,
    get_package,
    read_members,
)
from speechbrain_jasco.building.debian_sounds import DebianBank
from speechbrain_jasco.building.esc50 import Esc50Bank
from speechbrain_jasco.building.freesound import FreesoundBank
from speechbrain_jasco.building.freesound_client import FreesoundClient
from speechbrain_jasco.building.fsd50k import Fsd50kBank

RATE = 16000


def sound_bytes(seconds=1.0, rate_hz=44100, kind="WAV"):
    """A tone as an audio file."""
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    file = io.BytesIO()
    soundfile.write(file, 0.5 * np.sin(2764 * t), rate_hz, format=kind)
    return file.getvalue()


def names(bank):
    """sound_id, last part of the name, licence of each recording."""
    return [
        (r.sound_id, r.name.rpartition("/")[2], r.licence)
        for r in bank.recordings()
    ]


# --------------------------------------------------------------------- ESC-50


@pytest.fixture
def esc50(tmp_path):
    """Five rows: two takes of one source, one in ESC-10, one unused class."""
    (tmp_path / "meta").mkdir()
    (tmp_path / "audio").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-7-B-0.wav,1,0,dog,True,7,B\n"
        "1-7-A-0.wav,1,0,dog,True,7,A\n"
        "2-8-A-16.wav,2,16,wind,False,8,A\n"
        "3-9-A-3.wav,3,3,cow,False,9,A\n"
    )
    for name in ("1-7-A-0", "1-7-B-0", "2-8-A-16", "3-9-A-3"):
        path = tmp_path / "audio" / f"{name}.wav"
        path.write_bytes(sound_bytes())
    return tmp_path


def test_esc50_takes_one_clip_of_each_source_and_its_licence(esc50):
    bank = Esc50Bank(esc50)
    bank.check()
    assert names(bank) == [
        ("dog", "1-7-A-0.wav", "CC-BY-3.0"),
        ("wind", "2-8-A-16.wav", "CC-BY-NC-3.0"),
    ]
    assert "Freesound 8" in bank.recordings()[1].source
    assert names(Esc50Bank(esc50, commercial=True)) == names(bank)[:1]


def test_esc50_padding_is_not_part_of_the_sound(esc50):
    """Half a second of tone in a clip of 5 s."""
    wav = np.zeros(5 * RATE)
    wav[: RATE // 2] = 0.5
    soundfile.write(esc50 / "audio" / "1-7-A-0.wav", wav, RATE)
    bank = Esc50Bank(esc50)
    assert len(bank.load(bank.recordings()[0])) == RATE // 2


def test_esc50_without_table_or_column_is_named(tmp_path, esc50):
    with pytest.raises(FileNotFoundError, match="esc50.csv"):
        Esc50Bank(tmp_path / "nowhere").check()
    (esc50 / "meta" / "esc50.csv").write_text("filename,category\na,dog\n")
    with pytest.raises(ValueError, match="src_file"):
        Esc50Bank(esc50).check()


# --------------------------------------------------------------------- FSD50K

CC = "http://creativecommons.org"


@pytest.fixture
def fsd50k(tmp_path):
    """Six clips of the dev part."""
    clips = {
        "11": ("Rain,Water", f"{CC}/publicdomain/zero/1.0/"),
        "12": ("Rain,Water", f"{CC}/licenses/by-nc/3.0/"),
        "13": ("Bark,Dog,Animal", f"{CC}/licenses/by/3.0/"),
        "14": ("Rain,Thunder,Thunderstorm", f"{CC}/licenses/by/3.0/"),
        "15": ("Rain,Speech,Human_voice", f"{CC}/licenses/by/3.0/"),
        "16": ("Cough", f"{CC}/licenses/sampling+/1.0/"),
    }
    for name in ("ground_truth", "metadata", "dev_audio"):
        (tmp_path / f"FSD50K.{name}").mkdir()
    lines = [f'{n},"{labels}",/m/0,train' for n, (labels, _) in clips.items()]
    (tmp_path / "FSD50K.ground_truth" / "dev.csv").write_text(
        "\n".join(["fname,labels,mids,split", *lines]) + "\n"
    )
    info = {
        number: {"title": "t", "license": licence, "uploader": f"u{number}"}
        for number, (_, licence) in clips.items()
    }
    path = tmp_path / "FSD50K.metadata" / "dev_clips_info_FSD50K.json"
    path.write_text(json.dumps(info))
    for number in clips:
        path = tmp_path / "FSD50K.dev_audio" / f"{number}.wav"
        path.write_bytes(sound_bytes())
    return tmp_path


def test_fsd50k_takes_clips_of_one_sound_and_an_allowed_licence(fsd50k):
    bank = Fsd50kBank(fsd50k)
    bank.check()
    assert names(bank) == [
        ("dog", "13", "CC-BY-3.0"),
        ("rain", "11", "CC0-1.0"),
    ]
    assert bank.recordings()[0].source == "FSD50K, Freesound 13 by u13"
    more = Fsd50kBank(fsd50k, licences=["CC*"])
    assert ("rain", "12", "CC-BY-NC-3.0") in names(more)


def test_fsd50k_clip_without_licence_is_named(fsd50k):
    path = fsd50k / "FSD50K.metadata" / "dev_clips_info_FSD50K.json"
    info = json.loads(path.read_text())
    del info["13"]
    path.write_text(json.dumps(info))
    with pytest.raises(ValueError, match="no licence of clip 13"):
        Fsd50kBank(fsd50k).check()
    path.unlink()
    with pytest.raises(FileNotFoundError, match="FSD50K.metadata"):
        Fsd50kBank(fsd50k).check()


# --------------------------------------------------------------------- Debian

MEMBERS = {
    "usr/share/game/rain.wav": sound_bytes(2.0, 11025),
    "usr/share/game/sub/gull.ogg": sound_bytes(1.0, 44100, "OGG"),
}


def ar_member(name, data):
    """One member of an ar archive."""
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n"
    return header.encode() + data + b"\n" * (len(data) % 2)


def make_deb(members, compression="xz"):
    """A Debian package that holds files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{compression}") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    parts = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", b"odd"),
        (f"data.tar.{compression}", packed.getvalue()),
    ]
    return b"!<arch>\n" + b"".join(ar_member(*part) for part in parts)


@pytest.fixture
def game(tmp_path, monkeypatch):
    """Package ``game`` in a folder of packages, with its table."""
    debs = tmp_path / "debs"
    debs.mkdir()
    data = make_deb(MEMBERS)
    package = Package("game", "1:2-3", hashlib.sha256(data).hexdigest())
    (debs / "game_1%3a2-3_all.deb").write_bytes(data)
    table = {
        ("game", "usr/share/game"): (
            "GPL-2.0-or-later",
            "Somebody",
            {"rain": ("rain.wav",), "seagulls": ("sub/gull.ogg",)},
        )
    }
    monkeypatch.setattr(debian_sounds, "PACKAGES", {"game": package})
    monkeypatch.setattr(debian_sounds, "FILES", table)
    monkeypatch.setenv("JASCO_CACHE", str(tmp_path / "cache"))
    return debs


@pytest.mark.parametrize("compression", ["xz", "gz", "bz2"])
def test_members_come_out_of_a_package_as_they_went_in(tmp_path, compression):
    path = tmp_path / "a.deb"
    path.write_bytes(make_deb(MEMBERS, compression))
    assert read_members(path, MEMBERS) == MEMBERS
    assert read_members(path, []) == {}
    with pytest.raises(ValueError, match="lacks .'usr/no'."):
        read_members(path, ["usr/no"])


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda data: data[1:], "no Debian package"),
        (lambda data: data[:-40], "cut off"),
        (lambda data: data[:64] + b"xx" + data[66:], "damaged at byte 8"),
        (lambda data: data[:66] + b"xx" + data[68:], "damaged at byte 8"),
        (lambda data: data[:72], "expected a data.tar"),
    ],
)
def test_damaged_package_is_named(tmp_path, damage, message):
    path = tmp_path / "a.deb"
    path.write_bytes(damage(make_deb(MEMBERS)))
    with pytest.raises(ValueError, match=message):
        read_members(path, MEMBERS)


def test_odd_member_is_followed_by_padding(tmp_path):
    """``control.tar.xz`` above has three bytes."""
    path = tmp_path / "a.deb"
    path.write_bytes(make_deb(MEMBERS))
    assert ar_members(path)["control.tar.xz"] == b"odd"


def test_debian_bank_holds_the_converted_recordings(game):
    bank = DebianBank(["game"], debs=game)
    bank.check()
    assert names(bank) == [
        ("rain", "rain.wav", "GPL-2.0-or-later"),
        ("seagulls", "gull.wav", "GPL-2.0-or-later"),
    ]
    rain = bank.recordings()[0]
    assert rain.name == "debian/game/rain.wav"
    assert rain.source == "Somebody; Debian game 1:2-3"
    assert len(bank.load(rain)) == 2 * RATE
    info = soundfile.info(bank.folder / "game" / "rain.wav")
    assert (info.samplerate, info.channels, info.subtype) == (
        RATE,
        1,
        "PCM_16",
    )
    assert sorted(p.name for p in bank.folder.parent.iterdir()) == [
        bank.folder.name,
        f"{bank.folder.name}.lock",
    ]


def test_package_with_another_hash_is_refused(game):
    path = game / "game_1%3a2-3_all.deb"
    path.write_bytes(make_deb({**MEMBERS, "usr/more": b"?"}))
    bank = DebianBank(["game"], debs=game)
    with pytest.raises(RuntimeError, match="got sha256 .* expected"):
        bank.check()
    assert not bank.folder.exists()
    path.unlink()
    with pytest.raises(FileNotFoundError, match="game_1%3a2-3_all.deb"):
        bank.check()


def test_apt_is_asked_for_the_pinned_version(game, tmp_path, monkeypatch):
    """A stand-in for apt-get copies the package and notes its arguments."""
    package = debian_sounds.PACKAGES["game"]
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "apt-get"
    script.write_text(
        f"#!/bin/sh\necho $* > {tmp_path}/asked\ncp {game}/*.deb .\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    path = get_package(package, tmp_path)
    assert path.parent == tmp_path
    assert (tmp_path / "asked").read_text() == "download game=1:2-3\n"
    script.write_text("#!/bin/sh\necho E: Version was not found\nexit 100\n")
    path.unlink()
    with pytest.raises(RuntimeError, match="Version was not found") as error:
        get_package(package, tmp_path)
    assert "debs" in str(error.value)


def test_pinned_table_is_whole():
    """Every package of the table is pinned by a sha256, and used."""
    used = {package for package, _ in debian_sounds.FILES}
    assert used == set(debian_sounds.PACKAGES)
    for package in debian_sounds.PACKAGES.values():
        assert len(bytes.fromhex(package.sha256)) == 32
    with pytest.raises(ValueError, match="games"):
        DebianBank(["games"])


# ------------------------------------------------------------------ Freesound


class _Freesound(BaseHTTPRequestHandler):
    """Search and previews; says 429 as often as ``server.busy`` says."""

    def do_GET(self):
        url = urlparse(self.path)
        query = {key: value[0] for key, value in parse_qs(url.query).items()}
        key = self.headers.get("Authorization")
        self.server.requests.append((url.path, query, key))
        if self.server.busy:
            self.server.busy -= 1
            self._send(429, b"{}", {"Retry-After": "1"})
        elif url.path == "/apiv2/search/text/":
            if key != "Token secret":
                self._send(401, b"{}")
                return
            page = int(query["page"])
            pages = self.server.pages[query["query"]]
            more = "next page" if page < len(pages) else None
            found = {"count": 9, "next": more, "results": pages[page - 1]}
            self._send(200, json.dumps(found).encode())
        else:
            self._send(200, sound_bytes(1.0, 44100, "OGG"))

    def _send(self, status, body, headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep the tests' output clean."""


@pytest.fixture
def freesound(tmp_path, monkeypatch):
    """A server with two pages for rain and one for dogs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Freesound)
    server.requests, server.busy = [], 0
    host = f"http://127.0.0.1:{server.server_address[1]}"

    def result(number, licence):
        return {
            "id": number,
            "name": f"n{number}",
            "license": licence,
            "username": f"u{number}",
            "url": f"https://example.org/{number}",
            "duration": 5.0,
            "previews": {"preview-hq-ogg": f"{host}/data/{number}.ogg"},
        }

    zero, nc = f"{CC}/publicdomain/zero/1.0/", f"{CC}/licenses/by-nc/4.0/"
    by = "https://creativecommons.org/licenses/by/4.0/"
    server.pages = {
        "rain roof": [[result(1, zero), result(2, nc)], [result(3, by)]],
        "dog": [[result(3, by), result(4, by), result(5, by)]],
    }
    threading.Thread(
        target=server.serve_forever, args=(0.05,), daemon=True
    ).start()
    monkeypatch.setenv("FREESOUND_API_KEY", "secret")
    server.bank = lambda n=2: FreesoundBank(
        tmp_path / "found",
        {"rain": "rain roof", "dog": "dog"},
        n_per_sound=n,
        client=FreesoundClient(f"{host}/apiv2/"),
    )
    yield server
    server.shutdown()
    server.server_close()


def test_freesound_pages_filters_and_keeps_the_attribution(freesound):
    """3 is found twice and counts once; 2 is non-commercial; 5 is too many."""
    bank = freesound.bank()
    bank.check()
    assert names(bank) == [
        ("dog", "4.ogg", "CC-BY-4.0"),
        ("dog", "5.ogg", "CC-BY-4.0"),
        ("rain", "1.ogg", "CC0-1.0"),
        ("rain", "3.ogg", "CC-BY-4.0"),
    ]
    assert bank.recordings()[0].source == "n4 by u4, https://example.org/4"
    searches = [q for path, q, _ in freesound.requests if "search" in path]
    assert [(q["query"], q["page"]) for q in searches] == [
        ("rain roof", "1"),
        ("rain roof", "2"),
        ("dog", "1"),
    ]
    assert searches[0]["filter"] == "duration:[3.0 TO 30.0]"


def test_freesound_key_goes_to_the_api_alone(freesound):
    freesound.bank().check()
    keys = {("search" in path, key) for path, _, key in freesound.requests}
    assert keys == {(True, "Token secret"), (False, None)}


def test_freesound_waits_as_long_as_the_server_asks(freesound, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    freesound.busy = 2
    freesound.bank().check()
    assert pauses[:2] == [1, 1]


def test_freesound_that_stays_busy_is_told_and_goes_on_later(
    freesound, monkeypatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    bank = freesound.bank()
    fetch, calls = bank.client.fetch, []

    def fetch_once(session, url):
        calls.append(url)
        if len(calls) == 2:
            freesound.busy = 99
        return fetch(session, url)

    bank.client.fetch = fetch_once
    with pytest.raises(ConnectionError, match="what has been fetched is kept"):
        bank.check()
    freesound.busy = 0
    freesound.requests.clear()
    freesound.bank().check()
    previews = [path for path, *_ in freesound.requests if "data" in path]
    assert previews == ["/data/3.ogg", "/data/4.ogg", "/data/5.ogg"]


def test_freesound_found_once_needs_neither_key_nor_server(
    freesound, monkeypatch
):
    freesound.bank().check()
    freesound.requests.clear()
    monkeypatch.delenv("FREESOUND_API_KEY")
    assert len(freesound.bank().recordings()) == 4
    assert freesound.requests == []
    with pytest.raises(ValueError, match="holds another search"):
        freesound.bank(n=1).recordings()


def test_freesound_key_missing_or_wrong_is_told_without_it(
    freesound, monkeypatch
):
    monkeypatch.setenv("FREESOUND_API_KEY", "wrong")
    with pytest.raises(ConnectionError, match="refuses the key") as error:
        freesound.bank().check()
    assert "wrong" not in str(error.value)
    monkeypatch.delenv("FREESOUND_API_KEY")
    with pytest.raises(ValueError, match="FREESOUND_API_KEY is not set"):
        freesound.bank().check()
