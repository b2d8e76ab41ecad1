"""The released checkpoints by our names: one to one at full size, nothing
missing, nothing left over, and every fault named.

Authors
 * The speechbrain_jasco developers, 2026
"""

from pathlib import Path

import original_checkpoints as original
import pytest
import torch
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import save_file

from speechbrain_jasco.integrations.checkpoint_file import fault
from speechbrain_jasco.integrations.ltu_as_weights import (
    LTU_AS,
    LTU_AS_UNUSED,
    LtuAsCheckpoint,
)
from speechbrain_jasco.integrations.original_weights import (
    OriginalCheckpoint,
    rename,
    rename_all,
)
from speechbrain_jasco.integrations.salmonn_weights import (
    SALMONN,
    SALMONN_UNUSED,
    SalmonnCheckpoint,
)
from speechbrain_jasco.integrations.wavllm_conversion import (
    PARTS,
    expected_shapes,
    published_configs,
)
from speechbrain_jasco.integrations.wavllm_weights import (
    WAVLLM,
    WAVLLM_UNUSED,
    WavllmCheckpoint,
)

HPARAMS = Path(__file__).resolve().parents[1] / "hparams"
LLAMA_7B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
}
LLAMA_13B = {
    **LLAMA_7B,
    "hidden_size": 5120,
    "intermediate_size": 13824,
    "num_hidden_layers": 40,
    "num_attention_heads": 40,
}


def full_size(name, llama=LLAMA_7B, **overrides):
    """The model of a YAML as it is, but for weights: on the meta device."""
    overrides["model"] = {"llm": {"source": None, "config": llama}}
    with (HPARAMS / f"infer_{name}.yaml").open(encoding="utf-8") as fin:
        with torch.device("meta"):
            hparams = load_hyperpyyaml(fin, overrides)
    return hparams["answerer"].model


def trained(model):
    return {n: p.shape for n, p in model.named_parameters() if p.requires_grad}


def meta(shapes):
    return {n: torch.empty(s, device="meta") for n, s in shapes.items()}


def wavllm_trained():
    sizes = original.WAVLLM_7B
    return (
        original.wavllm_adapter_shapes(sizes)
        | original.wavllm_llama_shapes(sizes)[1]
    )


FULL_SIZE = {
    "salmonn-7b": (
        lambda: full_size("salmonn"),
        lambda: original.salmonn_shapes(**original.SALMONN_7B),
        (SALMONN, SALMONN_UNUSED),
        30_186_240,
    ),
    "salmonn-13b": (
        lambda: full_size("salmonn", LLAMA_13B, llm_width=5120),
        lambda: original.salmonn_shapes(**original.SALMONN_13B),
        (SALMONN, SALMONN_UNUSED),
        33_332_992,
    ),
    "ltu-as": (
        lambda: full_size("ltu_as"),
        lambda: original.ltu_as_shapes(**original.LTU_AS_7B),
        (LTU_AS, LTU_AS_UNUSED),
        48_793_600,
    ),
    "wavllm": (
        lambda: full_size("wavllm"),
        wavllm_trained,
        (WAVLLM, WAVLLM_UNUSED),
        76_642_062,
    ),
}


@pytest.mark.parametrize("name", FULL_SIZE)
def test_every_weight_has_its_place_at_full_size(name):
    build, shapes, tables, count = FULL_SIZE[name]
    expected, theirs = trained(build()), shapes()
    assert sum(shape.numel() for shape in expected.values()) == count
    found = rename_all(meta(theirs), *tables, expected, name)
    assert set(found) == set(expected)
    assert len(theirs) == len(expected)  # so: one to one


def test_wavllms_file_has_a_place_for_everything_at_full_size():
    """Both encoders and the LLaMA, beside what is trained."""
    configs = original.published_configs()
    theirs = original.wavllm_encoder_shapes(
        configs["whisper"], configs["wavlm"]
    )
    theirs |= original.wavllm_llama_shapes(original.WAVLLM_7B)[0]
    expected = expected_shapes(published_configs())
    found = rename_all(meta(theirs), PARTS, (), expected, "final.pt")
    assert set(found) == set(expected) and len(theirs) == len(expected)
    count = sum(shape.numel() for shape in expected.values())
    whisper, wavlm, llama = 636_784_640, 94_381_936, 6_738_415_616
    assert count == whisper + wavlm + llama


