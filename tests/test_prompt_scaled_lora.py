"""WavLLM's LoRA in a LLaMA of transformers, against a straight-line reference
in Meta's layout.

Authors
 * The speechbrain_jasco developers, 2026
"""

from types import SimpleNamespace

import meta_llama
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from speechbrain_jasco.integrations.original_weights import rename
from speechbrain_jasco.integrations.wavllm_conversion import PARTS
from speechbrain_jasco.integrations.wavllm_weights import WAVLLM
from speechbrain_jasco.lobes.models.prompt_scaled_lora import (
    PromptScaledLora,
    half_split,
)

LAYERS, HEADS, WIDTH, RANK = 3, 4, 32, 3
ATOL = 2e-5  # measured: at most 3.5e-6, at a mean |logit| of 0.9


def by_our_names(weights):
    """What the conversion and WavllmCheckpoint do, without files."""
    ours = {}
    for name, tensor in weights.items():
        name = f"gpt_model.model_llama.{name}"
        new = rename(name, PARTS) or rename(name, WAVLLM)
        new = new.replace("llm/", "").replace("llm.model.", "", 1)
        if "q_proj" in new or "k_proj" in new:
            if new.endswith("weight"):
                new = new.replace(".weight", ".base.weight")
                tensor = half_split(tensor, HEADS)
            elif new.endswith("lora_B"):
                tensor = half_split(tensor, HEADS, dim=1)
        elif "self_attn" in new and new.endswith("weight"):
            new = new.replace(".weight", ".base.weight")
        ours[new] = tensor
    return ours


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    return meta_llama.random_weights((40, WIDTH, 48, RANK, 8), LAYERS)


@pytest.fixture
def llm(weights):
    """A LLaMA with the adapter; letters are its tokens."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=40,
            hidden_size=WIDTH,
            intermediate_size=48,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            rms_norm_eps=1e-6,
        )
    ).eval()
    adapter = PromptScaledLora(rank=RANK, hidden=8)
    adapter.attach(model)
    model.load_state_dict(by_our_names(weights))
    return SimpleNamespace(
        model=model.eval(),
        adapter=adapter,
        tokenize=lambda text: [ord(letter) % 40 for letter in text],
    )


def reference(weights, llm, ids, question):
    prompt = torch.tensor(llm.tokenize(f'"{question}"'))
    scale = meta_llama.prompt_scale(weights, prompt, LAYERS, HEADS)
    return meta_llama.logits(weights, ids, scale, LAYERS, HEADS), scale


@torch.no_grad()
def test_logits_are_those_of_metas_layout(weights, llm):
    """Questions of two lengths in one batch, each against its own run."""
    torch.manual_seed(1)
    ids = torch.randint(40, (3, 11))
    questions = ["What?", "Who speaks here?", "What?"]
    llm.adapter.prepare(llm, questions)
    ours = llm.model(input_ids=ids).logits
    scales = []
    for row, text, mine in zip(ids, questions, ours, strict=True):
        expected, scale = reference(weights, llm, row, text)
        torch.testing.assert_close(mine, expected, atol=ATOL, rtol=0)
        scales.append(scale)
    # The comparison is one only if s depends on the prompt, is neither 0 nor
    # 3 throughout, and matters.
    assert not torch.equal(scales[0], scales[1])
    assert ((scales[0] > 0) & (scales[0] < 3)).float().mean() > 0.3
    llm.adapter.prepare(llm, ["Who speaks here?"] * 3)
    other = llm.model(input_ids=ids).logits
    assert (other[0] - ours[0]).abs().max() > 100 * ATOL
    torch.testing.assert_close(other[1], ours[1], atol=ATOL, rtol=0)


@torch.no_grad()
def test_s_moves_with_q_and_k_and_not_with_v_and_o(weights, llm):
    """Leaving s of q and k in Meta's order is seen."""
    ids = torch.arange(11)[None]
    llm.adapter.prepare(llm, ["What?"])
    expected, scale = reference(weights, llm, ids[0], "What?")
    attention = llm.model.model.layers[0].self_attn
    torch.testing.assert_close(
        attention.v_proj.scale[0], scale, atol=ATOL, rtol=0
    )
    torch.testing.assert_close(
        attention.q_proj.scale[0], half_split(scale, HEADS), atol=ATOL, rtol=0
    )
    for block in llm.model.model.layers:
        block.self_attn.q_proj.scale = block.self_attn.v_proj.scale
    wrong = llm.model(input_ids=ids).logits[0]
    assert (wrong - expected).abs().max() > 100 * ATOL


@torch.no_grad()
def test_without_a_question_the_lora_is_off(weights, llm):
    ids = torch.arange(11)
    llm.adapter.prepare(llm, ["What?"])
    llm.adapter.prepare(llm, None)
    ours = llm.model(input_ids=ids[None]).logits[0]
    expected = meta_llama.logits(weights, ids, None, LAYERS, HEADS)
    torch.testing.assert_close(ours, expected, atol=ATOL, rtol=0)


@torch.no_grad()
def test_the_beams_of_a_row_share_its_scale(llm):
    llm.adapter.prepare(llm, ["What?", "Who speaks here?"])
    ids = torch.randint(40, (2, 5))
    alone = llm.model(input_ids=ids).logits
    beams = llm.model(input_ids=ids.repeat_interleave(4, dim=0)).logits
    torch.testing.assert_close(beams[::4], alone, atol=ATOL, rtol=0)
    torch.testing.assert_close(beams[3::4], alone, atol=ATOL, rtol=0)


def test_all_of_the_adapter_is_trained_and_nothing_else(llm):
    llm.model.requires_grad_(True)
    llm.adapter.prepare(llm, ["What?"])
    llm.model(input_ids=torch.arange(11)[None]).logits.square().sum().backward()
    silent = {
        name
        for name, p in llm.model.named_parameters()
        if p.grad is None and ("lora" in name or "prompt_scale" in name)
    }
    assert silent == set()


def test_shared_key_heads_are_refused():
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=40,
            hidden_size=WIDTH,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=4,
            num_key_value_heads=2,
        )
    )
    with pytest.raises(ValueError, match="k_proj has 16 outputs"):
        PromptScaledLora().attach(model)
