"""The plan: nothing crosses from training to test, nothing depends on luck.

Authors
 * The speechbrain_jasco developers, 2026
"""

from types import SimpleNamespace

import pytest
from tiny_build import (
    RANGES,
    SIZE,
    SPLITS,
    VOICES,
    NoiseBank,
    tiny_recipe,
    tiny_triples,
)

from speechbrain_jasco.building.plan import (
    Planner,
    check_ranges,
    clip_id,
    plan_clips,
)
from speechbrain_jasco.building.recipe import make_plan
from speechbrain_jasco.building.supplies import (
    PARTS,
    Supplies,
    assign_voices,
    deal,
)
from speechbrain_jasco.building.voices import make_voice, suitable

VOICE_LIST = [make_voice(options) for options in VOICES]
BY_NAME = {voice.name: voice for voice in VOICE_LIST}


def big_triples(n_lines=6, n_sentences=40):
    """Sounds x lines of the tiny set, many more of them."""
    triples = tiny_triples()
    line = triples.lines["hold"]
    triples.lines = {
        f"l{k}": SimpleNamespace(**{**vars(line), "text": f"Line {k}."})
        for k in range(n_lines)
    }
    triples.triples = [
        SimpleNamespace(
            triple_id=f"{sound}.{name}",
            sound_id=sound,
            line_id=name,
            split=("train", "train", "valid", "test_unseen")[k % 4],
        )
        for sound in triples.sounds
        for k, name in enumerate(triples.lines)
    ]
    triples.sentences = [
        SimpleNamespace(
            sentence_id=f"s{k}",
            text=f"Sentence {k}.",
            split="test_open" if k % 4 == 0 else "train",
        )
        for k in range(n_sentences)
    ]
    return triples


SIZE_BIG = {**SIZE, "train": 5, "valid": 3, "test_seen": 3, "test_unseen": 3}
SIZE_BIG |= {"hearing": None, "test_open": None}


@pytest.fixture(scope="module", params=[0, 1, 2])
def clips(request, tmp_path_factory):
    """Plans of three seeds."""
    cache = tmp_path_factory.mktemp("cache")
    parts = {"triples": big_triples(), "size": SIZE_BIG, "seed": request.param}
    return make_plan(tiny_recipe(cache, **parts))


def used(clips, what):
    """Part -> everything of a kind that its clips may use."""
    parts = {}
    for clip in clips:
        parts.setdefault(PARTS[clip.split], set()).update(what(clip))
    return parts


def test_recordings_never_cross(clips):
    """Between any two of training, validation and test."""
    parts = used(clips, lambda clip: {clip.recording})
    assert len(parts) == 3
    everything = set().union(*parts.values())
    assert sum(map(len, parts.values())) == len(everything)


def test_speakers_never_cross_into_the_test(clips):
    """Nor their variants, nor the substitutes of a line that fails."""
    parts = used(
        clips, lambda clip: {BY_NAME[name].speaker for name in clip.voices}
    )
    assert not parts["test"] & (parts["train"] | parts["valid"])


def test_sentences_never_cross(clips):
    """Neither between hearing and test_open, nor twice in either."""
    ids = [c.line_id for c in clips if c.split in ("hearing", "test_open")]
    assert len(ids) == len(set(ids)) == 40


def test_seen_is_trained_and_unseen_is_not(clips):
    """By triple; the sound and the line of an unseen pair are both trained."""
    triples = {s: set() for s in PARTS}
    for clip in clips:
        triples[clip.split].add(clip.triple_id)
    assert triples["test_seen"] == triples["train"]
    assert not triples["test_unseen"] & (triples["train"] | triples["valid"])


def test_renderings_take_turns(clips):
    """Nothing comes twice before all has come once: 6 recordings, 3 voices."""
    for triple in {c.triple_id for c in clips if c.split == "train"}:
        those = [
            c for c in clips if c.split == "train" and c.triple_id == triple
        ]
        assert len({c.recording for c in those}) == 5
        assert len({c.voices[0] for c in those[:3]}) == 3
        assert len({(c.snr_db, c.onset_s, c.seed) for c in those}) == 5


def test_draws_stay_in_their_ranges_and_fill_them(clips):
    """And about half of the clips are in a room."""
    for name in ("snr_db", "onset_s", "tail_s", "loudness_lufs"):
        low, high = RANGES[name]
        values = [getattr(clip, name) for clip in clips]
        assert low <= min(values) and max(values) <= high
        assert max(values) - min(values) > 0.8 * (high - low)
    assert 0.35 < sum(c.in_room for c in clips) / len(clips) < 0.65


