"""Tests of the feature cache.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from speechbrain.dataio import audio_io
from tiny_systems import WHISPER

from speechbrain_jasco.integrations.aisfx_encoder import AisfxEncoder
from speechbrain_jasco.integrations.whisper_encoder import WhisperEncoder
from speechbrain_jasco.training.features import Features


def write(path, seconds, seed=0):
    noise = torch.randn(
        1, int(16000 * seconds), generator=torch.Generator().manual_seed(seed)
    )
    audio_io.save(str(path), 0.1 * noise, 16000)
    return str(path)


@pytest.fixture
def encoders():
    torch.manual_seed(0)
    return [WhisperEncoder(config=WHISPER), AisfxEncoder(config={"width": 1})]


@pytest.fixture
def clips(tmp_path):
    return [write(tmp_path / f"{s}.wav", s) for s in (0.5, 1.3)]


def frames(features, clips):
    return features.frames([features.item(clip) for clip in clips], "cpu")


def refuse(wav):
    raise AssertionError("the encoder ran")


def test_cached_frames_are_those_of_the_encoders(encoders, clips, tmp_path):
    live = frames(Features(encoders), clips)
    cold = frames(Features(encoders, tmp_path / "cache"), clips)
    for encoder in encoders:
        encoder.encode = refuse
    warm = frames(Features(encoders, tmp_path / "cache"), clips)
    for streams in zip(live, cold, warm, strict=True):
        for stream in streams[1:]:
            assert torch.equal(stream.x, streams[0].x)
            assert torch.equal(stream.lens, streams[0].lens)
            assert stream.rate_hz == streams[0].rate_hz
    assert live[0].x.shape == (2, 65, 16) and live[0].x.abs().max() > 0
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 4
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_only_what_changed_is_computed_anew(encoders, clips, tmp_path):
    folder = tmp_path / "cache"
    frames(Features(encoders, folder), clips)
    before = set(folder.rglob("*.safetensors"))
    other = WhisperEncoder(config=WHISPER, pool=2)
    encoders[1].encode = refuse
    frames(Features([other, encoders[1]], folder), clips)
    new = set(folder.rglob("*.safetensors")) - before
    assert len(new) == 2  # of the other Whisper
    write(clips[0], 0.5, seed=9)  # the same name, another recording
    encoders[0].encode, changed = refuse, Features(encoders, folder)
    assert not isinstance(changed.item(clips[0]).known[0], torch.Tensor)
    assert isinstance(changed.item(clips[1]).known[0], torch.Tensor)


def test_the_cache_ignores_the_precision_of_training(encoders, clips, tmp_path):
    plain = frames(Features(encoders, tmp_path / "a"), clips)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = frames(Features(encoders, tmp_path / "b"), clips)
    assert all(torch.equal(a.x, b.x) for a, b in zip(plain, mixed, strict=True))
