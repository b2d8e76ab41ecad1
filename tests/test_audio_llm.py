"""Tests of the auditory LLM and of how it is asked.

The oracle of all answers is the way without any of it: one clip, one prompt,
the whole sequence through the LLM for every new token, no cache.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import random

import pytest
import torch
from infer_systems import set_some_vocabulary
from safetensors.torch import load_file
from tiny_systems import (
    LLAMA,
    SALMONN,
    noise_clips,
    randomize,
    tiny_audio_llm,
)
from transformers import GenerationConfig, RepetitionPenaltyLogitsProcessor

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.integrations.audio_answerer import AudioAnswerer
from speechbrain_jasco.integrations.causal_lm import CausalLM
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)
from speechbrain_jasco.integrations.trained_weights import (
    TrainedWeights,
    export,
)
from speechbrain_jasco.lobes.models.readout import Readout

QUESTIONS = [
    "What are they doing?",
    "Where are they now, given what they say?",
    "Who?",
]
GREEDY = {"max_new_tokens": 8, "do_sample": False}
SECONDS = (0.5, 2.0, 1.1, 3.3)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return noise_clips(tmp_path_factory.mktemp("clips"), SECONDS)


@pytest.fixture
def model(tokenizer):
    model = tiny_audio_llm(tokenizer)
    model.load()
    return model


def pairs(clips, questions=QUESTIONS, seed=None):
    """Every clip with every question, shuffled if asked for."""
    all_pairs = [(clip, text) for clip in clips for text in questions]
    if seed is not None:
        random.Random(seed).shuffle(all_pairs)
    return [list(side) for side in zip(*all_pairs, strict=True)]


def clip_tokens(model, clip):
    with torch.no_grad():
        return model.tokens(read_audio(clip.path)[None], torch.ones(1))[0][0]


def sequence(model, tokens, prompt):
    """Embeddings of a whole prompt."""
    before, after = (model.llm.embed(torch.tensor(i).long()) for i in prompt)
    return torch.cat([before, tokens, after])


@torch.no_grad()
def full_forward(model, tokens, prompt, n_new=8):
    """Greedy answer and logits without a cache: (ids, [N, V])."""
    embeds = sequence(model, tokens, prompt)
    new, seen = [], []
    for _ in range(n_new):
        logits = model.llm.network(inputs_embeds=embeds[None]).logits[0, -1]
        seen.append(logits)
        new.append(int(logits.argmax()))
        if new[-1] == model.llm.network.generation_config.eos_token_id:
            break
        step = model.llm.embed(torch.tensor([new[-1]]))
        embeds = torch.cat([embeds, step])
    return new, torch.stack(seen)


def oracle(model, clips, questions):
    """Answers of the way without any of it (list of str)."""
    texts = []
    for clip, question in zip(clips, questions, strict=True):
        tokens = clip_tokens(model, clip)
        new, _ = full_forward(model, tokens, model.prompt(question))
        text = model.llm.tokenizer.decode(new, skip_special_tokens=True)
        texts.append(text.strip())
    return texts


# ----------------------------------------------------------------------------
# Where the audio stands
# ----------------------------------------------------------------------------


class Probe:
    """Records what the LLM is run on, in order."""

    def __init__(self, llm):
        self.calls = []
        self.handle = llm.network.base_model.register_forward_pre_hook(
            lambda module, args, kwargs: self.calls.append(kwargs),
            with_kwargs=True,
        )


@pytest.mark.parametrize(
    "template, n_before",
    [
        (SALMONN, True),
        ("{audio}{bos}{question}", False),
        ("{audio}{question}", 0),
    ],
)
def test_audio_stands_exactly_at_its_place(
    tokenizer, clips, template, n_before
):
    model = tiny_audio_llm(tokenizer, template)
    model.load()
    probe = Probe(model.llm)
    answerer = AudioAnswerer(model, {**GREEDY, "max_new_tokens": 1}, None, 16)
    answerer.answer(*pairs(clips[:2]))
    probe.handle.remove()
    beginning, rest = probe.calls
    # The rows of a question stand together, the shortest questions first.
    suffixes = [model.prompt(question).after for question in QUESTIONS]
    places = sorted(suffixes, key=lambda ids: (len(ids), ids))
    for row, clip in enumerate(clips[:2]):  # 0.5 s, then 2 s
        tokens = clip_tokens(model, clip)
        for question in QUESTIONS:
            prompt = model.prompt(question)
            assert bool(prompt.before) == bool(n_before)
            # What the cache was made of, then what followed it.
            seen = beginning["attention_mask"][row] == 1
            embeds = beginning["inputs_embeds"][row][seen]
            index = places.index(prompt.after) * 2 + row
            ids = rest["input_ids"][index][-len(prompt.after) :]
            assert ids.tolist() == prompt.after
            embeds = torch.cat([embeds, model.llm.embed(ids)])
            expected = sequence(model, tokens, prompt)
            assert torch.allclose(embeds, expected, atol=1e-6)
            # Positions count from 0 to the end without a gap.
            mask = rest["attention_mask"][index].bool()
            positions = torch.cat(
                [
                    beginning["position_ids"][row][seen],
                    rest["position_ids"][index][-len(prompt.after) :],
                ]
            )
            assert positions.tolist() == list(range(len(expected)))
            assert mask.sum() == len(expected)


# ----------------------------------------------------------------------------
# The same answers as without any of it
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
def test_answers_are_those_of_single_full_forwards(model, clips, batch_size):
    asked = pairs(clips, seed=batch_size)
    answers = AudioAnswerer(model, GREEDY, None, batch_size).answer(*asked)
    assert answers == oracle(model, *asked)
    assert len(set(answers)) > len(clips)  # they differ at all


FAMILIES = {
    "grouped queries": {**LLAMA, "num_key_value_heads": 2},
    "qwen2": {**LLAMA, "model_type": "qwen2", "num_key_value_heads": 4},
    "qwen3": {
        **LLAMA,
        "model_type": "qwen3",
        "num_key_value_heads": 2,
        "head_dim": 16,
    },
    "learned positions": {
        "model_type": "gpt2",
        "vocab_size": LLAMA["vocab_size"],
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 4,
        "initializer_range": 0.3,
    },
}


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_any_causal_lm(tokenizer, family):
    """Step by step the logits of plain forwards, for prefixes of 3 lengths."""
    torch.manual_seed(1)
    llm = CausalLM(config=FAMILIES[family], tokenizer=str(tokenizer))
    llm.eval()
    llm.load()
    end = llm.network.generation_config
    end.eos_token_id = None  # every row shall go to the end
    audio = [torch.randn(n, llm.width) for n in (3, 9, 1)]
    prefixes = [
        Prefix([1, 7][:n], a) for n, a in zip((2, 0, 1), audio, strict=False)
    ]
    rows, suffixes = [0, 1, 1, 2, 0], [[5, 6, 7], [8], [9, 3], [4, 5], [11]]
    seen = []
    handle = llm.network.get_output_embeddings().register_forward_hook(
        lambda module, args, output: seen.append(output[:, -1])
    )
    new = PrefixCache(llm, prefixes).generate(rows, suffixes, GREEDY)
    handle.remove()
    logits = torch.stack(seen, dim=1)
    worst = 0.0
    for row, suffix, got, ids in zip(rows, suffixes, logits, new, strict=True):
        system = type("System", (), {"llm": llm})
        prompt = (prefixes[row].ids, suffix)
        expected_ids, expected = full_forward(system, audio[row], prompt)
        assert ids == expected_ids
        worst = max(worst, float((got - expected).abs().max()))
    assert worst < 1e-4


def test_a_sliding_window_shorter_than_the_prompt(tokenizer, clips, caplog):
    mistral = {**LLAMA, "model_type": "mistral", "num_key_value_heads": 2}
    model = tiny_audio_llm(tokenizer, llama={**mistral, "sliding_window": 12})
    model.load()
    asked = pairs(clips[:2])
    AudioAnswerer(model, GREEDY, batch_size=6).answer(*asked)
    assert "sliding window of 12" in caplog.text
    caplog.clear()
    answers = AudioAnswerer(model, GREEDY, batch_size=1).answer(*asked)
    assert answers == oracle(model, *asked)
    assert "sliding window" not in caplog.text


def test_a_clip_alone_and_in_any_batch(model, clips):
    wavs = [read_audio(clip.path) for clip in clips]
    longest = max(len(wav) for wav in wavs)
    padded = torch.stack(
        [torch.nn.functional.pad(w, (0, longest - len(w))) for w in wavs]
    )
    lens = torch.tensor([len(wav) / longest for wav in wavs])
    together, sizes = model.tokens(padded, lens)
    sizes = (sizes * together.shape[1]).round().long()
    answerer = AudioAnswerer(model, GREEDY, batch_size=16)
    asked = pairs(clips, seed=3)
    answers = answerer.answer(*asked)
    for clip, row, size in zip(clips, together, sizes, strict=True):
        alone = clip_tokens(model, clip)
        assert len(alone) == size
        assert torch.allclose(row[:size], alone, atol=1e-5)
        assert not row[size:].any()
        for question in QUESTIONS:
            place = list(zip(*asked, strict=True)).index((clip, question))
            assert answerer.answer([clip], [question]) == [answers[place]]


def test_everything_is_computed_once(model, clips):
    heard, began = [], []
    model.encoders[0].register_forward_hook(
        lambda module, args, output: heard.append(args[0].shape)
    )
    probe = Probe(model.llm)

    class Ears:
        def transcribe(self, wavs):
            began.append(len(wavs))
            return ["" for _ in wavs]

    answerer = AudioAnswerer(model, GREEDY, Ears(), batch_size=2)
    answerer.answer(*pairs(clips, seed=0))  # 4 clips x 3, in twos
    assert len(heard) == 4 and began == [4]
    prefixes = [c for c in probe.calls if c.get("inputs_embeds") is not None]
    assert [len(c["inputs_embeds"]) for c in prefixes] == [2, 2]
    # Short clips first: those of a batch are of similar length.
    assert prefixes[0]["inputs_embeds"].shape[1] < (
        prefixes[1]["attention_mask"].sum(1).min()
    )


@pytest.mark.parametrize("n_beams", [1, 3])
def test_questions_alike_stand_together_and_beams_part_after_them(
    model, clips, n_beams
):
    """As slow as its longest answer is a batch, and answers to one question
    are of like length."""
    probe = Probe(model.llm)
    decoding = {"max_new_tokens": 3, "num_beams": n_beams}
    AudioAnswerer(model, decoding, batch_size=4).answer(*pairs(clips, seed=1))
    beginning, *rest = probe.calls
    assert len(beginning["inputs_embeds"]) == 4
    suffixes = [model.prompt(question).after for question in QUESTIONS]
    if n_beams > 1:  # their last token is read by each beam
        suffixes = [ids[:-1] for ids in suffixes]
    rows = [
        [row[-len(ids) :].tolist() for row in call["input_ids"]]
        for ids in suffixes
        for call in rest
        if call["input_ids"].shape[1] == len(ids)
    ]
    assert rows == [[ids] * 4 for ids in suffixes]


# ----------------------------------------------------------------------------
# Decoding
# ----------------------------------------------------------------------------


def text_prompt(model):
    """A prompt whose audio tokens are embedded text: (ids, audio ids)."""
    before, after = model.prompt(QUESTIONS[0])
    audio = after[3:7]  # nothing that the text does not have
    return before, audio, after


@pytest.mark.parametrize(
    "decoding",
    [
        GREEDY,
        {**GREEDY, "repetition_penalty": 1.3},
        {"max_new_tokens": 8, "num_beams": 4},
        {"max_new_tokens": 8, "num_beams": 3, "repetition_penalty": 2.0},
        {"max_new_tokens": 8, "num_beams": 3, "length_penalty": 0.0},
    ],
    ids=lambda decoding: "-".join(map(str, decoding)),
)
def test_decoding_is_that_of_transformers_on_the_text(model, decoding):
    """Other rows of other lengths in the batch do not matter either."""
    before, audio, after = text_prompt(model)
    llm = model.llm
    ids = torch.tensor([before + audio + after])
    expected = llm.network.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        generation_config=GenerationConfig(
            **{**llm.network.generation_config.to_dict(), **decoding}
        ),
    )[0, ids.shape[1] :].tolist()
    prefixes = [
        Prefix([1], torch.randn(9, llm.width)),
        Prefix(before, llm.embed(torch.tensor(audio))),
    ]
    rows, suffixes = [0, 1, 0], [[5] * 40, after, [6, 7]]
    new = PrefixCache(llm, prefixes).generate(rows, suffixes, decoding)
    assert new[1][: len(expected)] == expected
    end = llm.tokenizer.pad_token_id
    assert set(new[1][len(expected) :]) <= {end}


def test_the_penalty_is_of_the_prompt_and_not_of_the_padding(
    model, monkeypatch
):
    before, audio, after = text_prompt(model)
    cache = PrefixCache(
        model.llm,
        [
            Prefix(before, torch.randn(4, model.llm.width)),
            Prefix([2], torch.randn(30, model.llm.width)),
        ],
    )
    seen = []
    call = RepetitionPenaltyLogitsProcessor.__call__

    def spy(self, input_ids, scores):
        seen.append(input_ids)
        return call(self, input_ids, scores)

    monkeypatch.setattr(RepetitionPenaltyLogitsProcessor, "__call__", spy)
    decoding = {**GREEDY, "max_new_tokens": 1, "repetition_penalty": 1.1}
    cache.generate([0, 1], [after, [5]], decoding)
    assert set(seen[0][0].tolist()) == set(before + after)
    assert set(seen[0][1].tolist()) == {2, 5}


def test_sampling_follows_the_seed(model, clips):
    sampling = {"max_new_tokens": 8, "do_sample": True, "top_p": 0.9}
    answerer = AudioAnswerer(model, {**sampling, "num_beams": 2})
    asked = pairs(clips[:2])
    texts = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        texts.append(answerer.answer(*asked))
    assert texts[0] == texts[1] != texts[2]
    # At a temperature of nearly 0 there is one choice: the greedy one.
    cold = {**sampling, "temperature": 1e-4, "top_p": 1.0}
    assert AudioAnswerer(model, cold).answer(*asked) == oracle(model, *asked)


def test_decoding_that_cannot_be():
    for decoding in ({}, {**GREEDY, "num_return_sequences": 2}):
        with pytest.raises(ValueError, match="expected max_new_tokens"):
            AudioAnswerer(None, decoding)
    with pytest.raises(ValueError, match="batch_size 0"):
        AudioAnswerer(None, GREEDY, batch_size=0)


class Scaled:
    """An adapter that moves the last norm by what the question says."""

    depends_on_question = True

    def attach(self, model):
        self.scale = None
        self.asked = []

        def move(module, args, output):
            if self.scale is None:
                return output
            repeats = len(output) // len(self.scale)
            scale = self.scale.repeat_interleave(repeats)
            return output + scale[:, None, None] * output.roll(1, dims=2)

        model.model.layers[0].register_forward_hook(move)

    def prepare(self, llm, questions):
        self.asked.append(questions and list(questions))
        self.scale = None
        if questions is not None:
            self.scale = torch.tensor([len(q) / 10 for q in questions])

    def config(self):
        return {}


@pytest.mark.parametrize("n_beams", [1, 3])
def test_an_adapter_that_depends_on_the_question(tokenizer, clips, n_beams):
    model = tiny_audio_llm(tokenizer)
    torch.manual_seed(0)
    adapter = Scaled()
    model.llm = CausalLM(
        config=LLAMA, tokenizer=str(tokenizer), adapter=adapter
    )
    randomize(model)
    model.eval().load()
    decoding = {**GREEDY, "num_beams": n_beams}
    asked = pairs(clips[:3], seed=1)
    for side in asked:  # a pair that is asked twice is one beginning, two rows
        side.append(side[0])
    answers = AudioAnswerer(model, decoding, batch_size=4).answer(*asked)
    assert adapter.asked[-1] is None
    alone = AudioAnswerer(model, decoding, batch_size=1)
    for clip, question, text in zip(*asked, answers, strict=True):
        assert alone.answer([clip], [question]) == [text]
    if n_beams == 1:
        expected = []
        for clip, question in zip(*asked, strict=True):
            adapter.prepare(model.llm, [question])
            expected += oracle(model, [clip], [question])
        assert answers == expected


# ----------------------------------------------------------------------------
# Transcripts
# ----------------------------------------------------------------------------


class Ears:
    def check(self):
        """Nothing to check."""

    def config(self):
        return {"recogniser": "Ears"}

    def transcribe(self, wavs):
        return ["" if len(wav) < 16000 else f"{len(wav)}" for wav in wavs]


def test_the_transcript_of_the_clip_reaches_its_prompts(tokenizer, clips):
    template = "{audio}{bos}{question}\n\n### Input:\n{transcript}\n"
    model = tiny_audio_llm(
        tokenizer,
        template,
        template_without_transcript="{audio}{bos}{question}",
    )
    probe = Probe(model.llm)
    answerer = AudioAnswerer(model, GREEDY, Ears(), batch_size=12)
    answerer.answer(*pairs(clips[:2], ["What?"]))
    mask = probe.calls[1]["attention_mask"]
    texts = []
    for ids, row in zip(probe.calls[1]["input_ids"], mask, strict=True):
        inside = row[-len(ids) :].bool()
        texts.append(model.llm.tokenizer.decode(ids[inside]))
    assert texts == ["<s> What?", "<s> What?\n\n### Input:\n32000\n"]
    assert answerer.config()["recogniser"] == {"recogniser": "Ears"}
    answerer.recogniser = None
    with pytest.raises(ValueError, match="expected both or neither"):
        answerer.check()


def test_the_transcript_of_the_clip_reaches_the_readout(tokenizer, clips):
    readout = Readout(32, "It is{sound}:{words}{speaker}", tolerance=1e9)
    model = tiny_audio_llm(tokenizer, readout=readout)
    set_some_vocabulary(readout)
    answerer = AudioAnswerer(model, GREEDY, Ears())
    answerer.load()
    said = {clips[0].path: "", clips[3].path: "go"}
    answerer.recogniser.transcribe = lambda wavs: list(said.values())
    words = model.llm.tokenize(" go")
    readout.word_ids = torch.tensor([*words, 3, 4], dtype=torch.int32)
    for path, heard in answerer.hear([clips[0], clips[3]]).items():
        wav = read_audio(path)[None]
        alone, _ = model.tokens(wav, torch.ones(1))
        rows = heard.tokens.tolist()
        reads = [row in rows for row in readout.table[words].tolist()]
        assert all(reads) == bool(said[path])
        assert heard.tokens.equal(alone[0]) != bool(said[path])
    model.readout = None
    with pytest.raises(ValueError, match="a readout that takes"):
        answerer.check()


# ----------------------------------------------------------------------------
# Weights
# ----------------------------------------------------------------------------


def test_trained_weights_are_fusion_and_lora_and_survive_a_file(
    tokenizer, clips, tmp_path
):
    model = tiny_audio_llm(tokenizer)
    state = model.trainable_state()
    fusion = {f"fusion.{name}" for name in model.fusion.state_dict()}
    lora = {name for name in state if "lora_" in name}
    assert set(state) == fusion | lora
    assert all(name.startswith("llm.model.") for name in lora)
    export(model, tmp_path / "trained.safetensors")
    assert set(load_file(tmp_path / "trained.safetensors")) == set(state)
    other = tiny_audio_llm(
        tokenizer, checkpoint=tmp_path / "trained.safetensors"
    )
    randomize(other, seed=1)
    asked = pairs(clips[:1])
    expected = AudioAnswerer(model, GREEDY).answer(*asked)
    answerer = AudioAnswerer(other, GREEDY)
    answerer.check()
    assert answerer.answer(*asked) == expected
    for name, value in other.trainable_state().items():
        assert torch.equal(value, state[name])


def test_weights_that_do_not_fit_are_all_named(tokenizer):
    model = tiny_audio_llm(tokenizer)
    state = model.trainable_state()
    before = {name: value.clone() for name, value in state.items()}
    del state["fusion.projection.bias"]
    state["llm.model.else"] = torch.zeros(1)
    state["fusion.norms.0.weight"] = torch.zeros(17)
    with pytest.raises(ValueError) as caught:
        model.load_trainable(state)
    assert str(caught.value).splitlines()[1:] == [
        "  missing: fusion.projection.bias",
        "  unused: llm.model.else",
        "  fusion.norms.0.weight: got [17], expected [16]",
    ]
    for name, value in model.trainable_state().items():
        assert torch.equal(value, before[name])  # nothing was set


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "page").write_text("<!DOCTYPE html>")
    with pytest.raises(ValueError, match="is not a safetensors file"):
        TrainedWeights(tmp_path / "page").read(None)


def test_a_fusion_of_another_width(tokenizer, clips):
    model = tiny_audio_llm(tokenizer)
    model.llm = CausalLM(
        config={**LLAMA, "hidden_size": 16}, tokenizer=str(tokenizer)
    )
    with pytest.raises(ValueError, match="width 32; the LLM takes 16"):
        AudioAnswerer(model, GREEDY).answer(*pairs(clips[:1]))


def test_check_names_everything_at_once(tokenizer, tmp_path):
    model = tiny_audio_llm(tokenizer)
    with pytest.raises(ValueError, match="1 problem.*\n- no trained weights"):
        AudioAnswerer(model, GREEDY).check()

    class Missing:
        def __init__(self, error):
            self.error = error

        def check(self):
            raise self.error

    model = tiny_audio_llm(tokenizer, checkpoint=tmp_path / "none")
    model.encoders[0].check = Missing(OSError("no encoder")).check
    model.llm.check = Missing(ValueError("no LLM")).check
    with pytest.raises(ValueError) as caught:
        AudioAnswerer(model, GREEDY).check()
    lines = str(caught.value).splitlines()
    assert len(lines) == 4 and "3 problem(s)" in lines[0]
    assert lines[1:3] == ["- no encoder", "- no LLM"]
    assert "none" in lines[3] and "train.py" in lines[3]


def test_config_tells_systems_apart(tokenizer, tmp_path):
    path = tmp_path / "trained.safetensors"
    export(tiny_audio_llm(tokenizer), path)

    def config(template=SALMONN, decoding=GREEDY, **llama):
        model = tiny_audio_llm(
            tokenizer, template, {**LLAMA, **llama}, checkpoint=path
        )
        return AudioAnswerer(model, decoding).config()

    first = config()
    assert json.loads(json.dumps(first)) == first == config()
    model = tiny_audio_llm(tokenizer, checkpoint=path)
    model.fusion.window_s = 0.5
    others = [
        config(SALMONN + " "),
        config(decoding={**GREEDY, "num_beams": 2}),
        config(num_hidden_layers=3),
        AudioAnswerer(model, GREEDY).config(),
    ]
    path.write_bytes(path.read_bytes() + b" ")  # trained anew in place
    others.append(config())
    assert all(other != first for other in others)
