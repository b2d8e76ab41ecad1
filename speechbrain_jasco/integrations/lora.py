"""Which weights of an LLM get a LoRA: options of a YAML to peft's own.

Authors
 * The speechbrain_jasco developers, 2026
"""

from peft import LoraConfig


def lora_config(options, n_layers):
    """Makes peft's configuration of a causal LM's LoRA.

    Where nothing below is trained, gradients stop on their way down: the
    upper half of the layers costs a third less per step than all of them
    (docs/LOG.md).

    Arguments
    ---------
    options : dict
        Arguments of ``peft.LoraConfig``, and ``upper``: the share of the
        layers, from the top, that get a LoRA; all by default. With less than
        all of them peft wants ``target_modules`` by name.
    n_layers : int
        Of the LLM.

    Returns
    -------
    LoraConfig

    Raises
    ------
    ValueError
        If ``upper`` leaves no layer, or names are missing beside it.

    Example
    -------
    >>> options = {"r": 4, "target_modules": ["q_proj"], "upper": 0.5}
    >>> lora_config(options, 6).layers_to_transform
    [3, 4, 5]
    """
    given = dict(options)
    upper = given.pop("upper", 1.0)
    first = n_layers - round(upper * n_layers)
    if not 0 <= first < n_layers:
        raise ValueError(
            f"lora: got upper {upper} of {n_layers} layers; expected a share "
            "that leaves one of them, such as 0.5"
        )
    if first > 0:
        if not isinstance(given.get("target_modules"), list):
            raise ValueError(
                f"lora: got upper {upper} and target_modules "
                f"{given.get('target_modules')!r}; expected a list of names "
                "with it, such as [q_proj, v_proj]"
            )
        given["layers_to_transform"] = list(range(first, n_layers))
    return LoraConfig(task_type="CAUSAL_LM", **given)
