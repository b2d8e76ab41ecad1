"""Tests of clips x instructions -> predictions.csv, with scripted systems.

Authors
 * The speechbrain_jasco developers, 2026
"""

import dataclasses
import json
import multiprocessing
import random
import threading
import time

import pandas as pd
import pytest
import torch
from speechbrain.dataio import audio_io
from tqdm import tqdm

from speechbrain_jasco.dataio import (
    PREDICTION_COLUMNS,
    Clip,
    is_missing,
    read_predictions,
)
from speechbrain_jasco.inference import predict
from speechbrain_jasco.integrations.cascade import Cascade
from speechbrain_jasco.integrations.reply import Reply

QUESTIONS = ["What, exactly?", "“Where”?", "Who is\nit?"]


class Scripted:
    """Answers with ``reply(clip, question)``; logs every call."""

    def __init__(self, reply=None, **config):
        self.reply = reply or (lambda clip, text: f"{clip.id}: {text} “ok”")
        self.settings = config
        self.calls = []

    def config(self):
        return {"answerer": "Scripted", **self.settings}

    def answer(self, clips, questions):
        self.calls.append(
            [(c.id, q) for c, q in zip(clips, questions, strict=True)]
        )
        return [self.reply(c, q) for c, q in zip(clips, questions, strict=True)]

    def asked(self):
        """All pairs that were asked, in order."""
        return [pair for call in self.calls for pair in call]


@pytest.fixture
def clips(tmp_path):
    """Five clips; nobody listens to them."""
    made = []
    for name in ("10", "2", "007", "7", "ünï"):
        path = tmp_path / "wavs" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        made.append(
            Clip(
                id=name,
                audio=f"{{data_folder}}/{name}.wav",
                n_frames="1.0",
                audio_sound=f"sound {name}",
                spoken_text="It’s, “said”",
                audio_only_target="audio",
                speech_only_target="speech",
                target_keywords="a,b",
                tgt_text=f"target {name}",
                path=path,
            )
        )
    return made


def bytes_of(folder):
    return {
        name: (folder / name).read_bytes()
        for name in ("predictions.csv", "failures.csv")
    }


def failures(folder):
    table = pd.read_csv(folder / "failures.csv", dtype=str)
    assert list(table.columns) == ["id", "prompt", "reason"]
    return list(table.itertuples(index=False, name=None))


def answers(folder):
    table = pd.read_csv(
        folder / "predictions.csv", dtype=str, keep_default_na=False
    )
    return table["allm_output"].tolist()


