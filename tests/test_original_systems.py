"""SALMONN, LTU-AS and WavLLM, tiny, from files in their original formats
through their YAMLs: against straight-line references, alone and in batches,
and through infer.py.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
from pathlib import Path

import infer
import pandas as pd
import pytest
import reference_systems as reference
import sentencepiece
import torch
from tiny_originals import (
    WRITERS,
    load_answerer,
    wavllm_configs,
    wavllm_tensors,
)
from tiny_systems import noise_clips
from transformers import LlamaForCausalLM

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.integrations.wavllm_conversion import (
    main as convert_main,
)
from speechbrain_jasco.integrations.wavllm_conversion import (
    published_configs,
    split_parts,
)
from speechbrain_jasco.lobes.frames import Frames

ROOT = Path(__file__).resolve().parents[1]
HPARAMS = ROOT / "hparams"
NEW = 6
GREEDY = {
    "do_sample": False,
    "num_beams": 1,
    "max_new_tokens": NEW,
    "suppress_tokens": reference.BYTES,
}
QUESTIONS = [
    "What are they doing?",
    "Where are they now, and what do they say?",
]
# The longest of the official clips is 9.96 s, the shortest 1.62 s.
SECONDS = (1.62, 2.3, 9.96)
SYSTEMS = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    """name -> (overrides, tensors of the checkpoint), each written once."""
    written = {}

    def get(name):
        if name not in written:
            folder = tmp_path_factory.mktemp(name)
            written[name] = WRITERS[name](folder)
        return written[name]

    return get


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return noise_clips(tmp_path_factory.mktemp("clips"), SECONDS)


def salmonn_answer(answerer, w, wav, question, folder):
    model = answerer.model
    speech, sounds = (encoder.encode(wav) for encoder in model.encoders)
    tokens = reference.salmonn_tokens(w, speech, sounds, n_heads=2)
    sp = sentencepiece.SentencePieceProcessor(f"{folder}/tokenizer.model")
    llama = LlamaForCausalLM.from_pretrained(folder).eval()
    root = "llama_model.base_model.model.model"
    llama = reference.add_lora(llama, w, root, scale=32 / 8)
    before = [1, *sp.encode("USER: <Speech>")]
    after = sp.encode(f"</Speech> {question}\nASSISTANT:")
    logits = reference.llama_logits(llama, before, tokens, after)
    return tokens, sp.decode(without_end(reference.greedy(logits, NEW)))


def ltu_as_answer(answerer, w, wav, question, folder):
    tokens = reference.ltu_as_tokens(w, answerer.model.encoders[0].encode(wav))
    sp = sentencepiece.SentencePieceProcessor(f"{folder}/tokenizer.model")
    llama = LlamaForCausalLM.from_pretrained(folder).eval()
    root = "base_model.model.model"
    llama = reference.add_lora(llama, w, root, scale=16 / 8)
    said = answerer.recogniser.transcribe([wav])[0]
    heard = f"### Input:\n{said}\n\n" if said else ""
    text = f"### Instruction:\n{question}\n\n{heard}### Response:\n"
    after = [1, *sp.encode(text)]
    logits = reference.llama_logits(llama, [], tokens, after)
    new = reference.greedy(logits, NEW, prompt=after, penalty=1.1)
    return tokens, sp.decode(without_end(new))


def wavllm_answer(answerer, w, wav, question, folder):
    whisper, wavlm = (e.encode(wav) for e in answerer.model.encoders)
    tokens = reference.wavllm_tokens(w, whisper, wavlm)
    sp = sentencepiece.SentencePieceProcessor(f"{folder}/tokenizer.model")
    system = (
        "As a helpful language and speech assistant, you are able to "
        "understand the speech content provided by the user, and assist the "
        "user with a variety of tasks using natural language."
    )
    before = [1, *sp.encode(f"[INST]<<SYS>>\n{system}\n<</SYS>>\n\n<SPEECH>")]
    after = [1, *sp.encode(f"</SPEECH> {question} [/INST]")]
    logits = reference.wavllm_logits(
        w, before, tokens, after, sp.encode(f'"{question}"'), (2, 4)
    )
    new = reference.greedy(logits, NEW, at_least_one=True)
    return tokens, sp.decode(without_end(new))


ANSWERS = {
    "salmonn": salmonn_answer,
    "ltu_as": ltu_as_answer,
    "wavllm": wavllm_answer,
}


def without_end(new):
    return [token for token in new if token != reference.END]


def llm_folder(overrides):
    if "model_folder" in overrides:
        return f"{overrides['model_folder']}/llm"
    return overrides["llm_source"]


@SYSTEMS
@torch.no_grad()
def test_tokens_and_answers_are_those_of_the_reference(name, systems, clips):
    """All clips and questions as one batch, each against its own reference.
    Audio tokens differ by at most 6e-7 at a mean of 0.6."""
    overrides, w = systems(name)
    answerer = load_answerer(HPARAMS, name, overrides, GREEDY)
    answerer.check()
    pairs = [(clip, text) for clip in clips for text in QUESTIONS]
    answers = answerer.answer(*map(list, zip(*pairs, strict=True)))
    folder = llm_folder(overrides)
    for (clip, question), answer in zip(pairs, answers, strict=True):
        wav = read_audio(clip.path)
        tokens, expected = ANSWERS[name](answerer, w, wav, question, folder)
        ours, _ = answerer.model.tokens(wav[None], torch.ones(1))
        torch.testing.assert_close(ours[0], tokens, atol=1e-5, rtol=1e-5)
        assert answer == expected.strip()
    assert len(set(answers)) > 2  # clips and questions matter


@SYSTEMS
def test_alone_and_in_a_batch(name, systems, clips):
    """The same audio tokens, the same greedy answer."""
    overrides, _ = systems(name)
    answerer = load_answerer(HPARAMS, name, overrides, GREEDY)
    pairs = [(clip, text) for clip in clips for text in QUESTIONS]
    together = answerer.answer(*map(list, zip(*pairs, strict=True)))
    alone = [answerer.answer([clip], [text])[0] for clip, text in pairs]
    assert together == alone
    wavs = [read_audio(clip.path) for clip in clips]
    padded = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
    lens = torch.tensor([len(wav) for wav in wavs]) / padded.shape[1]
    with torch.no_grad():
        tokens, token_lens = answerer.model.tokens(padded, lens)
        sizes = (token_lens * tokens.shape[1]).round().long().tolist()
        for wav, row, size in zip(wavs, tokens, sizes, strict=True):
            own, _ = answerer.model.tokens(wav[None], torch.ones(1))
            torch.testing.assert_close(row[:size], own[0], atol=1e-5, rtol=0)


TOKENS = {
    1.62: {"salmonn": 88, "ltu_as": 25, "wavllm": 20},
    7.25: {"salmonn": 88, "ltu_as": 25, "wavllm": 91},
    9.96: {"salmonn": 88, "ltu_as": 25, "wavllm": 125},
    30.0: {"salmonn": 88, "ltu_as": 25, "wavllm": 375},
}


@SYSTEMS
@pytest.mark.parametrize("seconds", TOKENS)
def test_as_many_audio_tokens_as_in_the_original(name, seconds, systems):
    overrides, _ = systems(name)
    model = load_answerer(HPARAMS, name, overrides, GREEDY).model
    model.load()
    with torch.no_grad():
        wav = 0.1 * torch.randn(1, round(16000 * seconds))
        tokens, lens = model.tokens(wav, torch.ones(1))
    assert tokens.shape[1] == TOKENS[seconds][name] and lens.item() == 1.0


@torch.no_grad()
def test_tltr_is_made_of_openais_whisper_blocks(systems):
    """The package's own blocks read LTU-AS's tensors as they are."""
    blocks = pytest.importorskip(
        "whisper.model", reason="openai-whisper is not installed"
    )
    overrides, w = systems("ltu_as")
    model = load_answerer(HPARAMS, "ltu_as", overrides, GREEDY).model
    model.load()
    x = model.encoders[0].encode(0.1 * torch.randn(16000 * 3))  # [25, L, D]
    theirs = []
    for block, n_heads in (("time_tr", 1), ("layer_tr", 8)):
        root = f"base_model.model.model.audio_encoder.{block}."
        theirs.append(blocks.ResidualAttentionBlock(16, n_heads))
        theirs[-1].load_state_dict(
            {k[len(root) :]: v for k, v in w.items() if k.startswith(root)}
        )
    over_time = theirs[0](x.transpose(0, 1)).transpose(0, 1)
    y = theirs[1](over_time).mean(dim=1)
    y = torch.nn.functional.layer_norm(y, (16,))
    root = "base_model.model.model.audio_proj.1"
    expected = y @ w[f"{root}.weight"].T + w[f"{root}.bias"]
    frames = Frames(x[None], torch.ones(1), 2.5)
    ours, _ = model.fusion([frames])
    torch.testing.assert_close(ours[0], expected, atol=1e-5, rtol=1e-5)


@SYSTEMS
def test_the_weights_are_those_of_the_file(name, systems):
    """Numbers for names: one per kind, spelled out."""
    overrides, w = systems(name)
    model = load_answerer(HPARAMS, name, overrides, GREEDY).model
    model.load()
    block = "llm.model.base_model.model.model.layers.1.self_attn"
    q_proj = "model.layers.1.self_attn.q_proj.lora_A.default.weight"
    same = {
        "salmonn": {
            "fusion.qformer.queries": "speech_query_tokens",
            "fusion.norms.1.bias": "ln_audio.bias",
            f"{block}.q_proj.lora_A.default.weight": "llama_model.base_model."
            f"model.{q_proj}",
        },
        "ltu_as": {
            "fusion.layer_block.mlp.2.bias": "base_model.model.model."
            "audio_encoder.layer_tr.mlp.2.bias",
            "fusion.projection.weight": "base_model.model.model.audio_proj.1"
            ".weight",
            f"{block}.q_proj.lora_A.default.weight": "base_model.model."
            + q_proj,
        },
        "wavllm": {
            "fusion.branches.1.layer_weights": "wavlm_encoder.output_weights",
            "fusion.branches.0.up.weight": "audio_encoder.adapter.up_layer"
            ".weight",
            "llm.model.model.layers.1.self_attn.o_proj.lora_B": "gpt_model."
            "model_llama.layers.1.attention.wo_lora_B",
            "llm.model.prompt_scale.attention.bias": "gpt_model.model_llama."
            "scale_weight_attention.bias",
        },
    }[name]
    state = model.trainable_state()
    for ours, theirs in same.items():
        assert torch.equal(state[ours], w[theirs]), ours


@SYSTEMS
def test_a_model_of_another_size_is_refused(name, systems):
    """As one error, before anything is answered."""
    overrides, _ = systems(name)
    wider = {"salmonn": {"n_queries": 2}, "ltu_as": {"width": 24}}
    wider["wavllm"] = {"llm_width": 64}
    model = {**overrides["model"]}
    model["fusion"] = {**model["fusion"], **wider[name]}
    overrides = {**overrides, "model": model}
    model = load_answerer(HPARAMS, name, overrides, GREEDY).model
    with pytest.raises(ValueError, match="does not fit this model.*\n  shape"):
        model.load()


@SYSTEMS
def test_infer_runs_it_as_the_paper_decodes_it(name, systems, tmp_path):
    """Every key of the YAML's decoding but the length."""
    overrides, _ = systems(name)
    overrides = {
        **overrides,
        "answerer": {"decoding": {"max_new_tokens": NEW}},
        "data_folder": str(ROOT / "tests" / "samples" / "demo"),
        "output_folder": str(tmp_path),
        "limit": 2,
    }
    argv = [str(HPARAMS / f"infer_{name}.yaml")]
    for key, value in overrides.items():
        argv += [f"--{key}", json.dumps(value)]
    infer.main(argv)
    table = pd.read_csv(tmp_path / "predictions.csv", keep_default_na=False)
    assert len(table) == 2 * 8
    assert (table["allm_output"] != "").sum() >= 14  # a random end may come
    answers = (tmp_path / "answers.jsonl").read_text(encoding="utf-8")
    assert len(answers.splitlines()) == 2


