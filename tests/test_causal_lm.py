"""Tests of the LLM lobe against plain transformers and peft.

Authors
 * The speechbrain_jasco developers, 2026
"""

import json
import shutil

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_systems import LLAMA, LORA, randomize
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, LlamaForCausalLM

from speechbrain_jasco.integrations.causal_lm import CausalLM
from speechbrain_jasco.integrations.loading import LoadingOptions

IDS = torch.tensor([[5, 6, 7, 8], [9, 3, 2, 1]])
VICUNA_7B = {
    "model_type": "llama",
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}


def random_llm(**options):
    torch.manual_seed(0)
    llm = CausalLM(config=LLAMA, **options)
    randomize(llm)
    return llm.eval()


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


def trained(module):
    return {n for n, p in module.named_parameters() if p.requires_grad}


# ----------------------------------------------------------------------------
# LoRA
# ----------------------------------------------------------------------------


def test_lora_is_pefts():
    llm = random_llm(lora=LORA)
    torch.manual_seed(0)
    plain = AutoModelForCausalLM.from_config(AutoConfig.for_model(**LLAMA))
    plain.requires_grad_(False)
    model = get_peft_model(plain, LoraConfig(task_type="CAUSAL_LM", **LORA))
    randomize(model)
    model.eval()
    assert torch.equal(logits(llm.network), logits(model))
    names = {f"model.{name}" for name in trained(model)}
    assert (
        trained(llm)
        == names
        == {
            f"model.base_model.model.model.layers.{layer}.self_attn.{side}_proj"
            f".lora_{half}.default.weight"
            for layer in (0, 1)
            for side in "qv"
            for half in "AB"
        }
    )


def test_lora_in_the_upper_layers_lets_no_gradient_below():
    llm = random_llm(lora={**LORA, "upper": 0.5})
    assert {n.split("layers.")[1][0] for n in trained(llm)} == {"1"}
    lower, upper = llm.network.model.layers
    assert not trained(lower) and trained(upper)
    into = {}
    for n, layer in enumerate((lower, upper)):
        layer.register_forward_hook(
            lambda _, __, out, n=n: into.update({n: out.requires_grad})
        )
    llm.model(input_ids=IDS)
    assert into == {0: False, 1: True}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"upper": 0.0}, "got upper 0.0 of 2 layers"),
        ({"upper": 1.6}, "got upper 1.6 of 2 layers"),
        ({"upper": 0.5, "target_modules": "all-linear"}, "a list of names"),
    ],
)
def test_a_share_of_layers_that_cannot_be(changes, reason):
    with pytest.raises(ValueError, match=reason):
        random_llm(lora={**LORA, **changes})


def test_merge_leaves_the_answers_and_nothing_to_train():
    llm = random_llm(lora=LORA)
    before = logits(llm.network)
    with torch.no_grad(), llm.model.disable_adapter():
        assert (llm.network(input_ids=IDS).logits - before).abs().max() > 0.1
    llm.merge()
    llm.merge()  # once more changes nothing
    assert isinstance(llm.network, LlamaForCausalLM)
    assert torch.allclose(logits(llm.network), before, atol=1e-4)
    assert trained(llm) == set()
    with pytest.raises(ValueError, match="no LoRA"):
        random_llm().merge()


def test_interpolation_is_between_the_weights():
    """Half of the LoRA is half way from the frozen weights to the merged."""
    llm = random_llm(lora=LORA)
    with torch.no_grad(), llm.model.disable_adapter():
        expected = logits(llm.network)

    def merged(share):
        llm = random_llm(lora=LORA)
        llm.interpolate(share)
        llm.merge()
        return llm

    assert torch.equal(logits(merged(0.0).network), expected)
    frozen, half, whole = (
        merged(share).network.state_dict() for share in (0.0, 0.5, 1.0)
    )
    changed = 0
    for name, weight in half.items():
        mean = (frozen[name] + whole[name]) / 2
        assert torch.allclose(weight, mean, atol=1e-6), name
        changed += not torch.allclose(weight, whole[name], atol=1e-3)
    assert changed == 4  # query and value of two layers
    with pytest.raises(ValueError, match="no LoRA"):
        merged(0.5).interpolate(0.5)


