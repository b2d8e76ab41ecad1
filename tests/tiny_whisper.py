"""A tiny random Whisper and its tokenizer, for tests.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

SPECIALS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|fr|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|notimestamps|>",
)


def write_tokenizer(path, vocabulary):
    """Write a byte-level tokenizer without merges; returns token -> id."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    fillers = [
        f"fill{i}" for i in range(vocabulary - len(letters) - len(SPECIALS))
    ]
    ids = {token: i for i, token in enumerate([*letters, *fillers, *SPECIALS])}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIALS))
    tokenizer.save(str(path))
    return ids


def random_whisper(vocabulary, ids, **sizes):
    """A Whisper whose two sides differ in every size."""
    torch.manual_seed(0)
    end = ids["<|endoftext|>"]
    config = WhisperConfig(
        vocab_size=vocabulary,
        d_model=16,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=4,
        encoder_ffn_dim=32,
        decoder_ffn_dim=48,
        init_std=0.5,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        **sizes,
    )
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():  # zeros and ones would hide a swapped bias or norm
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def write_english_folder(folder):
    """A whole English-only Hugging Face folder."""
    ids = write_tokenizer(folder / "tokenizer.json", 300)
    model = random_whisper(300, ids)
    end = ids["<|endoftext|>"]
    model.generation_config = GenerationConfig(
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        suppress_tokens=[i for token, i in ids.items() if len(token) > 1],
        no_timestamps_token_id=ids["<|notimestamps|>"],
        is_multilingual=False,
        return_timestamps=False,
    )
    model.save_pretrained(folder)
    WhisperTokenizer(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token=SPECIALS[0]
    ).save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
