"""Tests of what a training is made of: tasks, curriculum, alignment, choice.

Authors
 * The speechbrain_jasco developers, 2026
"""

import math
import random
from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from speechbrain.dataio import audio_io
from tiny_systems import LLAMA, randomize, write_llama_tokenizer
from tiny_training import tiny_trainee

from speechbrain_jasco.integrations.audio_llm import AudioLLM
from speechbrain_jasco.integrations.causal_lm import CausalLM
from speechbrain_jasco.lobes.frames import Frames
from speechbrain_jasco.lobes.models.readout import Readout
from speechbrain_jasco.lobes.models.vocabulary import (
    UNKNOWN,
    Targets,
    unpadded,
)
from speechbrain_jasco.lobes.models.window_qformer import WindowQFormer
from speechbrain_jasco.training.alignment import Alignment
from speechbrain_jasco.training.choice import (
    Alternatives,
    Pick,
    choose,
    choose_by_text,
    contrast,
)
from speechbrain_jasco.training.curriculum import Curriculum, Stage
from speechbrain_jasco.training.data import ClipData
from speechbrain_jasco.training.examiner import Examiner
from speechbrain_jasco.training.exchange import exchanges, mixed
from speechbrain_jasco.training.meter import Meter
from speechbrain_jasco.training.packing import Branch, Row
from speechbrain_jasco.training.tasks import Task, draw_turns
from speechbrain_jasco.training.trainee import Trainee

# ----------------------------------------------------------------------------
# Tasks
# ----------------------------------------------------------------------------

TASKS = {
    "words": Task(["Say it.", "Quote."], "{words}"),
    "both": Task(["What?"], "{sound}: {answer}"),
    "text": Task(["What?"], "{answer}", context="A {sound}."),
}
CLIP = {"words": ["Go."], "sound": ["dog", "hound"], "answer": ["They walk."]}


def test_tasks_are_drawn_by_weight_each_once():
    rng = random.Random(0)
    weights = {"words": 3, "both": 1, "text": 0}
    first = Counter()
    for _ in range(400):
        turns = draw_turns(TASKS, weights, CLIP, 2, rng)
        assert {turn.task for turn in turns} == {"words", "both"}
        first[turns[0].task] += 1
    assert 270 < first["words"] < 330  # 300 expected, deviation 9
    answers = {
        turn.answer
        for _ in range(30)
        for turn in draw_turns(TASKS, {"both": 1}, CLIP, 1, rng)
    }
    assert answers == {"dog: They walk.", "hound: They walk."}


def test_a_clip_without_a_behaviour_is_not_asked_for_one():
    clip = {**CLIP, "answer": []}
    weights = {"words": 1, "both": 9, "text": 9}
    (turn,) = draw_turns(TASKS, weights, clip, 3, random.Random(1))
    assert turn.task == "words" and turn.context is None
    (turn,) = draw_turns(TASKS, {"text": 1}, CLIP, 3, random.Random(1))
    assert turn.context in ("A dog.", "A hound.")


def test_rivals_compete_where_the_behaviour_alone_is_asked_for():
    weights = {"words": 1, "both": 1, "text": 1}
    rivals = ["They sit."]
    turns = draw_turns(TASKS, weights, CLIP, 3, random.Random(0), rivals)
    competing = {turn.task: turn.rivals for turn in turns}
    assert competing == {"words": [], "both": [], "text": rivals}


def test_contrast_by_hand():
    losses = torch.tensor([0.5, 1.0, 1.5, 9.0])
    got = contrast(losses, [0, 0, 0, 3])
    # exp(-1) against exp(-1) + exp(-2) + exp(-3)
    share = 1 / (1 + math.exp(-1) + math.exp(-2))
    assert torch.allclose(got, torch.tensor([-math.log(share)]))
    assert contrast(losses, [0, 1, 2, 3]).tolist() == []


def test_unknown_names_are_told():
    with pytest.raises(ValueError, match="tasks \\['sing'\\]"):
        draw_turns(TASKS, {"sing": 1}, CLIP, 1, random.Random(0))
    with pytest.raises(ValueError, match="{'|\\['colour'\\]"):
        Task(["What?"], "{colour}")


# ----------------------------------------------------------------------------
# Curriculum
# ----------------------------------------------------------------------------


