"""Checkpoints of SALMONN, LTU-AS and WavLLM with random weights, by the names
and shapes of the originals (read from their code), at any size.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from transformers import LlamaConfig, WavLMConfig, WavLMModel, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

SALMONN_7B = {
    "whisper": 1280,
    "beats": 768,
    "width": 768,
    "llm": 4096,
    "n_blocks": 32,
}
SALMONN_13B = {**SALMONN_7B, "llm": 5120, "n_blocks": 40}
LTU_AS_7B = {"whisper": 1280, "llm": 4096, "n_blocks": 32}
WAVLLM_7B = {
    "whisper": 1280,
    "wavlm": 768,
    "convs": (1280, 512),
    "width": 1024,
    "bottleneck": 512,
    "out": 2048,
    "n_layers": 13,
    "llm": 4096,
    "n_blocks": 32,
    "rank": 32,
    "hidden": 1024,
    "vocabulary": 32000,
    "inner": 11008,
}


def linear(name, n_out, n_in):
    return {f"{name}.weight": (n_out, n_in), f"{name}.bias": (n_out,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def peft_lora(prefix, llm, n_blocks, rank=8):
    """LoRA of q and v by the names of peft."""
    shapes = {}
    for n in range(n_blocks):
        for letter in "qv":
            name = f"{prefix}.layers.{n}.self_attn.{letter}_proj"
            shapes[f"{name}.lora_A.default.weight"] = (rank, llm)
            shapes[f"{name}.lora_B.default.weight"] = (llm, rank)
    return shapes


def salmonn_shapes(whisper, beats, width, llm, n_blocks):
    """``['model']`` of SALMONN."""
    shapes = {"speech_query_tokens": (1, 1, width)}
    shapes |= norm("ln_speech", whisper) | norm("ln_audio", beats)
    shapes |= linear("speech_llama_proj", llm, width)
    bert = "speech_Qformer.bert"
    shapes |= norm(f"{bert}.embeddings.LayerNorm", width)
    for n in (0, 1):
        layer = f"{bert}.encoder.layer.{n}"
        for part, memory in (
            ("attention", width),
            ("crossattention", whisper + beats),
        ):
            shapes |= linear(f"{layer}.{part}.self.query", width, width)
            shapes |= linear(f"{layer}.{part}.self.key", width, memory)
            shapes |= linear(f"{layer}.{part}.self.value", width, memory)
            shapes |= linear(f"{layer}.{part}.output.dense", width, width)
            shapes |= norm(f"{layer}.{part}.output.LayerNorm", width)
        shapes |= linear(f"{layer}.intermediate_query.dense", 4 * width, width)
        shapes |= linear(f"{layer}.output_query.dense", width, 4 * width)
        shapes |= norm(f"{layer}.output_query.LayerNorm", width)
    lora = peft_lora("llama_model.base_model.model.model", llm, n_blocks)
    return shapes | lora


def salmonn_extras(width):
    """What a file of 2023 may also hold."""
    bert = "speech_Qformer.bert"
    layer = f"{bert}.encoder.layer.1"
    return {
        f"{bert}.embeddings.position_ids": (1, 512),
        f"{bert}.embeddings.word_embeddings.weight": (9, width),
        f"{bert}.embeddings.position_embeddings.weight": (9, width),
        **linear(f"{layer}.intermediate.dense", 4 * width, width),
        **linear(f"{layer}.output.dense", width, 4 * width),
        **norm(f"{layer}.output.LayerNorm", width),
        **linear("speech_Qformer.cls.predictions.transform.dense", 9, width),
        "llama_model.base_model.model.model.layers.0.self_attn."
        "rotary_emb.inv_freq": (4,),
    }


def ltu_as_shapes(whisper, llm, n_blocks):
    """The flat file of LTU-AS."""
    root = "base_model.model.model"
    shapes = linear(f"{root}.audio_proj.1", llm, whisper)
    for block in ("time_tr", "layer_tr"):
        name = f"{root}.audio_encoder.{block}"
        for part in ("query", "value", "out"):
            shapes |= linear(f"{name}.attn.{part}", whisper, whisper)
        shapes[f"{name}.attn.key.weight"] = (whisper, whisper)
        shapes |= norm(f"{name}.attn_ln", whisper)
        shapes |= linear(f"{name}.mlp.0", 4 * whisper, whisper)
        shapes |= linear(f"{name}.mlp.2", whisper, 4 * whisper)
        shapes |= norm(f"{name}.mlp_ln", whisper)
    return shapes | peft_lora(root, llm, n_blocks)


def wavllm_adapter_shapes(sizes):
    """What WavLLM trains, but the part inside its LLaMA."""
    shapes = {"wavlm_encoder.output_weights": (sizes["n_layers"],)}
    width, out = sizes["width"], sizes["out"]
    for encoder, n_in, n_conv in (
        ("audio_encoder", sizes["whisper"], sizes["convs"][0]),
        ("wavlm_encoder", sizes["wavlm"], sizes["convs"][1]),
    ):
        convs = f"{encoder}.subsample.conv_layers"
        shapes[f"{convs}.0.weight"] = (n_conv, n_in, 3)
        shapes[f"{convs}.0.bias"] = (n_conv,)
        shapes[f"{convs}.1.weight"] = (2 * width, n_conv // 2, 3)
        shapes[f"{convs}.1.bias"] = (2 * width,)
        adapter, inner = f"{encoder}.adapter", sizes["bottleneck"]
        shapes |= linear(f"{adapter}.down_layer", inner, width)
        shapes |= linear(f"{adapter}.up_layer", width, inner)
        shapes |= norm(f"{adapter}.layer_norm", width)
        shapes |= linear(f"{encoder}.projector", out, width)
    return shapes | linear("wavlm_audio_proj", sizes["llm"], 2 * out)


def wavllm_llama_shapes(sizes):
    """WavLLM's LLaMA with its adapter: (frozen, trained)."""
    root, llm = "gpt_model.model_llama", sizes["llm"]
    frozen = {
        f"{root}.tok_embeddings.weight": (sizes["vocabulary"], llm),
        f"{root}.norm.weight": (llm,),
        f"{root}.output.weight": (sizes["vocabulary"], llm),
    }
    trained = linear(f"{root}.scale_fc_1", sizes["hidden"], llm)
    trained |= linear(f"{root}.scale_fc_2", llm, sizes["hidden"])
    trained |= linear(f"{root}.scale_weight_attention", 1, llm)
    for n in range(sizes["n_blocks"]):
        block = f"{root}.layers.{n}"
        for letter in "qkvo":
            name = f"{block}.attention.w{letter}"
            frozen[f"{name}.weight"] = (llm, llm)
            trained[f"{name}_lora_A"] = (llm, sizes["rank"])
            trained[f"{name}_lora_B"] = (sizes["rank"], llm)
        for part, shape in (
            ("w1", (sizes["inner"], llm)),
            ("w2", (llm, sizes["inner"])),
            ("w3", (sizes["inner"], llm)),
        ):
            frozen[f"{block}.feed_forward.{part}.weight"] = shape
        frozen[f"{block}.attention_norm.weight"] = (llm,)
        frozen[f"{block}.ffn_norm.weight"] = (llm,)
    return frozen, trained


