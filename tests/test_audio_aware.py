"""Tests of audio-aware decoding.

The oracle runs a prompt and its twin without audio whole for every new
token: one clip, one prompt, no cache. Where a prompt is text only,
transformers' classifier-free guidance is another.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math

import pytest
import torch
from tiny_systems import noise_clips, tiny_audio_llm
from transformers import GenerationConfig

from speechbrain_jasco.dataio import read_audio
from speechbrain_jasco.integrations.audio_answerer import AudioAnswerer
from speechbrain_jasco.integrations.audio_aware import AudioAware
from speechbrain_jasco.integrations.prefix_generation import (
    Prefix,
    PrefixCache,
)

QUESTIONS = ["What are they doing?", "Where are they now?", "Who?"]
GREEDY = {"max_new_tokens": 8, "do_sample": False}
PLAIN = "{bos}USER: {audio} {question}\nASSISTANT:"
AUDIO_FIRST = "{audio}{bos}{question}"  # its twin begins with nothing


class Ears:
    """Hears words in longer clips only."""

    def check(self):
        """Nothing to check."""

    def config(self):
        return {}

    def transcribe(self, wavs):
        return ["" if len(wav) < 16000 else f"{len(wav)}" for wav in wavs]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Every clip with every question."""
    clips = noise_clips(tmp_path_factory.mktemp("clips"), (0.5, 2.0, 1.1))
    pairs = [(clip, text) for clip in clips for text in QUESTIONS]
    return [list(side) for side in zip(*pairs, strict=True)]


def loaded(tokenizer, template, without=None):
    model = tiny_audio_llm(
        tokenizer, template, template_without_transcript=without
    )
    model.load()
    return model


@torch.no_grad()
def embedded(model, audio, prompt):
    before, after = (model.llm.embed(torch.tensor(i).long()) for i in prompt)
    return torch.cat([before, audio, after])


@torch.no_grad()
def contrasted(model, heard, deaf, weight, plausibility):
    """Greedy answer to two whole sequences (list of int)."""
    new = []
    for _ in range(GREEDY["max_new_tokens"]):
        said, said_anyway = (
            model.llm.network(inputs_embeds=row[None])
            .logits[0, -1]
            .double()
            .softmax(dim=0)
            for row in (heard, deaf)
        )
        gain = said * (said / said_anyway) ** weight
        gain[said < plausibility * said.max()] = 0
        new.append(int(gain.argmax()))
        if new[-1] == model.llm.network.generation_config.eos_token_id:
            break
        step = model.llm.embed(torch.tensor([new[-1]]))
        heard, deaf = torch.cat([heard, step]), torch.cat([deaf, step])
    return new


def oracle(model, asked, recogniser, weight, plausibility):
    """Answers of the way without any of it (list of str)."""
    texts = []
    for clip, question in zip(*asked, strict=True):
        wav = read_audio(clip.path)
        words = recogniser.transcribe([wav])[0] if recogniser else ""
        with torch.no_grad():
            audio = model.tokens(wav[None], torch.ones(1))[0][0]
        heard = embedded(model, audio, model.prompt(question, words))
        deaf = embedded(model, audio[:0], model.prompt(question))
        new = contrasted(model, heard, deaf, weight, plausibility)
        text = model.llm.tokenizer.decode(new, skip_special_tokens=True)
        texts.append(text.strip())
    return texts


@pytest.mark.parametrize(
    "templates",
    [
        [PLAIN],
        [AUDIO_FIRST],
        [AUDIO_FIRST + "\nWords: {transcript}\n", AUDIO_FIRST],
    ],
    ids=["plain", "audio first", "transcript"],
)
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("weight, plausibility", [(0.5, 0.1), (2.0, 0.02)])
def test_answers_are_those_of_single_full_forwards(
    tokenizer, asked, templates, batch_size, weight, plausibility
):
    model = loaded(tokenizer, *templates)
    recogniser = Ears() if len(templates) > 1 else None
    answers = [
        AudioAnswerer(
            model, GREEDY, recogniser, batch_size, audio_aware
        ).answer(*asked)
        for audio_aware in (AudioAware(weight, plausibility), None)
    ]
    assert answers[0] == oracle(model, asked, recogniser, weight, plausibility)
    assert answers[0] != answers[1]