def test_learning_rates_by_hand():
    stage = Stage("a", 2, {"llm": 8.0}, {"x": 1}, warmup=0.5, floor=0.25)
    rates = [stage.lr_at("llm", p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)]
    # Up to 8 in half of the stage; then a cosine down to 2, 5 in its middle.
    assert rates == pytest.approx([0.0, 4.0, 8.0, 5.0, 2.0])
    assert stage.lr_at("fusion", 0.5) == 0.0


def test_turns_by_split_and_by_chance():
    stage = Stage("a", 1, {}, {"x": 1}, turns={"train": 2, "hearing": 0.3})
    rng = random.Random(0)
    drawn = Counter(stage.n_turns("hearing", rng) for _ in range(1000))
    assert set(drawn) == {0, 1} and 260 < drawn[1] < 340  # deviation 14
    assert stage.n_turns("train", rng) == 2
    assert stage.n_turns("valid", rng) == 0
    assert Stage("a", 1, {}, {"x": 1}).n_turns("valid", rng) == 3


def test_stages_follow_each_other():
    stages = [
        {"name": "a", "epochs": 2, "lr": {}, "align": {"ctc": 1}},
        {"name": "b", "epochs": 3, "lr": {}, "tasks": {"x": 1}},
    ]
    curriculum = Curriculum(stages)
    names = [curriculum.at(e).name for e in range(1, 6)]
    assert names == ["a", "a", "b", "b", "b"] and curriculum.n_epochs == 5
    assert curriculum.progress(4, 0.5) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="at most 5"):
        curriculum.at(6)
    curriculum.shorten()
    assert [curriculum.at(e).name for e in (1, 2)] == ["a", "b"]
    for share in (-0.1, 50):
        with pytest.raises(ValueError, match=f"got {share}, expected 0"):
            Curriculum(stages, interpolation=share)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"epochs": 0, "tasks": {"x": 1}}, "at least one epoch"),
        ({"epochs": 1}, "something to learn"),
        ({"epochs": 1, "lr": {"lm": 1}, "tasks": {"x": 1}}, "'lm'"),
        ({"epochs": 1, "align": {"cct": 1}}, "'cct'"),
    ],
)
def test_a_stage_that_makes_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        Stage(**{"name": "a", "lr": {}, **options})


# ----------------------------------------------------------------------------
# Alignment
# ----------------------------------------------------------------------------


def tiny_alignment(table, words, sounds, sharpness):
    """With the embeddings of a table and one name per sound."""
    readout = Readout(table.shape[1], "{words}", sharpness)
    names = {"sound": [[ids] for ids in sounds], "speaker": [[[0]], [[1]]]}
    readout.set_vocabulary(words, names)
    readout.bind(table, lambda text: [])
    return Alignment(readout)


def align(alignment, tokens, sizes, words, sounds):
    """Losses; the speaker is unknown."""
    unknown = [UNKNOWN] * len(words)
    targets = Targets(words, {"sound": sounds, "speaker": unknown})
    scores = alignment.readout.scores(tokens, torch.tensor(sizes))
    return alignment(scores, torch.tensor(sizes), targets)


def test_tokens_that_are_the_words_are_read_as_them():
    torch.manual_seed(0)
    table = torch.randn(30, 16)
    alignment = tiny_alignment(table, [4, 9, 9, 21], [[1, 2], [3], [5]], 50.0)
    blank = alignment.readout.blank.detach()
    tokens = torch.stack([7 * table[9], blank, table[9], 2 * table[4], blank])
    batch = torch.stack([tokens, torch.cat([tokens[3:], torch.zeros(3, 16)])])
    heard = align(alignment, batch, [5, 2], [[9, 9, 4], [4]], [0, 1])
    assert heard.words == [[9, 9, 4], [4]]
    assert heard.ctc.max() < 0.01
    assert not heard.speaker.any()
    wrong = align(alignment, batch, [5, 2], [[4], [9]], [0, 0])
    assert wrong.ctc.min() > 1
    # A mean that is the name of a sound is that sound.
    centred = torch.stack([table[[1, 2]].mean(0), table[3], table[5]])
    centred = centred - centred.mean(0)
    tokens = centred[:, None].expand(3, 4, 16)
    heard = align(alignment, tokens, [4, 4, 4], [[4]] * 3, [0, 1, 2])
    assert heard.names["sound"] == [0, 1, 2] and heard.sound.max() < 0.01


