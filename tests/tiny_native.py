"""Tiny random models of transformers' own audio-language classes, with their
own processors, as folders.

A chat template here has the form of the released one; vocabularies are a few
hundred tokens, widths 16 to 32.

Authors
 * The speechbrain_jasco developers, 2026
"""

import base64
import json
from typing import NamedTuple

import pytest
import torch
import transformers as tf

CHATML_PARTS = (
    "{% for m in messages %}"
    "{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'audio' %}AUDIO"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN2_AUDIO = CHATML_PARTS.replace(
    "AUDIO", "Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n"
)
QWEN_OMNI = CHATML_PARTS.replace("AUDIO", "<|audio_bos|><|AUDIO|><|audio_eos|>")
FLAMINGO = CHATML_PARTS.replace("AUDIO", "<sound>")
WORDS = (
    "What are the speakers doing? Where are they? First write down the words "
    "you hear, then name the sound in the background. system user assistant "
    "You are a helpful assistant. Audio 1: Answer in one sentence. model"
)


class Family(NamedTuple):
    """What the tests need to know of a preset."""

    prompt: str  # class in audio_prompt.py
    encoder: str  # the module that hears
    needs: tuple = ()  # packages without which no processor can be built


VISION = ("torchvision",)
FAMILIES = {
    "qwen2_audio": Family("PartsPrompt", "model.audio_tower"),
    "qwen2_5_omni": Family("PartsPrompt", "model.audio_tower", VISION),
    "qwen3_omni": Family("PartsPrompt", "model.audio_tower", VISION),
    "audio_flamingo3": Family("PartsPrompt", "model.audio_tower"),
    "voxtral": Family(
        "MistralPrompt", "model.audio_tower", ("mistral_common",)
    ),
    "gemma3n": Family("PartsPrompt", "model.audio_tower", (*VISION, "timm")),
    "gemma4": Family("PartsPrompt", "model.audio_tower", VISION),
    "phi4_multimodal": Family(
        "TextPrompt", "model.embed_tokens_extend.audio_embed.encoder", VISION
    ),
    "granite_speech": Family("TextPrompt", "model.encoder"),
}


def write_family(name, folder):
    """Write a preset's tiny model, or skip and say what it takes."""
    for package in FAMILIES[name].needs:
        pytest.importorskip(
            package,
            reason=f"the processor or a tower of {name} needs {package}",
        )
    folder.mkdir(exist_ok=True)
    WRITERS[name](folder)
    return folder


def write_tokenizer(folder, special, template, **options):
    """A byte-level BPE with special tokens; returns it."""
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        processors,
        trainers,
    )

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([WORDS] * 5, trainer)
    bos = options.get("bos_token")
    if bos:  # as Gemma's: text gets one, unless told otherwise
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, bpe.token_to_id(bos))]
        )
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=bpe, chat_template=template, **options
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def finish(model, tokenizer, folder, special):
    """Keep the model from ends and blanks, so that it never answers nothing,
    and save it."""
    text = [i for i in range(len(tokenizer)) if i not in special]
    blank = [i for i in text if not tokenizer.decode([i]).strip()]
    model.generation_config = tf.GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=sorted({*special, *blank}),
        # What a released checkpoint would do if nobody said otherwise.
        do_sample=True,
        temperature=0.7,
        repetition_penalty=1.3,
    )
    model.save_pretrained(folder)


def spread(model, scale=0.4):
    """Random weights wide enough that inputs change the answers."""
    torch.manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim > 1:
                p.normal_(0, scale / p.shape[-1] ** 0.5 * 3)
    return model


def text_sizes(tokenizer):
    """Sizes of a tiny decoder."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }


def write_qwen2_audio(folder):
    """Qwen2-Audio."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    special += ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
    tokenizer = write_tokenizer(
        folder,
        special,
        QWEN2_AUDIO,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
    )
    features = tf.WhisperFeatureExtractor(feature_size=16)
    processor = tf.Qwen2AudioProcessor(
        features, tokenizer, chat_template=QWEN2_AUDIO
    )
    processor.save_pretrained(folder)
    config = tf.Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "num_mel_bins": 16,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "d_model": 16,
        },
        text_config={"model_type": "qwen2", **text_sizes(tokenizer)},
        audio_token_id=processor.audio_token_id,
    )
    model = tf.Qwen2AudioForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)


def write_audio_flamingo3(folder):
    """Audio Flamingo 3."""
    tokenizer = write_tokenizer(
        folder,
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<sound>"],
        FLAMINGO,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
    )
    features = tf.WhisperFeatureExtractor(feature_size=16)
    processor = tf.AudioFlamingo3Processor(
        features, tokenizer, chat_template=FLAMINGO
    )
    processor.save_pretrained(folder)
    config = tf.AudioFlamingo3Config(
        audio_config={
            "model_type": "audioflamingo3_encoder",
            "num_mel_bins": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "hidden_size": 16,
        },
        text_config={"model_type": "qwen2", **text_sizes(tokenizer)},
        audio_token_id=processor.audio_token_id,
    )
    model = tf.AudioFlamingo3ForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)


