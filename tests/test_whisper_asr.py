"""Tests of the recogniser, on a tiny random Whisper.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from tiny_whisper import write_english_folder
from transformers import WhisperConfig, WhisperForConditionalGeneration

from speechbrain_jasco.integrations.whisper_asr import (
    RATE_HZ,
    WINDOW_S,
    WhisperRecogniser,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whisper")
    write_english_folder(folder)
    return str(folder)


@pytest.fixture(scope="module")
def recogniser(folder):
    return WhisperRecogniser(folder, batch_size=2, max_new_tokens=12)


@pytest.fixture(scope="module")
def wavs():
    """Noise of three lengths, levels and colours."""
    generator = torch.Generator().manual_seed(1)
    noise = [torch.randn(n, generator=generator) for n in (8000, 24000, 16000)]
    return [0.01 * noise[0], 0.9 * noise[1].cumsum(0) / 200, 0.1 * noise[2]]


def test_batch_equals_single(recogniser, wavs):
    texts = recogniser.transcribe(wavs)
    assert len(set(texts)) == 3  # else the next line could not fail
    assert texts == [recogniser.transcribe([wav])[0] for wav in wavs]


def test_a_loud_neighbour_changes_nothing(recogniser, wavs):
    loud = 100 * wavs[1]
    together = recogniser.transcribe([wavs[0], loud])
    assert together[0] == recogniser.transcribe([wavs[0]])[0]


def test_long_clip_is_its_pieces_joined(recogniser, wavs):
    first = wavs[1].repeat(20)[: WINDOW_S * RATE_HZ]
    long = torch.cat([first, wavs[0]])
    pieces = recogniser.transcribe([first, wavs[0]])
    assert recogniser.transcribe([long, wavs[2]]) == [
        " ".join(pieces),
        *recogniser.transcribe([wavs[2]]),
    ]


def test_a_narrow_window_is_a_model_of_fewer_positions(folder, wavs):
    """Against the library's own model with as many positions, and cut there."""
    narrow = WhisperRecogniser(folder, max_new_tokens=12, window_s=2)
    narrow.load()
    config = WhisperConfig.from_pretrained(folder, max_source_positions=100)
    model = WhisperForConditionalGeneration(config).eval()
    weights = narrow.model.state_dict()
    assert weights["model.encoder.embed_positions.weight"].shape[0] == 100
    model.load_state_dict(weights)
    features = narrow._features(wavs[1])
    assert features.shape[-1] == 200
    with torch.no_grad():
        want = model.get_encoder()(features).last_hidden_state
        got = narrow.model.get_encoder()(features).last_hidden_state
    torch.testing.assert_close(got, want)
    first = wavs[1].repeat(2)[: 2 * RATE_HZ]
    assert narrow.transcribe([torch.cat([first, wavs[0]])]) == [
        " ".join(filter(None, narrow.transcribe([first, wavs[0]])))
    ]
    with pytest.raises(ValueError, match="1 to 30 seconds"):
        WhisperRecogniser(folder, window_s=31)


def test_nothing_is_loaded_before_need(folder):
    recogniser = WhisperRecogniser(folder)
    assert recogniser.transcribe([]) == []
    assert recogniser.model is None
    recogniser.load()
    first = recogniser.model
    recogniser.load()
    assert recogniser.model is first
    assert not first.training
    assert not any(p.requires_grad for p in first.parameters())


@pytest.mark.parametrize("shape", [(0,), (1, 16000), ()])
def test_refuses_what_is_not_a_recording(recogniser, shape):
    with pytest.raises(ValueError, match="recording 1: got shape"):
        recogniser.transcribe([torch.zeros(10), torch.zeros(shape)])


def test_config_names_what_a_transcript_depends_on(folder):
    one = WhisperRecogniser(folder, batch_size=1).config()
    assert one == WhisperRecogniser(folder, batch_size=8).config()
    assert one != WhisperRecogniser(folder, max_new_tokens=9).config()
