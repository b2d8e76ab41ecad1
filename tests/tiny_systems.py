"""Tiny random auditory LLMs and their parts, for tests.

Authors
 * The speechbrain_jasco developers, 2026
"""

import io
import json

import sentencepiece as spm
import torch
from speechbrain.dataio import audio_io

from speechbrain_jasco.dataio import Clip
from speechbrain_jasco.integrations.audio_llm import AudioLLM
from speechbrain_jasco.integrations.causal_lm import CausalLM
from speechbrain_jasco.integrations.whisper_encoder import WhisperEncoder
from speechbrain_jasco.lobes.models.window_qformer import WindowQFormer

WHISPER = {
    "d_model": 16,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "init_std": 0.2,
}
VOCABULARY = 400
LLAMA = {
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 2048,
    "initializer_range": 0.3,
}
LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"]}
SALMONN = "{bos}USER: <Speech>{audio}</Speech> {question}\nASSISTANT:"
WORDS = (
    "USER: ASSISTANT: <Speech></Speech> <SPEECH></SPEECH> [INST]<<SYS>> <</SYS>>"
    " [/INST] ### Instruction: ### Input: ### Response: What are the speakers "
    "doing, given the background sound and what they say? Where are they now? "
    "As a helpful language and speech assistant, you are able to understand."
)


def write_llama_tokenizer(folder):
    """A Llama tokenizer (SentencePiece BPE, byte fallback) on a few words;
    returns the SentencePiece model itself."""
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter([WORDS, WORDS.lower()] * 20),
        model_writer=model,
        vocab_size=VOCABULARY,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=[],
        hard_vocab_limit=False,
        minloglevel=2,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    config = {"tokenizer_class": "LlamaTokenizer", "legacy": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return spm.SentencePieceProcessor(model_proto=model.getvalue())


def randomize(module, seed=0):
    """Gives trained weights values: LoRA starts with B = 0, as if absent."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.requires_grad:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(0.1 * noise)


def tiny_audio_llm(tokenizer, template=SALMONN, llama=LLAMA, **options):
    """Whisper, a window Q-Former and a LLaMA with LoRA, all random."""
    torch.manual_seed(0)
    encoder = WhisperEncoder(window="trimmed", config=WHISPER)
    llm = CausalLM(config=llama, tokenizer=str(tokenizer), lora=LORA)
    fusion = WindowQFormer([16], llm.width, width=8, n_heads=2)
    model = AudioLLM([encoder], fusion, llm, template, **options)
    randomize(model)
    return model.eval()


def noise_clips(folder, seconds):
    """Recordings of noise, so long each."""
    clips = []
    for number, length in enumerate(seconds):
        path = folder / f"{number}.wav"
        generator = torch.Generator().manual_seed(number)
        noise = torch.randn(1, round(16000 * length), generator=generator)
        audio_io.save(str(path), 0.1 * noise, 16000)
        clips.append(Clip(str(number), "", "", "", "", "", "", "", "", path))
    return clips
