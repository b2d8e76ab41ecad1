"""The sound encoders, their conversion and the tagger.

Authors
 * The speechbrain_jasco developers, 2026
"""

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from math import ceil

import numpy as np
import pytest
import torch

from speechbrain_jasco import starter
from speechbrain_jasco.integrations.sound_tagger import SoundTagger
from speechbrain_jasco.integrations.sound_weights import (
    AISFX_WEIGHTS,
    SOUNDNET_LABELS,
    SOUNDNET_WEIGHTS,
    convert_aisfx,
    convert_soundnet,
    load_aisfx,
    load_soundnet,
)
from speechbrain_jasco.lobes.frames import split_clips
from speechbrain_jasco.lobes.models.aisfx import Aisfx, mel_filters
from speechbrain_jasco.lobes.models.soundnet import GEOMETRY, SoundNet

N_SCENES, N_OBJECTS = 3, 4


def tiny_soundnet(layer="conv5"):
    """SoundNet with the original's geometry and one channel to begin with."""
    torch.manual_seed(0)
    return SoundNet(1, N_OBJECTS, N_SCENES, layer)


def tiny_aisfx():
    """The same for aiSFX."""
    torch.manual_seed(0)
    return Aisfx(width=1)


ENCODERS = {"soundnet": tiny_soundnet, "aisfx": tiny_aisfx}


# ---------------------------------------------------------------- geometry


def test_soundnet_gives_one_distribution_per_5_s_of_a_20_s_clip():
    """The targets of training were 4 distributions per 20 s (main_train.lua,
    label_time_steps)."""
    model = tiny_soundnet()
    x = model.run_blocks(torch.randn(20 * 16000), last="conv7")
    assert model.scenes(x).shape == (1, N_SCENES, 4)
    assert model.objects(x).shape == (1, N_OBJECTS, 4)


@pytest.mark.parametrize("layer", GEOMETRY)
@pytest.mark.parametrize("seconds", [0.1, 3, 9.376, 25])
def test_soundnet_frames_cover_the_clip(layer, seconds):
    """Frames are those of the clip's own duration, never of its tiling."""
    model = tiny_soundnet(layer)
    n_samples = round(seconds * 16000)
    frames = model(torch.randn(1, n_samples), torch.ones(1))
    # The strides from the paper's table 1, written out.
    stride = {"conv1": 16, "conv2": 256, "conv3": 512, "conv4": 1024}
    stride |= {"conv5": 8192, "conv6": 16384, "conv7": 32768}
    assert frames.rate_hz == pytest.approx(22050 / stride[layer])
    expected = ceil(n_samples / 16000 * 22050 / stride[layer])
    # Pooling rounds down: a long clip may lack its last, incomplete frames.
    assert expected - 2 <= frames.x.shape[1] <= expected
    if seconds < 19:
        assert frames.x.shape[1] == expected
    assert frames.x.shape[2] == 2 ** (int(layer[-1]) - 1) == model.n_features


@pytest.mark.parametrize("seconds", [0.2, 2.3, 5, 9.376])
def test_aisfx_blocks(seconds):
    """A block is 100 spectrogram frames, the next begins 50 later."""
    n_samples = round(seconds * 16000)
    frames = tiny_aisfx()(torch.randn(1, n_samples), torch.ones(1))
    spectrogram = 1 + ceil(n_samples * 44100 / 16000) // 1024
    blocks = 1 + max(0, spectrogram - 100) // 50
    assert frames.x.shape == (1, blocks, 8)
    assert frames.rate_hz == pytest.approx(44100 / 1024 / 50)


def test_unknown_layer_is_refused():
    """The error names the layers there are."""
    with pytest.raises(ValueError, match="conv8.*expected one of conv1"):
        SoundNet(1, layer="conv8")


# ------------------------------------------------------ the encoder contract


@pytest.mark.parametrize("name", ENCODERS)
def test_a_clip_is_the_same_alone_and_in_a_batch(name):
    """Even if the padding is loud."""
    model = ENCODERS[name]()
    wavs = torch.randn(2, 80000)
    wavs[1, 50000:] *= 100
    together = model(wavs, torch.tensor([1.0, 50000 / 80000]))
    for i, n_samples in enumerate([80000, 50000]):
        alone = model(wavs[i : i + 1, :n_samples], torch.ones(1))
        n_frames = alone.x.shape[1]
        assert torch.equal(together.x[i, :n_frames], alone.x[0])
        assert not together.x[i, n_frames:].any()
        size = together.lens[i] * together.x.shape[1]
        assert round(size.item()) == n_frames
    assert alone.x.std() > 0


