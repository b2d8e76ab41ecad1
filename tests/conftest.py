"""Fixtures: tiny random models, the official data, a scripted server.

Authors
 * The speechbrain_jasco developers, 2026
"""

import functools
import importlib
import json
import logging
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

# Before transformers is imported: no test may reach for a model hub.
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "WhatAreTheyDoing"
sys.path.insert(0, str(RECIPE))

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_chat_tokenizer(folder):
    """Train a byte-level BPE on a few words; returns the tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|pad|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = "What are the speakers doing? They are on the beach. Rating: 0 1 2"
    bpe.train_from_iterator([words, "Orientation: audio speech both"], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        chat_template=CHATML,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory):
    """Folder of a small SentencePiece tokenizer; nobody writes into it."""
    from tiny_systems import write_llama_tokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    write_llama_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llm(tmp_path_factory):
    """Folder of a random Llama with a ChatML template; it never stops early,
    so that no reply is empty by accident."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny_llm")
    tokenizer = write_chat_tokenizer(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=2048,
        initializer_range=0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=tokenizer.all_special_ids,
    )
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_whisper(tmp_path_factory):
    """Folder of a random English Whisper (300 tokens, width 16)."""
    from tiny_whisper import write_english_folder

    folder = tmp_path_factory.mktemp("tiny_whisper")
    write_english_folder(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_sounds(tmp_path_factory):
    """Folder of a random SoundNet with 4 scenes and 5 objects."""
    import torch
    from safetensors.torch import save_file

    from speechbrain_jasco.lobes.models.soundnet import SoundNet

    folder = tmp_path_factory.mktemp("tiny_sounds")
    config = {"width": 1, "n_objects": 5, "n_scenes": 4}
    labels = {
        "objects": ["organ", "hen", "tabby", "oboe", "kite"],
        "scenes": ["beach", "harbor", "kitchen", "attic"],
    }
    torch.manual_seed(0)
    model = SoundNet(**config)
    save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture(scope="session")
def tiny_aisfx(tmp_path_factory):
    """Folder of a random aiSFX with 8 features."""
    import torch
    from safetensors.torch import save_file

    from speechbrain_jasco.lobes.models.aisfx import Aisfx

    folder = tmp_path_factory.mktemp("tiny_aisfx")
    torch.manual_seed(0)
    save_file(Aisfx(width=1).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text('{"width": 1}')
    return folder


@pytest.fixture
def run_script(monkeypatch):
    """``run_script(name, *argv)`` in this process, from the recipe's folder."""
    monkeypatch.chdir(RECIPE)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(name, *argv):
        script = importlib.import_module(name)
        return script.main([str(argument) for argument in argv])

    yield run
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def run_benchmark(monkeypatch, capsys):
    """``run_benchmark(name, *argv)``: what it prints, cells by the first."""
    path, before = list(sys.path), set(sys.modules)
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)

    def run(name, *argv):
        capsys.readouterr()
        importlib.import_module(name).main([str(a) for a in argv])
        rows = {}
        for line in capsys.readouterr().out.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0]] = cells[1:]
        return rows

    yield run
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if (ROOT / "benchmarks" / f"{name}.py").is_file():
            del sys.modules[name]


@pytest.fixture
def main(run_script):
    """``infer.main``."""
    return functools.partial(run_script, "infer")


@pytest.fixture(scope="session")
def official_folder():
    """The authors' data, or a skip that says where it is looked for."""
    default = ROOT.parent / "shared" / "data" / "What_Are_They_Doing"
    folder = Path(os.environ.get("JASCO_OFFICIAL", default))
    if not (folder / "evaluation" / "example.csv").is_file():
        pytest.skip(
            f"no official data in {folder}; set JASCO_OFFICIAL to a clone of "
            "https://github.com/BenoitWang/What_Are_They_Doing"
        )
    return folder


@pytest.fixture(scope="session")
def official_clips(official_folder, tmp_path_factory):
    """The authors' 80 clips."""
    from what_are_they_doing_prepare import prepare_what_are_they_doing

    from speechbrain_jasco.dataio import read_clips

    folder = tmp_path_factory.mktemp("official")
    manifest = prepare_what_are_they_doing(official_folder, folder)
    return read_clips(manifest, official_folder)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.listing is not None:
            self._send(*self.server.listing)
            return
        models = [{"id": m, "object": "model"} for m in self.server.models]
        known = self.path == "/v1/models"
        body = {"object": "list", "data": models} if known else {}
        self._send(200 if known else 404, {}, body)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        with self.server.lock:
            n_call = len(self.server.requests)
            self.server.requests.append(request)
        time.sleep(self.server.delay_s)
        reply = self.server.reply(n_call, request)
        if reply is None:  # hang up without a word
            self.close_connection = True
            return
        self._send(*reply)

    def _send(self, status, headers, body):
        if isinstance(body, str):
            message = {"role": "assistant", "content": body}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = {"id": "1", "object": "chat.completion", "created": 0}
            body |= {"model": "scripted", "choices": [choice]}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed or gave up

    def log_message(self, *args):
        """Keep the tests' output clean."""


@pytest.fixture
def scripted_server():
    """A factory of OpenAI-compatible servers on the loopback interface.

    ``server = scripted_server(reply)`` with ``reply(n_call, request) ->
    (status, headers, body)``: calls are counted from 0; ``body`` is bytes (as
    they are), a dict (JSON) or a str (the text of a chat completion); None
    hangs up instead. ``server.url`` ends in ``/v1``; ``server.requests`` is
    the list of requests so far, in order of arrival. ``listing`` is what
    a GET gets instead of the list of ``models``: (status, headers, body).
    """
    servers = []

    def start(reply, models=("scripted",), delay_s=0.0, listing=None):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.reply, server.models, server.delay_s = reply, models, delay_s
        server.listing = listing
        server.requests, server.lock = [], threading.Lock()
        server.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        threading.Thread(
            target=server.serve_forever, args=(0.05,), daemon=True
        ).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Headless Chromium."""
    pytest.importorskip("selenium", reason="needs pip install selenium")
    import chromium

    started = chromium.start(tmp_path_factory.mktemp("chromium"))
    yield started
    started.quit()


@pytest.fixture(scope="session")
def embedder():
    """MiniLM; every text is embedded once in a session."""
    from speechbrain_jasco import starter
    from speechbrain_jasco.building.vectors import Vectors
    from speechbrain_jasco.integrations.sentence_embedding import (
        SentenceEmbedder,
    )

    if not starter.is_ready("minilm-l6-v2"):
        pytest.skip("python -m speechbrain_jasco.starter minilm-l6-v2")
    model = SentenceEmbedder("starter:minilm-l6-v2")
    return SimpleNamespace(embed=Vectors(model))