# ----------------------------------------------------------------------------
# The files
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("clips_per_batch", [1, 2, 5, 100])
def test_order_and_columns(clips, tmp_path, clips_per_batch):
    system = Scripted()
    path = predict(system, clips, QUESTIONS, tmp_path, clips_per_batch)
    table = read_predictions(path)
    pairs = [(clip.id, text) for clip in clips for text in QUESTIONS]
    assert list(table.columns[:-1]) == PREDICTION_COLUMNS
    assert list(zip(table["id"], table["prompt"], strict=True)) == pairs
    assert table["allm_output"].tolist() == [
        f"{name}: {text} “ok”" for name, text in pairs
    ]
    assert set(table["with_speech"]) == {"True"}
    for column in ("audio", "n_frames", "audio_sound", "tgt_text"):
        cells = [getattr(clip, column) for clip in clips for _ in QUESTIONS]
        assert table[column].tolist() == cells
    assert failures(tmp_path) == []
    assert system.asked() == pairs
    assert len(system.calls) == -(-len(clips) // clips_per_batch)


def test_columns_are_the_official_ones(official_folder, clips, tmp_path):
    path = predict(Scripted(), clips, QUESTIONS, tmp_path)
    official = pd.read_csv(official_folder / "evaluation/example.csv")
    assert list(pd.read_csv(path).columns) == list(official.columns)
    # ... and its first row is what ours says of the same cells.
    assert (
        str(official["with_speech"][0])
        == pd.read_csv(path, dtype=str)["with_speech"][0]
    )


def test_answers_of_any_text_arrive(clips, tmp_path):
    texts = iter(
        ["a\rb", "a\r\nb\n", 'x"y', "nan", "x" * 100_000, "\x00", " a ", ","]
        + ["\ud83d", "a \u2028 b", "None", "ok", "ok", "ok", "ok"]
    )
    sent = []

    def reply(clip, question):
        sent.append(next(texts))
        return sent[-1]

    table = read_predictions(
        predict(Scripted(reply), clips, QUESTIONS, tmp_path)
    )
    sent[sent.index("\ud83d")] = r"\ud83d"
    assert table["allm_output"].tolist() == sent
    again = Scripted()
    before = bytes_of(tmp_path)
    predict(again, clips, QUESTIONS, tmp_path)
    assert again.calls == [] and bytes_of(tmp_path) == before


@pytest.mark.parametrize("clips_per_batch", [1, 2])
def test_nothing_to_ask(clips, tmp_path, clips_per_batch):
    for these, questions, size in [
        ([], QUESTIONS, clips_per_batch),
        (clips, [], clips_per_batch),
        (clips, QUESTIONS, 0),
        (clips, QUESTIONS, -1),
    ]:
        with pytest.raises(ValueError, match="expected at least 1 of each"):
            predict(Scripted(), these, questions, tmp_path, size)


# ----------------------------------------------------------------------------
# Interruption
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("clips_per_batch", [1, 2, 3])
def test_interrupted_at_each_answer(clips, tmp_path, clips_per_batch):
    """The files come out the same and nothing that is done is asked again."""
    predict(Scripted(), clips, QUESTIONS, tmp_path / "whole", clips_per_batch)
    n_pairs = len(clips) * len(QUESTIONS)
    size = clips_per_batch * len(QUESTIONS)
    for stop in range(n_pairs):
        folder = tmp_path / str(stop)
        done = []

        def reply(clip, question, stop=stop, done=done):
            if len(done) == stop:
                raise KeyboardInterrupt
            done.append(clip)
            return f"{clip.id}: {question} “ok”"

        with pytest.raises(KeyboardInterrupt):
            predict(Scripted(reply), clips, QUESTIONS, folder, clips_per_batch)
        assert not (folder / "predictions.csv").exists()
        second = Scripted()
        predict(second, clips, QUESTIONS, folder, clips_per_batch)
        assert bytes_of(folder) == bytes_of(tmp_path / "whole")
        # All batches but the one under way are done.
        assert len(second.asked()) == n_pairs - stop // size * size
        third = Scripted()
        predict(third, clips, QUESTIONS, folder, clips_per_batch)
        assert third.calls == []


def test_killed_at_random_instants(clips, tmp_path):
    """Each kill hits a run that has gone on from the kills before."""
    log = tmp_path / "log"

    def reply(clip, question):
        with log.open("a") as file:
            file.write(f"{clip.id}\n")
        time.sleep(0.005)
        return f"{clip.id}: {question} “ok”" * 1000

    def run(folder):
        # The usual lock is shared with the parent: a child that is killed
        # while it draws its bar would never give it back.
        tqdm.set_lock(threading.RLock())
        predict(Scripted(reply), clips, QUESTIONS[:1], tmp_path / folder)

    def start(folder):
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=run, args=(folder,))
        process.start()
        return process

    began = time.monotonic()
    start("whole").join()
    duration = time.monotonic() - began
    whole = bytes_of(tmp_path / "whole")
    generator = random.Random(0)
    n_kills = n_ends = 0
    while n_kills < 30:
        log.write_text("")
        folder, before = f"killed{n_ends}", n_kills
        process = start(folder)
        process.join(generator.uniform(0, duration))
        while process.exitcode is None:
            process.kill()
            process.join()
            n_kills += 1
            duration *= 1.02  # ends even where the machine has become slow
            for path in (tmp_path / folder).glob("*.csv"):  # whole or absent
                assert path.read_bytes() == whole[path.name]
            process = start(folder)
            process.join(generator.uniform(0, duration))
        assert process.exitcode == 0
        assert bytes_of(tmp_path / folder) == whole
        asked = log.read_text().split()
        assert set(asked) == {clip.id for clip in clips}
        assert len(asked) <= len(clips) + n_kills - before
        n_ends += 1


def test_interrupted_in_the_middle_of_a_row(clips, tmp_path):
    predict(Scripted(), clips, QUESTIONS, tmp_path)
    before = bytes_of(tmp_path)
    journal = tmp_path / "answers.jsonl"
    data = journal.read_bytes()
    for size in range(0, len(data), 97):
        journal.write_bytes(data[:size])
        system = Scripted()
        predict(system, clips, QUESTIONS, tmp_path)
        assert bytes_of(tmp_path) == before
        assert len(system.calls) == len(clips) - data[:size].count(b"\n")
        assert journal.read_bytes() == data