@pytest.mark.parametrize("name", ENCODERS)
def test_frozen_survives_train(name):
    """As a part of a model in training: no gradient, no moving statistics."""
    model = ENCODERS[name]()
    torch.nn.Sequential(model).train()
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())
    before = {k: v.clone() for k, v in model.state_dict().items()}
    wavs = torch.randn(1, 48000, requires_grad=True)
    assert not model(wavs, torch.ones(1)).x.requires_grad
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_label_probabilities_are_distributions_and_ignore_padding():
    """Both heads, alone and in a batch."""
    model = tiny_soundnet()
    wavs = torch.randn(2, 32000)
    both = model.label_probabilities(wavs, torch.tensor([1.0, 0.5]))
    alone = model.label_probabilities(wavs[1:, :16000], torch.ones(1))
    for many, one in zip(both, alone, strict=True):
        assert torch.allclose(many.sum(dim=1), torch.ones(2))
        assert torch.equal(many[1], one[0])


@pytest.mark.parametrize(
    ("wavs", "wav_lens"),
    [
        (torch.ones(2, 10), torch.ones(1)),
        (torch.ones(10), torch.ones(10)),
        (torch.ones(2, 10), torch.tensor([1.0, 0.0])),
    ],
)
def test_split_clips_refuses(wavs, wav_lens):
    """Shapes that do not fit, and empty clips."""
    with pytest.raises(ValueError, match="got"):
        split_clips(wavs, wav_lens)


# --------------------------------------------------------- aiSFX's front end


def test_mel_filters_against_the_formula():
    """HTK's mel scale and triangles, written out in numpy."""

    def hz(mel):
        return 700 * (10 ** (mel / 2595) - 1)

    top = 2595 * np.log10(1 + 22050 / 700)
    edges = hz(np.linspace(0, top, 98))
    bins = np.arange(1025) * 44100 / 2048
    expected = np.zeros((1025, 96))
    for band in range(96):
        low, centre, high = edges[band : band + 3]
        rising = (bins - low) / (centre - low)
        falling = (high - bins) / (high - centre)
        expected[:, band] = np.clip(np.minimum(rising, falling), 0, None)
    expected /= expected.sum(axis=0)
    assert np.allclose(mel_filters().numpy(), expected, atol=1e-4)