def test_a_plan_is_a_function_of_the_seed(tmp_path):
    """Equal seeds, equal plans; other seeds, other draws."""
    one, same = (make_plan(tiny_recipe(tmp_path)) for _ in range(2))
    other = make_plan(tiny_recipe(tmp_path, seed=8))
    assert one == same
    assert {c.seed for c in one}.isdisjoint(c.seed for c in other)


def test_a_limit_takes_some_of_each_split(tmp_path):
    """The same ones for training and for test_seen."""
    size = {**SIZE, "triples": 2}
    recipe = tiny_recipe(tmp_path, triples=big_triples(), size=size)
    clips = make_plan(recipe)
    triples = {s: {c.triple_id for c in clips if c.split == s} for s in PARTS}
    assert {len(triples[s]) for s in ("train", "valid", "test_unseen")} == {2}
    assert triples["train"] == triples["test_seen"]


def test_a_line_gets_the_gender_it_asks_for_and_the_age_if_it_can():
    """Hand-worked: ann f adult, bob m adult, kid f child, eve f, tom m."""

    def names(voices, **line):
        line = {"gender": "any", "age": "any", "emotion": "any", **line}
        groups = suitable(voices, SimpleNamespace(**line))
        return [[v.name for v in group] for group in groups]

    assert names(VOICE_LIST) == [["ann", "bob", "kid", "eve", "tom"]]
    assert names(VOICE_LIST, gender="male") == [["bob", "tom"]]
    adults = ["ann", "bob", "eve", "tom"]
    assert names(VOICE_LIST, age="child") == [["kid"], adults]
    assert names(VOICE_LIST, gender="male", age="child") == [["bob", "tom"]]
    assert names(VOICE_LIST, age="child", emotion="neutral") == [
        ["kid"],
        adults,
    ]
    loud = BY_NAME["bob"]._replace(name="loud", emotion="angry")
    assert names([*VOICE_LIST[:3], loud], age="child", emotion="angry") == [
        ["kid"],
        ["loud"],
        ["ann", "bob"],
    ]
    assert names([BY_NAME["ann"]], gender="male") == []


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"bank": NoiseBank(n=2)}, "fewer than 3 recordings"),
        ({"bank": NoiseBank(sounds=["rain"])}, r"no recording of \['wind'\]"),
        ({"voice_splits": {**SPLITS, "test": ["kid"]}}, "speakers of .*'kid'"),
        ({"voice_splits": {**SPLITS, "test": ["zoe"]}}, "no voices .*'zoe'"),
        ({"voice_splits": {**SPLITS, "valid": []}}, "at least one voice"),
        ({"voice_splits": {**SPLITS, "test": ["eve"]}}, "no voice of the part"),
        ({"ranges": {**RANGES, "snr_db": [5, 0]}}, "snr_db runs from 5 to 0"),
        ({"ranges": {**RANGES, "onset_s": [-1, 0]}}, "no negative time"),
        ({"ranges": {**RANGES, "room_share": 2}}, "expected 0 to 1"),
        ({"ranges": {"snr_db": [0, 1]}}, r"got \['snr_db'\]"),
        ({"size": {"train": 1}}, r"size: got \['train'\]"),
    ],
)
def test_what_cannot_be_planned_is_named(tmp_path, changes, message):
    """Before anything is spoken or rendered."""
    with pytest.raises(ValueError, match=message):
        make_plan(tiny_recipe(tmp_path, **changes))


@pytest.mark.parametrize("name", ["a b", "../x", "a/b", ""])
def test_names_that_are_no_files_are_refused(name):
    """A triple's id becomes a file name."""
    if name:
        with pytest.raises(ValueError, match="files are named after it"):
            clip_id("train", name, 0)
    else:
        assert clip_id("train", "a.b", 0) == "train-a_b-0"


def test_two_clips_of_one_name_are_refused():
    """a.b and a_b would be one file."""
    triples = big_triples()
    triples.triples[0].triple_id = "rain_l1"
    supplies = Supplies(
        deal(NoiseBank().recordings(), 0), assign_voices(VOICE_LIST, SPLITS)
    )
    with pytest.raises(ValueError, match="two clips are called"):
        plan_clips(triples, Planner(supplies, RANGES, 0), SIZE)


def test_dealing_gives_a_quarter_to_the_test():
    """Eight recordings: two for the test, one for validation, five to train."""
    parts = deal(NoiseBank(n=8).recordings(), seed=3)
    sizes = {p: [len(g) for g in parts[p].values()] for p in parts}
    assert sizes == {"train": [5, 5], "valid": [1, 1], "test": [2, 2]}
    check_ranges(RANGES)
