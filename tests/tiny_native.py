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
import transformers as tf
from tiny_native_parts import (
    CHATML_PARTS,
    finish,
    spread,
    text_sizes,
    write_lora,
    write_tokenizer,
)
from tiny_native_vision import (
    write_gemma3n,
    write_gemma4,
    write_phi4_multimodal,
    write_qwen2_5_omni,
    write_qwen3_omni,
)

QWEN2_AUDIO = CHATML_PARTS.replace(
    "AUDIO", "Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n"
)
FLAMINGO = CHATML_PARTS.replace("AUDIO", "<sound>")


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