def test_log_mel_of_a_sine_by_hand():
    """A full-scale sine under a Hann window of 2048 has a peak power of 512²;
    the loudness of the recording does not matter."""
    hz = 1033.59375  # bin 48 of 44.1 kHz / 2048
    wav = torch.sin(2 * torch.pi * hz * torch.arange(16000) / 16000)
    model = tiny_aisfx()
    mel = model.log_mel(0.1 * wav)
    row = mel[len(mel) // 2]
    # Beside the peak the window leaves half the amplitude in each bin.
    power = torch.zeros(1025)
    power[47:50] = torch.tensor([0.25, 1, 0.25]) * 512**2
    expected = (1e4 * power @ mel_filters() + 1).log10() / 9.457798957824707
    loud = expected > 0.5
    assert loud.any()
    assert torch.allclose(row[loud], expected[loud], atol=2e-3)


def test_silence_is_finite():
    """Peak normalisation must not divide by zero."""
    for make in ENCODERS.values():
        assert make()(torch.zeros(1, 16000), torch.ones(1)).x.isfinite().all()


# ------------------------------------------------------------- conversion


class Python2Pickler(pickle._Pickler):
    """Writes arrays as Python 2 did, which the published file comes from."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_bytes(self, obj):
        """Python 2's str: raw bytes."""
        size = struct.pack("<i", len(obj))
        self.write(pickle.BINSTRING + size + obj)
        self.memoize(obj)

    dispatch[bytes] = save_bytes


def write_npy(path, content):
    """A .npy file around one pickled object, under numpy 1's names."""
    array = np.empty((), dtype=object)
    array[()] = content
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(array)
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(
            buffer.getvalue().replace(
                b"numpy._core.multiarray", b"numpy.core.multiarray"
            )
        )


def soundnet_layers():
    """Random arrays in the published layout [kernel, 1, in, out]."""
    rng = np.random.default_rng(0)
    layers, n_in = {}, 1
    kernels = {name: kernel for name, (kernel, _) in GEOMETRY.items()}
    sizes = {name: 2**i for i, name in enumerate(kernels)}
    kernels |= {"conv8": 8, "conv8_2": 8}
    sizes |= {"conv8": N_OBJECTS, "conv8_2": N_SCENES}
    for name, kernel in kernels.items():
        n_out = sizes[name]
        shape = (kernel, 1, n_in, n_out)
        scale = (kernel * n_in) ** -0.5  # keeps the sizes of activations
        layer = {
            "weights": rng.normal(scale=scale, size=shape),
            "biases": rng.random(n_out),
        }
        if not name.startswith("conv8"):
            for key in ("gamma", "beta", "mean", "var"):
                layer[key] = 0.5 + rng.random(n_out)
            n_in = n_out
        layers[name] = {k: v.astype(np.float32) for k, v in layer.items()}
    return layers


def soundnet_files(tmp_path, layers, n_scenes=N_SCENES):
    """The two published members; the module cannot be imported."""
    files = {
        SOUNDNET_WEIGHTS: tmp_path / "sound8.npy",
        SOUNDNET_LABELS: tmp_path / "init.py",
    }
    write_npy(files[SOUNDNET_WEIGHTS], layers)
    scenes = [f"scene_{i}/indoor" for i in range(n_scenes)]
    objects = [f"object {i}, another name" for i in range(N_OBJECTS)]
    files[SOUNDNET_LABELS].write_text(
        "import a_module_that_does_not_exist\n\n\nclass SoundNet:\n"
        f"    categories_places = {scenes!r}\n"
        f"    categories_imagenet = {objects!r}\n"
    )
    return files


def numpy_block(x, layer, kernel, pool):
    """Convolution, batch norm, ReLU, max-pool on [T, in] as the formulas."""
    pad = kernel // 2
    x = np.pad(x, ((pad, pad), (0, 0)))
    starts = range(0, len(x) - kernel + 1, 2)
    y = np.stack(
        [
            np.einsum("ki,kio->o", x[t : t + kernel], layer["weights"][:, 0])
            for t in starts
        ]
    )
    y = (y + layer["biases"] - layer["mean"]) / np.sqrt(layer["var"] + 1e-5)
    y = np.maximum(y * layer["gamma"] + layer["beta"], 0)
    return y[: len(y) // pool * pool].reshape(-1, pool, y.shape[1]).max(axis=1)


def test_converted_soundnet_computes_the_published_layers(tmp_path):
    """Against numpy on the published layout, over all seven blocks."""
    layers = soundnet_layers()
    convert_soundnet(soundnet_files(tmp_path, layers), tmp_path / "out")
    model = load_soundnet(tmp_path / "out")
    x = np.random.default_rng(1).normal(size=(40000, 1)).astype(np.float32)
    y = torch.from_numpy(x.T[None])
    for name, (kernel, pool) in GEOMETRY.items():
        x = numpy_block(x, layers[name], kernel, pool)
        y = model.blocks[name](y)
        assert np.allclose(y[0].T.numpy(), x, rtol=1e-3, atol=1e-3), name
    for name, head in (("conv8", model.objects), ("conv8_2", model.scenes)):
        last = np.resize(x, (8, x.shape[1]))
        expected = np.einsum("ki,kio->o", last, layers[name]["weights"][:, 0])
        got = head(torch.from_numpy(last.T[None].copy()))[0, :, 0].numpy()
        expected = expected + layers[name]["biases"]
        assert np.allclose(got, expected, rtol=1e-3, atol=1e-3), name
    labels = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert labels["scenes"][1] == "scene 1 indoor"
    assert labels["objects"][3] == "object 3"


def test_labels_must_fit_the_heads(tmp_path):
    """A label list of another length would name everything wrongly."""
    files = soundnet_files(tmp_path, soundnet_layers(), n_scenes=N_SCENES + 1)
    with pytest.raises(ValueError, match="got 4 names of scenes; expected 3"):
        convert_soundnet(files, tmp_path / "out")


def test_missing_labels_are_named(tmp_path):
    """Another version of the package."""
    files = soundnet_files(tmp_path, soundnet_layers())
    files[SOUNDNET_LABELS].write_text("categories_places = []\n")
    with pytest.raises(ValueError, match="categories_imagenet"):
        convert_soundnet(files, tmp_path / "out")


def write_checkpoint(path, content):
    """torch.save under numpy 1's names, as the published file."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with (
        zipfile.ZipFile(buffer) as source,
        zipfile.ZipFile(path, "w") as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                data = data.replace(b"numpy._core", b"numpy.core")
            target.writestr(name, data)


def published_aisfx(model):
    """State dictionary and libraries as the authors saved them."""
    state = OrderedDict()
    for key, value in model.state_dict().items():
        number, _, name = key.removeprefix("blocks.").partition(".")
        state[f"embedding_net.conv_block{int(number) + 1}.{name}"] = value
    state["fc.0.0.weight"] = torch.randn(4, 8)
    return state, {"library": (np.int64(0), 2)}


def test_converted_aisfx_is_the_published_network(tmp_path):
    """Names are mapped, the classifiers dropped, every number kept."""
    model = tiny_aisfx()
    for buffer in model.buffers():
        if buffer.dtype == torch.float32:
            buffer.uniform_(0.5, 1.5)
    model.filters.copy_(mel_filters())
    path = tmp_path / "checkpoint.pth"
    write_checkpoint(path, published_aisfx(model))
    convert_aisfx({AISFX_WEIGHTS: path}, tmp_path / "out")
    got, expected = load_aisfx(tmp_path / "out"), model.state_dict()
    assert got.state_dict().keys() == expected.keys()
    for key, value in got.state_dict().items():
        assert torch.equal(value, expected[key]), key


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        """What a pickle would call."""
        return os.mkdir, (self.path,)


def test_a_malicious_soundnet_is_refused_before_it_runs(tmp_path):
    """... and would have run in an open unpickler."""
    trap = tmp_path / "trap"
    pickle.loads(pickle.dumps(Evil(trap)))
    assert trap.is_dir()
    trap.rmdir()
    layers = soundnet_layers()
    layers["conv1"]["weights"] = Evil(trap)
    with pytest.raises(pickle.UnpicklingError, match="mkdir"):
        convert_soundnet(soundnet_files(tmp_path, layers), tmp_path / "out")
    assert not trap.exists()


def test_a_malicious_aisfx_is_refused_before_it_runs(tmp_path):
    """The whitelist of numpy scalars admits nothing else."""
    state, _ = published_aisfx(tiny_aisfx())
    path, trap = tmp_path / "checkpoint.pth", tmp_path / "trap"
    write_checkpoint(path, (state, {"library": Evil(trap)}))
    with pytest.raises(pickle.UnpicklingError, match="mkdir"):
        convert_aisfx({AISFX_WEIGHTS: path}, tmp_path / "out")
    assert not trap.exists()


# ------------------------------------------------------------------ tagger


def test_tagger_names_both_heads_in_turn_best_first(tmp_path):
    """Against a sort of the probabilities; a clip's neighbours don't matter."""
    convert_soundnet(soundnet_files(tmp_path, soundnet_layers()), tmp_path)
    tagger = SoundTagger(str(tmp_path), top_k=2, device="cpu")
    wavs = [torch.randn(20000) / 256, torch.randn(50000) / 256]
    found = tagger.tag(wavs)
    assert found[1] == tagger.tag(wavs[1:])[0]
    for wav, labels in zip(wavs, found, strict=True):
        p = tagger.model.label_probabilities(wav[None], torch.ones(1))
        scenes = p.scenes[0].argsort(descending=True).tolist()
        objects = p.objects[0].argsort(descending=True).tolist()
        assert labels == [
            f"scene {scenes[0]} indoor",
            f"object {objects[0]}",
            f"scene {scenes[1]} indoor",
            f"object {objects[1]}",
        ]


def test_tagger_config_tells_label_counts_apart():
    """Cached answers depend on it."""
    few, many = SoundTagger("a", top_k=1), SoundTagger("a", top_k=5)
    assert few.config() != many.config()
    json.dumps(few.config())
    with pytest.raises(ValueError, match="top_k"):
        SoundTagger("a", top_k=0)


# ------------------------------------------------------- the real weights


def needs(name):
    """Skips where the starter kit's model has not been converted."""
    reason = f"python -m speechbrain_jasco.starter {name} has not been run"
    return pytest.mark.skipif(not starter.is_ready(name), reason=reason)


@pytest.mark.weights
@needs("soundnet8")
def test_noise_sounds_like_water_and_hum_like_machines():
    """White noise is what falling water sounds like, a 100 Hz hum is not."""
    torch.manual_seed(0)
    time = torch.arange(10 * 16000) / 16000
    sounds = {
        "noise": 0.1 * torch.randn(len(time)),
        "hum": 0.3 * torch.sin(2 * torch.pi * 100 * time),
    }
    tagger = SoundTagger("starter:soundnet8", device="cpu")
    noise, hum = tagger.tag(list(sounds.values()))
    water = {"creek", "river", "waterfall plunge", "waterfall fan"}
    water |= {"waterfall block", "fountain", "dam", "geyser"}
    machines = {"runway", "cockpit", "highway", "car mirror"}
    assert len(water & set(noise)) >= 2 and not machines & set(noise)
    assert len(machines & set(hum)) >= 2 and not water & set(hum)


@pytest.mark.weights
@needs("aisfx")
def test_aisfx_tells_kinds_of_sound_apart():
    """Two different noises are closer to each other than to a melody."""
    torch.manual_seed(0)
    time = torch.arange(5 * 16000) / 16000
    note_hz = torch.tensor([262, 330, 392, 523])[(2 * time).long() % 4]
    melody = (
        torch.sin(2 * torch.pi * note_hz * time) * (-4 * (2 * time % 1)).exp()
    )
    model = load_aisfx("starter:aisfx")
    first, second, third = (
        model(wav[None], torch.ones(1)).x[0].mean(dim=0)
        for wav in (torch.randn(80000), torch.randn(80000), melody)
    )
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(first, second, dim=0) > 0.9 > cosine(first, third, dim=0)