def test_more_clips_ask_only_what_is_new(clips, tmp_path):
    predict(Scripted(), clips[:2], QUESTIONS, tmp_path)
    system = Scripted()
    predict(system, clips, QUESTIONS, tmp_path)
    assert [call[0][0] for call in system.calls] == [c.id for c in clips[2:]]
    predict(Scripted(), clips, QUESTIONS, tmp_path / "whole")
    assert bytes_of(tmp_path) == bytes_of(tmp_path / "whole")
    # Fewer clips again: only they are in the file.
    predict(system, clips[:1], QUESTIONS, tmp_path)
    assert len(answers(tmp_path)) == len(QUESTIONS)


# ----------------------------------------------------------------------------
# Failures
# ----------------------------------------------------------------------------


@pytest.mark.parametrize("clips_per_batch", [1, 2, 5])
@pytest.mark.parametrize("error", [OSError, RuntimeError, ValueError])
def test_one_bad_pair_fails_alone_and_is_retried(
    clips, tmp_path, clips_per_batch, error
):
    def reply(clip, question):
        if (clip.id, question) == ("007", QUESTIONS[1]):
            raise error("no, “never”\nsecond line")
        return "fine"

    predict(Scripted(reply), clips, QUESTIONS, tmp_path, clips_per_batch)
    reason = f"{error.__name__}: no, “never”\nsecond line"
    assert failures(tmp_path) == [("007", QUESTIONS[1], reason)]
    expected = ["fine"] * 15
    expected[7] = ""
    assert answers(tmp_path) == expected
    healed = Scripted(lambda clip, question: "healed")
    predict(healed, clips, QUESTIONS, tmp_path, clips_per_batch)
    assert len(healed.calls) == 1
    assert ("007", QUESTIONS[1]) in healed.calls[0]
    assert failures(tmp_path) == []
    expected[7] = "healed"  # what was answered before has not changed
    assert answers(tmp_path) == expected


def test_retry_that_fails_loses_no_earlier_answer(clips, tmp_path):
    def first(clip, question):
        if question == QUESTIONS[1]:
            raise RuntimeError("try later")
        return f"first {clip.id}"

    def second(clip, question):
        raise ConnectionError("server is down")

    predict(Scripted(first), clips, QUESTIONS, tmp_path)
    before = answers(tmp_path)
    predict(Scripted(second), clips, QUESTIONS, tmp_path)
    assert answers(tmp_path) == before
    reasons = [reason for _, _, reason in failures(tmp_path)]
    assert reasons == ["ConnectionError: server is down"] * len(clips)


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u00a0"])
def test_blank_answers_are_failures(clips, tmp_path, blank):
    def reply(clip, question):
        return blank if clip.id == "7" else "fine"

    predict(Scripted(reply), clips, QUESTIONS, tmp_path)
    expected = [("7", text, "empty answer") for text in QUESTIONS]
    assert failures(tmp_path) == expected
    assert answers(tmp_path) == ["fine"] * 9 + [""] * 3 + ["fine"] * 3


def test_answers_that_read_like_nan_are_left_to_the_evaluation(clips, tmp_path):
    texts = iter(["nan", "None", "NA"] + ["fine"] * 12)
    path = predict(Scripted(lambda *_: next(texts)), clips, QUESTIONS, tmp_path)
    table = read_predictions(path)
    assert (
        table["allm_output"].map(is_missing).tolist()
        == [True] * 3 + [False] * 12
    )


@pytest.mark.parametrize(
    "clips_per_batch, n_tried", [(1, 3), (2, 4), (3, 3), (5, 5), (100, 5)]
)
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_system_that_always_fails_stops_early(
    clips, tmp_path, clips_per_batch, n_tried, blank
):
    def reply(clip, question):
        if blank is None:
            raise RuntimeError("CUDA is on strike")
        return blank

    system = Scripted(reply)
    reason = "CUDA is on strike" if blank is None else "empty answer"
    for _ in range(2):  # a second run fails the same way
        with pytest.raises(RuntimeError, match=reason) as caught:
            predict(system, clips, QUESTIONS, tmp_path, clips_per_batch)
        assert f"first {n_tried} clips got no answer" in str(caught.value)
    assert {name for name, _ in system.asked()} == {
        c.id for c in clips[:n_tried]
    }
    assert not (tmp_path / "predictions.csv").exists()
    # Once it works, everything is asked and nothing of the failure stays.
    predict(Scripted(), clips, QUESTIONS, tmp_path, clips_per_batch)
    predict(Scripted(), clips, QUESTIONS, tmp_path / "w", clips_per_batch)
    assert bytes_of(tmp_path) == bytes_of(tmp_path / "w")


