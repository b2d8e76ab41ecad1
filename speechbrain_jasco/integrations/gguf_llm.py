"""SmolLM2 as a GGUF file -> Hugging Face folder.

The folder holds float32: a 4-bit value times its block's float16 scale plus
its float16 offset has more digits than bfloat16 or float16 keep, and the point
is that the folder computes exactly what the published file says. Load it with
``dtype="bfloat16"`` where memory counts.

The chat template is the model's own. **It injects a default system message**
("You are a helpful AI assistant named SmolLM, trained by Hugging Face") into
every chat whose first message is not a system message; give one of your own to
replace it.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
from tokenizers.pre_tokenizers import Digits, Sequence
from transformers import AutoModelForCausalLM, AutoTokenizer


def convert(files, folder):
    """Convert a GGUF file of the LLaMA family with a byte-level tokenizer.

    Arguments
    ---------
    files : dict
        Name -> Path; the one ending in ``.gguf`` is read.
    folder : str or Path
        Existing folder for config, generation config, safetensors and
        tokenizer.
    """
    (path,) = (path for path in files.values() if path.suffix == ".gguf")
    source = {
        "pretrained_model_name_or_path": str(path.parent),
        "gguf_file": path.name,
    }
    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(**source)

    # transformers refuses to save a model it read from GGUF, although the
    # weights are dense by now; a plain model with the same weights may be.
    config = model.config
    vars(config).pop("quantization_config", None)
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(model.state_dict())
    plain.generation_config = model.generation_config
    plain.save_pretrained(folder)

    split_digits(tokenizer)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)


def split_digits(tokenizer):
    r"""Let the tokenizer cut out every digit before anything else.

    transformers drops this first step of SmolLM2's pre-tokenizer, which GGUF
    calls ``smollm``: the expression ``\p{N}``, then GPT-2's
    (ggml-org/llama.cpp src/llama-vocab.cpp@eb6a99c). Without it the blank
    line in "\n\n1." becomes two tokens instead of one.

    Arguments
    ---------
    tokenizer : PreTrainedTokenizerFast
        Changed in place.
    """
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), backend.pre_tokenizer]
    )
