"""Tiny native models that see as well: Omni, Gemma, Phi-4-multimodal.

Their processors cannot be built without torchvision.

Authors
 * The speechbrain_jasco developers, 2026
"""

import transformers as tf
from tiny_native_parts import (
    CHATML_PARTS,
    finish,
    spread,
    text_sizes,
    write_lora,
    write_tokenizer,
)

QWEN_OMNI = CHATML_PARTS.replace("AUDIO", "<|audio_bos|><|AUDIO|><|audio_eos|>")
PHI4 = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_phi4_multimodal(folder):
    """Phi-4-multimodal with its LoRA for speech in a subfolder."""
    special = ["<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>"]
    tokens = {"image_token": "<|image|>", "audio_token": "<|audio|>"}
    tokenizer = write_tokenizer(
        folder,
        [*special, "<|system|>", *tokens.values()],
        PHI4,
        pad_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|end|>",
        extra_special_tokens=tokens,
    )
    processor = tf.Phi4MultimodalProcessor(
        tf.Phi4MultimodalImageProcessor(),
        tf.Phi4MultimodalFeatureExtractor(),
        tokenizer,
        chat_template=PHI4,
    )
    processor.save_pretrained(folder)
    config = tf.Phi4MultimodalConfig(
        **text_sizes(tokenizer),
        original_max_position_embeddings=2048,
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "short_factor": [1.0] * 4,
            "long_factor": [1.5] * 4,
        },
        audio_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_blocks": 1,
            "num_attention_heads": 2,
            "ext_pw_out_channel": 16,
            "depthwise_separable_out_channel": 16,
            "nemo_conv_channels": 16,
            "audio_token_id": tokenizer.audio_token_id,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_token_id": tokenizer.image_token_id,
        },
    )
    model = tf.Phi4MultimodalForCausalLM(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)
    linears = r"(self_attn\.(qkv|o)_proj|mlp\.(gate_up|down)_proj)"
    targets = r"model\.layers\.\d+\." + linears
    write_lora(folder / "speech-lora", model, targets)


OMNI_TOKENS = {
    "image_token": "<|IMAGE|>",
    "audio_token": "<|AUDIO|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}


def write_omni_processor(folder, processor_class):
    """Processor of an Omni model; returns its tokenizer."""
    tokenizer = write_tokenizer(
        folder,
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *OMNI_TOKENS.values()],
        QWEN_OMNI,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        extra_special_tokens=OMNI_TOKENS,
    )
    processor_class(
        image_processor=tf.Qwen2VLImageProcessor(),
        video_processor=tf.Qwen2VLVideoProcessor(),
        feature_extractor=tf.WhisperFeatureExtractor(feature_size=16),
        tokenizer=tokenizer,
        chat_template=QWEN_OMNI,
    ).save_pretrained(folder)
    return tokenizer


OMNI_AUDIO = {
    "num_mel_bins": 16,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "d_model": 16,
    "output_dim": 32,
}
OMNI_VISION = {
    "depth": 1,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_heads": 2,
    "out_hidden_size": 32,
}
MROPE = {"rope_theta": 1e6, "rope_type": "default", "mrope_section": [2, 1, 1]}


def write_qwen2_5_omni(folder):
    """A whole Qwen2.5-Omni: thinker, talker and vocoder."""
    tokenizer = write_omni_processor(folder, tf.Qwen2_5OmniProcessor)
    ids = tokenizer.convert_tokens_to_ids
    sizes = {**text_sizes(tokenizer), "rope_parameters": MROPE}
    config = tf.Qwen2_5OmniConfig(
        thinker_config={
            "audio_config": OMNI_AUDIO,
            "vision_config": OMNI_VISION,
            "text_config": sizes,
            "audio_token_index": ids("<|AUDIO|>"),
            "image_token_index": ids("<|IMAGE|>"),
            "video_token_index": ids("<|VIDEO|>"),
            "vision_start_token_id": ids("<|vision_bos|>"),
        },
        talker_config={
            **sizes,
            "vocab_size": 64,
            "head_dim": 8,
            "embedding_size": 32,
        },
        token2wav_config={
            "dit_config": {
                "hidden_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "head_dim": 8,
                "emb_dim": 16,
                "num_embeds": 8,
                "enc_channels": [8, 8, 8, 8, 24],
                "enc_attention_channels": 8,
                "enc_se_channels": 8,
            },
            "bigvgan_config": {"upsample_initial_channel": 64},
        },
    )
    model = tf.Qwen2_5OmniForConditionalGeneration(config)
    spread(model.thinker)
    finish(model, tokenizer, folder, tokenizer.added_tokens_decoder)


