"""Parts of tiny random native models: tokenizer, sizes, weights, LoRA.

Authors
 * The speechbrain_jasco developers, 2026
"""

import torch
import transformers as tf

CHATML_PARTS = (
    "{% for m in messages %}"
    "{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'audio' %}AUDIO"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = (
    "What are the speakers doing? Where are they? First write down the words "
    "you hear, then name the sound in the background. system user assistant "
    "You are a helpful assistant. Audio 1: Answer in one sentence. model"
)


def write_tokenizer(folder, special, template, **options):
    """A byte-level BPE with special tokens; returns it."""
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        processors,
        trainers,
    )

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([WORDS] * 5, trainer)
    bos = options.get("bos_token")
    if bos:  # as Gemma's: text gets one, unless told otherwise
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, bpe.token_to_id(bos))]
        )
    tokenizer = tf.PreTrainedTokenizerFast(
        tokenizer_object=bpe, chat_template=template, **options
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def finish(model, tokenizer, folder, special):
    """Keep the model from ends and blanks, so that it never answers nothing,
    and save it."""
    text = [i for i in range(len(tokenizer)) if i not in special]
    blank = [i for i in text if not tokenizer.decode([i]).strip()]
    model.generation_config = tf.GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=sorted({*special, *blank}),
        # What a released checkpoint would do if nobody said otherwise.
        do_sample=True,
        temperature=0.7,
        repetition_penalty=1.3,
    )
    model.save_pretrained(folder)


def spread(model, scale=0.4):
    """Random weights wide enough that inputs change the answers."""
    torch.manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            if p.ndim > 1:
                p.normal_(0, scale / p.shape[-1] ** 0.5 * 3)
    return model


def text_sizes(tokenizer):
    """Sizes of a tiny decoder."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
    }


def write_lora(folder, model, targets):
    """A random LoRA for a model's decoder in the folder's peft format."""
    from peft import LoraConfig, get_peft_model

    lora = get_peft_model(model, LoraConfig(r=4, target_modules=targets))
    with torch.no_grad():
        for name, p in lora.named_parameters():
            if "lora_" in name:
                p.normal_(0, 0.5)
    lora.save_pretrained(folder)
