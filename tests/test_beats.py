"""The BEATs lobe, against SpeechBrain's and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pickle

import pytest
import torch
from speechbrain.lobes.models.beats import BEATs as SpeechBrainBEATs

from speechbrain_jasco.lobes.models.beats import Beats, BeatsModel

CFG = {
    "embed_dim": 12,
    "encoder_layers": 2,
    "encoder_embed_dim": 16,
    "encoder_ffn_embed_dim": 32,
    "encoder_attention_heads": 2,
    "conv_pos": 16,
    "conv_pos_groups": 2,
    "deep_norm": True,
    "relative_position_embedding": True,
    "num_buckets": 32,
    "max_distance": 64,
    "gru_rel_pos": True,
    "finetuned_model": True,
    "predictor_class": 5,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A random checkpoint as unilm publishes them, with a classifier."""
    torch.manual_seed(0)
    weights = BeatsModel(CFG).state_dict()
    weights["predictor.weight"] = torch.randn(5, 16)
    weights["predictor.bias"] = torch.randn(5)
    weights = {k: v + 0.1 * torch.randn_like(v) for k, v in weights.items()}
    path = tmp_path_factory.mktemp("beats") / "beats.pt"
    torch.save({"cfg": CFG, "model": weights}, path)
    return path


def noise(seconds):
    return 0.1 * torch.randn(1, round(seconds * 16000))


def test_one_clip_gives_what_speechbrains_beats_gives(checkpoint):
    ours = Beats(str(checkpoint))
    ours.check()
    assert ours.model is None
    theirs = SpeechBrainBEATs(str(checkpoint), freeze=True)
    wav = noise(1.3)
    with torch.no_grad():
        expected = theirs(wav, torch.ones(1))[0]
    frames = ours(wav, torch.ones(1))
    assert frames.x.shape == (1, 64, 16)
    torch.testing.assert_close(frames.x, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("seconds", "n_frames"),
    [
        (0.01, 8),
        (0.16, 8),
        (0.175, 8),
        (1, 48),
        (5, 248),
        (10, 496),
        (30, 1496),
    ],
)
def test_a_clip_has_8_frames_per_whole_patch(checkpoint, seconds, n_frames):
    """8 * (((S - 400) // 160 + 1) // 16), at least 8."""
    frames = Beats(str(checkpoint))(noise(seconds), torch.ones(1))
    assert frames.x.shape[1] == n_frames and frames.rate_hz == 50.0


def test_a_clip_shorter_than_a_patch_is_padded_with_zeros(checkpoint):
    encoder = Beats(str(checkpoint))
    wav = noise(0.1)
    padded = torch.cat([wav, torch.zeros(1, 2800 - 1600)], dim=1)
    expected = encoder(padded, torch.ones(1)).x
    assert torch.equal(encoder(wav, torch.ones(1)).x, expected)


def test_a_clip_alone_and_in_a_batch_gives_the_same_frames(checkpoint):
    """SpeechBrain's, with its mask, gives others (and more) in a batch."""
    encoder = Beats(str(checkpoint))
    wavs = torch.cat([noise(2.0), noise(2.0)])
    frames = encoder(wavs, torch.tensor([1.0, 0.4]))
    assert frames.sizes().tolist() == [96, 32]
    alone = encoder(wavs[1:, :12800], torch.ones(1))
    assert torch.equal(frames.x[1, :32], alone.x[0])
    assert not frames.x[1, 32:].any()


def test_frozen_through_train_and_forward(checkpoint):
    for encoder in (Beats(config=CFG).train(), Beats(str(checkpoint)).train()):
        x = encoder(noise(0.5).requires_grad_(), torch.ones(1)).x
        assert not x.requires_grad
        assert not any(m.training for m in encoder.modules())
        assert not any(p.requires_grad for p in encoder.parameters())


def test_check_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="no BEATs checkpoint: got .*none.pt"):
        Beats(str(tmp_path / "none.pt")).check()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>Sign in", "an HTML or XML page"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git-LFS pointer"),
        (b"", "the file is empty"),
    ],
)
def test_check_knows_a_download_that_failed(tmp_path, content, fault):
    path = tmp_path / "BEATs.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"no BEATs checkpoint.*{fault}"):
        Beats(str(path)).check()


def test_check_reads_no_weights(checkpoint):
    encoder = Beats(str(checkpoint))
    encoder.check()
    assert encoder.model is None


def test_another_checkpoint_is_refused(tmp_path, checkpoint):
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="not a checkpoint of BEATs"):
        Beats(str(tmp_path / "other.pt")).load()
    saved = torch.load(checkpoint, weights_only=True)
    del saved["model"]["layer_norm.bias"]
    torch.save(saved, tmp_path / "broken.pt")
    with pytest.raises(ValueError, match="layer_norm.bias"):
        Beats(str(tmp_path / "broken.pt")).load()


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "evil.pt"
    torch.save({"cfg": {}, "model": pytest.skip}, path)
    with pytest.raises(pickle.UnpicklingError):
        Beats(str(path)).load()