@pytest.mark.parametrize("n_clips", [1, 2])
def test_a_system_that_fails_on_the_few_clips_there_are(
    clips, tmp_path, n_clips
):
    system = Scripted(lambda *_: "")
    with pytest.raises(RuntimeError, match=f"first {n_clips} clips"):
        predict(system, clips[:n_clips], QUESTIONS, tmp_path)


@pytest.mark.parametrize("good", range(15))
def test_one_answer_in_the_first_clips_is_enough_to_go_on(
    clips, tmp_path, good
):
    count = iter(range(10**6))
    found = {}

    def reply(clip, question):
        place = found.setdefault((clip.id, question), next(count))
        return "fine" if place == good else ""

    system = Scripted(reply)
    if good < 9:
        predict(system, clips, QUESTIONS, tmp_path)
        assert len(failures(tmp_path)) == 14
    else:
        with pytest.raises(RuntimeError, match="empty answer"):
            predict(system, clips, QUESTIONS, tmp_path)


def test_a_late_outage_does_not_stop_the_run(clips, tmp_path):
    def reply(clip, question):
        if clip.id != "10":
            raise OSError("gone")
        return "fine"

    predict(Scripted(reply), clips, QUESTIONS, tmp_path)
    assert len(failures(tmp_path)) == 12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda texts: texts[:-1],
        lambda texts: [*texts, "more"],
        lambda texts: [],
        lambda texts: None,
        lambda texts: "a text",
        lambda texts: [None, *texts[1:]],
        lambda texts: [Reply(text) for text in texts],
        lambda texts: [text.encode() for text in texts],
    ],
)
def test_an_answerer_against_the_contract(clips, tmp_path, wrong):
    class Wrong(Scripted):
        def answer(self, clips, questions):
            texts = super().answer(clips, questions)
            return wrong(texts) if clips[0].id == "007" else texts

    with pytest.raises(
        RuntimeError, match="expected a list of 3 str"
    ) as caught:
        predict(Wrong(), clips, QUESTIONS, tmp_path)
    assert str(caught.value).startswith("Wrong.answer returned ")
    # The two clips before are kept, and no wrong row is.
    system = Scripted()
    predict(system, clips, QUESTIONS, tmp_path)
    assert [call[0][0] for call in system.calls] == [c.id for c in clips[2:]]
    assert failures(tmp_path) == []


def test_programming_errors_are_not_recorded_as_failures(clips, tmp_path):
    def reply(clip, question):
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        predict(Scripted(reply), clips, QUESTIONS, tmp_path)


# ----------------------------------------------------------------------------
# What an answer depends on
# ----------------------------------------------------------------------------


def test_what_changed_is_asked_afresh(clips, tmp_path):
    predict(Scripted(model="a"), clips, QUESTIONS, tmp_path)

    def clips_asked(clips, questions=QUESTIONS, **config):
        system = Scripted(lambda *_: "new", **config)
        predict(system, clips, questions, tmp_path)
        return [call[0][0] for call in system.calls]

    everything = [clip.id for clip in clips]
    assert clips_asked(clips, model="a") == []
    assert clips_asked(clips, model="b") == everything
    assert answers(tmp_path) == ["new"] * 15
    assert clips_asked(clips, [*QUESTIONS, "More?"], model="a") == everything
    assert clips_asked(clips, QUESTIONS[::-1], model="a") == everything
    # Back to the first configuration: its answers are still there.
    assert clips_asked(clips, model="a") == []
    assert answers(tmp_path)[0] == f"10: {QUESTIONS[0]} “ok”"
    clips[1].path.write_bytes(b"another recording")
    assert clips_asked(clips, model="a") == ["2"]
    renamed = [dataclasses.replace(clips[0], id="11"), *clips[1:]]
    assert clips_asked(renamed, model="a") == ["11"]
    # A better reference needs no new answer, and is in the file.
    better = [dataclasses.replace(clip, tgt_text="better") for clip in clips]
    assert clips_asked(better, model="a") == []
    assert set(pd.read_csv(tmp_path / "predictions.csv")["tgt_text"]) == {
        "better"
    }
    # The order of the clips is that of the call.
    assert clips_asked(clips[::-1], model="a") == []
    ids = pd.read_csv(tmp_path / "predictions.csv", dtype=str)["id"]
    assert list(ids.unique()) == everything[::-1]


