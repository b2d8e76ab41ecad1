"""A form: fields that are answered by the probability of their values.

Instead of free text a model may be asked for a form, field -> list of values.
Each value's probability is that of the token with which it begins, over those
of its rivals: one number per value for the price of reading the prompt.

Authors
 * The speechbrain_jasco developers, 2026
"""

import os

import torch


def parting_tokens(field, ids):
    """Split the values of a field where they part.

    Arguments
    ---------
    field : str
        Its name, for the message.
    ids : list of list of int
        Token ids of "field: value", a row per value.

    Returns
    -------
    list of int
        Tokens that all have in common.
    list of int
        The next token of each value.

    Raises
    ------
    ValueError
        If two values go on with the same token, or one ends there.

    Example
    -------
    >>> parting_tokens("Rating", [[5, 6, 1], [5, 6, 2]])
    ([5, 6], [1, 2])
    """
    split = len(os.path.commonprefix(ids))
    rivals = [row[split] for row in ids if len(row) > split]
    if len(set(rivals)) < len(ids):
        raise ValueError(
            f"two values of {field!r} begin with the same token. Word them so "
            "that they begin differently."
        )
    return ids[0][:split], rivals


def fill_form(reader, tails, begun, parted):
    """Ask every field of a form after each prompt.

    No field depends on the ones before it.

    Arguments
    ---------
    reader : PromptReader
        Has the model.
    tails : list of list of int
        What is left to read of the prompts.
    begun : Reading or None
        What has been read of them.
    parted : dict
        Field -> (values, common tokens, token of each value).

    Returns
    -------
    list of dict
        Per prompt: field -> {value: probability}.
    """
    endings = [common for _, common, _ in parted.values()]
    forms = [{} for _ in tails]
    for (field, (values, _, rivals)), logits in zip(
        parted.items(), reader.read_endings(tails, endings, begun)
    ):
        chances = torch.softmax(logits[:, rivals].float(), dim=1).tolist()
        for form, row in zip(forms, chances):
            form[field] = dict(zip(values, row))
    return forms
