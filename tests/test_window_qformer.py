"""The Q-Former over windows, against transformers' and by construction.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from transformers import Blip2QFormerConfig, Blip2QFormerModel

from speechbrain_jasco.lobes.frames import Frames
from speechbrain_jasco.lobes.models.qformer import QFormer
from speechbrain_jasco.lobes.models.window_qformer import (
    WindowQFormer,
    read_at,
)

RENAMED = [
    ("layers.", "encoder.layer."),
    ("self_attention", "attention"),
    ("cross_attention", "crossattention"),
    ("feed_forward.expand", "intermediate_query.dense"),
    ("feed_forward.", "output_query."),
    ("attention.dense", "attention.output.dense"),
    ("attention.norm", "attention.output.norm"),
    ("attention.query", "attention.attention.query"),
    ("attention.key", "attention.attention.key"),
    ("attention.value", "attention.attention.value"),
    (".norm", ".LayerNorm"),
]


def tiny(widths=(6, 4), **sizes):
    """A fusion with 7 output dimensions, random in every parameter."""
    torch.manual_seed(0)
    model = WindowQFormer(list(widths), 7, width=8, n_heads=2, **sizes).eval()
    with torch.no_grad():  # zeros and ones would hide a swapped bias or norm
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def clip(n_frames, width, rate_hz=50.0):
    return Frames(torch.randn(1, n_frames, width), torch.ones(1), rate_hz)


def batch(clips):
    """What join_frames would make of clips of one stream."""
    sizes = torch.tensor([c.x.shape[1] for c in clips])
    x = torch.nn.utils.rnn.pad_sequence([c.x[0] for c in clips], True)
    return Frames(x, sizes / x.shape[1], clips[0].rate_hz)


def blip2_name(name):
    if name.startswith("norm"):
        return "layernorm" + name[len("norm") :]
    for here, there in RENAMED:
        name = name.replace(here, there)
    return name


@pytest.mark.parametrize(
    ("width", "memory_width", "n_heads", "n_queries"),
    [(16, 12, 4, 3), (768, 2048, 12, 1)],
    ids=["tiny", "salmonn"],
)
def test_the_qformer_is_that_of_blip2(width, memory_width, n_heads, n_queries):
    torch.manual_seed(0)
    ours = QFormer(width, memory_width, 2, n_heads, n_queries).eval()
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    config = Blip2QFormerConfig(
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=n_heads,
        intermediate_size=4 * width,
        cross_attention_frequency=1,
        encoder_hidden_size=memory_width,
        use_qformer_text_input=False,
        layer_norm_eps=1e-12,
    )
    theirs = Blip2QFormerModel(config).eval()
    weights = ours.state_dict()
    queries = weights.pop("queries")
    theirs.load_state_dict({blip2_name(k): v for k, v in weights.items()})
    memory = torch.randn(4, 17, memory_width)
    with torch.no_grad():
        expected = theirs(
            query_embeds=queries.expand(4, -1, -1),
            encoder_hidden_states=memory,
        ).last_hidden_state
        torch.testing.assert_close(ours(memory), expected, atol=5e-6, rtol=0)


def test_a_window_is_seen_by_its_tokens_only():
    model = tiny(n_queries=2)
    speech, sounds = clip(60, 6), clip(60, 4)
    before, lens = model([speech, sounds])
    assert before.shape == (1, 3 * 2, 7) and lens.tolist() == [1.0]
    speech.x[:, 20] = torch.randn(6)  # in the second window, 17 to 33
    moved = (model([speech, sounds])[0] - before).abs().amax(dim=2)[0]
    changed = moved > 1e-6
    assert changed.tolist() == [False, False, True, True, False, False]
    speech.x[:, 51:] = torch.randn(9, 6)  # behind the last whole window
    again = model([speech, sounds])[0]
    torch.testing.assert_close(again[:, 4:], before[:, 4:])


def test_the_windows_are_those_of_a_loop():
    model = tiny(n_queries=2)
    speech, sounds = clip(60, 6), clip(40, 4)
    a, b = model.norms[0](speech.x), model.norms[1](sounds.x)
    b = torch.cat([b, torch.zeros(1, 20, 4)], dim=1)  # zeros behind the norm
    x = torch.cat([a, b], dim=2)
    by_hand = [
        model.projection(model.qformer(x[:, start : start + 17]))
        for start in (0, 17, 34)
    ]
    torch.testing.assert_close(
        model([speech, sounds])[0], torch.cat(by_hand, dim=1)
    )


def test_the_first_stream_may_be_the_shorter_one():
    model = tiny()
    tokens, _ = model([clip(20, 6), clip(52, 4)])
    assert tokens.shape == (1, 3, 7)


@pytest.mark.parametrize("sound_rate_hz", [50.0, 2.7])
def test_a_clip_alone_and_in_a_batch_gives_the_same_tokens(sound_rate_hz):
    model = tiny(n_queries=2)
    n_sounds = [round(n * sound_rate_hz / 50) for n in (55, 130, 9)]
    speech = [clip(n, 6) for n in (60, 130, 11)]
    sounds = [clip(max(1, n), 4, sound_rate_hz) for n in n_sounds]
    tokens, lens = model([batch(speech), batch(sounds)])
    sizes = (lens * tokens.shape[1]).round().long().tolist()
    assert sizes == [3 * 2, 7 * 2, 1 * 2]
    for row, size, a, b in zip(tokens, sizes, speech, sounds, strict=True):
        alone, _ = model([a, b])
        torch.testing.assert_close(row[:size], alone[0], atol=1e-6, rtol=0)
        assert not row[size:].any()


def test_a_clip_shorter_than_a_window_is_padded_to_one():
    model = tiny((6,))
    short = clip(5, 6)
    padded = torch.cat([model.norms[0](short.x), torch.zeros(1, 12, 6)], dim=1)
    expected = model.projection(model.qformer(padded))
    torch.testing.assert_close(model([short])[0], expected)


def test_30_s_of_salmonn_are_88_tokens():
    """allms.md section 0: 1500 frames of Whisper beside 496 of BEATs."""
    model = tiny()
    tokens, lens = model([clip(1500, 6), clip(496, 4)])
    assert tokens.shape[1] == 88 and lens.tolist() == [1.0]


def test_a_slower_stream_is_read_at_the_times_of_the_first():
    """Frame t of 50 Hz is centred on (t + 0.5) / 50 s; at 2 Hz the first
    half second is frame 0."""
    slow = torch.arange(1.0, 4.0).reshape(1, 3, 1)
    read = read_at(slow, 2.0, 100, 50.0).flatten()
    assert read.tolist() == [1.0] * 25 + [2.0] * 25 + [3.0] * 25 + [0.0] * 25


def test_streams_and_widths_must_agree():
    with pytest.raises(ValueError, match="got 1 streams; expected 2"):
        tiny()([clip(20, 6)])


def test_the_parts_that_salmonn_trains():
    """arXiv 2310.13289: with LoRA (r 8, q and v, 4,194,304) 30,186,240."""
    with torch.device("meta"):
        model = WindowQFormer([1280, 768], 4096)
    count = {
        name: sum(p.numel() for p in part.parameters())
        for name, part in model.named_children()
    }
    assert count == {
        "norms": 4_096,
        "qformer": 22_837_248 + 768,
        "projection": 3_149_824,
    }
    assert sum(count.values()) + 4_194_304 == 30_186_240


def test_every_parameter_is_trained():
    model = tiny((6, 4), n_queries=2).train()
    model([clip(20, 6), clip(20, 4)])[0].square().sum().backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None]
    assert silent == []
