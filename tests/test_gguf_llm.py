"""Tests of the conversion GGUF -> LLM.

A tiny file is written here; it and, under the marker ``weights``, the published
SmolLM2 are held against gguf's own dequantisation.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
)

from speechbrain_jasco import starter
from speechbrain_jasco.integrations import gguf_llm

SMOLLM2 = "smollm2-135m-instruct"
CHAT = "{% for m in messages %}{{ m.role }}:{{ m.content }}\n{% endfor %}"
GGUF_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def hf_name(name):
    """Our own reading of a GGUF tensor name."""
    if name.startswith("blk."):
        _, block, part, _ = name.split(".")
        return f"model.layers.{block}.{GGUF_NAMES[part]}.weight"
    return f"{GGUF_NAMES[name.removesuffix('.weight')]}.weight"


def pair_rows(matrix, heads):
    """llama.cpp's row order: a head's halves (0, d/2), (1, d/2 + 1), ..."""
    per_head = len(matrix) // heads
    order = [
        head * per_head + half * per_head // 2 + row
        for head in range(heads)
        for row in range(per_head // 2)
        for half in (0, 1)
    ]
    return matrix[order]


def unpair_rows(matrix, heads):
    """Undo ``pair_rows``."""
    index = torch.arange(len(matrix)).unsqueeze(1)
    return matrix[pair_rows(index, heads).squeeze(1).argsort()]


def reference_llama(path, config):
    """A Llama filled from gguf's own reader and dequantisation."""
    gguf = pytest.importorskip("gguf")
    state = {}
    for tensor in gguf.GGUFReader(path).tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        matrix = torch.from_numpy(np.array(values, dtype=np.float32))
        if ".attn_q." in tensor.name:
            matrix = unpair_rows(matrix, config.num_attention_heads)
        if ".attn_k." in tensor.name:
            matrix = unpair_rows(matrix, config.num_key_value_heads)
        state[hf_name(tensor.name)] = matrix
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model = LlamaForCausalLM(config)
    model.load_state_dict(state)
    return model.eval()


def write_gguf(path, config, tokens):
    """Write a random Q4_1 Llama; returns its HF state before quantisation."""
    gguf = pytest.importorskip("gguf")
    model = LlamaForCausalLM(config)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 3 + [1] * (len(tokens) - 3))
    writer.add_token_merges(["Ċ Ċ"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(CHAT)
    names = {n: hf_name(n) for n in ("token_embd.weight", "output_norm.weight")}
    for block in range(config.num_hidden_layers):
        for part in list(GGUF_NAMES)[2:]:
            name = f"blk.{block}.{part}.weight"
            names[name] = hf_name(name)
    for name, hf in names.items():
        values = model.state_dict()[hf]
        if ".attn_q." in name:
            values = pair_rows(values, config.num_attention_heads)
        if ".attn_k." in name:
            values = pair_rows(values, config.num_key_value_heads)
        kind = gguf.GGMLQuantizationType.F32
        if values.dim() == 2:
            kind = gguf.GGMLQuantizationType.Q4_1
        data = gguf.quantize(values.numpy(), kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model.state_dict()


@pytest.fixture(scope="module")
def tiny_llama(tmp_path_factory):
    """(GGUF file, converted folder, state before quantisation)."""
    pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *letters, "ĊĊ"]
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
    )
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    state = write_gguf(path, config, tokens)
    folder = tmp_path_factory.mktemp("llm")
    gguf_llm.convert({path.name: path}, folder)
    return path, folder, state


@torch.no_grad()
def test_llm_equals_gguf_dequantisation(tiny_llama):
    path, folder, original = tiny_llama
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    assert model.dtype == torch.float32
    assert model.config.rope_parameters["rope_theta"] == 5000.0
    reference = reference_llama(path, model.config)
    for name, tensor in reference.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
        # and that is what was quantised, up to half a step of 16 levels
        step = (original[name].max() - original[name].min()) / 15
        assert (tensor - original[name]).abs().max() <= 0.51 * step, name
    ids = torch.randint(3, 250, (2, 9))
    assert torch.equal(model(ids).logits, reference(ids).logits)


def test_llm_folder_is_an_ordinary_one(tiny_llama):
    _, folder, _ = tiny_llama
    config = json.loads((folder / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["architectures"] == ["LlamaForCausalLM"]
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.generation_config.eos_token_id == 2
    assert model.generation_config.pad_token_id == 2
    model.save_pretrained(folder.parent / "again")  # a GGUF model refuses this


def test_llm_tokenizer(tiny_llama):
    _, folder, _ = tiny_llama
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.chat_template == CHAT
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.model_max_length == 128
    # each digit first, so the blank line stays whole
    assert tokenizer.tokenize("a\n\n12") == ["a", "ĊĊ", "1", "2"]
    text = "Hé, it's  5 o'clock.\n"
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    ids = tokenizer("<|im_start|>a<|im_end|>").input_ids
    assert (ids[0], ids[-1], len(ids)) == (1, 2, 3)


def ready():
    """The converted model; skips where there is none."""
    if not starter.is_ready(SMOLLM2):
        pytest.skip(f"python -m speechbrain_jasco.starter {SMOLLM2}")
    return starter.resolve(f"starter:{SMOLLM2}")


@pytest.mark.weights
@torch.no_grad()
def test_smollm2_equals_gguf_dequantisation(tmp_path):
    folder = ready()
    try:
        files = starter.fetch_files(SMOLLM2, tmp_path)
    except RuntimeError as error:
        pytest.skip(f"the published file cannot be had: {error}")
    (path,) = files.values()
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    reference = reference_llama(path, model.config)
    ids = torch.randint(100, 40000, (1, 32))
    assert torch.equal(model(ids).logits, reference(ids).logits)


@pytest.mark.weights
def test_smollm2_answers_and_stops():
    folder = ready()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"
    )
    text = tokenizer.decode(prompt["input_ids"][0])
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant")
    assert text.endswith("France?<|im_end|>\n<|im_start|>assistant\n")
    out = model.generate(**prompt, do_sample=False, max_new_tokens=60)
    answer = tokenizer.decode(out[0, prompt["input_ids"].shape[1] :])
    assert answer == "The capital of France is Paris.<|im_end|>"


@pytest.mark.weights
def test_smollm2_tokenizer():
    tokenizer = AutoTokenizer.from_pretrained(ready())
    pieces = tokenizer.tokenize("Rate:\n\n12 points")
    assert pieces == ["Rate", ":", "ĊĊ", "1", "2", "Ġpoints"]