def test_ctc_is_that_of_the_sum_over_paths():
    """Two tokens, one word: the paths are word-word, blank-word, word-blank."""
    torch.manual_seed(0)
    table = torch.randn(5, 8)
    alignment = tiny_alignment(table, [2, 3], [[0], [1]], 1.0)
    blank = alignment.readout.blank
    tokens = torch.randn(1, 2, 8)
    unit = torch.nn.functional.normalize
    classes = unit(torch.stack([blank, table[2], table[3]]), dim=1)
    p = (unit(tokens[0], dim=1) @ classes.T).softmax(dim=1)  # [time, class]
    paths = p[0, 1] * p[1, 1] + p[0, 0] * p[1, 1] + p[0, 1] * p[1, 0]
    heard = align(alignment, tokens, [2], [[2]], [0])
    assert heard.ctc.item() == pytest.approx(-paths.log().item(), abs=1e-5)


# ----------------------------------------------------------------------------
# Choice
# ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trainee(tmp_path_factory):
    trainee = tiny_trainee(tmp_path_factory.mktemp("tokenizer"))
    randomize(trainee.model)
    return trainee


ANSWERS = {"a": "They go.", "b": "They wait now.", "c": "Who?"}


def mean_log_probability(llm, embeds, answer):
    """Of an answer behind embeddings, one sequence, token by token."""
    ids = [*llm.tokenize(answer), llm.tokenizer.eos_token_id]
    total = 0.0
    for token in ids:
        logits = llm.network(inputs_embeds=embeds[None]).logits[0, -1]
        total += logits.log_softmax(dim=0)[token].item()
        embeds = torch.cat([embeds, llm.embed(torch.tensor([token]))])
    return total / len(ids)


@torch.no_grad()
def test_choice_scores_are_mean_log_probabilities(trainee):
    streams = [Frames(torch.randn(2, 60, 16), torch.tensor([1.0, 0.6]), 50.0)]
    clips = [ANSWERS, {"b": ANSWERS["b"], "c": ANSWERS["c"]}]
    llm, (tokens, sizes) = trainee.model.llm, trainee.listen(streams)
    picks = choose(trainee, (tokens, sizes), clips, "What?")
    prompt = trainee.model.prompt("What?")
    before, after = (llm.embed(torch.tensor(ids)) for ids in prompt)
    for pick, own, n, clip in zip(picks, tokens, sizes, clips, strict=True):
        embeds = torch.cat([before, own[:n], after])
        for name, answer in clip.items():
            expected = mean_log_probability(llm, embeds, answer)
            assert pick.scores[name] == pytest.approx(expected, abs=1e-4)
        assert pick.chosen == max(pick.scores, key=pick.scores.get)
    # The same with text in the audio's place.
    (pick,) = choose_by_text(trainee, ["A dog."], clips[:1], "What?")
    text = llm.embed(torch.tensor(llm.tokenize("A dog.")))
    embeds = torch.cat([before, text, after])
    expected = mean_log_probability(llm, embeds, ANSWERS["c"])
    assert pick.scores["c"] == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_who_is_unsure_chooses_as_before_training(trainee):
    streams = [Frames(torch.randn(3, 60, 16), torch.ones(3), 50.0)]
    heard, clips = trainee.listen(streams), [ANSWERS] * 3
    lora = trainee.model.llm.state_dict()
    kept = {name: weight.clone() for name, weight in lora.items()}
    trained = choose(trainee, heard, clips, "What?")
    with trainee.model.llm.model.disable_adapter():
        untrained = choose(trainee, heard, clips, "What?")
    clear = sorted(pick.stands_out() for pick in trained)
    for sure, n_unsure in ((clear[0], 0), (clear[1], 1), (9.0, 3), (None, 0)):
        picks = choose(trainee, heard, clips, "What?", sure)
        own = [
            pick.scores == pytest.approx(before.scores, abs=1e-4)
            for pick, before in zip(picks, untrained, strict=True)
        ]
        assert sum(own) == n_unsure, sure
        for pick, first, is_unsure in zip(picks, trained, own, strict=True):
            if not is_unsure:
                assert pick == first
            else:
                assert pick.learned == first.chosen
    for name, weight in trainee.model.llm.state_dict().items():
        assert weight.equal(kept[name]), name