def wavllm_encoder_shapes(whisper, wavlm):
    """Both encoders by transformers' names of 2024; configurations given."""
    with torch.device("meta"):
        models = {
            "audio_encoder": WhisperEncoder(whisper),
            "wavlm_encoder": WavLMModel(wavlm),
        }
    shapes = {
        f"{name}.model.{key}": tuple(tensor.shape)
        for name, model in models.items()
        for key, tensor in model.state_dict().items()
    }
    return {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): shape
        for key, shape in shapes.items()
    }


def random_tensors(shapes, std=0.2):
    """Weights whose every number matters: no zero biases, no plain norms."""
    tensors = {}
    for name, shape in shapes.items():
        noise = std * torch.randn(shape)
        is_norm = any(s in name for s in ("norm", "LayerNorm", "ln", "_g"))
        if is_norm and name.endswith(("weight", "weight_g")):
            noise = noise + 1.0
        tensors[name] = noise
    return tensors


def published_configs():
    """The sizes that WavLLM was published in, as its papers give them."""
    whisper = WhisperConfig(
        d_model=1280,
        encoder_layers=32,
        encoder_attention_heads=20,
        encoder_ffn_dim=5120,
        num_mel_bins=80,
        max_source_positions=1500,
    )
    wavlm = WavLMConfig(
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
    )
    llm = LlamaConfig(
        vocab_size=32000,
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        rms_norm_eps=1e-6,
    )
    return {"whisper": whisper, "wavlm": wavlm, "llm": llm}