def write_qwen3_omni(folder):
    """A Qwen3-Omni thinker."""
    tokenizer = write_omni_processor(folder, tf.Qwen3OmniMoeProcessor)
    ids = tokenizer.convert_tokens_to_ids
    config = tf.Qwen3OmniMoeThinkerConfig(
        audio_config={**OMNI_AUDIO, "downsample_hidden_size": 8},
        vision_config={**OMNI_VISION, "deepstack_visual_indexes": [0]},
        text_config={
            **text_sizes(tokenizer),
            "rope_parameters": {**MROPE, "mrope_interleaved": True},
            "head_dim": 8,
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
        },
        audio_token_id=ids("<|AUDIO|>"),
        image_token_id=ids("<|IMAGE|>"),
        video_token_id=ids("<|VIDEO|>"),
        vision_start_token_id=ids("<|vision_bos|>"),
    )
    model = tf.Qwen3OmniMoeThinkerForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)


GEMMA = (
    "{{ bos_token }}{% for m in messages %}START{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'audio' %}AUDIO"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "END\n{% endfor %}{% if add_generation_prompt %}STARTmodel\n{% endif %}"
)


def gemma_template(start, end, audio):
    """Gemma's template with the generation's own turn tokens."""
    template = GEMMA.replace("START", start).replace("END", end)
    return template.replace("AUDIO", audio)


def write_gemma3n(folder):
    """Gemma 3n; its vision tower is one of timm's test models."""
    tokens = {
        "image_token": "<image_soft_token>",
        "audio_token": "<audio_soft_token>",
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "boa_token": "<start_of_audio>",
        "eoa_token": "<end_of_audio>",
    }
    template = gemma_template(
        "<start_of_turn>", "<end_of_turn>", "<audio_soft_token>"
    )
    special = ["<pad>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]
    tokenizer = write_tokenizer(
        folder,
        [*special, *list(tokens.values())[2:]],
        template,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<end_of_turn>",
        extra_special_tokens=tokens,
    )
    # The soft tokens lie behind the text vocabulary, vision first.
    image, audio = tokenizer.image_token_id, tokenizer.audio_token_id
    assert (image, audio) == (len(tokenizer) - 2, len(tokenizer) - 1)
    processor = tf.Gemma3nProcessor(
        tf.Gemma3nAudioFeatureExtractor(),
        tf.SiglipImageProcessor(),
        tokenizer,
        chat_template=template,
    )
    processor.save_pretrained(folder)
    config = tf.Gemma3nConfig(
        text_config={
            **text_sizes(tokenizer),
            "head_dim": 8,
            "num_hidden_layers": 4,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "sliding_window": 512,
            "vocab_size_per_layer_input": image,
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 2,
            "laurel_rank": 4,
            "activation_sparsity_pattern": [0.5, 0.0, 0.0, 0.0],
        },
        audio_config={
            "vocab_size": 1,
            "vocab_offset": audio,
            "hidden_size": 16,
            "conf_num_attention_heads": 2,
            "conf_num_hidden_layers": 1,
            "sscp_conv_channel_size": [4, 4],
        },
        vision_config={
            "architecture": "test_efficientnet",
            "hidden_size": 16,
            "vocab_size": 1,
            "vocab_offset": image,
        },
        audio_token_id=audio,
        image_token_id=image,
    )
    model = tf.Gemma3nForConditionalGeneration(config)
    spread(model.model.audio_tower)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)


def write_gemma4(folder):
    """Gemma 4, of the kind of E2B: per-layer inputs, shared keys, windows."""
    tokens = {
        "image_token": "<|image|>",
        "audio_token": "<|audio|>",
        "boi_token": "<|image>",
        "eoi_token": "<image|>",
        "boa_token": "<|audio>",
        "eoa_token": "<audio|>",
    }
    template = gemma_template("<|turn>", "<turn|>", "<|audio|>")
    tokenizer = write_tokenizer(
        folder,
        ["<pad>", "<bos>", "<eos>", "<|turn>", "<turn|>", *tokens.values()],
        template,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<turn|>",
        extra_special_tokens=tokens,
    )
    processor = tf.Gemma4Processor(
        tf.Gemma4AudioFeatureExtractor(),
        tf.Gemma4ImageProcessor(),
        tokenizer,
        tf.Gemma4VideoProcessor(),
        chat_template=template,
    )
    processor.save_pretrained(folder)
    config = tf.Gemma4Config(
        text_config={
            **text_sizes(processor.tokenizer),
            "head_dim": 8,
            "global_head_dim": 8,
            "num_hidden_layers": 4,
            "layer_types": ["sliding_attention", "full_attention"] * 2,
            "sliding_window": 512,
            "vocab_size_per_layer_input": len(processor.tokenizer),
            "hidden_size_per_layer_input": 8,
            "num_kv_shared_layers": 2,
        },
        audio_config={
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "subsampling_conv_channels": [128, 4],
            "output_proj_dims": 24,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "position_embedding_size": 64,
        },
        audio_token_id=processor.audio_token_id,
        image_token_id=processor.image_token_id,
        video_token_id=processor.video_token_id,
        boa_token_id=processor.tokenizer.boa_token_id,
        eoa_token_index=processor.tokenizer.eoa_token_id,
    )
    model = tf.Gemma4ForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)