GRANITE = (
    "{% for m in messages %}<|start_of_role|>{{ m['role'] }}<|end_of_role|>"
    "{{ m['content'] }}<|end_of_text|>\n{% endfor %}"
    "{% if add_generation_prompt %}"
    "<|start_of_role|>assistant<|end_of_role|>{% endif %}"
)


def write_granite_speech(folder):
    """Granite Speech with its LoRA, which only hearing switches on."""
    special = ["<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>"]
    tokenizer = write_tokenizer(
        folder,
        [*special, "<|audio|>"],
        GRANITE,
        pad_token="<|end_of_text|>",
        eos_token="<|end_of_text|>",
    )
    processor = tf.GraniteSpeechProcessor(
        tf.GraniteSpeechFeatureExtractor(), tokenizer, chat_template=GRANITE
    )
    processor.save_pretrained(folder)
    sizes = text_sizes(tokenizer)
    config = tf.GraniteSpeechConfig(
        text_config={"model_type": "granite", **sizes},
        encoder_config={
            "model_type": "granite_speech_encoder",
            "num_layers": 1,
            "hidden_dim": 16,
            "num_heads": 2,
            "context_size": 50,
            "conv_kernel_size": 3,
        },
        projector_config={
            "model_type": "blip_2_qformer",
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "encoder_hidden_size": 16,
            "cross_attention_frequency": 1,
        },
        audio_token_index=tokenizer.convert_tokens_to_ids("<|audio|>"),
        tie_word_embeddings=False,
    )
    model = tf.GraniteSpeechForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, tokenizer.added_tokens_decoder)
    write_lora(folder, model, ["q_proj", "v_proj"])


def write_lora(folder, model, targets):
    """A random LoRA for a model's decoder in the folder's peft format."""
    from peft import LoraConfig, get_peft_model

    lora = get_peft_model(model, LoraConfig(r=4, target_modules=targets))
    with torch.no_grad():
        for name, p in lora.named_parameters():
            if "lora_" in name:
                p.normal_(0, 0.5)
    lora.save_pretrained(folder)


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


def write_tekken(folder):
    """Mistral's tokenizer file: bytes only, and the control tokens."""
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]"]
    names += ["[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"]
    names += ["[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]"]
    names += ["[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]"]
    names += ["[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"]
    names += [f"<SPECIAL_{i}>" for i in range(20, 24)]
    names += ["[AUDIO]", "[BEGIN_AUDIO]"]
    names += [f"<SPECIAL_{i}>" for i in range(26, 34)] + ["[TRANSCRIBE]"]
    special = [
        {"rank": rank, "token_str": name, "is_control": True}
        for rank, name in enumerate(names)
    ]
    vocab = [
        {
            "rank": rank,
            "token_bytes": base64.b64encode(bytes([rank])).decode(),
            "token_str": None,
        }
        for rank in range(256)
    ]
    n_special = len(special)
    content = {
        "config": {
            "pattern": r"[^\s]+|\s+",
            "num_vocab_tokens": 256,
            "default_vocab_size": 256 + n_special,
            "default_num_special_tokens": n_special,
            "version": "v7",
        },
        "vocab": vocab,
        "special_tokens": special,
        "audio": {
            "sampling_rate": 16000,
            "frame_rate": 12.5,
            "audio_encoding_config": {
                "num_mel_bins": 16,
                "hop_length": 160,
                "window_size": 400,
            },
            "chunk_length_s": 30.0,
        },
    }
    (folder / "tekken.json").write_text(json.dumps(content))
    return 256 + n_special


def write_voxtral(folder):
    """Voxtral with a tokenizer of mistral-common."""
    vocabulary = write_tekken(folder)
    tokenizer = tf.MistralCommonBackend(folder / "tekken.json")
    processor = tf.VoxtralProcessor(
        tf.WhisperFeatureExtractor(feature_size=16), tokenizer
    )
    processor.save_pretrained(folder)
    config = tf.VoxtralConfig(
        audio_config={
            "model_type": "voxtral_encoder",
            "num_mel_bins": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "hidden_size": 16,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": vocabulary,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 8,
        },
        audio_token_id=24,
    )
    model = tf.VoxtralForConditionalGeneration(config)
    finish(spread(model), tokenizer, folder, range(36))


WRITERS = {
    "qwen2_audio": write_qwen2_audio,
    "qwen2_5_omni": write_qwen2_5_omni,
    "qwen3_omni": write_qwen3_omni,
    "audio_flamingo3": write_audio_flamingo3,
    "voxtral": write_voxtral,
    "gemma3n": write_gemma3n,
    "gemma4": write_gemma4,
    "phi4_multimodal": write_phi4_multimodal,
    "granite_speech": write_granite_speech,
}
