"""A build of a second: noises for sounds, and speech that can be decoded.

The voice writes one frame of 20 ms per character whose level is the
character's code, after a frame of full level; the recogniser reads the levels
back. So a test knows what every stem must contain.

Authors
 * The speechbrain_jasco developers, 2026
"""

from types import SimpleNamespace

import numpy as np
import torch

from speechbrain_jasco.building.file_bank import Recording
from speechbrain_jasco.building.recipe import Recipe
from speechbrain_jasco.building.rooms import SyntheticRooms
from speechbrain_jasco.building.speakers import JoinedSpeakers, Speaker
from speechbrain_jasco.building.speech import SpeechMaker
from speechbrain_jasco.building.supplies import generator

FRAME = 320
FULL = 130.0

VOICES = [
    {"name": "ann", "gender": "female"},
    {"name": "bob", "gender": "male"},
    {"name": "kid", "gender": "female", "age": "child", "speaker": "ann"},
    {"name": "eve", "gender": "female"},
    {"name": "tom", "gender": "male"},
]
SPLITS = {"train": ["ann", "bob", "kid"], "valid": ["ann", "bob"]}
SPLITS["test"] = ["eve", "tom"]
RANGES = {
    "snr_db": [-5, 15],
    "onset_s": [0.2, 0.5],
    "tail_s": [0.2, 0.5],
    "clip_s": [1, 3],
    "loudness_lufs": [-27, -20],
    "room_share": 0.5,
}
SIZE = {"triples": None, "train": 2, "valid": 1, "test_seen": 1}
SIZE |= {"test_unseen": 1, "hearing": 3, "test_open": 2}


class CodeSpeaker(Speaker):
    """Speaks in levels; a voice in ``mumblers`` leaves out the vowels."""

    def __init__(self, voices=VOICES, mumblers=()):
        super().__init__(voices)
        self.mumblers = list(mumblers)

    def synthesise(self, text, preset, speed):
        """Speak."""
        if preset in self.mumblers:
            text = "".join("x" if c in "aeiou" else c for c in text)
        levels = np.array([FULL, *text.encode(), FULL]) / FULL
        rng = generator(0, preset)
        signs = rng.choice([-1.0, 1.0], len(levels) * FRAME)
        return np.repeat(levels, FRAME) * signs, 16000

    def config(self):
        """What it depends on."""
        return {"speaker": type(self).__name__, "mumblers": self.mumblers}


class CodeRecogniser:
    """Reads the levels."""

    def transcribe(self, wavs):
        """Decode."""
        assert all(isinstance(wav, torch.Tensor) for wav in wavs)
        return [decode(wav.numpy()) for wav in wavs]

    def config(self):
        """What it depends on."""
        return {"recogniser": "code"}


def decode(wav):
    """Text of a wav that begins with the frame of full level."""
    levels = np.abs(wav).reshape(-1, FRAME).mean(axis=1)
    codes = np.round(levels / levels[0] * FULL).astype(int)
    return bytes(codes[1:-1].tolist()).decode()


class NoiseBank:
    """Eight noises of each sound."""

    def __init__(self, sounds=("rain", "wind"), n=8, seconds=1.5):
        self.sounds, self.n, self.seconds = list(sounds), n, seconds

    def recordings(self):
        """What it holds."""
        return [
            Recording(s, f"{s}{k}", f"CC-BY-{k % 2 + 3}.0", "test")
            for s in self.sounds
            for k in range(self.n)
        ]

    def load(self, recording):
        """Make one."""
        rng = generator(recording.name)
        samples = int(self.seconds * 16000)
        return rng.uniform(-0.5, 0.5, samples).astype(np.float32)

    def check(self):
        """Nothing to check."""

    def config(self):
        """What it depends on."""
        return {"bank": "noise", "n": self.n, "seconds": self.seconds}


def tiny_triples():
    """Three lines crossed with two sounds, and sentences."""

    def line(text, gender="any", age="any"):
        return SimpleNamespace(
            text=text,
            speech_only=["They talk.", "Someone talks."],
            gender=gender,
            age=age,
            emotion="any",
        )

    lines = {
        "hold": line("Hold it tight now."),
        "wet": line("It is too wet.", gender="female", age="child"),
        "up": line("Look up there, quick.", gender="male"),
    }
    sounds = {
        name: SimpleNamespace(
            names=[f"Sound of {name}", name], audio_only=["They hide."]
        )
        for name in ("rain", "wind")
    }
    splits = ["train", "train", "valid", "train", "test_unseen", "train"]
    pairs = [(s, name) for s in sounds for name in lines]
    triples = [
        SimpleNamespace(
            triple_id=f"{sound}.{name}",
            sound_id=sound,
            line_id=name,
            split=split,
            keywords=["act"],
            answers=[f"They act {sound} {name}.", "They act."],
        )
        for (sound, name), split in zip(pairs, splits, strict=True)
    ]
    sentences = [
        SimpleNamespace(
            sentence_id=f"s{k}",
            text=f"This is sentence {k}.",
            split="test_open" if k % 3 == 0 else "train",
        )
        for k in range(9)
    ]
    return SimpleNamespace(
        sounds=sounds, lines=lines, triples=triples, sentences=sentences
    )


def tiny_recipe(cache, **changes):
    """A recipe of 16 clips; ``changes`` replaces parts of it."""
    speaker = changes.pop("speaker", None) or CodeSpeaker()
    maker = SpeechMaker(
        JoinedSpeakers([speaker]), CodeRecogniser(), 0.25, cache, batch_size=4
    )
    parts = {
        "triples": tiny_triples(),
        "bank": NoiseBank(),
        "speech": maker,
        "voice_splits": SPLITS,
        "rooms": SyntheticRooms(),
        "ranges": RANGES,
        "size": SIZE,
        "seed": 7,
    }
    return Recipe(**{**parts, **changes})
