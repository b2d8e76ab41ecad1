"""How much faster are 8 questions about a clip than one question 8 times?

    python infer_throughput.py [--n_clips 4] [--new_tokens 32] [--num_beams 4]

The authors of the benchmarked systems ask one question of one clip at a time:
encoders, fusion and the whole prompt run for each (their decoding has a cache
of keys and values, and so it has here). ``AudioAnswerer`` encodes a clip
once, runs the shared beginning of its prompts through the LLM once and
answers the 8 instructions as one batch. Both ways use the same modules: a
random model of SALMONN's shape, scaled down (30 s windows, two encoders, 88
audio tokens, LoRA). They take turns, clip by clip, and every answer has the
same length; greedy answers must be identical.

Authors
 * The speechbrain_jasco developers, 2026
"""

import argparse
import time
from pathlib import Path

import torch
import yaml
from transformers import GenerationConfig

from speechbrain_jasco.dataio import read_audio, read_clips
from speechbrain_jasco.integrations.audio_answerer import AudioAnswerer
from speechbrain_jasco.integrations.audio_llm import AudioLLM
from speechbrain_jasco.integrations.causal_lm import CausalLM
from speechbrain_jasco.integrations.whisper_encoder import WhisperEncoder
from speechbrain_jasco.lobes.models.beats import Beats
from speechbrain_jasco.lobes.models.window_qformer import WindowQFormer

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "tests" / "samples" / "demo"
INSTRUCTIONS = ROOT / "hparams" / "prompts" / "instructions.yaml"
TOKENIZER = "starter:smollm2-135m-instruct"  # its 49152 pieces, no weights

WHISPER = {  # base: SALMONN has large-v2, 1280 wide, 32 layers
    "d_model": 512,
    "encoder_layers": 6,
    "encoder_attention_heads": 8,
    "encoder_ffn_dim": 2048,
}
BEATS = {  # SALMONN: 768 wide, 12 layers
    "encoder_layers": 4,
    "encoder_embed_dim": 256,
    "encoder_attention_heads": 4,
    "encoder_ffn_embed_dim": 1024,
}
LLAMA = {  # SALMONN: 4096 wide, 32 layers
    "model_type": "llama",
    "vocab_size": 49152,
    "hidden_size": 512,
    "intermediate_size": 1376,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "initializer_range": 0.08,  # answers that differ, far from ties
}


def build():
    """Makes the random model of SALMONN's shape (AudioLLM)."""
    torch.manual_seed(0)
    llm = CausalLM(
        config=LLAMA, tokenizer=TOKENIZER, lora={"r": 8, "lora_alpha": 32}
    )
    fusion = WindowQFormer(
        [WHISPER["d_model"], BEATS["encoder_embed_dim"]],
        llm.width,
        width=256,
        n_heads=4,
    )
    encoders = [
        WhisperEncoder(window="30s", config=WHISPER),
        Beats(config=BEATS),
    ]
    template = "{bos}USER: <Speech>{audio}</Speech> {question}\nASSISTANT:"
    model = AudioLLM(encoders, fusion, llm, template)
    model.load()
    return model.eval()


@torch.inference_mode()
def ask_one_by_one(model, clip, questions, decoding):
    """Asks as the authors do: everything anew for each question.

    Arguments
    ---------
    model : AudioLLM
        The model.
    clip : Clip
        The clip.
    questions : list of str
        The questions.
    decoding : dict
        Arguments of ``GenerationConfig``.

    Returns
    -------
    list of str
        The answers.
    """
    llm, texts = model.llm, []
    options = {**llm.network.generation_config.to_dict(), **decoding}
    for question in questions:
        wav = read_audio(clip.path).unsqueeze(0)
        audio, _ = model.tokens(wav, torch.ones(1))
        before, after = (
            llm.embed(torch.tensor([ids])) for ids in model.prompt(question)
        )
        embeds = torch.cat([before, audio, after], dim=1)
        new = llm.network.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long),
            generation_config=GenerationConfig(**options),
        )
        text = llm.tokenizer.decode(new[0], skip_special_tokens=True)
        texts.append(text.strip())
    return texts


def main():
    """Print both times, their ratio and whether the answers are the same."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n_clips", type=int, default=4)
    parser.add_argument("--new_tokens", type=int, default=32)
    parser.add_argument("--num_beams", type=int, default=1)
    arguments = parser.parse_args()
    model = build()
    texts = yaml.safe_load(INSTRUCTIONS.read_text(encoding="utf-8"))
    questions = [entry["text"] for entry in texts]
    decoding = {
        "do_sample": False,
        "max_new_tokens": arguments.new_tokens,
        "min_new_tokens": arguments.new_tokens,
        "num_beams": arguments.num_beams,
    }
    answerer = AudioAnswerer(model, decoding)
    ways = {
        "one by one": lambda c: ask_one_by_one(model, c, questions, decoding),
        "shared": lambda c: answerer.answer([c] * len(questions), questions),
    }
    clips = read_clips(DEMO / "clips.csv", DEMO)[: arguments.n_clips + 1]
    seconds = {name: [] for name in ways}
    answers = {name: [] for name in ways}
    for clip in clips:
        for name, ask in ways.items():
            began = time.perf_counter()
            answers[name] += ask(clip)
            seconds[name].append(time.perf_counter() - began)
    n_threads = torch.get_num_threads()
    print(f"{len(clips) - 1} clips x {len(questions)} questions, {n_threads=}")
    for name, values in seconds.items():  # the first clip warms up
        print(f"{name}: {sum(values[1:]):.1f} s")
    one, shared = (sum(values[1:]) for values in seconds.values())
    same = answers["one by one"] == answers["shared"]
    n_distinct = len(set(answers["shared"]))
    print(f"{one / shared:.1f} times faster; identical answers: {same}")
    print(f"({n_distinct} of {len(answers['shared'])} answers are distinct)")


if __name__ == "__main__":
    main()