@SYSTEMS
def test_other_ways_to_load_answer_too(name, systems, clips):
    """Half precision beside adapters in full, placed by accelerate."""
    overrides, _ = systems(name)
    options = {"dtype": "bfloat16", "device_map": "auto", "attention": "eager"}
    answerer = load_answerer(HPARAMS, name, {**overrides, **options}, GREEDY)
    answerer.check()
    assert all(answerer.answer(clips[:2], QUESTIONS))
    llm = answerer.model.llm
    assert llm.embed(torch.tensor([1])).dtype == torch.bfloat16
    assert llm.network.config._attn_implementation == "eager"
    state = answerer.model.trainable_state()
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


@SYSTEMS
def test_without_weights_one_error_names_all_of_them(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    answerer = load_answerer(HPARAMS, name, {}, {})
    with pytest.raises(ValueError, match="4 problem") as error:
        answerer.check()
    wanted = {
        "salmonn": (
            "openai/whisper-large-v2",
            "pretrained/BEATs_iter3_plus_AS2M_finetuned_on_AS2M_cpt2.pt",
            "lmsys/vicuna-7b-v1.5",
            "tsinghua-ee/SALMONN-7B",
        ),
        "ltu_as": (
            "openai/whisper-large'",
            "openai/whisper-large-v2",
            "pretrained/vicuna_ltuas",
            "pretrained_mdls/README.md",
        ),
        "wavllm": (
            "pretrained/wavllm/whisper",
            "pretrained/wavllm/wavlm",
            "pretrained/wavllm/llm",
            "v-sjhu/WavLLM",
        ),
    }[name]
    for text in wanted:
        assert text in str(error.value)


def test_wavllms_conversion_knows_both_spellings_of_weight_norm():
    tensors = wavllm_tensors()
    new = {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): tensor
        for name, tensor in tensors.items()
    }
    assert set(new) != set(tensors)
    parts = [split_parts(t, wavllm_configs(), "a")[0] for t in (tensors, new)]
    for name, tensor in parts[0]["wavlm"].items():
        assert torch.equal(tensor, parts[1]["wavlm"][name])