def test_salmonns_names_of_2023_are_known_and_passed_over():
    theirs = original.salmonn_shapes(**original.SALMONN_7B)
    extras = original.salmonn_extras(768)
    expected = trained(full_size("salmonn"))
    rename_all(meta(theirs | extras), SALMONN, SALMONN_UNUSED, expected, "a")
    # Each of them only because it is on that list.
    for name in extras:
        with pytest.raises(ValueError, match=f"not known: {name}"):
            rename_all(meta(theirs | extras), SALMONN, (), expected, "a")


def test_every_fault_is_named():
    table = [(r"a\.(.*)", r"b.\1"), (r"also\.(.*)", r"b.\1")]
    expected = {"b.bias": (2,), "b.weight": (2, 3), "b.scale": (1,)}
    shapes = {
        "a.weight": (3, 2),
        "a.bias": (2,),
        "also.bias": (2,),
        "a.extra": (1,),
        "other": (1,),
        "ignored.x": (1,),
    }
    with pytest.raises(ValueError) as error:
        rename_all(meta(shapes), table, [r"ignored\..*"], expected, "my.pt")
    text = str(error.value)
    assert "my.pt does not fit" in text and "5 faults" in text
    for line in (
        "a second tensor for b.bias: also.bias",
        "missing: b.scale",
        "no place in this model: a.extra (as b.extra)",
        "not known: other",
        "shape of a.weight: got [3, 2], expected [2, 3]",
    ):
        assert line in text


@pytest.mark.parametrize("name", FULL_SIZE)
def test_no_rule_of_a_table_is_dead(name):
    """Each is used by a name of the original."""
    _, shapes, (table, _), _ = FULL_SIZE[name]
    used = {
        next(rule for rule in table if rename(theirs, [rule]))
        for theirs in shapes()
    }
    assert used == set(table)


WRONG_FILES = {
    "empty": (b"", "the file is empty"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n",
        "Git-LFS pointer",
    ),
    "html": (b"<!DOCTYPE html><html><head>", "HTML or XML page"),
    "html-spaces": (b"\n \r\n<html lang='en'>", "HTML or XML page"),
    "xml-mark": (
        b'\xef\xbb\xbf<?xml version="1.0"?><Error><Code>AuthenticationFailed',
        "HTML or XML page",
    ),
    "broken-off": (b"PK\x03\x04" + b"\0" * 600, "breaks off"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
@pytest.mark.parametrize(
    "checkpoint", [SalmonnCheckpoint, LtuAsCheckpoint, WavllmCheckpoint]
)
def test_what_is_no_checkpoint_is_said_so(tmp_path, checkpoint, name):
    content, message = WRONG_FILES[name]
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        checkpoint(str(path)).check()
    assert checkpoint.where in str(error.value)


def test_half_a_file_is_said_so(tmp_path):
    weights = {"w": torch.randn(1000)}
    torch.save(weights, tmp_path / "zip.pt")
    torch.save(
        weights, tmp_path / "old.pt", _use_new_zipfile_serialization=False
    )
    save_file(weights, tmp_path / "a.safetensors")
    for path in tmp_path.iterdir():
        assert fault(path) == ""
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(ValueError, match="[Ll]oad it again|load it again"):
            OriginalCheckpoint(str(path)).tensors()


def test_a_missing_file_says_where_it_is_to_be_had(tmp_path):
    for checkpoint, place in (
        (SalmonnCheckpoint, "tsinghua-ee/SALMONN-7B"),
        (LtuAsCheckpoint, "YuanGongND/ltu"),
        (WavllmCheckpoint, "v-sjhu/WavLLM"),
    ):
        with pytest.raises(ValueError, match=place):
            checkpoint(str(tmp_path / "nowhere.pt")).check()


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (tmp_path / "marker").mkdir, ()

    path = tmp_path / "salmonn.pth"
    torch.save({"model": {"w": torch.ones(1)}, "config": Hostile()}, path)
    with pytest.raises(ValueError, match="tensor_pickle"):
        SalmonnCheckpoint(str(path)).tensors()
    assert not (tmp_path / "marker").exists()


def test_salmonn_needs_its_level_above_the_weights(tmp_path):
    path = tmp_path / "salmonn.pth"
    torch.save({"ln_speech.weight": torch.ones(1)}, path)
    with pytest.raises(ValueError, match="expected 'model'"):
        SalmonnCheckpoint(str(path)).tensors()