def test_how_sure_to_be_is_found_on_trained_clips(monkeypatch):
    """Of four right ones a quarter is below the bound; the wrong one, which
    stands out most, and clips of other splits have no say."""
    trained = [
        {"triple_id": f"{s}.go", "sound_id": s, "line_id": "go", "tgt_text": s}
        for s in "abcde"
    ]
    margins = dict(zip("abcde", (1.0, 2.0, 3.0, 4.0, 9.0), strict=True))

    def picks(examiner, rows, item):
        right = {r["sound_id"]: r["triple_id"] for r in rows}
        right["e"] = "a.go"
        return [
            Pick(right[s], {right[s]: 0.0, "z": -margins[s]})
            for s in (r["sound_id"] for r in rows)
        ]

    monkeypatch.setattr(Examiner, "picks", picks)
    trainee = SimpleNamespace(llm=SimpleNamespace(lora={}))
    examiner = Examiner({}, unsure=1 / 3)
    other = {**trained[0], "sound_id": "of a test", "triple_id": "t.go"}
    examiner.prepare(trainee, None, [*trained, other], trained)
    examiner.find_sure()
    assert examiner.sure == pytest.approx(2.0)
    # What is given stays.
    examiner = Examiner({}, sure=7.0, unsure=1 / 3)
    examiner.prepare(trainee, None, trained, trained)
    examiner.find_sure()
    assert examiner.sure == 7.0


def test_choice_is_told_with_and_without_those_who_are_not_sure(monkeypatch):
    rows = [{"triple_id": name} for name in "abc"]
    picks = [
        Pick("a", {}),
        Pick("b", {}, learned="a"),  # right only as before training
        Pick("d", {}, learned="b"),
    ]
    monkeypatch.setattr(Examiner, "picks", lambda *_: picks)
    report = Examiner({}, sure=1.0).choices(rows)
    assert report == {
        "choice": 2 / 3,
        "choice_learned": 1 / 3,
        "sure": 1.0,
    }
    assert Examiner({}).choices(rows) == {"choice": 2 / 3}


def test_without_lora_nobody_can_be_unsure():
    trainee = SimpleNamespace(llm=SimpleNamespace(lora=None))
    for given in ({"sure": 2.5}, {"unsure": 0.05}):
        with pytest.raises(ValueError, match="an LLM without LoRA"):
            Examiner({}, **given).prepare(trainee, None, [], [])
    Examiner({}).prepare(trainee, None, [], [])


def test_alternatives_share_a_line_or_a_sound():
    cells = [("dog", "go"), ("dog", "sit"), ("rain", "go"), ("sea", "swim")]
    rows = [
        {"triple_id": f"{s}.{l}", "sound_id": s, "line_id": l, "tgt_text": s}
        for s, l in cells  # noqa: E741
    ]
    rows.append({"triple_id": "", "sound_id": "dog", "line_id": "s1"})
    alternatives = Alternatives(rows)
    assert list(alternatives.of("dog", "go")) == [
        "dog.go",
        "dog.sit",
        "rain.go",
    ]
    # A stem exchanged: the competitors are those of the new pair.
    assert list(alternatives.of("sea", "go")) == [
        "dog.go",
        "rain.go",
        "sea.swim",
    ]
    assert alternatives.right("rain", "go") == "rain.go"
    assert alternatives.right("sea", "go") is None


def test_an_exchanged_half_has_a_trained_answer(tmp_path):
    cells = [("dog", "go"), ("dog", "sit"), ("rain", "go"), ("sea", "swim")]
    rows = [
        {
            "triple_id": f"{sound}.{line}",
            "sound_id": sound,
            "line_id": line,
            "tgt_text": sound,
            "sound_wav": str(tmp_path / f"{sound}.wav"),
            "speech_wav": str(tmp_path / f"{line}.wav"),
        }
        for sound, line in cells
    ]
    trained = Alternatives(rows)
    sounds = exchanges(rows, trained, "sound")
    # rain + "go" <-> dog + "go"; nothing else has "sit" or "swim".
    assert [r["triple_id"] for r in sounds] == ["rain.go", "dog.go"]
    assert sounds[0]["stems"] == [rows[2]["sound_wav"], rows[0]["speech_wav"]]
    speech = exchanges(rows, trained, "speech")
    assert [r["triple_id"] for r in speech] == ["dog.sit", "dog.go"]
    assert speech[0]["stems"] == [rows[0]["sound_wav"], rows[1]["speech_wav"]]
    for name, level, n in (("rain", 0.25, 8000), ("go", 0.5, 4000)):
        wav = torch.full((1, n), level)
        audio_io.save(str(tmp_path / f"{name}.wav"), wav, 16000)
    item = mixed(sounds[0], 2)
    assert item.known == [None, None] and len(item.wav) == 8000
    assert torch.allclose(item.wav[:4000], torch.tensor(0.75), atol=1e-4)
    assert torch.allclose(item.wav[4000:], torch.tensor(0.25), atol=1e-4)


