"""Tensors come out of a foreign pickle, and nothing in it runs.

Authors
 * The speechbrain_jasco developers, 2026
"""

import collections
import os
import pickle
import sys
import types

import pytest
import torch
from safetensors.torch import load_file

from speechbrain_jasco.integrations.tensor_pickle import main, read_tensors

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)  # torch.save's own is 2
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "old"])


class Hostile:
    """Calls something when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def save(content, path, zipped=True, protocol=2):
    torch.save(
        content,
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zipped,
    )
    return path


def attacks(marker):
    """Each makes a file ``marker`` if it is allowed to call anything."""
    touch = f"open({str(marker)!r}, 'w').close()"
    return {
        "os.system": Hostile(os.system, f"touch {marker}"),
        "os.mkdir": Hostile(os.mkdir, str(marker)),
        "eval": Hostile(eval, touch),
        "exec": Hostile(exec, touch),
        "torch.save": Hostile(torch.save, [1], str(marker)),
        "nested": Hostile(
            collections.OrderedDict, [("a", Hostile(os.mkdir, str(marker)))]
        ),
    }


@FORMATS
@pytest.mark.parametrize("name", attacks(""))
def test_nothing_in_a_hostile_file_runs(tmp_path, name, zipped):
    marker = tmp_path / "marker"
    weights = {"w": torch.ones(2)}
    content = {"model": weights, "cfg": attacks(marker)[name]}
    path = save(content, tmp_path / "hostile.pt", zipped)
    assert read_tensors(path)["w"].tolist() == [1.0, 1.0]
    assert not marker.exists()
    # The attack is one: an unguarded load falls for it.
    torch.load(path, weights_only=False)
    assert marker.exists()


@FORMATS
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_protocol_lets_a_call_through(tmp_path, protocol, zipped):
    marker = tmp_path / "marker"
    content = {
        "model": {"w": torch.ones(2)},
        "cfg": Hostile(os.mkdir, str(marker)),
    }
    path = save(content, tmp_path / "hostile.pt", zipped, protocol)
    assert read_tensors(path)["w"].tolist() == [1.0, 1.0]
    assert not marker.exists()


def test_a_hostile_file_without_tensors_does_not_run_either(tmp_path):
    """The old format begins with bare pickles, here with the attack."""
    marker = tmp_path / "marker"
    path = tmp_path / "hostile.pt"
    path.write_bytes(pickle.dumps(Hostile(os.mkdir, str(marker))))
    with pytest.raises((ValueError, RuntimeError, pickle.UnpicklingError)):
        read_tensors(path)
    assert not marker.exists()


@FORMATS
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tensors_come_out_as_they_went_in(tmp_path, protocol, zipped):
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    weights = collections.OrderedDict(
        single=base,
        half=base.half(),
        bfloat16=base.bfloat16(),
        double=base.double(),
        long=torch.arange(5),
        byte=torch.arange(5, dtype=torch.uint8),
        bool=base > 0,
        scalar=torch.tensor(2.5),
        empty=torch.zeros(0, 3),
        turned=base.T,
        part=base[1:3, ::2],
        parameter=torch.nn.Parameter(base + 1),
        tied=base,
    )
    path = save({"model": weights}, tmp_path / "a.pt", zipped, protocol)
    read = read_tensors(path)
    assert list(read) == list(weights)
    for name, tensor in weights.items():
        assert read[name].dtype == tensor.dtype, name
        assert torch.equal(read[name], tensor), name
    # Weights that shared their memory still do: the file holds them once.
    pointer = read["single"].untyped_storage().data_ptr()
    assert read["tied"].untyped_storage().data_ptr() == pointer
    assert read["turned"].untyped_storage().data_ptr() == pointer


def test_objects_of_a_module_that_is_not_there_are_passed_over(
    tmp_path, monkeypatch
):
    """As fairseq and omegaconf leave them: plain, with a state of its own,
    as a list, as a dict, as an enumeration's member."""
    module = types.ModuleType("fairseq_of_yore")
    source = """
import enum
class Config:
    def __init__(self): self.nested = {"lr": 1e-3}
class Stateful:
    def __getstate__(self): return ("a", ["b"])
    def __setstate__(self, state): raise SystemExit("ran")
class Items(list): pass
class Table(dict): pass
class Choice(enum.Enum): ONE = 1
"""
    exec(source, module.__dict__)
    module.__dict__["Config"].__module__ = "fairseq_of_yore"
    for kind in ("Config", "Stateful", "Items", "Table", "Choice"):
        getattr(module, kind).__module__ = "fairseq_of_yore"
    monkeypatch.setitem(sys.modules, "fairseq_of_yore", module)
    content = {
        "cfg": module.Config(),
        "args": module.Stateful(),
        "history": module.Items([1, module.Config()]),
        "table": module.Table({"a": module.Choice.ONE}),
        "model": {"w": torch.arange(3)},
    }
    path = save(content, tmp_path / "final.pt")
    monkeypatch.delitem(sys.modules, "fairseq_of_yore")
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    assert read_tensors(path)["w"].tolist() == [0, 1, 2]
    assert "fairseq_of_yore" not in sys.modules


@pytest.mark.parametrize(
    "content",
    [
        [torch.ones(2)],
        {"weights": {"w": torch.ones(2)}},
        {"model": [torch.ones(2)]},
        {"model": {"w": 3}},
    ],
)
def test_what_is_not_a_checkpoint_is_said_so(tmp_path, content):
    path = save(content, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="expected a dictionary of tensors"):
        read_tensors(path)


def test_a_hostile_object_among_the_weights_is_refused(tmp_path):
    marker = tmp_path / "marker"
    weights = {"w": torch.ones(2), "x": Hostile(os.mkdir, str(marker))}
    path = save({"model": weights}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match="expected a dictionary of tensors"):
        read_tensors(path)
    assert not marker.exists()


def test_the_command_writes_safetensors(tmp_path, capsys):
    base = torch.randn(4, 6)
    weights = {"a": base, "tied": base, "turned": base.T.bfloat16()}
    path = save({"model": weights}, tmp_path / "final.pt")
    main([str(path), str(tmp_path / "final.safetensors")])
    assert "Wrote 3 tensors" in capsys.readouterr().out
    read = load_file(tmp_path / "final.safetensors")
    assert set(read) == set(weights)
    for name, tensor in weights.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)


def test_the_command_says_what_it_expects(tmp_path):
    for argv in ([], ["final.pt"], ["final.pt", "final.bin"]):
        with pytest.raises(SystemExit, match="expected a checkpoint"):
            main(argv)