@pytest.mark.parametrize("n_beams", [1, 3])
def test_without_weight_it_is_the_usual_decoding(tokenizer, asked, n_beams):
    model = loaded(tokenizer, PLAIN)
    decoding = {**GREEDY, "num_beams": n_beams}
    usual = AudioAnswerer(model, decoding)
    texts = usual.answer(*asked)
    hardly = AudioAware(weight=1e-9, plausibility=1e-30)
    contrasting = AudioAnswerer(model, decoding, audio_aware=hardly)
    assert contrasting.answer(*asked) == texts
    without = AudioAnswerer(model, decoding, audio_aware=AudioAware(0.0))
    assert without.audio_aware is None
    assert without.config() == usual.config()


def test_only_the_most_likely_is_plausible_to_the_strictest(tokenizer, asked):
    model = loaded(tokenizer, PLAIN)
    strict = AudioAware(weight=3.0, plausibility=1.0)
    answers = AudioAnswerer(model, GREEDY, audio_aware=strict).answer(*asked)
    assert answers == AudioAnswerer(model, GREEDY).answer(*asked)


def test_it_is_classifier_free_guidance_with_all_tokens_plausible(tokenizer):
    """transformers' own, on audio that is text."""
    model = loaded(tokenizer, PLAIN)
    llm = model.llm
    before, after = model.prompt(QUESTIONS[0])
    audio = after[3:7]
    ids, deaf = (torch.tensor([before + a + after]) for a in (audio, []))
    weight = 1.5
    expected = llm.network.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        negative_prompt_ids=deaf,
        generation_config=GenerationConfig(
            **{
                **llm.network.generation_config.to_dict(),
                **GREEDY,
                "guidance_scale": 1 + weight,
            }
        ),
    )[0, ids.shape[1] :].tolist()
    prefixes = [
        Prefix(before, llm.embed(torch.tensor(audio))),
        Prefix(before, torch.zeros(0, llm.width)),
    ]
    new = PrefixCache(llm, prefixes).generate(
        [0, 1], [after, after], GREEDY, AudioAware(weight, 1e-30)
    )
    assert new == [expected, expected]


def test_beams_of_a_batch_are_those_of_single_prompts(tokenizer, asked):
    model = loaded(tokenizer, PLAIN)
    decoding = {"max_new_tokens": 8, "num_beams": 3}
    answers = [
        AudioAnswerer(model, decoding, None, size, AudioAware()).answer(*asked)
        for size in (1, 4)
    ]
    assert answers[0] == answers[1]
    greedy = AudioAnswerer(model, GREEDY, audio_aware=AudioAware())
    assert answers[0] != greedy.answer(*asked)


def test_scores_are_log_probabilities_and_infinities_do_no_harm():
    """Another processor may have forbidden a token in both halves."""
    scores = torch.randn(6, 11)
    scores[:, 4] = -math.inf
    mixed = AudioAware(0.5)(None, scores)
    assert torch.equal(mixed[:3], mixed[3:])
    assert torch.allclose(mixed.exp().sum(dim=1), torch.ones(6))
    assert (mixed[:, 4] == -math.inf).all()


def test_what_cannot_be():
    for weight, plausibility in ((-0.1, 0.1), (1.0, 0.0), (1.0, 1.1)):
        with pytest.raises(ValueError, match="expected a weight of 0"):
            AudioAware(weight, plausibility)
    sampling = {"max_new_tokens": 8, "do_sample": True}
    with pytest.raises(ValueError, match="expected greedy or beam"):
        AudioAnswerer(None, sampling, audio_aware=AudioAware())


def test_config_tells_weights_apart(tokenizer):
    model = loaded(tokenizer, PLAIN)
    configs = [
        AudioAnswerer(model, GREEDY, audio_aware=audio_aware).config()
        for audio_aware in (None, AudioAware(0.5), AudioAware(1.0))
    ]
    assert configs[0]["audio_aware"] is None
    assert configs[1] != configs[2]
