"""LTU-AS's TLTR, against torch's transformer layer and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from torch import nn

from speechbrain_jasco.lobes.frames import Frames, join_frames
from speechbrain_jasco.lobes.models.tltr import TLTR


def randomise(model):
    """Zeros and ones would hide a swapped bias or norm."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def torch_layer(block, width, n_heads):
    """torch's pre-norm layer with the weights of one of ours."""
    layer = nn.TransformerEncoderLayer(
        width,
        n_heads,
        4 * width,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    ).eval()
    w = block.state_dict()
    names = [f"attn.{name}" for name in ("query", "key", "value")]
    no_bias = torch.zeros(width)
    weights = {
        "self_attn.in_proj_weight": torch.cat(
            [w[f"{name}.weight"] for name in names]
        ),
        "self_attn.in_proj_bias": torch.cat(
            [w.get(f"{name}.bias", no_bias) for name in names]
        ),
    }
    for there, here in {
        "self_attn.out_proj": "attn.out",
        "norm1": "attn_ln",
        "norm2": "mlp_ln",
        "linear1": "mlp.0",
        "linear2": "mlp.2",
    }.items():
        for kind in ("weight", "bias"):
            weights[f"{there}.{kind}"] = w[f"{here}.{kind}"]
    layer.load_state_dict(weights)
    return layer


@torch.no_grad()
def test_the_blocks_are_torchs_transformer_layer():
    width, n_steps, n_layers = 32, 25, 6
    model = randomise(TLTR(width, llm_width=16))
    x = torch.randn(1, n_steps, n_layers, width)
    over_time = torch_layer(model.time_block, width, 1)
    over_layers = torch_layer(model.layer_block, width, 8)
    y = torch.stack([over_time(x[:, :, i]) for i in range(n_layers)], dim=2)
    y = torch.stack([over_layers(y[:, t]) for t in range(n_steps)], dim=1)
    y = y.mean(dim=2)
    mean, var = y.mean(-1, keepdim=True), y.var(-1, correction=0, keepdim=True)
    expected = model.projection((y - mean) / (var + 1e-5).sqrt())
    tokens, lens = model([Frames(x, torch.ones(1), 2.5)])
    torch.testing.assert_close(tokens, expected, atol=1e-5, rtol=0)
    assert lens.tolist() == [1.0]


@torch.no_grad()
def test_a_clip_alone_and_in_a_batch_gives_the_same_tokens():
    model = randomise(TLTR(16, llm_width=8))
    clips = [torch.randn(n, 3, 16) for n in (25, 4, 1)]
    tokens, lens = model([join_frames(clips, 2.5)])
    for row, x in zip(tokens, clips, strict=True):
        alone, _ = model([Frames(x[None], torch.ones(1), 2.5)])
        torch.testing.assert_close(row[: len(x)], alone[0], atol=1e-6, rtol=0)
        assert not row[len(x) :].any()
    assert (lens * 25).round().tolist() == [25, 4, 1]


def test_one_stream_of_all_layers_is_asked_for():
    with pytest.raises(ValueError, match="expected one"):
        TLTR(16)([Frames(torch.randn(1, 25, 16), torch.ones(1), 2.5)])


def test_the_parts_that_ltu_as_trains():
    """The README's log: with LoRA (r 8, q and v, 4,194,304) 48,793,600."""
    with torch.device("meta"):
        model = TLTR()
    blocks = [*model.time_block.parameters(), *model.layer_block.parameters()]
    assert sum(p.numel() for p in blocks) == 39_352_320
    projection = sum(p.numel() for p in model.projection.parameters())
    assert projection == 5_246_976
    total = sum(p.numel() for p in model.parameters())
    assert total + 4_194_304 == 48_793_600


def test_every_parameter_is_trained():
    model = TLTR(16, llm_width=8)
    frames = Frames(torch.randn(1, 5, 3, 16), torch.ones(1), 2.5)
    model([frames])[0].square().sum().backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None]
    assert silent == []
