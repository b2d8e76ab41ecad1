"""WavLLM's convolution adapters, against plain torch and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from torch.nn.functional import conv1d, gelu, glu, layer_norm, linear

from speechbrain_jasco.lobes.frames import Frames, join_frames
from speechbrain_jasco.lobes.models.concat_adapters import (
    ConcatAdapters,
    ConvAdapter,
)

SIZES = {"width": 4, "bottleneck": 2, "out_width": 5}


OURS = {"conv_widths": [8, 6], "conv_norm": True}


def tiny(**options):
    """One branch of one layer, one of three, random in every parameter."""
    torch.manual_seed(0)
    sizes = SIZES | {"conv_widths": [10]} | options
    branches = [ConvAdapter(6, **sizes), ConvAdapter(4, n_layers=3, **sizes)]
    model = ConcatAdapters(branches, llm_width=7).eval()
    with torch.no_grad():  # zeros and ones would hide a swapped bias or norm
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def clip(n_frames, *width):
    return Frames(torch.randn(1, n_frames, *width), torch.ones(1), 50.0)


def by_hand(weights, prefix, x):
    """A branch in plain functions, from its state dict; x is [T, D]."""
    mine = {k: v for k, v in weights.items() if k.startswith(prefix)}
    w = {k[len(prefix) :]: v for k, v in mine.items()}
    for i in range(sum(v.ndim == 3 for v in w.values())):
        kernel, bias = w[f"convs.{i}.weight"], w[f"convs.{i}.bias"]
        y = conv1d(x.T[None], kernel, bias, stride=2, padding=1)
        x = glu(y, dim=1)[0].T
    if "conv_norm.weight" in w:
        x = layer_norm(x, [4], w["conv_norm.weight"], w["conv_norm.bias"])
    y = gelu(linear(x, w["down.weight"], w["down.bias"]))
    y = linear(y, w["up.weight"], w["up.bias"])
    x = x + layer_norm(y, [4], w["norm.weight"], w["norm.bias"])
    return linear(x, w["projection.weight"], w["projection.bias"])


@pytest.mark.parametrize(
    ("options", "n_one", "n_two"), [({}, 11, 10), (OURS, 6, 5)]
)
def test_the_sum_of_its_parts_by_hand(options, n_one, n_two):
    model = tiny(**options)
    weights = model.state_dict()
    whisper, wavlm = clip(41, 6), clip(37, 3, 4)
    shares = weights["branches.1.layer_weights"].exp()
    shares = shares / shares.sum()
    mixed = sum(s * wavlm.x[0, :, i] for i, s in enumerate(shares))
    one = by_hand(weights, "branches.0.", whisper.x[0])
    two = by_hand(weights, "branches.1.", mixed)
    assert (len(one), len(two)) == (n_one, n_two)
    expected = linear(
        torch.cat([one[:n_two], two], dim=1),
        weights["projection.weight"],
        weights["projection.bias"],
    )
    tokens, lens = model([whisper, wavlm])
    torch.testing.assert_close(tokens[0], expected, atol=1e-6, rtol=0)
    assert lens.tolist() == [1.0]


def test_a_clip_alone_and_in_a_batch_gives_the_same_tokens():
    model = tiny()
    sizes = [41, 18, 3, 50]
    whisper = [clip(n, 6) for n in sizes]
    wavlm = [clip(max(1, n - 2), 3, 4) for n in sizes]
    tokens, lens = model(
        [
            join_frames([c.x[0] for c in clips], 50.0)
            for clips in (whisper, wavlm)
        ]
    )
    n_tokens = (lens * tokens.shape[1]).round().long().tolist()
    # ceil(n / 4) of the shorter stream.
    assert n_tokens == [10, 4, 1, 12]
    for row, n, a, b in zip(tokens, n_tokens, whisper, wavlm, strict=True):
        alone, _ = model([a, b])
        torch.testing.assert_close(row[:n], alone[0], atol=1e-6, rtol=0)
        assert not row[n:].any()


@pytest.mark.parametrize(
    ("seconds", "n_tokens"), [(1.62, 20), (7.25, 91), (9.96, 125), (30, 375)]
)
def test_the_token_counts_of_wavllm(seconds, n_tokens):
    """Whisper has a frame per 320 samples or part of them, WavLM one per 320
    behind the first 400."""
    n_samples = round(seconds * 16000)
    whisper = clip(-(-n_samples // 320), 6)
    wavlm = clip((n_samples - 400) // 320 + 1, 3, 4)
    assert tiny()([whisper, wavlm])[0].shape == (1, n_tokens, 7)


def test_streams_must_be_as_many_as_branches_and_of_one_rate():
    model = tiny()
    with pytest.raises(ValueError, match=r"got streams of \[50.0\] Hz"):
        model([clip(20, 6)])
    slow = clip(20, 3, 4)._replace(rate_hz=25.0)
    with pytest.raises(ValueError, match="2 of one rate"):
        model([clip(20, 6), slow])


def test_the_parts_that_wavllm_trains():
    """With LoRA (r 32 on q, k, v, o: 33,554,432) and the scale network
    (8,397,825) 76,642,062: the unused `audio_proj` of the file (8,392,704) is
    not among them."""
    with torch.device("meta"):
        branches = [ConvAdapter(1280, [1280]), ConvAdapter(768, [512], 13)]
        model = ConcatAdapters(branches, 4096)
    count = sum(p.numel() for p in model.parameters())
    assert count == 34_689_805
    assert count + 33_554_432 + 8_397_825 == 76_642_062


def test_what_the_convolutions_say_survives_an_untrained_bottleneck():
    """Tokens with and without the bottleneck are alike only with the norm:
    without it, most of an untrained token is not what was heard."""

    def likeness(**options):
        torch.manual_seed(0)
        sizes = {"width": 64, "bottleneck": 32, "out_width": 64}
        branch = ConvAdapter(128, [128], **sizes, **options)
        x, lengths = torch.randn(1, 400, 128), torch.tensor([400])
        whole = branch(x, lengths)[0]
        torch.nn.init.zeros_(branch.norm.weight)
        alone = branch(x, lengths)[0]
        return torch.cosine_similarity(whole, alone, dim=2).mean()

    assert likeness() < 0.3
    assert likeness(conv_norm=True) > 0.6


@pytest.mark.parametrize("options", [{}, OURS])
def test_every_parameter_is_trained(options):
    model = tiny(**options).train()
    model([clip(20, 6), clip(20, 3, 4)])[0].square().sum().backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None]
    assert silent == []
