"""A tiny built data set and overrides that make a training tiny.

Authors
 * The speechbrain_jasco developers, 2026
"""

import itertools
import json

import torch
from speechbrain.dataio import audio_io
from tiny_systems import tiny_audio_llm, write_llama_tokenizer

from speechbrain_jasco.building.manifest import write_manifest
from speechbrain_jasco.lobes.models.readout import Readout
from speechbrain_jasco.training.alignment import Alignment
from speechbrain_jasco.training.trainee import Trainee

SOUNDS = {"hum": 200.0, "beep": 1000.0, "hiss": 3000.0}
LINES = {"go": "Go on.", "stop": "Please stop it.", "wait": "Wait."}
LLAMA_3_1_8B = {
    "model_type": "llama",
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}
SPLITS = ("train", "valid", "test_seen", "test_unseen")


def write_built(folder, splits=SPLITS, seconds=(0.7, 1.1)):
    """Writes clips of a tone and noise, each sound with each line; the noise
    of a line is always the same."""
    rows = []
    for split in splits:
        (folder / split).mkdir(parents=True)
        pairs = itertools.product(SOUNDS, LINES)
        for number, (sound, line) in enumerate(pairs):
            rows.append(_clip(folder, split, sound, line, seconds[number % 2]))
    if "hearing" in splits:
        for row in rows:
            if row["split"] == "hearing":
                row |= {"triple_id": "", "tgt_text": "", "answers": ""}
    write_manifest(folder / "clips.csv", rows)
    return folder


def _clip(folder, split, sound, line, seconds):
    """Writes one clip with its stems; returns its row."""
    name = f"{split}-{sound}-{line}"
    times = torch.arange(int(16000 * seconds)) / 16000
    tone = 0.2 * torch.sin(6.2832 * SOUNDS[sound] * times)
    noise = 0.1 * torch.randn(
        len(times), generator=torch.Generator().manual_seed(len(line))
    )
    stems = {"audio": tone + noise, "sound_wav": tone, "speech_wav": noise}
    paths = {}
    for stem, wav in stems.items():
        path = folder / split / f"{name}.{stem}.wav"
        audio_io.save(str(path), wav[None], 16000)
        paths[stem] = f"{{data_folder}}/{split}/{path.name}"
    return {
        "id": name,
        "n_frames": len(times),
        "split": split,
        "spoken_text": LINES[line],
        "audio_sound": sound,
        "sound_names": f"A {sound}|The {sound}",
        "sound_id": sound,
        "line_id": line,
        "triple_id": f"{sound}.{line}",
        "voice": "joe",
        "tgt_text": f"They {line} at the {sound}.",
        "answers": f"They {line} at the {sound}.|It is {line} and {sound}.",
        **paths,
    }


def tiny_overrides(models, folder, output):
    """Overrides of baseline.yaml: models is (whisper, aisfx, llm) folders."""
    whisper, aisfx, llm = map(str, models)
    return {
        "whisper_source": whisper,
        "sounds_source": aisfx,
        "stream_widths": [16, 8],
        "llm_source": llm,
        "llm_width": 32,
        "dtype": "float32",
        "data_folder": str(folder),
        "cache_folder": str(output / "features"),
        "output_folder": str(output),
        "precision": "fp32",
        "eval_precision": "fp32",
        "compile_llm": False,  # takes longer than all else together
        "train_splits": ["train"],
        "test_splits": ["test_seen"],
        "ckpt_interval_minutes": -1,
        "examiner": {"judged": None, "n_exchanges": 4},
    }


def as_argv(overrides):
    """Overrides as command-line arguments."""
    return [
        f"--{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in overrides.items()
    ]


def tiny_trainee(folder):
    """A random auditory LLM, ready to be trained; its tokenizer's folder."""
    write_llama_tokenizer(folder)
    model = tiny_audio_llm(folder)
    model.load()
    return Trainee(model, Alignment(Readout(model.llm.width))).eval()