# ----------------------------------------------------------------------------
# Learning
# ----------------------------------------------------------------------------


def test_eight_clips_are_learned_by_heart(tmp_path):
    """Loss falls to near zero, and the audio is what tells the clips apart:
    the question is always the same."""
    write_llama_tokenizer(tmp_path)
    torch.manual_seed(0)
    # A random LLM has nothing to build on: the adapter reaches all of it.
    targets = ["q_proj", "v_proj", "up_proj", "down_proj", "lm_head"]
    lora = {"r": 16, "lora_alpha": 32, "target_modules": targets}
    llm = CausalLM(config=LLAMA, tokenizer=str(tmp_path), lora=lora)
    fusion = WindowQFormer([16], llm.width, width=8, n_heads=2)
    model = AudioLLM([], fusion, llm, "{audio}{question}")
    model.load()
    trainee = Trainee(model, Alignment(Readout(llm.width))).eval()
    streams = [Frames(torch.randn(8, 34, 16), torch.ones(8), 50.0)]
    after = model.prompt("What?").after
    rows = [
        Row([], [Branch(after, [50 + i, 90 - i, 2], task="a")])
        for i in range(8)
    ]
    parts = [p for part in trainee.parts().values() for p in part]
    optimizer = torch.optim.AdamW(parts, lr=0.005)
    losses = []
    for _ in range(120):
        loss = trainee(streams, rows).answers.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 3 and losses[-1] < 0.05
    swapped = [Frames(streams[0].x.roll(1, dims=0), torch.ones(8), 50.0)]
    assert trainee(swapped, rows).answers.mean() > 1


def test_meter_means_by_task(trainee):
    streams = [Frames(torch.randn(2, 34, 16), torch.ones(2), 50.0)]
    readout, llm = trainee.alignment.readout, trainee.model.llm
    names = {"sound": [[[8]], [[9]]], "speaker": [[[5]], [[6]]]}
    readout.set_vocabulary([5, 6, 7], names)
    readout.bind(llm.model.get_input_embeddings().weight, llm.tokenize)
    rows = [
        Row([], [Branch([3], [4], task="a"), Branch([3], [5], task="b")]),
        Row([], [Branch([3], [6], task="a")]),
    ]
    targets = Targets([[5], [6, 7]], {"sound": [0, 1], "speaker": [1, -100]})
    losses = trainee(streams, rows, targets)
    meter = Meter()
    meter.add(losses, targets)
    means, (a, b, c) = meter.means(), losses.answers.tolist()
    assert means["a"] == pytest.approx((a + c) / 2)
    assert means["b"] == pytest.approx(b)
    assert means["ctc"] == pytest.approx(losses.heard.ctc.mean().item())
    sounds, speakers = losses.heard.names.values()
    aligned = meter.aligned(trainee.model.llm.tokenizer)
    right = [g == t for g, t in zip(sounds, [0, 1], strict=True)]
    assert aligned["ctc_sound"] == sum(right) / 2
    assert aligned["ctc_speaker"] == (speakers[0] == 1)


# ----------------------------------------------------------------------------
# Batches
# ----------------------------------------------------------------------------

SPEAKERS = {"joe": ["A man."], "ann": ["A woman."], "bob": ["A man."]}


class NoSound:
    """Features of clips that nobody listens to."""

    def item(self, path):
        return path


def manifest_rows(n=40):
    """Clips with a behaviour and clips without, in turn."""
    rows = []
    for i in range(n):
        split = ("train", "hearing")[i % 2]
        row = {
            "id": f"{split}-{i}",
            "audio": f"{i}.wav",
            "n_frames": 16000,
            "split": split,
            "spoken_text": "Go on." if i % 3 else "Wait.",
            "sound_id": ("rain", "dog")[i % 2],
            "sound_names": ("Rain|Rain falling", "A dog")[i % 2],
            "line_id": ("go", "wait")[i % 3 == 0],
            "voice": ("joe", "ann", "bob", "eve")[i % 4],
            "triple_id": f"rain.{i}" if split == "train" else "",
            "tgt_text": "They go." if split == "train" else "",
            "answers": "They go." if split == "train" else "",
        }
        rows.append(row)
    return rows