def test_recording_that_turns_up_later(clips, tmp_path):
    def reply(clip, question):
        return clip.path.read_text()

    clips[1].path.unlink()
    predict(Scripted(reply), clips, QUESTIONS, tmp_path)
    assert {row[0] for row in failures(tmp_path)} == {"2"}
    assert "FileNotFoundError" in failures(tmp_path)[0][2]
    clips[1].path.write_text("here I am")
    predict(Scripted(reply), clips, QUESTIONS, tmp_path)
    assert failures(tmp_path) == []
    assert answers(tmp_path)[3:6] == ["here I am"] * 3


def test_journal_of_something_else(clips, tmp_path):
    (tmp_path / "answers.jsonl").write_text("id,prompt\n1,2\n")
    with pytest.raises(ValueError, match=r"answers.jsonl, line 1: .*Remove"):
        predict(Scripted(), clips, QUESTIONS, tmp_path)


# ----------------------------------------------------------------------------
# The cascade
# ----------------------------------------------------------------------------


class Ears:
    """Hears the length of a recording; logs what it is given."""

    def __init__(self):
        self.heard = []

    def config(self):
        return {}

    def load(self):
        """Nothing to load."""

    def transcribe(self, wavs):
        self.heard.append([len(wav) for wav in wavs])
        return [f"{{words}} {len(wav)}" for wav in wavs]

    def tag(self, wavs):
        return [[f"{{question}} {len(wav)}", "sea"] for wav in wavs]


class Parrot:
    """Repeats the chat as JSON; fails where the chat holds "fail"."""

    def config(self):
        return {}

    def check(self):
        """Nothing to check."""

    def complete(self, chats):
        texts = [json.dumps(chat) for chat in chats]
        return [
            Reply("", "transport_error", "too long")
            if "fail" in text
            else Reply(text)
            for text in texts
        ]


@pytest.fixture
def heard_clips(clips):
    """The clips with recordings of 1000, 2000 ... samples."""
    for number, clip in enumerate(clips, start=1):
        samples = torch.zeros(1, 1000 * number)
        audio_io.save(str(clip.path), samples, 16000)
    return clips


def test_cascade_puts_the_right_clip_with_the_right_question(heard_clips):
    ears = Ears()
    cascade = Cascade(
        ears, ears, Parrot(), "{sounds}|{words}|{question}", "Be {brief}."
    )
    clips = [heard_clips[i] for i in (1, 0, 1, 0)]
    texts = cascade.answer(clips, ["a", "{words}", "c", "d"])
    chats = [json.loads(text) for text in texts]
    assert [chat[0] for chat in chats] == [
        {"role": "system", "content": "Be {brief}."}
    ] * 4
    assert [chat[1]["content"] for chat in chats] == [
        # Braces in what is heard or asked are text, not fields.
        "{question} 2000, sea|{words} 2000|a",
        "{question} 1000, sea|{words} 1000|{words}",
        "{question} 2000, sea|{words} 2000|c",
        "{question} 1000, sea|{words} 1000|d",
    ]
    assert ears.heard == [[2000, 1000]]  # each clip once


def test_cascade_with_a_clip_that_cannot_be_read(heard_clips, tmp_path):
    heard_clips[2].path.write_bytes(b"no recording")
    heard_clips[3].path.unlink()
    cascade = Cascade(Ears(), Ears(), Parrot(), "{words} {question} {sounds}")
    predict(cascade, heard_clips, QUESTIONS, tmp_path, clips_per_batch=4)
    reasons = {name: reason for name, _, reason in failures(tmp_path)}
    assert set(reasons) == {"007", "7"} and len(failures(tmp_path)) == 6
    assert "not readable as audio" in reasons["007"]
    assert "no such recording" in reasons["7"]


def test_cascade_with_a_question_the_llm_cannot_take(heard_clips, tmp_path):
    cascade = Cascade(Ears(), Ears(), Parrot(), "{words} {question} {sounds}")
    predict(cascade, heard_clips, ["a", "fail", "b"], tmp_path)
    assert failures(tmp_path) == [
        (clip.id, "fail", "RuntimeError: too long") for clip in heard_clips
    ]


def test_cascade_config_tells_its_parts_apart():
    def cascade(template="{words}", system=None):
        return Cascade(Ears(), Ears(), Parrot(), template, system)

    same = [cascade().config(), cascade().config()]
    assert same[0] == same[1]
    assert json.loads(json.dumps(same[0])) == same[0]
    assert cascade("{words}!").config() != same[0]
    assert cascade(system="Be brief.").config() != same[0]
