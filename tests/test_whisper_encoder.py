"""The Whisper encoder lobe, against transformers and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import shutil

import pytest
import torch
from transformers import WhisperFeatureExtractor, WhisperModel

from speechbrain_jasco.integrations.whisper_encoder import (
    WhisperEncoder,
    pool_frames,
)

SIZES = {
    "d_model": 16,
    "encoder_layers": 3,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "init_std": 0.5,
}


def tiny(layers="last", window="trimmed", pool=1):
    """An encoder whose norms and biases are random too."""
    torch.manual_seed(0)
    encoder = WhisperEncoder(None, layers, window, pool, config=SIZES)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return encoder


def noise(seconds):
    return 0.1 * torch.randn(1, round(seconds * 16000))


def test_weights_and_frames_are_those_of_transformers(tiny_whisper):
    """One path through the blocks, so equal to the bit."""
    encoder = WhisperEncoder(str(tiny_whisper), window="30s")
    encoder.check()
    assert encoder.model is None
    theirs = WhisperModel.from_pretrained(tiny_whisper).eval().encoder
    wav = noise(2.0)
    mel = WhisperFeatureExtractor(feature_size=80)(
        wav[0].numpy(), sampling_rate=16000, return_tensors="pt"
    ).input_features
    frames = encoder(wav, torch.ones(1))
    assert torch.equal(encoder.log_mel(wav[0]), mel[0])
    with torch.no_grad():
        expected = theirs(mel).last_hidden_state
    assert frames.x.shape == (1, 1500, 16)
    assert torch.equal(frames.x, expected)
    trimmed = WhisperEncoder(str(tiny_whisper))(wav, torch.ones(1))
    assert torch.equal(trimmed.x, expected[:, :100])


@torch.no_grad()
def test_all_layers_are_the_blocks_outputs_without_the_final_norm():
    encoder = tiny("all", "30s")
    outputs = []
    for block in encoder.model.layers:
        block.register_forward_hook(lambda _, __, out: outputs.append(out))
    wav = noise(1.0)
    x = encoder(wav, torch.ones(1)).x
    assert x.shape == (1, 1500, 3, 16)
    outputs.clear()
    normed = encoder.model(encoder.log_mel(wav[0])[None]).last_hidden_state
    assert torch.equal(x, torch.stack(outputs, dim=2))
    assert torch.equal(encoder.model.layer_norm(x[:, :, -1]), normed)


@torch.no_grad()
@pytest.mark.parametrize("seconds", [0.001, 1.62, 12.0])
def test_the_10_s_window_cuts_or_pads_the_mel_of_the_whole_clip(seconds):
    """Zeros in normalised log-mel, the maximum taken over the whole clip;
    positions and convolutions on 1000 frames."""
    encoder = tiny("all", "10s", pool=20)
    wav = noise(seconds)
    wav[:, -1] = 30.0  # the loudest is at the end
    mel = encoder.log_mel(wav[0])
    n_samples = max(400, wav.shape[1])
    padded = torch.nn.functional.pad(wav[0], (0, n_samples - wav.shape[1]))
    whole = WhisperFeatureExtractor(80)(
        padded.numpy(),
        sampling_rate=16000,
        padding="do_not_pad",
        truncation=False,
    ).input_features[0]
    n_mel = min(1000, n_samples // 160)
    assert mel.shape == (80, 1000) and not mel[:, n_mel:].any()
    assert torch.equal(mel[:, :n_mel], torch.from_numpy(whole[:, :n_mel]))
    frames = encoder(wav, torch.ones(1))
    assert frames.x.shape == (1, 25, 3, 16) and frames.rate_hz == 2.5
    model = encoder.model
    x = torch.nn.functional.gelu(model.conv1(mel[None]))
    x = torch.nn.functional.gelu(model.conv2(x)).transpose(1, 2)
    x = model.layers[0](x + model.embed_positions.weight[:500], None)
    by_hand = torch.stack([x[0, i : i + 20].mean(0) for i in range(0, 500, 20)])
    torch.testing.assert_close(frames.x[0, :, 0], by_hand)


@pytest.mark.parametrize(
    ("seconds", "n_frames"),
    [(0.001, 1), (1.62, 81), (7.25, 363), (9.96, 498), (30, 1500), (31, 1550)],
)
def test_trimmed_frames_are_those_of_the_clip(seconds, n_frames):
    """mel = ceil(S / 160); frames = (mel - 1) // 2 + 1. Beyond 30 s a second
    piece begins."""
    frames = tiny()(noise(seconds), torch.ones(1))
    assert frames.x.shape[1] == n_frames and frames.rate_hz == 50.0


@pytest.mark.parametrize(
    ("window", "sizes"), [("trimmed", [150, 60]), ("10s", [500, 500])]
)
def test_a_clip_alone_and_in_a_batch_gives_the_same_frames(window, sizes):
    encoder = tiny("all", window)
    wavs = torch.cat([noise(3.0), noise(3.0)])
    frames = encoder(wavs, torch.tensor([1.0, 0.4]))
    assert frames.sizes().tolist() == sizes
    alone = encoder(wavs[1:, :19200], torch.ones(1))
    assert torch.equal(frames.x[1, : sizes[1]], alone.x[0])
    assert not frames.x[1, sizes[1] :].any()


def test_a_last_mean_may_be_of_fewer_frames():
    x = torch.arange(10.0).reshape(5, 2, 1)
    expected = [[[1.0], [2.0]], [[5.0], [6.0]], [[8.0], [9.0]]]
    assert pool_frames(x, 2).tolist() == expected


def test_frozen_through_train_and_forward():
    encoder = tiny().train()
    assert not any(m.training for m in encoder.modules())
    assert not any(p.requires_grad for p in encoder.parameters())
    wavs = noise(0.5).requires_grad_()
    assert not encoder(wavs, torch.ones(1)).x.requires_grad


def test_frozen_when_loaded_late(tiny_whisper):
    encoder = WhisperEncoder(str(tiny_whisper)).train()
    encoder.load()
    assert not any(m.training for m in encoder.modules())
    assert not any(p.requires_grad for p in encoder.parameters())


def test_full_size_on_the_meta_device():
    """large: 32 blocks of 19,676,160, convolutions, positions, final norm."""
    sizes = {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120}
    with torch.device("meta"):
        encoder = WhisperEncoder(
            config={**sizes, "encoder_attention_heads": 20}
        )
    d, f = 1280, 5120
    block = 4 * d * d + 3 * d + 2 * d * f + f + d + 4 * d
    front = 3 * 80 * d + d + 3 * d * d + d + 1500 * d
    expected = 32 * block + front + 2 * d
    assert sum(p.numel() for p in encoder.parameters()) == expected


def test_config_says_what_the_frames_depend_on(tiny_whisper):
    config = WhisperEncoder(str(tiny_whisper), "all", "10s", 20).config()
    assert json.loads(json.dumps(config)) == {
        "encoder": "WhisperEncoder",
        "source": str(tiny_whisper),
        "layers": "all",
        "window": "10s",
        "pool": 20,
    }


def test_wrong_arguments_are_told():
    with pytest.raises(ValueError, match="expected one of last, all"):
        WhisperEncoder("x", layers="first")
    with pytest.raises(ValueError, match="expected one of the two"):
        WhisperEncoder()
    with pytest.raises(ValueError, match="expected one of the two"):
        WhisperEncoder("x", config=SIZES)


def test_check_names_a_source_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="expected a Whisper"):
        WhisperEncoder(str(tmp_path)).check()


def test_check_refuses_another_kind_of_model(tiny_llm):
    with pytest.raises(ValueError, match="'llama', expected a Whisper"):
        WhisperEncoder(str(tiny_llm)).check()


def test_a_checkpoint_without_some_weight_is_refused(tiny_whisper, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_whisper, tmp_path / "broken")
    weights = load_file(tiny_whisper / "model.safetensors")
    del weights["model.encoder.layer_norm.weight"]
    save_file(
        weights,
        tmp_path / "broken" / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(ValueError, match="lacks .*layer_norm.weight"):
        WhisperEncoder(str(tmp_path / "broken")).load()
