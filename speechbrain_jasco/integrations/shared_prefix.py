"""The audio of a clip read once for all its questions.

    one clip:   system text, audio        -> KV cache [1, P]
    repeated:   the cache                 -> [B, P]
    B rows:     [prefix | padding | question, template's end]

The padding lies between prefix and question and is masked; positions count
what is not masked, so a row computes what it would compute alone.

Authors
 * The speechbrain_jasco developers, 2026
"""

import inspect

import torch

from speechbrain_jasco.integrations.prefix_generation import CACHE

# One row per question; everything else in a batch describes the audio.
TEXT_INPUTS = (
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "mm_token_type_ids",
)
AUDIO_FEATURES = ("input_features", "audio_input_features")


def insist_on_audio(batch, audio_token_id):
    """Makes sure that the model will hear something.

    Processors have ignored a misnamed audio argument without a word, and the
    model then answered every clip alike (QwenLM/Qwen2-Audio#149).

    Arguments
    ---------
    batch : dict
        What the processor gave.
    audio_token_id : int
        The id that stands for one audio embedding.

    Raises
    ------
    ValueError
        If there are no features, they are not numbers, or a row has no place
        for them.

    Example
    -------
    >>> ids = torch.tensor([[5, 9, 9, 6]])
    >>> insist_on_audio({"input_ids": ids, "input_features": ids + 0.5}, 9)
    >>> insist_on_audio({"input_ids": ids}, 9)
    Traceback (most recent call last):
    ...
    ValueError: the processor gave ['input_ids'] ...
    """
    features = [batch[name] for name in AUDIO_FEATURES if name in batch]
    if not features or not features[0].numel():
        raise ValueError(
            f"the processor gave {sorted(batch)} and no audio features; "
            f"expected one of {', '.join(AUDIO_FEATURES)}. Its arguments may "
            "have changed: use a release of transformers that is tested."
        )
    if not torch.isfinite(features[0]).all():
        raise ValueError(
            "the audio features hold NaN or infinite values. Export the clip "
            "anew."
        )
    if not (batch["input_ids"] == audio_token_id).any(dim=1).all():
        raise ValueError(
            f"a prompt has no audio token (id {audio_token_id}): the chat "
            "template dropped the audio. Give another prompt class."
        )


def unpadded(batch):
    """The token ids of each row.

    Arguments
    ---------
    batch : dict
        With ``input_ids`` and ``attention_mask`` [B, L].

    Returns
    -------
    list of torch.Tensor
        Ids [L_i].

    Example
    -------
    >>> ids, mask = torch.tensor([[0, 7], [8, 9]]), torch.tensor([[0, 1], [1, 1]])
    >>> unpadded({"input_ids": ids, "attention_mask": mask})
    [tensor([7]), tensor([8, 9])]
    """
    pairs = zip(batch["input_ids"], batch["attention_mask"])
    return [ids[mask.bool()] for ids, mask in pairs]


def join_rows(rows, n_prefix=0):
    """Pads rows to one batch, the padding between prefix and rest.

    The padding repeats a token that the row has anyway: a repetition penalty
    looks at all ids, masked or not, and would hit the padding token, which is
    the end token of some models, in a batch but not in a single row.

    Arguments
    ---------
    rows : list of torch.Tensor
        Ids [L_i].
    n_prefix : int
        Length of what they share; 0 pads on the left.

    Returns
    -------
    dict
        ``input_ids`` and ``attention_mask`` [B, L].

    Example
    -------
    >>> rows = [torch.tensor([1, 2, 3, 4]), torch.tensor([1, 2, 5])]
    >>> join_rows(rows, 2)["input_ids"].tolist()
    [[1, 2, 3, 4], [1, 2, 1, 5]]
    >>> join_rows(rows, 2)["attention_mask"].tolist()
    [[1, 1, 1, 1], [1, 1, 0, 1]]
    """
    length = max(map(len, rows))
    ids = torch.stack([row[:1].repeat(length) for row in rows])
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, :n_prefix], mask[i, :n_prefix] = row[:n_prefix], 1
        start = length - len(row) + n_prefix
        ids[i, start:], mask[i, start:] = row[n_prefix:], 1
    return {"input_ids": ids, "attention_mask": mask}


def prefix_length(rows, audio_token_id):
    """Length of the prefix that ends with the last audio token.

    Arguments
    ---------
    rows : list of torch.Tensor
        Ids [L_i] of prompts about one clip.
    audio_token_id : int
        The id that stands for one audio embedding.

    Returns
    -------
    int
        0 if the rows differ before the end of the audio, or end with it.

    Example
    -------
    >>> rows = [torch.tensor([1, 9, 9, 3]), torch.tensor([1, 9, 9, 5, 6])]
    >>> prefix_length(rows, 9), prefix_length([r[::2] for r in rows], 9)
    (3, 0)
    """
    end = int((rows[0] == audio_token_id).nonzero()[-1]) + 1
    same = all(torch.equal(row[:end], rows[0][:end]) for row in rows)
    return end if same and min(map(len, rows)) > end else 0


def fits_window(config, length):
    """Whether no sliding window drops anything of a sequence.

    A window counts masked positions too: padding inside it would push out
    tokens that a single row still sees.

    Arguments
    ---------
    config : transformers.PreTrainedConfig
        The model's.
    length : int
        Of the prompt and the answer.

    Returns
    -------
    bool
    """
    window = getattr(config.get_text_config(), "sliding_window", None)
    return window is None or length <= window


def read_prefix(model, batch, rows, n_prefix):
    """Runs the shared prefix, audio encoder included, once.

    Arguments
    ---------
    model : torch.nn.Module
        The model.
    batch : dict
        What the processor gave for rows about one clip.
    rows : list of torch.Tensor
        Its ids without padding.
    n_prefix : int
        Length of the prefix.

    Returns
    -------
    transformers.Cache
        Of batch size 1.
    """
    mask = batch["attention_mask"][0].bool()
    inputs = {}
    for name, value in batch.items():
        if name in TEXT_INPUTS:
            inputs[name] = value[0][mask][None, :n_prefix]
        else:  # all rows have the same audio: the first share of it is one
            inputs[name] = value[: len(value) // len(rows)]
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        inputs["logits_to_keep"] = 1
    return model(**inputs, use_cache=True)[CACHE]