def test_it_is_untrained_for_as_long_as_it_lasts():
    llm = random_llm(lora=LORA)
    trained = logits(llm.network)
    with torch.no_grad(), llm.model.disable_adapter():
        frozen = logits(llm.network)
    assert not torch.allclose(frozen, trained, atol=1e-3)
    with pytest.raises(KeyError), llm.untrained():
        assert torch.equal(logits(llm.network), frozen)
        raise KeyError
    assert torch.equal(logits(llm.network), trained)
    with pytest.raises(ValueError, match="untrained: this LLM has no LoRA"):
        with random_llm().untrained():
            pass


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_compiled_layers_compute_the_same():
    """Losses and gradients, of more and fewer tokens and rows."""
    plain, compiled = random_llm(lora=LORA), random_llm(lora=LORA)
    compiled.compile_layers()
    names = trained(plain)
    assert trained(compiled) == names  # and so the names in a checkpoint
    for shape in ((2, 7), (3, 5), (2, 9)):
        ids = torch.arange(shape[0] * shape[1]).view(shape) % 20
        gradients = []
        for llm in (plain, compiled):
            llm.train()
            # A training that ran before has switched compiling off.
            with torch.compiler.set_stance("default"):
                output = llm.network(input_ids=ids, labels=ids, use_cache=False)
            output.loss.backward()
            own = {n: p for n, p in llm.named_parameters() if n in names}
            gradients.append({n: p.grad.clone() for n, p in own.items()})
            llm.zero_grad()
        for name in names:
            ours, theirs = (own[name] for own in gradients)
            assert theirs.abs().max() > 0
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5), name
    with torch.compiler.set_stance("force_eager"):
        assert torch.equal(logits(plain.network), logits(compiled.network))


def test_without_a_compiler_nothing_is_compiled(monkeypatch, caplog):
    monkeypatch.setenv("CXX", "no-such-compiler")
    llm = random_llm(lora=LORA)
    llm.compile_layers()
    layer = llm.network.model.layers[0]
    assert layer._compiled_call_impl is None
    assert "no-such-compiler" in caplog.text


def test_the_llm_stays_frozen_and_in_eval_and_the_lora_does_not():
    llm = random_llm(lora={**LORA, "lora_dropout": 0.5})
    llm.train()
    training = {type(m) for m in llm.network.modules() if m.training}
    assert nn.Dropout in training and nn.Embedding not in training
    assert not llm.network.model.layers[0].self_attn.training
    assert not torch.equal(logits(llm.network), logits(llm.network))
    llm.eval()
    assert torch.equal(logits(llm.network), logits(llm.network))
    assert all("lora" in name for name in trained(llm))


def test_a_7b_model_on_the_meta_device():
    with torch.device("meta"):
        llm = CausalLM(config=VICUNA_7B, lora={"r": 8, "lora_alpha": 32})
    parameters = list(llm.parameters())
    # q_proj and v_proj of 32 layers, r 8: peft's default for LLaMA.
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    assert trainable == 32 * 2 * 2 * 8 * 4096 == 4_194_304
    total = sum(p.numel() for p in parameters)
    assert total - trainable == 6_738_415_616
    assert llm.width == 4096 and llm.device.type == "meta"


def test_an_adapter_of_our_own():
    class Adapter:
        depends_on_question = True

        def attach(self, model):
            model.extra = nn.Linear(3, 4)
            self.prepared = []

        def prepare(self, llm, questions):
            self.prepared.append((llm, questions))

        def config(self):
            return {"adapter": "Adapter"}

    adapter = Adapter()
    llm = random_llm(adapter=adapter)
    assert trained(llm) == {"model.extra.weight", "model.extra.bias"}
    llm.train()
    assert llm.model.extra.training and not llm.model.model.training
    llm.prepare(["a", "b"])
    assert adapter.prepared == [(llm, ["a", "b"])]
    assert llm.config()["adapter"] == {"adapter": "Adapter"}
    adapter.depends_on_question = False
    llm.prepare(None)
    assert len(adapter.prepared) == 1
    with pytest.raises(ValueError, match="one at most"):
        CausalLM(config=LLAMA, lora=LORA, adapter=adapter)


# ----------------------------------------------------------------------------
# Sources
# ----------------------------------------------------------------------------