def test_wavllms_conversion_names_every_fault(tmp_path):
    tensors = wavllm_tensors()
    tensors["stranger"] = torch.ones(1)
    del tensors["gpt_model.model_llama.norm.weight"]
    with pytest.raises(ValueError) as error:
        split_parts(tensors, wavllm_configs(), "final.pt")
    assert "2 faults" in str(error.value)
    assert "not known: stranger" in str(error.value)
    assert "missing: llm/model.norm.weight" in str(error.value)


def test_wavllms_conversion_recognises_an_expired_download(tmp_path):
    """SpeechT5 issue 78: an XML page of the storage, saved as final.pt."""
    page = b'\xef\xbb\xbf<?xml version="1.0"?><Error>'
    (tmp_path / "final.pt").write_bytes(page)
    with pytest.raises(ValueError, match="XML page.*v-sjhu/WavLLM"):
        convert_main([str(tmp_path / "final.pt"), "tokenizer.model", "out"])


def test_wavllm_is_published_in_the_size_of_its_papers():
    llm = published_configs()["llm"]
    assert (llm.hidden_size, llm.num_hidden_layers) == (4096, 32)
    assert (llm.intermediate_size, llm.vocab_size) == (11008, 32000)
    assert llm.rms_norm_eps == 1e-6  # LLaMA 2 itself has 1e-5
