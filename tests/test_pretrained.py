"""Tests of the trained baseline that is part of the repository.

Authors
 * The speechbrain_jasco developers, 2026
"""

import pytest
import torch
from infer_systems import HPARAMS, demo_clips, load_yaml
from safetensors.torch import load_file

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.audio_reasoner import AudioReasoner

FOLDER = HPARAMS.parent / "pretrained/baseline"
NEEDED = ("whisper-base", "aisfx", "smollm2-135m-instruct")
MISSING = [name for name in NEEDED if not starter.is_ready(name)]


def test_the_file_is_small_and_of_the_yaml_that_reads_it():
    path = FOLDER / "model.safetensors"
    assert path.stat().st_size <= 15e6
    state = load_file(path)
    assert {w.dtype for w in state.values()} == {torch.float16, torch.int32}
    model = load_yaml("infer_baseline.yaml", {})["answerer"].model
    assert model.checkpoint.path.as_posix() == (
        "pretrained/baseline/model.safetensors"
    )
    for part in (model.fusion, model.readout):
        prefix = "fusion." if part is model.fusion else "readout."
        names = {prefix + name for name, _ in part.named_parameters()}
        assert names <= set(state)
        for name, weight in part.named_parameters():
            assert state[prefix + name].shape == weight.shape, name


@pytest.mark.weights
@pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)}")
def test_it_hears_clips_it_was_not_trained_on():
    """A regression test: sounds of the demo clips are named by a word that
    belongs to them, and other clips get other answers."""
    reasoner = AudioReasoner.from_hparams(FOLDER, run_opts={"device": "cpu"})
    words = {
        "Waves": ("wave", "surf", "sea"),
        "Fire": ("fire", "burn"),
        "Audience": ("clap", "applause", "audience", "crowd"),
        "Sizzling": ("sizzl", "fry", "pan"),
    }
    questions = [
        "Name the sound in the background.",
        "What are they doing? Use both the sound and the words.",
    ]
    named, behaviours = [], []
    for clip in demo_clips(8):
        sound, behaviour = reasoner.answer(clip.path, questions)
        own = words[clip.audio_sound.split()[0]]
        named.append(any(word in sound.lower() for word in own))
        behaviours.append(behaviour)
    assert sum(named) >= 6, named
    assert len(set(behaviours)) >= 6, behaviours