def test_a_folder_is_read_at_load(tiny_llm):
    llm = CausalLM(str(tiny_llm), attention="eager")
    assert llm.model is None
    llm.check()
    assert llm.model is None  # a check reads no weights
    llm.load()
    plain = AutoModelForCausalLM.from_pretrained(tiny_llm)
    assert torch.allclose(logits(llm.network), logits(plain), atol=1e-4)
    assert llm.network.config._attn_implementation == "eager"
    model = llm.model
    llm.load()
    assert llm.model is model
    assert not trained(llm)
    assert llm.tokenize("What") == llm.tokenizer("What")["input_ids"]
    # The folder's own decoding (here: tokens it suppresses) is forgotten.
    assert plain.generation_config.suppress_tokens
    own = llm.network.generation_config
    assert own.suppress_tokens is None
    assert own.eos_token_id == plain.generation_config.eos_token_id


def test_padding_without_a_padding_token(tiny_llm, tmp_path):
    llm = CausalLM(config=LLAMA, tokenizer=str(tiny_llm))
    llm.load()
    assert llm.tokenizer.pad_token == "<|pad|>"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (tiny_llm / name).read_text()
        (tmp_path / name).write_text(text)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    del config["pad_token"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    llm = CausalLM(config=LLAMA, tokenizer=str(tmp_path))
    size = llm.model.get_input_embeddings().weight.shape
    llm.load()
    assert llm.tokenizer.pad_token_id == llm.tokenizer.eos_token_id
    assert llm.model.get_input_embeddings().weight.shape == size


def test_dtype(tiny_llm):
    llm = CausalLM(str(tiny_llm), dtype="bfloat16", lora=LORA)
    llm.load()
    kinds = {p.dtype for p in llm.parameters() if not p.requires_grad}
    assert kinds == {torch.bfloat16}
    llm = CausalLM(config=LLAMA, dtype="float16")
    assert {p.dtype for p in llm.parameters()} == {torch.float16}
    assert {p.dtype for p in CausalLM(config=LLAMA).parameters()} == {
        torch.float32
    }


def test_a_device_map_places_the_weights(tiny_llm):
    llm = CausalLM(str(tiny_llm), device_map="cpu")
    llm.check()
    llm.load("meta")  # not followed: the map says where
    assert llm.device.type == "cpu"


def test_what_is_missing_is_told(tiny_llm, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no LLM in 'nobody/nothing'"):
        CausalLM("nobody/nothing").check()
    with pytest.raises(ValueError, match="needs a tokenizer"):
        CausalLM(config=LLAMA).check()
    model = AutoModelForCausalLM.from_pretrained(tiny_llm)
    state = model.state_dict()
    del state["model.norm.weight"]
    model.save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(ValueError, match="lacks.*model.norm.weight"):
        CausalLM(str(tmp_path), tokenizer=str(tiny_llm)).load()
    with pytest.raises(ValueError, match="expected one of the two"):
        CausalLM()


def test_options_are_checked_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(
        "speechbrain_jasco.integrations.loading.find_spec",
        lambda name: None if name == "bitsandbytes" else name,
    )
    with pytest.raises(RuntimeError, match="pip install bitsandbytes"):
        CausalLM("a/b", quantization="4bit").check()
    monkeypatch.setattr(
        "speechbrain_jasco.integrations.loading.find_spec", lambda name: name
    )
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RuntimeError, match="needs a GPU"):
        CausalLM("a/b", quantization="4bit").check()
    with pytest.raises(ValueError, match="got quantization '8bit'"):
        CausalLM("a/b", quantization="8bit")
    with pytest.raises(ValueError, match="got dtype 'half-ish'"):
        CausalLM("a/b", dtype="half-ish")
    with pytest.raises(TypeError, match="attn"):
        CausalLM("a/b", attn="sdpa")


def test_4bit_arguments():
    arguments = LoadingOptions("float16", quantization="4bit").arguments("cuda")
    assert arguments["device_map"] == {"": "cuda"}
    config = arguments["quantization_config"]
    assert config.load_in_4bit and config.bnb_4bit_quant_type == "nf4"
    assert config.bnb_4bit_compute_dtype == torch.float16


def test_config_tells_llms_apart(tiny_llm):
    def config(**changes):
        options = {"source": str(tiny_llm), "lora": LORA, **changes}
        return CausalLM(**options).config()

    first = config()
    assert json.loads(json.dumps(first)) == first == config()
    assert first == config(device_map="auto")  # the same answers
    for changes in (
        {"lora": {**LORA, "lora_alpha": 9}},
        {"dtype": "float16"},
        {"source": "other/llm"},
        {"quantization": "4bit"},
    ):
        assert config(**changes) != first
