"""The WavLM encoder lobe, against transformers and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

from speechbrain_jasco.integrations.wavlm_encoder import WavLMEncoder

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "initializer_range": 0.3,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The same random WavLM, without and with normalised waveforms."""
    torch.manual_seed(0)
    model = WavLMModel(WavLMConfig(**SIZES))
    paths = {}
    for normalize in (False, True):
        path = tmp_path_factory.mktemp("tiny_wavlm")
        model.save_pretrained(path)
        Wav2Vec2FeatureExtractor(do_normalize=normalize).save_pretrained(path)
        paths[normalize] = path
    return paths


def tiny(**options):
    torch.manual_seed(0)
    return WavLMEncoder(config=SIZES, **options)


def noise(seconds):
    """Off-centre, so that normalisation shows."""
    return 0.5 + 0.1 * torch.randn(1, round(seconds * 16000))


@pytest.mark.parametrize("normalize", [False, True])
def test_the_states_are_those_of_transformers(folders, normalize):
    encoder = WavLMEncoder(str(folders[normalize]))
    encoder.check()
    assert encoder.model is None
    wav = noise(1.0)
    frames = encoder(wav, torch.ones(1))
    assert encoder.normalize is normalize
    theirs = WavLMModel.from_pretrained(folders[normalize]).eval()
    inputs = Wav2Vec2FeatureExtractor(do_normalize=normalize)(
        wav[0].numpy(), sampling_rate=16000, return_tensors="pt"
    ).input_values
    with torch.no_grad():
        out = theirs(inputs, output_hidden_states=True)
        first = theirs.feature_extractor(inputs).transpose(1, 2)
        first, _ = theirs.feature_projection(first)
        first = first + theirs.encoder.pos_conv_embed(first)
        first = theirs.encoder.layer_norm(first)
    expected = torch.stack(out.hidden_states, dim=2)
    assert frames.x.shape == (1, 49, 3, 16)
    # 2e-5: numpy and torch differ in the last digits of mean and variance.
    torch.testing.assert_close(
        frames.x, expected, atol=2e-5 if normalize else 0.0, rtol=0
    )
    torch.testing.assert_close(frames.x[:, :, 0], first, atol=2e-5, rtol=0)


def test_a_base_model_has_13_states():
    with torch.device("meta"):
        encoder = WavLMEncoder(config={})
    assert encoder.model.config.num_hidden_layers + 1 == 13
    assert encoder.model.config.hidden_size == 768


@pytest.mark.parametrize(
    ("seconds", "n_frames"),
    [(0.01, 1), (1.62, 80), (7.25, 362), (9.96, 497), (30, 1499)],
)
def test_frames_are_those_the_convolutions_fit_in(seconds, n_frames):
    """(S - 400) // 320 + 1; a shorter clip is padded to one frame."""
    frames = tiny()(noise(seconds), torch.ones(1))
    assert frames.x.shape[1] == n_frames and frames.rate_hz == 50.0


@pytest.mark.parametrize("normalize", [False, True])
def test_a_clip_alone_and_in_a_batch_gives_the_same_frames(normalize):
    encoder = tiny(normalize=normalize)
    wavs = torch.cat([noise(2.0), noise(2.0)])
    frames = encoder(wavs, torch.tensor([1.0, 0.4]))
    assert frames.sizes().tolist() == [99, 39]
    alone = encoder(wavs[1:, :12800], torch.ones(1))
    assert torch.equal(frames.x[1, :39], alone.x[0])
    assert not frames.x[1, 39:].any()


def test_frozen_through_train_and_forward(folders):
    for encoder in (tiny().train(), WavLMEncoder(str(folders[True])).train()):
        x = encoder(noise(0.5).requires_grad_(), torch.ones(1)).x
        assert not x.requires_grad
        assert not any(m.training for m in encoder.modules())
        assert not any(p.requires_grad for p in encoder.parameters())


def test_check_says_what_is_missing(folders, tmp_path, tiny_whisper):
    with pytest.raises(ValueError, match="expected a WavLM with its"):
        WavLMEncoder(str(tmp_path), normalize=False).check()
    with pytest.raises(ValueError, match="'whisper', expected a WavLM"):
        WavLMEncoder(str(tiny_whisper)).check()
    WavLMModel(WavLMConfig(**SIZES)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="preprocessor_config.json"):
        WavLMEncoder(str(tmp_path)).check()
    WavLMEncoder(str(tmp_path), normalize=False).check()