@pytest.fixture
def clip_data(trainee):
    tasks = {"direct": Task(["What?"], "{answer}")}
    data = ClipData(NoSound(), tasks, SPEAKERS, seed=1)
    data.prepare(trainee, manifest_rows())
    return data


def batch_of(data, **options):
    """All clips in one batch, in the first epoch of a stage."""
    stage = {"name": "a", "epochs": 1, "lr": {}, "tasks": {"direct": 1}}
    data.turn_to(1, Stage(**stage | options))
    dataset = data.dataset(manifest_rows())
    return data.collate([dataset[i] for i in range(len(dataset))])


@pytest.fixture
def reading(trainee):
    trainee.model.readout = trainee.alignment.readout
    yield
    trainee.model.readout = None


def test_sentences_of_the_training_are_known(clip_data):
    llm, readout = clip_data.trainee.llm, clip_data.trainee.alignment.readout
    spoken = {llm.tokenizer.decode(i) for i in unpadded(readout.sentence_ids)}
    expected = {row["spoken_text"] for row in manifest_rows()}
    assert {text.strip() for text in spoken} == expected


def test_who_reads_nothing_out_is_given_nothing(clip_data):
    assert batch_of(clip_data, given=1.0).given == []


def test_there_is_nothing_to_hear_where_all_is_given(clip_data, reading):
    everyone = batch_of(clip_data, given=1.0)
    assert everyone.nothing_to_hear
    assert not everyone._replace(given=everyone.given[1:]).nothing_to_hear
    numbers = everyone.targets.names["speaker"]
    names = everyone.targets.names | {"speaker": [UNKNOWN, *numbers[1:]]}
    targets = everyone.targets._replace(names=names)
    assert not everyone._replace(targets=targets).nothing_to_hear


def test_what_is_given_costs_the_same_without_listening(clip_data, reading):
    trainee = clip_data.trainee
    batch = batch_of(clip_data, given=1.0)
    given = batch.rows, batch.targets, batch.given
    n = len(batch.ids)
    streams = [Frames(torch.randn(n, 34, 16), torch.ones(n), 50.0)]
    with torch.no_grad():
        heard = trainee(streams, *given)
        alone = trainee(None, *given)
    assert alone.answers.equal(heard.answers)
    assert alone.heard is None


def test_the_share_of_given_clips(clip_data, reading):
    assert batch_of(clip_data, given=0.0).given == []
    given = batch_of(clip_data, given=1.0)
    assert given.given == list(range(len(given.ids)))
    some = batch_of(clip_data, given=0.5, align={"ctc": 1.0})
    assert 10 <= len(some.given) <= 30
    assert some.given == batch_of(clip_data, given=0.5, align={"ctc": 1}).given


def test_clips_without_a_question_stay_out_unless_they_are_aligned(clip_data):
    assert {i.split("-")[0] for i in batch_of(clip_data).ids} == {"train"}
    aligned = batch_of(clip_data, align={"ctc": 1.0})
    assert len(aligned.ids) == len(manifest_rows())


def test_voices_that_nobody_describes(trainee):
    data = ClipData(NoSound(), {}, {"zoe": ["A woman."]}, seed=1)
    with pytest.raises(ValueError, match=r"\(ann, bob, eve, joe\)"):
        data.prepare(trainee, manifest_rows())


def test_voices_that_are_described_alike_are_one(clip_data):
    targets = batch_of(clip_data, align={"ctc": 1.0}).targets
    man, woman, man_too, unknown = targets.names["speaker"][:4]
    assert man == man_too != woman and unknown == UNKNOWN
    tokenize = clip_data.trainee.llm.tokenize
    readout = clip_data.trainee.alignment.readout
    spoken = [t for t in readout.speaker_ids[man, 0].tolist() if t >= 0]
    assert spoken == tokenize(" a man")
    sounds = targets.names["sound"]
    assert [clip_data.sounds[s] for s in sounds[:2]] == ["rain", "dog"]
    assert targets.words[0] == tokenize(" Wait.")
