"""LTU-AS's released checkpoint (YuanGongND/ltu@2002aad) by our names.


Authors
 * The speechbrain_jasco developers, 2026
"""

from speechbrain_jasco.integrations.original_weights import (
    OriginalCheckpoint,
)

LTU_AS = (
    (
        r"base_model\.model\.model\.audio_encoder\.time_tr\.(.*)",
        r"fusion.time_block.\1",
    ),
    (
        r"base_model\.model\.model\.audio_encoder\.layer_tr\.(.*)",
        r"fusion.layer_block.\1",
    ),
    (
        r"base_model\.model\.model\.audio_proj\.1\.(.*)",
        r"fusion.projection.\1",
    ),
    (r"(base_model\..*\.lora_[AB]\.default\.weight)", r"llm.model.\1"),
)
LTU_AS_UNUSED = (r"base_model\..*\.rotary_emb\.inv_freq",)


class LtuAsCheckpoint(OriginalCheckpoint):
    """LTU-AS: a flat dict of the trained parts.

    Arguments
    ---------
    path : str
        ``ltuas_long_noqa_a6.bin`` or another of the same size.

    Example
    -------
    >>> LtuAsCheckpoint("ltuas_long_noqa_a6.bin").fingerprint()
    'LtuAsCheckpoint:ltuas_long_noqa_a6.bin'
    """

    where = (
        "LTU-AS's weights: ltuas_long_noqa_a6.bin (187 MB), linked in "
        "pretrained_mdls/README.md of github.com/YuanGongND/ltu, and so is "
        "the folder vicuna_ltuas, its LLM"
    )
    table = LTU_AS
    unused = LTU_AS_UNUSED
